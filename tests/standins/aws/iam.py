"""IAM's own rules for roles and their trust policies.

Rules come from the AWS IAM API Reference (GetRole, UpdateAssumeRolePolicy), the IAM User Guide ("Grammar of the IAM JSON
policy language", "AWS JSON policy elements: Principal", "IAM and AWS STS quotas", "Troubleshoot IAM": changes are "not
always immediately visible"), and what users of the service report of its messages.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from .answers import Answer
from .errors import AwsError
from .kms import Settings

REGION = "us-east-1"
OPERATIONS = ("GetRole", "UpdateAssumeRolePolicy")
_TRUST_QUOTA = 2048
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_FIELDS = {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
_PROHIBITED = {"Resource", "NotResource"}
_AWS_PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:[^*?]+|A[A-Z]{3}[A-Z0-9]{16,}")


@dataclass
class Role:
    """One role. `history`: when each trust policy (its JSON text) was written."""

    name: str
    account: str
    history: list[tuple[float, str]]
    path: str = "/"

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account}:role{self.path}{self.name}"


@dataclass
class StrictIam:
    """The roles that were planted, and what GetRole and UpdateAssumeRolePolicy answer."""

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    roles: dict[tuple[str, str], Role] = field(default_factory=dict)

    def plant(self, account: str, name: str, policy: Any) -> Role:
        """Create a role, or force its trust policy, whatever it is; seen at once."""
        text = policy if isinstance(policy, str) else json.dumps(policy)
        self.roles[account, name] = Role(name, account, [(float("-inf"), text)])
        return self.roles[account, name]

    def act(self, operation: str, params: dict[str, Any], account: str, request_id: str) -> Answer:
        name = params.get("RoleName", "")
        if not re.fullmatch(r"[\w+=,.@-]{1,64}", name):
            raise AwsError("ValidationError", "The specified value for roleName is invalid.")
        role = self.roles.get((account, name))
        if role is None:
            raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
        if operation == "UpdateAssumeRolePolicy":
            text = params.get("PolicyDocument", "")
            check_trust_policy(text)
            role.history.append((self.clock(), text))
            return _answer(operation, "", request_id)
        return _answer(operation, f"<GetRoleResult>{_role(role, self.visible(role))}</GetRoleResult>", request_id)

    def visible(self, role: Role) -> str:
        horizon = self.clock() - self.settings.propagation
        return [text for moment, text in role.history if moment <= horizon][-1]

    def summary(self, role: Role) -> dict[str, Any]:
        """One entry of `GET /_standin/iam_roles`: the trust policy as it really is."""
        return {"account": role.account, "name": role.name, "arn": role.arn, "policy": role.history[-1][1]}


def _role(role: Role, policy: str) -> str:
    role_id = "AROA" + hashlib.sha256(role.arn.encode()).hexdigest()[:17].upper()
    # "The returned policy is URL-encoded compliant with RFC 3986" (API Reference, Role).
    return (
        f"<Role><Path>{role.path}</Path><RoleName>{escape(role.name)}</RoleName><RoleId>{role_id}</RoleId>"
        f"<Arn>{escape(role.arn)}</Arn><CreateDate>2024-05-01T12:00:00Z</CreateDate>"
        f"<AssumeRolePolicyDocument>{quote(policy, safe='')}</AssumeRolePolicyDocument>"
        "<MaxSessionDuration>3600</MaxSessionDuration></Role>"
    )


def _answer(operation: str, result: str, request_id: str) -> Answer:
    body = (
        f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">{result}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, "text/xml", body.encode())


def check_trust_policy(text: str) -> None:
    """MalformedPolicyDocument unless it is a trust policy; LimitExceeded if it is too long."""
    if not text or not re.fullmatch(r"[\t\n\r\u0020-\u00ff]+", text):
        raise AwsError("ValidationError", "The specified value for policyDocument is invalid.")
    try:
        document = json.loads(text, object_pairs_hook=_once)
    except ValueError:
        raise _malformed("This policy contains invalid Json") from None
    if len(re.sub(r"\s", "", text)) > _TRUST_QUOTA:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {_TRUST_QUOTA}", 409)
    listed = _statements(document)
    for statement in listed:
        _check_statement(statement)
    names = [statement["Sid"] for statement in listed if statement.get("Sid")]
    if len(names) > len(set(names)):
        raise _malformed("Statement IDs (SID) in a single policy must be unique.")


def _statements(document: Any) -> list[dict[str, Any]]:
    whole = isinstance(document, dict) and not set(document) - {"Version", "Id", "Statement"}
    if whole and document.get("Version", "2008-10-17") in ("2012-10-17", "2008-10-17") and document.get("Statement"):
        listed = _values(document["Statement"])
        if all(isinstance(one, dict) and not set(one) - _FIELDS - _PROHIBITED for one in listed):
            return listed
    raise _malformed("Syntax errors in policy.")


def _check_statement(statement: dict[str, Any]) -> None:
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed("Syntax errors in policy.")
    for name in sorted(_PROHIBITED & set(statement)):
        raise _malformed(f"Has prohibited field {name}")
    for name in ("Principal", "Action"):
        if (name in statement) == (f"Not{name}" in statement):
            raise _malformed(f"Missing required field {name}")
    for action in _values(statement.get("Action", statement.get("NotAction"))):
        if not isinstance(action, str) or not re.fullmatch(r"(?i)\*|sts:[\w*?]+", action):
            raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")))


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or set(principal) - set(_PRINCIPALS):
        raise _malformed("AssumeRolepolicy contained an invalid principal.")
    for name in _values(principal.get("AWS", [])):
        if not isinstance(name, str) or not _AWS_PRINCIPAL.fullmatch(name):
            raise _malformed(f'Invalid principal in policy: "AWS":"{name}"')


def _values(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)
