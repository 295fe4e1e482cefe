# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""When was access lost? The one answer, which the screen, the result, the comment, the evidence and the report read. Pure."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    is_before,
    latest,
    parse_time,
    shift,
    to_minute,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail

# AWS KMS Developer Guide, "Key states of AWS KMS keys": nobody can encrypt or decrypt with a key in one of these. That
# holds for an Unavailable key too, but only until its key store is back.
WITHOUT_ACCESS: t.Final = ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport")

Json: t.TypeAlias = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class AccessLoss:
    """What is known of the loss of access that a run is about. Times are ISO 8601 in UTC."""

    revoked_at: str | None = None  # when the first key was lost: the vendor's clock starts here; None if not known
    lost_at: str | None = None  # when the last key was lost; None if not known
    restored_at: str | None = None  # when every key was back, as CloudTrail shows it; None if it does not
    identity: str | None = None  # a text that names this loss and no other; None if none can be made
    source: str | None = None  # given, controller or cloudtrail; None if nothing is known
    reason: str = ""  # why revoked_at is not known, one sentence; empty if it is
    not_before: str | None = None  # the loss is later than this: CloudTrail shows an earlier one that is over
    complete: bool = False  # CloudTrail was read completely
    since: str | None = (
        None  # the earliest time, by the controller's clock, at which a notice of this loss can have been sent
    )

    @property
    def is_nameless(self) -> bool:
        """Whether nobody tells of a loss."""
        return self.source is None and not self.not_before

    @property
    def is_unknown(self) -> bool:
        """Whether nothing at all is known, because CloudTrail could not be read completely either."""
        return self.is_nameless and not self.complete

    @property
    def is_ruled_out(self) -> bool:
        """Whether CloudTrail was read completely and shows no loss, and nobody else tells of one."""
        return self.is_nameless and self.complete

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it passes from task to task."""
        return asdict(self)

    @classmethod
    def from_json(cls, loss: Json) -> AccessLoss:
        """Read what :meth:`as_json` returned."""
        return cls(**{name: loss[name] for name in cls.__dataclass_fields__ if name in loss})


def find_access_loss(
    trail: Trail,
    *,
    given: str = "",
    remembered: t.Mapping[str, str] | None = None,
    is_lost_now: bool = False,
    started_at: str = "",
    changed_at: str = "",
    restored_before: str | None = None,
    clock_offset: float | None = None,
) -> AccessLoss:
    """Decide when access was lost: what the operator gave counts first, then the controller's record, then CloudTrail.

    :param trail: what CloudTrail tells; empty if it was not asked
    :param given: ``cmk_revoked_at``; empty if it was not given
    :param remembered: ``revoked_at`` and ``lost_at`` of a revocation by this controller that no restoration has ended
    :param is_lost_now: whether the plan found a key without access
    :param started_at: when this run started, by the controller's clock
    :param changed_at: when the last run that enabled a key started; empty if none is remembered
    :param restored_before: when the restoration before this one was complete, by the controller's clock; None if not known
    :param clock_offset: AWS's clock minus the controller's, in seconds; None if not known
    """
    # A loss that was undone is never the loss of a key that is without access now, or was when it was enabled.
    start = latest(started_at if is_lost_now else "", changed_at)
    shown = _Shown(trail, clock_offset, start, parse_time(restored_before))
    if remembered and shown.ends(remembered):
        # CloudTrail shows that our own revocation was undone as well.
        remembered = None
    if given:
        return _given(given, shown.present, trail.is_complete, latest(shown.since, (remembered or {}).get("lost_at")))
    if remembered and not shown.shows(remembered):
        since = format_time(latest(remembered["lost_at"], shown.since))
        return AccessLoss(**remembered, source="controller", complete=trail.is_complete, since=since)
    since = format_time(shown.since)
    if shown.present:
        facts = {name: getattr(trail, name) for name in ("revoked_at", "lost_at", "restored_at", "identity")}
        return AccessLoss(**facts, source="cloudtrail", complete=trail.is_complete, since=since)
    not_before = (trail.restored_at or restored_before) if shown.is_over else None
    reason = _why_unknown(trail, not_before)
    return AccessLoss(reason=reason, not_before=not_before, complete=trail.is_complete, since=since)


@dataclass(frozen=True)
class _Shown:
    """The loss that CloudTrail shows, by the controller's clock."""

    trail: Trail
    clock_offset: float | None
    start: dt.datetime | None  # when keys without access were seen or enabled
    back: dt.datetime | None  # when the restoration before this one was complete

    @property
    def lost(self) -> dt.datetime | None:
        return shift(parse_time(self.trail.lost_at), -(self.clock_offset or 0))

    @property
    def restored(self) -> dt.datetime | None:
        return shift(parse_time(self.trail.restored_at), -(self.clock_offset or 0))

    @property
    def is_over(self) -> bool:
        """Whether it is another loss than that of the keys that were seen without access.

        CloudTrail may not show yet that the restoration before this one has undone it.
        """
        is_undone = bool(self.restored and self.start and is_before(self.restored, self.start))
        return is_undone or bool(self.lost and self.back and is_before(self.lost, self.back))

    @property
    def present(self) -> Trail | None:
        """The loss, if it is not over."""
        return self.trail if self.trail.shows_loss and not self.is_over else None

    @property
    def since(self) -> dt.datetime | None:
        """From when on a notice can speak of a loss."""
        return latest(self.restored, self.lost, self.back) if self.is_over else self.lost

    def ends(self, remembered: t.Mapping[str, str]) -> bool:
        """Whether access was back after the loss that the controller remembers."""
        own = parse_time(remembered["lost_at"])
        return self.is_over and bool(self.restored and own and not is_before(self.restored, own))

    def shows(self, remembered: t.Mapping[str, str]) -> bool:
        """Whether CloudTrail, which is minutes late, shows the loss that the controller remembers."""
        known = parse_time(remembered["lost_at"])
        return bool(self.present and self.lost and known and not is_before(self.lost, known))


def _given(given: str, present: Trail | None, complete: bool, since: object) -> AccessLoss:
    ended, at = parse_time(present.restored_at if present else None), parse_time(given)
    if ended is not None and at is not None and at > ended:
        # What CloudTrail shows was over by then, so it is another loss.
        present = None
    identity = present.identity if present else None
    return AccessLoss(
        revoked_at=given,
        lost_at=format_time(latest(given, since, present.lost_at if present else None)),
        restored_at=present.restored_at if present else None,
        identity=identity or f"given {given}",
        source="given",
        complete=complete,
        since=format_time(latest(given, since)),
    )


def _why_unknown(trail: Trail, not_before: object) -> str:
    if not_before:
        return (
            f"It is too recent for CloudTrail, which is up to 15 minutes late: at the earliest after {to_minute(str(not_before))}, when "
            "access was back the last time."
        )
    reasons = dict.fromkeys(key.reason for key in trail.keys if key.reason)
    return " ".join(reasons) or "CloudTrail was not asked."


def add_own_revocation(loss: AccessLoss, keys: t.Sequence[Key]) -> AccessLoss:
    """Add to what was known before a revocation what this run has disabled.

    :param loss: as :func:`find_access_loss` decided before this run changed anything
    :param keys: what has become of the keys so far
    """
    gone = any(key.key_state_before in WITHOUT_ACCESS for key in keys)
    before = loss if gone else AccessLoss(complete=loss.complete)
    calls = [call.at for key in keys for call in key.calls if call.operation == "DisableKey" and not call.error]
    if not calls:
        return before
    return replace(
        before,
        # What was known before is earlier, whatever AWS's clock says.
        revoked_at=before.revoked_at or min(calls),
        lost_at=max(calls),
        restored_at=None,
        identity=None,
        source=before.source if before.source == "given" else "controller",
        reason="",
        not_before=None,
        since=max(calls),
    )


def read_own_revocation(record: str, restored_at: object) -> dict[str, str]:
    """Read what the controller remembers of its own revocation, unless a restoration has ended it.

    :param record: as :func:`write_own_revocation` wrote it; empty if there is none
    :param restored_at: when the last restoration was complete, by the same controller's clock; None if none is known
    :return: ``revoked_at`` and ``lost_at``, or nothing
    """
    try:
        content = json.loads(record) if record.strip() else {}
    except (ValueError, RecursionError):
        return {}
    times = (
        {name: parse_time(content.get(name)) for name in ("revoked_at", "lost_at")} if isinstance(content, dict) else {}
    )
    first, last, back = times.get("revoked_at"), times.get("lost_at"), parse_time(restored_at)
    if first is None or last is None or (back and back >= last):
        return {}
    return {"revoked_at": str(format_time(first)), "lost_at": str(format_time(last))}


def write_own_revocation(loss: AccessLoss) -> str:
    """Write what to remember of a revocation."""
    return json.dumps({"revoked_at": loss.revoked_at, "lost_at": loss.lost_at}, indent=2) + "\n"
