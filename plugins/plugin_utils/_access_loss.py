# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When access was lost: the one answer, which the screen, the result, the comment, the evidence and the report read. Pure."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    is_before,
    latest,
    parse_time,
    shift,
    to_minute,
    write_time,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import WITHOUT_ACCESS, Key
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail

Json: t.TypeAlias = t.Mapping[str, t.Any]
Time: t.TypeAlias = dt.datetime | None


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
    since: str | None = None  # no notice of this loss can be older; by the controller's clock

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
    :param remembered: ``revoked_at`` and ``lost_at`` of a revocation by this controller that no restoration has ended, if any
    :param is_lost_now: whether the plan found a key without access
    :param started_at: when this run started, by the controller's clock
    :param changed_at: when the last run that enabled a key started; empty if none is remembered
    :param restored_before: when the restoration before this one was complete, by the controller's clock; None if not known
    :param clock_offset: AWS's clock minus the controller's, in seconds; None if not known
    """
    ahead, back = clock_offset or 0, parse_time(restored_before)
    lost, restored = shift(parse_time(trail.lost_at), -ahead), shift(parse_time(trail.restored_at), -ahead)
    is_over = _is_over(lost, restored, latest(started_at if is_lost_now else "", changed_at), back)
    present = trail if trail.shows_loss and not is_over else None
    since = latest(restored, lost, back) if is_over else lost
    remembered = remembered or {}
    own = _find_own(remembered, restored if is_over else None)
    if given:
        return _given(given, present, trail.is_complete, latest(since, own))
    # CloudTrail is minutes late: it may not show yet the loss that the controller remembers.
    if own and not (present and lost and not is_before(lost, own)):
        since = latest(own, since)
        return AccessLoss(**remembered, source="controller", complete=trail.is_complete, since=format_time(since))
    if not present:
        return _unknown(trail, restored_before, since, is_over=is_over)
    return AccessLoss(
        revoked_at=trail.revoked_at,
        lost_at=trail.lost_at,
        restored_at=trail.restored_at,
        identity=trail.identity,
        source="cloudtrail",
        complete=trail.is_complete,
        since=format_time(since),
    )


def _is_over(lost: Time, restored: Time, start: Time, back: Time) -> bool:
    """Decide whether the loss that CloudTrail shows is another one than that of the keys without access.

    A loss that was undone is never that of a key that is without access now, or was when it was enabled.

    :param start: when keys without access were seen or enabled
    :param back: when the restoration before this one was complete, which CloudTrail may not show yet
    """
    is_undone = bool(restored and start and is_before(restored, start))
    return is_undone or bool(lost and back and is_before(lost, back))


def _find_own(remembered: t.Mapping[str, str], ended: Time) -> Time:
    """Return when this controller took access away; None if it did not, or CloudTrail shows that this was undone as well."""
    own = parse_time(remembered.get("lost_at"))
    return None if own and ended and not is_before(ended, own) else own


def _given(given: str, present: Trail | None, complete: bool, since: Time) -> AccessLoss:
    ended, at = parse_time(present.restored_at if present else None), parse_time(given)
    if present is None or (ended and at and at > ended):
        # What CloudTrail shows was over by then, so it is another loss.
        present = Trail()
    return AccessLoss(
        revoked_at=given,
        lost_at=format_time(latest(given, since, present.lost_at)),
        restored_at=present.restored_at,
        identity=present.identity or f"given {given}",
        source="given",
        complete=complete,
        since=format_time(latest(given, since)),
    )


def _unknown(trail: Trail, restored_before: str | None, since: Time, *, is_over: bool) -> AccessLoss:
    not_before = (trail.restored_at or restored_before) if is_over else None
    reason = " ".join(dict.fromkeys(key.reason for key in trail.keys if key.reason)) or "CloudTrail was not asked."
    if not_before:
        after = f"at the earliest after {to_minute(not_before)}, when access was back the last time"
        reason = f"It is too recent for CloudTrail, which is up to 15 minutes late: {after}."
    return AccessLoss(reason=reason, not_before=not_before, complete=trail.is_complete, since=format_time(since))


def add_own_revocation(loss: AccessLoss, keys: t.Sequence[Key]) -> AccessLoss:
    """Add to the loss that was known before a revocation what this run has disabled."""
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


def read_own_revocation(record: str, restored_at: str | None) -> dict[str, str]:
    """Read what :func:`write_own_revocation` wrote; nothing if a restoration that was complete later has ended it."""
    try:
        content = json.loads(record)
        first, last = parse_time(content["revoked_at"]), parse_time(content["lost_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}
    back = parse_time(restored_at)
    if first is None or last is None or (back and back >= last):
        return {}
    return {"revoked_at": write_time(first), "lost_at": write_time(last)}


def write_own_revocation(loss: AccessLoss) -> str:
    """Write what to remember of a revocation."""
    return json.dumps({"revoked_at": loss.revoked_at, "lost_at": loss.lost_at}, indent=2) + "\n"
