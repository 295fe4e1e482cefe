# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator gave of the ticket and of the ways to notify Atlassian on it, read strictly. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import parse_note
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import Options, is_loopback, shown

# A project key starts with a letter (Atlassian, "Editing a project's key"); the API also takes the numeric id.
_TICKET: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+|[0-9]+")
_MODES: t.Final = ("api", "mail", "manual")
# A plain address, of which no header can be made two: what RFC 5322 allows beyond it, no support desk has.
_ADDRESS: t.Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_HOST: t.Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
# community.general.mail takes a stroke inside a header for the end of it.
_MESSAGE_ID: t.Final = re.compile(r"<?([!#-'*+./0-9=?@A-Z^_`a-z{}~\[\]-]{3,900})>?")


@dataclass(frozen=True)
class MailSettings:
    """How the comment is mailed."""

    to: str  # the support desk's address
    sender: str  # the address that it is from
    host: str  # the mail server
    port: int
    secure: bool  # whether the connection is encrypted
    in_reply_to: str  # the Message-ID of the ticket's mail; empty if it is not known


@dataclass(frozen=True)
class TicketSettings:
    """The ticket, and how Atlassian is notified on it."""

    ticket: str = ""  # its key
    ticket_url: str = ""  # its page, for people
    support_url: str = ""  # the support desk's base URL
    request_url: str = ""  # the ticket in the desk's API; empty in the other modes
    mode: str = ""  # api, mail or manual
    ticket_told: str = ""  # how a person says that Atlassian was notified; empty if nobody does
    mail: MailSettings | None = None


def read_ticket(options: Options) -> TicketSettings:
    """Read what concerns the ticket.

    ``has_token``, ``has_mail_user``, ``has_mail_password`` and ``unfit_credentials`` (names) tell of the credentials without
    holding them; ``can_mail`` whether community.general is there.
    """
    ticket = options.text("ticket", most=255)
    if ticket and not _TICKET.fullmatch(ticket):
        options.add(f"cmk_ticket must be a ticket's key such as ABC-123, but is {shown(options.get('ticket'))}.")
    support_url, ticket_url = options.text("support_url").rstrip("/"), options.text("ticket_url")
    mode = options.text("support_mode").lower() or ("api" if support_url else "manual")
    if mode not in _MODES:
        options.add(f"cmk_support_mode must be {' or '.join(_MODES)}, but is {shown(mode)}.")
    if mode == "api":
        needed = {"support_url": support_url, "support_token": options.get("has_token"), "ticket": ticket}
        _require(options, needed, "by API")
    options.problems += [f"{name} must be one line of text." for name in options.get("unfit_credentials") or []]
    told = _read_note(options)
    # The settings are shown at high verbosity, and the ticket's page in the result: an unfit URL may hold a password.
    page = fit_url(options, "ticket_url", ticket_url, carries_token=False)
    base = fit_url(options, "support_url", support_url, carries_token=True)
    return TicketSettings(
        ticket=ticket.upper(),
        ticket_url=page,
        support_url=base,
        request_url=f"{base}/rest/servicedeskapi/request/{ticket.upper()}" if mode == "api" else "",
        mode=mode,
        ticket_told=told,
        mail=_read_mail(options, ticket) if mode == "mail" else None,
    )


def _require(options: Options, needed: t.Mapping[str, object], how: str) -> None:
    for name in [name for name, value in needed.items() if not value]:
        options.add(
            f"cmk_{name} is not set, but the ticket is to be told {how}. Set it, or hand the text over yourself with "
            "cmk_support_mode=manual."
        )


def _read_note(options: Options) -> str:
    told = options.text("ticket_told")
    note = parse_note(told, str(options.get("now"))) if told else ""
    if isinstance(note, str) and note:
        options.add(f"cmk_ticket_told {note}")
    return told


def _read_mail(options: Options, ticket: str) -> MailSettings:
    if not options.get("can_mail"):
        options.add(
            "cmk_support_mode=mail needs the collection community.general, which is not installed here. Install it with "
            "ansible-galaxy collection install community.general, or hand the text over yourself with "
            "cmk_support_mode=manual."
        )
    read = {name: options.text(f"mail_{name}") for name in ("to", "from", "host")}
    _require(options, {"ticket": ticket, **{f"mail_{name}": value for name, value in read.items()}}, "by mail")
    options.problems += _unfit_for_mail(ticket, read)
    return MailSettings(
        to=read["to"],
        sender=read["from"],
        host=read["host"],
        port=int(options.number("mail_port", least=1, most=65534, whole=True)),
        secure=_is_secure(options, read["host"]),
        in_reply_to=_in_reply_to(options),
    )


def _unfit_for_mail(ticket: str, read: t.Mapping[str, str]) -> t.Iterator[str]:
    if ticket.isdecimal():
        yield f"cmk_ticket is the number {ticket}, but a desk knows the ticket of a mail by its key, such as ABC-123."
    for name in ("to", "from"):
        if read[name] and not _ADDRESS.fullmatch(read[name]):
            yield f"cmk_mail_{name} must be one plain mail address such as desk@example.com, and is not."
    if read["host"] and not _HOST.fullmatch(read["host"]):
        yield f"cmk_mail_host must be a host's name or address, but is {shown(read['host'])}."


def _is_secure(options: Options, host: str) -> bool:
    secure = options.boolean("mail_secure", unset=True)
    has_user, has_password = bool(options.get("has_mail_user")), bool(options.get("has_mail_password"))
    if has_user != has_password:
        name = "cmk_mail_password" if has_user else "cmk_mail_user"
        options.add(f"{name} is not set, and the other of cmk_mail_user and cmk_mail_password is. Set both or none.")
    if not secure and has_password and not is_loopback(host):
        options.add("cmk_mail_secure is false, and a password would travel in clear. Set it to true.")
    return secure


def _in_reply_to(options: Options) -> str:
    reply = options.text("mail_in_reply_to")
    found = _MESSAGE_ID.fullmatch(reply)
    if reply and not (found and found[1].count("@") == 1):
        options.add("cmk_mail_in_reply_to must be the Message-ID of the ticket's mail (<...@...>), and is not.")
    return f"<{found[1]}>" if found else ""


def fit_url(options: Options, name: str, url: str, *, carries_token: bool) -> str:
    """Return the URL; empty if it cannot be used, or a token would travel in clear."""
    problem = _url_problem(url, carries_token=carries_token) if url else ""
    if problem:
        options.add(f"cmk_{name} {problem}")
    return "" if problem else url


def _url_problem(url: str, *, carries_token: bool) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL."
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials, which have variables of their own."
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\\<>\"]", url):
        return f"must be a URL such as https://support.example.com, but is {shown(url)}."
    # Even an empty query or fragment would swallow the path that is appended.
    if carries_token and re.search("[?#]", url):
        return "must be the base URL, without query or fragment."
    if carries_token and parts.scheme == "http" and not is_loopback(host):
        return f"is {shown(url)}, and a token would travel in clear. Use https."
    return ""


def unfit_credentials(user: object, token: object, mail_user: object = None, mail_password: object = None) -> list[str]:
    """Name the credentials that are not one line of text; the values themselves go no further.

    Without a user the token stands in the header as it is (Bearer).
    """
    given = {
        "cmk_support_user": user,
        "cmk_support_token": token,
        "cmk_mail_user": mail_user,
        "cmk_mail_password": mail_password,
    }
    fit = {name: (value, r"[^\x00-\x1f\x7f]*") for name, value in given.items()}
    if not str(user or "").strip():
        fit["cmk_support_token"] = (token, r"[ -~]*")
    return [name for name, (value, pattern) in fit.items() if value and not _is_line(value, pattern)]


def _is_line(value: object, pattern: str) -> bool:
    # Files and vaults end their texts with a newline, which the role leaves out.
    is_word = isinstance(value, (str, int)) and not isinstance(value, bool)
    return is_word and re.fullmatch(pattern, str(value).strip()) is not None
