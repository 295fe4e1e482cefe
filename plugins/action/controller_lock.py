# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import asdict

from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._leaks import warn_of_kept_files
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import Holder, acquire, identify, release

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
    "break": {"type": "bool", "default": False},
    "inventory_host": {"type": "str"},
    "required": {"type": "bool", "default": False},
    "has_token": {"type": "bool", "default": False},
}


def clock() -> str:
    """Return the controller's time in UTC."""
    return dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def free(path: str, inventory_host: str) -> None:
    """Free a lock of this run, if it can be: one that stays is taken over once this run has ended."""
    release(path, identify(inventory_host, clock()))


class ActionModule(ActionBase):
    """Decide which of two simultaneous runs for an organization comments on the ticket."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        warn_of_kept_files(has_token=args["has_token"])
        result |= {"changed": False, "path": args["path"], "held": False, "holder": None, "refusal": {}, "error": ""}
        if self._task.check_mode:
            return result
        inventory_host = args["inventory_host"] or str((task_vars or {}).get("inventory_hostname", ""))
        if args["state"] == "free":
            free(args["path"], inventory_host)
            return result
        return result | self._acquire(args, identify(inventory_host, clock()))

    def _acquire(self, args: dict[str, t.Any], mine: Holder) -> dict[str, t.Any]:
        try:
            holder = acquire(args["path"], mine, mine.since, break_lock=args["break"])
        except (OSError, UnicodeError) as error:
            # Not fatal: without a lock, the ticket is still read before anything is posted.
            return {"error": plain(f"The lock {args['path']} cannot be taken: {error}.")}
        if not holder:
            return {"held": True}
        return {"holder": asdict(holder), **refuse(holder, args["path"], required=args["required"])}


def refuse(holder: Holder, path: str, *, required: bool) -> dict[str, t.Any]:
    """Say what another run's lock means: it ends a run that requires the lock, and keeps any other from commenting."""
    if required:
        why = refusal("run_in_progress", pid=holder.pid, host=holder.host, since=holder.since, path=path)
        return {"failed": True, "msg": str(why)}
    return {"refusal": vars(refusal("other_run_notifies", pid=holder.pid, host=holder.host, since=holder.since))}
