# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sum up the runs of many organizations."""

from __future__ import annotations

import json
import os
import secrets
import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports import fleet
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import compact
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

# Beside the organizations' own folders.
RUNS: t.Final = "runs"


def sum_up(task: Task) -> dict[str, t.Any]:
    """Count how the runs ended, print it, and write a page of them.

    :return: ``without_result``: the organizations whose run left no result, each with one that says so
    """
    hosts, command, now = task.variables["hostvars"], COMMANDS[task.args["command"]], clock()
    ends, missing = [], []
    for host in task.args["hosts"]:
        end = _read_end(hosts[host], command.name)
        if end is None:
            end = fleet.without_result(_read_org(hosts[host], host), now, command, check_mode=task.check_mode)
            missing.append({"host": host, "result": end.result})
        ends.append(end)
    summary = fleet.count(ends)
    page = "" if task.check_mode else _write_page(summary, command.name, now)
    show(render("fleet.txt.j2", cmk_fleet=summary, cmk_page=page), warn=bool(summary["attention"]))
    done: dict[str, t.Any] = {"without_result": missing}
    if missing:
        data = {f"cmk_{command.name}": {lost["result"]["org"]: lost["result"] for lost in missing}}
        done["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
    return done


def _read_end(variables: t.Mapping[str, t.Any], name: str) -> fleet.End | None:
    """Return how the organization's run of this command ended; None if it left no report."""
    report = variables.get("__cmk_report") or {}
    if "result" not in report or report.get("entry_point") != name:
        return None
    return fleet.End(report["result"], str(report["failure"]), str(report["folder"]), str(report["next"]))


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
        record = fleet.record(summary, entry_point, now, f"{name}.html")
        write_file(f"{path}.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        write_index(reports)
    except (OSError, UnicodeError) as error:
        Display().warning(f"The page of all organizations could not be written: {error}.")
        return ""
    return f"{path}.html"


def write_index(reports: str) -> None:
    """Write the index of all runs whose records are there, until it holds those of runs that end meanwhile too."""
    runs, written = os.path.join(reports, RUNS), None
    while written != (names := sorted((name for name in os.listdir(runs) if name.endswith(".json")), reverse=True)):
        records = [fleet.read_record(read_file(os.path.join(runs, name)) or "") for name in names]
        text = render("index.html.j2", cmk_runs=list(filter(None, records))) + "\n"
        write_file(os.path.join(reports, "index.html"), text, is_top=True)
        written = names
