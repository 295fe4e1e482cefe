"""Errors as AWS writes them: code, HTTP status, usual text, and both wire formats."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

# Status and text that AWS documents or is known to send, for faults that name only the code.
# DependencyTimeoutException: the AWS SDK models say 503; the HTML reference says 500. Both are retried alike.
USUAL: dict[str, tuple[int, str]] = {
    "DependencyTimeoutException": (503, "The system timed out while trying to fulfill the request."),
    "DisabledException": (400, "The request was rejected because the specified KMS key is not enabled."),
    "ExpiredToken": (403, "The security token included in the request is expired"),
    "ExpiredTokenException": (400, "The security token included in the request is expired"),
    "InternalFailure": (500, "The request processing has failed because of an unknown error, exception or failure."),
    "InvalidArnException": (400, "The request was rejected because a specified ARN is not valid."),
    "InvalidClientTokenId": (403, "The security token included in the request is invalid."),
    "InvalidSignatureException": (
        400,
        "The request signature we calculated does not match the signature you provided.",
    ),
    "KMSInternalException": (500, "The request was rejected because an internal exception occurred."),
    "KMSInvalidStateException": (
        400,
        "The request was rejected because the state of the specified resource is not valid for this request.",
    ),
    "LimitExceededException": (400, "The request was rejected because a quota was exceeded."),
    "NotFoundException": (
        400,
        "The request was rejected because the specified entity or resource could not be found.",
    ),
    "RequestExpired": (400, "The request reached the service more than 15 minutes after the date stamp."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
    "ServiceUnavailableException": (503, "The request has failed due to a temporary failure of the server."),
    "Throttling": (400, "Rate exceeded"),
    "ThrottlingException": (400, "Rate exceeded"),
    "UnrecognizedClientException": (400, "The security token included in the request is invalid."),
}

XML_SERVICES = {"sts", "iam", "ec2", "sns", "cloudformation", "autoscaling", "elasticloadbalancing", "s3"}


class AwsError(Exception):
    """An error answer of AWS.

    Attributes: `code` (as AWS writes it), `message`, `status` (HTTP).
    """

    def __init__(self, code: str, message: str | None = None, status: int | None = None) -> None:
        usual_status, usual_message = USUAL.get(code, (400, code))
        self.code = code
        self.message = usual_message if message is None else message
        self.status = status or usual_status
        super().__init__(f"{code}: {self.message}")


def access_denied(principal: str, action: str, resource: str | None, reason: str) -> AwsError:
    """AccessDeniedException in IAM's words ("Troubleshoot access denied error messages", IAM User Guide).

    `reason` follows the resource: "because no identity-based policy allows the … action",
    "with an explicit deny in a resource-based policy".
    """
    where = f" on resource: {resource}" if resource else ""
    said = f"User: {principal} is not authorized to perform: {action}{where} {reason}"
    return AwsError("AccessDeniedException", said.rstrip())


def no_identity_policy(principal: str, action: str, resource: str | None) -> AwsError:
    return access_denied(principal, action, resource, f"because no identity-based policy allows the {action} action")


def not_accessible(principal: str, action: str) -> AwsError:
    """What KMS answers for a key of another account, whether or not the key exists."""
    return AwsError(
        "AccessDeniedException",
        f"User: {principal} is not authorized to perform: {action} on this resource because the resource does not "
        "exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies "
        "access",
    )


def render(error: AwsError, service: str, request_id: str) -> tuple[int, str, bytes]:
    """Return (HTTP status, content type, body) in the service's protocol (JSON 1.1, or query/XML)."""
    if service not in XML_SERVICES:
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        return error.status, "application/x-amz-json-1.1", body
    code = "AccessDenied" if error.code == "AccessDeniedException" else error.code
    status = 403 if code == "AccessDenied" else error.status
    kind = "Sender" if status < 500 else "Receiver"
    xml = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return status, "text/xml", xml.encode()
