"""Write the table of fields in docs/evidence.md from the schema: ``python -m tests.tools.evidence_doc``."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

DOCS: t.Final = Path(__file__).resolve().parents[2] / "docs"
_BEGIN: t.Final = "<!-- Fields: written by tests/tools/evidence_doc.py from evidence.schema.json -->\n"
_END: t.Final = "<!-- End of the fields -->\n"

Schema: t.TypeAlias = dict[str, t.Any]


def schema() -> Schema:
    return dict(json.loads((DOCS / "evidence.schema.json").read_text(encoding="utf-8")))


def page() -> str:
    """Return docs/evidence.md with its table of fields renewed."""
    before, _begin, rest = (DOCS / "evidence.md").read_text(encoding="utf-8").partition(_BEGIN)
    _fields, _end, after = rest.partition(_END)
    whole = schema()
    lines = ["| Field | Type | Meaning |", "|---|---|---|", *rows(whole, whole, "")]
    return "\n".join([before + _BEGIN, *lines, "", _END]) + after


def rows(whole: Schema, part: Schema, path: str) -> t.Iterator[str]:
    """Describe the fields of a part, each in a row of a table."""
    for name, field in part["properties"].items():
        inner = _resolved(whole, field)
        here = f"{path}{name}"
        yield f"| `{here}` | {_type(inner, field)} | {field.get('description') or inner['description']} |"
        items = _resolved(whole, inner["items"]) if inner.get("type") == "array" else inner
        if "properties" in items:
            yield from rows(whole, items, f"{here}{'[]' if items is not inner else ''}.")


def _resolved(whole: Schema, field: Schema) -> Schema:
    chosen = field["anyOf"][0] if "anyOf" in field else field
    return dict(whole["$defs"][chosen["$ref"].rpartition("/")[2]]) if "$ref" in chosen else chosen


def _type(inner: Schema, field: Schema) -> str:
    if "const" in inner:
        return f"`{json.dumps(inner['const'])}`"
    if "enum" in inner:
        return ", ".join(f"`{value}`" for value in inner["enum"])
    kinds = inner["type"] if isinstance(inner["type"], list) else [inner["type"]]
    names = ["time" if "pattern" in inner and kind == "string" else kind for kind in kinds] + ["null"] * (
        "anyOf" in field
    )
    return " or ".join({"array": "list"}.get(name, name) for name in names)


if __name__ == "__main__":
    (DOCS / "evidence.md").write_text(page(), encoding="utf-8")
