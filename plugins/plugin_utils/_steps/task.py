# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a step is given."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from ansible.plugins.loader import lookup_loader
from ansible.utils.vars import load_extra_vars

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import (
    MODULES,
    NotHereError,
    is_at_home,
    run_here,
)

Json = t.Mapping[str, t.Any]


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
