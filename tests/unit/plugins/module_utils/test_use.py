"""What in CloudTrail proves that another account uses a key, and what does not."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.events import TrailEvent
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.use import (
    Marks,
    Use,
    foreign_use,
    proven_use,
    why_unused,
)
from tests.unit.plugins.conversation import ACCOUNT, OTHER_ACCOUNT, arn

KEY = arn()
WHEN = dt.datetime(2026, 11, 24, 9, 12, 40, tzinfo=dt.UTC)
SINCE = "2026-11-24T03:00:09Z"
OTHER = {"type": "AWSAccount", "principalId": "AROAEXAMPLE:session", "accountId": OTHER_ACCOUNT}


def event(name: str = "Decrypt", **record: Any) -> dict[str, Any]:
    """An event as LookupEvents answers it, in the form of the log entries in the AWS KMS Developer Guide."""
    usual = {
        "userIdentity": OTHER,
        "eventSource": "kms.amazonaws.com",
        "sourceIPAddress": "192.0.2.44",
        "requestParameters": {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": {"tenant": "AcmeCMK"}},
        "sharedEventID": "d7a1c2f4-3b6e-4d0f-9a58-0c1e2f3a4b5c",
    }
    when = WHEN.astimezone(dt.timezone(dt.timedelta(hours=-7)))
    return {"EventId": "e-1", "EventName": name, "EventTime": when, "CloudTrailEvent": json.dumps(usual | record)}


def proves(event: dict[str, Any], tag: str = "", accounts: Sequence[str] = ()) -> Use | None:
    return proven_use(TrailEvent.from_answer(event), KEY, Marks(tag, tuple(accounts)))


def foreign(event: dict[str, Any]) -> Use | None:
    return foreign_use(TrailEvent.from_answer(event), KEY)


def test_the_facts_of_a_use() -> None:
    found = proves(event(), "AcmeCMK")
    assert found
    assert asdict(found) == {
        "time": "2026-11-24T09:12:40Z",
        "name": "Decrypt",
        "account_id": OTHER_ACCOUNT,
        "source_ip": "192.0.2.44",
        "event_id": "e-1",
    }


# AWS KMS Developer Guide, "Logging AWS KMS API calls". Written down here once more, so that the rule is not its own judge.
@pytest.mark.parametrize(
    "name",
    [
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncrypt",
    ],
)
def test_every_cryptographic_operation_counts(name: str) -> None:
    assert proves(event(name), "AcmeCMK")


@pytest.mark.parametrize(
    "nothing",
    [
        event(userIdentity={"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/x", "accountId": ACCOUNT}),
        event(userIdentity={"type": "AWSService", "invokedBy": "s3.amazonaws.com"}),
        event(userIdentity={"type": "AWSAccount", "accountId": "anonymous"}),
        event(userIdentity=None),
        event(errorCode="DisabledException", errorMessage=f"{KEY} is disabled."),
        event(errorCode="AccessDenied"),
        event(eventSource="s3.amazonaws.com"),
        event("DescribeKey"),
        event("CreateGrant"),
        event("RetireGrant"),
        {**event(), "CloudTrailEvent": "no JSON"},
        {**event(), "CloudTrailEvent": "[]"},
    ],
    ids=[
        "our own account", "a service", "no account", "nobody", "disabled", "denied", "another service", "any key state",
        "a grant", "a grant's end", "no JSON", "a list",
    ],
)  # fmt: skip
def test_what_proves_nothing(nothing: dict[str, Any]) -> None:
    assert proves(nothing, "AcmeCMK", [OTHER_ACCOUNT, ACCOUNT]) is None
    assert foreign(nothing) is None


@pytest.mark.parametrize(
    ("parameters", "has"),
    [
        ({"encryptionContext": {"tenant": "AcmeCMK"}}, True),
        ({"encryptionContext": {"AcmeCMK": "x"}}, True),
        ({"encryptionContext": {"tenant": "site:AcmeCMK/42"}}, True),
        ({"encryptionContext": {"tenant": "AcmeCMK2"}}, False),
        ({"encryptionContext": {"tenant": "acmecmk"}}, False),
        ({"encryptionContext": {"tenant": "MyAcmeCMK"}}, False),
        ({"encryptionContext": {}}, False),
        ({"sourceEncryptionContext": {}, "destinationEncryptionContext": {"tenant": "AcmeCMK"}}, True),
        ({"sourceEncryptionContext": {"tenant": "AcmeCMK"}, "destinationEncryptionContext": {}}, True),
        ({"keyId": "AcmeCMK"}, False),
        (None, False),
    ],
)
def test_the_context_tag(parameters: dict[str, Any] | None, has: bool) -> None:
    found = event(requestParameters=parameters)
    assert (proves(found, "AcmeCMK") is not None) is has
    assert foreign(found) is not None


@pytest.mark.parametrize(
    ("tag", "accounts", "is_proof"),
    [
        ("", [], False),
        ("", [OTHER_ACCOUNT], True),
        ("", ["555566667777"], False),
        ("OtherCMK", [], False),
        ("OtherCMK", ["555566667777"], False),
        ("OtherCMK", [OTHER_ACCOUNT], True),
        ("AcmeCMK", [], True),
        ("AcmeCMK", ["555566667777"], True),
    ],
)
def test_only_a_use_that_is_identified_proves_anything(tag: str, accounts: list[str], is_proof: bool) -> None:
    assert proves(event(), tag, accounts) == (foreign(event()) if is_proof else None)


@pytest.mark.parametrize(
    ("tag", "accounts", "why"),
    [
        ("", [], "and no context tag is configured"),
        ("OtherCMK", [], "without OtherCMK in the encryption context"),
        ("", ["555566667777"], "which is not a named account"),
        ("OtherCMK", ["555566667777"], "without OtherCMK in the encryption context and not by a named account"),
    ],
)
def test_why_a_use_is_not_proof(tag: str, accounts: list[str], why: str) -> None:
    other = foreign(event())
    assert other
    assert why_unused([other], SINCE, Marks(tag, tuple(accounts)), is_all=True) == (
        f"used by account {OTHER_ACCOUNT} (Decrypt, last at 2026-11-24 09:12 UTC), {why}, so this is not proof."
    )


@pytest.mark.parametrize(
    ("marks", "is_any"), [(Marks(), False), (Marks("AcmeCMK"), True), (Marks(account_ids=(OTHER_ACCOUNT,)), True)]
)
def test_one_mark_is_enough(marks: Marks, is_any: bool) -> None:
    assert bool(marks) is is_any


def test_several_accounts_are_all_named() -> None:
    other = foreign(event())
    assert other
    others = [replace(other, account_id="777788889999", name="Encrypt"), other]
    assert why_unused(others, SINCE, Marks(), is_all=True).startswith(
        f"used by accounts {OTHER_ACCOUNT}, 777788889999 (Decrypt, last at"
    )


def test_why_none() -> None:
    assert why_unused([], SINCE, Marks(), is_all=True) == "no use by another account since 2026-11-24 03:00 UTC."
    assert "there are more events" in why_unused([], SINCE, Marks(), is_all=False)
