# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an error of boto3 means to an operator. Pure."""

from __future__ import annotations

import re
import typing as t

try:
    from botocore.exceptions import BotoCoreError, ClientError

    AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
except ImportError:  # AnsibleAWSModule reports the missing library
    AWS_ERRORS = ()

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal

# AWS KMS API reference and AWS General Reference, "Common error types".
_BY_AWS_CODE: t.Final[dict[str, str]] = {
    "AccessDenied": "access_denied",
    "AccessDeniedException": "access_denied",
    "UnauthorizedOperation": "access_denied",
    "ExpiredToken": "credentials_expired",
    "ExpiredTokenException": "credentials_expired",
    "RequestExpired": "credentials_expired",
    "IncompleteSignature": "credentials_invalid",
    "InvalidClientTokenId": "credentials_invalid",
    "InvalidSignatureException": "credentials_invalid",
    "MissingAuthenticationToken": "credentials_invalid",
    "MissingAuthenticationTokenException": "credentials_invalid",
    "NotAuthorized": "credentials_invalid",
    "SignatureDoesNotMatch": "credentials_invalid",
    "UnrecognizedClientException": "credentials_invalid",
    "LimitExceededException": "throttled",
    "RequestLimitExceeded": "throttled",
    "Throttling": "throttled",
    "ThrottlingException": "throttled",
    "TooManyRequestsException": "throttled",
    "DependencyTimeoutException": "aws_trouble",
    "InternalFailure": "aws_trouble",
    "KMSInternalException": "aws_trouble",
    "ServiceFailure": "aws_trouble",
    "ServiceUnavailable": "aws_trouble",
}
# What no permission overrides (IAM User Guide, "Troubleshoot access denied error messages").
_DENIES: t.Final = re.compile(r"with an explicit deny|because no (?:service|resource) control policy allows")
# These may be over at the next attempt, or in another region.
TRANSIENT: t.Final = ("aws_trouble", "not_reached", "throttled")
_NO_CREDENTIALS: t.Final = (
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "ProfileNotFound",
    "InvalidConfigError",
    "NoAuthTokenError",
    "SSOTokenLoadError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
)


def aws_code(error: BaseException) -> str:
    """Return AWS's error code (``NotFoundException``), or an empty text when AWS did not answer at all."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def explain(error: BaseException, operation: str, region: str, service: str = "kms") -> Refusal:
    """Turn an error of boto3 into what was seen and what to do about it; ``service`` as IAM writes it."""
    code = aws_code(error)
    if code:
        return _explain_answer(error, code, operation, region, service)
    message = one_line(str(error))
    if type(error).__name__ in _NO_CREDENTIALS:
        return refusal("credentials_missing", region=region, message=message)
    return refusal("not_reached", operation=operation, region=region, message=message)


def _explain_answer(error: BaseException, code: str, operation: str, region: str, service: str) -> Refusal:
    response: dict[str, t.Any] = error.response  # type: ignore[attr-defined]
    message = one_line(str(response["Error"].get("Message") or "no reason was given"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    ours = _BY_AWS_CODE.get(code, "aws_trouble" if status >= 500 else "aws_refused")
    if ours == "access_denied" and _DENIES.search(message):
        ours = "guarded" if operation == "DisableKey" else "denied"
    if ours == "aws_trouble":
        message = f"{message} (HTTP {status}, {code})"
    return refusal(
        ours, operation=operation, region=region, message=message, aws_code=code, action=f"{service}:{operation}"
    )


def explain_optional(why: Refusal, operation: str) -> str:
    """Say why an optional call gave nothing; of a missing permission in one short sentence, the same for every region."""
    return f"AWS refused {operation}." if why.code in ("access_denied", "denied") else why.error


def not_found(error: BaseException, reference: str, region: str, account_id: str | None) -> Refusal:
    """Explain DescribeKey's NotFoundException; AWS's message names the account that was searched."""
    searched = re.search(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:([0-9]{12}):", str(error))
    if account_id and searched and searched[1] != account_id:
        return refusal(
            "credentials_of_other_account", reference=reference, region=region, seen=searched[1], account_id=account_id
        )
    account = account_id or (searched[1] if searched else "of the credentials in use")
    return refusal("key_not_found", reference=reference, region=region, account_id=account)


def one_line(message: str) -> str:
    """Return a message as one line without markup, cut to a readable length."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", message)).strip()[:500].rstrip(".") + "."
