# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that reads and writes times. Pure."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

# The finest time that HTTP dates, CloudTrail and the desk give is a second, so two of them may differ by rounding alone.
ROUNDING: t.Final = dt.timedelta(seconds=2)


def parse_time(value: object) -> dt.datetime | None:
    """Read a time in ISO 8601 (without a zone: UTC), a datetime or a date, in UTC and to the second; None for anything else."""
    try:
        if isinstance(value, str):
            # Before Python 3.11, fromisoformat knows neither "Z" nor "+0000".
            text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", re.sub(r"[zZ]$", "+00:00", value.strip()))
            value = dt.datetime.fromisoformat(text.upper())
        elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time())
        if not isinstance(value, dt.datetime):
            return None
        aware = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
        return aware.astimezone(dt.timezone.utc).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def format_time(moment: dt.datetime | None) -> str | None:
    """Write a time as ISO 8601 in UTC with ``Z``, to the second; None stays None."""
    return write_time(moment) if moment else None


def write_time(moment: dt.datetime) -> str:
    """Write a time as ISO 8601 in UTC with ``Z``, to the second."""
    return moment.astimezone(dt.timezone.utc).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def current_time() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def clock() -> str:
    """Return the controller's time in UTC, ISO 8601 with ``Z``."""
    return write_time(current_time())


def to_minute(moment: str) -> str:
    """Write a time (ISO 8601, UTC) as people read it."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def latest(*times: object) -> dt.datetime | None:
    """Return the latest of the times that can be read; None if none can."""
    return max((moment for moment in map(parse_time, times) if moment), default=None)


def shift(moment: dt.datetime | None, seconds: float | None) -> dt.datetime | None:
    """Move a time by a number of seconds; None for either means no change."""
    try:
        return moment + dt.timedelta(seconds=seconds) if moment and seconds else moment
    except OverflowError:
        return moment


def is_before(moment: dt.datetime, other: dt.datetime) -> bool:
    """Return whether a time is earlier than another by more than rounding."""
    return moment < other - ROUNDING


def words(span: dt.timedelta) -> str:
    """Write a span of time with its two greatest units."""
    seconds = int(span.total_seconds())
    parts: list[tuple[int, str]] = []
    for size, name in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, f"{name}s" if name == "day" and count != 1 else name))
    shown = [f"{count} {name}" for count, name in parts[:2] if count]
    return " ".join(shown) or "0 s"
