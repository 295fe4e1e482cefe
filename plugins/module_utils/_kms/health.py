# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a key was last used, and which imported key material it lacks. Read only, and optional: old versions of boto3 know neither."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from .._aws_errors import AWS_ERRORS, explain
from .._refusals import RefusedError, refusal
from .._time import format_time

# 100 a page (AWS KMS API Reference, ListKeyRotations); a key has 25 rotations on demand at most, and one a year.
_MOST_PAGES: t.Final = 10
# Key material in any other state is not a part of the key yet.
_NEEDED: t.Final = ("CURRENT", "NON_CURRENT")


@dataclass(frozen=True)
class LastUse:
    """The last successful cryptographic operation with a key, by whomever, as AWS KMS records it. It is up to an hour late.

    Without one, all but ``tracked_since`` and ``created_at`` are None. Times are ISO 8601 in UTC.
    """

    time: str | None = None
    operation: str | None = None
    event_id: str | None = None  # of CloudTrail's event
    tracked_since: str | None = None
    created_at: str | None = None


@dataclass
class Health:
    """What is known of the health of a key so far; a part that was not read is None."""

    last_use: LastUse | None = None
    missing_material: list[str] | None = None
    reasons: list[str] = field(default_factory=list)
    is_done: bool = False

    def as_result(self, unanswered: str) -> dict[str, t.Any]:
        """Return ``last_use``, ``missing_material`` and ``health_reason``: why one could not be read; None if all were.

        :param unanswered: what to say of a reading that has not ended
        """
        last_use, reasons = self.last_use, list(self.reasons)
        reasons += [] if self.is_done else [unanswered]
        return {
            "last_use": dataclasses.asdict(last_use) if last_use else None,
            "missing_material": self.missing_material,
            "health_reason": " ".join(reasons) or None,
        }


def read_health(client: t.Any, key_arn: str, region: str, health: Health, *, is_imported: bool) -> None:
    """Read when the key was last used, and of imported material which is missing, into ``health``, part by part."""
    try:
        health.last_use = read_last_use(client, key_arn, region)
    except RefusedError as refused:
        health.reasons.append(refused.refusal.error)
    try:
        health.missing_material = _missing_material(client, key_arn, region) if is_imported else []
    except RefusedError as refused:
        health.reasons.append(refused.refusal.error)
    health.is_done = True


def read_last_use(client: t.Any, key_arn: str, region: str) -> LastUse:
    """Ask AWS when a key was last used. RefusedError if it does not answer, or boto3 cannot ask."""
    answer = _ask(client, "GetKeyLastUsage", "get_key_last_usage", region, KeyId=key_arn)
    use = answer.get("KeyLastUsage") or {}
    return LastUse(
        format_time(use.get("Timestamp")),
        use.get("Operation"),
        use.get("CloudTrailEventId"),
        format_time(answer.get("TrackingStartDate")),
        format_time(answer.get("KeyCreationDate")),
    )


def _missing_material(client: t.Any, key_arn: str, region: str) -> list[str]:
    """Name the key material that is to be imported again: what was encrypted under it cannot be decrypted meanwhile."""
    missing: list[str] = []
    params = {"KeyId": key_arn, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    for _page in range(_MOST_PAGES):
        answer = _ask(client, "ListKeyRotations", "list_key_rotations", region, **params)
        missing += [
            str(material["KeyMaterialId"])
            for material in answer["Rotations"]
            if material.get("ImportState") == "PENDING_IMPORT" and material.get("KeyMaterialState") in _NEEDED
        ]
        if not answer.get("Truncated"):
            break
        params["Marker"] = answer["NextMarker"]
    return missing


def _ask(client: t.Any, operation: str, method: str, region: str, **params: str) -> dict[str, t.Any]:
    call = getattr(client, method, None)
    if call is None:
        raise RefusedError(refusal("library_too_old", operation=operation))
    try:
        return t.cast("dict[str, t.Any]", call(**params))
    except AWS_ERRORS as error:
        is_old = type(error).__name__ == "ParamValidationError"
        why = refusal("library_too_old", operation=operation) if is_old else explain(error, operation, region)
        raise RefusedError(why) from error
