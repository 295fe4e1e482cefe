"""Text that others wrote, made safe for a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain, plain_lines

ACTS = [
    *("\x00", "\x07", "\x08", "\x1b", "\x7f", "\x85", "\x9b", "\r", "\v", "\f"),
    *("\u00ad", "\u200b", "\u202a", "\u202e", "\u2066", "\u2069", "\ufeff", "\U000e0041"),
    *("\u2028", "\u2029", "\ud800", "\ue000", "\U0010fffd", "\uffff"),
]


@pytest.mark.parametrize("sign", ACTS, ids=ascii)
def test_what_a_terminal_acts_on_becomes_a_blank(sign: str) -> None:
    assert plain(f"a{sign}b") == "a b"
    assert plain_lines(f"a{sign}b\nc") == "a b\nc"


@pytest.mark.parametrize("sign", ["\n", "\t"], ids=ascii)
def test_line_ends_and_tabs_stay_only_where_there_are_lines(sign: str) -> None:
    assert plain(f"a{sign}b") == "a b"
    assert plain_lines(f"a{sign}b") == f"a{sign}b"


def test_line_ends_of_others() -> None:
    assert plain_lines("a\r\nb\rc") == "a\nb c"


@pytest.mark.parametrize("text", ["", "Zürich 鍵 100 % – «quoted» 🔑", "a\xa0b\u3000c", "e\u0301"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert (plain(text), plain_lines(text)) == (text, text)


@given(st.text(alphabet=st.characters()))
def test_any_text(text: str) -> None:
    assert len(plain(text)) == len(text)
    assert plain(text).splitlines() in ([plain(text)], [])
    assert all(unicodedata.category(sign)[0] != "C" for sign in plain(text))
    assert plain(plain(text)) == plain(text)
    assert all(unicodedata.category(sign)[0] != "C" or sign in "\n\t" for sign in plain_lines(text))
