"""Reading a ticket and its comments: scripted answers, and Ansible's own client on the strict stand-in."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _desk_read
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import run_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Answer, read_answer
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get
from tests.standins.desk import DEFAULT_BEARER, DEFAULT_TOKEN, DEFAULT_USER, Desk

BASE = "https://support.example.com"
URL = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
PAGE = URL + "/comment?public=true&internal=false&limit=100&start="
MYSELF = BASE + "/rest/api/2/myself"
REFERENCE = "cmk-restore/acme/0123456789ab"
USER = "op@example.com"
NOW = dt.datetime(2026, 11, 24, 3, 0, 0, tzinfo=dt.UTC)
TICKET = {"currentStatus": {"status": "Open"}, "actions": {"addComment": {"allowed": True}}}


def ok(**data: Any) -> dict[str, Any]:
    return {"status": 200, "json": data}


def page(*bodies: str, last: bool = True, first: int = 0) -> dict[str, Any]:
    author = {"displayName": "Operator", "emailAddress": USER}
    comments = [{"id": str(first + number), "body": body, "author": author} for number, body in enumerate(bodies)]
    return ok(values=comments, isLastPage=last)


def plain(found: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(asdict(found)))
    return read


class Script:
    """Answers in order, each to the URL that is expected; time passes only on paper, in answers that take ``seconds``."""

    def __init__(self, *conversation: tuple[str, dict[str, Any]]) -> None:
        self.left = list(conversation)
        self.slept: list[float] = []
        self.said: list[str] = []
        self.time = 0.0

    def get(self, url: str) -> dict[str, Any]:
        expected, answer = self.left.pop(0)
        assert url == expected
        self.time += answer.get("seconds", 0)
        return {"url": url, **answer}

    def sleep(self, seconds: float, why: Answer) -> None:
        self.slept.append(seconds)
        self.said.append(why.error)

    def read(self, attempt: int = 1, user: str = USER) -> dict[str, Any]:
        reader = Reader(self.get, self.sleep, attempt, clock=lambda: self.time, now=lambda: NOW)
        found = plain(reader.ticket(URL, "acme", user))
        assert self.left == []
        assert found["complete"] is (found["ok"] and not found["bound"])
        return found


FIRST = (f"{URL}?expand=action", ok(**TICKET))


def test_ticket_and_comments() -> None:
    script = Script(FIRST, (PAGE + "0", page("We lost access.", f"Done.\nReference: {REFERENCE}")))
    found = script.read()
    assert (found["ok"], found["status"], found["allowed"], found["attempt"]) == (True, "Open", True, 1)
    assert [mention["reference"] for mention in found["mentions"]] == [REFERENCE]
    assert (found["code"], found["error"], found["hint"]) == ("", "", "")


def test_every_page() -> None:
    bodies = ["noise"] * 100
    script = Script(
        FIRST,
        (PAGE + "0", page(*bodies, last=False)),
        (PAGE + "100", page(*bodies[:20], last=False, first=100)),
        (PAGE + "120", page(REFERENCE, first=120)),
    )
    found = script.read()
    assert [mention["reference"] for mention in found["mentions"]] == [REFERENCE]
    assert (found["complete"], found["bound"]) == (True, "")


class TestBounds:
    """A desk that never ends ends here, and what was not read is said."""

    def test_a_desk_that_ignores_start(self) -> None:
        script = Script(
            FIRST, (PAGE + "0", page(REFERENCE, "b", last=False)), (PAGE + "2", page(REFERENCE, "b", last=False))
        )
        found = script.read()
        assert (found["ok"], found["complete"], len(found["mentions"])) == (True, False, 1)
        assert found["bound"] == (
            "Only the first 2 comments of the ticket were read, because the desk sent comments again that it had sent before."
        )

    def test_a_page_that_overlaps_is_read_on(self) -> None:
        script = Script(
            FIRST, (PAGE + "0", page("a", "b", last=False)), (PAGE + "2", page("b", REFERENCE, first=1)),
        )  # fmt: skip
        assert [script_mention["comment_id"] for script_mention in script.read()["mentions"]] == ["2"]

    def test_pages(self) -> None:
        pages = [(f"{PAGE}{2 * n}", page("a", "b", last=False, first=2 * n)) for n in range(50)]
        found = Script(FIRST, *pages).read()
        assert (found["ok"], found["complete"]) == (True, False)
        assert found["bound"].startswith(
            "Only the first 100 comments of the ticket were read, because the ticket has more"
        )

    def test_fifty_pages_are_read_to_their_end(self) -> None:
        pages = [(f"{PAGE}{2 * n}", page("a", "b", last=n == 49, first=2 * n)) for n in range(50)]
        assert Script(FIRST, *pages).read()["complete"] is True

    def test_an_answer_that_is_too_large(self) -> None:
        large = {"status": 200, "too_large": True, "size": 8 << 20}
        found = Script(FIRST, (PAGE + "0", page(REFERENCE, last=False)), (PAGE + "1", large)).read()
        assert (found["ok"], found["complete"], len(found["mentions"])) == (True, False, 1)
        assert found["bound"].endswith("because the next page has more than 8 MiB.")

    def test_a_ticket_that_is_too_large(self) -> None:
        found = Script((FIRST[0], {"status": 200, "too_large": True, "size": 8 << 20})).read()
        assert (found["ok"], found["code"], found["complete"]) == (False, "desk_not_json", False)

    def test_bytes_in_all(self) -> None:
        pages = [(f"{PAGE}{n}", page("a", last=False, first=n) | {"size": 8 << 20}) for n in range(4)]
        found = Script(FIRST, *pages).read()
        assert (found["ok"], found["complete"]) == (True, False)
        assert found["bound"].endswith("because they have more than 32 MiB.")

    def test_a_byte_less_is_read(self) -> None:
        pages = [(f"{PAGE}{n}", page("a", last=False, first=n) | {"size": 8 << 20}) for n in range(3)]
        pages.append((f"{PAGE}3", page("a", last=False, first=3) | {"size": (8 << 20) - 1}))
        assert Script(FIRST, *pages, (f"{PAGE}4", page("a", first=4))).read()["complete"] is True

    def test_a_moment_less_is_read(self) -> None:
        pages = [(f"{PAGE}{n}", page("a", last=False, first=n) | {"seconds": 19.9}) for n in range(3)]
        assert Script(FIRST, *pages, (f"{PAGE}3", page("a", first=3))).read()["complete"] is True

    @pytest.mark.parametrize(("late", "slept"), [(3480, [120]), (3481, [])])
    def test_an_attempt_begins_within_an_hour(self, late: float, slept: list[float]) -> None:
        busy = (FIRST[0], {"status": 429, "retry_after": "120"})
        script = Script(busy, *([FIRST, (PAGE + "0", page())] if slept else []))
        reader = Reader(script.get, script.sleep, clock=lambda: script.time)
        script.time = late
        assert reader.ticket(URL, "acme", USER).ok is bool(slept)
        assert script.slept == slept

    def test_time(self) -> None:
        pages = [(f"{PAGE}{n}", page("a", last=False, first=n) | {"seconds": 29}) for n in range(3)]
        found = Script(FIRST, *pages).read()
        assert (found["ok"], found["complete"]) == (True, False)
        assert found["bound"].endswith("because reading took more than 60 s.")

    def test_waits_are_beside_that_time(self) -> None:
        throttled = (PAGE + "0", {"status": 429, "retry_after": "100"})
        script = Script(FIRST, throttled, throttled, (PAGE + "0", page()))
        assert script.read()["complete"] is True
        assert script.slept == [100, 100]

    def test_a_desk_that_hangs_is_not_asked_for_ever(self) -> None:
        hangs = {"status": -1, "msg": "Request failed: timed out", "seconds": 30}
        found = Script((FIRST[0], hangs), (FIRST[0], hangs)).read()
        assert (found["ok"], found["code"], found["complete"]) == (False, "desk_not_reached", False)

    def test_an_empty_page_that_is_not_the_last(self) -> None:
        found = Script(FIRST, (PAGE + "0", page(last=False))).read()
        assert (found["ok"], found["complete"]) == (True, False)
        assert "empty page" in found["bound"]


class TestOwnAccount:
    """The desk is asked who we are only where the e-mail addresses leave that open, and once at most."""

    ID = "5b10ac8d82e05b22cc7d4ef5"

    def by_us(self, *conversation: tuple[str, dict[str, Any]], user: str = USER) -> list[bool]:
        return [mention["by_us"] for mention in Script(FIRST, *conversation).read(user=user)["mentions"]]

    def hidden(self, *account_ids: str, **author: Any) -> tuple[str, dict[str, Any]]:
        comments = [by({"accountId": account_id, **author}, f"Done.\n{REFERENCE}") for account_id in account_ids]
        return (PAGE + "0", ok(values=comments, isLastPage=True))

    def test_the_address_decides(self) -> None:
        assert self.by_us((PAGE + "0", page(REFERENCE))) == [True]
        assert self.by_us((PAGE + "0", page(REFERENCE)), user="colleague@example.com") == [False]

    def test_the_desk_decides_where_the_address_is_hidden(self) -> None:
        myself = (MYSELF, ok(accountId=self.ID, displayName="Operator"))
        assert self.by_us(self.hidden(self.ID, "other", self.ID), myself) == [True, False, True]

    def test_the_desk_decides_where_there_is_no_user(self) -> None:
        author = {"key": "JIRAUSER10100", "name": "op", "emailAddress": USER}
        comments = (PAGE + "0", ok(values=[by(author, REFERENCE)], isLastPage=True))
        assert self.by_us(comments, (MYSELF, ok(key="JIRAUSER10100", name="op")), user="") == [True]
        assert self.by_us(comments, (MYSELF, ok(key="JIRAUSER10101", name="other")), user="") == [False]
        # Either of them identifies an account of Data Center.
        assert self.by_us(comments, (MYSELF, ok(key="JIRAUSER10100")), user="") == [True]
        assert self.by_us(comments, (MYSELF, ok(name="op")), user="") == [True]

    def test_below_the_gateway_of_scoped_tokens(self) -> None:
        base = "https://api.atlassian.com/ex/jira/cloud-id"
        url = f"{base}/rest/servicedeskapi/request/CMK-1"
        script = Script(
            (f"{url}?expand=action", ok(**TICKET)),
            (f"{url}/comment?public=true&internal=false&limit=100&start=0", self.hidden(self.ID)[1]),
            (f"{base}/rest/api/2/myself", ok(accountId=self.ID)),
        )
        found = plain(Reader(script.get, script.sleep).ticket(url, "acme", USER))
        assert [mention["by_us"] for mention in found["mentions"]] == [True]

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 401},
            {"status": 403},
            {"status": 404},
            {"status": 429, "retry_after": "7"},
            {"status": 500},
            {"status": -1, "msg": "Request failed: timed out"},
            {"status": 200, "content_type": "text/html"},
            {"status": 200, "json": []},
            {"status": 200, "json": {}},
            {"status": 200, "json": {"accountId": None, "displayName": "Operator", "emailAddress": USER}},
        ],
    )
    def test_a_desk_that_does_not_say_who_we_are(self, answer: dict[str, Any]) -> None:
        script = Script(FIRST, self.hidden(self.ID, displayName="Operator"), (MYSELF, answer))
        found = script.read()
        assert (found["ok"], found["mentions"][0]["by_us"], script.slept, found["attempt"]) == (True, False, [], 1)

    def test_it_is_not_asked_without_a_mention(self) -> None:
        comments = ok(values=[by({"accountId": self.ID}, f"> {REFERENCE}")], isLastPage=True)
        assert self.by_us((PAGE + "0", comments)) == []

    def test_it_is_not_asked_when_time_is_up(self) -> None:
        url, comments = self.hidden(self.ID)
        assert self.by_us((url, {**comments, "seconds": 60})) == [False]


class TestClock:
    def dated(self, seconds: int, answer: dict[str, Any]) -> dict[str, Any]:
        date = NOW + dt.timedelta(seconds=seconds)
        return {**answer, "date": date.strftime("%a, %d %b %Y %H:%M:%S GMT")}

    @pytest.mark.parametrize("ahead", [600, 0, -600])
    def test_times_are_those_of_our_clock(self, ahead: int) -> None:
        at = (NOW + dt.timedelta(seconds=ahead - 30)).strftime("%Y-%m-%dT%H:%M:%S+0000")
        comments = ok(values=[by({"emailAddress": USER}, REFERENCE, at)], isLastPage=True)
        script = Script((FIRST[0], self.dated(ahead, FIRST[1])), (PAGE + "0", self.dated(ahead, comments)))
        found = script.read()
        assert (found["clock_offset"], found["mentions"][0]["at"]) == (ahead, at)
        assert found["mentions"][0]["noted_at"] == "2026-11-24T02:59:30Z"

    def test_the_answer_that_came_fastest_counts(self) -> None:
        script = Script((FIRST[0], self.dated(-9, FIRST[1])), (PAGE + "0", self.dated(0, page())))
        assert script.read()["clock_offset"] == 0

    def test_without_a_date(self) -> None:
        found = Script(FIRST, (PAGE + "0", page(REFERENCE))).read()
        assert (found["clock_offset"], found["mentions"][0]["noted_at"]) == (None, "")


@pytest.mark.parametrize(("length", "status"), [(100, "x" * 100), (101, "x" * 99 + "…")])
def test_a_status_is_cut_to_a_hundred_characters(length: int, status: str) -> None:
    ticket = ok(currentStatus={"status": "x" * length})
    assert Script((FIRST[0], ticket), (PAGE + "0", page())).read()["status"] == status


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
    myself = [(MYSELF, ok())] if isinstance(comment, dict) and comment["body"] else []
    found = Script(FIRST, (PAGE + "0", ok(values=[comment], isLastPage=True)), *myself).read()
    assert (found["ok"], len(found["mentions"])) == (True, len(myself))


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


def by(author: dict[str, Any], body: str, at: str = "2026-11-24T03:00:00+0000") -> dict[str, Any]:
    return {"id": f"{author} {body}", "body": body, "author": author, "created": {"iso8601": at}}


def test_authors_of_all_pages_whoever_wrote_last_comes_last() -> None:
    us, vendor = {"accountId": "u-1", "displayName": "Operator"}, {"accountId": "v-1", "displayName": "Support"}
    first = ok(values=[by(us, f"Reference: {REFERENCE}"), by(vendor, "We begin.")], isLastPage=False)
    second = ok(values=[by(us, "Any news?", "2026-11-25T03:00:00+0000"), "no comment"], isLastPage=True)
    found = Script(FIRST, (PAGE + "0", first), (PAGE + "2", second), (MYSELF, ok())).read()["authors"]
    assert [(one["author"], one["name"], one["text"], one["references"]) for one in found] == [
        ("v-1", "Support", "We begin.", []),
        ("u-1", "Operator", "Any news?", [REFERENCE]),
    ]
    assert found[1]["at"] == "2026-11-25T03:00:00+0000"


def test_an_author_of_data_center_has_no_account_id() -> None:
    page_ = ok(values=[by({"name": "jdoe"}, "Hello"), by({}, "Who?")], isLastPage=True)
    found = Script(FIRST, (PAGE + "0", page_)).read()["authors"]
    assert [(one["author"], one["name"]) for one in found] == [("jdoe", "jdoe"), ("", "")]


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

    def test_the_time_and_the_size_of_an_answer(self, desk: Desk) -> None:
        found = get(ticket(desk), DEFAULT_USER, DEFAULT_TOKEN)
        assert parsedate_to_datetime(found["date"]).tzinfo is not None
        assert found["size"] > 500

    def test_an_answer_has_half_a_minute(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        limits: list[float] = []

        def noting(limit: float, work: Callable[[], Any]) -> Any:
            limits.append(limit)
            return run_within(limit, work)

        monkeypatch.setattr(_desk_read, "run_within", noting)
        assert get(ticket(desk), DEFAULT_USER, DEFAULT_TOKEN)["status"] == 200
        assert limits == [30]

    def test_who_we_are(self, desk: Desk) -> None:
        desk.control("PATCH", "/settings", {"jira_access": True})
        found = get(f"{desk.url}/rest/api/2/myself", DEFAULT_USER, DEFAULT_TOKEN)
        assert (found["status"], found["json"]["displayName"]) == (200, "Acme operator")

    def test_a_desk_that_sends_drop_by_drop(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_desk_read, "_TIMEOUT", 0.5)
        desk.control("POST", "/faults", {"drip": 0.1, "count": 1})
        begin = time.monotonic()
        found = get(ticket(desk), DEFAULT_USER, DEFAULT_TOKEN)
        assert time.monotonic() - begin < 20
        assert (found["status"], found["msg"]) == (-1, "Request failed: no complete answer within 0.5 s")

    def test_an_answer_that_is_too_large(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_desk_read, "_MOST_BYTES", 100)
        found = get(ticket(desk), DEFAULT_USER, DEFAULT_TOKEN)
        assert (found["status"], found["too_large"], "json" in found) == (200, True, False)


# What a server may send instead of an answer.
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@contextlib.contextmanager
def raw(*parts: bytes, pause: float = 0, times: int = 1) -> Iterator[str]:
    """A server that sends these bytes, the last ones again and again, whatever is asked."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                for part in [*parts[:-1], *[parts[-1]] * times]:
                    connection.sendall(part)
                    time.sleep(pause)
                connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/rest/servicedeskapi/request/CMK-1"
        thread.join(10)
        assert not thread.is_alive()


class TestUnfinishedAnswers:
    @pytest.mark.parametrize(
        "parts",
        [
            pytest.param((_HEAD + b"Content-Length: 100\r\n\r\n", b'{"a": 1}'), id="less than announced"),
            pytest.param((_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'8\r\n{"a": 1}\r\n'), id="no last chunk"),
            pytest.param(
                (_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n", gzip.compress(b'{"a": 1}' * 99)[:20]),
                id="gzip cut off",
            ),
            pytest.param(
                (_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n", b"oops"), id="gzip that is none"
            ),
            pytest.param((b"SSH-2.0-OpenSSH_9.9\r\n",), id="no HTTP"),
            pytest.param((b"",), id="nothing"),
        ],
    )
    def test_they_are_no_answer_and_may_be_tried_again(self, parts: tuple[bytes, ...]) -> None:
        with raw(*parts) as url:
            found = plain(read_answer(get(url, "user", "token")))
        assert (found["ok"], found["code"], found["retry"]) == (False, "desk_not_reached", True)

    def test_one_of_unknown_length_ends_with_the_connection(self) -> None:
        with raw(_HEAD + b"\r\n", b'{"issueKey": "CMK-1"}') as url:
            assert get(url, "user", "token")["json"] == {"issueKey": "CMK-1"}

    def test_gzip(self) -> None:
        body = gzip.compress(b'{"issueKey": "CMK-1"}')
        with raw(_HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body), body) as url:
            assert get(url, "user", "token")["json"] == {"issueKey": "CMK-1"}

    def test_a_bomb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_desk_read, "_MOST_BYTES", 1 << 20)
        body = gzip.compress(b" " * (64 << 20))
        with raw(_HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body), body) as url:
            assert get(url, "user", "token")["too_large"] is True

    def test_headers_that_never_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_desk_read, "_TIMEOUT", 0.5)
        begin = time.monotonic()
        with raw(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", pause=0.075, times=80) as url:
            found = get(url, "user", "token")
            assert time.monotonic() - begin < 5
        assert (found["status"], found["msg"]) == (-1, "Request failed: no complete answer within 0.5 s")

    def test_json_that_is_nested_too_deeply(self) -> None:
        body = b"[" * 200_000
        with raw(_HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body) as url:
            assert read_answer(get(url, "user", "token")).code == "desk_not_json"


def test_a_desk_that_asks_for_seven_seconds_is_left_alone_for_seven_seconds(desk: Desk) -> None:
    desk.control("POST", "/reset")
    desk.control("POST", "/faults", {"status": 429, "retry_after": 7, "count": 1})
    slept: list[float] = []
    reader = Reader(lambda url: get(url, DEFAULT_USER, DEFAULT_TOKEN), lambda seconds, _why: slept.append(seconds))
    assert reader.ticket(ticket(desk), "acme", DEFAULT_USER).ok is True
    assert slept == [7]


def test_a_desk_that_ignores_start_is_read_once(desk: Desk) -> None:
    desk.control("POST", "/reset")
    desk.control("POST", "/tickets", {"key": "CMK-1", "generate_comments": 60})
    desk.control("PATCH", "/settings", {"ignore_start": True})
    reader = Reader(lambda url: get(url, DEFAULT_USER, DEFAULT_TOKEN), lambda *_args: None)
    found = plain(reader.ticket(ticket(desk), "acme", DEFAULT_USER))
    assert (found["ok"], found["complete"]) == (True, False)
    assert found["bound"].startswith("Only the first 50 comments of the ticket were read, because ")
    assert len(desk.control("GET", "/calls")) == 3


@pytest.mark.parametrize(("patience", "attempts"), [(0, 1), (19, 1), (20, 2), (3600, 7)])
def test_no_attempt_begins_once_patience_is_over(patience: float, attempts: int) -> None:
    busy = (f"{URL}?expand=action", {"status": 429, "retry_after": "20", "json": {}})
    script = Script(*[busy] * 7)

    def wait(seconds: float, why: Answer) -> None:
        script.sleep(seconds, why)
        script.time += seconds

    reader = Reader(script.get, wait, patience=patience, clock=lambda: script.time, now=lambda: NOW)
    assert reader.ticket(URL, "acme", USER).code == "desk_throttled"
    assert len(script.slept) == attempts - 1
