# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the history of an organization's drills, and end a drill."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import DRILL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._drilled import Drilled
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
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import Result, make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import (
    DRILLS,
    DRILLS_PAGE,
    keep,
    read_record,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def keep_drill(run: Run, result: Result) -> None:
    """Add to the history what this run tells of a drill, and draw it."""
    drills = read_drills(read_record(run.settings, DRILLS))
    if drills is None:
        path = run.settings.file(DRILLS)
        Display().warning(f"{run.settings.org}: this drill is not kept, since {path} is damaged. Move it away.")
        return
    added = add_run(drills, run, result.get("verification", {}).get("use", []))
    if added != drills:
        keep(run, DRILLS, write_drills(added), "this drill")
        keep(run, DRILLS_PAGE, _draw(run.settings, added, run.now), "this drill")


def _draw(settings: Settings, drills: tuple[Drill, ...], now: str) -> str:
    known = {"cmk_org": settings.org, "cmk_drills": draw_drills(drills), "cmk_now": now}
    return render("drills.html.j2", **known, cmk_history=sum_up_drills(drills, now).says) + "\n"


def sum_up_drill(task: Task) -> dict[str, t.Any]:
    """Put the result of a drill together, from the reports of its parts.

    :return: as :func:`report`, for the step ``end``
    """
    now, begun, reports = clock(), task.args["begun"], task.args["reports"]
    settings = Settings.from_json(begun.get("settings") or {"org": task.host})
    started_at = begun.get("started_at", now)
    ended = Drilled(settings.org, reports, bool(settings.problems), task.args["goes_on"], task.check_mode)
    run = Run(DRILL, task.check_mode, settings, stopped=ended.error, started_at=started_at, now=now)
    known = read_drills(read_record(settings, DRILLS)) or () if settings.report_dir else ()
    # Only what this drill has begun is its own.
    revoked_at = reports.get("revoke", {}).get("result", {}).get("revoked_at")
    drill = known[-1] if ended.has_revoked and known and known[-1].revoked_at == revoked_at else Drill("")
    history = sum_up_drills(known, now)
    taken = {"keys": drill.restored_at, "notification": drill.told_at, "use": drill.used_at}
    seconds = {name: drill.seconds(at) for name, at in taken.items()}
    told = make_result(run)
    found = {
        **told,
        **(ended.base or {}),
        "status": ended.status,
        "error": told["error"],
        "started_at": started_at,
        "finished_at": now,
        **({"verification": reports["verify"]["result"]["verification"]} if "verify" in reports else {}),
        "drill": {
            "parts": {name: report["result"]["status"] for name, report in reports.items()},
            **{f"seconds_to_{name}": count for name, count in seconds.items()},
            "history": {**asdict(history), "says": history.says},
        },
    }
    summary = render(
        DRILL.summary,
        cmk_result=found,
        cmk_headline=ended.headline.upper(),
        cmk_parts={name: report["headline"] for name, report in reports.items()},
        cmk_taken={name: "" if count is None else spell(count) for name, count in seconds.items()},
        cmk_next=ended.next_step,
        cmk_page=settings.file(DRILLS_PAGE) if known else "",
        cmk_has_revoked=ended.has_revoked,
    )
    return {
        "result": found,
        "summary": summary,
        "good": ended.status == "restored",
        "failure": "" if ended.succeeds else found["error"] or ended.headline,
        "ending": f"{settings.org}: {ended.headline[:1].lower()}{ended.headline[1:]}. See the summary above.",
        # A variable of the name cmk_drill marks an organization, and AWX hands what is published on as variables.
        "ansible_stats": {
            "data": {"cmk_drill_result": {settings.org: found}},
            "per_host": False,
            "aggregate": True,
        },
    }
