# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a run is about: before the first key changes (begin), and once it is known what was lost (settle)."""

from __future__ import annotations

import secrets
import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import (
    Records,
    about,
    access_copy,
    begin_run,
    decide_revocation,
    file_of,
    settle_run,
    shown,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, remember
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._time import clock

Json = dict[str, t.Any]


def begin(task: Task) -> Json:
    """Take the lock, remember that a restoration begins, and show what is to be done."""
    run = task.args["run"]
    command = COMMANDS[run["entry_point"]]
    lock = {} if task.check_mode else _take_lock(task, breaks=run["settings"]["break_lock"])
    if command.revokes and lock.get("holder"):
        return {"failed": True, "msg": str(_say("run_in_progress", lock["holder"], file_of(run, "lock")))}
    decided: Json = {**begin_run(run, _read_records(run)), "lock": lock}
    if command.notifies and not task.check_mode:
        if decided["changes"]:
            _remember(run, decided["begun"])
        # In check mode and in the other commands, the plan is shown with what CloudTrail tells.
        _show_plan({**run, "decided": {"announcement": {}, **decided, "refused": ""}})
    return decided


def settle(task: Task) -> Json:
    """Settle what there is to announce, and what to do about it."""
    run, writes = task.args["run"], not task.check_mode
    command, records = COMMANDS[run["entry_point"]], _read_records(run)
    decided = run["decided"] or {**begin_run(run, records), "lock": {}}
    if command.revokes:
        decided |= decide_revocation(run, records)
    else:
        decided |= settle_run({**run, "decided": decided}, records, secrets.token_hex(8))
    if command.notifies and writes:
        _remember_reference(run, decided["announcement"])
        if decided["announces"] and not decided["ticket"]:
            decided["ticket"] = _other_run(task, decided)
    if writes and (copy := access_copy({**run, "decided": decided})):
        _keep(run, "access", copy, "the copy of policies and grants")
    if command.shows_plan and (task.check_mode or not command.notifies):
        _show_plan({**run, "decided": {**decided, "refused": ""}})
    notifies = decided["announces"] and not decided["ticket"]
    return {**decided, "notify": run["settings"]["mode"] if notifies else ""}


def _read_records(run: Json) -> Records:
    """Read what earlier runs have kept. What cannot be read must not keep a key from being enabled."""
    texts = {}
    for name in Records._fields:
        path = file_of(run, name)
        try:
            texts[name] = read_file(path) or ""
        except (OSError, UnicodeError) as error:
            Display().warning(f"{run['settings']['org']}: {path} cannot be read: {error}.")
            # As a damaged journal: a restoration that nobody was notified of.
            texts[name] = "unreadable"
    return Records(**texts)


def _remember_reference(run: Json, announcement: Json) -> None:
    """Write the settled reference before the comment is sent: without it the next run cannot recognize the comment."""
    if not (announcement["told"] or announcement["nothing_lost"] or announcement["accepts_ours"]):
        _remember(run, {name: announcement[name] for name in Journal.__dataclass_fields__ if name in announcement})


def _remember(run: Json, journal: Json) -> None:
    """Write the journal, so that the next run knows what nobody was notified of."""
    kept = Journal(**{**journal, "used_notes": tuple(journal["used_notes"])})
    _keep(run, "journal", write_journal(kept), "this restoration")


def _keep(run: Json, name: str, text: str, what: str) -> None:
    path = file_of(run, name)
    try:
        remember(path, text, writes=True)
    except (OSError, UnicodeError) as error:
        org = run["settings"]["org"]
        Display().warning(f"{org}: {what} cannot be remembered: {path} cannot be written: {error}.")


def _show_plan(run: Json) -> None:
    if run["brief"]:
        return
    is_revocation = COMMANDS[run["entry_point"]].revokes
    template = "revoke_plan.txt.j2" if is_revocation else "plan.txt.j2"
    show(render(template, is_settled="revoked" in run["decided"], **shown(about(run))), warn=is_revocation)


def _take_lock(task: Task, *, breaks: bool = False) -> Json:
    """Take the lock: ``held``, or ``holder``, the other run that holds it."""
    path, mine = file_of(task.args["run"], "lock"), identify(task.host, clock())
    try:
        holder = acquire(path, mine, mine.since, break_lock=breaks)
    except (OSError, UnicodeError) as error:
        # Not fatal: without a lock, the ticket is still read before anything is posted.
        return {"held": False, "holder": None, "error": plain(f"The lock {path} cannot be taken: {error}.")}
    return {"held": holder is None, "holder": vars(holder) if holder else None}


def _say(code: str, holder: Json, path: str) -> Refusal:
    return refusal(code, pid=holder["pid"], host=holder["host"], since=holder["since"], path=path)


def _other_run(task: Task, decided: Json) -> Json:
    """Return the message about another run that comments instead; empty if this run comments."""
    lock = decided["lock"]
    if lock["held"]:
        # The keys may have taken longer to settle than a lock lives, so that another run has taken it over.
        lock = _take_lock(task)
    return dict(vars(_say("other_run_notifies", lock["holder"], ""))) if lock["holder"] else {}
