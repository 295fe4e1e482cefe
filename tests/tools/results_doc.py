"""Write the generated parts of docs/results.md: ``python -m tests.tools.results_doc [--check]``.

The fields come from docs/results.schema.json. The example is what a restore in two regions publishes.
"""

from __future__ import annotations

import json
import re
import sys
import typing as t

from tests.tools import evidence_doc
from tests.tools.evidence_runs import RUNS

SCHEMA: t.Final = dict(json.loads((evidence_doc.DOCS / "results.schema.json").read_text(encoding="utf-8")))


def example() -> dict[str, t.Any]:
    """Return the result of a restore in two regions, in mode api."""
    return dict(RUNS["restored"]["result"])


def page() -> str:
    """Return docs/results.md with its generated parts renewed."""
    rows = ["| Field | Type | Meaning |", "|---|---|---|", *evidence_doc.rows(SCHEMA, SCHEMA, "")]
    text = (evidence_doc.DOCS / "results.md").read_text(encoding="utf-8")
    text = _between(text, "Fields", "\n".join([*rows, ""]))
    return _between(text, "Example", f"```json\n{json.dumps(example(), indent=2, ensure_ascii=False)}\n```\n")


def _between(text: str, name: str, content: str) -> str:
    marks = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- End of the {name.lower()} -->)", re.DOTALL)
    return marks.sub(lambda match: match[1] + content + match[2], text)


if __name__ == "__main__":
    path = evidence_doc.DOCS / "results.md"
    if sys.argv[1:] == ["--check"]:
        sys.exit("Out of step, run make docs: docs/results.md" if path.read_text() != page() else 0)
    path.write_text(page(), encoding="utf-8")
