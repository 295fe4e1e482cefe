"""Evaluation of key policies and of the stand-in's identity policies: pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Literal

from .errors import AwsError

Verdict = Literal["allow", "deny", "none"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def action_matches(patterns: Iterable[str], action: str) -> bool:
    """Whether one of IAM's action patterns (`*` and `?`, any case) covers the action."""
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in patterns)


def role_of(principal: str) -> str | None:
    """The role ARN of an assumed-role session ARN; None for other principals. (Role paths are not kept by STS.)"""
    parts = principal.split(":")
    if len(parts) < 6 or not parts[5].startswith("assumed-role/"):
        return None
    return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"


def _principal_matches(statement: dict[str, Any], principal: str, account: str) -> bool:
    element = statement.get("Principal")
    if element == "*":
        return True
    names = _list(element.get("AWS", [])) if isinstance(element, dict) else []
    partition = principal.split(":")[1]
    mine = {"*", account, f"arn:{partition}:iam::{account}:root", principal, role_of(principal)}
    return any(name in mine for name in names)


def check_policy(policy: Any) -> None:
    """MalformedPolicyDocumentException unless it is a policy document.

    Since August 2025 each statement needs (Not)Action and Resource (AWS KMS, notice to customers).
    """
    try:
        statements = _list(json.loads(policy)["Statement"])
        complete = all({"Action", "NotAction"} & set(item) and "Resource" in item for item in statements)
    except (ValueError, TypeError, KeyError):
        complete = False
    if not complete:
        raise AwsError("MalformedPolicyDocumentException", "The new key policy is not valid.")


def key_policy_verdict(policy: str | None, principal: str, account: str, action: str) -> Verdict:
    """What a key policy says about a principal and an action.

    An explicit Deny wins over every Allow (AWS KMS Developer Guide, "Troubleshooting AWS KMS permissions").
    `Resource` is always "*" in a key policy. Statements with a `Condition` or `NotPrincipal` are not evaluated.
    """
    try:
        statements = _list(json.loads(policy or "{}").get("Statement", []))
    except (ValueError, AttributeError):
        return "none"
    verdict: Verdict = "none"
    for statement in statements:
        if not isinstance(statement, dict) or statement.get("Condition"):
            continue
        if "NotAction" in statement:
            applies = not action_matches(_list(statement["NotAction"]), action)
        else:
            applies = action_matches(_list(statement.get("Action", [])), action)
        if not applies or not _principal_matches(statement, principal, account):
            continue
        if str(statement.get("Effect")).lower() == "deny":
            return "deny"
        verdict = "allow"
    return verdict
