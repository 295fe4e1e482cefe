# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How a drill ended, from how its parts ended. Pure."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import RESTORE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._drills import Drill, sum_up_drills
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import Result, next_step

_HEADLINES: t.Final = {
    "planned": "This is a plan: nothing was changed",
    "failed": "No drill, nothing was revoked",
    "restored": "Drill done: keys restored, Atlassian notified",
    "handover_pending": "Drill done: keys restored, Atlassian NOT notified yet",
    "partial": "Drill failed, but the keys are restored",
}
# What the step "report" returned of a part.
Report: t.TypeAlias = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Drilled:
    """The parts of a drill that were run, each by its command's name."""

    org: str
    reports: t.Mapping[str, Report]
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
        found = [str(report["failure"]) for name, report in self.reports.items() if not self._is_pending(name)]
        parts = [*(["revoke"] if self.goes_on else []), *(["restore", "verify"] if self.has_revoked else [])]
        missing = [] if self.is_refused else [name for name in ("assess", *parts) if name not in self.reports]
        if missing:
            found.append(str(refusal("drill_part_missing", parts=", ".join(missing))))
        return list(filter(None, found))

    def _is_pending(self, name: str) -> bool:
        """Whether a verification waits for Atlassian or for the person who notifies it, or repeats what the restore says."""
        status = self.results[name]["status"]
        restored = self.results.get("restore", {}).get("status")
        return name == "verify" and (status == "waiting" or restored not in ("restored", "already_restored"))

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


def drill_result(ended: Drilled, blank: Result, drills: t.Sequence[Drill], now: str) -> dict[str, t.Any]:
    """Make the ``cmk_result`` of a drill: that of the restore, with what the drill took.

    :param blank: the result of a run that did nothing
    :param drills: the history, with this drill
    """
    results, history = ended.results, sum_up_drills(drills, now)
    # Only what this drill has begun is its own.
    revoked_at = results.get("revoke", {}).get("revoked_at") if ended.has_revoked else None
    drill = drills[-1] if drills and drills[-1].revoked_at == revoked_at else Drill()
    return {
        **blank,
        **results.get("restore", {}),
        **{name: blank[name] for name in ("error", "started_at", "finished_at")},
        "status": ended.status,
        **({"verification": results["verify"]["verification"]} if "verify" in results else {}),
        "drill": {
            "parts": {name: result["status"] for name, result in results.items()},
            **{f"seconds_to_{name}": seconds for name, seconds in drill.seconds.items()},
            "history": {**asdict(history), "says": history.says},
        },
    }
