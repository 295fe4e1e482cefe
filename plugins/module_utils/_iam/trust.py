# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one statement of a trust policy that a restoration of BYOK may change. Pure: no AWS, no Ansible.

Atlassian, "Restore access to your BYOK encryption keys"
(https://support.atlassian.com/security-and-access-policies/docs/restore-your-byok-encryption-keys/): in the trust
policy of role atlassian-key-management, the statement

    {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::279766244153:role/Cryptor-OSB-Provider"}, "Action": "sts:AssumeRole"}

gets the effect Allow. The page shows nothing else of the policy. So a policy counts as documented if exactly one
statement names that principal, in this form, and if no Deny beside it reaches the principal. Beyond the page only this
is accepted: a ``Sid``, which means nothing to AWS, and a list of one in place of a single value, which AWS treats alike.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import re
import typing as t
from dataclasses import dataclass

from .._refusals import Refusal, refusal

ROLE: t.Final = "atlassian-key-management"
PRINCIPAL: t.Final = "arn:aws:iam::279766244153:role/Cryptor-OSB-Provider"
_ACCOUNT: t.Final = PRINCIPAL.split(":")[4]
_ACTION: t.Final = "sts:AssumeRole"
_KEYS: t.Final = ("Action", "Effect", "Principal", "Sid")
_EFFECTS: t.Final = ("Allow", "Deny")
_MOST: t.Final = 400


@dataclass(frozen=True)
class TrustPlan:
    """What the statement needs."""

    before: str  # its effect
    after: dict[str, t.Any]  # the whole policy, a new object

    @property
    def changes(self) -> bool:
        return self.before != "Allow"


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    content: t.Mapping[str, t.Any]

    @property
    def names_atlassian(self) -> bool:
        """Whether it names the principal, be it as an exception."""
        excluded = self.content.get("NotPrincipal")
        others = _list(excluded.get("AWS", [])) if isinstance(excluded, t.Mapping) else []
        return PRINCIPAL in [*self._aws_principals(), *others]

    @property
    def difference(self) -> str:
        """How it differs from the documented one; empty if it does not."""
        more = sorted(str(name) for name in self.content if name not in _KEYS)
        if more:
            return f"it has {', '.join(more)}"
        if _plain(self.content["Principal"]) != {"AWS": PRINCIPAL}:
            return "it has other principals as well"
        if _plain(self.content.get("Action")) != _ACTION:
            return f"its action is not {_ACTION} alone"
        return ""

    @property
    def may_deny(self) -> bool:
        """Whether it may deny the principal; a condition is not weighed, and what is not understood may."""
        if self.content["Effect"] != "Deny":
            return False
        actions = self.content.get("Action")
        # NotAction, or what is no text.
        readable = actions is not None and all(isinstance(action, str) for action in _list(actions))
        if readable and not any(fnmatch.fnmatchcase(_ACTION.lower(), action.lower()) for action in _list(actions)):
            return False
        if not isinstance(self.content.get("Principal"), t.Mapping):  # everybody, or NotPrincipal
            return True
        return not all(map(_is_of_another_account, self._aws_principals()))

    def _aws_principals(self) -> list[t.Any]:
        principal = self.content.get("Principal")
        return _list(principal.get("AWS", [])) if isinstance(principal, t.Mapping) else []


def plan(document: object) -> TrustPlan | Refusal:
    """Decide what the trust policy of the role, as GetRole answers it, needs; the refusal shows what was seen."""
    statements = _statements(document)
    if not statements:
        return refusal("trust_malformed", role=ROLE, seen=quote(document))
    naming = [place for place, statement in enumerate(statements) if statement.names_atlassian]
    if not naming:
        seen = quote([statement.content for statement in statements])
        return refusal("trust_not_found", role=ROLE, principal=PRINCIPAL, seen=seen)
    if len(naming) > 1:
        seen = quote([statements[place].content for place in naming])
        return refusal("trust_ambiguous", role=ROLE, principal=PRINCIPAL, count=len(naming), seen=seen)
    (place,) = naming
    ours = statements.pop(place)
    if ours.difference:
        return refusal("trust_undocumented", role=ROLE, difference=ours.difference, seen=quote(ours.content))
    denying = [statement.content for statement in statements if statement.may_deny]
    if denying:
        return refusal("trust_denied_elsewhere", role=ROLE, principal=PRINCIPAL, seen=quote(denying))
    after = copy.deepcopy(t.cast("dict[str, t.Any]", document))
    listed = after["Statement"]
    (listed[place] if isinstance(listed, list) else listed)["Effect"] = "Allow"
    return TrustPlan(str(ours.content["Effect"]), after)


def is_same(one: object, other: object) -> bool:
    """Tell whether two policies mean the same: a list of one is its value, and no list's order has a meaning.

    (IAM User Guide, "Grammar of the IAM JSON policy language".)
    """
    return bool(_plain(one) == _plain(other))


def written(document: object) -> str:
    """Write a policy as UpdateAssumeRolePolicy takes it, and as people read it in the console."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def quote(seen: object) -> str:
    """Quote a part of a policy for a message, cut to a readable length."""
    text = json.dumps(seen, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST else f"{text[:_MOST]}… ({len(text)} characters)"


def _statements(document: object) -> list[Statement]:
    """The policy's statements; none if it is not a policy. (A single one may stand without a list.)"""
    if not isinstance(document, t.Mapping):
        return []
    listed = _list(document.get("Statement"))
    whole = all(isinstance(content, t.Mapping) and content.get("Effect") in _EFFECTS for content in listed)
    return list(map(Statement, listed)) if whole else []


def _list(value: object) -> list[t.Any]:
    return value if isinstance(value, list) else [value]


def _is_of_another_account(name: object) -> bool:
    # An id such as AROA… tells nothing of its account.
    found = (
        re.fullmatch(r"(?:arn:aws[a-z-]*:(?:iam|sts)::)?([0-9]{12})(?::.+)?", name) if isinstance(name, str) else None
    )
    return found is not None and found[1] != _ACCOUNT


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, t.Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        items = sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str))
        return items[0] if len(items) == 1 else items
    return value
