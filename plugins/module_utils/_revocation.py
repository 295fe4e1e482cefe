# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""When, how and by whom was access to a key taken away? Read from CloudTrail's events of the key. Pure.

A loss is undone only by what really undoes it:

=====================================================  ==================================================
lost by                                                undone by
=====================================================  ==================================================
DisableKey                                             EnableKey
ScheduleKeyDeletion                                    CancelKeyDeletion, which leaves the key Disabled,
                                                       and then EnableKey
DeleteImportedKeyMaterial, DeleteExpiredKeyMaterial    ImportKeyMaterial
DisconnectCustomKeyStore                               ConnectCustomKeyStore
DeleteKey (AWS's own, at the end of the waiting time)  nothing
=====================================================  ==================================================

Access is back when every loss is undone, and a loss begins with the first event that takes access away: whoever
disables a disabled key again, or schedules its deletion, begins no new one. A call that failed changed nothing.

PutKeyPolicy, RevokeGrant and RetireGrant are *suspects*: each may have locked the vendor out of an Enabled key, and
each is a daily affair as well (AWS services retire their own grants; infrastructure tools put policies). CloudTrail
cannot tell which, so a suspect is shown but never taken for the revocation: a routine change of last month must not
start the vendor's clock, and the repair of a policy (a PutKeyPolicy too) must not look like another revocation.

Sources: AWS KMS Developer Guide, "Key states of AWS KMS keys" and "Logging AWS KMS API calls with AWS CloudTrail"
(https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html); AWS KMS API Reference.
"""

from __future__ import annotations

import datetime as dt
import json
import typing as t

_TAKES: t.Final = {
    "DisableKey": "disabled",
    "ScheduleKeyDeletion": "pending deletion",
    "DeleteImportedKeyMaterial": "without material",
    "DeleteExpiredKeyMaterial": "without material",
    "DisconnectCustomKeyStore": "without key store",
    "DeleteKey": "deleted",
}
_GIVES: t.Final = {
    "CancelKeyDeletion": "pending deletion",
    "ImportKeyMaterial": "without material",
    "ConnectCustomKeyStore": "without key store",
    "EnableKey": "disabled",
}
SUSPECTS: t.Final = ("PutKeyPolicy", "RevokeGrant", "RetireGrant")
# What gives comes before what takes: of events that lie in the same second, the loss then counts as the later one.
STORE_EVENTS: t.Final = ("ConnectCustomKeyStore", "DisconnectCustomKeyStore")
KEY_EVENTS: t.Final = tuple(name for name in (*_GIVES, *SUSPECTS, *_TAKES) if name not in STORE_EVENTS)

Event = dict[str, t.Any]


def read(found: t.Iterable[t.Mapping[str, t.Any]], region: str) -> list[Event]:
    """Keep of CloudTrail's events what tells of access to a key, the oldest first.

    :param found: ``Events`` of LookupEvents (boto3), the newest first
    :return: ``time`` (ISO 8601, UTC), ``name``, ``user_arn``, ``source_ip``, ``event_id``, ``error_code`` (None if
        the call succeeded), ``region``
    """
    told = [_event(event, region) for event in found if event["EventName"] in (*KEY_EVENTS, *STORE_EVENTS)]
    told.reverse()
    # Sorting keeps the given order of events of the same second: CloudTrail tells no more of it.
    events = sorted(told, key=lambda event: str(event["time"]))
    for index in range(1, len(events)):
        one, two = events[index - 1 : index + 1]
        # AWS refuses EnableKey while the deletion is pending, so of one second the cancelling came first.
        if (one["name"], two["name"], one["time"]) == ("EnableKey", "CancelKeyDeletion", two["time"]):
            events[index - 1 : index + 1] = [two, one]
    return events


def _event(event: t.Mapping[str, t.Any], region: str) -> Event:
    record = _record(event)
    identity = record.get("userIdentity") or {}
    return {
        "time": event["EventTime"].astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "name": event["EventName"],
        # AWS's own deletions have no ARN but a service (AWS CloudTrail User Guide, "userIdentity element").
        "user_arn": identity.get("arn") or identity.get("invokedBy") or event.get("Username"),
        "source_ip": record.get("sourceIPAddress"),
        "event_id": event["EventId"],
        "error_code": record.get("errorCode"),
        "region": region,
    }


def concerns_store(event: t.Mapping[str, t.Any], custom_key_store_id: str) -> bool:
    """Tell whether an event is about the custom key store; such events name no key."""
    return bool((_record(event).get("requestParameters") or {}).get("customKeyStoreId") == custom_key_store_id)


def _record(event: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    try:
        record = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        record = {}
    return record if isinstance(record, dict) else {}


def revocation(events: t.Sequence[Event]) -> dict[str, t.Any]:
    """Find the current revocation and the last one in the events of one key, the oldest first.

    :return:
        - ``revoked_at``, ``revoked_by``, ``revoked_how``, ``event_id``: the loss that nothing has undone yet; all None
          if there is none
        - ``last_revocation``: the same four of the latest loss, undone or not; None if there is none
        - ``restored_at``: when the latest loss was undone; None if it is not
        - ``suspects``: the events that may have locked the vendor out of an Enabled key
    """
    missing: set[str] = set()
    lost: Event | None = None
    restored_at = None
    done = [event for event in events if not event["error_code"]]
    for event in done:
        had_access = not missing
        missing = _after(event["name"], missing)
        if had_access and missing:
            lost, restored_at = event, None
        elif not had_access and not missing:
            restored_at = event["time"]
    last = _facts(lost) if lost else None
    return {
        **(last if last and missing else _facts({})),
        "last_revocation": last,
        "restored_at": restored_at,
        "suspects": [event for event in done if event["name"] in SUSPECTS],
    }


def _after(name: str, missing: set[str]) -> set[str]:
    """Return what keeps the key from being used after a successful call."""
    if name in _TAKES:
        return missing | {_TAKES[name]}
    if name == "CancelKeyDeletion" and "pending deletion" in missing:
        return missing - {"pending deletion"} | {"disabled"}
    return missing - {_GIVES.get(name, "")}


def _facts(event: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "revoked_at": event.get("time"),
        "revoked_by": event.get("user_arn"),
        "revoked_how": event.get("name"),
        "event_id": event.get("event_id"),
    }


def why_none(found: t.Mapping[str, t.Any], key_state: str | None, days: int) -> str:
    """Say in one sentence why CloudTrail names no current revocation.

    :param found: the result of :func:`revocation`
    :param key_state: the key's state as DescribeKey names it; None if it is not known
    :param days: how many days were looked back
    """
    late = "CloudTrail shows an event only after up to 15 minutes"
    last, suspects = found["last_revocation"], found["suspects"]
    if last and key_state in (None, "Enabled"):
        return (
            f"Access was lost at {last['revoked_at']} ({last['revoked_how']}) and came back at {found['restored_at']}."
        )
    if last:
        return (
            f"The key is {key_state}, but the last loss that CloudTrail shows was undone at {found['restored_at']}: the "
            f"present one is not recorded, or too recent ({late})."
        )
    if key_state == "Enabled":
        maybe = (
            f"; the vendor may be locked out by the latest of its suspects, {_named(suspects[-1])}" if suspects else ""
        )
        return f"The key is Enabled, and CloudTrail shows no loss of access in the last {days} days{maybe}."
    return f"CloudTrail shows no loss of access in the last {days} days: it is older, not recorded, or too recent ({late})."


def _named(event: Event) -> str:
    return f"{event['name']} at {event['time']}"


def last_loss(keys: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Any] | None:
    """Find the last time that the organization was without access, over all of its keys.

    The vendor needs every key: access is lost with the first of them, and is back with the last.

    :param keys: for each key ``arn`` and ``events``, the oldest first, as :func:`read` returns them
    :return: ``revoked_at`` (the first key's loss), ``lost_at`` (the last key's), ``restored_at`` (None if a key is still
        missing) and ``event_ids`` (of the losses, each with its region); None if no loss is recorded
    """
    events = [(event, str(key["arn"])) for key in keys for event in key["events"] if not event["error_code"]]
    missing: dict[str, set[str]] = {}
    losses: list[Event] = []
    restored_at = None
    for event, arn in sorted(events, key=lambda pair: str(pair[0]["time"])):
        had_all, had_key = not any(missing.values()), not missing.get(arn)
        missing[arn] = _after(event["name"], missing.get(arn, set()))
        if had_key and missing[arn]:
            losses = [event] if had_all else [*losses, event]
            restored_at = None
        elif not had_all and not any(missing.values()):
            restored_at = event["time"]
    if not losses:
        return None
    return {
        "revoked_at": losses[0]["time"],
        "lost_at": losses[-1]["time"],
        "restored_at": restored_at,
        "event_ids": sorted(f"{event['region']}:{event['event_id']}" for event in losses),
    }


def identity(keys: t.Iterable[t.Mapping[str, t.Any]], loss: t.Mapping[str, t.Any] | None) -> str | None:
    """Name the last loss: the same text before and after the restoration, another for another loss.

    :param keys: for each key ``complete``: whether all of its events were read
    :param loss: as :func:`last_loss` returns it
    :return: None if there was no loss, or if events are missing: a text made of fewer events would name another loss
    """
    return ",".join(loss["event_ids"]) if loss and all(key["complete"] for key in keys) else None
