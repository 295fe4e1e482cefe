# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step is given: its task, and what the tasks before it have registered."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ansible.plugins.loader import lookup_loader
from ansible.utils.vars import load_extra_vars

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import (
    MODULES,
    NotHereError,
    is_at_home,
    run_here,
)

Json = t.Mapping[str, t.Any]
# The variables that a task may read, besides the settings.
READS: t.Final = [f"__cmk_{name}" for name in ("plan", "decided", "trust_change", "change", "ticket", "seen", "error")]


@dataclass(frozen=True)
class Task:
    """The task that a step carries out."""

    args: Json  # the task's options, validated
    variables: Json  # of the host, not templated
    action: t.Any  # Ansible's action plugin, for what only it can do
    check_mode: bool

    @property
    def host(self) -> str:
        """The inventory host."""
        return str(self.variables.get("inventory_hostname", ""))

    def template(self, value: t.Any) -> t.Any:
        """Fill in a value of a variable. Raises AnsibleError."""
        return self.action._templar.template(value)

    def print_template(self, name: str, known: Json) -> str:
        """Print a template of the user's, who may use every variable of the host and what ``known`` adds.

        Raises AnsibleError, and whatever else a template can raise.
        """
        action = self.action
        lookup = lookup_loader.get("ansible.builtin.template", loader=action._loader, templar=action._templar)
        return str(lookup.run([name], variables={**self.variables, **known})[0])

    def run_module(self, name: str, options: Json) -> Json:
        """Run a module in a process of its own; return its result."""
        return t.cast("Json", self.action._execute_module(name, dict(options), task_vars=dict(self.variables)))

    def read_aws(self, module: str, options: Json) -> Json:
        """Run an AWS module of this collection in check mode, as its task would; return its result."""
        ours = self.action
        given = {option: value for option, value in options.items() if value is not None}
        if is_at_home(ours, self.variables):
            with contextlib.suppress(NotHereError):
                return run_here(MODULES[module], module, given, check_mode=True, diff=False)
        task = ours._task.copy()
        task.action, task.check_mode, task.diff = f"keyops.atlassian_cmk.{module}", True, False
        task.args = given
        action = ours._shared_loader_obj.action_loader.get(
            task.action,
            task=task,
            connection=ours._connection,
            play_context=ours._play_context,
            loader=ours._loader,
            templar=ours._templar,
            shared_loader_obj=ours._shared_loader_obj,
        )
        return t.cast("Json", action.run(task_vars=dict(self.variables)))

    def extra_vars(self) -> Json:
        """The extra variables (``-e``), as they were typed."""
        return t.cast("Json", load_extra_vars(self.action._loader))


def gather(task: Task) -> Json:
    """Return ``run`` (as :meth:`Run.from_json` reads it), ``keys`` (that were found), and ``aws`` (how to reach the account).

    In Python, because every Jinja expression costs each task of each organization a compilation.
    """
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
