# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Who may use a key: its policy and grants. Read only."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, explain


class AccessClient(t.Protocol):
    """The part of boto3's KMS client that is used."""

    def get_key_policy(self, **params: str) -> dict[str, t.Any]: ...
    def list_grants(self, **params: str) -> dict[str, t.Any]: ...


def key_access(client: AccessClient, key_arn: str, region: str) -> dict[str, t.Any]:
    """Read the key's policy and grants in a form that can be compared with an earlier one.

    :return: ``policy``, ``grants`` (each None if it could not be read) and ``access_reason``: why not, one sentence
        each; None if both were read
    """
    policy, grants, reasons = None, None, []
    try:
        # The name is the only one there is, and older versions of botocore demand it.
        policy = canonical(json.loads(client.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]))
    except AWS_ERRORS as error:
        reasons.append(explain(error, "GetKeyPolicy", region).error)
    except ValueError:
        reasons.append(f"The key policy that AWS returned in {region} is not JSON.")
    try:
        grants = sorted((_grant(grant) for grant in _grants(client, key_arn)), key=lambda grant: str(grant["grant_id"]))
    except AWS_ERRORS as error:
        reasons.append(explain(error, "ListGrants", region).error)
    return {"policy": policy, "grants": grants, "access_reason": " ".join(reasons) or None}


def _grants(client: AccessClient, key_arn: str) -> t.Iterator[dict[str, t.Any]]:
    params = {"KeyId": key_arn}
    while True:
        answer = client.list_grants(**params)
        yield from answer["Grants"]
        if not answer.get("Truncated"):
            return
        params["Marker"] = answer["NextMarker"]


def _grant(grant: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "grant_id": grant["GrantId"],
        # A grant to an AWS service names the service in place of a principal.
        "grantee_principal": grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal"),
        "operations": sorted(grant.get("Operations", [])),
        "name": grant.get("Name"),
        "constraints": canonical(grant.get("Constraints") or {}),
        "retiring_principal": grant.get("RetiringPrincipal") or grant.get("RetiringServicePrincipal"),
    }


def canonical(document: t.Any) -> t.Any:
    """Put the parts of a policy into one order: every list in a policy document is a set, and AWS may reorder it.

    (IAM User Guide, "Grammar of the IAM JSON policy language": no list's order has a meaning.)
    """
    if isinstance(document, dict):
        return {name: canonical(document[name]) for name in sorted(document)}
    if isinstance(document, list):
        return sorted((canonical(item) for item in document), key=lambda item: json.dumps(item, sort_keys=True))
    return document
