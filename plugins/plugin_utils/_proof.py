# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which evidence belongs to this restoration? Pure.

Evidence (a use of a key, an answer on the ticket) counts only if it is younger than the restoration that it is to prove.
The controller's clock and AWS's clock may differ: their difference is added before moments of both are compared.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import is_later, newest
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Use

# Desks acknowledge at once. No restoration takes so little time, so such a comment cannot be its result.
ACKNOWLEDGED_WITHIN: t.Final = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Reply:
    """The newest comment by somebody else after the newest announcement."""

    name: str
    text: str  # one short line
    url: str
    at: str  # ISO 8601 in UTC
    automatic: bool  # it may be an acknowledgement by the desk


def keys_to_prove(run: Run, proven: t.Iterable[Use]) -> list[dict[str, str]]:
    """Pick the keys whose use is still to be proven, as ``kms_key_use_info`` takes them.

    A use counts from the latest of: the key was enabled, access was lost (by any source), Atlassian was notified. A key of
    which none of these is known is left out, because no use of it proves anything.

    :param proven: the results of earlier looks
    """
    first_uses = {use.arn: parse_time((use.first_use or {}).get("time")) for use in proven}
    wanted = []
    for key in run.keys:
        since = max(_moments(run, key.arn), default=None) if key.arn else None
        first_use = first_uses.get(key.arn)
        # A use that was proven for an earlier announcement does not prove this one.
        if key.arn and since and (first_use is None or first_use < since):
            wanted.append({"region": key.region, "key_arn": key.arn, "since": str(format_time(since))})
    return wanted


def _moments(run: Run, arn: str) -> list[dt.datetime]:
    """Return what is known of when this restoration began for a key, by AWS's clock."""
    offset = dt.timedelta(seconds=run.plan.clock_offset or 0)
    own = [run.announcement.journal.restored_at if run.announcement else None, run.ticket.at]
    return [moment + offset for moment in map(parse_time, own) if moment] + _losses(run, arn)


def _losses(run: Run, arn: str | None) -> list[dt.datetime]:
    """Return when access to a key was lost and came back, by CloudTrail, the operator and the controller."""
    trail = run.trail.of(arn)
    moments = [trail.restored_at, trail.revoked_at, trail.last_lost_at, run.loss.lost_at, run.loss.revoked_at]
    return [moment for moment in map(parse_time, moments) if moment]


def is_dated(run: Run) -> bool:
    """Decide whether anything but the ticket says when this restoration took place."""
    restored_at = run.announcement.journal.restored_at if run.announcement else None
    return parse_time(restored_at) is not None or any(_losses(run, key.arn) for key in run.keys)


def reply_on_ticket(run: Run) -> Reply | None:
    """Find the newest comment by somebody else after the newest announcement; None if there is none.

    Everybody who has announced a restoration of the organization is one of us.
    """
    notified, look = parse_time(run.ticket.at), run.seen.look
    if notified is None or look is None:
        return None
    others = [author for author in look.authors if not (author.references or author.by_us)]
    reply = newest([author for author in others if is_later(author.written_at, notified)])
    at = reply.written_at if reply else None
    if reply is None or at is None:
        return None
    automatic = at - notified <= ACKNOWLEDGED_WITHIN
    return Reply(reply.name, reply.text, reply.url, str(format_time(at)), automatic)
