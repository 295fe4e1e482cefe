# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import platform
import typing as t

from ansible.plugins.action import ActionBase

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "path": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["held", "free"], "default": "held"},
}


def holder(text: str) -> dict[str, t.Any]:
    """Read who holds the lock; empty if nobody does, or if the file is damaged."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("pid"), int) else {}


def is_gone(found: t.Mapping[str, t.Any]) -> bool:
    """Tell whether the holder certainly runs no more: a process of this machine that is not there."""
    if found["host"] != platform.node():
        return False
    try:
        os.kill(found["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def change(path: str, mine: dict[str, t.Any], state: str) -> dict[str, t.Any] | None:
    """Take or free the lock; return who else holds it, if that is why nothing was done."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
    # The kernel's lock orders two processes for the moment of the change; what it guards is the text in the file, since
    # the processes of Ansible's tasks come and go.
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = holder(file.read())
        is_mine = (found.get("pid"), found.get("host")) == (mine["pid"], mine["host"])
        if found and not is_mine and not is_gone(found):
            return found
        file.seek(0)
        file.truncate()
        if state == "held":
            json.dump(mine, file)
    return None


def myself() -> dict[str, t.Any]:
    """Tell who holds a lock of this run: ansible-playbook itself, which is the parent and lives as long as the run."""
    since = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"pid": os.getppid(), "host": platform.node(), "since": since}


def free(path: str) -> None:
    """Free a lock of this run, if it can be: one that stays is taken over once this run has ended."""
    with contextlib.suppress(OSError):
        change(path, myself(), "free")


class ActionModule(ActionBase):
    """Keep two runs for the same organization from being at work at the same time on one controller."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        result |= {"changed": False, "path": args["path"]}
        if self._task.check_mode:
            return result
        try:
            other = change(args["path"], myself(), args["state"])
        except OSError as error:
            reason = (
                f"{args['path']} cannot be written: {error}. Choose another folder with cmk_report_dir, and run again."
            )
            return {**result, "failed": True, "msg": reason}
        if other and args["state"] == "held":
            reason = (
                f"Another run is at work for this organization (process {other['pid']} on {other['host']}, since "
                f"{other.get('since')}). Wait until it has ended, then run again; if it runs no more, remove {args['path']}."
            )
            return {**result, "failed": True, "msg": reason}
        return result
