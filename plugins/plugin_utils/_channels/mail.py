# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``mail``: the comment goes to the support desk by mail, once, with ``community.general.mail``.

A mail server that takes a mail proves nothing about the ticket: until a person has seen the comment there, Atlassian counts
as not notified.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import MailSettings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import JOURNAL, keep
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]
# How the sentences of community.general.mail begin, or what they hold, and what each means.
_MEANINGS: t.Final = (
    (r"^(Unable to Connect|Helo failed)", "mail_not_reached"),
    (r"Authentication|authentication method", "mail_unauthorized"),
    (r"StartTLS is not offered|Unable to start an encrypted session", "mail_not_encrypted"),
    # The connection broke after the mail was on its way, or after it was taken.
    (r"Connection unexpectedly closed|Server not connected", "mail_unconfirmed"),
    (r"Failed to send mail to .*timed out", "mail_unconfirmed"),
    (r"Failed to send mail to", "mail_refused"),
)


def mail(task: Task) -> Json:
    """Write the comment and mail it; return it (``comment``) and what became of the ``ticket``."""
    run = Run.from_json(task.args["run"])
    settings = run.settings
    text, problem = write_comment(task, run)
    result: Json = {"comment": text, "ticket": problem}
    if problem or not settings.mail or not run.announcement:
        return result
    journal = run.announcement.journal
    if is_mailed(journal, settings.ticket, settings.mail):
        return {**result, "ticket": {"mailed": journal.mailed}}
    if task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=settings.as_json(), cmk_comment=text))
        return {**result, "changed": True}
    options = message(settings, settings.mail, text, task.args["user"], task.args["token"])
    ended = task.run_module("community.general.mail", options)
    # What the module says, or what it could not catch: then ansible-core keeps the message beside the traceback.
    said = str(ended.get("msg") or getattr(getattr(ended.get("exception"), "event", None), "msg", ""))
    ticket = sent({**ended, "msg": said}, settings.ticket, settings.mail, run.now)
    if "mailed" in ticket:
        # At once: whatever happens from here on, it is not mailed again.
        mailed = replace(journal, mailed=ticket["mailed"])
        keep(run, JOURNAL, write_journal(mailed), "the mail (so that the next run mails again)")
    return {**result, "changed": "mailed" in ticket, "ticket": ticket}


def is_mailed(journal: Journal, ticket: str, mail_: MailSettings) -> bool:
    """Whether this restoration has been mailed to that address about that ticket."""
    mailed = journal.mailed or {}
    return (mailed.get("ticket"), mailed.get("to")) == (ticket, mail_.to)


def message(settings: Settings, mail_: MailSettings, text: str, user: str, password: str) -> Json:
    """Write the options of ``community.general.mail``."""
    reply = mail_.in_reply_to
    return {
        "host": mail_.host,
        "port": mail_.port,
        "to": mail_.to,
        "from": mail_.sender,
        # Of a reply (RFC 5322, 3.6.4).
        "headers": [f"In-Reply-To={reply}", f"References={reply}"] if reply else [],
        # A desk knows the ticket by its key, and takes the first one that it finds.
        "subject": f"Re: {settings.ticket} Access to the encryption keys is restored ({settings.org})",
        "body": text,
        # Its "always" falls back to a connection in clear when TLS fails in an unusual way; "starttls" takes TLS from the
        # beginning as well, and sends nothing in clear.
        "secure": "starttls" if mail_.secure else "never",
        **({"username": user, "password": password} if user else {}),
    }


def sent(result: t.Mapping[str, t.Any], ticket: str, mail_: MailSettings, now: str) -> Json:
    """Judge the result of ``community.general.mail``: ``mailed``, or ``code``, ``error`` and ``hint`` of why it is not."""
    # Without Ansible's chain before it, on one line.
    said = re.sub(r"(?s)^(?:Task failed: )?(?:Module failed: )?", "", str(result.get("msg") or "it gave no reason"))
    said = " ".join(said.split())[:300].rstrip(".") + "."
    # A server that refuses the only recipient makes the module fail; the rest is for several recipients.
    if said == "Mail sent successfully." and not result.get("result"):
        return {"mailed": {"to": mail_.to, "ticket": ticket, "at": now}}
    code = next((code for pattern, code in _MEANINGS if re.search(pattern, said)), "mail_not_reached")
    return dict(vars(refusal(code, server=f"{mail_.host}:{mail_.port}", to=mail_.to, ticket=ticket, message=said)))
