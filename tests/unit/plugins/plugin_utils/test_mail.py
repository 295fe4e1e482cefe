from __future__ import annotations

import typing as t
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import begin, settle
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.mail import is_mailed, message, sent
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import MailSettings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

NOW = "2026-11-24T03:00:00Z"
MAIL = MailSettings("desk@example.com", "operator@example.com", "mail.example.com", 587, secure=True, in_reply_to="")
SETTINGS = Settings(org="acme", slug="acme", ticket="CMK-1", mail=MAIL)
MAILED = {"to": "desk@example.com", "ticket": "CMK-1", "at": NOW}


def test_a_reply_names_what_it_replies_to() -> None:
    headers = message(SETTINGS, replace(MAIL, in_reply_to="<a@b>"), "text", "", "")["headers"]
    assert headers == ["In-Reply-To=<a@b>", "References=<a@b>"]


def test_the_message() -> None:
    assert message(SETTINGS, MAIL, "text", "", "") == {
        "to": "desk@example.com",
        "from": "operator@example.com",
        "host": "mail.example.com",
        "port": 587,
        "headers": [],
        "subject": "Re: CMK-1 Access to the encryption keys is restored (acme)",
        "body": "text",
        "secure": "starttls",
    }
    plain = replace(MAIL, secure=False)
    assert message(SETTINGS, plain, "text", "user", "word")["secure"] == "never"
    assert message(SETTINGS, plain, "text", "user", "word").items() >= {"username": "user", "password": "word"}.items()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Authentication to mail:587 failed, please check your username and/or password", "mail_unauthorized"),
        ("No Suitable authentication method was found on mail:587", "mail_unauthorized"),
        ("No Authentication on the server at mail:587", "mail_unauthorized"),
        ("StartTLS is not offered on server mail:587", "mail_not_encrypted"),
        ("Unable to start an encrypted session to mail:587: wrong version", "mail_not_encrypted"),
        ("Failed to send mail to 'a@b': {'a@b': (550, b'5.1.1 No')}", "mail_refused"),
        ("Failed to send mail to 'a@b': (451, b'Later')", "mail_refused"),
        ("Failed to send mail to 'a@b': Connection unexpectedly closed", "mail_unconfirmed"),
        ("Failed to send mail to 'a@b': timed out", "mail_unconfirmed"),
        ("Task failed: Module failed: Connection unexpectedly closed", "mail_unconfirmed"),
        ("Unable to Connect mail:587: Connection unexpectedly closed", "mail_not_reached"),
        ("Helo failed for host mail:587: Connection unexpectedly closed", "mail_not_reached"),
        ("Task failed: Module failed: [Errno 111] Connection refused", "mail_not_reached"),
        ("Module failed: timed out", "mail_not_reached"),
        ("", "mail_not_reached"),
    ],
)
def test_what_the_module_says(said: str, code: str) -> None:
    found = sent({"failed": True, "msg": said}, "CMK-1", MAIL, NOW)
    assert found["code"] == code
    assert "mailed" not in found
    assert "Task failed" not in found["error"]
    assert found["hint"]


def test_a_long_reason_is_cut() -> None:
    error = sent({"failed": True, "msg": "x" * 301}, "CMK-1", MAIL, NOW)["error"]
    assert "x" * 300 in error
    assert "x" * 301 not in error


def test_sent() -> None:
    assert sent({"msg": "Mail sent successfully", "result": {}}, "CMK-1", MAIL, NOW) == {"mailed": MAILED}


@pytest.mark.parametrize(
    "result",
    [
        {"msg": "Mail sent successfully", "result": {"desk@example.com": [550, "No"]}},
        {"msg": "Failed to send mail to at least one recipient", "result": {"desk@example.com": [550, "No"]}},
        {},
    ],
)
def test_not_sent(result: dict[str, Any]) -> None:
    assert "mailed" not in sent(result, "CMK-1", MAIL, NOW)


@pytest.mark.parametrize(
    ("mailed", "expected"),
    [
        (None, False),
        ({}, False),
        (MAILED, True),
        (MAILED | {"to": "other@example.com"}, False),
        (MAILED | {"ticket": "CMK-2"}, False),
    ],
)
def test_is_mailed(mailed: dict[str, str] | None, expected: bool) -> None:
    assert is_mailed(Journal(mailed=mailed), "CMK-1", MAIL) is expected


class TestWhatIsRemembered:
    ARN: t.ClassVar = "arn:aws:kms:eu-central-1:111122223333:key/1"
    MAILED_BEFORE: t.ClassVar = Journal(
        reference="cmk-restore/acme/0123456789ab", started_at="2026-11-24T02:00:00Z", ticket="CMK-1", mailed=MAILED
    )

    def settled(self, journal: Journal, *, enables: bool = False, note: str = "") -> Journal:
        settings = replace(SETTINGS, ticket_told=note)
        states = {self.ARN: "Disabled" if enables else "Enabled"}
        begun = begin(journal, states, changes=enables, ticket="CMK-1", now=NOW)
        return settle(begun, AccessLoss(), states, settings, enables=enables, now=NOW, nonce="n").journal

    def test_the_same_restoration_is_mailed(self) -> None:
        again = self.settled(self.MAILED_BEFORE)
        assert (again.mailed, again.reference) == (MAILED, self.MAILED_BEFORE.reference)

    def test_what_is_enabled_after_that_is_another_one(self) -> None:
        again = self.settled(self.MAILED_BEFORE, enables=True)
        assert again.mailed is None
        assert again.reference != self.MAILED_BEFORE.reference

    def test_a_person_confirms_it(self) -> None:
        again = self.settled(self.MAILED_BEFORE, note="https://support.example.com/CMK-1?comment=1")
        assert again.told
        assert (again.told["by"], again.reference) == ("person", self.MAILED_BEFORE.reference)
