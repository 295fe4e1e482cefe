"""The tool that changes rules: which changes it makes, and with which tests it tries them."""

from __future__ import annotations

import ast
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.tools.mutants import find_mutations, find_subjects, read_scores, run_apart
from tests.tools.mutants_rules import EQUIVALENTS, GOAL, GOALS, RULES
from tests.tools.standins import ROOT

# Printed texts and drawings, which are compared with examples.
NOT_MEASURED = {"plugin_utils/_reports/drawing.py"}


def mutants(source: str) -> list[str]:
    """The source with each of its mutations."""
    made = []
    for number in range(len(find_mutations(ast.parse(source)))):
        tree = ast.parse(source)
        find_mutations(tree)[number].apply()
        made.append(ast.unparse(ast.fix_missing_locations(tree)))
    return made


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
        ("x = a == 'Enabled'", ["x = a != 'Enabled'", "x = a == 'Enabled?'"]),
        ("x = a is None", ["x = a is not None"]),
        ("x = a in b", ["x = a not in b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = not a", ["x = not not a"]),
        ("x = min(a)", ["x = max(a)"]),
        ("x = any(a)", ["x = all(a)"]),
        ("x = a + b", ["x = a - b"]),
        ("x = a | b", ["x = a & b"]),
        ("x = True", ["x = False"]),
        ("x = 10", ["x = 11"]),
        ("x = {'Encrypt', y}", ["x = {'Encrypt?', y}"]),
        ("if a:\n    pass", ["if not a:\n    pass"]),
        ("x = b if a(c) else d", ["x = b if not a(c) else d"]),
    ],
)
def test_a_rule_is_changed(source: str, expected: list[str]) -> None:
    assert mutants(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "x: t.Literal['a', 'b']",
        "X = t.Literal['a', 'b']",
        "__all__ = ['a']",
        "def f(x: tuple[1]) -> tuple[2]:\n    pass",
        "x = t.cast('int', y)",
        "x = 'a' + b",
        "x = ['a text of words']",
    ],
)
def test_what_decides_nothing_stays(source: str) -> None:
    assert mutants(source) == []


def names_of(*names: str) -> list[str]:
    return [subject.name for subject in find_subjects(names)]


def test_a_change_is_named_by_the_expression_that_it_makes() -> None:
    changes = [
        (mutation.line, mutation.change)
        for mutation in find_mutations(ast.parse("x = a\nif b(c) < 10:\n    y = not d"))
    ]
    assert changes == [(2, "b(c) <= 10"), (2, "11"), (3, "not not d")]


def test_every_file_that_only_decides_is_among_the_rules() -> None:
    pure = [
        path.relative_to(ROOT / "plugins").as_posix()
        for path in ROOT.glob("plugins/*_utils/**/*.py")
        if "Pure" in (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
    ]
    assert len(pure) > 30
    assert sorted(set(pure) - set(RULES) - NOT_MEASURED) == []


def test_every_file_and_test_of_the_rules_is_there() -> None:
    subjects = find_subjects()
    assert [subject.name for subject in subjects] == list(RULES)
    assert all(subject.tests for subject in subjects)


def test_names() -> None:
    assert names_of("window", "kms/states") == ["module_utils/_kms/states.py", "plugin_utils/_window.py"]
    # A name belongs to a file, and is no beginning of others.
    assert names_of("desk") == ["plugin_utils/_desk.py"]
    assert names_of("options") == ["plugin_utils/_options.py"]
    assert names_of("channels/options") == ["plugin_utils/_channels/options.py"]
    assert names_of("states") == ["module_utils/_kms/states.py"]


@pytest.mark.parametrize("name", ["key_states", "windo", "", "_window.py"])
def test_an_unknown_name_is_an_error(name: str) -> None:
    with pytest.raises(LookupError, match="is none of the rules: access access_loss"):
        find_subjects(["window", name])


@pytest.mark.parametrize(
    ("rule", "tests", "message"),
    [
        ("plugin_utils/_turns.py", "window", "plugins/plugin_utils/_turns.py does not exist"),
        ("plugin_utils/_window.py", "window turns", "there is no test_turns.py below tests/unit/plugins"),
    ],
)
def test_a_file_or_test_that_is_gone_is_an_error(
    monkeypatch: pytest.MonkeyPatch, rule: str, tests: str, message: str
) -> None:
    monkeypatch.setitem(RULES, rule, tests)
    with pytest.raises(LookupError, match=message):
        find_subjects()


def harm(pid: int, number: int) -> int:
    os.kill(pid, number)
    return hang()


def hang() -> int:
    time.sleep(600)
    return 0


@pytest.mark.parametrize(
    ("work", "code"),
    [
        pytest.param(lambda: 0, 0, id="its tests pass"),
        pytest.param(lambda: 1, 1, id="a test fails"),
        pytest.param(lambda: 1 // 0, 1, id="an exception"),
        pytest.param(lambda: harm(os.getpid(), signal.SIGKILL), 247, id="it kills itself"),
        pytest.param(lambda: harm(os.getppid(), signal.SIGHUP), -1, id="it kills its parent"),
        pytest.param(hang, 124, id="it hangs"),
    ],
)
def test_a_mutant_can_do_no_harm(work: Callable[[], int], code: int) -> None:
    assert run_apart(work, 0.2 if code == 124 else 60) == code


def test_every_equivalent_mutant_exists_once_and_has_a_reason() -> None:
    places = [
        (subject.name, subject.line(mutation), mutation.change)
        for subject in find_subjects()
        if subject.name in {one.file for one in EQUIVALENTS}
        for mutation in subject.find_mutations()
    ]
    assert [one[:3] for one in EQUIVALENTS if places.count(one[:3]) != 1] == []
    assert all(" " in one.reason for one in EQUIVALENTS)


def test_the_goals_are_met() -> None:
    scores = read_scores()
    assert {name: scores[name].percent for name in GOALS if scores[name].percent < GOAL} == {}


def test_a_mutant_is_compiled_and_the_file_stays() -> None:
    subject = find_subjects(["window"])[0]
    before = subject.path.read_bytes()
    assert subject.compile(0) != subject.compile(None)
    assert subject.path.read_bytes() == before
