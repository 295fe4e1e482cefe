# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._fleet import (
    fleet,
    read_record,
    record,
    without_result,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, write_file

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "entry_point": {"type": "str", "required": True},
}
# Beside the organizations' own folders.
RUNS: t.Final = "runs"


class ActionModule(ActionBase):
    """Sum up the runs of many organizations."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        done: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        hosts, entry_point = (task_vars or {})["hostvars"], args["entry_point"]
        now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        ended, missing = [], []
        for host in args["hosts"]:
            report = _report(hosts[host], entry_point)
            if not report:
                org = _org(hosts[host], host)
                report = without_result(org, now, entry_point=entry_point, check_mode=self._task.check_mode)
                missing.append({"host": host, "result": report["result"]})
            ended.append(report)
        summary = fleet(ended)
        page = "" if self._task.check_mode else _write_page(summary, entry_point, now)
        show(render("fleet.txt.j2", cmk_fleet=summary, cmk_page=page), warn=bool(summary["attention"]))
        done |= {"changed": False, "total": summary["total"], "counts": summary["counts"], "page": page}
        if missing:
            data = {f"cmk_{entry_point}": {lost["result"]["org"]: lost["result"] for lost in missing}}
            done["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
        return {**done, "without_result": missing}


def _report(variables: t.Mapping[str, t.Any], entry_point: str) -> dict[str, t.Any]:
    """Return the report of the organization's run of this entry point; empty if there is none."""
    report = variables.get("cmk_report") or {}
    return report if "result" in report and report.get("entry_point") == entry_point else {}


def _org(variables: t.Mapping[str, t.Any], host: str) -> str:
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
    name = f"{now.replace('-', '').replace(':', '')}-{entry_point}-{secrets.token_hex(3)}"
    page = os.path.join(reports, RUNS, f"{name}.html")
    links = {folder: _link(os.path.join(folder, f"{entry_point}.html"), page) for folder in folders}
    try:
        text = render("fleet.html.j2", cmk_fleet=summary, cmk_links=links, cmk_entry_point=entry_point, cmk_at=now)
        write_file(page, text + "\n")
        kept = json.dumps(record(summary, entry_point, now, f"{RUNS}/{name}.html"), indent=2, ensure_ascii=False)
        write_file(os.path.join(reports, RUNS, f"{name}.json"), kept + "\n")
        write_index(reports)
    except (OSError, UnicodeError) as error:
        Display().warning(f"The page of all organizations could not be written: {error}.")
        return ""
    return page


def _link(report: str, page: str) -> str:
    return os.path.relpath(report, os.path.dirname(page)) if os.path.isfile(report) else ""


def write_index(reports: str) -> None:
    """Write the index of all runs whose records are there, until it holds those of runs that end meanwhile too."""
    written: list[str] | None = None
    while written != (names := _records(reports)):
        records = [read_record(read_file(os.path.join(reports, RUNS, name)) or "") for name in names]
        write_file(
            os.path.join(reports, "index.html"),
            render("index.html.j2", cmk_runs=list(filter(None, records))) + "\n",
            is_top=True,
        )
        written = names


def _records(reports: str) -> list[str]:
    """Return the records of all runs, the newest first."""
    return sorted((name for name in os.listdir(os.path.join(reports, RUNS)) if name.endswith(".json")), reverse=True)
