# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How a drill ended, from how its parts ended. Pure."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import RESTORE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, Result, next_step

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
    def has_revoked(self) -> bool:
        """Whether a key may have been disabled: without its report, nobody knows what the revocation has done."""
        acted = self.goes_on and bool(self.reports.get("revoke", {}).get("acted", True))
        return acted and not self.check_mode

    @property
    def lost(self) -> list[str]:
        """The keys that the drill has disabled and not brought back, as far as is known."""
        if not self.has_revoked:
            return []
        if "restore" not in self.reports:
            return ["the restore ended without a result"]
        restored, verified = (_states(self.reports.get(name)) for name in ("restore", "verify"))
        states = {**restored, **{label: state for label, state in verified.items() if state}}
        named = [f"{label}: {state or 'not known'}" for label, state in states.items() if state != "Enabled"]
        return named or ([] if states else ["no key could be read"])

    @property
    def failed(self) -> list[Report]:
        """The reports of the parts that did not end well."""
        return [report for name, report in self.reports.items() if report["failure"] and not self._is_pending(name)]

    @property
    def missing(self) -> list[str]:
        """The parts that were begun and left no report."""
        parts = [*(["revoke"] if self.goes_on else []), *(["restore", "verify"] if self.has_revoked else [])]
        return [] if self.is_refused else [name for name in ("assess", *parts) if name not in self.reports]

    def _is_pending(self, name: str) -> bool:
        """Whether a verification only waits: for Atlassian, or for the person who notifies it."""
        if name != "verify":
            return False
        restored = self.reports.get("restore", {}).get("result", {})
        return self.reports[name]["result"]["status"] == "waiting" or restored.get("status") == "handover_pending"

    @property
    def status(self) -> str:
        """The status of ``cmk_result``."""
        if not self.has_revoked:
            is_plan = self.check_mode and self.goes_on and not (self.failed or self.missing)
            return "planned" if is_plan else "failed"
        restored = {} if self.lost or self.failed or self.missing else self.reports["restore"]["result"]
        if restored and restored["ticket"]["told"]:
            return "restored"
        return "handover_pending" if restored.get("status") == "handover_pending" else "partial"

    @property
    def succeeds(self) -> bool:
        """Whether the drill ends well."""
        return self.status in OK_STATUSES

    @property
    def headline(self) -> str:
        """What a person wants to know first."""
        if self.lost:
            return "Drill failed, the keys are NOT restored"
        return {
            "planned": "This is a plan: nothing was changed",
            "failed": "No drill, nothing was revoked",
            "restored": "Drill done: keys restored, Atlassian notified",
            "handover_pending": "Drill done: keys restored, Atlassian NOT notified yet",
        }.get(self.status, "Drill failed, but the keys are restored")

    @property
    def error(self) -> str:
        """Why it did not end well."""
        found = [str(report["failure"]) for report in self.failed]
        if self.missing:
            found.append(str(refusal("drill_part_missing", parts=", ".join(self.missing))))
        if self.lost:
            found.append(str(refusal("drill_not_restored", org=shlex.quote(self.org), keys="; ".join(self.lost))))
        return " ".join(found)

    @property
    def next_step(self) -> str:
        """What to do next, with the exact command; empty if nothing, or if the error says it."""
        if self.lost or "restore" not in self.reports:
            return ""
        return next_step(self.reports["restore"]["result"], RESTORE, check_mode=False)

    @property
    def base(self) -> Result | None:
        """The result that tells most of the keys and the ticket: that of the restore, or of the last part before it."""
        reports = [self.reports[name] for name in ("restore", "revoke", "assess") if name in self.reports]
        return t.cast("Result", reports[0]["result"]) if reports else None


def _states(report: Report | None) -> dict[str, str | None]:
    keys = report["result"]["keys"] if report else []
    return {
        key["label"]: None if key["error"] and key["state_after"] == "Enabled" else key["state_after"] for key in keys
    }
