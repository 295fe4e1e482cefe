"""IAM and KMS's list of aliases in the AWS stand-in, asked by real boto3 clients."""

from __future__ import annotations

import json
import typing as t

import pytest
from botocore.exceptions import ClientError

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import client

ACCOUNT: t.Final = "111122223333"
NAME: t.Final = "atlassian-key-management"
STATEMENT: t.Final = {"Effect": "Deny", "Principal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"}


def policy(*statements: t.Any) -> dict[str, t.Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def plant(aws: AwsStandin, document: t.Any = None) -> None:
    aws.control("POST", "iam_roles", {"name": NAME, "policy": document or policy(STATEMENT)})


def refused(call: t.Any, **params: t.Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_the_policy_is_encoded_as_aws_does_it(aws: AwsStandin) -> None:
    plant(aws)
    role = client(aws.url, "iam", "eu-central-1").get_role(RoleName=NAME)["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
    assert role["AssumeRolePolicyDocument"] == policy(STATEMENT)


def test_no_such_role(aws: AwsStandin) -> None:
    iam = client(aws.url, "iam", "us-east-1")
    said = ("NoSuchEntity", f"The role with name {NAME} cannot be found.")
    assert refused(iam.get_role, RoleName=NAME) == said
    assert refused(iam.update_assume_role_policy, RoleName=NAME, PolicyDocument=json.dumps(policy(STATEMENT))) == said


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ('{"Version": "2012-10-17", "Version": "2012-10-17"}', "This policy contains invalid Json"),
        ({}, "Syntax errors in policy."),
        ({**policy(STATEMENT), "Version": "2026-01-01"}, "Syntax errors in policy."),
        (policy(), "Syntax errors in policy."),
        (policy({**STATEMENT, "Effect": "allow"}), "Syntax errors in policy."),
        (policy({**STATEMENT, "Resource": "*"}), "Has prohibited field Resource"),
        (policy({"Effect": "Deny", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
        (policy({"Effect": "Deny", "Principal": "*"}), "Missing required field Action"),
        (policy({**STATEMENT, "Action": "kms:*"}), "AssumeRole policy may only specify STS AssumeRole actions."),
        (policy({**STATEMENT, "Principal": {"AWS": "nobody"}}), 'Invalid principal in policy: "AWS":"nobody"'),
        (
            policy({**STATEMENT, "Sid": "A"}, {**STATEMENT, "Sid": "A"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
    ],
)
def test_a_malformed_policy(aws: AwsStandin, document: t.Any, message: str) -> None:
    plant(aws)
    text = document if isinstance(document, str) else json.dumps(document)
    update = client(aws.url, "iam", "us-east-1").update_assume_role_policy
    assert refused(update, RoleName=NAME, PolicyDocument=text) == ("MalformedPolicyDocument", message)
    assert json.loads(aws.control("GET", "iam_roles")[0]["policy"]) == policy(STATEMENT)


def test_a_policy_that_is_too_long(aws: AwsStandin) -> None:
    plant(aws)
    text = json.dumps(policy(*[{**STATEMENT, "Sid": f"A{number}"} for number in range(40)]))
    update = client(aws.url, "iam", "us-east-1").update_assume_role_policy
    assert refused(update, RoleName=NAME, PolicyDocument=text)[0] == "LimitExceeded"


def test_a_change_spreads_and_is_logged_in_us_east_1(aws: AwsStandin) -> None:
    plant(aws)
    aws.control("POST", "config", {"propagation": 60})
    iam = client(aws.url, "iam", "us-west-2")
    text = json.dumps(policy({**STATEMENT, "Effect": "Allow"}))
    iam.update_assume_role_policy(RoleName=NAME, PolicyDocument=text)
    assert iam.get_role(RoleName=NAME)["Role"]["AssumeRolePolicyDocument"] == policy(STATEMENT)
    aws.control("POST", "config", {"propagation": 0})
    assert iam.get_role(RoleName=NAME)["Role"]["AssumeRolePolicyDocument"] == json.loads(text)
    (event,) = [event for event in aws.control("GET", "events") if event["eventName"] == "UpdateAssumeRolePolicy"]
    assert (event["awsRegion"], event["eventSource"]) == ("us-east-1", "iam.amazonaws.com")
    assert event["requestParameters"] == {"roleName": NAME, "policyDocument": text}


def test_permission_is_needed(aws: AwsStandin) -> None:
    plant(aws)
    aws.control("POST", "policy", {"actions": ["iam:UpdateAssumeRolePolicy"]})
    code, message = refused(client(aws.url, "iam", "us-east-1").get_role, RoleName=NAME)
    assert code == "AccessDenied"
    assert f"is not authorized to perform: iam:GetRole on resource: role {NAME}" in message


class TestListAliases:
    def test_pages(self, aws: AwsStandin) -> None:
        for number in range(60):
            aws.control("POST", "keys", {"region": "us-east-1", "alias": f"alias/key-{number:02}"})
        kms = client(aws.url, "kms", "us-east-1")
        first = kms.list_aliases()
        assert (len(first["Aliases"]), first["Truncated"]) == (50, True)
        second = kms.list_aliases(Marker=first["NextMarker"])
        found = [alias for page in (first, second) for alias in page["Aliases"]]
        assert sum(alias["AliasName"].startswith("alias/key-") and "TargetKeyId" in alias for alias in found) == 60
        # "Predefined aliases" are listed before they have a key.
        assert any(alias["AliasName"].startswith("alias/aws/") and "TargetKeyId" not in alias for alias in found)
        assert "NextMarker" not in second

    @pytest.mark.parametrize(
        ("params", "code"),
        [({"Limit": 101}, "ValidationException"), ({"Marker": "bm90aGluZw"}, "InvalidMarkerException")],
    )
    def test_wrong_parameters(self, aws: AwsStandin, params: dict[str, t.Any], code: str) -> None:
        assert refused(client(aws.url, "kms", "us-east-1").list_aliases, **params)[0] == code
