"""The AWS stand-in, asked by real boto3 clients: it must refuse what AWS refuses, in AWS's words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import ACCESS_KEY, client

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION, OTHER_REGION = "us-east-1", "us-west-2"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:user/standin"
NO_SUCH_KEY = "0d990263-018e-4e65-a703-eff731de951e"


def plant(aws: AwsStandin, **spec: Any) -> dict[str, Any]:
    key: dict[str, Any] = aws.control("POST", "keys", {"region": REGION, **spec})
    return key


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def state_of(aws: AwsStandin, key_id: str) -> str:
    return next(str(key["KeyState"]) for key in aws.control("GET", "keys") if key["KeyId"] == key_id)


def operations(aws: AwsStandin) -> list[str]:
    return [call["operation"] for call in aws.control("GET", "calls")]


# The table of the AWS KMS Developer Guide, "Key states of AWS KMS keys": the state afterwards, or the refusal.
DELETION = "KMSInvalidStateException: {arn} is pending deletion."
REPLICA_DELETION = "KMSInvalidStateException: {arn} is pending replica deletion."
IMPORT = "KMSInvalidStateException: {arn} is pending import."
CREATING = "KMSInvalidStateException: {arn} is creating."
UPDATING = "KMSInvalidStateException: {arn} is updating."
NOT_PENDING = "KMSInvalidStateException: {arn} is not pending deletion."
DISABLED = "DisabledException: {arn} is disabled."
UNAVAILABLE = "KMSInvalidStateException: {arn} is unavailable."
TABLE = {
    #                          EnableKey         DisableKey        CancelKeyDeletion  ScheduleKeyDeletion  Encrypt …
    "Enabled": ("Enabled", "Disabled", NOT_PENDING, "PendingDeletion", "Enabled"),
    "Disabled": ("Enabled", "Disabled", NOT_PENDING, "PendingDeletion", DISABLED),
    "PendingDeletion": (DELETION, DELETION, "Disabled", DELETION, DELETION),
    "PendingReplicaDeletion": (REPLICA_DELETION, REPLICA_DELETION, "Disabled", REPLICA_DELETION, REPLICA_DELETION),
    "PendingImport": (IMPORT, IMPORT, NOT_PENDING, "PendingDeletion", IMPORT),
    "Unavailable": ("Unavailable", "Unavailable", NOT_PENDING, "PendingDeletion", UNAVAILABLE),
    "Creating": (CREATING, CREATING, NOT_PENDING, "PendingDeletion", CREATING),
    "Updating": (UPDATING, UPDATING, NOT_PENDING, UPDATING, "Updating"),
}
COLUMNS = {
    "enable_key": 0,
    "disable_key": 1,
    "cancel_key_deletion": 2,
    "schedule_key_deletion": 3,
    "encrypt": 4,
    "decrypt": 4,
    "generate_data_key": 4,
}


@pytest.mark.parametrize("operation", COLUMNS)
@pytest.mark.parametrize("state", TABLE)
def test_key_state_table(aws: AwsStandin, kms: Any, state: str, operation: str) -> None:
    key = plant(aws)
    more: dict[str, Any] = {"KeyId": key["KeyId"]}
    if operation == "encrypt":
        more["Plaintext"] = b"text"
    if operation == "decrypt":
        more = {"CiphertextBlob": kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]}
    if operation == "generate_data_key":
        more["KeySpec"] = "AES_256"
    aws.control("PATCH", f"keys/{REGION}/{key['KeyId']}", {"state": state})
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == state

    expected = TABLE[state][COLUMNS[operation]]
    if ":" in expected:
        assert ": ".join(refusal(getattr(kms, operation), **more)) == expected.format(arn=key["Arn"])
        expected = state
    else:
        getattr(kms, operation)(**more)
    assert state_of(aws, key["KeyId"]) == expected
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == (expected, expected == "Enabled")


@pytest.mark.parametrize(("operation", "later"), [("enable_key", "Enabled"), ("disable_key", "Disabled")])
def test_what_is_asked_of_an_unavailable_key_holds_when_its_store_is_back(
    aws: AwsStandin, kms: Any, operation: str, later: str
) -> None:
    key = plant(aws, state="Disabled" if later == "Enabled" else "Enabled", custom_key_store=True)
    path = f"keys/{REGION}/{key['KeyId']}"
    aws.control("PATCH", path, {"state": "Unavailable"})
    getattr(kms, operation)(KeyId=key["KeyId"])
    assert state_of(aws, key["KeyId"]) == "Unavailable"
    aws.control("PATCH", path, {"store_connected": True})
    assert state_of(aws, key["KeyId"]) == later


# --- DescribeKey's shape


def test_metadata_of_an_ordinary_key(aws: AwsStandin, kms: Any) -> None:
    metadata = kms.create_key(Description="ours")["KeyMetadata"]
    assert metadata == kms.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"]
    expected = {
        "AWSAccountId": ACCOUNT,
        "Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{metadata['KeyId']}",
        "Enabled": True,
        "Description": "ours",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert {name: metadata[name] for name in expected} == expected
    assert set(metadata) == {*expected, "KeyId", "CreationDate", "CurrentKeyMaterialId"}


def test_deletion_date_only_while_deletion_is_pending(aws: AwsStandin, kms: Any) -> None:
    key_id = plant(aws)["KeyId"]
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    answer = kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"], answer["PendingWindowInDays"]) == (arn, "PendingDeletion", 7)
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["DeletionDate"] == answer["DeletionDate"]
    assert kms.cancel_key_deletion(KeyId=key_id)["KeyId"] == arn
    assert "DeletionDate" not in kms.describe_key(KeyId=key_id)["KeyMetadata"]


def test_an_alias_stays_on_a_key_whose_deletion_is_pending(aws: AwsStandin, kms: Any) -> None:
    """hashicorp/terraform-provider-aws#35161: what an alias names may be about to be deleted."""
    key_id = plant(aws, alias="alias/atlassian-cmk")["KeyId"]
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    answer = kms.describe_key(KeyId="alias/atlassian-cmk")["KeyMetadata"]
    assert (answer["KeyId"], answer["KeyState"]) == (key_id, "PendingDeletion")
    code, _message = refusal(kms.create_alias, AliasName="alias/atlassian-cmk", TargetKeyId=plant(aws)["KeyId"])
    assert code == "AlreadyExistsException"


@pytest.mark.parametrize(("days", "bound"), [(6, "greater than or equal to 7"), (31, "less than or equal to 30")])
def test_waiting_period_is_7_to_30_days(aws: AwsStandin, kms: Any, days: int, bound: str) -> None:
    code, message = refusal(kms.schedule_key_deletion, KeyId=plant(aws)["KeyId"], PendingWindowInDays=days)
    assert code == "ValidationException"
    assert message.endswith(bound)


def test_imported_key_is_pending_import_until_material_is_there(aws: AwsStandin, kms: Any) -> None:
    metadata = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingImport", False)
    assert "ExpirationModel" not in metadata
    aws.control("PATCH", f"keys/{REGION}/{metadata['KeyId']}", {"state": "Enabled"})
    metadata = kms.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"]
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"


def test_multi_region_keys_have_states_of_their_own(aws: AwsStandin, kms: Any) -> None:
    key_id = "mrk-" + "0123456789abcdef" * 2
    primary = plant(aws, key_id=key_id, multi_region=True)
    replica = plant(aws, key_id=key_id, region=OTHER_REGION, primary_region=REGION)
    kms.disable_key(KeyId=key_id)
    other = client(aws, region=OTHER_REGION).describe_key(KeyId=key_id)["KeyMetadata"]
    assert other["KeyState"] == "Enabled"
    assert other["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": primary["Arn"], "Region": REGION},
        "ReplicaKeys": [{"Arn": replica["Arn"], "Region": OTHER_REGION}],
    }
    answer = kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=9)
    assert answer["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in answer
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["PendingDeletionWindowInDays"] == 9


def test_multi_region_key_made_through_the_api(aws: AwsStandin, kms: Any) -> None:
    metadata = kms.create_key(MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    assert metadata["KeyId"].startswith("mrk-")
    assert len(metadata["KeyId"]) == 36
    assert metadata["MultiRegionConfiguration"]["PrimaryKey"]["Arn"] == metadata["Arn"]
    assert kms.list_resource_tags(KeyId=metadata["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "b"}]
    blob = kms.encrypt(KeyId=metadata["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    replica = kms.replicate_key(KeyId=metadata["KeyId"], ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]
    assert replica["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"
    client(aws, region=OTHER_REGION).disable_key(KeyId=replica["Arn"])
    assert kms.describe_key(KeyId=metadata["Arn"])["KeyMetadata"]["KeyState"] == "Enabled"


# --- references

ALIAS = "alias/atlassian-cmk"


def references(key: dict[str, Any]) -> dict[str, str]:
    return {
        "id": key["KeyId"],
        "arn": key["Arn"],
        "alias": ALIAS,
        "alias arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:{ALIAS}",
    }


@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias arn"])
def test_describe_key_takes_every_form(aws: AwsStandin, kms: Any, form: str) -> None:
    key = plant(aws, alias=ALIAS)
    assert kms.describe_key(KeyId=references(key)[form])["KeyMetadata"]["Arn"] == key["Arn"]


SWITCHES = ["enable_key", "disable_key", "cancel_key_deletion", "schedule_key_deletion"]


@pytest.mark.parametrize("operation", SWITCHES)
def test_changing_operations_take_no_alias(aws: AwsStandin, kms: Any, operation: str) -> None:
    key = plant(aws, alias=ALIAS, state="PendingDeletion" if operation == "cancel_key_deletion" else "Disabled")
    forms = references(key)
    for form in ("alias", "alias arn"):
        assert refusal(getattr(kms, operation), KeyId=forms[form]) == (
            "InvalidArnException",
            "Key Aliases are not supported for this operation.",
        )
    getattr(kms, operation)(KeyId=forms["arn"])


def test_changing_operations_answer_an_empty_body(aws: AwsStandin, kms: Any) -> None:
    for operation in ("enable_key", "disable_key"):
        answer = getattr(kms, operation)(KeyId=plant(aws)["KeyId"])
        assert list(answer) == ["ResponseMetadata"]
        assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "0"


@pytest.mark.parametrize("operation", ["describe_key", *SWITCHES])
@pytest.mark.parametrize(
    ("reference", "code", "message"),
    [
        (NO_SUCH_KEY, "NotFoundException", f"Key 'arn:aws:kms:{REGION}:{ACCOUNT}:key/{NO_SUCH_KEY}' does not exist"),
        ("atlassian-cmk", "NotFoundException", "Invalid keyId 'atlassian-cmk'"),
        (
            f"arn:aws:kms:{OTHER_REGION}:{ACCOUNT}:key/{NO_SUCH_KEY}",
            "NotFoundException",
            f"Invalid arn {OTHER_REGION}",
        ),
        (f"arn:aws:iam::{ACCOUNT}:role/x", "InvalidArnException", f"Invalid arn arn:aws:iam::{ACCOUNT}:role/x"),
    ],
)
def test_references_that_name_nothing(
    aws: AwsStandin, kms: Any, operation: str, reference: str, code: str, message: str
) -> None:
    assert refusal(getattr(kms, operation), KeyId=reference) == (code, message)


def test_unknown_alias(aws: AwsStandin, kms: Any) -> None:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/nothing"
    for reference in ("alias/nothing", arn):
        assert refusal(kms.describe_key, KeyId=reference) == ("NotFoundException", f"Alias {arn} is not found.")


def test_malformed_requests(aws: AwsStandin) -> None:
    # boto3's own checks are off, so that the request reaches the stand-in.
    raw = client(aws, config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, proxies={}))
    assert refusal(raw.enable_key) == (
        "ValidationException",
        "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    )
    assert refusal(raw.enable_key, KeyId="")[0] == "ValidationException"
    assert refusal(raw.enable_key, KeyId="x" * 2049)[0] == "ValidationException"
    assert refusal(raw.enable_key, KeyId=["x"])[0] == "SerializationException"


def test_key_of_another_region(aws: AwsStandin, kms: Any) -> None:
    key = plant(aws, region=OTHER_REGION, alias=ALIAS)
    assert refusal(kms.describe_key, KeyId=key["Arn"]) == ("NotFoundException", f"Invalid arn {OTHER_REGION}")
    assert refusal(kms.describe_key, KeyId=key["KeyId"])[0] == "NotFoundException"
    assert refusal(kms.describe_key, KeyId=ALIAS)[0] == "NotFoundException"


@pytest.mark.parametrize("operation", ["describe_key", *SWITCHES])
def test_key_of_another_account(aws: AwsStandin, kms: Any, operation: str) -> None:
    key = plant(aws, account=OTHER_ACCOUNT)
    missing = key["Arn"].replace(key["KeyId"], NO_SUCH_KEY)
    for arn in (key["Arn"], missing):
        code, message = refusal(getattr(kms, operation), KeyId=arn)
        assert code == "AccessDeniedException"
        assert message.startswith(f"User: {PRINCIPAL} is not authorized to perform: kms:")
        assert "on this resource because the resource does not exist in this Region" in message


def test_key_policy_opens_reading_to_another_account_and_changing_to_nobody(aws: AwsStandin, kms: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
    key = plant(aws, account=OTHER_ACCOUNT, alias=ALIAS, policy={"Statement": [{**statement, "Resource": "*"}]})
    assert kms.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == OTHER_ACCOUNT
    assert kms.decrypt(CiphertextBlob=kms.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"], KeyId=key["Arn"])
    assert refusal(kms.disable_key, KeyId=key["Arn"])[0] == "AccessDeniedException"
    assert state_of(aws, key["KeyId"]) == "Enabled"


@pytest.mark.parametrize("alias", ["alias/aws/s3", "alias/aws/planted"])
def test_aws_managed_key_can_be_seen_only(aws: AwsStandin, kms: Any, alias: str) -> None:
    if alias == "alias/aws/planted":
        plant(aws, alias=alias, key_manager="AWS")
    metadata = kms.describe_key(KeyId=alias)["KeyMetadata"]
    assert metadata["KeyManager"] == "AWS"
    for operation in SWITCHES:
        code, message = refusal(getattr(kms, operation), KeyId=metadata["KeyId"])
        assert code == "AccessDeniedException"
        assert "because no resource-based policy allows the kms:" in message
    assert refusal(kms.encrypt, KeyId=alias, Plaintext=b"x")[0] == "AccessDeniedException"


# --- what stays moto's


def test_caller_and_assumed_role_are_in_their_accounts(aws: AwsStandin) -> None:
    sts = client(aws, "sts")
    identity = sts.get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (ACCOUNT, PRINCIPAL)
    aws.control("POST", "roles", {"arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/restore"})
    role = sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/restore", RoleSessionName="drill")
    credentials = {
        "access_key": role["Credentials"]["AccessKeyId"],
        "session_token": role["Credentials"]["SessionToken"],
    }
    assert client(aws, "sts", **credentials).get_caller_identity()["Account"] == OTHER_ACCOUNT
    key = plant(aws, account=OTHER_ACCOUNT, state="Disabled")
    client(aws, **credentials).enable_key(KeyId=key["KeyId"])
    assert state_of(aws, key["KeyId"]) == "Enabled"
    call = aws.control("GET", "calls")[-1]
    assert call["principal"] == f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/restore/drill"


def test_access_key_of_another_account(aws: AwsStandin) -> None:
    access_key = "AKIASTANDINEXAMPLE44"
    aws.control("POST", "principals", {"access_key": access_key, "account": OTHER_ACCOUNT})
    identity = client(aws, "sts", access_key=access_key).get_caller_identity()
    assert identity["Account"] == OTHER_ACCOUNT
    key = plant(aws, account=OTHER_ACCOUNT, alias=ALIAS)
    found = client(aws, access_key=access_key).describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert found["Arn"] == key["Arn"]


def test_policies_and_grants(aws: AwsStandin, kms: Any) -> None:
    arn = plant(aws)["Arn"]
    assert json.loads(kms.get_key_policy(KeyId=arn)["Policy"])["Statement"]
    grant = kms.create_grant(KeyId=arn, GranteePrincipal=PRINCIPAL, Operations=["Decrypt"])
    assert [found["GrantId"] for found in kms.list_grants(KeyId=arn)["Grants"]] == [grant["GrantId"]]
    kms.revoke_grant(KeyId=arn, GrantId=grant["GrantId"])
    assert kms.list_grants(KeyId=arn)["Grants"] == []


# --- changes spread slowly


def test_change_is_seen_after_the_propagation_time(aws: AwsStandin, kms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(aws.app.kms, "clock", lambda: moment[0])
    key_id = plant(aws, state="Disabled", propagation=3)["KeyId"]
    kms.enable_key(KeyId=key_id)
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refusal(kms.encrypt, KeyId=key_id, Plaintext=b"x")[0] == "DisabledException"
    assert state_of(aws, key_id) == "Enabled"
    moment[0] += 2.9
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Disabled"
    moment[0] += 0.2
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.encrypt(KeyId=key_id, Plaintext=b"x")


def test_enable_right_after_cancel_meets_the_old_state(aws: AwsStandin, kms: Any) -> None:
    aws.control("POST", "config", {"propagation": 0.3})
    key = plant(aws, state="PendingDeletion")
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert refusal(kms.enable_key, KeyId=key["KeyId"]) == (
        "KMSInvalidStateException",
        f"{key['Arn']} is pending deletion.",
    )
    assert "DeletionDate" in kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    aws.control("POST", "config", {"propagation": 0})
    kms.enable_key(KeyId=key["KeyId"])


def test_reads_flip_back_while_a_change_spreads(aws: AwsStandin, kms: Any) -> None:
    key_id = plant(aws, state="Disabled", propagation=60, flip=True, not_found=1)["KeyId"]
    kms.enable_key(KeyId=key_id)
    assert refusal(kms.describe_key, KeyId=key_id)[0] == "NotFoundException"
    states = [kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] for _time in range(4)]
    assert states == ["Enabled", "Disabled", "Enabled", "Disabled"]
    aws.control("PATCH", f"keys/{REGION}/{key_id}", {"propagation": 0})
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled"


# --- scripted faults


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        ("ThrottlingException", 400, "Rate exceeded"),
        ("KMSInternalException", 500, "internal exception"),
        ("DependencyTimeoutException", 503, "timed out"),
        ("ExpiredTokenException", 400, "The security token included in the request is expired"),
    ],
)
def test_error_gets_its_status_and_text(aws: AwsStandin, kms: Any, error: str, status: int, message: str) -> None:
    key_id = plant(aws, state="Disabled")["KeyId"]
    aws.control("POST", "faults", {"operation": "EnableKey", "error": error})
    with pytest.raises(ClientError, match=message) as caught:
        kms.enable_key(KeyId=key_id)
    assert caught.value.response["Error"]["Code"] == error
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert state_of(aws, key_id) == "Disabled"
    kms.enable_key(KeyId=key_id)
    calls = aws.control("GET", "calls")
    assert [(call["status"], call["error"]) for call in calls] == [(status, error), (200, None)]


def test_access_denied_fault_is_in_aws_words(aws: AwsStandin, kms: Any) -> None:
    key = plant(aws, alias=ALIAS)
    aws.control("POST", "faults", {"operation": "DescribeKey", "error": "AccessDeniedException"})
    assert refusal(kms.describe_key, KeyId=ALIAS) == (
        "AccessDeniedException",
        f"User: {PRINCIPAL} is not authorized to perform: kms:DescribeKey on resource: {key['Arn']} "
        "because no identity-based policy allows the kms:DescribeKey action",
    )


def test_fault_hits_the_calls_it_names(aws: AwsStandin, kms: Any) -> None:
    key, other = plant(aws, alias=ALIAS), plant(aws)
    fault = {"operation": "*", "region": REGION, "key_id": ALIAS, "skip": 1, "count": 2, "error": "Throttled"}
    aws.control("POST", "faults", [fault])
    elsewhere = client(aws, region=OTHER_REGION)
    refusal(elsewhere.describe_key, KeyId=key["KeyId"])
    kms.describe_key(KeyId=other["KeyId"])
    kms.describe_key(KeyId=key["KeyId"])
    for _time in range(2):
        assert refusal(kms.enable_key, KeyId=key["Arn"])[0] == "Throttled"
    kms.enable_key(KeyId=key["Arn"])
    assert aws.control("GET", "faults") == []


def test_fault_for_ever_until_it_is_deleted(aws: AwsStandin, kms: Any) -> None:
    key_id = plant(aws)["KeyId"]
    aws.control("POST", "faults", {"error": "ThrottlingException", "count": None})
    for _time in range(3):
        refusal(kms.describe_key, KeyId=key_id)
    aws.control("DELETE", "faults")
    kms.describe_key(KeyId=key_id)


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize(("drop", "state"), [("before", "Disabled"), ("after", "Enabled")])
def test_dropped_connection(aws: AwsStandin, kms: Any, drop: str, state: str, reset: bool) -> None:
    key_id = plant(aws, state="Disabled")["KeyId"]
    aws.control("POST", "faults", {"operation": "EnableKey", "drop": drop, "reset": reset})
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        kms.enable_key(KeyId=key_id)
    assert state_of(aws, key_id) == state
    (call,) = aws.control("GET", "calls")
    assert (call["operation"], call["status"], call["dropped"]) == ("EnableKey", None, drop)
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == state


def test_page_of_a_proxy(aws: AwsStandin, kms: Any) -> None:
    aws.control("POST", "faults", {"html": True, "status": 503})
    with pytest.raises(ClientError) as caught:
        kms.describe_key(KeyId=plant(aws)["KeyId"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_latency_delays_and_calls_run_in_parallel(aws: AwsStandin, kms: Any) -> None:
    key_id = plant(aws)["KeyId"]
    aws.control("POST", "faults", {"operation": "DescribeKey", "latency": 2, "count": 4})
    threads = [threading.Thread(target=kms.describe_key, kwargs={"KeyId": key_id}) for _time in range(4)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One after the other they would take eight seconds.
    assert 2 <= time.monotonic() - started < 7


def test_fault_of_another_service_is_in_its_own_format(aws: AwsStandin) -> None:
    aws.control("POST", "faults", {"service": "sts", "error": "ExpiredToken"})
    assert refusal(client(aws, "sts").get_caller_identity)[0] == "ExpiredToken"


# --- the control endpoint


def test_calls_hold_what_was_sent_and_no_secret(aws: AwsStandin, kms: Any) -> None:
    key = plant(aws, alias=ALIAS)
    kms.encrypt(KeyId=ALIAS, Plaintext=b"top secret", EncryptionContext={"tag": "AcmeCMK"})
    refusal(kms.enable_key, KeyId=NO_SUCH_KEY)
    first, second = aws.control("GET", "calls")
    assert (first["n"], first["service"], first["operation"], first["region"]) == (1, "kms", "Encrypt", REGION)
    assert (first["account"], first["principal"], first["key"]) == (ACCOUNT, PRINCIPAL, ALIAS)
    assert first["params"] == {
        "KeyId": ALIAS,
        "Plaintext": "(not recorded)",
        "EncryptionContext": {"tag": "AcmeCMK"},
    }
    assert (second["n"], second["key"], second["status"], second["error"]) == (
        2,
        NO_SUCH_KEY,
        400,
        "NotFoundException",
    )
    text = json.dumps([first, second])
    assert ACCESS_KEY not in text
    assert "Signature" not in text
    aws.control("DELETE", "calls")
    assert aws.control("GET", "calls") == []
    assert key["Arn"]


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "text"),
    [
        ("POST", "keys", {}, 400, "region is required"),
        ("POST", "keys", {"region": REGION, "state": "Broken"}, 400, "Broken"),
        ("POST", "keys", {"region": REGION, "sate": "Enabled"}, 400, "sate"),
        ("POST", "keys", {"region": "us-nowhere-1"}, 400, "us-nowhere-1"),
        ("POST", "faults", {"error": "x", "count": 0}, 400, "count"),
        ("POST", "faults", {"operation": "EnableKey"}, 400, "a fault needs one of"),
        ("POST", "faults", {"eror": "x"}, 400, "eror"),
        ("POST", "config", {"speed": 1}, 400, "speed"),
        ("PATCH", f"keys/{REGION}/alias/none", {"state": "Enabled"}, 404, "no key alias/none"),
        ("GET", "nothing", None, 404, "no control endpoint"),
    ],
)
def test_wrong_control_requests_are_told_why(
    aws: AwsStandin, method: str, path: str, data: Any, status: int, text: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        aws.control(method, path, data)
    with caught.value as answer:
        assert answer.code == status
        assert text in json.load(answer)["error"]


def test_unsigned_calls_are_refused(aws: AwsStandin) -> None:
    from botocore import UNSIGNED  # noqa: PLC0415 - used here only

    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, proxies={})
    assert refusal(client(aws, config=config).list_keys)[0] == "MissingAuthenticationTokenException"


def test_reset_goes_back_to_the_seed() -> None:
    """In a process of its own: moto's state is global, and another stand-in is running in this one."""
    script = f"""
from tests.standins.aws import AwsStandin
seed = [{{"region": "eu-west-1", "alias": "{ALIAS}", "state": "Disabled", "key_id": "{NO_SUCH_KEY}"}}]
with AwsStandin(state=seed, propagation=0.5) as aws:
    aws.control("PATCH", "keys/eu-west-1/{ALIAS}", {{"state": "Enabled"}})
    aws.control("POST", "keys", {{"region": "us-east-1"}})
    aws.control("POST", "faults", {{"error": "ThrottlingException"}})
    aws.control("POST", "config", {{"propagation": 9}})
    aws.control("POST", "reset")
    keys = aws.control("GET", "keys")
    print([(k["KeyId"], k["KeyState"], k["aliases"]) for k in keys], aws.control("GET", "faults"),
          aws.control("GET", "config")["propagation"])
"""
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == f"[('{NO_SUCH_KEY}', 'Disabled', ['{ALIAS}'])] [] 0.5"


# --- the command


def start(*args: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.standins.aws", *args],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "MOTO_ACCOUNT_ID": "999999999999"},
    )
    assert process.stdout
    return process, process.stdout.readline()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_its_seed_and_stops_cleanly(tmp_path: Path, signum: int) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps([{"region": REGION, "alias": ALIAS, "state": "Disabled"}]))
    process, line = start("--account", OTHER_ACCOUNT, "--state", str(seed))
    try:
        assert line.startswith("AWS stand-in listening on http://127.0.0.1:")
        metadata = client(line.split()[-1]).describe_key(KeyId=ALIAS)["KeyMetadata"]
        assert (metadata["KeyState"], metadata["AWSAccountId"]) == ("Disabled", OTHER_ACCOUNT)
    finally:
        process.send_signal(signum)
        rest, errors = process.communicate(timeout=120)
    assert (process.returncode, rest, errors) == (0, "", "")


@pytest.mark.parametrize(
    ("argument", "value", "text"),
    [("--host", "0.0.0.0", "0.0.0.0 is not a loopback address"), ("--account", "12", "12 is not an account id")],
)
def test_command_refuses_wrong_arguments(argument: str, value: str, text: str) -> None:
    process, line = start(argument, value)
    _output, errors = process.communicate(timeout=120)
    assert (process.returncode, line) == (2, "")
    assert text in errors


def test_a_call_that_hangs_is_released_without_an_answer(aws: AwsStandin, kms: Any) -> None:
    key = aws.control("POST", "keys", {"region": "us-east-1", "state": "Disabled"})["KeyId"]
    aws.control("POST", "faults", {"operation": "EnableKey", "hang": True})
    ended: list[BaseException] = []

    def enable() -> None:
        with pytest.raises(HTTPClientError) as error:
            kms.enable_key(KeyId=key)
        ended.append(error.value)

    thread = threading.Thread(target=enable, daemon=True)
    thread.start()
    thread.join(1)
    assert thread.is_alive()
    aws.control("DELETE", "faults")
    thread.join(10)
    assert len(ended) == 1
    (call,) = [call for call in aws.control("GET", "calls") if call["operation"] == "EnableKey"]
    assert (call["status"], call["dropped"]) == (None, "before")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


@pytest.mark.parametrize("offset", [0, -420, 3600])
def test_a_clock_that_differs(aws: AwsStandin, kms: Any, offset: float) -> None:
    aws.control("POST", "config", {"clock_offset": offset})
    key = aws.control("POST", "keys", {"region": "us-east-1", "state": "Disabled"})["KeyId"]
    date = kms.enable_key(KeyId=key)["ResponseMetadata"]["HTTPHeaders"]["date"]
    now = time.time()
    assert parsedate_to_datetime(date).timestamp() - now == pytest.approx(offset, abs=3)
    events = client(aws, "cloudtrail").lookup_events()["Events"]
    (moment,) = [event["EventTime"].timestamp() for event in events if event["EventName"] == "EnableKey"]
    assert moment - now == pytest.approx(offset, abs=3)
