"""The one list of refusals: every entry fills in, reads as sentences, and is used."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _aws_errors
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import (
    REFUSALS,
    Refusal,
    RefusedError,
    refusal,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _desk

ROOT = Path(__file__).resolve().parents[4]


def fields(code: str) -> set[str]:
    parsed = [part for text in REFUSALS[code] for part in string.Formatter().parse(text)]
    return {name for _text, name, _spec, _conversion in parsed if name is not None}


def sources() -> list[Path]:
    found = [path for path in (ROOT / "plugins").rglob("*.py") if path.name != "_refusals.py"]
    return found + [path for path in (ROOT / "roles").rglob("*") if path.suffix in (".yml", ".j2")]


def called_with() -> dict[str, set[str]]:
    """The codes that Python passes to ``refusal()`` as a literal, with the fields that are filled in somewhere."""
    found: dict[str, set[str]] = {}
    for path in sources():
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refusal"):
                continue
            if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                found[node.args[0].value] = {str(keyword.arg) for keyword in node.keywords}
    return found


@pytest.mark.parametrize("code", REFUSALS)
class TestEveryEntry:
    def test_it_fills_in(self, code: str) -> None:
        filled = refusal(code, **{name: f"seen-{name}" for name in fields(code)})
        assert filled.code == code
        assert str(filled) == f"{filled.error} {filled.hint}"
        for name in fields(code):
            assert f"seen-{name}" in str(filled)
        # {cloudId} is how Atlassian's own documentation writes the place of the cloud's id.
        assert not re.search(r"[{}]", str(filled).replace("/{cloudId}", ""))

    def test_it_says_what_was_seen_and_what_to_do(self, code: str) -> None:
        error, hint = REFUSALS[code]
        # The message that ends a sentence brings its own full stop.
        assert error.endswith((".", "{message}"))
        assert hint.endswith(".")
        assert error[0].isupper() or error[0] == "{"
        assert hint[0].isupper()
        assert "\n" not in error + hint
        assert "  " not in error + hint
        assert " ." not in error + hint

    def test_its_code_is_stable_and_readable(self, code: str) -> None:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)

    def test_it_is_used(self, code: str) -> None:
        used = [path for path in sources() if re.search(rf"""["']{code}["']""", path.read_text(encoding="utf-8"))]
        assert used, f"{code} is used nowhere"


@pytest.mark.parametrize(
    ("code", "given"), sorted(called_with().items()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_codes_in_python_are_in_the_list_with_their_fields(code: str, given: set[str]) -> None:
    assert code in REFUSALS
    assert fields(code) <= given


def test_python_names_codes() -> None:
    # So that the test above cannot be empty by mistake.
    assert len(called_with()) > 10


@pytest.mark.parametrize("table", [_aws_errors._BY_AWS_CODE, _desk._BY_STATUS], ids=["of AWS", "of the desk"])
def test_codes_in_tables_are_in_the_list(table: dict[object, str]) -> None:
    assert set(table.values()) <= set(REFUSALS)


def test_a_field_that_was_not_seen_is_an_error() -> None:
    with pytest.raises(KeyError):
        refusal("wrong_region", reference="alias/a", seen="us-west-2")


def test_a_code_that_is_not_in_the_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        refusal("bad_luck")


def test_what_was_seen_is_never_read_as_a_template() -> None:
    assert "{region}" in refusal("aws_managed_key", arn="{region}").error


def test_what_was_seen_cannot_act_on_a_terminal_nor_begin_a_line() -> None:
    why = refusal("aws_trouble", operation="EnableKey", region="eu\u202e", message="a\x1b[2J\x07\r\nacme: RESTORED")
    assert why.error == "AWS could not carry out EnableKey in eu : a [2J   acme: RESTORED"
    assert why.hint.startswith("Check the AWS Health Dashboard for eu  and")


def test_the_exception_carries_it() -> None:
    why = Refusal("code", "Seen.", "Do.")
    assert RefusedError(why).refusal is why
    assert str(RefusedError(why)) == "Seen. Do."
