"""The AWS stand-in's permissions: an automation must get by with the actions that its documentation asks for."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import ACCESS_KEY, client
from tests.standins.aws.policies import key_policy_verdict, role_of

ACCOUNT, REGION = "111122223333", "us-east-1"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:user/standin"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/restore"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/restore/drill"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
LEAST = ["kms:DescribeKey", "kms:EnableKey"]


@pytest.fixture
def key(aws: AwsStandin) -> dict[str, Any]:
    planted: dict[str, Any] = aws.control("POST", "keys", {"region": REGION, "state": "Disabled"})
    return planted


def refusal(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_only_the_allowed_actions_pass(aws: AwsStandin, key: dict[str, Any]) -> None:
    aws.control("POST", "policy", {"actions": LEAST})
    kms = client(aws)
    kms.describe_key(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    assert refusal(kms.disable_key, KeyId=key["KeyId"]) == (
        "AccessDeniedException",
        f"User: {PRINCIPAL} is not authorized to perform: kms:DisableKey on resource: {key['Arn']} "
        "because no identity-based policy allows the kms:DisableKey action",
    )
    assert refusal(kms.list_aliases)[0] == "AccessDeniedException"
    assert refusal(client(aws, "cloudtrail").lookup_events) == (
        "AccessDeniedException",
        f"User: {PRINCIPAL} is not authorized to perform: cloudtrail:LookupEvents "
        "because no identity-based policy allows the cloudtrail:LookupEvents action",
    )
    assert client(aws, "sts").get_caller_identity()["Arn"] == PRINCIPAL
    assert refusal(client(aws, "sts").assume_role, RoleArn=ROLE, RoleSessionName="drill")[0] == "AccessDenied"
    aws.control("DELETE", "policy")
    kms.disable_key(KeyId=key["KeyId"])


@pytest.mark.parametrize("principal", [ACCESS_KEY, PRINCIPAL])
def test_policy_of_one_principal_goes_before_that_of_all(aws: AwsStandin, key: dict[str, Any], principal: str) -> None:
    aws.control("POST", "policy", {"actions": []})
    aws.control("POST", "policy", {"actions": ["kms:Describe*"], "principal": principal})
    assert set(aws.control("GET", "policy")) == {"*", principal}
    client(aws).describe_key(KeyId=key["KeyId"])
    assert refusal(client(aws).enable_key, KeyId=key["KeyId"])[0] == "AccessDeniedException"
    other = client(aws, access_key="AKIASTANDINEXAMPLE44")
    aws.control(
        "POST",
        "principals",
        {"access_key": "AKIASTANDINEXAMPLE44", "account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/x"},
    )
    assert refusal(other.describe_key, KeyId=key["KeyId"])[0] == "AccessDeniedException"


def test_policy_of_a_role_holds_for_its_sessions(aws: AwsStandin, key: dict[str, Any]) -> None:
    aws.control("POST", "policy", {"actions": ["kms:DescribeKey"], "principal": ROLE})
    aws.control("POST", "roles", {"arn": ROLE})
    credentials = client(aws, "sts").assume_role(RoleArn=ROLE, RoleSessionName="drill")["Credentials"]
    kms = client(aws, access_key=credentials["AccessKeyId"], session_token=credentials["SessionToken"])
    kms.describe_key(KeyId=key["KeyId"])
    assert refusal(kms.enable_key, KeyId=key["KeyId"])[1].startswith(f"User: {SESSION} is not authorized")


def test_only_a_role_that_trusts_the_caller_is_assumed(aws: AwsStandin) -> None:
    aws.control("POST", "roles", {"arn": ROLE, "external_id": "4711"})
    assume = functools.partial(client(aws, "sts").assume_role, RoleSessionName="drill")
    for given in ({"RoleArn": ROLE}, {"RoleArn": ROLE, "ExternalId": "4712"}, {"RoleArn": f"{ROLE}-2"}):
        role = given["RoleArn"]
        said = f"User: {PRINCIPAL} is not authorized to perform: sts:AssumeRole on resource: {role}"
        assert refusal(assume, **given) == ("AccessDenied", said)
    token = assume(RoleArn=ROLE, ExternalId="4711")["Credentials"]["SessionToken"]
    assert [one["session_token"] for one in aws.control("GET", "sessions")] == [token]


def statement(effect: str, actions: Any, principal: Any = "*") -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Principal": principal, "Resource": "*"}


def test_explicit_deny_in_the_key_policy(aws: AwsStandin, key: dict[str, Any]) -> None:
    kms = client(aws)
    policy = {"Statement": [statement("Allow", "kms:*", {"AWS": ROOT}), statement("Deny", ["kms:EnableKey"])]}
    kms.put_key_policy(KeyId=key["Arn"], Policy=json.dumps(policy))
    kms.describe_key(KeyId=key["KeyId"])
    assert refusal(kms.enable_key, KeyId=key["KeyId"]) == (
        "AccessDeniedException",
        f"User: {PRINCIPAL} is not authorized to perform: kms:EnableKey on resource: {key['Arn']} "
        "with an explicit deny in a resource-based policy",
    )


def test_key_policy_that_allows_nothing(aws: AwsStandin, key: dict[str, Any]) -> None:
    policy = {"Statement": [statement("Allow", "kms:Describe*", {"AWS": ROOT})]}
    aws.control("PATCH", f"keys/{REGION}/{key['KeyId']}", {"policy": policy})
    client(aws).describe_key(KeyId=key["KeyId"])
    code, message = refusal(client(aws).enable_key, KeyId=key["KeyId"])
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the kms:EnableKey action")


@pytest.mark.parametrize("policy", ["nonsense", "[]", '{"Statement": [{"Effect": "Allow", "Principal": "*"}]}'])
def test_malformed_key_policy(aws: AwsStandin, key: dict[str, Any], policy: str) -> None:
    assert (
        refusal(client(aws).put_key_policy, KeyId=key["KeyId"], Policy=policy)[0] == "MalformedPolicyDocumentException"
    )
    assert refusal(client(aws).create_key, Policy=policy)[0] == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        ([statement("Allow", "kms:*", {"AWS": ROOT})], "allow"),
        ([statement("Allow", "kms:*", {"AWS": ACCOUNT})], "allow"),
        ([statement("Allow", "KMS:enable*", {"AWS": [SESSION]})], "allow"),
        ([statement("Allow", "kms:EnableKey", {"AWS": ROLE})], "allow"),
        ([statement("Allow", "kms:EnableKey", {"AWS": "arn:aws:iam::444455556666:root"})], "none"),
        ([statement("Allow", "kms:EnableKey", {"Service": "s3.amazonaws.com"})], "none"),
        ([statement("Allow", "kms:Enable?")], "none"),
        ([statement("Deny", "kms:*"), statement("Allow", "kms:*")], "deny"),
        ([statement("Allow", "kms:*"), {**statement("Deny", "kms:*"), "Condition": {"Bool": {}}}], "allow"),
        ([{"Effect": "Allow", "NotAction": "kms:Disable*", "Principal": "*", "Resource": "*"}], "allow"),
        ([], "none"),
    ],
)
def test_key_policy_verdict(statements: list[dict[str, Any]], verdict: str) -> None:
    assert key_policy_verdict(json.dumps({"Statement": statements}), SESSION, ACCOUNT, "kms:EnableKey") == verdict


def test_role_of_a_session() -> None:
    assert role_of(SESSION) == ROLE
    assert role_of(PRINCIPAL) is None
