# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, parse_time

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

Moment: t.TypeAlias = str | dt.date | None
Time: t.TypeAlias = dt.datetime | None


@dataclass(frozen=True)
class Window:
    """Where a moment is in Atlassian's window. Times are ISO 8601 in UTC."""

    revoked_at: str | None  # when access was lost; None if that is not known
    known: bool
    days_elapsed: float | None  # since then, one decimal
    reinstate_by: str | None  # until when Atlassian reinstates, this time included
    at_risk_after: str | None  # after when full recovery may be impossible
    hours_left: int | None  # whole hours to the end of the phase or of a key, the earlier one; 0 once that is past
    phase: str  # reinstatable, uncertain, at_risk or unknown
    deletion_date: str | None  # the earliest at which AWS deletes a key
    expiry_date: str | None  # the earliest at which imported key material expires
    deadline: str | None  # the earliest of reinstate_by, deletion_date and expiry_date
    limit_days: int  # within how many days Atlassian reinstates
    # Two business days after Atlassian was notified, or from now: Saturdays and Sundays (UTC) do not count, holidays are not
    # known. None for BYOK, of which Atlassian tells none.
    expected_completion: str | None
    says: str  # what Atlassian says for this phase, one sentence
    error: str | None  # why the given time is of no use

    def deadline_line(self, reason: str) -> str:
        """Say until when Atlassian must be notified; ``reason`` is why it is not known when access was lost."""
        end, left = parse_time(self.deadline), self.hours_left
        if end is None or (end == parse_time(self.expiry_date) and self.reinstate_by is None):
            expires = f". Imported key material expires at {end:%Y-%m-%d %H:%M} UTC" if end else ""
            return f"not known. {reason} Set cmk_revoked_at if you know when access was lost{expires}"
        ends = {
            self.deletion_date: ", then AWS deletes a key",
            self.expiry_date: ", then imported key material expires",
        }
        if self.phase in ("reinstatable", "unknown") and left:
            return f"{end:%Y-%m-%d %H:%M} UTC ({left // 24} days {left % 24} h left{ends.get(self.deadline, '')})"
        return f"{end:%Y-%m-%d %H:%M} UTC has passed. {self.says}"


def find_window(
    revoked_at: Moment,
    now: Moment,
    told_at: Moment = None,
    deletion_dates: t.Iterable[Moment] = (),
    programme: str = "cmk",
    expiry_dates: t.Iterable[Moment] = (),
) -> Window:
    """Place ``now`` in Atlassian's window.

    :param revoked_at: when access was lost; of several regions the earliest; None or empty if not known
    :param told_at: when Atlassian was notified; what is no time counts as not notified yet
    :param deletion_dates: when AWS deletes keys
    :param expiry_dates: when imported key material expires
    """
    moment = parse_time(now)
    if moment is None:
        raise ValueError(f"now is {now!r}, which is not a time in ISO 8601")
    limits = PROGRAMMES.get(programme, PROGRAMMES["cmk"])
    revoked, error = _revoked(revoked_at, moment)
    reinstate_by = revoked + dt.timedelta(days=limits.reinstate) if revoked else None
    at_risk_after = revoked + dt.timedelta(days=limits.risk) if revoked else None
    phase, phase_end = _phase(moment, reinstate_by, at_risk_after)
    deletion_date, expiry_date = _earliest(*deletion_dates), _earliest(*expiry_dates)
    end = _earliest(phase_end, deletion_date, expiry_date)
    byok = programme == "byok"
    return Window(
        revoked_at=format_time(revoked),
        known=revoked is not None,
        days_elapsed=round(max(moment - revoked, dt.timedelta()) / dt.timedelta(days=1), 1) if revoked else None,
        reinstate_by=format_time(reinstate_by),
        at_risk_after=format_time(at_risk_after),
        hours_left=max(0, (end - moment) // dt.timedelta(hours=1)) if end else None,
        phase=phase,
        deletion_date=format_time(deletion_date),
        expiry_date=format_time(expiry_date),
        deadline=format_time(_earliest(reinstate_by, deletion_date, expiry_date)),
        limit_days=limits.reinstate,
        expected_completion=None if byok else format_time(_business_days_after(parse_time(told_at) or moment)),
        says=_says_of_byok(phase, limits.reinstate) if byok else _says(phase, limits),
        error=error,
    )


def read_loss(given: str, now: str) -> tuple[str | None, str | None]:
    """Read when access was lost, as an operator gives it: the time, or why it is of no use."""
    revoked, error = _revoked(given, parse_time(now) or dt.datetime.now(dt.timezone.utc))
    return format_time(revoked), error


def _revoked(given: Moment, now: dt.datetime) -> tuple[Time, str | None]:
    if not given:
        return None, None
    revoked = parse_time(given)
    if revoked is None:
        seen = repr(str(given)[:80])
        return None, f"revoked_at is {seen}, which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."
    if revoked > now + _SKEW:
        return None, f"revoked_at is {format_time(revoked)}, which is in the future (it is {format_time(now)} now)."
    return revoked, None


def _phase(now: dt.datetime, reinstate_by: Time, at_risk_after: Time) -> tuple[str, Time]:
    """Return the phase and its end; of the last phase, its beginning."""
    if reinstate_by is None or at_risk_after is None:
        return "unknown", None
    if now <= reinstate_by:
        return "reinstatable", reinstate_by
    return "uncertain" if now <= at_risk_after else "at_risk", at_risk_after


def _earliest(*moments: Moment) -> Time:
    return min(filter(None, map(parse_time, moments)), default=None)


def _business_days_after(moment: dt.datetime) -> dt.datetime:
    days = 0
    while days < _BUSINESS_DAYS:
        moment += dt.timedelta(days=1)
        days += moment.weekday() < 5
    return moment


def _says(phase: str, limits: Limits) -> str:
    limit_days, risk_days = limits
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
