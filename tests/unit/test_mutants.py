"""The tool that changes rules: which changes it makes, and with which tests it tries them."""

from __future__ import annotations

import ast

import pytest

from tests.tools.mutants import RULES, find_mutations, find_subjects


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
        "def f(x: tuple[1]) -> tuple[2]:\n    pass",
        "x = t.cast('int', y)",
        "x = 'a' + b",
        "x = ['a text of words']",
    ],
)
def test_what_decides_nothing_stays(source: str) -> None:
    assert mutants(source) == []


def test_each_rule_that_is_there_has_tests() -> None:
    subjects = find_subjects(RULES)
    assert len(subjects) > 10
    assert [subject.path.name for subject in subjects if not subject.tests] == []


def test_tests_of_another_subject_are_left_out() -> None:
    names = {subject.path.name: [test.rpartition("/")[2] for test in subject.tests] for subject in find_subjects(RULES)}
    assert "test_desk.py" in names["_desk.py"]
    assert "test_desk_read.py" not in names["_desk.py"]
    assert names["_desk_read.py"] == ["test_desk_read.py"]


def test_a_mutant_is_compiled_and_the_file_stays() -> None:
    subject = find_subjects(["window"])[0]
    before = subject.path.read_bytes()
    assert subject.compile(0) != subject.compile(None)
    assert subject.path.read_bytes() == before
