# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import hand_over
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.jsm import post, rehearse
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.mail import mail
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.decide import begin, settle
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.drill import sum_up_drill
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.fleet import sum_up
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.report import end
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.settings import read as read_settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show_text
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import READS, Task, gather
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.verify import verify

# How Atlassian is notified, by cmk_support_mode.
_CHANNELS: t.Final = {"api": post, "mail": mail, "manual": hand_over}
_STEPS: t.Final[dict[str, t.Callable[[Task], dict[str, t.Any]]]] = {
    "read_settings": read_settings,
    "begin": begin,
    "settle": settle,
    "notify": lambda task: _CHANNELS[task.args["run"]["decided"]["notify"]](task),
    "rehearse": rehearse,
    "verify": verify,
    "end": end,
    "sum_up": sum_up,
    "sum_up_drill": sum_up_drill,
    "show": show_text,
}
_CREDENTIALS: t.Final = ("user", "token", "api_key")
_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "do": {"type": "str", "required": True, "choices": list(_STEPS)},
    "command": {"type": "str", "choices": list(COMMANDS)},
    "reads": {"type": "list", "elements": "str", "choices": READS},
    "user": {"type": "str", "default": ""},
    "token": {"type": "str", "default": "", "no_log": True},
    "api_key": {"type": "str", "default": "", "no_log": True},
    "retries": {"type": "int", "default": 6},
    "follow": {"type": "bool", "default": False},
    "ending": {"type": "str", "default": ""},
    "drill": {"type": "dict", "default": {}},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "text": {"type": "str", "default": ""},
    "template": {"type": "str", "default": ""},
    "variables": {"type": "dict", "default": {}},
    "warn": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Carry out one of the role's own steps on the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        # Files and vaults end their texts with a newline. It would end the header, and the error would show the token.
        args.update({name: args[name].strip() for name in _CREDENTIALS if args[name]})
        task = Task(args, task_vars or {}, self, bool(self._task.check_mode))
        if args["reads"] is not None:
            task = replace(task, args={**args, **gather(task)})
        return {**result, "changed": False, **_STEPS[args["do"]](task)}
