"""GetKeyLastUsage and ListKeyRotations of imported material.

Sources: AWS KMS API Reference, "GetKeyLastUsage" and "ListKeyRotations".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import AwsError
from .kms import CRYPTOGRAPHIC, validation

if TYPE_CHECKING:
    from moto.kms.models import Key

    from .kms import StrictKms
    from .trail import Trail

# "The date from which KMS began recording cryptographic activity for this key, or the date the KMS key was created,
# whichever is later": for all keys that existed then.
TRACKING_BEGAN = datetime(2026, 4, 27, tzinfo=UTC).timestamp()


def key_last_usage(key: Key, trail: Trail, delay: float) -> dict[str, Any]:
    """The last successful cryptographic operation since tracking began, by whomever, `delay` seconds late.

    It is of this region's key alone, survives CloudTrail's 90 days, and names no principal.
    """
    began = max(TRACKING_BEGAN, float(key.creation_date))
    used = [
        event
        for event in trail.events
        if event.account == key.account_id
        and event.record["eventSource"] == "kms.amazonaws.com"
        and event.record["eventName"] in CRYPTOGRAPHIC
        and "errorCode" not in event.record
        and any(resource["ARN"] == key.arn for resource in event.record.get("resources", []))
        and began <= event.since <= trail.now() - delay
    ]
    answer: dict[str, Any] = {
        "KeyId": key.id,
        "KeyLastUsage": {},
        "TrackingStartDate": began,
        "KeyCreationDate": key.creation_date,
    }
    if used:
        last = max(used, key=lambda event: (event.moment, event.seq))
        answer["KeyLastUsage"] = {
            "Operation": last.record["eventName"],
            "Timestamp": last.moment.timestamp(),
            "CloudTrailEventId": last.record["eventID"],
            "KmsRequestId": last.record["requestID"],
        }
    return answer


def key_rotations(kms: StrictKms, key: Key, params: dict[str, Any]) -> dict[str, Any]:
    """The key material of a key with imported material, as it was planted; only ALL_KEY_MATERIAL shows the first one."""
    which = params.get("IncludeKeyMaterial", "ROTATIONS_ONLY")
    if which not in ("ALL_KEY_MATERIAL", "ROTATIONS_ONLY"):
        constraint = "satisfy enum value set: [ALL_KEY_MATERIAL, ROTATIONS_ONLY]"
        raise AwsError("ValidationException", validation("includeKeyMaterial", which, constraint))
    limit = params.get("Limit", 100)
    entries = kms.material(key)
    if which == "ROTATIONS_ONLY":
        entries = [entry for entry in entries if "RotationDate" in entry]
    start = int(params.get("Marker") or 0)
    answer: dict[str, Any] = {"Rotations": entries[start : start + limit], "Truncated": start + limit < len(entries)}
    return answer | ({"NextMarker": str(start + limit)} if answer["Truncated"] else {})
