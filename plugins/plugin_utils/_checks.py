# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which evidence belongs to this restoration, and what a verification has checked, in words. Pure.

Evidence (a use of a key, an answer on the ticket) counts only if it is younger than the restoration that it is to prove.
The controller's clock and AWS's clock may differ: their difference is added before moments of both are compared.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    parse_time,
    to_minute,
    words,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import is_later, newest
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Json, Use
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import Site
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import KeyTrail
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import Window

Check = tuple[str, str]

OUTCOMES: t.Final = ("good", "open", "bad", "unknown")
CHECKS: t.Final = ("keys", "use", "ticket", "sites", "clock", "atlassian")
_LOST_BY: t.Final = {"DisableKey": "disabled", "ScheduleKeyDeletion": "scheduled for deletion"}
_GIVES: t.Final = ("EnableKey", "CancelKeyDeletion", "ImportKeyMaterial", "ConnectCustomKeyStore")
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
    which none of these is known is left out, because no use of it proves anything. Earlier looks have ``proven`` some.
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


def check_keys(run: Run) -> Check:
    """Say of every key whether it is enabled."""
    keys, lost = run.keys, lost_again(run)
    bad = [
        # The verdict says who disabled it and what to do.
        f"{key.region}: {key.key_state_before}."
        if key.arn in lost
        else f"{key.region}: {key.error} {key.hint}".rstrip()
        for key in keys
        if key.error
    ]
    if bad:
        return "bad", " ".join(bad)
    if not keys:
        return "unknown", "No key was read."
    return "good", f"{len(keys)} of {len(keys)} enabled: {', '.join(key.region for key in keys)}."


def lost_again(run: Run) -> dict[str, str]:
    """Say of each key that is not enabled when it was lost and by whom, as far as CloudTrail shows it; by ARN."""
    lost = {}
    for key in run.keys:
        trail = run.trail.of(key.arn)
        if key.key_state_before in (None, "Enabled") or not trail.revoked_at:
            continue
        how, by = str(trail.revoked_how), quoted(trail.revoked_by or "an unknown identity", 160)
        again = " again" if _was_usable(run, trail) else ""
        verb = _LOST_BY.get(how, "lost")
        lost[trail.arn] = f"{verb}{again} at {to_minute(trail.revoked_at)} by {by} ({how})."
    return lost


def by_text(texts: t.Iterable[tuple[str, str]]) -> str:
    """Join what is said of each region, with the regions of which the same is said together."""
    regions: dict[str, list[str]] = {}
    for region, says in texts:
        regions.setdefault(says, []).append(region)
    return " ".join(f"{', '.join(names)}: {says}" for says, names in regions.items())


def _was_usable(run: Run, trail: KeyTrail) -> bool:
    """Decide whether access had come back before it was lost this time."""
    events = [event for event in trail.events if event["name"] in _GIVES and not event["error_code"]]
    restored_at = run.announcement.journal.restored_at if run.announcement else None
    moments = [restored_at, run.ticket.at, *(event["time"] for event in events)]
    lost_at = parse_time(trail.revoked_at)
    return any(moment < lost_at for moment in map(parse_time, moments) if moment and lost_at)


def check_use(use: t.Sequence[Use], outcome: str) -> Check:
    """Say of every key who has used it."""
    later = ", and AWS's record of the last use up to an hour" if any(one.last_use for one in use) else ""
    late = f" CloudTrail is up to 15 minutes late{later}." if outcome == "open" else ""
    return outcome, (by_text((one.region, _used(one)) for one in use) or "No key was read.") + late


def _used(use: Use) -> str:
    first = use.first_use
    last = use.last_use or {}
    if not first:
        return f"{use.reason}{_last_used(last, use.since or '') if last else ''}"
    when = "first" if use.is_first else "at the latest"
    named = " (the last use that AWS records, by its event)" if last and last["event_id"] == first["event_id"] else ""
    return f"{first['name']} by account {first['account_id']}, {when} at {to_minute(first['time'])}{named}."


def _last_used(last: Json, since: str) -> str:
    if not last["time"] or last["time"] < since:
        return " AWS records no use by anybody since then."
    return f" AWS records the last use at {to_minute(last['time'])} ({last['operation']}), without naming the account."


def check_ticket(run: Run, reply: Reply | None) -> Check:
    """Say when Atlassian was notified, and who has answered."""
    ticket, look = run.ticket, run.seen.look
    is_notified, when = ticket.told, _notified(run)
    if look is None:
        outcome = "unknown" if is_notified else "bad"
        return outcome, f"{when}. The ticket cannot be read without an API: read it in the support portal."
    if not look.ok:
        return "unknown", f"{when}. {ticket.error} {ticket.hint}"
    status = f"Status {look.status}. {when}"
    if reply:
        return _answered(status, reply)
    return ("open" if is_notified else "bad"), f"{status}{'; no answer yet' if is_notified else ''}."


def _notified(run: Run) -> str:
    ticket, mailed = run.ticket, run.announcement.journal.mailed if run.announcement else None
    if ticket.told:
        return f"Atlassian was notified at {to_minute(ticket.at) if parse_time(ticket.at) else 'an unknown time'}"
    if mailed:
        return f"The comment was mailed at {to_minute(mailed['at'])}, which does not prove that it is on the ticket"
    return "No notification of Atlassian is known"


def _answered(status: str, reply: Reply) -> Check:
    quote, at = f'"{reply.text}"', to_minute(reply.at)
    if reply.automatic:
        late = f"less than {words(ACKNOWLEDGED_WITHIN)} later, so it may be automatic"
        return "open", f"{status}; {reply.name} commented at {at}, {late}: {quote}"
    return "good", f"{status}; {reply.name} answered at {at}: {quote}"


def check_sites(sites: t.Sequence[Site]) -> Check:
    """Say of every site what it answers."""
    if not sites:
        return "unknown", "cmk_sites names no site."
    says = ", ".join(f"{site.site} {site.says}" for site in sites)
    return ("good" if all(site.up for site in sites) else "open"), f"{says}."


def check_clock(run: Run, *, is_overdue: bool) -> Check:
    """Say how much of Atlassian's time is over."""
    is_notified, due = run.ticket.told, run.window.expected_completion
    # Notifying Atlassian stops the clock of the loss.
    says = _since_notified(run, due) if is_notified and due else _since_lost(run.window, run.now)
    return "bad" if is_overdue else "open" if is_notified else "unknown", says


def _since_notified(run: Run, due: str) -> str:
    elapsed = _elapsed(run.ticket.at, run.now)
    return f"Atlassian was notified {elapsed}; its two business days end at {to_minute(due)}."


def _since_lost(window: Window, now: str) -> str:
    """Every date and every number of days is read from the window, which knows the programme's limits."""
    lost, limit, risk = window.revoked_at, window.reinstate_by, window.at_risk_after
    if lost is None or limit is None or risk is None:
        return "When access was lost is not known."
    says = f"Access was lost {_elapsed(lost, now)} ({to_minute(lost)})"
    if risk == limit:
        return f"{says}; Atlassian's {_days(lost, limit)} end at {to_minute(limit)}."
    return (
        f"{says}; Atlassian can reinstate the sites until {to_minute(limit)} ({_days(lost, limit)}), and full recovery may "
        f"be impossible after {to_minute(risk)} ({_days(lost, risk)})."
    )


def _days(start: str, end: str) -> str:
    first, last = parse_time(start), parse_time(end)
    return f"{(last - first).days} days" if first and last else "days"


def _elapsed(start: object, end: object) -> str:
    first, last = parse_time(start), parse_time(end)
    return f"{words(max(dt.timedelta(), last - first))} ago" if first and last else "at an unknown time"
