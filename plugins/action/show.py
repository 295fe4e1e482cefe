# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain_lines
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._warm import warm

warm()


_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "text": {"type": "str"},
    "template": {"type": "str"},
    "variables": {"type": "dict", "default": {}},
    "warn": {"type": "bool", "default": False},
}


def show(text: str, *, warn: bool = False) -> None:
    """Print lines, unless a machine reads the output of this callback: bare lines would break it.

    Control characters never reach the terminal; text of others is put on one line before, where it is filled in.
    """
    if not C.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2].startswith("json"):
        Display().display(plain_lines(text).rstrip("\n"), color=C.COLOR_WARN if warn else None)


class ActionModule(ActionBase):
    """Print text to the screen as it is, so that an operator can read and paste it."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(
            argument_spec=_SPEC, mutually_exclusive=[("text", "template")], required_one_of=[("text", "template")]
        )
        text = render(args["template"], **args["variables"]) if args["template"] else args["text"]
        show(text, warn=args["warn"])
        return {**result, "changed": False, "text": plain_lines(text).rstrip("\n")}
