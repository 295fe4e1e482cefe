"""The AWS stand-in's GetKeyLastUsage and ListKeyRotations, by the AWS KMS API Reference."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import client
from tests.unit.standins.test_aws import ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION, plant, refusal

VENDOR = f"arn:aws:iam::{OTHER_ACCOUNT}:root"
TRACKED = dt.datetime(2026, 4, 27, tzinfo=dt.UTC)


def used(aws: AwsStandin, key: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Plant an event of the key; return CloudTrail's record."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=more.pop("hours", 2))
    event = {"region": REGION, "name": "Decrypt", "key": key["Arn"], "time": moment.isoformat(timespec="seconds")}
    (record,) = aws.control("POST", "events", {**event, **more})
    return dict(record)


def test_the_last_use_by_whomever(aws: AwsStandin, kms: Any) -> None:
    key = plant(aws, creation_date="2025-01-01")
    used(aws, key, hours=9)
    last = used(aws, key, user_arn=VENDOR, name="GenerateDataKey")
    for more in (
        {"error_code": "DisabledException", "user_arn": VENDOR},
        {"name": "DescribeKey"},
        {"name": "EnableKey"},
    ):
        used(aws, key, hours=1, **more)
    answer = kms.get_key_last_usage(KeyId=key["KeyId"])
    assert answer["KeyLastUsage"] == {
        "Operation": "GenerateDataKey",
        "Timestamp": dt.datetime.fromisoformat(last["eventTime"]),
        "CloudTrailEventId": last["eventID"],
        "KmsRequestId": last["requestID"],
    }
    assert (answer["TrackingStartDate"], answer["KeyCreationDate"].year) == (TRACKED, 2025)


def test_calls_that_were_really_made_count_and_are_late(aws: AwsStandin, kms: Any) -> None:
    key = plant(aws)
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")
    assert kms.get_key_last_usage(KeyId=key["Arn"])["KeyLastUsage"]["Operation"] == "Encrypt"
    aws.control("POST", "config", {"last_use_delay": 3600})
    assert kms.get_key_last_usage(KeyId=key["Arn"])["KeyLastUsage"] == {}


def test_what_was_before_tracking_or_creation_is_not_known(aws: AwsStandin, kms: Any) -> None:
    old, new = plant(aws, creation_date="2025-01-01"), plant(aws)
    for key in (old, new):
        used(aws, key, time="2026-04-26T23:00:00Z")
    answers = [kms.get_key_last_usage(KeyId=key["KeyId"]) for key in (old, new)]
    assert [answer["KeyLastUsage"] for answer in answers] == [{}, {}]
    assert answers[0]["TrackingStartDate"] == TRACKED
    assert answers[1]["TrackingStartDate"] == answers[1]["KeyCreationDate"]


def test_neither_by_alias_nor_across_accounts_nor_without_its_permission(aws: AwsStandin, kms: Any) -> None:
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    key = plant(aws, alias="alias/a", account=OTHER_ACCOUNT, policy=policy)
    assert refusal(kms.get_key_last_usage, KeyId="alias/a")[0] == "InvalidArnException"
    assert refusal(kms.get_key_last_usage, KeyId=key["Arn"])[0] == "AccessDeniedException"
    assert refusal(kms.list_key_rotations, KeyId=key["Arn"])[0] == "AccessDeniedException"
    ours = plant(aws)
    aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "kms:GetKeyPolicy"]})
    code, message = refusal(kms.get_key_last_usage, KeyId=ours["KeyId"])
    assert (code, "kms:GetKeyLastUsage" in message, ACCOUNT in message) == ("AccessDeniedException", True, True)


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_it_works_in_every_key_state(aws: AwsStandin, kms: Any, state: str) -> None:
    key = plant(aws, state=state, creation_date="2025-01-01")
    used(aws, key)
    assert kms.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]
    other = client(aws, region=OTHER_REGION)
    assert refusal(other.get_key_last_usage, KeyId=key["KeyId"])[0] == "NotFoundException"


def test_imported_material(aws: AwsStandin, kms: Any) -> None:
    materials = [
        {"state": "NON_CURRENT", "import": "PENDING_IMPORT"},
        {"state": "CURRENT", "import": "IMPORTED"},
    ]
    key = plant(aws, origin="EXTERNAL", valid_to="2027-01-02T03:04:05Z", materials=materials)
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (metadata["ExpirationModel"], metadata["ValidTo"].year) == ("KEY_MATERIAL_EXPIRES", 2027)
    both = kms.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL", Limit=1)
    assert (both["Truncated"], both["Rotations"][0]["ImportState"]) == (True, "PENDING_IMPORT")
    (rotated,) = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert (rotated["KeyMaterialState"], "RotationDate" in rotated) == ("CURRENT", True)
