"""When a key was last used: GetKeyLastUsage in both info modules, and what they do where it is not to be had."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import Any

import boto3
import pytest
from botocore.stub import ANY

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import lookup as lookups
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import revocation_info, use_info
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_revocation_info, kms_key_use_info
from tests.unit.plugins.conversation import ACCOUNT, CREATED, OTHER_ACCOUNT, REGION, Clock, Fault, Talk, arn

KEY = arn()
SINCE, WHEN = "2026-11-24T03:00:09Z", dt.datetime(2026, 11, 24, 3, 0, 9, tzinfo=dt.UTC)
TRACKED = dt.datetime(2026, 4, 27, tzinfo=dt.UTC)
EVENT_ID = "6f0b2c1e-3a55-4d0e-9c3f-5f0e6a1b2c3d"
DENIED = Fault("AccessDeniedException", "User: arn is not authorized to perform: kms:GetKeyLastUsage")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    pace = functools.partial(lookups.Pace, sleep=clock.sleep, monotonic=clock.monotonic)
    for module in (use_info, revocation_info):
        monkeypatch.setattr(module, "Pace", pace)


@functools.cache
def _is_in_the_sdk() -> bool:
    return hasattr(boto3.client("kms", region_name=REGION), "get_key_last_usage")


def last_use(talk: Talk, answer: Fault | int | None) -> None:
    """Expect GetKeyLastUsage; the answer is the minute since ``SINCE`` of the last use, None for none, or a fault."""
    if not _is_in_the_sdk():
        pytest.skip("this botocore does not have GetKeyLastUsage, which a test of its own holds")
    use = {"Operation": "Decrypt", "CloudTrailEventId": EVENT_ID, "KmsRequestId": "r"}
    used = {} if answer is None else {**use, "Timestamp": moment(answer)} if isinstance(answer, int) else {}
    known = {
        "KeyId": KEY.rpartition("/")[2],
        "KeyLastUsage": used,
        "TrackingStartDate": TRACKED,
        "KeyCreationDate": CREATED,
    }
    talk.conversation("kms", REGION).expect(
        "GetKeyLastUsage", {"KeyId": KEY}, answer if isinstance(answer, Fault) else known
    )


def moment(minute: int) -> dt.datetime:
    return WHEN + dt.timedelta(minutes=minute)


def event(
    minute: int, account: str = OTHER_ACCOUNT, tag: str = "AcmeCMK", error: str = "", key: str = KEY
) -> dict[str, Any]:
    record = {
        "userIdentity": {"type": "AWSAccount", "accountId": account},
        "eventSource": "kms.amazonaws.com",
        "requestParameters": {"encryptionContext": {"tenant": tag}},
        **({"errorCode": error} if error else {}),
    }
    return {
        "EventId": EVENT_ID,
        "EventName": "Decrypt",
        "EventTime": moment(minute),
        "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": key}],
        "CloudTrailEvent": json.dumps(record),
    }


def by_id(talk: Talk, answer: list[dict[str, Any]] | Fault) -> None:
    wanted = {"LookupAttributes": [{"AttributeKey": "EventId", "AttributeValue": EVENT_ID}], "StartTime": WHEN}
    talk.conversation("cloudtrail", REGION).expect(
        "LookupEvents", wanted, answer if isinstance(answer, Fault) else {"Events": answer}
    )


def search(talk: Talk, *events: dict[str, Any]) -> None:
    wanted = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": KEY}], "StartTime": WHEN}
    talk.conversation("cloudtrail", REGION).expect("LookupEvents", {**wanted, "EndTime": ANY}, {"Events": list(events)})


def ask(talk: Talk) -> dict[str, Any]:
    keys = [{"key_arn": KEY, "since": SINCE}]
    (found,) = talk.run(kms_key_use_info, keys=keys, context_tag="AcmeCMK", ask_last_use=True).ok["keys"]
    return dict(found)


def test_one_lookup_by_its_id_proves_the_last_use(talk: Talk) -> None:
    last_use(talk, 9)
    by_id(talk, [event(9)])
    found = ask(talk)
    assert (found["first_use"]["event_id"], found["first_use"]["account_id"]) == (EVENT_ID, OTHER_ACCOUNT)
    assert (found["looked_up"], found["is_first"], found["reason"]) == (True, False, None)
    assert found["last_use"] == {
        "time": "2026-11-24T03:09:09Z",
        "operation": "Decrypt",
        "event_id": EVENT_ID,
        "tracked_since": "2026-04-27T00:00:00Z",
        "created_at": "2025-03-01T04:05:06Z",
    }


@pytest.mark.parametrize(
    "answer",
    [
        [],  # CloudTrail does not show it yet
        [event(9, ACCOUNT)],  # our own use
        [event(9, tag="OtherCMK")],
        [event(9, error="DisabledException")],
        [event(9, key=arn(key_id="0987dcba-09fe-87dc-65ba-ab0987654321"))],
        Fault("ThrottlingException"),
    ],
    ids=["late", "our own", "other tag", "failed", "other key", "throttled"],
)
def test_an_event_that_proves_nothing_leads_to_the_search(talk: Talk, answer: Any) -> None:
    last_use(talk, 9)
    by_id(talk, answer)
    search(talk, event(3))
    found = ask(talk)
    assert (found["first_use"]["time"], found["is_first"]) == ("2026-11-24T03:03:09Z", True)
    assert found["last_use"]["event_id"] == EVENT_ID


@pytest.mark.parametrize("answer", [None, -5, DENIED], ids=["never used", "used before", "denied"])
def test_without_a_use_since_then_cloudtrail_is_searched(talk: Talk, clock: Clock, answer: Any) -> None:
    last_use(talk, answer)
    search(talk)
    found = ask(talk)
    # The search is the only request.
    assert clock.sleeps == []
    assert (found["first_use"], found["looked_up"]) == (None, True)
    assert (found["last_use"] is None) is (answer is DENIED)


def test_a_boto3_that_does_not_know_it(talk: Talk) -> None:
    talk.fake(REGION, object())
    search(talk, event(3))
    found = ask(talk)
    assert (found["last_use"], found["first_use"]["time"]) == (None, "2026-11-24T03:03:09Z")


# --- The rehearsal


def health(talk: Talk, origin: str = "AWS_KMS", *events: dict[str, Any]) -> dict[str, Any]:
    identity = {"UserId": "AROAEXAMPLE:cmk-acme", "Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/operator"}
    talk.conversation("sts", REGION).expect("GetCallerIdentity", {}, identity)
    wanted = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": KEY}], "StartTime": ANY}
    talk.conversation("cloudtrail", REGION).expect("LookupEvents", wanted, {"Events": list(events)})
    keys = [{"key_arn": KEY, "origin": origin}]
    (found,) = talk.run(kms_key_revocation_info, keys=keys, read_health=True, context_tag="AcmeCMK").ok["keys"]
    return dict(found)


def test_it_is_read_for_a_rehearsal(talk: Talk) -> None:
    last_use(talk, 9)
    found = health(talk)
    assert (found["last_use"]["operation"], found["missing_material"], found["health_reason"]) == ("Decrypt", [], None)


def test_what_cannot_be_read_has_a_reason(talk: Talk) -> None:
    last_use(talk, DENIED)
    found = health(talk)
    assert found["last_use"] is None
    assert found["health_reason"] == "AWS refused GetKeyLastUsage."


def test_an_old_boto3_has_a_reason(talk: Talk) -> None:
    talk.fake(REGION, object())
    found = health(talk, "EXTERNAL")
    assert (found["last_use"], found["missing_material"]) == (None, None)
    assert found["health_reason"] == (
        "The installed boto3 does not support GetKeyLastUsage. The installed boto3 does not support ListKeyRotations."
    )


def test_imported_material_is_read_page_by_page(talk: Talk) -> None:
    def material(name: str, state: str, imported: str) -> dict[str, Any]:
        return {"KeyMaterialId": name.ljust(64, "0"), "KeyMaterialState": state, "ImportState": imported}

    last_use(talk, None)
    pages = [
        [material("a", "NON_CURRENT", "PENDING_IMPORT"), material("b", "CURRENT", "IMPORTED")],
        [material("c", "PENDING_ROTATION", "PENDING_IMPORT"), material("d", "CURRENT", "PENDING_IMPORT")],
    ]
    wanted: dict[str, str] = {"KeyId": KEY, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    tokens: list[dict[str, Any]] = [{"NextMarker": "2", "Truncated": True}, {"Truncated": False}]
    for page, token in zip(pages, tokens, strict=True):
        talk.conversation("kms", REGION).expect("ListKeyRotations", wanted, {"Rotations": page, **token})
        wanted = {**wanted, "Marker": "2"}
    assert health(talk, "EXTERNAL")["missing_material"] == ["a".ljust(64, "0"), "d".ljust(64, "0")]


@pytest.mark.parametrize(
    ("refused", "shows"),
    [
        (event(5, error="DisabledException"), True),
        (event(5, error="DisabledException", tag="OtherCMK"), False),
        (event(5, ACCOUNT, error="DisabledException"), False),
        (event(5, error="KMSInvalidStateException"), False),
        (event(5), False),
    ],
    ids=["the vendor's", "other tag", "our own", "other error", "success"],
)
def test_failing_calls_of_the_vendor(talk: Talk, refused: dict[str, Any], shows: bool) -> None:
    last_use(talk, None)
    found = health(talk, "AWS_KMS", refused)
    assert (found["refused_use"] is not None) is shows
    assert not shows or found["refused_use"]["time"] == "2026-11-24T03:05:09Z"
