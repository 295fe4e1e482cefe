# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gather what the tasks of a run have registered.

In Python, because every Jinja expression costs each task of each organization a compilation.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Json, Task

# The variables that a task may read, besides the settings.
READS: t.Final = (
    *("__cmk_plan", "__cmk_decided", "__cmk_trust_change", "__cmk_change"),
    *("__cmk_ticket", "__cmk_seen", "__cmk_error"),
)


def gather(task: Task) -> Json:
    """Return ``run`` (as :meth:`Run.from_json` reads it), ``keys`` (that were found), and ``aws`` (how to reach the account)."""
    variables = task.variables

    def registered(name: str) -> t.Any:
        return (variables.get(name) if name in task.args["reads"] else None) or {}

    decided, change, ticket = map(registered, ("__cmk_decided", "__cmk_change", "__cmk_ticket"))
    # A restore plans in the step that begins it.
    plan = decided.get("plan") or registered("__cmk_plan")
    settings, organizations = variables["__cmk_settings"], len(variables["ansible_play_hosts_all"])
    run = {
        "entry_point": variables["__cmk_command"],
        "check_mode": variables["ansible_check_mode"],
        "settings": settings,
        "plan": plan,
        "change": change,
        "trust_plan": decided.get("trust_plan", {}),
        "trust_change": registered("__cmk_trust_change"),
        "revocation": decided.get("revocation", {}),
        "decided": decided,
        "seen": registered("__cmk_seen"),
        "look": ticket,
        "ticket": ticket.get("ticket", decided.get("ticket", {})),
        "comment": ticket.get("comment", ""),
        "error": registered("__cmk_error") or "",
        # AWX gives the user who launched the job, but not the user who approved it.
        "user": task.template(variables.get("awx_user_name", "")),
        "job": task.template(variables.get("awx_job_id", "")),
        "workflow_job": task.template(variables.get("awx_workflow_job_id", "")),
        "organizations": organizations,
        "is_part": variables.get("__cmk_is_part", False),
        "brief": organizations >= int(task.template(variables["__cmk_fleet_from"])),
        "started_at": settings["started_at"],
        "now": clock(),
    }
    keys = change.get("found", plan.get("found", []))
    return {"run": run, "keys": keys, "aws": task.template(variables["__cmk_aws"])}
