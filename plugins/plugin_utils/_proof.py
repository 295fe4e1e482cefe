# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Which evidence belongs to this restoration? Pure.

Evidence (a use of a key, an answer on the ticket) counts only if it is younger than the restoration that it is to prove.
The controller's clock and AWS's clock may differ: their difference is added before moments of both are compared.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announced
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._time import parse_time

Parts = t.Mapping[str, t.Any]

# Desks acknowledge at once. No restoration takes so little time, so such a comment cannot be its result.
ACKNOWLEDGED_WITHIN: t.Final = dt.timedelta(minutes=10)


def written_at(comment: Parts) -> dt.datetime | None:
    """Return when a comment was written: by the controller's clock, or by the desk's where that is not known."""
    return parse_time(comment.get("noted_at") or comment.get("at"))


def newest(comments: t.Sequence[Parts]) -> Parts | None:
    """Return the comment that was written last; None if there is none."""
    oldest = dt.datetime.min.replace(tzinfo=dt.timezone.utc)
    # Of comments without a time, and of the same second, the desk lists the newest last.
    return max(reversed(comments), key=lambda comment: written_at(comment) or oldest, default=None)


def notification(announcement_: Parts, look: Parts) -> dict[str, t.Any]:
    """Return how Atlassian was notified of this restoration: by the ticket, or else by what the controller remembers.

    :param announcement_: as ``announcement`` decided; empty before it has
    :param look: the result of ``desk_ticket``; empty if the ticket is not read
    :return: what is known of the comment, with ``at`` by the controller's clock (empty if unknown); empty if there is none
    """
    mentions = look.get("mentions") or []
    record = announcement_.get("told")
    # After a known notification, an announcement of ours by another controller moves the time from which evidence counts.
    ours = [mention for mention in mentions if mention.get("by_us")] if record else []
    mention = newest([*announced(mentions, announcement_), *ours]) if announcement_ else None
    if mention and not _is_later(_recorded_at(record), written_at(mention)):
        return {**mention, "at": text(written_at(mention))}
    return {**record, "at": text(_recorded_at(record))} if record else {}


def _recorded_at(record: Parts | None) -> dt.datetime | None:
    if not record:
        return None
    if record.get("by") != "person":
        return parse_time(record.get("at"))
    # A URL that is given in this very run does not say when the comment was written.
    is_new = not record.get("already_told")
    return parse_time(record.get("note")) or (None if is_new else parse_time(record.get("at")))


def _is_later(moment: dt.datetime | None, other: dt.datetime | None) -> bool:
    return moment is not None and (other is None or moment > other)


def keys_to_prove(run: Parts, proven: t.Iterable[Parts], clock_offset: float = 0.0) -> list[dict[str, str]]:
    """Pick the keys whose use is still to be proven, as ``kms_key_use_info`` takes them.

    A use counts from the latest of: the key was enabled, access was lost (by any source), Atlassian was notified. A key of
    which none of these is known is left out, because no use of it proves anything.

    :param run: of ``about``
    :param proven: the results of earlier looks
    :param clock_offset: seconds that AWS's clock is ahead of the controller's
    """
    first_uses = {use["arn"]: parse_time((use.get("first_use") or {}).get("time")) for use in proven}
    wanted = []
    for key in run["keys"]:
        arn = key.get("arn")
        since = max(_moments(run, arn, dt.timedelta(seconds=clock_offset)), default=None) if arn else None
        first_use = first_uses.get(arn)
        # A use that was proven for an earlier announcement does not prove this one.
        if since and (first_use is None or first_use < since):
            wanted.append({"region": key["region"], "key_arn": arn, "since": text(since)})
    return wanted


def _moments(run: Parts, arn: str, offset: dt.timedelta) -> list[dt.datetime]:
    """Return what is known of when this restoration began for a key, by AWS's clock."""
    own = [run["announcement"].get("restored_at"), run["ticket"].get("at")]
    return [moment + offset for moment in map(parse_time, own) if moment] + _losses(run, arn)


def _losses(run: Parts, arn: str) -> list[dt.datetime]:
    """Return when access to a key was lost and came back, by CloudTrail, the operator and the controller."""
    trail = trail_of(run, arn)
    last = trail.get("last_revocation") or {}
    moments = [trail.get("restored_at"), trail.get("revoked_at"), last.get("revoked_at")]
    moments += [run["revoked"].get("lost_at"), run["revoked"].get("revoked_at")]
    return [moment for moment in map(parse_time, moments) if moment]


def trail_of(run: Parts, arn: str | None) -> Parts:
    """Return what CloudTrail shows of a key; empty if nothing."""
    return next((key for key in run["revocation"].get("keys") or [] if key.get("arn") == arn), {})


def is_dated(run: Parts) -> bool:
    """Decide whether anything but the ticket says when this restoration took place."""
    lost = any(_losses(run, str(key.get("arn"))) for key in run["keys"])
    return lost or parse_time(run["announcement"].get("restored_at")) is not None


def answer_on_ticket(look: Parts, ticket: Parts) -> dict[str, t.Any] | None:
    """Find the newest comment by somebody else after the newest announcement; None if there is none.

    Everybody who has announced a restoration of the organization is one of us.

    :param look: the result of ``desk_ticket``
    :param ticket: as :func:`notification` returns it
    :return: ``name``, ``at``, ``text``, ``url``, and ``automatic``: whether it may be an acknowledgement by the desk
    """
    notified = parse_time(ticket.get("at"))
    if notified is None:
        return None
    others = [author for author in look.get("authors") or [] if not (author["references"] or author.get("by_us"))]
    later = [author for author in others if _is_later(written_at(author), notified)]
    answer = newest(later)
    at = written_at(answer) if answer else None
    if answer is None or at is None:
        return None
    fields = {name: answer[name] for name in ("name", "text", "url")}
    return {**fields, "at": text(at), "automatic": at - notified <= ACKNOWLEDGED_WITHIN}


def text(moment: dt.datetime | None) -> str:
    """Write a moment in ISO 8601, UTC; empty for None."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
