# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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

import dataclasses
import typing as t
from dataclasses import dataclass

from .._time import to_minute
from .automation import find_automation
from .events import TrailEvent

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


@dataclass(frozen=True)
class AccessEvent:
    """A call that tells of access to a key, as the module returns it."""

    time: str  # ISO 8601 in UTC
    name: str
    user_arn: str | None
    source_ip: str | None
    event_id: str
    error_code: str | None  # None if the call succeeded
    region: str
    automation: str = ""  # the tool that called, such as Terraform; empty if none is known

    @classmethod
    def from_event(cls, event: TrailEvent, region: str) -> AccessEvent:
        identity = event.part("userIdentity")
        return cls(
            time=event.time,
            name=event.name,
            # AWS's own deletions have no ARN but a service (AWS CloudTrail User Guide, "userIdentity element").
            user_arn=identity.get("arn") or identity.get("invokedBy") or event.username,
            source_ip=event.record.get("sourceIPAddress"),
            event_id=event.event_id,
            error_code=event.record.get("errorCode"),
            region=region,
            automation=find_automation(event.record.get("userAgent"), identity.get("invokedBy")),
        )

    def as_loss(self) -> dict[str, str | None]:
        return {
            "revoked_at": self.time,
            "revoked_by": self.user_arn,
            "revoked_how": self.name,
            "event_id": self.event_id,
            "automation": self.automation,
        }


@dataclass(frozen=True)
class Revocation:
    """What the events of one key tell of access to it."""

    lost: AccessEvent | None = None  # began the latest loss
    restored_at: str | None = None  # when that was undone
    suspects: tuple[AccessEvent, ...] = ()  # may have locked the vendor out of an Enabled key

    @property
    def is_current(self) -> bool:
        return self.lost is not None and self.restored_at is None

    def as_result(self) -> dict[str, t.Any]:
        last = self.lost.as_loss() if self.lost else None
        nothing = dict.fromkeys(("revoked_at", "revoked_by", "revoked_how", "event_id", "automation"))
        return {
            **(last if last and self.is_current else nothing),
            "last_revocation": last,
            "restored_at": self.restored_at,
            "suspects": [dataclasses.asdict(event) for event in self.suspects],
        }


@dataclass(frozen=True)
class Loss:
    """The last time that the organization was without access to a key."""

    revoked_at: str  # the loss of the first key
    lost_at: str  # that of the last key
    restored_at: str | None  # None if a key is still missing
    event_ids: tuple[str, ...]  # of the losses, each with its region

    @property
    def identity(self) -> str:
        """The same text before and after the restoration, another for another loss. It needs all events of all keys."""
        return ",".join(self.event_ids)

    def as_result(self) -> dict[str, str | None]:
        return {"revoked_at": self.revoked_at, "lost_at": self.lost_at, "restored_at": self.restored_at}


def read_access_events(events: t.Iterable[TrailEvent], region: str) -> list[AccessEvent]:
    """Keep of CloudTrail's events, the newest first, what tells of access to a key, the oldest first."""
    known = [AccessEvent.from_event(event, region) for event in events if event.name in (*KEY_EVENTS, *STORE_EVENTS)]
    known.reverse()
    # Sorting keeps the given order of events of the same second: CloudTrail tells no more of it.
    ordered = sorted(known, key=lambda event: event.time)
    for index in range(1, len(ordered)):
        first, second = ordered[index - 1 : index + 1]
        # AWS refuses EnableKey while the deletion is pending, so of one second the cancelling came first.
        if (first.name, second.name, first.time) == ("EnableKey", "CancelKeyDeletion", second.time):
            ordered[index - 1 : index + 1] = [second, first]
    return ordered


def concerns_store(event: TrailEvent, custom_key_store_id: str) -> bool:
    """Tell whether an event is about the custom key store; such events name no key."""
    return bool(event.part("requestParameters").get("customKeyStoreId") == custom_key_store_id)


def find_revocation(events: t.Sequence[AccessEvent]) -> Revocation:
    """Find the last revocation in the events of one key, the oldest first."""
    losses, restored_at = _find_losses([("", events)])
    suspects = tuple(event for event in events if event.name in SUSPECTS and not event.error_code)
    return Revocation(losses[0] if losses else None, restored_at, suspects)


def _after(name: str, missing: set[str]) -> set[str]:
    """Return what keeps the key from being used after a successful call."""
    if name in _TAKES:
        return missing | {_TAKES[name]}
    if name == "CancelKeyDeletion" and "pending deletion" in missing:
        return missing - {"pending deletion"} | {"disabled"}
    return missing - {_GIVES.get(name, "")}


def why_none(found: Revocation, key_state: str | None, days: int) -> str:
    """Say in one sentence why CloudTrail names no current revocation."""
    late = "CloudTrail shows an event only after up to 15 minutes"
    last, back, suspects = found.lost, found.restored_at, found.suspects
    if last and key_state in (None, "Enabled"):
        return f"Access was lost at {to_minute(last.time)} ({last.name}) and came back at {to_minute(str(back))}."
    if last:
        return (
            f"The key is {key_state}, but the last loss that CloudTrail shows was undone at {back}: the "
            f"present one is not recorded, or too recent ({late})."
        )
    if key_state == "Enabled":
        latest = f"{suspects[-1].name} at {suspects[-1].time}" if suspects else ""
        maybe = f"; the vendor may be locked out by the latest of its suspects, {latest}" if latest else ""
        return f"The key is Enabled, and CloudTrail shows no loss of access in the last {days} days{maybe}."
    return f"CloudTrail shows no loss of access in the last {days} days: it is older, not recorded, or too recent ({late})."


def find_last_loss(keys: t.Iterable[tuple[str, t.Sequence[AccessEvent]]]) -> Loss | None:
    """Find the last time that the organization was without access, by each key's ARN and events; None if none is recorded."""
    losses, restored_at = _find_losses(keys)
    if not losses:
        return None
    event_ids = tuple(sorted(f"{event.region}:{event.event_id}" for event in losses))
    return Loss(losses[0].time, losses[-1].time, restored_at, event_ids)


def _find_losses(keys: t.Iterable[tuple[str, t.Sequence[AccessEvent]]]) -> tuple[list[AccessEvent], str | None]:
    """Find the last time without access: the loss of each key, and when every key was back; None if one is missing.

    The vendor needs every key: access is lost with the first of them, and is back with the last.
    """
    done = [(event, arn) for arn, events in keys for event in events if not event.error_code]
    missing: dict[str, set[str]] = {}
    losses: list[AccessEvent] = []
    restored_at = None
    for event, arn in sorted(done, key=lambda pair: pair[0].time):
        had_all, had_key = not any(missing.values()), not missing.get(arn)
        missing[arn] = _after(event.name, missing.get(arn, set()))
        if had_key and missing[arn]:
            losses = [event] if had_all else [*losses, event]
            restored_at = None
        elif not had_all and not any(missing.values()):
            restored_at = event.time
    return losses, restored_at
