# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comment as a mail to the support desk, with ``community.general.mail``. Pure.

A mail server that takes a mail proves nothing about the ticket: until a person has seen the comment there, Atlassian
counts as not told.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import MailSettings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

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


def subject(ticket: str, org: str) -> str:
    """Write the subject: a desk knows the ticket by its key, and takes the first one that it finds."""
    return f"Re: {ticket} Access to the encryption keys is restored ({org})"


def headers(in_reply_to: str) -> list[str]:
    """Write the headers of a reply, as ``community.general.mail`` takes them (RFC 5322, 3.6.4)."""
    return [f"In-Reply-To={in_reply_to}", f"References={in_reply_to}"] if in_reply_to else []


def is_mailed(journal: Journal, ticket: str, mail: MailSettings) -> bool:
    """Whether this restoration has been mailed to that address about that ticket."""
    mailed = journal.mailed or {}
    return (mailed.get("ticket"), mailed.get("to")) == (ticket, mail.to)


def message(settings: Settings, mail: MailSettings, text: str, user: str, password: str) -> dict[str, t.Any]:
    """Write the options of ``community.general.mail``."""
    return {
        "host": mail.host,
        "port": mail.port,
        "to": mail.to,
        "from": mail.sender,
        "headers": headers(mail.in_reply_to),
        "subject": subject(settings.ticket, settings.org),
        "body": text,
        # Its "always" falls back to a connection in clear when TLS fails in an unusual way; "starttls" takes TLS from the
        # beginning as well, and sends nothing in clear.
        "secure": "starttls" if mail.secure else "never",
        **({"username": user, "password": password} if user else {}),
    }


def sent(result: t.Mapping[str, t.Any], ticket: str, mail: MailSettings, now: str) -> dict[str, t.Any]:
    """Judge the result of ``community.general.mail``: ``mailed``, or ``code``, ``error`` and ``hint`` of why it is not."""
    said = _said(result.get("msg"))
    # A server that refuses the only recipient makes the module fail; the rest is for several recipients.
    if said == "Mail sent successfully." and not result.get("result"):
        return {"mailed": {"to": mail.to, "ticket": ticket, "at": now}}
    code = next((code for pattern, code in _MEANINGS if re.search(pattern, said)), "mail_not_reached")
    server = f"{mail.host}:{mail.port}"
    return dict(vars(refusal(code, server=server, to=mail.to, ticket=ticket, message=said)))


def _said(message_: object) -> str:
    """Take what the module says, without Ansible's chain before it; one line."""
    text = re.sub(r"(?s)^(?:Task failed: )?(?:Module failed: )?", "", str(message_ or "it gave no reason"))
    return " ".join(text.split())[:300].rstrip(".") + "."
