"""Plain values for modules in Ansible's own process, and results without secrets."""

from __future__ import annotations

import datetime as dt
import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._plain import mask, to_plain


class Marked(str):
    """A text as Ansible marks it: unsafe, or with its origin."""

    __slots__ = ()


class Vaulted:
    """A secret as ansible-core before 2.19 holds it: read as a text, and a sequence too."""

    data = "opened"

    def __str__(self) -> str:
        return self.data

    def __iter__(self) -> Any:
        return iter(self.data)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": Marked("x"), "b": [Marked("{{ y }}")]}, {"a": "x", "b": ["{{ y }}"]}),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": None}), {"a": None}),
        ((1, 2.5, True), [1, 2.5, True]),
        ({"x"}, ["x"]),
        (Vaulted(), "opened"),
        (b"caf\xc3\xa9", "café"),
        (dt.date(2026, 11, 24), "2026-11-24"),
        (dt.datetime(2026, 11, 24, 3, 0, tzinfo=dt.UTC), "2026-11-24T03:00:00+00:00"),
    ],
)
def test_it_is_plain(value: Any, plain: Any) -> None:
    made = to_plain({"value": value})["value"]
    assert made == plain
    assert json.dumps(made) == json.dumps(plain)
    assert type(made) is type(plain)


SECRET, LONGER = "odd-Secret-7d1c", "odd-Secret-7d1c-and-more"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (SECRET, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"),
        (f"AWS says {SECRET} is wrong", "AWS says ******** is wrong"),
        (f"{LONGER}!", "********!"),
        ({"a": [{"b": (f"x{SECRET}",)}]}, {"a": [{"b": ["x********"]}]}),
        ({"a": 7, "b": None, "c": True}, {"a": 7, "b": None, "c": True}),
        ("nothing odd", "nothing odd"),
    ],
)
def test_no_text_holds_a_secret(value: Any, masked: Any) -> None:
    assert mask(value, {SECRET, LONGER}) == masked


def test_an_empty_secret_masks_nothing() -> None:
    assert mask({"a": "text"}, {""}) == {"a": "text"}
