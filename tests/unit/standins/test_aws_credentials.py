"""How the AWS stand-in gives credentials: with MFA and web identity, by IMDSv2, in a container, and by IAM Identity Center."""

from __future__ import annotations

import typing as t
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import client

ROLE: t.Final = "arn:aws:iam::111122223333:role/cmk-operator"
DEVICE: t.Final = "arn:aws:iam::111122223333:mfa/operator"
TTL: t.Final = "X-aws-ec2-metadata-token-ttl-seconds"
ROLES: t.Final = "/latest/meta-data/iam/security-credentials/"


def refused(call: t.Any, **params: t.Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(RoleArn=ROLE, RoleSessionName="drill", **params)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def status(aws: AwsStandin, path: str, method: str = "GET", **headers: str) -> int | str:
    """The answer's text, or the status of a refusal."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(aws.url + path, method=method, headers=named)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({}, "AccessDenied", "is not authorized to perform: sts:AssumeRole"),
        ({"TokenCode": "473920"}, "AccessDenied", "must provide both MFA serial number and one time pass code."),
        ({"SerialNumber": DEVICE}, "AccessDenied", "must provide both MFA serial number and one time pass code."),
        ({"SerialNumber": DEVICE, "TokenCode": "000000"}, "AccessDenied", "invalid MFA one time pass code"),
        ({"SerialNumber": DEVICE[:-1], "TokenCode": "473920"}, "AccessDenied", "unable to validate MFA code"),
        ({"SerialNumber": DEVICE, "TokenCode": "abcdef"}, "ValidationError", "regular expression pattern"),
    ],
)
def test_mfa(aws: AwsStandin, given: dict[str, str], code: str, said: str) -> None:
    aws.control("POST", "roles", {"arn": ROLE, "mfa_serial": DEVICE, "mfa_codes": ["473920"]})
    found = refused(client(aws, "sts").assume_role, **given)
    assert (found[0], said in found[1]) == (code, True), found


def test_a_code_serves_once_and_is_not_recorded(aws: AwsStandin) -> None:
    aws.control("POST", "roles", {"arn": ROLE, "mfa_serial": DEVICE, "mfa_codes": ["473920"]})
    aws.control("POST", "roles", {"arn": f"{ROLE}-2", "mfa_serial": DEVICE, "mfa_codes": ["473920"]})
    sts, given = client(aws, "sts"), {"SerialNumber": DEVICE, "TokenCode": "473920"}
    sts.assume_role(RoleArn=f"{ROLE}-2", RoleSessionName="drill", **given)
    assert "invalid MFA one time pass code" in refused(sts.assume_role, **given)[1]
    assert "473920" not in str(aws.control("GET", "calls")) + str(aws.control("GET", "events"))


def test_web_identity(aws: AwsStandin) -> None:
    aws.control("POST", "roles", {"arn": ROLE, "web_identity": "issued"})
    sts = client(aws, "sts")
    assert refused(sts.assume_role_with_web_identity, WebIdentityToken="forged")[0] == "InvalidIdentityToken"
    assert refused(sts.assume_role)[0] == "AccessDenied"
    sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="drill", WebIdentityToken="issued")
    aws.control("POST", "roles", {"arn": ROLE})
    assert refused(sts.assume_role_with_web_identity, WebIdentityToken="issued")[0] == "AccessDenied"


def test_instance_metadata_is_version_2_only(aws: AwsStandin) -> None:
    token = status(aws, "/latest/api/token", "PUT", **{TTL: "60"})
    assert status(aws, ROLES, X_aws_ec2_metadata_token=str(token)) == 404
    aws.control("POST", "credentials", {"kind": "instance", "name": "cmk-operator"})
    assert status(aws, ROLES) == 401
    assert status(aws, ROLES, X_aws_ec2_metadata_token="made up") == 401
    assert status(aws, ROLES, X_aws_ec2_metadata_token=str(token)) == "cmk-operator"
    assert '"Code": "Success"' in str(status(aws, f"{ROLES}cmk-operator", X_aws_ec2_metadata_token=str(token)))
    for ttl in ("0", "21601", "soon"):
        assert status(aws, "/latest/api/token", "PUT", **{TTL: ttl}) == 400
    assert status(aws, "/latest/api/token", "GET", **{TTL: "60"}) == 405
    assert status(aws, "/latest/api/token", "PUT", **{TTL: "60", "X-Forwarded-For": "192.0.2.1"}) == 403


def test_container_and_portal_want_their_token(aws: AwsStandin) -> None:
    portal = "/federation/credentials?role_name=cmk-operator&account_id="
    assert status(aws, "/v1/credentials") == 404
    for kind in ("container", "sso"):
        aws.control("POST", "credentials", {"kind": kind, "token": "given"})
    assert status(aws, "/v1/credentials") == 401
    assert '"AccessKeyId"' in str(status(aws, "/v1/credentials", Authorization="given"))
    assert status(aws, f"{portal}111122223333") == 401
    named = {"x-amz-sso_bearer_token": "given"}
    request = urllib.request.Request(f"{aws.url}{portal}111122223333", headers=named)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        assert b'"roleCredentials"' in answer.read()
    request = urllib.request.Request(f"{aws.url}{portal}444455556666", headers=named)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)
