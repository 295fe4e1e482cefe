# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The drills of an organization that exists for drills: what each took, and what they took together. Pure.

Each revocation begins a drill. The restore and the verification that follow complete it, in the same run or in a later one.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import typing as t
from dataclasses import asdict, dataclass, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.drawing import words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run

_WINDOW: t.Final = dt.timedelta(days=365)
_MOST: t.Final = 1000  # which a file of the state folder holds easily

Use: t.TypeAlias = t.Sequence[t.Mapping[str, t.Any]]


@dataclass(frozen=True)
class Drill:
    """One drill. Times are ISO 8601 in UTC; empty for what has not happened."""

    revoked_at: str
    started_at: str = ""  # when the restore began
    restored_at: str = ""  # since when every key has been usable
    told_at: str = ""  # when Atlassian was notified
    used_at: str = ""  # when Atlassian used the last of the keys again

    def seconds(self, moment: str) -> int | None:
        """Return how long after the restore's beginning a moment was; None if there is none."""
        start, end = parse_time(self.started_at), parse_time(moment)
        # The ticket and CloudTrail have clocks of their own.
        return max(0, int((end - start).total_seconds())) if start and end else None


@dataclass(frozen=True)
class History:
    """What the drills of twelve months took together."""

    drills: int
    failed: int  # whose keys no restore brought back
    not_notified: int  # whose keys are back, and nobody notified Atlassian
    median_seconds_to_keys: float | None  # None without any

    @property
    def says(self) -> str:
        """The line for an auditor."""
        line = f"{self.drills or 'no'} {'drill' if self.drills == 1 else 'drills'} in 12 months"
        if self.median_seconds_to_keys is not None:
            line += f", keys back in {spell(self.median_seconds_to_keys)} on median"
        parts = {"failed": self.failed, "not notified": self.not_notified}
        missing = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        return f"{line}; {missing}" if missing else line


def spell(seconds: float) -> str:
    """Write a number of seconds for people."""
    return words(dt.timedelta(seconds=seconds))


def read_drills(text: str) -> tuple[Drill, ...] | None:
    """Read the history; None if it is damaged.

    :param text: as :func:`write_drills` wrote it; empty if there is none
    """
    try:
        drills = tuple(Drill(**one) for one in json.loads(text)["drills"]) if text.strip() else ()
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = [getattr(drill, one.name) for drill in drills for one in fields(Drill)]
    return drills if all(isinstance(value, str) for value in texts) else None


def write_drills(drills: t.Sequence[Drill]) -> str:
    """Write the history as it is kept, the oldest first."""
    return json.dumps({"drills": [asdict(drill) for drill in drills[-_MOST:]]}, indent=2) + "\n"


def add_run(drills: tuple[Drill, ...], run: Run, use: Use) -> tuple[Drill, ...]:
    """Begin a drill with a revocation, or add to the last one what a restore or a verification tells of it.

    :param use: what a verification knows of the use of each key; empty in other runs
    """
    last = drills[-1] if drills else None
    if run.command.revokes:
        at, made = run.loss.revoked_at, any(key.changed for key in run.keys)
        # A second run for the rest of the keys belongs to the same drill.
        return (*drills, Drill(at)) if made and at and (last is None or last.revoked_at != at) else drills
    journal = run.announcement.journal if run.announcement else None
    if last is None or journal is None or run.is_preview or not _is_of(last, journal.started_at):
        return drills
    told, used = journal.told or {}, [(one["first_use"] or {}).get("time") for one in use]
    found = replace(
        last,
        started_at=journal.started_at,
        # A restoration by hand is none that this measures.
        restored_at=last.restored_at or (journal.restored_at if journal.changed_at else "") or "",
        told_at=last.told_at or str(told.get("noted_at") or told.get("at") or ""),
        used_at=last.used_at or (max(used) if used and all(used) else ""),
    )
    return (*drills[:-1], found)


def _is_of(drill: Drill, started_at: str) -> bool:
    """Return whether the restoration that began then is the drill's."""
    return drill.started_at == started_at if drill.started_at else started_at >= drill.revoked_at


def sum_up_drills(drills: t.Iterable[Drill], now: str) -> History:
    """Count and measure the drills of the last twelve months."""
    end = parse_time(now)
    begun = [(drill, parse_time(drill.revoked_at)) for drill in drills]
    recent = [drill for drill, at in begun if at and end and end - _WINDOW < at]
    back = [drill for drill in recent if drill.restored_at]
    seconds = [found for drill in back if (found := drill.seconds(drill.restored_at)) is not None]
    return History(
        drills=len(recent),
        failed=len(recent) - len(back),
        not_notified=sum(not drill.told_at for drill in back),
        median_seconds_to_keys=statistics.median(seconds) if seconds else None,
    )


def draw_drills(drills: t.Sequence[Drill]) -> list[dict[str, t.Any]]:
    """Return the rows of the page, the newest first: the times in words, and the length of the bar in percent."""
    seconds = [drill.seconds(drill.restored_at) for drill in drills]
    longest = max(filter(None, seconds), default=1)
    rows = [
        {
            "revoked_at": drill.revoked_at,
            **{name: _in_words(drill.seconds(at)) for name, at in _moments(drill).items()},
            "width": 0 if taken is None else max(1, round(100 * taken / longest)),
        }
        for drill, taken in zip(drills, seconds, strict=True)
    ]
    return rows[::-1]


def _moments(drill: Drill) -> dict[str, str]:
    return {"keys_back": drill.restored_at, "notified": drill.told_at, "use": drill.used_at}


def _in_words(seconds: int | None) -> str:
    return "" if seconds is None else spell(seconds)
