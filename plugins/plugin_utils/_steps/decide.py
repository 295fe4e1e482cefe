# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what a run is about: before the first key changes (begin), and once it is known what was lost (settle)."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import asdict, replace

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import (
    access_to_keep,
    begin_run,
    decide_revocation,
    settle_run,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Keys, Trust
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import (
    ACCESS,
    JOURNAL,
    LOCK,
    keep,
    read_records,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._ticket import Ticket

Json = dict[str, t.Any]
# What cannot be remembered if the journal cannot be written.
_THIS: t.Final = "this restoration"


def begin(task: Task) -> Json:
    """Plan what the keys need, take the lock, remember that a restoration begins, and show what is to be done."""
    run = Run.from_json(task.args["run"])
    plan = task.args["run"]["plan"] or _plan_keys(task, run)
    if "keys" not in plan:
        return {"failed": True, "msg": str(plan.get("msg"))}
    trust = _plan_trust(task, run)
    if failure := _failure(trust):
        return failure
    run = replace(run, plan=Keys.from_json(plan), trust_plan=Trust.from_json(trust))
    lock = {} if task.check_mode else _take_lock(task, run, breaks=run.settings.break_lock)
    if run.command.revokes and lock.get("holder"):
        return {"failed": True, "msg": str(_say("run_in_progress", lock["holder"], run.settings.file(LOCK)))}
    decided = replace(begin_run(run, read_records(run)), lock=lock)
    if run.command.notifies and not task.check_mode:
        if decided.changes and decided.begun:
            keep(run, JOURNAL, write_journal(decided.begun), _THIS)
        # In check mode and in the other commands, the plan is shown with what CloudTrail tells.
        _show_plan(replace(run, decided=decided))
    return {**decided.as_json(), "plan": plan, "trust_plan": trust}


def settle(task: Task) -> Json:
    """Settle what there is to announce, and what to do about it."""
    run, writes = Run.from_json(task.args["run"]), not task.check_mode
    revocation, trust = _read_revocation(task, run), task.args["run"]["trust_plan"]
    run, records = replace(run, revocation=revocation), read_records(run)
    if not task.args["run"]["decided"]:
        trust = _plan_trust(task, run)
        if failure := _failure(trust):
            return failure
        run = replace(run, trust_plan=Trust.from_json(trust))
        run = replace(run, decided=begin_run(run, records))
    decides = decide_revocation(run, records) if run.command.revokes else settle_run(run, records, secrets.token_hex(8))
    run = replace(run, decided=decides)
    if run.command.notifies and writes:
        announcement = run.decided.announcement
        if announcement and not announcement.is_sure:
            # Before the comment is sent: without the reference the next run cannot recognize the comment.
            keep(run, JOURNAL, write_journal(announcement.journal), _THIS)
        run = replace(run, decided=replace(run.decided, ticket=_other_run(task, run)))
    if writes:
        keep(run, ACCESS, access_to_keep(run), "the copy of policies and grants")
    if _shows_plan_late(run):
        _show_plan(replace(run, decided=replace(run.decided, refused="")))
    notifies = run.decided.announces and run.decided.ticket == Ticket()
    decided = replace(run.decided, notify=run.settings.mode if notifies else "").as_json()
    return {**decided, "plan": task.args["run"]["plan"], "revocation": revocation, "trust_plan": trust}


def _plan_keys(task: Task, run: Run) -> Json:
    """Plan with the very module that changes the keys afterwards."""
    settings = run.settings
    wanted = {"keys": list(settings.keys), "account_id": settings.account_id or None}
    return dict(
        task.read_aws("kms_key_state", {**wanted, "cancel_deletion": settings.cancel_deletion, **task.args["aws"]})
    )


def _failure(trust: Json) -> Json:
    """Say that the trust statement could not be planned; empty if it could, or without BYOK."""
    return {"failed": True, "msg": str(trust.get("msg"))} if trust and "calls" not in trust else {}


def _plan_trust(task: Task, run: Run) -> Json:
    """Plan what BYOK's trust statement needs; empty without BYOK."""
    if run.settings.programme != "byok":
        return {}
    return dict(
        task.read_aws("byok_trust_statement", {"account_id": run.settings.account_id or None, **task.args["aws"]})
    )


def _read_revocation(task: Task, run: Run) -> Json:
    """Ask CloudTrail when access was lost, and read who may use the keys: good to know, and never needed."""
    keys = task.args["keys"]
    if not keys:
        return {}
    wanted = {"keys": keys, "read_access": True}
    if run.command.predicts:
        accounts = list(run.settings.atlassian_account_ids)
        wanted |= {"read_health": True, "context_tag": run.settings.context_tag, "account_ids": accounts}
    try:
        return dict(task.read_aws("kms_key_revocation_info", {**wanted, **task.args["aws"]}))
    except AnsibleError as error:
        Display().warning(f"{run.settings.org}: CloudTrail was not asked: {plain(str(error))}")
        return {}


def _shows_plan_late(run: Run) -> bool:
    """Whether the plan is shown with what CloudTrail tells, because nothing changes before that."""
    return run.command.shows_plan and (run.check_mode or not run.command.notifies)


def _show_plan(run: Run) -> None:
    if not run.brief:
        template = "revoke_plan.txt.j2" if run.command.revokes else "plan.txt.j2"
        show(render(template, **shown(run)), warn=run.command.revokes)


def _take_lock(task: Task, run: Run, *, breaks: bool = False) -> Json:
    """Take the lock: ``held``, or ``holder``, the other run that holds it."""
    path, mine = run.settings.file(LOCK), identify(task.host, clock())
    try:
        holder = acquire(path, mine, break_lock=breaks)
    except (OSError, UnicodeError) as error:
        # Not fatal: without a lock, the ticket is still read before anything is posted.
        return {"held": False, "holder": None, "error": plain(f"The lock {path} cannot be taken: {error}.")}
    return {"held": holder is None, "holder": asdict(holder) if holder else None}


def _say(code: str, holder: Json, path: str) -> Refusal:
    return refusal(code, pid=holder["pid"], host=holder["host"], since=holder["since"], path=path)


def _other_run(task: Task, run: Run) -> Ticket:
    """Return what is known of the ticket, with the message about another run that comments instead if there is one."""
    ticket, lock = run.decided.ticket, run.decided.lock
    if not run.decided.announces or ticket.told:
        return ticket
    if lock["held"]:
        # The keys may have taken longer to settle than a lock lives, so that another run has taken it over.
        lock = _take_lock(task, run)
    return ticket.failed(vars(_say("other_run_notifies", lock["holder"], ""))) if lock["holder"] else ticket
