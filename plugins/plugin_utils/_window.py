# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How much of Atlassian's window is left? Pure.

Atlassian, "Restore access to your CMK encryption keys": within 10 days of revocation it can reinstate the suspended
sites, with up to one hour of data lost; beyond 20 days full recovery may be impossible; once the ticket is addressed, a
restoration generally takes two business days. Between 10 and 20 days the page promises nothing. It leaves open which
moment starts the clock, the loss of key access or the suspension of the sites: the earlier one is taken, the loss.

Atlassian, "Restore access to your BYOK encryption keys": access can be restored within 15 days of revocation. The page
promises nothing beyond that, and tells neither how much data is lost nor how long a restoration takes.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._time import format_time, parse_time

# A clock that is a little fast is no error: AWS itself tolerates 5 minutes in signed requests.
_SKEW: t.Final = dt.timedelta(minutes=5)
_BUSINESS_DAYS: t.Final = 2


class Limits(t.NamedTuple):
    """Days from the loss of access: until when Atlassian reinstates, and after when recovery is at risk."""

    reinstate: int
    risk: int


PROGRAMMES: t.Final = {"cmk": Limits(10, 20), "byok": Limits(15, 15)}
_CLOCK: t.Final = (
    "which moment starts the clock Atlassian leaves open, so the earlier one, the loss of key access, is taken here"
)

Moment = str | dt.date | None


def window(
    revoked_at: Moment,
    now: Moment,
    told_at: Moment = None,
    deletion_dates: t.Iterable[Moment] | None = (),
    limit_days: int | None = None,
    risk_days: int | None = None,
    programme: str = "cmk",
) -> dict[str, t.Any]:
    """Place ``now`` in Atlassian's window.

    Times are ISO 8601; without a zone they are UTC, and a date without a time is the start of that day in UTC.

    :param revoked_at: when access to the keys was lost; of several regions the earliest; None or empty if not known
    :param told_at: when Atlassian was told; what is no time counts as not told yet
    :param deletion_dates: the dates at which AWS deletes keys, as far as any is scheduled
    :param limit_days: until when Atlassian reinstates, the limit itself included; None for the programme's
    :param risk_days: after when full recovery may be impossible, the limit itself not included; None for the programme's
    :param programme: ``cmk`` or ``byok``; any other counts as ``cmk``
    :return:
        - ``revoked_at``, ``known``, and ``error``: why the given ``revoked_at`` is of no use (None if it is)
        - ``phase``: ``reinstatable``, ``uncertain``, ``at_risk``, or ``unknown`` without a ``revoked_at``
        - ``days_elapsed``: one decimal; None if unknown
        - ``reinstate_by``, ``at_risk_after``: the edges; None if unknown
        - ``deletion_date``: the earliest; ``deadline``: the earlier one of it and ``reinstate_by``
        - ``hours_left``: whole hours to the end of the phase or to the deletion, whichever is earlier; 0 once that is
          past; None if neither is known
        - ``limit_days``: within how many days Atlassian reinstates
        - ``expected_completion``: two business days after Atlassian was told, or from now; Saturdays and Sundays (UTC)
          do not count, holidays are not known; None for ``byok``, of which Atlassian tells none
        - ``says``: what the vendor says for this phase, one sentence
    :raises ValueError: if ``now`` is no time
    """
    moment = parse_time(now)
    if moment is None:
        raise ValueError(f"now is {now!r}, which is not a time in ISO 8601")
    limits = PROGRAMMES.get(programme, PROGRAMMES["cmk"])
    limit_days = limits.reinstate if limit_days is None else limit_days
    risk_days = limits.risk if risk_days is None else risk_days
    revoked, error = _revoked(revoked_at, moment)
    reinstate_by = revoked + dt.timedelta(days=limit_days) if revoked else None
    at_risk_after = revoked + dt.timedelta(days=risk_days) if revoked else None
    deletion_date = min(filter(None, map(parse_time, deletion_dates or ())), default=None)
    phase = _phase(moment, reinstate_by, at_risk_after)
    byok = programme == "byok"
    edge = {"reinstatable": reinstate_by, "uncertain": at_risk_after, "at_risk": at_risk_after}.get(phase)
    return {
        "revoked_at": format_time(revoked),
        "known": revoked is not None,
        "days_elapsed": round(max(moment - revoked, dt.timedelta()) / dt.timedelta(days=1), 1) if revoked else None,
        "reinstate_by": format_time(reinstate_by),
        "at_risk_after": format_time(at_risk_after),
        "hours_left": _hours_left(moment, edge, deletion_date),
        "phase": phase,
        "deletion_date": format_time(deletion_date),
        "deadline": format_time(min(filter(None, (reinstate_by, deletion_date)), default=None)),
        "limit_days": limit_days,
        "expected_completion": None if byok else format_time(_business_days_after(parse_time(told_at) or moment)),
        "says": _says_of_byok(phase, limit_days) if byok else _says(phase, limit_days, risk_days),
        "error": error,
    }


def deadline(found: t.Mapping[str, t.Any], loss: t.Mapping[str, t.Any], told_at: str) -> str:
    """Say in one line until when Atlassian must be notified: the earlier of Atlassian's limit and AWS's deletion of a key.

    :param found: as :func:`window` returns it
    :param loss: what is known of the loss of access: ``reason``
    :param told_at: when Atlassian was notified; empty if it was not
    :return: empty if Atlassian was notified
    """
    end, left = parse_time(found["deadline"]), found["hours_left"]
    if told_at:
        return ""
    if end is None:
        return f"not known. {loss['reason']} Set cmk_revoked_at if you know when access was lost"
    deletes = ", then AWS deletes a key" if found["deletion_date"] == found["deadline"] else ""
    if found["phase"] in ("reinstatable", "unknown") and left:
        return f"{end:%Y-%m-%d %H:%M} UTC ({left // 24} days {left % 24} h left{deletes})"
    return f"{end:%Y-%m-%d %H:%M} UTC has passed. {found['says']}"


def _revoked(given: Moment, now: dt.datetime) -> tuple[dt.datetime | None, str | None]:
    if given is None or given == "":
        return None, None
    revoked = parse_time(given)
    if revoked is None:
        return (
            None,
            f"revoked_at is {str(given)[:80]!r}, which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z).",
        )
    if revoked > now + _SKEW:
        return None, f"revoked_at is {format_time(revoked)}, which is in the future (it is {format_time(now)} now)."
    return revoked, None


def _phase(now: dt.datetime, reinstate_by: dt.datetime | None, at_risk_after: dt.datetime | None) -> str:
    if reinstate_by is None or at_risk_after is None:
        return "unknown"
    if now <= reinstate_by:
        return "reinstatable"
    return "uncertain" if now <= at_risk_after else "at_risk"


def _hours_left(now: dt.datetime, *ends: dt.datetime | None) -> int | None:
    end = min(filter(None, ends), default=None)
    return max(0, (end - now) // dt.timedelta(hours=1)) if end else None


def _business_days_after(moment: dt.datetime) -> dt.datetime:
    days = 0
    while days < _BUSINESS_DAYS:
        moment += dt.timedelta(days=1)
        days += moment.weekday() < 5
    return moment


def _says(phase: str, limit_days: int, risk_days: int) -> str:
    return {
        "reinstatable": f"Within {limit_days} days of revocation Atlassian can reinstate the suspended sites, with up to "
        f"one hour of data lost; {_CLOCK}.",
        "uncertain": f"More than {limit_days} days after revocation Atlassian no longer promises that it can reinstate the "
        f"suspended sites, and beyond {risk_days} days full recovery may be impossible; {_CLOCK}.",
        "at_risk": f"More than {risk_days} days after revocation Atlassian says that full recovery may be impossible; "
        f"{_CLOCK}.",
        "unknown": f"When access was lost is not known: Atlassian can reinstate the suspended sites within {limit_days} "
        f"days of revocation, and beyond {risk_days} days full recovery may be impossible.",
    }[phase]


def _says_of_byok(phase: str, limit_days: int) -> str:
    within = f"Atlassian says that access to BYOK keys can be restored within {limit_days} days of revocation"
    return {
        "reinstatable": f"{within}; {_CLOCK}.",
        "unknown": f"When access was lost is not known: {within}.",
    }.get(phase, f"{within}, and promises nothing beyond: the data is at risk; {_CLOCK}.")
