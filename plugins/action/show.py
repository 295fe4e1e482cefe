# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """Print text to the screen as it is, so that an operator can read and paste it."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(
            argument_spec={"text": {"type": "str", "required": True}, "warn": {"type": "bool", "default": False}}
        )
        text = args["text"].rstrip("\n")
        # A machine reads the output of these callbacks: bare lines would break it.
        if not C.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2].startswith("json"):
            Display().display(text, color=C.COLOR_WARN if args["warn"] else None)
        return {**result, "changed": False, "text": text}
