# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, remember, write_file

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True},
}


# Names of before, for those that still import them from here.
read, replace = read_file, write_file


def unwritable(path: str, error: Exception) -> str:
    """Say that a file cannot be written, and what to do."""
    return f"{path} cannot be written: {error}. Choose another folder with cmk_report_dir, and run again."


class ActionModule(ActionBase):
    """Keep a text in a file on the controller, without a module process."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        path, content = args["path"], args["content"]
        try:
            before = read_file(path)
            is_news = remember(path, content, writes=not self._task.check_mode)
        except (OSError, UnicodeError) as error:
            return {**result, "failed": True, "msg": unwritable(path, error)}
        result |= {"changed": is_news, "path": path}
        if self._task.diff:
            result["diff"] = {"before": before or "", "after": content, "before_header": path, "after_header": path}
        return result
