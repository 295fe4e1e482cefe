# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the history of an organization's drills, and end a drill."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import DRILL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._drilled import Drilled, drill_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._drills import (
    Drill,
    add_run,
    draw_drills,
    read_drills,
    spell,
    sum_up_drills,
    write_drills,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, Result, make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import (
    DRILLS,
    DRILLS_PAGE,
    keep,
    read_record,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def keep_drill(run: Run, result: Result) -> None:
    """Add to the history what this run tells of a drill, and draw it."""
    settings, drills = run.settings, read_drills(read_record(run.settings, DRILLS))
    if drills is None:
        path = settings.file(DRILLS)
        Display().warning(f"{settings.org}: the drill cannot be recorded, since {path} is damaged. Move it away.")
        return
    use = result.get("verification", {}).get("use", [])
    added = add_run(drills, run, [(key["first_use"] or {}).get("time") for key in use])
    if added != drills:
        says = sum_up_drills(added, run.now).says
        known = {"cmk_org": settings.org, "cmk_history": says, "cmk_now": run.now, "cmk_drills": draw_drills(added)}
        keep(run, DRILLS, write_drills(added), "this drill")
        keep(run, DRILLS_PAGE, render("drills.html.j2", **known) + "\n", "this drill")


def sum_up_drill(task: Task) -> Json:
    """Put the result of a drill together, from the reports of its parts; what is returned is for the step ``end``."""
    now, given = clock(), task.args["drill"]
    settings = Settings.from_json(given["begun"].get("settings") or {"org": task.host})
    ended = Drilled(settings.org, given["reports"], bool(settings.problems), bool(given["goes_on"]), task.check_mode)
    started_at = given["begun"].get("started_at", now)
    run = Run(DRILL, task.check_mode, settings, stopped=ended.error, started_at=started_at, now=now)
    drills = (read_drills(read_record(settings, DRILLS)) if settings.report_dir else None) or ()
    found = drill_result(ended, make_result(run), drills, now)
    took = {name: spell(found["drill"][f"seconds_to_{name}"]) for name in Drill().seconds}
    summary = render(
        DRILL.summary,
        cmk_result=found,
        cmk_headline=ended.headline.upper(),
        cmk_parts={name: report["headline"] for name, report in ended.reports.items()},
        cmk_took=took if ended.has_revoked else {},
        cmk_next=ended.next_step,
        cmk_page=settings.file(DRILLS_PAGE) if drills else "",
    )
    is_failed = ended.status not in OK_STATUSES
    ending = f"{settings.org}: {ended.headline[:1].lower()}{ended.headline[1:]}. See the summary below."
    return {
        "result": found,
        "summary": summary,
        "good": ended.status == "restored",
        "failure": ended.headline if is_failed else "",
        "ending": ending if is_failed else "",
        "next": ended.next_step,
        # A variable cmk_drill marks an organization, and AWX hands what is published on as variables.
        "ansible_stats": {"data": {"cmk_drill_result": {settings.org: found}}, "per_host": False, "aggregate": True},
    }
