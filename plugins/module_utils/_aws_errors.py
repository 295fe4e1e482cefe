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

from ._refusals import Refusal, refusal

# AWS KMS API reference and AWS General Reference, "Common error types". Their other codes have an HTTP status from 500 on.
_AWS_CODES: t.Final = {
    "access_denied": ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    "credentials_expired": ("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
    "credentials_invalid": (
        *("IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken"),
        *(
            "MissingAuthenticationTokenException",
            "NotAuthorized",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
    ),
    "throttled": (
        *("LimitExceededException", "RequestLimitExceeded", "Throttling", "ThrottlingException"),
        "TooManyRequestsException",
    ),
}
_BY_AWS_CODE: t.Final = {aws_code: code for code, aws_codes in _AWS_CODES.items() for aws_code in aws_codes}
# What no permission overrides (IAM User Guide, "Troubleshoot access denied error messages").
_DENIES: t.Final = re.compile(r"with an explicit deny|because no (?:service|resource) control policy allows")
# These may be over at the next attempt, or in another region.
TRANSIENT: t.Final = ("aws_trouble", "not_reached", "throttled")
_NO_CREDENTIALS: t.Final = (
    *(
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "InvalidConfigError",
    ),
    *("NoAuthTokenError", "SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"),
)


def aws_code(error: BaseException | None) -> str:
    """Return AWS's error code (``NotFoundException``), or an empty text when AWS did not answer at all."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def explain(error: BaseException, operation: str, region: str, service: str = "kms") -> Refusal:
    """Turn an error of boto3 into what was seen and what to do about it; ``service`` as IAM writes it."""
    code, kind = aws_code(error), type(error).__name__
    if code:
        return _explain_answer(error, code, operation, region, service)
    message = one_line(str(error))
    if kind == "ParamValidationError":
        return refusal("library_too_old", operation=operation)
    if kind in _NO_CREDENTIALS:
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


def not_found(message: str, reference: str, region: str, account_id: str | None) -> Refusal:
    """Explain DescribeKey's NotFoundException; AWS's message names the account that was searched."""
    searched = re.search(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:([0-9]{12}):", message)
    if account_id and searched and searched[1] != account_id:
        return refusal(
            "credentials_of_other_account", reference=reference, region=region, seen=searched[1], account_id=account_id
        )
    account = account_id or (searched[1] if searched else "of the credentials in use")
    return refusal("key_not_found", reference=reference, region=region, account_id=account)


def one_line(message: str) -> str:
    """Return a message as one line without markup, cut to a readable length."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", message)).strip()[:500].rstrip(".") + "."
