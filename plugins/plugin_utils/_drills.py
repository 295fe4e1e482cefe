# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drills: how one ended, what each took, and what those of an organization took together. Pure.

Each revocation begins a drill. The restore and the verification that follow complete it, in the same run or in a later one.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
import statistics
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import RESTORE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import Result, next_step
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run

Json: t.TypeAlias = t.Mapping[str, t.Any]

_WINDOW: t.Final = dt.timedelta(days=365)
_MOST: t.Final = 1000  # which a file of the state folder holds easily
_HEADLINES: t.Final = {
    "planned": "This is a plan: nothing was changed",
    "failed": "No drill, nothing was revoked",
    "restored": "Drill done: keys restored, Atlassian notified",
    "handover_pending": "Drill done: keys restored, Atlassian NOT notified yet",
    "partial": "Drill failed, but the keys are restored",
}


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
        return {name: self._count_seconds(at) for name, at in moments.items()}

    def _count_seconds(self, at: str) -> int | None:
        start, end = parse_time(self.started_at), parse_time(at)
        # The ticket and CloudTrail have clocks of their own.
        return max(0, int((end - start).total_seconds())) if start and end else None


def read_drills(text: str) -> tuple[Drill, ...] | None:
    """Read the history, as :func:`write_drills` wrote it; None if it is damaged."""
    try:
        drills = json.loads(text)["drills"] if text.strip() else []
        return tuple(Drill(**{name: str(value) for name, value in drill.items()}) for drill in drills)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def write_drills(drills: t.Sequence[Drill]) -> str:
    """Write the history, the oldest drill first."""
    return json.dumps({"drills": list(map(asdict, drills[-_MOST:]))}, indent=2) + "\n"


def add_run(drills: tuple[Drill, ...], run: Run, used: t.Sequence[str | None] = ()) -> tuple[Drill, ...]:
    """Begin a drill with a revocation, or add to the last one what a restore or a verification shows of it.

    :param used: of a verification, when each key was used again; None if its use is not proven
    """
    if run.command.revokes:
        revoked_at = run.loss.revoked_at if any(key.changed for key in run.keys) else None
        # A second run for the rest of the keys belongs to the same drill.
        is_same = bool(drills) and drills[-1].revoked_at == revoked_at
        return (*drills, Drill(revoked_at)) if revoked_at and not is_same else drills
    if not drills or run.announcement is None or run.is_preview:
        return drills
    last, journal = drills[-1], run.announcement.journal
    # The restore that completes a drill is the first that begins after its revocation.
    is_its_restore = last.started_at in ("", journal.started_at) and journal.started_at >= last.revoked_at
    return (*drills[:-1], _complete(last, journal, used)) if is_its_restore else drills


def _complete(drill: Drill, journal: Journal, used: t.Sequence[str | None]) -> Drill:
    told = journal.told or {}
    # A restoration by hand is none that this measures.
    restored_at = journal.restored_at if journal.changed_at else ""
    moments = [at for at in used if at]
    return replace(
        drill,
        started_at=journal.started_at,
        restored_at=drill.restored_at or restored_at or "",
        told_at=drill.told_at or str(told.get("noted_at") or told.get("at") or ""),
        used_at=drill.used_at or (max(moments, default="") if len(moments) == len(used) else ""),
    )


def spell(seconds: float | None) -> str:
    """Write a number of seconds for people; empty for None."""
    return "" if seconds is None else words(dt.timedelta(seconds=seconds))


def sum_up_drills(drills: t.Iterable[Drill], now: str) -> dict[str, t.Any]:
    """Count and measure the drills of the last twelve months; ``says`` is the line for an auditor."""
    end = parse_time(now)
    begun = [(drill, parse_time(drill.revoked_at)) for drill in drills]
    recent = [drill for drill, at in begun if at and end and end - _WINDOW < at]
    back = [drill for drill in recent if drill.restored_at]
    seconds = [taken for drill in back if (taken := drill.seconds["keys"]) is not None]
    history = {
        "drills": len(recent),
        "failed": len(recent) - len(back),
        "not_notified": sum(not drill.told_at for drill in back),
        "median_seconds_to_keys": statistics.median(seconds) if seconds else None,
    }
    return {**history, "says": _describe_history(history)}


def _describe_history(history: Json) -> str:
    count, median = history["drills"], history["median_seconds_to_keys"]
    says = f"{count or 'no'} {'drill' if count == 1 else 'drills'} in 12 months"
    if median is not None:
        says += f", keys back in {spell(median)} on median"
    problems = {"failed": history["failed"], "not notified": history["not_notified"]}
    named = ", ".join(f"{number} {name}" for name, number in problems.items() if number)
    return f"{says}; {named}" if named else says


def draw_drills(drills: t.Sequence[Drill]) -> list[dict[str, t.Any]]:
    """Return the rows of the page, the newest first: the times in words, and the length of the bar in percent."""
    longest = max([1, *filter(None, (drill.seconds["keys"] for drill in drills))])
    rows = []
    for drill in reversed(drills):
        seconds = drill.seconds
        width = 0 if seconds["keys"] is None else max(1, round(100 * seconds["keys"] / longest))
        took = {name: spell(count) for name, count in seconds.items()}
        rows.append({"at": drill.revoked_at, "width": width, "took": took})
    return rows


@dataclass(frozen=True)
class DrillRun:
    """A run of drill_cmk, from what its parts reported."""

    org: str
    reports: t.Mapping[str, Json]  # what the step "report" returned of each part, by its command's name
    is_refused: bool = False  # before any call
    goes_on: bool = False  # the first assessment was good, so that it went on to the revocation
    check_mode: bool = False

    @property
    def results(self) -> dict[str, Result]:
        """The ``cmk_result`` of each part."""
        return {name: report["result"] for name, report in self.reports.items()}

    @property
    def has_revoked(self) -> bool:
        """Whether a key may have been disabled: without its report, nobody knows what the revocation has done."""
        return self.goes_on and not self.check_mode and bool(self.reports.get("revoke", {}).get("acted", True))

    @property
    def lost(self) -> list[str]:
        """The keys that the drill has disabled and not brought back, as far as is known."""
        if not self.has_revoked:
            return []
        states: dict[str, str | None] = {}
        for name in ("restore", "verify"):
            for key in self.results.get(name, {}).get("keys", []):
                # Of a key that a verification could not read, the restore knows.
                states[key["label"]] = key["state_after"] or states.get(key["label"])
        named = [f"{label}: {state or 'not known'}" for label, state in states.items() if state != "Enabled"]
        return named if states else ["no key was read after the revocation"]

    @property
    def failures(self) -> list[str]:
        """Why parts did not end well, and which left no report."""
        failures = [str(report["failure"]) for name, report in self.reports.items() if not self._is_pending(name)]
        parts = ["assess", *(["revoke"] if self.goes_on else []), *(["restore", "verify"] if self.has_revoked else [])]
        missing = [] if self.is_refused else [name for name in parts if name not in self.reports]
        if missing:
            failures.append(str(refusal("drill_part_missing", parts=", ".join(missing))))
        return list(filter(None, failures))

    def _is_pending(self, name: str) -> bool:
        """Whether a verification waits for Atlassian or for the person who notifies it, or repeats what the restore says."""
        restored = self.results.get("restore", {}).get("status") in ("restored", "already_restored")
        return name == "verify" and (self.results[name]["status"] == "waiting" or not restored)

    @property
    def status(self) -> str:
        """The status of ``cmk_result``."""
        if not self.has_revoked:
            return "planned" if self.check_mode and self.goes_on and not self.failures else "failed"
        if self.lost or self.failures:
            return "partial"
        return "restored" if self.results["restore"]["ticket"]["told"] else "handover_pending"

    @property
    def headline(self) -> str:
        """What a person wants to know first."""
        return "Drill failed, the keys are NOT restored" if self.lost else _HEADLINES[self.status]

    @property
    def error(self) -> str:
        """Why it did not end well; empty if it did, or if it was refused."""
        return " ".join([*self.failures, *([self._not_restored.error] if self.lost else [])])

    @property
    def _not_restored(self) -> Refusal:
        return refusal("drill_not_restored", org=shlex.quote(self.org), keys=", ".join(self.lost))

    @property
    def next_step(self) -> str:
        """What to do next, with the exact command; empty if nothing, or if the error says it."""
        if self.lost:
            return self._not_restored.hint
        restored = self.results.get("restore")
        return next_step(restored, RESTORE, check_mode=False) if restored else ""

    def make_result(self, blank: Result, drills: t.Sequence[Drill]) -> dict[str, t.Any]:
        """Make ``cmk_result``: that of the restore, with what the drill took.

        :param blank: the result of a run that did nothing
        :param drills: the history, with this drill
        """
        results = self.results
        # Only what this drill has begun is its own.
        revoked_at = results.get("revoke", {}).get("revoked_at") if self.has_revoked else None
        drill = drills[-1] if drills and drills[-1].revoked_at == revoked_at else Drill()
        return {
            **blank,
            **results.get("restore", {}),
            **{name: blank[name] for name in ("error", "started_at", "finished_at")},
            "status": self.status,
            **({"verification": results["verify"]["verification"]} if "verify" in results else {}),
            "drill": {
                "parts": {name: result["status"] for name, result in results.items()},
                **{f"seconds_to_{name}": seconds for name, seconds in drill.seconds.items()},
                "history": sum_up_drills(drills, blank["finished_at"]),
            },
        }
