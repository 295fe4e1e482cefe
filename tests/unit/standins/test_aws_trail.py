"""The AWS stand-in's CloudTrail: who did what, as CloudTrail would answer it."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import ACCESS_KEY, client

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION, OTHER_REGION = "us-east-1", "us-west-2"
ALIAS = "alias/atlassian-cmk"


def lookup(aws: AwsStandin, *, region: str = REGION, **params: Any) -> dict[str, Any]:
    """One LookupEvents call; `Key="value"` pairs of lookup attributes may be given as keyword arguments."""
    attributes = [
        {"AttributeKey": key, "AttributeValue": params.pop(key)}
        for key in ("ResourceName", "EventName", "EventSource", "EventId", "ReadOnly", "Username", "AccessKeyId")
        if key in params
    ]
    if attributes:
        params["LookupAttributes"] = attributes
    answer: dict[str, Any] = client(aws, "cloudtrail", region).lookup_events(**params)
    return answer


def names(answer: dict[str, Any]) -> list[str]:
    return [event["EventName"] for event in answer["Events"]]


def refusal(aws: AwsStandin, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        lookup(aws, **params)
    return str(caught.value.response["Error"]["Code"])


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def plant_events(aws: AwsStandin, count: int) -> None:
    events = [{"region": REGION, "time": ago(hours=n), "name": f"Event{n}"} for n in range(1, count + 1)]
    aws.control("POST", "events", events)


def test_change_is_logged_as_cloudtrail_logs_it(aws: AwsStandin, kms: Any) -> None:
    key = aws.control("POST", "keys", {"region": REGION})
    kms.disable_key(KeyId=key["KeyId"])
    (event,) = lookup(aws, ResourceName=key["Arn"])["Events"]
    assert (event["EventName"], event["ReadOnly"], event["EventSource"]) == ("DisableKey", "false", "kms.amazonaws.com")
    assert (event["Username"], event["AccessKeyId"]) == ("standin", ACCESS_KEY)
    assert event["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": key["Arn"]}]
    assert abs((datetime.now(UTC) - event["EventTime"]).total_seconds()) < 5

    record = json.loads(event["CloudTrailEvent"])
    assert record["userIdentity"] | {"principalId": "any"} == {
        "type": "IAMUser",
        "principalId": "any",
        "arn": f"arn:aws:iam::{ACCOUNT}:user/standin",
        "accountId": ACCOUNT,
        "accessKeyId": ACCESS_KEY,
        "userName": "standin",
    }
    assert record["eventTime"] == event["EventTime"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert record["requestParameters"] == {"keyId": key["KeyId"]}
    assert record["responseElements"] == {"keyId": key["Arn"]}
    assert record["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}]
    assert (record["eventID"], record["readOnly"], record["awsRegion"]) == (event["EventId"], False, REGION)
    assert (record["eventType"], record["managementEvent"]) == ("AwsApiCall", True)
    assert (record["recipientAccountId"], record["sourceIPAddress"]) == (ACCOUNT, "127.0.0.1")
    assert "Boto3" in record["userAgent"]
    assert "errorCode" not in record


def test_reads_and_failures_are_logged_too(aws: AwsStandin, kms: Any) -> None:
    key = aws.control("POST", "keys", {"region": REGION, "state": "PendingDeletion"})
    kms.describe_key(KeyId=key["KeyId"])
    with pytest.raises(ClientError):
        kms.enable_key(KeyId=key["KeyId"])
    failed, read = lookup(aws, EventSource="kms.amazonaws.com")["Events"]
    assert (read["EventName"], read["ReadOnly"]) == ("DescribeKey", "true")
    record = json.loads(failed["CloudTrailEvent"])
    assert record["errorCode"] == "KMSInvalidStateException"
    assert record["errorMessage"] == f"{key['Arn']} is pending deletion."
    assert record["responseElements"] is None
    assert json.loads(read["CloudTrailEvent"])["responseElements"] is None


def test_denied_call_is_access_denied_in_the_log(aws: AwsStandin, kms: Any) -> None:
    aws.control("POST", "faults", {"error": "AccessDeniedException"})
    with pytest.raises(ClientError):
        kms.list_keys()
    (event,) = lookup(aws, EventName="ListKeys")["Events"]
    assert json.loads(event["CloudTrailEvent"])["errorCode"] == "AccessDenied"


def test_deletion_and_secrets(aws: AwsStandin, kms: Any) -> None:
    key_id = aws.control("POST", "keys", {"region": REGION})["KeyId"]
    kms.encrypt(KeyId=key_id, Plaintext=b"top secret", EncryptionContext={"CMK": "AcmeCMK"})
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    deletion, encrypt = (json.loads(event["CloudTrailEvent"]) for event in lookup(aws)["Events"])
    assert encrypt["requestParameters"] == {"keyId": key_id, "encryptionContext": {"CMK": "AcmeCMK"}}
    assert encrypt["readOnly"] is True
    assert deletion["responseElements"]["keyState"] == "PendingDeletion"
    assert deletion["responseElements"]["pendingWindowInDays"] == 7


def test_call_that_never_arrived_is_not_logged(aws: AwsStandin, kms: Any) -> None:
    key_id = aws.control("POST", "keys", {"region": REGION})["KeyId"]
    aws.control("POST", "faults", [{"drop": "before"}, {"drop": "after"}])
    for _time in range(2):
        with pytest.raises(ConnectionClosedError):
            kms.disable_key(KeyId=key_id)
    assert names(lookup(aws)) == ["DisableKey"]


def test_assumed_role(aws: AwsStandin) -> None:
    aws.control("POST", "roles", {"arn": f"arn:aws:iam::{ACCOUNT}:role/restore"})
    role = client(aws, "sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/restore", RoleSessionName="drill")
    credentials = role["Credentials"]
    aws.control("POST", "keys", {"region": REGION, "alias": ALIAS})
    kms = client(aws, access_key=credentials["AccessKeyId"], session_token=credentials["SessionToken"])
    kms.describe_key(KeyId=ALIAS)
    (event,) = lookup(aws, Username="drill")["Events"]
    identity = json.loads(event["CloudTrailEvent"])["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "restore"
    assert lookup(aws, AccessKeyId=credentials["AccessKeyId"])["Events"] == [event]


@pytest.mark.parametrize("key", ["EventName", "EventSource", "ReadOnly", "Username", "EventId"])
def test_one_attribute_selects(aws: AwsStandin, key: str) -> None:
    planted = [
        {"region": REGION, "time": ago(days=3), "name": "DisableKey", "user_arn": f"arn:aws:iam::{ACCOUNT}:user/one"},
        {"region": REGION, "time": ago(days=2), "name": "ListUsers", "service": "iam"},
    ]
    first, _second = aws.control("POST", "events", planted)
    values = {"EventName": "DisableKey", "EventSource": "kms.amazonaws.com", "ReadOnly": "false", "Username": "one"}
    assert names(lookup(aws, **{key: values.get(key, first["eventID"])})) == ["DisableKey"]


def test_planted_revocation(aws: AwsStandin) -> None:
    key = aws.control("POST", "keys", {"region": REGION, "alias": ALIAS, "state": "Disabled"})
    when = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
    spec = {"region": REGION, "time": when.isoformat(), "name": "DisableKey", "key": ALIAS, "source_ip": "192.0.2.7"}
    aws.control("POST", "events", {**spec, "user_arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/someone"})
    (event,) = lookup(aws, ResourceName=key["Arn"])["Events"]
    assert (event["EventTime"], event["Username"]) == (when, "someone")
    record = json.loads(event["CloudTrailEvent"])
    assert (record["sourceIPAddress"], record["responseElements"]) == ("192.0.2.7", {"keyId": key["Arn"]})
    assert lookup(aws, region=OTHER_REGION)["Events"] == []


def test_use_of_the_key_by_another_account(aws: AwsStandin) -> None:
    key = aws.control("POST", "keys", {"region": REGION})
    spec = {
        "region": REGION,
        "time": ago(hours=1),
        "name": "Decrypt",
        "key": key["KeyId"],
        "user_arn": f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/vendor/worker",
        "request_parameters": {"encryptionContext": {"Tag": "AcmeCMK"}},
    }
    aws.control("POST", "events", spec)
    (event,) = lookup(aws, ResourceName=key["Arn"])["Events"]
    record = json.loads(event["CloudTrailEvent"])
    assert record["userIdentity"] | {"principalId": "any"} == {
        "type": "AWSAccount",
        "principalId": "any",
        "accountId": OTHER_ACCOUNT,
    }
    assert record["requestParameters"] == {"encryptionContext": {"Tag": "AcmeCMK"}}
    assert re.fullmatch(r"[0-9a-f-]{36}", record["sharedEventID"])
    assert (record["recipientAccountId"], record["resources"][0]["accountId"]) == (ACCOUNT, ACCOUNT)
    assert "Username" not in event


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Decrypt", {"encryptionAlgorithm", "encryptionContext"}),
        ("Encrypt", {"encryptionAlgorithm", "encryptionContext", "keyId"}),
        ("GenerateDataKey", {"encryptionContext", "keyId", "keySpec"}),
        ("GenerateDataKeyWithoutPlaintext", {"encryptionContext", "keyId", "keySpec"}),
        (
            "ReEncrypt",
            {
                "destinationEncryptionAlgorithm", "destinationEncryptionContext", "destinationKeyId",
                "sourceEncryptionAlgorithm", "sourceEncryptionContext",
            },
        ),
    ],
)  # fmt: skip
def test_the_parameters_of_a_use_are_those_that_kms_logs(aws: AwsStandin, name: str, parameters: set[str]) -> None:
    aws.control("POST", "keys", {"region": REGION, "alias": ALIAS})
    use = {"region": REGION, "time": ago(hours=1), "name": name, "key": ALIAS, "encryption_context": {"Tag": "AcmeCMK"}}
    (record,) = [aws.control("POST", "events", use)[0]]
    assert set(record["requestParameters"]) == parameters
    assert "sharedEventID" not in record


@pytest.mark.parametrize(
    "wrong",
    [
        {"error_code": "AccessDenied", "user_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:root"},
        {"name": "DescribeKey", "encryption_context": {"Tag": "AcmeCMK"}},
        {"encryption_context": {"Tag": "AcmeCMK"}, "request_parameters": {}},
        {"encryption_context": "AcmeCMK"},
    ],
)
def test_what_kms_never_logs_cannot_be_planted(aws: AwsStandin, wrong: dict[str, Any]) -> None:
    with pytest.raises(HTTPError):
        aws.control("POST", "events", {"region": REGION, "time": ago(hours=1), "name": "Decrypt", **wrong})


def test_call_across_accounts_is_logged_in_both_unless_denied(aws: AwsStandin, kms: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:DescribeKey", "Resource": "*"}
    spec = {"region": REGION, "account": OTHER_ACCOUNT, "policy": {"Statement": [statement]}}
    arn = aws.control("POST", "keys", spec)["Arn"]
    kms.describe_key(KeyId=arn)
    with pytest.raises(ClientError):
        kms.get_public_key(KeyId=arn)
    access_key = "AKIASTANDINEXAMPLE44"
    aws.control("POST", "principals", {"access_key": access_key, "account": OTHER_ACCOUNT})
    theirs = client(aws, "cloudtrail", access_key=access_key).lookup_events()
    assert names(theirs) == ["DescribeKey"]
    assert names(lookup(aws)) == ["GetPublicKey", "DescribeKey"]


def test_pages_hold_50_events_newest_first(aws: AwsStandin) -> None:
    plant_events(aws, 60)
    first = lookup(aws)
    assert names(first) == [f"Event{n}" for n in range(1, 51)]
    # An event that arrives between two pages shifts nothing.
    aws.control("POST", "events", {"region": REGION, "time": ago(minutes=1), "name": "Newest"})
    second = lookup(aws, NextToken=first["NextToken"])
    assert names(second) == [f"Event{n}" for n in range(51, 61)]
    assert "NextToken" not in second


def test_paginator_of_botocore_copes_with_the_throttle(aws: AwsStandin) -> None:
    plant_events(aws, 7)
    patient = client(
        aws, "cloudtrail", config=Config(retries={"mode": "standard", "total_max_attempts": 6}, proxies={})
    )
    pages = list(patient.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Events"]) for page in pages] == [3, 3, 1]


def test_time_range(aws: AwsStandin) -> None:
    plant_events(aws, 9)
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=5.5), now - timedelta(hours=2.5)
    assert names(lookup(aws, StartTime=start, EndTime=end)) == ["Event3", "Event4", "Event5"]
    assert refusal(aws, StartTime=end, EndTime=start) == "InvalidTimeRangeException"


def test_history_ends_after_90_days(aws: AwsStandin) -> None:
    old, older = ({"region": REGION, "time": ago(days=days), "name": f"Days{days}"} for days in (89, 91))
    aws.control("POST", "events", [old, older])
    assert names(lookup(aws)) == ["Days89"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"EventName": "DisableKey", "ReadOnly": "false"}, "InvalidLookupAttributesException"),
        ({"NextToken": "bm9uc2Vuc2U="}, "InvalidNextTokenException"),
    ],
)
def test_wrong_parameters(aws: AwsStandin, params: dict[str, Any], code: str) -> None:
    assert refusal(aws, **params) == code


@pytest.mark.parametrize("limit", [0, 51])
def test_page_size_is_1_to_50(aws: AwsStandin, limit: int) -> None:
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, proxies={})
    with pytest.raises(ClientError, match="InvalidMaxResultsException"):
        client(aws, "cloudtrail", config=config).lookup_events(MaxResults=limit)


def test_token_belongs_to_its_parameters(aws: AwsStandin) -> None:
    plant_events(aws, 3)
    token = lookup(aws, MaxResults=1)["NextToken"]
    assert refusal(aws, MaxResults=1, NextToken=token, EventName="Event2") == "InvalidNextTokenException"


def test_two_lookups_a_second_for_each_account_and_region(aws: AwsStandin, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [time.time()]
    monkeypatch.setattr(aws.app.trail, "now", lambda: moment[0])
    for _time in range(2):
        lookup(aws)
    assert refusal(aws) == "ThrottlingException"
    lookup(aws, region=OTHER_REGION)
    moment[0] += 0.9
    assert refusal(aws) == "ThrottlingException"
    moment[0] += 0.2
    lookup(aws)


def test_events_come_late(aws: AwsStandin, kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.control("POST", "config", {"trail_delay": 300})
    kms.list_keys()
    assert lookup(aws)["Events"] == []
    monkeypatch.setattr(aws.app.trail, "now", lambda: time.time() + 300)
    assert "ListKeys" in names(lookup(aws))
