# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the history of an organization's drills, and end a drill."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _drills
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import DRILL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, Result, make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import files
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def keep_drill(run: Run, result: Result) -> None:
    """Add to the history what this run shows of a drill, and draw it."""
    settings, drills = run.settings, _drills.read_drills(files.read_record(run.settings, files.DRILLS))
    if drills is None:
        path = settings.file(files.DRILLS)
        Display().warning(f"{settings.org}: the drill cannot be recorded, since {path} is damaged. Move it away.")
        return
    use = result.get("verification", {}).get("use", [])
    added = _drills.add_run(drills, run, [(key["first_use"] or {}).get("time") for key in use])
    if added != drills:
        page = render(
            "drills.html.j2",
            cmk_org=settings.org,
            cmk_history=_drills.sum_up_drills(added, run.now)["says"],
            cmk_now=run.now,
            cmk_drills=_drills.draw_drills(added),
        )
        files.keep(run, files.DRILLS, _drills.write_drills(added), "this drill")
        files.keep(run, files.DRILLS_PAGE, page + "\n", "this drill")


def sum_up_drill(task: Task) -> dict[str, t.Any]:
    """Put the result of a drill together, from the reports of its parts; what is returned is for the step ``end``."""
    now, parts = clock(), task.args["drill"]
    reports, begun = parts["reports"], parts["begun"]
    settings = Settings.from_json(begun or {"org": task.host})
    drill = _drills.DrillRun(settings.org, reports, bool(settings.problems), bool(parts["goes_on"]), task.check_mode)
    run = Run(DRILL, task.check_mode, settings, stopped=drill.error, started_at=begun.get("started_at", now), now=now)
    drills = (_drills.read_drills(files.read_record(settings, files.DRILLS)) if settings.report_dir else None) or ()
    result = drill.make_result(make_result(run), drills)
    took = {name: _drills.spell(result["drill"][f"seconds_to_{name}"]) for name in ("keys", "notification", "use")}
    summary = render(
        DRILL.summary,
        cmk_result=result,
        cmk_headline=drill.headline.upper(),
        cmk_parts={name: report["headline"] for name, report in reports.items()},
        cmk_took=took if drill.has_revoked else {},
        cmk_next=drill.next_step,
        cmk_page=settings.file(files.DRILLS_PAGE) if drills else "",
    )
    has_failed = drill.status not in OK_STATUSES
    ending = f"{settings.org}: {drill.headline[:1].lower()}{drill.headline[1:]}. See the summary below."
    return {
        "entry_point": DRILL.name,
        "folder": "",
        "result": result,
        "summary": summary,
        "good": drill.status == "restored",
        "failure": drill.headline if has_failed else "",
        "ending": ending if has_failed else "",
        "next": drill.next_step,
        # A variable cmk_drill marks an organization, and AWX hands what is published on as variables.
        "ansible_stats": {"data": {"cmk_drill_result": {settings.org: result}}, "per_host": False, "aggregate": True},
    }
