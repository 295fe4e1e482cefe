# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a key: its policy and grants. Read only."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import (
    AWS_ERRORS,
    explain,
    explain_optional,
)


class AccessClient(t.Protocol):
    """The part of boto3's KMS client that is used."""

    def get_key_policy(self, **params: str) -> dict[str, t.Any]: ...
    def list_grants(self, **params: str) -> dict[str, t.Any]: ...


# 50 a page, unless asked for another number (AWS KMS API Reference, ListGrants).
MOST_PAGES: t.Final = 100


@dataclass(frozen=True)
class Grant:
    """A grant, as the module returns it: who may do what with the key, and under which condition."""

    grant_id: str
    grantee_principal: str | None
    operations: list[str]
    name: str | None
    constraints: t.Any
    retiring_principal: str | None

    @classmethod
    def from_answer(cls, grant: t.Mapping[str, t.Any]) -> Grant:
        """Read an entry of ListGrants."""
        return cls(
            grant_id=grant["GrantId"],
            # A grant to an AWS service names the service in place of a principal.
            grantee_principal=grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal"),
            operations=sorted(grant.get("Operations", [])),
            name=grant.get("Name"),
            constraints=canonical(grant.get("Constraints") or {}),
            retiring_principal=grant.get("RetiringPrincipal") or grant.get("RetiringServicePrincipal"),
        )


@dataclass
class Access:
    """The key's policy and grants in a form that can be compared with an earlier one; each None until it was read."""

    policy: t.Any = None
    grants: list[Grant] | None = None
    reasons: list[str] = field(default_factory=list)
    is_done: bool = False

    def as_result(self, unanswered: str) -> dict[str, t.Any]:
        """Return ``policy``, ``grants`` and ``access_reason``: why one could not be read; None if both were.

        :param unanswered: what to say of a reading that has not ended
        """
        policy, grants, reasons = self.policy, self.grants, list(self.reasons)
        if not self.is_done:
            reasons.append(unanswered)
        listed = None if grants is None else [vars(grant) for grant in grants]
        return {"policy": policy, "grants": listed, "access_reason": " ".join(reasons) or None}


def read_access(client: AccessClient, key_arn: str, region: str, access: Access) -> None:
    """Read the key's policy and grants into ``access``, part by part."""
    try:
        # The name is the only one there is, and older versions of botocore demand it.
        access.policy = canonical(json.loads(client.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]))
    except AWS_ERRORS as error:
        access.reasons.append(explain_optional(explain(error, "GetKeyPolicy", region), "GetKeyPolicy"))
    except ValueError:
        access.reasons.append(f"The key policy that AWS returned in {region} is not JSON.")
    try:
        access.grants = _grants(client, key_arn)
        if access.grants is None:
            access.reasons.append(f"The key in {region} has more grants than the {MOST_PAGES} pages that were read.")
    except AWS_ERRORS as error:
        access.reasons.append(explain_optional(explain(error, "ListGrants", region), "ListGrants"))
    access.is_done = True


def _grants(client: AccessClient, key_arn: str) -> list[Grant] | None:
    """Return all grants, sorted by id; None if there are too many to read: a part of them would pass for the whole."""
    grants: list[Grant] = []
    params = {"KeyId": key_arn}
    for _page in range(MOST_PAGES):
        answer = client.list_grants(**params)
        grants += map(Grant.from_answer, answer["Grants"])
        if not answer.get("Truncated"):
            return sorted(grants, key=lambda grant: grant.grant_id)
        params["Marker"] = answer["NextMarker"]
    return None


def canonical(document: t.Any) -> t.Any:
    """Put the parts of a policy into one order: every list in a policy document is a set, and AWS may reorder it.

    (IAM User Guide, "Grammar of the IAM JSON policy language": no list's order has a meaning.)
    """
    if isinstance(document, dict):
        return {name: canonical(document[name]) for name in sorted(document)}
    if isinstance(document, list):
        return sorted((canonical(item) for item in document), key=lambda item: json.dumps(item, sort_keys=True))
    return document
