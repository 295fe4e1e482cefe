"""The role's variables, one by one: each way to write a value, and each value that is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import Options, is_empty, is_loopback, shown


def options(value: Any, **more: Any) -> Options:
    return Options({"x": value, **more})


@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_an_empty_answer_of_a_survey_means_the_default(empty: str | None) -> None:
    read = Options(dict.fromkeys(("wait_timeout", "wait_reads", "mail_port", "verify_limit", "org"), empty))
    assert [read.get(name) for name in ("wait_timeout", "wait_reads", "mail_port", "verify_limit")] == [
        300,
        3,
        587,
        "8h",
    ]
    assert [read.get(name) for name in ("wait_delay", "site_status", "verify_interval")] == [0.5, 200, "5m"]
    assert (read.text("org"), read.get("never heard of"), read.problems) == ("", None, [])


@pytest.mark.parametrize("value", [0, False, 7, "5", "x"])
def test_any_other_answer_stays(value: Any) -> None:
    assert Options({"wait_timeout": value}).get("wait_timeout") == value


@pytest.mark.parametrize(
    ("value", "most", "text"),
    [
        (None, 9, ""),
        (False, 9, ""),
        ("", 9, ""),
        ("  a b ", 3, "a b"),
        (7, 9, "7"),
        (0, 9, "0"),
        ("x" * 9, 9, "x" * 9),
    ],
)
def test_a_text(value: Any, most: int, text: str) -> None:
    read = options(value)
    assert (read.text("x", most=most), read.problems) == (text, [])


@pytest.mark.parametrize(("value", "kind"), [(True, "True"), (1.5, "1.5"), ([], "[]"), ({"a": 1}, "{'a': 1}")])
def test_what_is_no_text(value: Any, kind: str) -> None:
    read = options(value)
    assert (read.text("x"), read.problems) == ("", [f"cmk_x must be a text, but is {kind}."])


def test_the_longest_text() -> None:
    assert Options({"x": "y" * 2048, "w": ["y" * 2048]}).text("x") == "y" * 2048
    for read in (options("y" * 2049), options("a\nb"), options("a\x1b[2J")):
        assert read.text("x") == ""
        assert len(read.problems) == 1
    read = options(["y" * 2049, "y" * 2048])
    assert (read.words("x"), len(read.problems)) == (["y" * 2048], 1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("true", "yes", "on", "1", "y", "t", " TRUE ", True, 1), True),
        (("false", "no", "off", "0", "n", "f", "False", False, 0), False),
    ],
)
def test_a_boolean(words: tuple[Any, ...], expected: bool) -> None:
    for word in words:
        read = options(word)
        assert (read.boolean("x", unset=not expected), read.problems) == (expected, []), word


@pytest.mark.parametrize("unset", [True, False])
def test_a_boolean_that_is_not_set(unset: bool) -> None:
    for value in (None, "", " ", "none", "None"):
        read = options(value)
        assert (read.boolean("x", unset=unset), read.problems) == (unset, []), value
    assert options(None).boolean("x") is False
    for other in ("maybe", 2, 2.5):
        read = options(other)
        assert read.boolean("x", unset=unset) is unset
        assert read.problems == [f"cmk_x must be true or false, but is {other!r}."]


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [(1, False, 1), ("2.5", False, 2.5), (1.0, True, 1), ("9", True, 9), (9.0, False, 9), (" 3 ", True, 3)],
)
def test_a_number(value: Any, whole: bool, number: float) -> None:
    read = options(value)
    assert (read.number("x", least=1, most=9, whole=whole), read.problems) == (number, [])


@pytest.mark.parametrize("value", [0.9, 9.1, "many", None, True, "nan", "inf", [5]])
def test_a_number_out_of_bounds(value: Any) -> None:
    read = options(value)
    assert read.number("x", least=1, most=9) == 1
    assert read.problems == [f"cmk_x must be a number from 1 to 9, but is {value!r}."]


def test_a_whole_number() -> None:
    read = options(2.5)
    assert read.number("x", least=1, most=9, whole=True) == 1
    assert read.problems == ["cmk_x must be a whole number from 1 to 9, but is 2.5."]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (30, 30), ("30", 30), ("30.5", 30.5), ("30s", 30), ("5m", 300), ("8h", 28800), ("2d", 172800), ("1h30m", 5400),
        ("1 h 30 m", 5400), ("1.5H", 5400), (" 5M ", 300), ("1m1m", 120),
    ],
)  # fmt: skip
def test_a_duration(value: Any, seconds: float) -> None:
    read = options(value)
    assert (read.duration("x", least=0, most=172800), read.problems) == (seconds, [])


@pytest.mark.parametrize("value", ["", "soon", "5 minutes", "5w", "m5", "-5", "5m x", True, [5]])
def test_what_is_no_duration(value: Any) -> None:
    read = options(value)
    assert read.duration("x", least=1, most=60) == 1
    (problem,) = read.problems
    assert problem.startswith("cmk_x must be a number of seconds, or a duration such as 5m, 8h or 2d, but is ")


@pytest.mark.parametrize("value", ["2m", 61, "0", "0s"])
def test_a_duration_out_of_bounds(value: Any) -> None:
    read = options(value)
    assert read.duration("x", least=1, most=60) == 1
    assert read.problems[0].startswith("cmk_x must be a number from 1 to 60, but is ")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, []),
        ("", []),
        (" , \n", []),
        ("a", ["a"]),
        ("a, b,,a\nc", ["a", "b", "c"]),
        (["a", " b ", "a", None, ""], ["a", "b"]),
        (("a", 7), ["a", "7"]),
        ('["a", "b"]', ["a", "b"]),
        (' ["a,b"]', ["a,b"]),
        ("[a, b", ["[a", "b"]),
        ("{", ["{"]),
        ("[" * 5000, None),
    ],
)
def test_words(value: Any, words: list[str] | None) -> None:
    read = options(value)
    if words is None:
        assert (read.words("x"), len(read.problems)) == ([], 1)
    else:
        assert (read.words("x"), read.problems) == (words, [])


@pytest.mark.parametrize(
    ("value", "kind"), [(7, "7"), (True, "True"), ({"a": 1}, "{'a': 1}"), ('{"a": 1}', "{'a': 1}")]
)
def test_what_is_no_list(value: Any, kind: str) -> None:
    read = options(value)
    assert read.words("x") == []
    assert read.problems == [f"cmk_x must be a list, or a text with commas, but is {kind}."]


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (None, []),
        ("444455556666", ["444455556666"]),
        (444455556666, ["444455556666"]),
        (12345678, ["000012345678"]),
        ([12345678, "444455556666"], ["000012345678", "444455556666"]),
        ((444455556666,), ["444455556666"]),
        ("444455556666, 111122223333", ["444455556666", "111122223333"]),
    ],
)
def test_ids_of_accounts(value: Any, ids: list[str]) -> None:
    read = options(value)
    assert (read.account_ids("x"), read.problems) == (ids, [])


@pytest.mark.parametrize("value", ["4444", "44445555666x", [True], 4444555566667])
def test_what_is_no_account(value: Any) -> None:
    read = options(value)
    read.account_ids("x")
    assert len(read.problems) == 1


@pytest.mark.parametrize(
    ("value", "mapping"),
    [
        (None, {}),
        ("", {}),
        (" ", {}),
        ({}, {}),
        ({"a": " b ", 1: 2}, {"a": "b", "1": "2"}),
        (' {"a": "b"}', {"a": "b"}),
    ],
)
def test_a_mapping(value: Any, mapping: dict[str, str]) -> None:
    read = options(value)
    assert (read.mapping("x"), read.problems) == (mapping, [])


@pytest.mark.parametrize("value", ["a", "{", '["a"]', ["a"], 7, "{" * 5000])
def test_what_is_no_mapping(value: Any) -> None:
    read = options(value)
    assert read.mapping("x") == {}
    assert read.problems[0].startswith("cmk_x must be a map from region to key, but is ")


def test_a_mapping_of_something_else() -> None:
    read = options({"a": ["b"]})
    assert read.mapping("x") == {"a": ""}
    assert read.problems == ["cmk_x must be a text, but is ['b']."]


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a", "'a'"),
        ("x" * 78, f"'{'x' * 78}'"),
        ("x" * 79, f"'{'x' * 59}… (81 characters)"),
        ("a?b", "'a?b'"),
        ("a=b", "'a=b'"),
        ("a?b=c", "not shown here, since it may hold a secret"),
        ("me@host", "not shown here, since it may hold a secret"),
    ],
)
def test_a_value_in_a_message(value: str, quoted: str) -> None:
    assert shown(value) == quoted


@pytest.mark.parametrize(
    ("value", "empty"), [(None, True), ("", True), (" \n", True), ("a", False), (0, False), ([], False)]
)
def test_what_is_empty(value: Any, empty: bool) -> None:
    assert is_empty(value) is empty


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("10.0.0.1", False), ("", False),
     ("localhost.example.com", False)],
)  # fmt: skip
def test_this_machine(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours
