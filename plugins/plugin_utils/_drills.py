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
from dataclasses import asdict, dataclass, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run

_WINDOW: t.Final = dt.timedelta(days=365)
_MOST: t.Final = 1000  # which a file of the state folder holds easily


@dataclass(frozen=True)
class Drill:
    """One drill. Times are ISO 8601 in UTC; empty for what has not happened."""

    revoked_at: str = ""
    started_at: str = ""  # when the restore began
    restored_at: str = ""  # since when every key has been usable
    told_at: str = ""  # when Atlassian was notified
    used_at: str = ""  # when Atlassian used the last of the keys again

    @property
    def seconds(self) -> dict[str, int | None]:
        """How long after the restore's beginning each moment was; None for what has not happened."""
        moments = {"keys": self.restored_at, "notification": self.told_at, "use": self.used_at}
        return {name: self._since_start(at) for name, at in moments.items()}

    def _since_start(self, at: str) -> int | None:
        start, end = parse_time(self.started_at), parse_time(at)
        # The ticket and CloudTrail have clocks of their own.
        return max(0, int((end - start).total_seconds())) if start and end else None


@dataclass(frozen=True)
class History:
    """What the drills of twelve months took together."""

    drills: int
    failed: int  # whose keys no restore brought back
    not_notified: int  # whose keys are back, and nobody notified Atlassian
    median_seconds_to_keys: float | None

    @property
    def says(self) -> str:
        """The line for an auditor."""
        line = f"{self.drills or 'no'} {'drill' if self.drills == 1 else 'drills'} in 12 months"
        if self.median_seconds_to_keys is not None:
            line += f", keys back in {spell(self.median_seconds_to_keys)} on median"
        parts = {"failed": self.failed, "not notified": self.not_notified}
        missing = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        return f"{line}; {missing}" if missing else line


def spell(seconds: float | None) -> str:
    """Write a number of seconds for people; empty for None."""
    return "" if seconds is None else words(dt.timedelta(seconds=seconds))


def read_drills(text: str) -> tuple[Drill, ...] | None:
    """Read the history, as :func:`write_drills` wrote it; None if it is damaged."""
    try:
        kept = json.loads(text)["drills"] if text.strip() else []
        return tuple(Drill(**{name: str(value) for name, value in one.items()}) for one in kept)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write_drills(drills: t.Sequence[Drill]) -> str:
    """Write the history as it is kept, the oldest first."""
    return json.dumps({"drills": list(map(asdict, drills[-_MOST:]))}, indent=2) + "\n"


def add_run(drills: tuple[Drill, ...], run: Run, used: t.Sequence[str | None] = ()) -> tuple[Drill, ...]:
    """Begin a drill with a revocation, or add to the last one what a restore or a verification tells of it.

    :param used: of a verification, when each key was used again; None if its use is not proven
    """
    if run.command.revokes:
        return _begin(drills, run)
    if not drills or run.announcement is None or run.is_preview:
        return drills
    *earlier, last = drills
    journal, moments = run.announcement.journal, [at for at in used if at]
    if not _is_of(last, journal.started_at):
        return drills
    return (*earlier, _complete(last, journal, max(moments, default="") if len(moments) == len(used) else ""))


def _begin(drills: tuple[Drill, ...], run: Run) -> tuple[Drill, ...]:
    at = run.loss.revoked_at if any(key.changed for key in run.keys) else None
    # A second run for the rest of the keys belongs to the same drill.
    is_same = bool(drills) and drills[-1].revoked_at == at
    return (*drills, Drill(at)) if at and not is_same else drills


def _is_of(drill: Drill, started_at: str) -> bool:
    """Return whether the restoration that began then is the drill's."""
    return drill.started_at == started_at if drill.started_at else started_at >= drill.revoked_at


def _complete(drill: Drill, journal: Journal, used_at: str) -> Drill:
    told = journal.told or {}
    # A restoration by hand is none that this measures.
    restored_at = journal.restored_at if journal.changed_at else ""
    return replace(
        drill,
        started_at=journal.started_at,
        restored_at=drill.restored_at or restored_at or "",
        told_at=drill.told_at or str(told.get("noted_at") or told.get("at") or ""),
        used_at=drill.used_at or used_at,
    )


def sum_up_drills(drills: t.Iterable[Drill], now: str) -> History:
    """Count and measure the drills of the last twelve months."""
    end = parse_time(now)
    begun = [(drill, parse_time(drill.revoked_at)) for drill in drills]
    recent = [drill for drill, at in begun if at and end and end - _WINDOW < at]
    back = [drill for drill in recent if drill.restored_at]
    seconds = [found for drill in back if (found := drill.seconds["keys"]) is not None]
    untold = sum(not drill.told_at for drill in back)
    return History(len(recent), len(recent) - len(back), untold, statistics.median(seconds) if seconds else None)


def draw_drills(drills: t.Sequence[Drill]) -> list[dict[str, t.Any]]:
    """Return the rows of the page, the newest first: the times in words, and the length of the bar in percent."""
    longest = max((drill.seconds["keys"] or 0 for drill in drills), default=0) or 1
    rows = []
    for drill in reversed(drills):
        taken = drill.seconds["keys"]
        width = 0 if taken is None else max(1, round(100 * taken / longest))
        rows.append(
            {"at": drill.revoked_at, "width": width, "took": {name: spell(s) for name, s in drill.seconds.items()}}
        )
    return rows
