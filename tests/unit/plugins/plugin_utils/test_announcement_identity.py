"""Which comment tells of which revocation, when CloudTrail names them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    announced,
    announcement,
    journal_text,
)

SETTINGS: t.Final = {"slug": "acme", "ticket": "CMK-1", "ticket_told": ""}
FIRST: t.Final = {"identity": "event-1", "lost_at": "2026-11-20T00:00:00Z"}
SECOND: t.Final = {"identity": "event-2", "lost_at": "2026-11-23T00:00:00Z"}
NOW: t.Final = "2026-11-24T03:00:00Z"


def _keys(*actions: str) -> list[dict[str, t.Any]]:
    before = "Disabled" if actions else "Enabled"
    regions = ("us-east-1", "us-west-2")
    return [{"region": region, "actions": list(actions), "key_state_before": before} for region in regions]


DISABLED: t.Final = _keys("EnableKey")
ENABLED: t.Final = _keys()


def _told(journal: dict[str, t.Any], at: str, **more: str) -> str:
    return journal_text({**journal, "told": {"by": "api", "at": at, **more}})


def _mention(journal: dict[str, t.Any], at: str) -> dict[str, str]:
    return {"reference": journal["reference"], "at": at, "comment_id": "1", "url": ""}


def test_two_controllers_name_the_same_revocation_alike() -> None:
    here = announcement(DISABLED, SETTINGS, "", NOW, FIRST)
    there = announcement(list(reversed(DISABLED)), SETTINGS, "", "2026-11-24T03:00:07Z", FIRST)
    assert here["reference"] == there["reference"]
    assert announced([_mention(here, "2026-11-24T03:00:05+0000")], there)


def test_another_revocation_has_another_name() -> None:
    first = announcement(DISABLED, SETTINGS, "", NOW, FIRST)
    second = announcement(DISABLED, SETTINGS, "", NOW, SECOND)
    assert first["reference"] != second["reference"]
    assert not announced([_mention(first, "2026-11-21T00:00:00+0000")], second)


def test_a_trail_that_is_late_does_not_silence_the_second_restoration() -> None:
    first = announcement(DISABLED, SETTINGS, "", "2026-11-24T02:50:00Z", FIRST)
    second = announcement(DISABLED, SETTINGS, _told(first, "2026-11-24T02:51:00Z"), NOW, FIRST)
    assert second["reference"] != first["reference"]
    assert not announced([_mention(first, "2026-11-24T02:51:00+0000")], second)


@pytest.mark.parametrize(
    ("told_at", "counts"),
    [
        ("2026-11-22T23:59:59+0000", False),
        ("2026-11-23T00:00:01+0000", True),
        ("2026-11-23T09:00:01+0900", True),
        ("", False),
    ],
    ids=["before the loss", "after it", "in another zone", "no time"],
)
def test_keys_enabled_by_hand_and_an_announcement_on_the_ticket(told_at: str, counts: bool) -> None:
    old = announcement(DISABLED, SETTINGS, "", NOW, FIRST)
    now = announcement(ENABLED, SETTINGS, "", NOW, SECOND)
    assert bool(announced([_mention(old, told_at)], now)) is counts


def test_a_journal_of_the_revocation_before_does_not_count_as_told() -> None:
    first = announcement(DISABLED, SETTINGS, "", "2026-11-21T00:00:00Z", FIRST)
    kept = _told(first, "2026-11-21T00:01:00Z")
    assert announcement(ENABLED, SETTINGS, kept, NOW, FIRST)["told"]
    again = announcement(ENABLED, SETTINGS, kept, NOW, SECOND)
    assert again["told"] is None
    assert again["reference"] != first["reference"]


@pytest.mark.parametrize(("note", "told"), [("by phone", False), ("by mail", True)])
def test_a_note_that_is_given_again_speaks_of_the_revocation_before(note: str, told: bool) -> None:
    first = announcement(DISABLED, SETTINGS, "", "2026-11-21T00:00:00Z", FIRST)
    kept = _told(first, "2026-11-21T00:01:00Z", note="by phone")
    again = announcement(ENABLED, {**SETTINGS, "ticket_told": note}, kept, NOW, SECOND)
    assert bool(again["told"]) is told


def test_a_restoration_that_was_not_told_keeps_its_name_when_the_trail_opens_later() -> None:
    first = announcement(DISABLED, SETTINGS, "", NOW, None)
    again = announcement(ENABLED, SETTINGS, journal_text(first), "2026-11-24T04:00:00Z", FIRST)
    assert again["reference"] == first["reference"]
