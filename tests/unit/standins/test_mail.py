"""The mail stand-in: no mail in clear where it offers TLS, none without login, and a desk that is no more forgiving than JSM."""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.standins.mail import DeskByMail, MailServer

DESK, OPERATOR, STRANGER = "desk@example.com", "operator@example.com", "stranger@example.com"
TICKETS = {"CMK-1": [OPERATOR], "CMK-2": ["other@example.com"]}


def mail(subject: str = "Re: CMK-1 back", sender: str = OPERATOR, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, DESK, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("We are back.\n")
    return message


@pytest.mark.parametrize(
    ("message", "becomes", "ticket"),
    [
        (mail(), "comment", "CMK-1"),
        (mail("CMK-1"), "comment", "CMK-1"),
        (mail("[CMK-1] and CMK-2"), "comment", "CMK-1"),
        (mail("CMK-2 and CMK-1"), "request", "CMK-2"),
        (mail("CMK-9 and CMK-1"), "request", None),
        (mail("cmk-1"), "request", None),
        (mail("no key"), "request", None),
        (mail("no key", In_Reply_To="<1@desk>"), "comment", "CMK-1"),
        (mail("no key", References="<0@desk> <1@desk>"), "comment", "CMK-1"),
        (mail("no key", In_Reply_To="<2@desk>"), "request", None),
        (mail(sender=STRANGER), "nothing", "CMK-1"),
        (mail(sender=f"Operator <{OPERATOR.upper()}>"), "comment", "CMK-1"),
        (mail(Auto_Submitted="auto-generated"), "nothing", "CMK-1"),
        (mail(Precedence="bulk"), "nothing", "CMK-1"),
    ],
)
def test_what_a_desk_makes_of_it(message: EmailMessage, becomes: str, ticket: str | None) -> None:
    read = DeskByMail(TICKETS, {"<1@desk>": "CMK-1"}).read(bytes(message))
    assert (read["becomes"], read["ticket"], read["text"]) == (becomes, ticket, "We are back.\n")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    desk = DeskByMail(TICKETS)
    with MailServer(desk, DESK, credentials=("user", "word"), tls="starttls", file=tmp_path / "inbox") as one:
        yield one


def encrypted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_a_mail_is_kept(server: MailServer, tmp_path: Path) -> None:
    with smtplib.SMTP(server.host, server.port) as client:
        client.starttls(context=encrypted())
        client.login("user", "word")
        client.send_message(mail())
    assert server.logins == ["user"]
    assert [one["becomes"] for one in server.inbox] == ["comment"]
    assert json.loads((tmp_path / "inbox").read_text(encoding="utf-8")) == server.inbox[0]


def test_nothing_is_taken_in_clear(server: MailServer) -> None:
    with smtplib.SMTP(server.host, server.port) as client:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            client.login("user", "word")
        with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
            client.send_message(mail())
    assert (server.inbox, server.logins) == ([], [])


def test_nothing_is_taken_without_login(server: MailServer) -> None:
    with smtplib.SMTP(server.host, server.port) as client:
        client.starttls(context=encrypted())
        with pytest.raises(smtplib.SMTPSenderRefused, match="Authentication required"):
            client.send_message(mail())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("user", "another")
    assert server.inbox == []


def test_refusals(server: MailServer) -> None:
    with smtplib.SMTP(server.host, server.port) as client:
        client.starttls(context=encrypted())
        client.login("user", "word")
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="No such mailbox"):
            client.send_message(mail(), to_addrs=["nobody@example.com"])
        with pytest.raises(smtplib.SMTPDataError, match="not that of the envelope"):
            client.send_message(mail(), from_addr=STRANGER)
        server.fault = "451 4.3.0 Try later"
        with pytest.raises(smtplib.SMTPDataError, match="Try later"):
            client.send_message(mail())
    assert server.inbox == []


def test_a_lost_answer(server: MailServer) -> None:
    server.fault = "drop"
    client = smtplib.SMTP(server.host, server.port)
    client.starttls(context=encrypted())
    client.login("user", "word")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.send_message(mail())
    client.close()
    assert len(server.inbox) == 1
