# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up the runs of many organizations: how many ended how, and which need a person."""

from __future__ import annotations

import collections
import json
import os
import secrets
import typing as t
from dataclasses import replace

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS, Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, Result, make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import compact
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

# Beside the organizations' own folders.
RUNS: t.Final = "runs"
_FOR_A_PERSON: t.Final = ("failed", "partial", "needs_attention", "handover_pending")
_DONE: t.Final = ("restored", "already_restored", "nothing_to_restore", "revoked", "already_revoked")
# The worst first: that is what a person must see.
_ORDER: t.Final = (*_FOR_A_PERSON, "waiting", "planned", *_DONE)


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


def sum_up(task: Task) -> dict[str, t.Any]:
    """Print how the run for one organization ended. Of many, count how they ended, print it, and write a page of them.

    :return: ``without_result``: the organizations whose run left no result, each with one that says so
    """
    if len(task.args["hosts"]) == 1:
        # Without a report, the error has said so.
        if report := task.variables.get("__cmk_report"):
            show(report["summary"], warn=not report["good"])
        return {}
    hosts, command, now = task.variables["hostvars"], COMMANDS[task.args["command"]], clock()
    ends, missing = [], []
    for host in task.args["hosts"]:
        end = _read_end(hosts[host], command.name)
        if end is None:
            end = without_result(_read_org(hosts[host], host), now, command, check_mode=task.check_mode)
            missing.append({"host": host, "result": end.result})
        ends.append(end)
    summary = count(ends)
    page = "" if task.check_mode else _write_page(summary, command.name, now)
    show(render("fleet.txt.j2", cmk_fleet=summary, cmk_page=page), warn=bool(summary["attention"]))
    done: dict[str, t.Any] = {"without_result": missing}
    if missing:
        data = {f"cmk_{command.name}": {lost["result"]["org"]: lost["result"] for lost in missing}}
        done["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
    return done


def _read_end(variables: t.Mapping[str, t.Any], name: str) -> End | None:
    """Return how the organization's run of this command ended; None if it left no report."""
    report = variables.get("__cmk_report") or {}
    if "result" not in report or report.get("entry_point") != name:
        return None
    return End(report["result"], str(report["failure"]), str(report["folder"]), str(report["next"]))


def _read_org(variables: t.Mapping[str, t.Any], host: str) -> str:
    try:
        return str(variables["cmk_org"])
    except (KeyError, AnsibleError):
        return host


def _write_page(summary: dict[str, t.Any], entry_point: str, now: str) -> str:
    """Write the page of this run, and the index of all runs; return the page's path, empty if there is none."""
    folders = [organization["folder"] for organization in summary["organizations"] if organization["folder"]]
    if not folders:
        return ""
    # One level above an organization's own folder, which holds the folders of its runs.
    reports = os.path.dirname(os.path.dirname(folders[0]))
    name = f"{RUNS}/{compact(now)}-{entry_point}-{secrets.token_hex(3)}"
    path = os.path.join(reports, name)
    files = {folder: os.path.join(folder, f"{entry_point}.html") for folder in folders}
    links = {
        folder: os.path.relpath(file, os.path.dirname(path)) for folder, file in files.items() if os.path.isfile(file)
    }
    try:
        text = render("fleet.html.j2", cmk_fleet=summary, cmk_links=links, cmk_entry_point=entry_point, cmk_at=now)
        write_file(f"{path}.html", text + "\n")
        kept = record(summary, entry_point, now, f"{name}.html")
        write_file(f"{path}.json", json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
        write_index(reports)
    except (OSError, UnicodeError) as error:
        Display().warning(f"The page of all organizations could not be written: {error}.")
        return ""
    return f"{path}.html"


def write_index(reports: str) -> None:
    """Write the index of all runs whose records are there, until it holds those of runs that end meanwhile too."""
    runs, written = os.path.join(reports, RUNS), None
    while written != (names := sorted((name for name in os.listdir(runs) if name.endswith(".json")), reverse=True)):
        records = [read_record(read_file(os.path.join(runs, name)) or "") for name in names]
        text = render("index.html.j2", cmk_runs=list(filter(None, records))) + "\n"
        write_file(os.path.join(reports, "index.html"), text, is_top=True)
        written = names
