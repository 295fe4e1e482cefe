"""Reading a ticket and its comments: scripted answers, and Ansible's own client on the strict stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get
from tests.standins.desk import DEFAULT_BEARER, DEFAULT_TOKEN, DEFAULT_USER, Desk

URL = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
PAGE = URL + "/comment?public=true&internal=false&limit=100&start="
REFERENCE = "cmk-restore/acme/0123456789ab"
TICKET = {"currentStatus": {"status": "Open"}, "actions": {"addComment": {"allowed": True}}}


def ok(**data: Any) -> dict[str, Any]:
    return {"status": 200, "json": data}


def page(*bodies: str, last: bool = True) -> dict[str, Any]:
    return ok(values=[{"id": str(number), "body": body} for number, body in enumerate(bodies)], isLastPage=last)


class Script:
    """Answers in order, each to the URL that is expected; time passes only on paper."""

    def __init__(self, *conversation: tuple[str, dict[str, Any]]) -> None:
        self.left = list(conversation)
        self.slept: list[float] = []
        self.said: list[str] = []

    def get(self, url: str) -> dict[str, Any]:
        expected, answer = self.left.pop(0)
        assert url == expected
        return {"url": url, **answer}

    def sleep(self, seconds: float, why: dict[str, Any]) -> None:
        self.slept.append(seconds)
        self.said.append(why["error"])

    def read(self, attempt: int = 1) -> dict[str, Any]:
        found = Reader(self.get, self.sleep, attempt).ticket(URL, "acme")
        assert self.left == []
        return found


FIRST = (f"{URL}?expand=action", ok(**TICKET))


def test_ticket_and_comments() -> None:
    script = Script(FIRST, (PAGE + "0", page("We lost access.", f"Done. Reference: {REFERENCE}")))
    found = script.read()
    assert (found["ok"], found["status"], found["allowed"], found["attempt"]) == (True, "Open", True, 1)
    assert [mention["reference"] for mention in found["mentions"]] == [REFERENCE]
    assert (found["code"], found["error"], found["hint"]) == ("", "", "")


def test_every_page() -> None:
    bodies = ["noise"] * 100
    script = Script(
        FIRST,
        (PAGE + "0", page(*bodies, last=False)),
        (PAGE + "100", page(*bodies[:20], last=False)),
        (PAGE + "120", page(REFERENCE)),
    )
    assert [mention["reference"] for mention in script.read()["mentions"]] == [REFERENCE]


def test_a_page_without_comments_is_the_last_one() -> None:
    assert Script(FIRST, (PAGE + "0", page(last=False))).read()["ok"] is True


@pytest.mark.parametrize(
    ("data", "status", "allowed"),
    [
        ({}, "unknown", True),
        ({"currentStatus": "Open", "actions": []}, "unknown", True),
        ({"currentStatus": {"status": "Closed"}, "actions": {"addComment": {"allowed": False}}}, "Closed", False),
        ({"actions": {"addComment": {}}}, "unknown", True),
        ({"actions": {"addComment": None}, "currentStatus": None}, "unknown", True),
    ],
)
def test_how_the_ticket_stands(data: dict[str, Any], status: str, allowed: bool) -> None:
    found = Script((FIRST[0], ok(**data)), (PAGE + "0", page())).read()
    assert (found["status"], found["allowed"]) == (status, allowed)


@pytest.mark.parametrize(
    "comment", [None, "text", 7, {"body": None}, {"body": REFERENCE, "_links": 3, "created": "today"}]
)
def test_comments_of_an_unknown_shape(comment: Any) -> None:
    found = Script(FIRST, (PAGE + "0", ok(values=[comment], isLastPage=True))).read()
    assert found["ok"] is True


@pytest.mark.parametrize(
    ("status", "code"), [(401, "desk_unauthorized"), (403, "desk_forbidden"), (404, "desk_not_found")]
)
def test_no_access_to_the_ticket_ends_it(status: int, code: str) -> None:
    found = Script((FIRST[0], {"status": status})).read()
    assert (found["ok"], found["code"], found["mentions"]) == (False, code, [])
    assert found["hint"]


def test_a_page_that_is_none_ends_it() -> None:
    found = Script(FIRST, (PAGE + "0", page(REFERENCE, last=False)), (PAGE + "1", ok(nothing=1))).read()
    assert (found["ok"], found["code"]) == (False, "desk_not_json")


def test_what_may_pass_is_tried_again_and_said() -> None:
    script = Script(
        (FIRST[0], {"status": 429, "retry_after": "7"}),
        (FIRST[0], {"status": 503}),
        FIRST,
        (PAGE + "0", {"status": -1, "msg": "Request failed: <urlopen error timed out>"}),
        (PAGE + "0", page()),
    )
    found = script.read()
    assert (found["ok"], found["attempt"]) == (True, 4)
    assert script.slept == [7, 4, 8]
    assert "timed out" in script.said[-1]


@pytest.mark.parametrize(("attempt", "requests"), [(1, 7), (3, 5), (7, 1)])
def test_not_for_ever(attempt: int, requests: int) -> None:
    script = Script(*[(FIRST[0], {"status": 500})] * requests)
    found = script.read(attempt)
    assert (found["ok"], found["code"], found["attempt"]) == (False, "desk_trouble", 7)


def by(author: dict[str, str], body: str, at: str = "2026-11-24T03:00:00+0000") -> dict[str, Any]:
    return {"id": "7", "body": body, "author": author, "created": {"iso8601": at}}


def test_authors_of_all_pages_whoever_wrote_last_comes_last() -> None:
    us, vendor = {"accountId": "u-1", "displayName": "Operator"}, {"accountId": "v-1", "displayName": "Support"}
    first = ok(values=[by(us, f"Reference: {REFERENCE}"), by(vendor, "We begin.")], isLastPage=False)
    second = ok(values=[by(us, "Any news?", "2026-11-25T03:00:00+0000"), "no comment"], isLastPage=True)
    found = Script(FIRST, (PAGE + "0", first), (PAGE + "2", second)).read()["authors"]
    assert [(one["author"], one["name"], one["text"], one["references"]) for one in found] == [
        ("v-1", "Support", "We begin.", []),
        ("u-1", "Operator", "Any news?", [REFERENCE]),
    ]
    assert found[1]["at"] == "2026-11-25T03:00:00+0000"


def test_an_author_of_data_center_has_no_account_id() -> None:
    page_ = ok(values=[by({"name": "jdoe"}, "Hello"), by({}, "Who?")], isLastPage=True)
    found = Script(FIRST, (PAGE + "0", page_)).read()["authors"]
    assert [(one["author"], one["name"]) for one in found] == [("jdoe", "jdoe"), ("", "")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\r\n\tb  c ", "a b c"),
        ("red \x1b[31mtext\x00\x9b", "red [31mtext"),
        ("reversed \u202egnp.exe\u202c and\u200bhidden\ufeff", "reversed gnp.exe and hidden"),
        ("half \ud800", "half"),
        ("Zürich → 日本", "Zürich → 日本"),
        ("x" * 201, "x" * 199 + "…"),
        ("x" * 200, "x" * 200),
        ("", ""),
    ],
)
def test_a_quotation_is_one_line_on_which_nothing_acts(text: str, line: str) -> None:
    assert quoted(text) == line


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with Desk() as running:
        yield running


def ticket(desk: Desk) -> str:
    return f"{desk.url}/rest/servicedeskapi/request/CMK-1"


class TestGet:
    @pytest.mark.parametrize(("user", "token"), [(DEFAULT_USER, DEFAULT_TOKEN), ("", DEFAULT_BEARER)])
    def test_both_kinds_of_credentials(self, desk: Desk, user: str, token: str) -> None:
        found = get(ticket(desk), user, token)
        assert (found["status"], found["json"]["issueKey"]) == (200, "CMK-1")

    @pytest.mark.parametrize(("user", "token"), [(DEFAULT_USER, "wrong"), ("", "wrong"), ("", DEFAULT_TOKEN)])
    def test_wrong_credentials(self, desk: Desk, user: str, token: str) -> None:
        found = get(ticket(desk), user, token)
        assert found["status"] == 401
        assert token not in str(found)

    def test_no_other_credentials_are_taken(self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {DEFAULT_USER} password {DEFAULT_TOKEN}\n", encoding="ascii")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        assert get(ticket(desk), "", "wrong")["status"] == 401

    def test_nobody_there(self) -> None:
        found = get("http://127.0.0.1:9/x", "user", "odd-Secret-9")
        assert found["status"] == -1
        assert "Connection refused" in found["msg"]
        assert "odd-Secret-9" not in str(found)

    @pytest.mark.parametrize("url", ["nonsense", "/rest/x", "http://[::1", "http://127.0.0.1:99999/"])
    def test_no_address(self, url: str) -> None:
        assert get(url, "user", "token")["status"] == -1

    def test_the_token_does_not_follow_a_redirect(self, desk: Desk) -> None:
        with Desk() as elsewhere:
            desk.control("POST", "/faults", {"redirect": ticket(elsewhere), "count": 1})
            found = get(ticket(desk), DEFAULT_USER, DEFAULT_TOKEN)
            assert found["status"] == 302
            assert elsewhere.control("GET", "/calls") == []

    def test_a_certificate_of_nobody(self) -> None:
        with Desk(tls=True) as secure:
            found = get(ticket(secure), DEFAULT_USER, DEFAULT_TOKEN)
            assert found["status"] == -1
            assert "CERTIFICATE_VERIFY_FAILED" in found["msg"]
            assert secure.control("GET", "/calls") == []
