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
    given = {name: variables.get(name) or {} for name in task.args["reads"]}
    plan, decided, change, ticket = (given.get(f"__cmk_{name}", {}) for name in ("plan", "decided", "change", "ticket"))
    settings, organizations = variables["__cmk_settings"], len(variables["ansible_play_hosts_all"])
    run = {
        "entry_point": variables["__cmk_command"],
        "check_mode": variables["ansible_check_mode"],
        "settings": settings,
        "plan": plan,
        "change": change,
        "trust_plan": decided.get("trust_plan", {}),
        "trust_change": given.get("__cmk_trust_change", {}),
        "revocation": decided.get("revocation", {}),
        "decided": decided,
        "seen": given.get("__cmk_seen", {}),
        "look": ticket,
        "ticket": ticket.get("ticket", decided.get("ticket", {})),
        "comment": ticket.get("comment", ""),
        "error": given.get("__cmk_error") or "",
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
