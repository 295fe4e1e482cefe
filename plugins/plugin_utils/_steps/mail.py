# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mail the comment to the support desk, once."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._mail import is_mailed, message, sent
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about, file_of
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.comment import write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def mail(task: Task) -> Json:
    """Write the comment and mail it, unless this restoration has been mailed to that address about that ticket.

    :return: ``comment`` (its text), ``ticket`` (what became of it)
    """
    run = about(task.args["run"])
    settings, announced = run["settings"], run["announcement"]
    text, problem = write_comment(task, run, {})
    result: Json = {"comment": text, "ticket": problem}
    if problem:
        return result
    if is_mailed(announced, settings):
        return {**result, "ticket": {"mailed": announced["mailed"]}}
    if task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=settings, cmk_comment=text))
        return {**result, "changed": True}
    options = message(settings, text, task.args["user"], task.args["token"])
    ended = task.run_module("community.general.mail", options)
    ticket = sent({**ended, "msg": _message(ended)}, settings, run["now"])
    if "mailed" in ticket:
        _remember(run, ticket)
    return {**result, "changed": "mailed" in ticket, "ticket": ticket}


def _remember(run: Json, ticket: Json) -> None:
    """Remember the mail at once: whatever happens from here on, it is not sent again."""
    kept = {name: run["announcement"][name] for name in Journal.__dataclass_fields__ if name in run["announcement"]}
    try:
        remember(file_of(run, "journal"), write_journal(Journal(**{**kept, **ticket})), writes=True)
    except (OSError, UnicodeError) as error:
        org = run["settings"]["org"]
        Display().warning(f"{org}: the mail cannot be remembered, and the next run mails again: {error}.")


def _message(ended: t.Mapping[str, t.Any]) -> str:
    """Take what the module says, or what it could not catch: then ansible-core keeps the message beside the traceback."""
    return str(ended.get("msg") or getattr(getattr(ended.get("exception"), "event", None), "msg", ""))
