"""What a person may give as cmk_ticket_told."""

from __future__ import annotations

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import (
    Note,
    is_web_address,
    parse_note,
    why_too_early,
)

NOW = "2026-11-24T04:00:00Z"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T03:30:00Z", "2026-11-24T03:30:00Z"),
        ("2026-11-24t03:30:00z", "2026-11-24T03:30:00Z"),
        ("2026-11-24 04:30+01:00", "2026-11-24T03:30:00Z"),
        ("20261124T033000Z", "2026-11-24T03:30:00Z"),
        # A person's clock may be five minutes ahead.
        ("2026-11-24T04:05:00Z", "2026-11-24T04:05:00Z"),
    ],
)
def test_a_time(text: str, at: str) -> None:
    assert parse_note(text, NOW) == Note(text, at)
    assert Note(text, at).url == ""


def test_a_time_in_the_future() -> None:
    said = parse_note("2026-11-24T04:05:01Z", NOW)
    assert isinstance(said, str)
    assert said.startswith(f"is 2026-11-24T04:05:01Z, which is in the future (it is {NOW} now). Give the time")


@pytest.mark.parametrize("text", ["2026-11-24", "20261124", "2026", "yes", "CMK-1", "2026-11-24X03:30:00Z"])
def test_neither(text: str) -> None:
    assert str(parse_note(text, NOW)).startswith("is neither a time nor a URL.")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://support.example.com/browse/CMK-1?focusedCommentId=7#x", True),
        ("http://support.example.com:8080", True),
        ("HTTPS://[2001:db8::1]/CMK-1", True),
        ("https://", False),
        ("https:///CMK-1", False),
        ("https://support.example.com:port/", False),
        ("https://[::1/CMK-1", False),
        ("https://me@support.example.com/CMK-1", False),
        ("https://support.example.com/a b", False),
        ("https://support.example.com/<b>", False),
        ('https://support.example.com/"', False),
        ("https://support.example.com/\\", False),
        ("ftp://support.example.com/CMK-1", False),
        ("support.example.com/CMK-1", False),
    ],
)
def test_a_url(text: str, is_one: bool) -> None:
    assert is_web_address(text) is is_one
    note = parse_note(text, NOW)
    assert isinstance(note, Note) is is_one
    if isinstance(note, Note):
        assert (note.at, note.url) == (None, text)


@pytest.mark.parametrize(
    ("at", "usable_since", "is_early"),
    [
        ("2026-11-24T03:00:00Z", "2026-11-24T03:00:03Z", True),
        ("2026-11-24T03:00:00Z", "2026-11-24T03:00:02Z", False),  # rounding
        ("2026-11-24T03:00:00Z", None, False),
        (None, "2026-11-24T03:00:03Z", False),
    ],
)
def test_a_note_of_before_the_keys_were_usable(at: str | None, usable_since: str | None, is_early: bool) -> None:
    said = why_too_early(Note("x", at), usable_since)
    assert said.startswith(f"is {at}, but the keys have been usable only since {usable_since}.") is is_early
    assert bool(said) is is_early
