"""The role's variables as Ansible has them: each by itself, misspelt ones named, exact names before patterns."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import (
    find_misspelt,
    host_pattern,
    read_confirmation,
    read_each,
)

DOCUMENTED = ("cmk_cancel_deletion", "cmk_ticket", "cmk_ticket_url", "cmk_regions", "cmk_key", "cmk_keys", "cmk_sites")


class BrokenError(Exception):
    """What a template that cannot be filled in raises."""


def template(value: Any) -> Any:
    if value == "broken":
        raise BrokenError("'nope' is\nundefined\x1b[2J.")
    return value


class TestRead:
    def test_one_that_cannot_be_read_stops_no_other(self) -> None:
        values, problems = read_each(("a", "b", "c"), {"a": 1, "b": "broken", "c": 3}, template, BrokenError)
        assert values == {"a": 1, "b": None, "c": 3}
        assert problems == ["b cannot be read: 'nope' is undefined [2J. Correct it where it is set, then run again."]

    def test_all_that_cannot_be_read_are_named(self) -> None:
        _values, problems = read_each(("a", "b"), {"a": "broken", "b": "broken"}, template, BrokenError)
        assert [problem.split()[0] for problem in problems] == ["a", "b"]

    def test_what_is_not_set_is_none(self) -> None:
        assert read_each(("a",), {}, template, BrokenError) == ({"a": None}, [])

    def test_other_errors_are_not_hidden(self) -> None:
        def fails(_value: Any) -> Any:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            read_each(("a",), {"a": 1}, fails, BrokenError)

    def test_a_long_reason_is_cut(self) -> None:
        def fails(_value: Any) -> Any:
            raise BrokenError("x" * 10_000)

        (problem,) = read_each(("a",), {"a": 1}, fails, BrokenError)[1]
        assert len(problem) < 400


class TestMisspelt:
    @pytest.mark.parametrize(
        ("name", "nearest"),
        [
            ("cmk_cancel_deletoin", "cmk_cancel_deletion"),
            ("cmk_canceldeletion", "cmk_cancel_deletion"),
            ("cmk_tiket", "cmk_ticket"),
            ("cmk_region", "cmk_regions"),
            ("cmk_ticketurl", "cmk_ticket_url"),
        ],
    )
    def test_the_nearest_is_named(self, name: str, nearest: str) -> None:
        (warning,) = find_misspelt((name, "cmk_key"), DOCUMENTED, ())
        assert warning == f"{name} is no variable of this collection. Did you mean {nearest}?"

    @pytest.mark.parametrize(
        "name", ["cmk_owner", "cmk_team", "cmk_ticket", "acme_tiket", "tiket", "cmk_", "__cmk_tiket"]
    )
    def test_nothing_is_said_of_other_variables(self, name: str) -> None:
        assert find_misspelt((name,), DOCUMENTED, ()) == []

    def test_nothing_is_said_of_what_the_role_itself_uses(self) -> None:
        assert find_misspelt(("cmk_ticket_now", "cmk_tickets"), DOCUMENTED, ("cmk_tickets", "cmk_ticket_now")) == []


class TestTyped:
    @pytest.mark.parametrize(
        ("extra", "confirmation"),
        [
            ({}, ""),
            ({"confirm": "acme"}, "acme"),
            ({"cmk_confirm": "acme"}, "acme"),
            ({"cmk_confirm": "acme", "confirm": "globex"}, "acme"),
            ({"confirm": "{{ org }}"}, "{{ org }}"),
            ({"org": "acme"}, ""),
        ],
    )
    def test_it_is_among_the_extra_variables(self, extra: dict[str, Any], confirmation: str) -> None:
        assert read_confirmation(extra) == confirmation


class TestHostPattern:
    @pytest.mark.parametrize("name", ["acme", "all", "a*", "acme,globex", "~x", "!acme", "Acme GmbH", ""])
    def test_what_is_no_host_is_a_pattern(self, name: str) -> None:
        assert host_pattern(name, ("globex",)) == name

    def test_plain_names_stay(self) -> None:
        assert host_pattern("acme-1.example", ("acme-1.example",)) == "acme-1.example"

    @given(st.text(min_size=1, max_size=30))
    def test_an_exact_name_matches_itself_alone_and_is_never_split(self, name: str) -> None:
        pattern = host_pattern(name, (name,))
        if pattern != name:
            assert re.match(pattern[1:], name)
            assert not re.match(pattern[1:], f"{name}x")
            assert not re.match(pattern[1:], f"x{name}")
            assert not re.search(r"[\s:,\[\]]", pattern)
