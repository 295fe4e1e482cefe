"""The parts of a run as they pass from task to task, and what they are before their step has run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import Access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, Use
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import KeyTrail, Trail


def test_nothing_is_decided_before_it_is() -> None:
    for decided in (Decided(), Decided.from_json({})):
        assert (decided.changes, decided.changes_trust, decided.announces, decided.notify) == (False, False, False, "")
    assert Decided.from_json({"changes": True, "announces": True}) == Decided(changes=True, announces=True)


def test_what_is_decided_passes_from_task_to_task() -> None:
    decided = Decided(
        begun=Journal(started_at="2026-11-24T03:00:00Z", is_damaged=True),
        earlier=Journal(started_at="2026-11-20T03:00:00Z"),
        targets=({"region": "us-east-1"},),
        announcement=Announcement(Journal(reference="cmk-restore/acme/0123456789ab"), enables=True),
        loss=AccessLoss(revoked_at="2026-11-20T08:15:00Z"),
        access=(Access("us-east-1", "arn", changed=True),),
        ticket=Ticket(told=True),
    )
    assert Decided.from_json(json.loads(json.dumps(decided.as_json()))) == decided


def test_nothing_is_seen_before_a_look() -> None:
    for seen in (Seen(), Seen.from_json({})):
        assert (seen.looks, seen.timed_out, seen.keys, seen.look) == (0, False, (), None)
    assert Seen.from_json({"looks": 3, "timed_out": True}) == Seen(looks=3, timed_out=True)
    use = Use("ap-northeast-1", "arn")
    assert (use.looked_up, use.is_first, use.first_use) == (False, False, None)


@pytest.mark.parametrize(
    ("answer", "complete"), [({}, False), ({"complete": False}, False), ({"complete": True}, True)]
)
def test_whether_everything_that_matters_was_read(answer: dict[str, Any], complete: bool) -> None:
    assert KeyTrail.from_json(answer).complete is complete
    assert Trail.from_json({"keys": [answer]}).is_complete is complete
    assert Trail().is_complete is False


@pytest.mark.parametrize(
    ("answer", "has_access"),
    [
        ({"policy": {}, "grants": []}, True),
        ({"policy": {}, "grants": None}, False),
        ({"policy": None, "grants": []}, False),
        ({}, False),
    ],
)
def test_grants_that_could_not_be_read_are_not_the_same_as_none(answer: dict[str, Any], has_access: bool) -> None:
    assert KeyTrail.from_json(answer).has_access is has_access


@pytest.mark.parametrize(("last", "at"), [(None, None), ({}, None), ({"revoked_at": "2026-11-20"}, "2026-11-20")])
def test_when_access_was_lost_the_last_time(last: dict[str, str] | None, at: str | None) -> None:
    assert KeyTrail.from_json({"last_revocation": last}).last_lost_at == at


def test_what_is_known_of_a_key() -> None:
    trail = Trail.from_json({"keys": [{"arn": ""}, {"arn": "a"}, {"arn": "b", "region": "us-east-1"}]})
    assert trail.of("b").region == "us-east-1"
    assert trail.of("c") == trail.of("") == trail.of(None) == KeyTrail()
