"""What boto3's errors mean to an operator: every class of them, in one line without markup."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.parsers import JSONParser
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import (
    TRANSIENT,
    aws_code,
    explain,
    not_found,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal
from tests.unit.plugins.conversation import ACCOUNT, ALIAS, OTHER_ACCOUNT, REGION, arn

PROXY_PAGE = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\n<h1>Bad Gateway</h1></body></html>"


def answered(code: str, message: str | None = "AWS's own words.", status: int = 400) -> boto.ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    if message is not None:
        response["Error"]["Message"] = message
    return boto.ClientError(response, "EnableKey")


def explained(error: Exception, operation: str = "EnableKey", **more: str) -> Refusal:
    why = explain(error, operation, REGION, **more)
    assert not re.search(r"[<>\n\r\t]|\.\.|  ", str(why)), why
    return why


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDeniedException", 400, "access_denied"),
        ("AccessDenied", 403, "access_denied"),
        ("UnauthorizedOperation", 403, "access_denied"),
        ("ExpiredToken", 403, "credentials_expired"),
        ("ExpiredTokenException", 400, "credentials_expired"),
        ("RequestExpired", 400, "credentials_expired"),
        ("IncompleteSignature", 400, "credentials_invalid"),
        ("InvalidClientTokenId", 403, "credentials_invalid"),
        ("InvalidSignatureException", 400, "credentials_invalid"),
        ("MissingAuthenticationToken", 403, "credentials_invalid"),
        ("MissingAuthenticationTokenException", 400, "credentials_invalid"),
        ("NotAuthorized", 400, "credentials_invalid"),
        ("SignatureDoesNotMatch", 403, "credentials_invalid"),
        ("UnrecognizedClientException", 400, "credentials_invalid"),
        ("LimitExceededException", 400, "throttled"),
        ("RequestLimitExceeded", 503, "throttled"),
        ("Throttling", 400, "throttled"),
        ("ThrottlingException", 400, "throttled"),
        ("TooManyRequestsException", 429, "throttled"),
        ("DependencyTimeoutException", 503, "aws_trouble"),
        ("KMSInternalException", 500, "aws_trouble"),
        ("InternalFailure", 500, "aws_trouble"),
        ("ServiceUnavailable", 503, "aws_trouble"),
        ("502", 502, "aws_trouble"),
        ("NeverHeardOf", 500, "aws_trouble"),
        ("NeverHeardOf", 400, "aws_refused"),
        ("NotFoundException", 400, "aws_refused"),
        ("KMSInvalidStateException", 400, "aws_refused"),
        ("InvalidArnException", 400, "aws_refused"),
        ("404", 404, "aws_refused"),
    ],
)
def test_answers(code: str, status: int, expected: str) -> None:
    error = answered(code, status=status)
    assert aws_code(error) == code
    why = explained(error)
    assert why.code == expected
    assert REGION in why.error
    assert "EnableKey" in why.error
    assert "AWS's own words" in why.error or expected == "credentials_expired"


def test_access_denied_names_the_action() -> None:
    assert explained(answered("AccessDeniedException")).hint.startswith("Allow kms:EnableKey for this identity")
    denied = explained(answered("AccessDenied", status=403), "AssumeRole", service="sts")
    assert denied.hint.startswith("Allow sts:AssumeRole for this identity")


DENIED = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/cmk/alice is not authorized to perform: kms:{{0}} on resource: {arn()}"
)
SCP = "arn:aws:organizations::444455556666:policy/o-aaabbbccc/service_control_policy/p-0xn1knc2"


@pytest.mark.parametrize(
    ("operation", "reason", "expected"),
    [
        ("DisableKey", f" with an explicit deny in a service control policy: {SCP}", "guarded"),
        ("DisableKey", " with an explicit deny in a resource control policy", "guarded"),
        ("DisableKey", " with an explicit deny in a resource-based policy", "guarded"),
        ("DisableKey", " because no service control policy allows the kms:DisableKey action", "guarded"),
        ("DisableKey", " because no identity-based policy allows the kms:DisableKey action", "access_denied"),
        ("EnableKey", f" with an explicit deny in a service control policy: {SCP}", "denied"),
        ("EnableKey", " because no resource-based policy allows the kms:EnableKey action", "access_denied"),
    ],
)
def test_a_deny_that_no_permission_overrides(operation: str, reason: str, expected: str) -> None:
    why = explained(answered("AccessDeniedException", DENIED.format(operation) + reason), operation)
    assert why.code == expected
    assert reason.strip() in why.error
    assert ("aws:PrincipalArn" in why.hint) is (expected != "access_denied")
    assert ("kms:TrailingDaysWithoutKeyUsage" in why.hint) is (expected == "guarded")


def test_trouble_names_what_aws_answered() -> None:
    why = explained(answered("KMSInternalException", "The request failed", 500))
    assert (
        why.error
        == "AWS could not carry out EnableKey in us-east-1: The request failed. (HTTP 500, KMSInternalException)"
    )


def test_an_unknown_refusal_names_its_code() -> None:
    assert "with InvalidArnException: AWS's own words." in explained(answered("InvalidArnException")).error


@pytest.mark.parametrize("message", [None, ""], ids=["missing", "empty"])
def test_an_answer_without_words(message: str | None) -> None:
    assert explained(answered("AccessDeniedException", message)).error.endswith(": no reason was given.")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        pytest.param(PROXY_PAGE, 502, "aws_trouble", id="a proxy's page"),
        pytest.param(b"<html><body><h1>Service Unavailable</h1></body></html>", 503, "aws_trouble", id="a page of AWS"),
        pytest.param(b"", 500, "aws_trouble", id="empty"),
        pytest.param(b"upstream reset", 500, "aws_trouble", id="text"),
        pytest.param(PROXY_PAGE, 407, "aws_refused", id="a proxy that wants a login"),
    ],
)
def test_bodies_that_are_not_json(body: bytes, status: int, expected: str) -> None:
    # As botocore reads them: what it makes of a page is its own business, so it is asked.
    parser: Any = JSONParser()
    parsed = parser.parse({"status_code": status, "headers": {}, "body": body}, None)
    why = explained(boto.ClientError(parsed, "EnableKey"))
    assert why.code == expected
    assert "title" not in why.error
    assert str(status) in why.error


def test_markup_and_newlines_go() -> None:
    why = explained(answered("KMSInternalException", PROXY_PAGE.decode(), 500))
    assert ": 502 Bad Gateway Bad Gateway. (HTTP 500" in why.error


def test_long_messages_are_cut() -> None:
    error = explained(answered("AccessDeniedException", "x" * 10_000_000)).error
    assert error == f"AWS refused EnableKey in us-east-1: {'x' * 500}."


URL = "https://kms.us-east-1.amazonaws.com/"


@pytest.mark.parametrize(
    "error",
    [
        boto.EndpointConnectionError(endpoint_url=URL, error="refused"),
        boto.ConnectTimeoutError(endpoint_url=URL),
        boto.ReadTimeoutError(endpoint_url=URL),
        boto.ConnectionClosedError(endpoint_url=URL),
        boto.ProxyConnectionError(proxy_url="http://proxy.invalid:3128", error="refused"),
        boto.SSLError(endpoint_url=URL, error=OSError("certificate verify failed\n(_ssl.c:1006)")),
        boto.HTTPClientError(error="<urllib3 object> failed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_answer(error: Exception) -> None:
    assert aws_code(error) == ""
    why = explained(error, "DescribeKey")
    assert why.code == "not_reached"
    assert why.error.startswith("AWS was not reached for DescribeKey in us-east-1: ")
    assert len(why.error) > len("AWS was not reached for DescribeKey in us-east-1: .")


@pytest.mark.parametrize(
    "error",
    [
        boto.NoCredentialsError(),
        boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        boto.CredentialRetrievalError(provider="process", error_msg="exit code 1"),
        boto.ProfileNotFound(profile="acme"),
        boto.InvalidConfigError(error_msg="a role needs a source"),
        boto.NoAuthTokenError(),
        boto.SSOTokenLoadError(error_msg="no token"),
        boto.TokenRetrievalError(provider="sso", error_msg="no token"),
        boto.UnauthorizedSSOTokenError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_credentials(error: Exception) -> None:
    why = explained(error)
    assert why.code == "credentials_missing"
    assert str(error).rstrip(".")[:40].partition("\n")[0] in why.error


@pytest.mark.parametrize(
    ("message", "account_id", "expected"),
    [
        pytest.param(f"Key '{arn()}' does not exist", None, ACCOUNT, id="named by AWS"),
        pytest.param(f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:{ALIAS} is not found.", None, ACCOUNT, id="alias"),
        pytest.param("Invalid keyId", OTHER_ACCOUNT, OTHER_ACCOUNT, id="given"),
        pytest.param(
            f"Alias arn:aws-us-gov:kms:us-gov-west-1:{ACCOUNT}:{ALIAS} is not found.", None, ACCOUNT, id="GovCloud"
        ),
        pytest.param("Invalid keyId", None, "of the credentials in use", id="not named"),
    ],
)
def test_not_found(message: str, account_id: str | None, expected: str) -> None:
    why = not_found(message, ALIAS, REGION, account_id)
    assert why.code == "key_not_found"
    assert why.error == f"There is no key {ALIAS} in region {REGION} of the account {expected}."


def test_not_found_with_the_credentials_of_another_account() -> None:
    message = f"Alias arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:{ALIAS} is not found."
    why = not_found(message, ALIAS, REGION, ACCOUNT)
    assert why.code == "credentials_of_other_account"
    assert f"belong to account {OTHER_ACCOUNT}, but account {ACCOUNT} is expected" in why.error


@given(
    code=st.text(min_size=1),
    message=st.one_of(st.none(), st.text()),
    status=st.integers(0, 999),
)
def test_no_answer_breaks_the_reader(code: str, message: str | None, status: int) -> None:
    why = explain(answered(code, message, status), "EnableKey", REGION)
    assert why.error
    assert why.hint


def test_what_may_pass() -> None:
    assert set(TRANSIENT) == {"throttled", "aws_trouble", "not_reached"}
