# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may use a key, when it was last used, and which imported key material it lacks. Read only."""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass, field

from .._calls import call, read_pages
from .._refusals import RefusedError
from .._time import format_time

# 50 a page, unless asked for another number (AWS KMS API Reference, ListGrants).
MOST_PAGES: t.Final = 100
# 100 a page (AWS KMS API Reference, ListKeyRotations); a key has 25 rotations on demand at most, and one a year.
_MOST_ROTATION_PAGES: t.Final = 10
# Key material in any other state is not a part of the key yet.
_NEEDED: t.Final = ("CURRENT", "NON_CURRENT")


@dataclass
class Details:
    """Facts about a key, each with the function that reads it."""

    reason_name: str  # what the result calls why a fact is missing
    readers: dict[str, t.Callable[[t.Any, str, str], t.Any]]
    facts: dict[str, t.Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    is_done: bool = False

    def read(self, client: t.Any, key_arn: str, region: str) -> None:
        for name, read in self.readers.items():
            try:
                self.facts[name] = read(client, key_arn, region)
            except RefusedError as refused:
                self.reasons.append(refused.brief)
            except ValueError as error:
                self.reasons.append(str(error))
        self.is_done = True

    def as_result(self, unanswered: str) -> dict[str, t.Any]:
        """Return the facts, None for each that was not read; ``unanswered`` says why, for a reading that has not ended."""
        reasons = [*self.reasons, *([] if self.is_done else [unanswered])]
        return {**dict.fromkeys(self.readers), **self.facts, self.reason_name: " ".join(reasons) or None}


def access_details() -> Details:
    """Return a key's policy and grants, to be read, in a form that can be compared with an earlier one."""
    return Details("access_reason", {"policy": _read_policy, "grants": _read_grants})


def health_details(*, is_imported: bool) -> Details:
    """Return when a key was last used, and of imported key material which is missing, to be read."""
    read_missing = _read_missing_material if is_imported else lambda *_key: []
    readers = {"last_use": lambda *key: vars(read_last_use(*key)), "missing_material": read_missing}
    return Details("health_reason", readers)


def _read_policy(client: t.Any, key_arn: str, region: str) -> t.Any:
    # The name is the only one there is, and older versions of botocore demand it.
    policy = call(client, "GetKeyPolicy", region, KeyId=key_arn, PolicyName="default")["Policy"]
    try:
        return canonical(json.loads(policy))
    except ValueError as error:
        raise ValueError(f"The key policy that AWS returned in {region} is not JSON.") from error


def _read_grants(client: t.Any, key_arn: str, region: str) -> list[dict[str, t.Any]]:
    pages, is_all = read_pages(functools.partial(call, client, "ListGrants", region), MOST_PAGES, KeyId=key_arn)
    if not is_all:
        # A part of them would pass for the whole.
        raise ValueError(f"The key in {region} has more grants than the {MOST_PAGES} pages that were read.")
    grants = [
        {
            "grant_id": grant["GrantId"],
            # A grant to an AWS service names the service in place of a principal.
            "grantee_principal": grant.get("GranteePrincipal") or grant.get("GranteeServicePrincipal"),
            "operations": sorted(grant.get("Operations", [])),
            "name": grant.get("Name"),
            "constraints": canonical(grant.get("Constraints") or {}),
            "retiring_principal": grant.get("RetiringPrincipal") or grant.get("RetiringServicePrincipal"),
        }
        for page in pages
        for grant in page["Grants"]
    ]
    return sorted(grants, key=lambda grant: str(grant["grant_id"]))


@dataclass(frozen=True)
class LastUse:
    """The last successful cryptographic operation with a key, by whomever, as AWS KMS records it. It is up to an hour late."""

    time: str | None = None  # ISO 8601 in UTC, as all times; None if the key was not used since
    operation: str | None = None
    event_id: str | None = None  # of CloudTrail's event
    tracked_since: str | None = None
    created_at: str | None = None


def read_last_use(client: t.Any, key_arn: str, region: str) -> LastUse:
    """Ask AWS when a key was last used. RefusedError if it does not answer, or boto3 cannot ask."""
    answer = call(client, "GetKeyLastUsage", region, KeyId=key_arn)
    use = answer.get("KeyLastUsage") or {}
    return LastUse(
        format_time(use.get("Timestamp")),
        use.get("Operation"),
        use.get("CloudTrailEventId"),
        format_time(answer.get("TrackingStartDate")),
        format_time(answer.get("KeyCreationDate")),
    )


def _read_missing_material(client: t.Any, key_arn: str, region: str) -> list[str]:
    """Name the key material that is to be imported again: what was encrypted under it cannot be decrypted meanwhile."""
    read = functools.partial(call, client, "ListKeyRotations", region)
    pages, _is_all = read_pages(read, _MOST_ROTATION_PAGES, KeyId=key_arn, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return [
        str(material["KeyMaterialId"])
        for page in pages
        for material in page["Rotations"]
        if material.get("ImportState") == "PENDING_IMPORT" and material.get("KeyMaterialState") in _NEEDED
    ]


def canonical(document: t.Any) -> t.Any:
    """Put the parts of a policy into one order: every list in a policy document is a set, and AWS may reorder it.

    (IAM User Guide, "Grammar of the IAM JSON policy language": no list's order has a meaning.)
    """
    if isinstance(document, dict):
        return {name: canonical(document[name]) for name in sorted(document)}
    if isinstance(document, list):
        return sorted((canonical(item) for item in document), key=lambda item: json.dumps(item, sort_keys=True))
    return document
