# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import warm
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.report import report
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import READS, Task, gather

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "reads": {"type": "list", "elements": "str", "choices": READS, "required": True}
}

# Ansible imports an action in its main process, before it forks the processes for the tasks of all hosts. It imports this one
# when the keys have been enabled. What is wrong with a template, the task itself tells.
with contextlib.suppress(Exception):
    warm()


class ActionModule(ActionBase):
    """End a run of the role for one organization."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        task = Task(args, task_vars or {}, self, bool(self._task.check_mode))
        return {**result, "changed": False, **report(replace(task, args=gather(task)))}
