"""What a verification says of each thing that it has checked."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import (
    Reply,
    check_keys,
    check_sites,
    check_ticket,
    check_use,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, Use
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import Site

from .test_verification import ARN, BACK, DOWN, TOLD, key, lost_key, verified

FIRST: t.Final = {"time": TOLD, "name": "Decrypt", "account_id": "444455556666", "event_id": "e"}
LAST: t.Final = {"time": TOLD, "operation": "Decrypt", "event_id": "e"}
LATE, LATER = "CloudTrail is up to 15 minutes late", ", and AWS's record of the last use up to an hour."
NOBODY, SOMEBODY = (
    "AWS records no use by anybody since then.",
    "AWS records the last use at 2026-11-24 03:00 UTC (Decrypt), without naming the account.",
)


def use(**more: t.Any) -> Use:
    return Use("r", ARN, **{"since": BACK, "looked_up": True, "reason": "no use.", **more})


@pytest.mark.parametrize(
    ("uses", "outcome", "says"),
    [
        ([use(first_use=FIRST)], "good", "r: Decrypt by account 444455556666, at the latest at 2026-11-24 03:00 UTC."),
        (
            [use(first_use=FIRST, is_first=True, last_use=LAST)],
            "good",
            "r: Decrypt by account 444455556666, first at 2026-11-24 03:00 UTC (the last use that AWS records, by its event).",
        ),
        (
            [use(first_use=FIRST, is_first=True, last_use={**LAST, "event_id": "f"})],
            "good",
            "r: Decrypt by account 444455556666, first at 2026-11-24 03:00 UTC.",
        ),
        ([use()], "open", f"r: no use. {LATE}."),
        ([use()], "unknown", "r: no use."),
        ([use(last_use=LAST)], "open", f"r: no use. {SOMEBODY} {LATE}{LATER}"),
        ([use(), use(last_use=LAST)], "open", f"r: no use. r: no use. {SOMEBODY} {LATE}{LATER}"),
        ([use(last_use={**LAST, "time": BACK})], "unknown", f"r: no use. {SOMEBODY}"),
        ([use(last_use={**LAST, "time": "2026-11-24T03:00:04Z"})], "unknown", f"r: no use. {NOBODY}"),
        ([use(last_use={**LAST, "time": None})], "unknown", f"r: no use. {NOBODY}"),
        # Without a beginning, whenever it was used last is told.
        ([use(since=None, last_use={**LAST, "time": TOLD})], "unknown", f"r: no use. {SOMEBODY}"),
        ([], "unknown", "No key was read."),
    ],
)
def test_what_is_said_of_the_use(uses: list[Use], outcome: str, says: str) -> None:
    assert check_use(uses, outcome) == (outcome, says)


@pytest.mark.parametrize(
    ("keys", "outcome", "says"),
    [
        ([], "unknown", "No key was read."),
        ([key(), key(region="r")], "good", "2 of 2 enabled: ap-northeast-1, r."),
        ([key(), key(region="r", error="Not read.", hint="Look.")], "bad", "r: Not read. Look."),
        ([key(region="r", error="Not read.")], "bad", "r: Not read."),
    ],
)
def test_what_is_said_of_the_keys(keys: list[dict[str, t.Any]], outcome: str, says: str) -> None:
    assert check_keys(Run(plan=Keys.from_json({"keys": keys}))) == (outcome, says)


def test_a_long_identity_is_cut() -> None:
    keys, lost = [key(key_state_before="Disabled")], lost_key(revoked_by="a" * 500)
    reason = verified(keys=keys, revocation={"keys": [lost]}, look={})["verification"]["reason"]
    assert re.findall("a{9,}", reason) == ["a" * 159]


ANSWER: t.Final = Reply("Priya", "Begun.", "", "2026-11-24T09:00:00Z", automatic=False)
NOTIFIED: t.Final = "Atlassian was notified at 2026-11-24 03:00 UTC"
BLIND: t.Final = "The ticket cannot be read without an API: read it in the support portal."
OPEN: t.Final = {"ok": True, "status": "Open"}


@pytest.mark.parametrize(
    ("ticket", "look", "reply", "outcome", "says"),
    [
        ({"told": True, "at": TOLD}, None, None, "unknown", f"{NOTIFIED}. {BLIND}"),
        ({"told": True, "at": ""}, None, None, "unknown", f"Atlassian was notified at an unknown time. {BLIND}"),
        ({}, None, None, "bad", f"No notification of Atlassian is known. {BLIND}"),
        ({"told": True, "at": TOLD, **DOWN}, DOWN, None, "unknown", f"{NOTIFIED}. The support desk failed. Run again."),
        ({"told": True, "at": TOLD}, OPEN, None, "open", f"Status Open. {NOTIFIED}; no answer yet."),
        ({}, OPEN, None, "bad", "Status Open. No notification of Atlassian is known."),
        (
            {"told": True, "at": TOLD},
            OPEN,
            ANSWER,
            "good",
            f'Status Open. {NOTIFIED}; Priya answered at 2026-11-24 09:00 UTC: "Begun."',
        ),
    ],
)
def test_what_is_said_of_the_ticket(
    ticket: dict[str, t.Any], look: dict[str, t.Any] | None, reply: Reply | None, outcome: str, says: str
) -> None:
    run = Run(noted=Ticket.from_json(ticket), seen=Seen(look=Look.from_json(look) if look else None))
    assert check_ticket(run, reply) == (outcome, says)


UP, AWAY = Site("a", 200, True, "answers 200"), Site("b", 503, False, "answers 503 where 200 is expected")


@pytest.mark.parametrize(
    ("sites", "outcome", "says"),
    [
        ([], "unknown", "cmk_sites names no site."),
        ([UP], "good", "a answers 200."),
        ([UP, AWAY], "open", "a answers 200, b answers 503 where 200 is expected."),
    ],
)
def test_what_is_said_of_the_sites(sites: list[Site], outcome: str, says: str) -> None:
    assert check_sites(sites) == (outcome, says)


@pytest.mark.parametrize(
    ("outcome", "kept"), [*((one, one) for one in ("good", "open", "bad", "unknown")), ("odd", "unknown")]
)
def test_the_evidence_keeps_the_outcome(outcome: str, kept: str) -> None:
    verification = {"checks": [{"check": "keys", "outcome": outcome}]}
    found: t.Any = evidence({"entry_point": "verify", "verification": verification})
    assert found["verification"]["checks"][0]["outcome"] == kept
