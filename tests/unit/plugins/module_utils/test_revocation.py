"""From CloudTrail's events to the revocation: histories, and what is made of them."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import revocation as made
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.events import TrailEvent
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import (
    KEY_EVENTS,
    STORE_EVENTS,
    SUSPECTS,
    AccessEvent,
)
from tests.tools.losses import over_all
from tests.unit.plugins.conversation import ACCOUNT, OTHER_REGION, REGION, arn

START = dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)
USER = f"arn:aws:sts::{ACCOUNT}:assumed-role/security/operator"
FACTS = ("revoked_at", "revoked_by", "revoked_how", "event_id", "automation")
NOTHING: dict[str, Any] = dict.fromkeys(FACTS)


def found(name: str, minute: float = 0, error: str | None = None, **record: Any) -> dict[str, Any]:
    """An event as LookupEvents answers it through boto3; its id tells its name and minute."""
    moment = START + dt.timedelta(minutes=minute)
    record = {"userIdentity": {"arn": USER}, "sourceIPAddress": "192.0.2.7", **record}
    if error:
        record["errorCode"] = error
    return {
        "EventId": f"{name}-{minute:g}",
        "EventName": name,
        # boto3 gives the machine's own zone.
        "EventTime": moment.astimezone(dt.timezone(dt.timedelta(hours=-7))),
        "CloudTrailEvent": json.dumps(record),
    }


def at(minute: float) -> str:
    return (START + dt.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


def history(text: str) -> list[dict[str, Any]]:
    """Read `DisableKey 1, EnableKey 2 failed` (name, minute) as LookupEvents answers it: the newest first."""
    events = []
    for part in filter(None, text.split(", ")):
        name, minute, *failed = part.split()
        events.append(found(name, float(minute), "KMSInvalidStateException" if failed else None))
    return events[::-1]


def read(found: Iterable[dict[str, Any]], region: str) -> list[dict[str, Any]]:
    return [asdict(event) for event in made.read_access_events(map(TrailEvent.from_answer, found), region)]


def rebuilt(events: Iterable[dict[str, Any]]) -> list[AccessEvent]:
    return [AccessEvent(**event) for event in events]


def revocation(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return made.find_revocation(rebuilt(events)).as_result()


def concerns_store(event: dict[str, Any], store: str) -> bool:
    return made.concerns_store(TrailEvent.from_answer(event), store)


def of(text: str) -> dict[str, Any]:
    return revocation(read(history(text), REGION))


# history: the minute of the loss, how it was lost, the minute of its end; None for not lost, and for not ended
HISTORIES: list[tuple[str, int | None, str | None, int | None]] = [
    ("", None, None, None),
    ("EnableKey 1", None, None, None),
    ("DisableKey 1", 1, "DisableKey", None),
    ("DisableKey 1, EnableKey 2", 1, "DisableKey", 2),
    ("DisableKey 1, EnableKey 2, DisableKey 3", 3, "DisableKey", None),
    ("DisableKey 1, EnableKey 2, DisableKey 3, EnableKey 4", 3, "DisableKey", 4),
    # the first one of an uninterrupted loss counts
    ("DisableKey 1, DisableKey 2, DisableKey 3", 1, "DisableKey", None),
    ("DisableKey 1, DisableKey 2, EnableKey 3", 1, "DisableKey", 3),
    ("DisableKey 1, EnableKey 2, EnableKey 3", 1, "DisableKey", 2),
    ("DisableKey 1, ScheduleKeyDeletion 2", 1, "DisableKey", None),
    ("DisableKey 1, DeleteImportedKeyMaterial 2", 1, "DisableKey", None),
    # failed calls change nothing
    ("DisableKey 1 failed", None, None, None),
    ("DisableKey 1 failed, DisableKey 2", 2, "DisableKey", None),
    ("DisableKey 1, EnableKey 2 failed", 1, "DisableKey", None),
    ("DisableKey 1, EnableKey 2 failed, EnableKey 3", 1, "DisableKey", 3),
    ("ScheduleKeyDeletion 1, CancelKeyDeletion 2 failed, EnableKey 3 failed", 1, "ScheduleKeyDeletion", None),
    # a cancelled deletion leaves the key Disabled
    ("ScheduleKeyDeletion 1", 1, "ScheduleKeyDeletion", None),
    ("ScheduleKeyDeletion 1, CancelKeyDeletion 2", 1, "ScheduleKeyDeletion", None),
    ("ScheduleKeyDeletion 1, CancelKeyDeletion 2, EnableKey 3", 1, "ScheduleKeyDeletion", 3),
    ("ScheduleKeyDeletion 1, CancelKeyDeletion 2, ScheduleKeyDeletion 3", 1, "ScheduleKeyDeletion", None),
    ("DisableKey 1, ScheduleKeyDeletion 2, CancelKeyDeletion 3, EnableKey 4", 1, "DisableKey", 4),
    ("ScheduleKeyDeletion 1, EnableKey 2", 1, "ScheduleKeyDeletion", None),
    ("ScheduleKeyDeletion 1, EnableKey 2, CancelKeyDeletion 3", 1, "ScheduleKeyDeletion", None),
    # the loss before it is too old to be seen
    ("CancelKeyDeletion 1", None, None, None),
    ("CancelKeyDeletion 1, EnableKey 2", None, None, None),
    ("CancelKeyDeletion 1, EnableKey 2, DisableKey 3", 3, "DisableKey", None),
    # imported material
    ("DeleteImportedKeyMaterial 1", 1, "DeleteImportedKeyMaterial", None),
    ("DeleteImportedKeyMaterial 1, EnableKey 2", 1, "DeleteImportedKeyMaterial", None),
    ("DeleteImportedKeyMaterial 1, ImportKeyMaterial 2", 1, "DeleteImportedKeyMaterial", 2),
    ("DeleteExpiredKeyMaterial 1", 1, "DeleteExpiredKeyMaterial", None),
    ("DeleteExpiredKeyMaterial 1, ImportKeyMaterial 2", 1, "DeleteExpiredKeyMaterial", 2),
    ("DisableKey 1, DeleteImportedKeyMaterial 2, ImportKeyMaterial 3", 1, "DisableKey", None),
    ("DisableKey 1, DeleteImportedKeyMaterial 2, ImportKeyMaterial 3, EnableKey 4", 1, "DisableKey", 4),
    ("ImportKeyMaterial 1", None, None, None),
    # custom key stores
    ("DisconnectCustomKeyStore 1", 1, "DisconnectCustomKeyStore", None),
    ("DisconnectCustomKeyStore 1, EnableKey 2", 1, "DisconnectCustomKeyStore", None),
    ("DisconnectCustomKeyStore 1, ConnectCustomKeyStore 2", 1, "DisconnectCustomKeyStore", 2),
    ("DisableKey 1, DisconnectCustomKeyStore 2, EnableKey 3, ConnectCustomKeyStore 4", 1, "DisableKey", 4),
    # the end
    ("ScheduleKeyDeletion 1, DeleteKey 9", 1, "ScheduleKeyDeletion", None),
    ("DeleteKey 9, CancelKeyDeletion 10, EnableKey 11, ImportKeyMaterial 12", 9, "DeleteKey", None),
    # suspects prove nothing, and undo nothing
    ("PutKeyPolicy 1", None, None, None),
    ("RevokeGrant 1, RetireGrant 2, PutKeyPolicy 3", None, None, None),
    ("DisableKey 1, PutKeyPolicy 2", 1, "DisableKey", None),
    ("PutKeyPolicy 1, DisableKey 2, EnableKey 3", 2, "DisableKey", 3),
    ("DisableKey 1, EnableKey 2, PutKeyPolicy 3", 1, "DisableKey", 2),
    # of the same second
    ("DisableKey 1, EnableKey 1", 1, "DisableKey", 1),
    ("EnableKey 1, DisableKey 1", 1, "DisableKey", None),
    ("ScheduleKeyDeletion 1, CancelKeyDeletion 2, EnableKey 2", 1, "ScheduleKeyDeletion", 2),
    ("ScheduleKeyDeletion 1, EnableKey 2, CancelKeyDeletion 2", 1, "ScheduleKeyDeletion", 2),
    # what has nothing to do with it
    ("DisableKey 1, Decrypt 2 failed, DescribeKey 3, ListGrants 4, CreateGrant 5", 1, "DisableKey", None),
    ("EnableKeyRotation 1, DisableKeyRotation 2, TagResource 3", None, None, None),
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("EnableKey 2, CancelKeyDeletion 2", "CancelKeyDeletion EnableKey"),
        (
            "DisableKey 2, EnableKey 2, CancelKeyDeletion 2, DisableKey 2",
            "DisableKey CancelKeyDeletion EnableKey DisableKey",
        ),
        ("EnableKey 1, CancelKeyDeletion 2", "EnableKey CancelKeyDeletion"),
        ("EnableKey 2, DisableKey 2, CancelKeyDeletion 2", "EnableKey DisableKey CancelKeyDeletion"),
    ],
)
def test_the_order_of_events_of_the_same_second(text: str, names: str) -> None:
    assert " ".join(event["name"] for event in read(history(text), REGION)) == names


@pytest.mark.parametrize(("text", "lost", "how", "restored"), HISTORIES, ids=[row[0] or "none" for row in HISTORIES])
def test_histories(text: str, lost: int | None, how: str | None, restored: int | None) -> None:
    result = of(text)
    last = None
    if lost is not None:
        last = {"revoked_at": at(lost), "revoked_by": USER, "revoked_how": how, "event_id": f"{how}-{lost}"}
        last["automation"] = ""
    assert result["last_revocation"] == last
    assert result["restored_at"] == (None if restored is None else at(restored))
    assert {name: result[name] for name in FACTS} == (last if last and restored is None else NOTHING)


def test_every_event_has_a_history() -> None:
    named = {part.split()[0] for text, *_rest in HISTORIES for part in text.split(", ") if part}
    assert named >= {*KEY_EVENTS, *STORE_EVENTS}


def test_suspects_are_reported_whatever_else_there_is() -> None:
    result = of("PutKeyPolicy 1, DisableKey 2, RevokeGrant 3, RetireGrant 4 failed, EnableKey 5, RetireGrant 6")
    assert [(event["name"], event["time"]) for event in result["suspects"]] == [
        ("PutKeyPolicy", at(1)),
        ("RevokeGrant", at(3)),
        ("RetireGrant", at(6)),
    ]


def test_events_are_read() -> None:
    newest = found("EnableKey", 3, "AccessDenied")
    oldest = found("DisableKey", 1, sourceIPAddress="198.51.100.4")
    assert read([newest, found("Decrypt", 2), oldest], OTHER_REGION) == [
        {
            "time": "2026-11-20T08:01:00Z",
            "name": "DisableKey",
            "user_arn": USER,
            "source_ip": "198.51.100.4",
            "event_id": "DisableKey-1",
            "error_code": None,
            "region": OTHER_REGION,
            "automation": "",
        },
        {
            "time": "2026-11-20T08:03:00Z",
            "name": "EnableKey",
            "user_arn": USER,
            "source_ip": "192.0.2.7",
            "event_id": "EnableKey-3",
            "error_code": "AccessDenied",
            "region": OTHER_REGION,
            "automation": "",
        },
    ]


@pytest.mark.parametrize(
    ("who", "user_arn"),
    [
        ({"type": "IAMUser", "arn": USER}, USER),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, f"arn:aws:iam::{ACCOUNT}:root"),
        # As AWS KMS Developer Guide shows it for DeleteExpiredKeyMaterial and DeleteKey.
        ({"accountId": ACCOUNT, "invokedBy": "AWS Internal"}, "AWS Internal"),
        ({"type": "AWSAccount", "accountId": "444455556666"}, None),
        (None, None),
    ],
    ids=str,
)
def test_who_did_it(who: Any, user_arn: str | None) -> None:
    (event,) = read([found("DisableKey", userIdentity=who)], REGION)
    assert event["user_arn"] == user_arn


@pytest.mark.parametrize("record", [None, "", "not JSON", "[]", "{}"])
def test_an_event_without_a_readable_record(record: str | None) -> None:
    event = found("DisableKey") | {"CloudTrailEvent": record, "Username": "operator"}
    if record is None:
        del event["CloudTrailEvent"]
    result = revocation(read([event], REGION))
    assert (result["revoked_at"], result["revoked_by"]) == (at(0), "operator")
    assert not concerns_store(event, "cks-1234567890abcdef0")


def test_events_of_a_key_store_are_told_from_those_of_another() -> None:
    event = found("DisconnectCustomKeyStore", requestParameters={"customKeyStoreId": "cks-1234567890abcdef0"})
    assert concerns_store(event, "cks-1234567890abcdef0")
    assert not concerns_store(event, "cks-0fedcba0987654321")
    assert not concerns_store(found("DisconnectCustomKeyStore", requestParameters=None), "cks-1234567890abcdef0")


names = st.sampled_from([*KEY_EVENTS, *STORE_EVENTS, "Decrypt"])
texts = st.lists(st.tuples(names, st.integers(0, 50), st.sampled_from(["", " failed"])), max_size=12).map(
    lambda events: ", ".join(f"{name} {minute}{failed}" for name, minute, failed in events)
)


@given(texts)
def test_whatever_the_history(text: str) -> None:
    events = read(history(text), REGION)
    result = revocation(events)
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    taken = {event["event_id"] for event in events if not event["error_code"] and event["name"] not in SUSPECTS}
    assert result["event_id"] is None or result["event_id"] in taken
    last = result["last_revocation"]
    assert (last is None) <= (result["restored_at"] is None)
    if last and result["revoked_at"]:
        assert last == {name: result[name] for name in FACTS}
        assert result["restored_at"] is None
    elif last:
        assert last["revoked_at"] <= result["restored_at"]


@given(texts)
def test_failed_calls_and_suspects_decide_nothing(text: str) -> None:
    events = read(history(text), REGION)
    deciding = [event for event in events if not event["error_code"] and event["name"] not in SUSPECTS]
    assert revocation(deciding) | {"suspects": []} == revocation(events) | {"suspects": []}


@given(texts, st.randoms(use_true_random=False))
def test_the_order_of_the_answer_matters_only_within_a_second(text: str, chance: random.Random) -> None:
    events = history(text)
    by_minute: dict[Any, Any] = {event["EventTime"]: event for event in events}
    once = sorted(by_minute.values(), key=lambda event: str(event["EventTime"]), reverse=True)
    shuffled = once.copy()
    chance.shuffle(shuffled)
    assert read(shuffled, REGION) == read(once, REGION)


@pytest.mark.parametrize(
    ("text", "key_state", "reason"),
    [
        (
            "",
            "Disabled",
            "CloudTrail shows no loss of access in the last 90 days: it is older, not recorded, or too recent (CloudTrail "
            "shows an event only after up to 15 minutes).",
        ),
        (
            "PutKeyPolicy 1",
            None,
            "CloudTrail shows no loss of access in the last 90 days: it is older, not recorded, or too recent (CloudTrail "
            "shows an event only after up to 15 minutes).",
        ),
        ("", "Enabled", "The key is Enabled, and CloudTrail shows no loss of access in the last 90 days."),
        (
            "RevokeGrant 1, PutKeyPolicy 2",
            "Enabled",
            "The key is Enabled, and CloudTrail shows no loss of access in the last 90 days; the vendor may be locked out "
            "by the latest of its suspects, PutKeyPolicy at 2026-11-20T08:02:00Z.",
        ),
        (
            "DisableKey 1, EnableKey 2",
            "Enabled",
            "Access was lost at 2026-11-20 08:01 UTC (DisableKey) and came back at 2026-11-20 08:02 UTC.",
        ),
        (
            "DisableKey 1, EnableKey 2",
            None,
            "Access was lost at 2026-11-20 08:01 UTC (DisableKey) and came back at 2026-11-20 08:02 UTC.",
        ),
        (
            "DisableKey 1, EnableKey 2",
            "Disabled",
            "The key is Disabled, but the last loss that CloudTrail shows was undone at 2026-11-20T08:02:00Z: the present "
            "one is not recorded, or too recent (CloudTrail shows an event only after up to 15 minutes).",
        ),
    ],
)
def test_why_there_is_none(text: str, key_state: str | None, reason: str) -> None:
    assert made.why_none(made.find_revocation(rebuilt(read(history(text), REGION))), key_state, 90) == reason


def key(region: str, text: str, *, complete: bool = True) -> dict[str, Any]:
    return {"region": region, "arn": arn(region), "complete": complete, "events": read(history(text), region)}


@pytest.mark.parametrize(
    ("east", "west", "lost", "restored", "losses"),
    [
        ("", "", None, None, []),
        ("DisableKey 3", "", (3, 3), None, ["us-east-1:DisableKey-3"]),
        ("DisableKey 3", "DisableKey 5", (3, 5), None, ["us-east-1:DisableKey-3", "us-west-2:DisableKey-5"]),
        (
            "DisableKey 3, EnableKey 7",
            "DisableKey 5",
            (3, 5),
            None,
            ["us-east-1:DisableKey-3", "us-west-2:DisableKey-5"],
        ),
        (
            "DisableKey 3, EnableKey 7",
            "DisableKey 5, EnableKey 8",
            (3, 5),
            8,
            ["us-east-1:DisableKey-3", "us-west-2:DisableKey-5"],
        ),
        # a drill in both regions, and later one region is lost
        (
            "DisableKey 1, EnableKey 3, DisableKey 20",
            "DisableKey 1, EnableKey 3",
            (20, 20),
            None,
            ["us-east-1:DisableKey-20"],
        ),
        ("DisableKey 1, EnableKey 3", "DisableKey 4, EnableKey 6", (4, 4), 6, ["us-west-2:DisableKey-4"]),
        # who repairs a policy, or fails, begins no other loss
        ("DisableKey 1, DisableKey 2, PutKeyPolicy 3", "DisableKey 4 failed", (1, 1), None, ["us-east-1:DisableKey-1"]),
    ],
)
def test_the_last_loss_over_all_keys(
    east: str, west: str, lost: tuple[int, int] | None, restored: int | None, losses: list[str]
) -> None:
    keys = [(arn(one), rebuilt(read(history(text), one))) for one, text in ((REGION, east), (OTHER_REGION, west))]
    found = made.find_last_loss(keys)
    assert found == made.find_last_loss(keys[::-1])
    if lost is None:
        assert found is None
        return
    assert found
    assert (found.revoked_at, found.lost_at) == (at(lost[0]), at(lost[1]))
    assert found.restored_at == (None if restored is None else at(restored))
    assert list(found.event_ids) == losses


def test_identity_outlives_the_restoration() -> None:
    before = [key(REGION, "DisableKey 1"), key(OTHER_REGION, "DisableKey 2")]
    after = [key(REGION, "DisableKey 1, EnableKey 5"), key(OTHER_REGION, "DisableKey 2, EnableKey 5")]
    again = [key(REGION, "DisableKey 1, EnableKey 5, DisableKey 9"), after[1]]
    names = [over_all(keys)["identity"] for keys in (before, after, again)]
    assert names == ["us-east-1:DisableKey-1,us-west-2:DisableKey-2"] * 2 + ["us-east-1:DisableKey-9"]


def test_no_identity_without_a_loss_or_from_fewer_events_than_there_are() -> None:
    assert over_all([key(REGION, "")])["identity"] is None
    keys = [key(REGION, "DisableKey 1"), key(OTHER_REGION, "", complete=False)]
    assert over_all(keys)["identity"] is None
