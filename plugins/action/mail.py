# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._mail import is_mailed, message, sent
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "user": {"type": "str", "default": ""},
    "password": {"type": "str", "default": "", "no_log": True},
    "journal": {"type": "path", "required": True},
}


class ActionModule(ActionBase):
    """Mail the comment to the support desk, once."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        run = about(args["run"])
        settings, announced, text = run["settings"], run["announcement"], args["run"]["comment"]
        if is_mailed(announced, settings):
            return {**result, "changed": False, "ticket": {"mailed": announced["mailed"]}}
        if run["check_mode"]:
            show(render("would_post.txt.j2", cmk_settings=settings, cmk_comment=text))
            return {**result, "changed": True, "ticket": {}}
        mail = message(settings, text, args["user"], args["password"])
        ended = self._execute_module("community.general.mail", mail, task_vars=task_vars)
        ticket = sent({**ended, "msg": _message(ended)}, settings, run["now"])
        if "mailed" not in ticket:
            return {**result, "changed": False, "ticket": ticket}
        try:
            # At once: whatever happens from here on, it is not mailed again.
            kept = {name: announced[name] for name in Journal.__dataclass_fields__ if name in announced}
            remember(args["journal"], write_journal(Journal(**{**kept, **ticket})), writes=True)
        except (OSError, UnicodeError) as error:
            Display().warning(
                f"{settings['org']}: the mail cannot be remembered, and the next run mails again: {error}."
            )
        return {**result, "changed": True, "ticket": ticket}


def _message(ended: t.Mapping[str, t.Any]) -> str:
    """Take what the module says, or what it could not catch: then ansible-core keeps the message beside the traceback."""
    return str(ended.get("msg") or getattr(getattr(ended.get("exception"), "event", None), "msg", ""))
