# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "url": {"type": "str", "required": True},
    "org_slug": {"type": "str", "required": True},
    "user": {"type": "str", "default": ""},
    "token": {"type": "str", "required": True, "no_log": True},
    "wait": {"type": "float", "default": 0},
    "attempt": {"type": "int", "default": 1},
    "retries": {"type": "int", "default": 6},
    "until": {"type": "float"},
}


class ActionModule(ActionBase):
    """Read a ticket of the support desk and its comments."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)

        def pause(seconds: float, why: t.Mapping[str, t.Any]) -> None:
            Display().display(f"{args['org_slug']}: {why['error']} Trying again in {seconds:g} s.")
            time.sleep(seconds)

        patience = 3600 if args["until"] is None else args["until"] - time.time()
        time.sleep(max(0, min(args["wait"], patience)))
        reader = Reader(
            lambda url: get(url, args["user"], args["token"]), pause, args["attempt"], args["retries"], patience
        )
        found = reader.ticket(args["url"], args["org_slug"], args["user"])
        if found["bound"]:
            Display().warning(
                f"{args['org_slug']}: {found['bound']} An announcement in a comment that was not read does not count."
            )
        # Whether a desk that does not answer ends the run is for the tasks to say.
        in_time = args["until"] is None or time.time() < args["until"]
        return {**result, "changed": False, **found, "in_time": in_time}
