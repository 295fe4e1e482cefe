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
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._bounded import run_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import get as ask_desk
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._proof import keys_to_prove
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import get as ask_site
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import look_at_sites
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import progress

_COLLECTION: t.Final = "keyops.atlassian_cmk"
# Seconds for the ticket and all of its comments, retries included.
_DESK_TIME: t.Final = 60.0
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
    """Verify that Atlassian has restored the sites, once or until it has: in this one process, so that waiting costs nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        settings = args["run"]["settings"]
        if settings["verify_follow"] and not args["follow"] and not self._task.check_mode:
            Display().warning("There are more organizations than forks: each is verified once, and none is followed.")
        end, parent = time.monotonic() + settings["verify_limit"], os.getppid()
        seen: Parts = {"keys": args["run"]["plan"]["keys"], "timed_out": False}
        while True:
            due = time.monotonic() + settings["verify_interval"]
            seen, run = self._look(seen, args, task_vars or {})
            is_open = args["follow"] and (run["verification"]["verdict"] == "waiting" or run["verification"]["passing"])
            seen["timed_out"] = is_open and due >= end
            goes_on = is_open and not seen["timed_out"]
            if args["follow"]:
                self._report_progress(run, due - time.monotonic() if goes_on else None)
            if not goes_on:
                return {**result, "changed": False, **seen}
            if not _wait(due, parent):
                # Nobody reads the result any more, and this process would go on for hours.
                return {**result, "failed": True, "msg": "The run that followed has ended.", "changed": False}

    def _look(self, seen: Parts, args: Parts, task_vars: Parts) -> tuple[Parts, Parts]:
        """Read everything once; return what was read, and the run with it."""
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
        answer = self._module("kms_key_state", {**wanted, **args["aws"]}, task_vars)
        # A result without keys has its reason in its message.
        return {"keys": answer["keys"], "error": ""} if answer.get("keys") else {"error": str(answer.get("msg"))}

    def _ticket(self, args: Parts) -> Parts:
        settings, url = args["run"]["settings"], args["ticket_url"]

        def pause(seconds: float, why: t.Mapping[str, t.Any]) -> None:
            Display().display(f"{settings['org']}: {why['error']} Trying again in {seconds:g} s.")
            time.sleep(seconds)

        # The next look of a run that follows is the next attempt.
        retries = 0 if args["follow"] else args["retries"]
        reader = Reader(lambda page: ask_desk(page, args["user"], args["token"]), pause, retries=retries)
        return run_within(_DESK_TIME, lambda: reader.ticket(url, settings["slug"], args["user"])) or _unread_ticket(url)

    def _use(self, run: Parts, known: list[Parts], args: Parts, task_vars: Parts) -> list[Parts]:
        """Ask CloudTrail about the keys whose use is not proven yet."""
        keys = keys_to_prove(run, known, float(args["run"]["plan"].get("clock_offset") or 0))
        if not keys:
            return known
        settings = run["settings"]
        marks = {"context_tag": settings["context_tag"], "account_ids": settings.get("atlassian_account_ids", [])}
        wanted = {"keys": keys, **marks, **args["aws"]}
        answer = self._module("kms_key_use_info", wanted, task_vars)
        asked = {key["key_arn"] for key in keys}
        return [*(use for use in known if use["arn"] not in asked), *answer.get("keys", [])]

    def _module(self, name: str, module_args: Parts, task_vars: Parts) -> Parts:
        """Run a module of this collection in check mode, as its task would."""
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

    def _report_progress(self, run: Parts, wait: float | None) -> None:
        after = f", next look in {max(0, round(wait))} s" if wait is not None else ""
        show(f"{run['settings']['org']}: {progress(run)}{after}")


def _unread_ticket(url: str) -> Parts:
    why = vars(refusal("desk_not_reached", url=url, message=f"no answer within {_DESK_TIME:g} seconds."))
    return {"ok": False, **why, "status": "unknown", "allowed": True, "mentions": [], "authors": [], "attempt": 1}


def _wait(due: float, parent: int) -> bool:
    """Wait until then; return whether the process that has forked this one still lives (killing it does not end this one)."""
    while (left := due - time.monotonic()) > 0:
        if os.getppid() != parent:
            return False
        time.sleep(min(left, 2))
    return True


def _with(run: Parts, seen: Parts) -> Parts:
    now = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**run, "seen": seen, "now": now}
