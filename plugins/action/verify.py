# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import os
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import get as ask_desk
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import get as ask_site
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import look_at_sites
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import progress, to_prove

_COLLECTION: t.Final = "keyops.atlassian_cmk"
_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "aws": {"type": "dict", "default": {}},
    "ticket_url": {"type": "str", "default": ""},
    "user": {"type": "str", "default": ""},
    "token": {"type": "str", "default": "", "no_log": True},
    "retries": {"type": "int", "default": 6},
    "follow": {"type": "bool", "default": False},
}

Parts = dict[str, t.Any]


class ActionModule(ActionBase):
    """Look whether Atlassian is back, once or until it is: in this one process, so that waiting costs nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        settings = args["run"]["settings"]
        if settings["verify_follow"] and not args["follow"] and not self._task.check_mode:
            Display().warning("There are more organizations than forks: each is looked at once, and none is followed.")
        end, parent = time.monotonic() + settings["verify_limit"], os.getppid()
        seen: Parts = {"keys": args["run"]["plan"]["keys"]}
        while True:
            begun = time.monotonic()
            seen, run = self._look(seen, args, task_vars or {})
            found = run["verification"]
            goes_on = args["follow"] and (found["verdict"] == "waiting" or found["passing"])
            due = begun + settings["verify_interval"]
            if args["follow"]:
                self._tell(run, due - time.monotonic() if goes_on and due < end else None)
            if not goes_on or due >= end:
                return {**result, "changed": False, **seen}
            if not _wait(due, parent):
                # Nobody is left to be told, and a follower that nobody sees would go on for hours.
                return {**result, "failed": True, "msg": "The run that followed has ended.", "changed": False}

    def _look(self, seen: Parts, args: Parts, task_vars: Parts) -> tuple[Parts, Parts]:
        """Look at everything; return what is seen now, and the run with it."""
        seen = {**seen, "looks": seen.get("looks", 0) + 1}
        if seen["looks"] > 1:
            seen |= self._keys(args, task_vars)
        seen["look"] = self._ticket(args) if args["ticket_url"] else {}
        seen["use"] = self._use(about(_with(args["run"], seen)), seen.get("use", []), args, task_vars)
        settings = args["run"]["settings"]
        seen["sites"] = look_at_sites(settings["sites"], settings["site_path"], settings["site_status"], ask_site)
        return seen, about(_with(args["run"], seen))

    def _keys(self, args: Parts, task_vars: Parts) -> Parts:
        settings = args["run"]["settings"]
        wanted = {"keys": settings["keys"], "account_id": settings["account_id"] or None}
        found = self._module("kms_realm_keys", {**wanted, **args["aws"]}, task_vars)
        # A result without keys tells why in its message.
        return {"keys": found["keys"], "error": ""} if found.get("keys") else {"error": str(found.get("msg"))}

    def _ticket(self, args: Parts) -> Parts:
        settings = args["run"]["settings"]

        def pause(seconds: float, why: t.Mapping[str, t.Any]) -> None:
            Display().display(f"{settings['org']}: {why['error']} Trying again in {seconds:g} s.")
            time.sleep(seconds)

        # Who follows looks again anyway.
        retries = 0 if args["follow"] else args["retries"]
        reader = Reader(lambda url: ask_desk(url, args["user"], args["token"]), pause, retries=retries)
        return reader.ticket(args["ticket_url"], settings["slug"], args["user"])

    def _use(self, run: Parts, known: list[Parts], args: Parts, task_vars: Parts) -> list[Parts]:
        """Ask CloudTrail of the keys whose use is not proven yet."""
        restored_at, told_at = run["announcement"].get("restored_at"), run["told_at"]
        keys = to_prove(run["keys"], run["revocation"], restored_at, told_at, known)
        if not keys:
            return known
        tag = run["settings"]["context_tag"]
        found = self._module("kms_key_use_info", {"keys": keys, "context_tag": tag, **args["aws"]}, task_vars)
        asked = {one["key_arn"] for one in keys}
        return [*(one for one in known if one["arn"] not in asked), *found.get("keys", [])]

    def _module(self, name: str, module_args: Parts, task_vars: Parts) -> Parts:
        """Run a module of this collection that only looks, as its task would."""
        task = self._task.copy()
        task.action, task.check_mode, task.diff = f"{_COLLECTION}.{name}", True, False
        task.args = {option: value for option, value in module_args.items() if value is not None}
        action = self._shared_loader_obj.action_loader.get(
            task.action,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return t.cast("Parts", action.run(task_vars=task_vars))

    def _tell(self, run: Parts, wait: float | None) -> None:
        after = f", next look in {max(0, round(wait))} s" if wait is not None else ""
        show(f"{run['settings']['org']}: {progress(run)}{after}")


def _wait(due: float, parent: int) -> bool:
    """Wait until then; return whether the process that has forked this one is still there (a kill leaves it alone)."""
    while (left := due - time.monotonic()) > 0:
        if os.getppid() != parent:
            return False
        time.sleep(min(left, 2))
    return True


def _with(run: Parts, seen: Parts) -> Parts:
    now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**run, "seen": seen, "now": now}
