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


def rows(whole: Schema, part: Schema, path: str, described: dict[str, str] | None = None) -> t.Iterator[str]:
    """Describe the fields of a part, each in a row of a table. A definition that was ``described`` before is referred to."""
    described = {} if described is None else described
    for name, field in part["properties"].items():
        inner = _resolved(whole, field)
        here = f"{path}{name}"
        is_list = inner.get("type") == "array"
        items = _resolved(whole, inner["items"]) if is_list else inner
        reference = _reference(inner["items"] if is_list else field)
        meaning = field.get("description") or inner["description"]
        if "properties" in items and reference in described:
            yield f"| `{here}` | {_type(inner, field)} | {meaning} Fields as in `{described[reference]}`. |"
            continue
        yield f"| `{here}` | {_type(inner, field)} | {meaning} |"
        if "properties" in items:
            below = here + "[]" * is_list
            described |= {reference: below} if reference else {}
            yield from rows(whole, items, f"{below}.", described)


def _reference(field: Schema) -> str:
    chosen = field["anyOf"][0] if "anyOf" in field else field
    return str(chosen.get("$ref", ""))


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
