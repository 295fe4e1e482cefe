# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_file import unwritable
from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import journal_text
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import (
    about,
    decide,
    decide_revocation,
    shown,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, remember

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "journal": {"type": "path", "required": True},
    "access": {"type": "path", "required": True},
    "revocation": {"type": "path"},
    "remember": {"type": "bool", "default": False},
    "brief": {"type": "bool", "default": False},
}


class ActionModule(ActionBase):
    """Decide what a run is about, and show the plan."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        run = args["run"]
        try:
            paths = (args["journal"], args["access"], args["revocation"])
            kept = [(read_file(path) or "") if path else "" for path in paths]
        except (OSError, UnicodeError) as error:
            msg = f"What an earlier run has kept cannot be read: {error}. Mend or remove that file, and run again."
            return {**result, "failed": True, "msg": msg}
        is_revocation = run["entry_point"] == "revoke"
        if is_revocation:
            decided = decide_revocation(run, *kept)
        else:
            journal, access, revocation = kept
            decided = decide(
                run["plan"],
                run["revocation"],
                run["settings"],
                journal,
                access,
                run["started_at"],
                revocation,
                run.get("trust_plan"),
            )
        if not args["brief"]:
            # The plan, whether it is refused or not.
            planned = about({**run, "decided": {**decided, "refused": ""}})
            template = "revoke_plan.txt.j2" if is_revocation else "plan.txt.j2"
            show(render(template, **shown(planned)), warn=is_revocation)
        announced = decided["announcement"]
        try:
            changed = (
                args["remember"]
                and not announced["told"]
                and remember(args["journal"], journal_text(announced), writes=not self._task.check_mode)
            )
        except (OSError, UnicodeError) as error:
            return {**result, "failed": True, "msg": unwritable(args["journal"], error)}
        return {**result, "changed": changed, **decided}
