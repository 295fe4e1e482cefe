# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many organizations in one run: how many ended how, and which need a person. Pure."""

from __future__ import annotations

import collections
import json
import typing as t
from dataclasses import replace

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, Result, make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

# The worst first: that is what a person must see.
_ORDER: t.Final = (
    "failed",
    "partial",
    "needs_attention",
    "handover_pending",
    "waiting",
    "planned",
    "restored",
    "already_restored",
    "nothing_to_restore",
    "revoked",
    "already_revoked",
)
# Where Atlassian is waited for, nobody has anything to do.
_FOR_A_PERSON: t.Final = ("failed", "partial", "needs_attention", "handover_pending")


class End(t.NamedTuple):
    """How the run of one organization ended."""

    result: Result
    failure: str = ""  # why it ended with an error; empty if all is well
    folder: str = ""  # of its reports; empty if there are none
    next: str = ""  # what a person does next


def count(ends: t.Iterable[End]) -> dict[str, t.Any]:
    """Sum up the runs of many organizations: the worst first, then by deadline and name."""
    organizations = [
        {
            **{name: end.result[name] for name in ("org", "realm", "status", "finished_at")},
            "told": bool(end.result["ticket"]["told"]),
            "mailed": bool(end.result["ticket"].get("mailed_at")),
            "failure": end.failure,
            "folder": end.folder,
            "next": end.next,
            "ok": end.result["status"] in OK_STATUSES,
            # As long as Atlassian has not been notified, the clock runs.
            "deadline": "" if end.result["ticket"]["told"] else end.result["window"].get("deadline") or "",
        }
        for end in ends
    ]
    organizations.sort(key=lambda one: (_ORDER.index(one["status"]), one["deadline"] or "none", one["org"]))
    counts = collections.Counter(organization["status"] for organization in organizations)
    return {
        "total": len(organizations),
        "counts": {status: counts[status] for status in _ORDER if counts[status]},
        "organizations": organizations,
        "attention": [organization for organization in organizations if organization["status"] in _FOR_A_PERSON],
        # Ansible then runs no further play.
        "ends_all": bool(organizations) and all(organization["failure"] for organization in organizations),
    }


def without_result(org: str, now: str, command: Command, *, check_mode: bool) -> End:
    """Make what stands for an organization whose run left no report of this command."""
    error = "no result. The run of this organization ended before its report. Its error is shown above."
    # Nothing was verified, whatever the command.
    command = replace(command, verifies=False)
    run = Run(command, check_mode, Settings(org=org), stopped=error, started_at=now, now=now)
    return End(make_result(run), f"{org}: {error}")


def record(summary: t.Mapping[str, t.Any], entry_point: str, now: str, page: str) -> dict[str, t.Any]:
    """Make the record of a run, from which the index of all runs is made."""
    attention = [organization["org"] for organization in summary["attention"]]
    return {"page": page, "entry_point": entry_point, "at": now, "counts": summary["counts"], "attention": attention}


def read_record(text: str) -> dict[str, t.Any] | None:
    """Read the record of a run; None if it is not one."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    kinds = {"page": str, "entry_point": str, "at": str, "counts": dict, "attention": list}
    is_record = isinstance(found, dict) and all(isinstance(found.get(name), kind) for name, kind in kinds.items())
    return found if is_record else None
