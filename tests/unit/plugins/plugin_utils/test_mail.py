from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announcement, journal_text
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._mail import (
    headers,
    is_mailed,
    message,
    sent,
    subject,
)

NOW = "2026-11-24T03:00:00Z"
SETTINGS = {
    "org": "acme",
    "ticket": "CMK-1",
    "mail": {
        "to": "desk@example.com",
        "from": "operator@example.com",
        "host": "mail.example.com",
        "port": 587,
        "secure": True,
        "headers": [],
    },
}
MAILED = {"to": "desk@example.com", "ticket": "CMK-1", "at": NOW}


def test_the_ticket_comes_first_in_the_subject() -> None:
    assert subject("CMK-1", "ABC-2").startswith("Re: CMK-1 ")


def test_headers() -> None:
    assert headers("") == []
    assert headers("<a@b>") == ["In-Reply-To=<a@b>", "References=<a@b>"]


def test_the_message() -> None:
    mail = {name: value for name, value in SETTINGS["mail"].items() if name != "secure"}  # type: ignore[attr-defined]
    assert message(SETTINGS, "text", "", "") == {
        **mail,
        "subject": "Re: CMK-1 Access to the encryption keys is restored (acme)",
        "body": "text",
        "secure": "starttls",
    }
    plain = {**SETTINGS, "mail": {**mail, "secure": False}}
    assert message(plain, "text", "user", "word")["secure"] == "never"
    assert message(plain, "text", "user", "word").items() >= {"username": "user", "password": "word"}.items()


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
    found = sent({"failed": True, "msg": said}, SETTINGS, NOW)
    assert found["code"] == code
    assert "mailed" not in found
    assert "Task failed" not in found["error"]
    assert found["hint"]


def test_sent() -> None:
    assert sent({"msg": "Mail sent successfully", "result": {}}, SETTINGS, NOW) == {"mailed": MAILED}


@pytest.mark.parametrize(
    "result",
    [
        {"msg": "Mail sent successfully", "result": {"desk@example.com": [550, "No"]}},
        {"msg": "Failed to send mail to at least one recipient", "result": {"desk@example.com": [550, "No"]}},
        {},
    ],
)
def test_not_sent(result: dict[str, Any]) -> None:
    assert "mailed" not in sent(result, SETTINGS, NOW)


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
    assert is_mailed({"mailed": mailed}, SETTINGS) is expected


class TestWhatIsRemembered:
    ACME = {"slug": "acme", "ticket": "CMK-1", "ticket_told": ""}  # noqa: RUF012 - never changed
    ENABLED = [{"region": "eu-central-1", "key_state_before": "Enabled", "actions": []}]  # noqa: RUF012 - never changed
    DISABLED = [{"region": "eu-central-1", "key_state_before": "Disabled", "actions": ["EnableKey"]}]  # noqa: RUF012

    def journal(self) -> str:
        first = announcement(self.DISABLED, self.ACME, "", "2026-11-24T02:00:00Z")
        return journal_text({**first, "mailed": MAILED})

    def test_the_same_restoration_is_mailed(self) -> None:
        again = announcement(self.ENABLED, self.ACME, self.journal(), NOW)
        assert again["mailed"] == MAILED
        assert journal_text(again) == self.journal()

    def test_what_is_enabled_after_that_is_another_one(self) -> None:
        again = announcement(self.DISABLED, self.ACME, self.journal(), NOW)
        assert again["mailed"] is None
        assert again["reference"] not in self.journal()

    def test_a_person_tells_of_it(self) -> None:
        told = announcement(self.ENABLED, self.ACME | {"ticket_told": "by phone"}, self.journal(), NOW)
        assert told["told"]["by"] == "person"
        assert told["reference"] in self.journal()

    def test_a_damaged_note_counts_as_not_mailed(self) -> None:
        damaged = self.journal().replace('"mailed": {', '"mailed": "x", "other": {')
        assert announcement(self.ENABLED, self.ACME, damaged, NOW)["mailed"] is None
