"""What Jira Service Management makes of a mail. Pure.

Source: Atlassian support, "Incoming email should be a new issue instead of a comment in JSM Cloud": the sender decides first,
then the leftmost key in the subject, then the headers In-Reply-To and References.
"""

from __future__ import annotations

import email.policy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

_KEY = re.compile(r"\b[A-Z][A-Z0-9_]+-[0-9]+\b")


@dataclass
class DeskByMail:
    """The tickets of a desk, and who takes part in each.

    ``tickets``: the ticket's key to the addresses that take part; ``sent``: the Message-ID of each mail that the desk has
    sent, to the ticket's key.
    """

    tickets: Mapping[str, Sequence[str]]
    sent: Mapping[str, str] = field(default_factory=dict)

    def read(self, content: bytes) -> dict[str, Any]:
        """Read a mail: its headers and text, ``ticket`` and what ``becomes`` of it (comment, request, nothing)."""
        mail = email.message_from_bytes(content, policy=email.policy.SMTP, _class=EmailMessage)
        sender = parseaddr(str(mail["From"]))[1].lower()
        body = mail.get_body(("plain",))
        text = str(body.get_content()) if body else ""
        ticket = self._ticket(mail)
        return {
            "from": sender,
            "to": [parseaddr(str(to))[1] for to in mail.get_all("To", [])],
            "subject": str(mail["Subject"]),
            "in_reply_to": mail["In-Reply-To"] and str(mail["In-Reply-To"]),
            "headers": sorted(mail.keys()),
            "text": text,
            "ticket": ticket,
            "becomes": self._becomes(mail, sender, ticket),
        }

    def _ticket(self, mail: EmailMessage) -> str | None:
        keys = _KEY.findall(str(mail["Subject"]))
        if keys:
            return keys[0] if keys[0] in self.tickets else None
        named = re.findall(r"<[^<>]+>", f"{mail['In-Reply-To']} {mail['References']}")
        return next((self.sent[one] for one in named if one in self.sent), None)

    def _becomes(self, mail: EmailMessage, sender: str, ticket: str | None) -> str:
        everybody = {address.lower() for addresses in self.tickets.values() for address in addresses}
        # Mail handlers drop what says of itself that a machine has sent it (RFC 3834), lest two of them write to each other.
        by_machine = str(mail.get("Auto-Submitted", "no")).lower() != "no" or mail["Precedence"] is not None
        if sender not in everybody or by_machine:
            return "nothing"
        return "comment" if ticket and sender in map(str.lower, self.tickets[ticket]) else "request"
