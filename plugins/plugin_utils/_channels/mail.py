# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``mail``: the comment goes to the support desk by mail, once."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import MailSettings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._mail import is_mailed, message, sent
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import JOURNAL, keep
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def mail(task: Task) -> Json:
    """Write the comment and mail it, unless this restoration has been mailed to that address about that ticket.

    :return: ``comment`` (its text), ``ticket`` (what became of it)
    """
    run = Run.from_json(task.args["run"])
    text, problem = write_comment(task, run)
    result: Json = {"comment": text, "ticket": problem}
    if problem or not run.settings.mail or not run.announcement:
        return result
    journal = run.announcement.journal
    if is_mailed(journal, run.settings.ticket, run.settings.mail):
        return {**result, "ticket": {"mailed": journal.mailed}}
    if task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=run.settings.as_json(), cmk_comment=text))
        return {**result, "changed": True}
    ticket = _send(task, run, run.settings.mail, text)
    if "mailed" in ticket:
        # At once: whatever happens from here on, it is not mailed again.
        kept = replace(journal, mailed=ticket["mailed"])
        keep(run, JOURNAL, write_journal(kept), "the mail (so that the next run mails again)")
    return {**result, "changed": "mailed" in ticket, "ticket": ticket}


def _send(task: Task, run: Run, mail_: MailSettings, text: str) -> Json:
    options = message(run.settings, mail_, text, task.args["user"], task.args["token"])
    ended = task.run_module("community.general.mail", options)
    # What the module says, or what it could not catch: then ansible-core keeps the message beside the traceback.
    said = str(ended.get("msg") or getattr(getattr(ended.get("exception"), "event", None), "msg", ""))
    return sent({**ended, "msg": said}, run.settings.ticket, mail_, run.now)
