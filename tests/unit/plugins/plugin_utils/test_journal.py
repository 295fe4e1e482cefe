"""What the controller remembers of an organization's last restoration."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, read_journal, write_journal

JOURNAL: t.Final = Journal(
    reference="cmk-restore/acme/0123456789ab",
    started_at="2026-11-24T03:00:00Z",
    changed_at="2026-11-24T03:00:00Z",
    ticket="CMK-1",
    states_before={"arn": "Disabled"},
    told={"by": "api", "at": "2026-11-24T03:00:10Z"},
    used_notes=("https://support.example.com/1",),
    previous_reference="cmk-restore/acme/ba9876543210",
)


@pytest.mark.parametrize("journal", [JOURNAL, Journal(started_at="2026-11-24T03:00:00Z")])
def test_it_is_read_as_it_was_written(journal: Journal) -> None:
    assert read_journal(write_journal(journal), "acme") == journal


def test_it_is_a_file_that_people_read() -> None:
    text = write_journal(JOURNAL)
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
    assert "is_damaged" not in json.loads(text)


@pytest.mark.parametrize("text", ["", " \n"])
def test_there_is_none(text: str) -> None:
    assert read_journal(text, "acme") is None


def _with(**changes: t.Any) -> str:
    return json.dumps({**JOURNAL.as_json(), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "unreadable",
        "[]",
        "[" * 5000,
        _with(reference="cmk-restore/other/0123456789ab"),
        _with(reference="cmk-restore/acme/0123"),
        _with(reference=1),
        _with(previous_reference=1),
        _with(ticket=None),
        _with(told="yes"),
        _with(mailed=[]),
        _with(states_before=None),
        _with(started_at=""),
        _with(restored_at=5),
        _with(changed_at=5),
        _with(previous_restored_at=5),
        _with(in_doubt="no"),
        _with(used_notes="x"),
        _with(used_notes=[1]),
    ],
)
def test_a_damaged_one_is_a_restoration_that_nobody_was_notified_of(text: str) -> None:
    assert read_journal(text, "acme") == Journal(is_damaged=True)
