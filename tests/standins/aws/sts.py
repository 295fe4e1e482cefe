"""Who may assume a role: trust, MFA and web identity, as the AWS STS API Reference has them. Pure, but for used codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .errors import AwsError, access_denied


@dataclass
class TrustedRole:
    """What a role's trust policy asks for.

    `external_id`; `mfa_serial`: the caller's MFA device, which the role asks for; `mfa_codes`: the codes that it shows, each of which
    serves once; `web_identity`: the token that the identity provider has issued.
    """

    arn: str
    external_id: str = ""
    mfa_serial: str = ""
    mfa_codes: list[str] = field(default_factory=list)
    web_identity: str = ""


def check_assume_role(roles: dict[str, TrustedRole], params: dict[str, Any], principal: str) -> None:
    """Refuse as AWS does, which tells a role that is missing from one that does not trust the caller by no word.

    Source: IAM User Guide, "Troubleshoot IAM roles" and "Access to AWS accounts owned by third parties".
    """
    arn, serial, code = (str(params.get(name, "")) for name in ("RoleArn", "SerialNumber", "TokenCode"))
    _check_form(serial, code)
    role = roles.get(arn)
    untrusted = role is None or role.web_identity or role.external_id not in ("", params.get("ExternalId", ""))
    # "If the role being assumed requires MFA and if the TokenCode value is missing …, the call returns an access denied error."
    if role is None or untrusted or (role.mfa_serial and not code):
        raise access_denied(principal, "sts:AssumeRole", arn, "")
    if code:
        _use_code(roles, role, serial, code)


def _check_form(serial: str, code: str) -> None:
    if code and not re.fullmatch(r"[0-9]{6}", code):
        raise AwsError(
            "ValidationError",
            "1 validation error detected: Value at 'tokenCode' failed to satisfy constraint: Member must satisfy regular "
            r"expression pattern: [\d]*",
        )
    if bool(serial) != bool(code):
        raise _mfa_failed(", must provide both MFA serial number and one time pass code.")


def _use_code(roles: dict[str, TrustedRole], role: TrustedRole, serial: str, code: str) -> None:
    if serial != role.mfa_serial:
        raise _mfa_failed(
            ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
        )
    if code not in role.mfa_codes:
        raise _mfa_failed(" with invalid MFA one time pass code. ")
    for other in roles.values():
        # A code serves once, whatever for.
        if other.mfa_serial == serial and code in other.mfa_codes:
            other.mfa_codes.remove(code)


def check_web_identity(roles: dict[str, TrustedRole], params: dict[str, Any]) -> None:
    """Refuse a token that the role's provider has not issued."""
    role = roles.get(str(params.get("RoleArn", "")))
    if role is None or not role.web_identity:
        raise AwsError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
    if params.get("WebIdentityToken") != role.web_identity:
        raise AwsError(
            "InvalidIdentityToken",
            "The web identity token that was passed could not be validated by Amazon Web Services.",
        )


def _mfa_failed(why: str) -> AwsError:
    return AwsError("AccessDenied", f"MultiFactorAuthentication failed{why}", 403)
