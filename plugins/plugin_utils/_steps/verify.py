# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify that Atlassian has restored the sites, once or until it has: in one process, so that waiting costs nothing."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import asdict, replace

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.jsm import read_ticket
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import keys_to_prove
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import run_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, Use
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import ask_atlassian, look_at_sites
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import describe_progress, judge

# Seconds for the ticket and all of its comments, retries included.
_DESK_TIME: t.Final = 60.0


def verify(task: Task) -> dict[str, t.Any]:
    """Look at everything, once or until there is nothing to wait for; return it as :meth:`Seen.from_json` reads it."""
    run, follow = Run.from_json(task.args["run"]), task.args["follow"]
    settings = run.settings
    if settings.verify_follow and not follow and not task.check_mode:
        Display().warning("There are more organizations than forks: each is verified once, and none is followed.")
    end, parent = time.monotonic() + settings.verify_limit, os.getppid()
    run = replace(run, seen=Seen(keys=run.plan.keys))
    while True:
        due = time.monotonic() + settings.verify_interval
        run = _look(task, run)
        judged = judge(run)
        is_open = follow and (judged["verdict"] == "waiting" or judged["passing"])
        timed_out = is_open and due >= end
        if follow:
            goes_on = is_open and not timed_out
            wait = f", next look in {max(0, round(due - time.monotonic()))} s" if goes_on else ""
            show(f"{settings.org}: {describe_progress(run)}{wait}")
        if timed_out or not is_open:
            return asdict(replace(run.seen, timed_out=timed_out))
        if not _wait(due, parent):
            # Nobody reads the result any more, and this process would go on for hours.
            return {"failed": True, "msg": "The run that followed has ended."}


def _look(task: Task, run: Run) -> Run:
    """Read everything once."""
    seen, settings = replace(run.seen, looks=run.seen.looks + 1), run.settings
    if seen.looks > 1:
        seen = _look_at_keys(task, run, seen)
    if settings.request_url:
        seen = replace(seen, look=_look_at_ticket(task, run))
    run = replace(run, seen=seen, now=clock())
    seen = replace(seen, use=_look_for_use(task, run))
    sites = look_at_sites(settings.sites, settings.site_path, settings.site_status)
    atlassian = ask_atlassian(settings.workspaces_url, task.args["api_key"]) if settings.workspaces_url else None
    return replace(run, seen=replace(seen, sites=tuple(sites), atlassian=atlassian), now=clock())


def _look_at_keys(task: Task, run: Run, seen: Seen) -> Seen:
    wanted = {"keys": list(run.settings.keys), "account_id": run.settings.account_id or None}
    answer = task.read_aws("kms_key_state", {**wanted, **task.args["aws"]})
    keys = Keys.from_json(answer).keys
    # A result without keys has its reason in its message.
    return replace(seen, keys=keys, error="") if keys else replace(seen, error=str(answer.get("msg")))


def _look_at_ticket(task: Task, run: Run) -> Look:
    # The next look of a run that follows is the next attempt.
    retries = 0 if task.args["follow"] else task.args["retries"]
    look = run_within(_DESK_TIME, lambda: read_ticket(task, run, retries))
    late = refusal("desk_not_reached", message=f"no answer within {_DESK_TIME:g} seconds.")
    return look or Look(ok=False, status="unknown", **vars(late))


def _look_for_use(task: Task, run: Run) -> tuple[Use, ...]:
    """Ask CloudTrail about the keys whose use is not proven yet."""
    known, settings = run.seen.use, run.settings
    keys = keys_to_prove(run, known)
    if not keys:
        return known
    marks = {"context_tag": settings.context_tag, "account_ids": list(settings.atlassian_account_ids)}
    answer = task.read_aws("kms_key_use_info", {"keys": keys, "ask_last_use": True, **marks, **task.args["aws"]})
    asked = {key["key_arn"] for key in keys}
    return (*(use for use in known if use.arn not in asked), *map(Use.from_json, answer.get("keys", [])))


def _wait(due: float, parent: int) -> bool:
    """Wait until then; return whether the process that has forked this one still lives (killing it does not end this one)."""
    while (left := due - time.monotonic()) > 0:
        if os.getppid() != parent:
            return False
        time.sleep(min(left, 2))
    return True
