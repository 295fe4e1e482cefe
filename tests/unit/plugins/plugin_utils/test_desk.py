"""The support desk's answers, as ansible.builtin.uri hands them over."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import asdict
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import REFUSALS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import (
    Account,
    Answer,
    Author,
    Look,
    Mention,
    authors,
    is_undecided,
    local_time,
    mentions,
    not_told,
    quoted,
    read_answer,
    states,
    unfit_comment,
)

URL = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
NOW = dt.datetime(2026, 11, 24, 3, 0, 0, tzinfo=dt.UTC)


def listed(comments: Any, slug: str, **more: Any) -> list[dict[str, Any]]:
    return [asdict(mention) for mention in mentions(comments, slug, **more)]


def answer(result: Any, *args: Any, **more: Any) -> dict[str, Any]:
    return asdict(read_answer(result, *args, **more))


def said(status: int, message: str | None = None, **more: Any) -> dict[str, Any]:
    """A refusal as uri returns it (ansible-core, modules/uri.py and module_utils/urls.py)."""
    result = {"status": status, "url": URL, "msg": f"Status code was {status} and not [200]: HTTP Error {status}: x"}
    if message is not None:
        result |= {"json": {"errorMessage": message}, "content_type": "application/json;charset=UTF-8"}
    return result | more


def lost(reason: str, **more: Any) -> dict[str, Any]:
    return {"status": -1, "url": URL, "msg": f"Status code was -1 and not [200]: {reason}"} | more


@pytest.mark.parametrize("data", [{}, {"values": []}, {"isLastPage": True}, {"values": {}, "isLastPage": True}])
def test_what_is_no_page_of_comments(data: dict[str, Any]) -> None:
    page = {"status": 200, "url": f"{URL}/comment?start=0", "json": data}
    assert answer(page)["code"] == "desk_not_json"
    assert answer({**page, "url": URL})["ok"]
    assert answer({**page, "json": {"values": [], "isLastPage": True}})["ok"]


DROPPED = {"status": -1, "url": URL, "msg": "Connection failure: Remote end closed connection without response"}


@pytest.mark.parametrize(
    ("post", "look", "code"),
    [
        (DROPPED, said(500), "desk_unconfirmed"),
        (said(500), said(401), "desk_unconfirmed"),
        ({"status": 201, "url": URL}, said(500), "desk_unconfirmed"),
        ({"status": 201, "url": URL, "json": {}}, said(500), "desk_unconfirmed"),
        ({"status": 200, "url": URL, "content_type": "text/html"}, said(500), "desk_unconfirmed"),
        (said(403), said(500), "desk_forbidden"),
        (said(429), said(500), "desk_throttled"),
        (said(500), {"status": 200, "url": URL, "json": {}}, "desk_trouble"),
        ({"status": 201, "url": URL, "json": {}}, {"status": 200, "url": URL, "json": {}}, "desk_not_json"),
    ],
)
def test_a_comment_that_may_have_been_stored_is_not_called_untold(
    post: dict[str, Any], look: dict[str, Any], code: str
) -> None:
    sent = read_answer(look)
    why = not_told(read_answer(post), Look(sent.ok, sent.code, sent.error, sent.hint))
    assert set(why) == {"code", "error", "hint"}
    assert why["code"] == code
    assert why["error"]
    assert why["hint"]


def test_a_comment_that_may_be_among_those_that_were_not_read() -> None:
    look = Look(complete=False, bound="Only the first 5,000 comments of the ticket were read.")
    why = not_told(read_answer(said(500)), look)
    assert (why["code"], why["error"].endswith(look.bound)) == ("desk_unconfirmed", True)
    assert not_told(read_answer(said(403)), look)["code"] == "desk_forbidden"


def test_what_was_sent_is_told() -> None:
    unread = Look(ok=False, error="The desk is away.")
    assert "(HTTP 500)" in not_told(read_answer(said(500)), unread)["error"]
    sent = not_told(read_answer({"status": 201, "json": {}, "url": URL}), unread)["error"]
    assert "(HTTP 201)" in sent
    assert "The desk is away." in sent


@pytest.mark.parametrize(
    ("length", "look", "code"),
    [
        (32767, Look(), None),
        (32767, None, None),
        (32768, Look(), "comment_too_long"),
        (32768, None, "comment_too_long"),
        (1, Look(allowed=False, status="Closed"), "ticket_closed"),
        (32768, Look(allowed=False), "ticket_closed"),
    ],
)
def test_a_comment_that_the_ticket_would_not_take(length: int, look: Look | None, code: str | None) -> None:
    assert unfit_comment("x" * length, "CMK-1", look).get("code") == code


REFERENCE = "cmk-restore/acme/0123456789ab"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"Back.\nReference: {REFERENCE}\n", True),
        (f"{REFERENCE}", True),
        (f"See {REFERENCE}", False),
        (f"> Reference: {REFERENCE}", False),
        ("Reference: cmk-restore/acme/0123456789ac", False),
        ("", False),
    ],
)
def test_a_text_that_announces_the_restoration(text: str, is_one: bool) -> None:
    assert states(text, REFERENCE) is is_one


def test_what_is_read_of_a_ticket_passes_from_task_to_task() -> None:
    read = Look(
        status="Open",
        mentions=(Mention(REFERENCE, "17", by_us=True),),
        authors=(Author("a-1", "Support", (REFERENCE,), "18", "", "", "Hello."),),
        attempt=2,
        clock_offset=3,
    )
    passed = {**asdict(read), "mentions": [asdict(read.mentions[0])], "authors": [asdict(read.authors[0])], "more": 1}
    assert Look.from_json(passed) == read
    assert Look.from_json({"status": "Open"}) == Look(status="Open")
    assert Look.from_json({}) is None


def test_what_nobody_has_read_is_no_news() -> None:
    """The ticket is open and read, its comments are not ours."""
    look = Look()
    assert (look.ok, look.allowed, look.complete, look.attempt) == (True, True, True, 1)
    assert (Mention(REFERENCE).by_us, Author("a", "A", (), "", "", "", "").by_us) == (False, False)
    assert (Answer(ok=False, status=500).size, Answer(ok=False, status=500).retry) == (0, False)


@pytest.mark.parametrize(
    ("noted_at", "at", "written_at"),
    [
        ("2026-11-24T03:00:00Z", "2026-11-24T04:00:00+0000", NOW),
        ("", "2026-11-24T03:00:00+0000", NOW),
        ("", "today", None),
    ],
)
def test_when_a_comment_was_written(noted_at: str, at: str, written_at: dt.datetime | None) -> None:
    assert Mention(REFERENCE, at=at, noted_at=noted_at).written_at == written_at
    assert Author("a", "A", (), "", "", at, "", noted_at).written_at == written_at


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
        # Of a text of megabytes only the beginning is read.
        ("a" + " " * 1999 + "b", "a…"),
        ("a" + " " * 1998 + "b", "a b"),
        ("", ""),
    ],
)
def test_a_quotation_is_one_line_on_which_nothing_acts(text: str, line: str) -> None:
    assert quoted(text) == line


@pytest.mark.parametrize("code", sorted(code for code in REFUSALS if code.startswith(("desk_", "ticket_"))))
def test_each_message_of_the_desk_names_the_way_without_it(code: str) -> None:
    _error, hint = REFUSALS[code]
    assert "cmk_support_mode=manual" in hint or code == "desk_unconfirmed"
    assert "run again" in hint.lower()


@pytest.mark.parametrize("status", [200, 201])
def test_a_good_answer(status: int) -> None:
    data = {"id": "17", "public": True}
    assert answer({"status": status, "json": data, "url": URL, "authorization": "Basic odd-Secret-9"}) == {
        "ok": True,
        "status": status,
        "data": data,
        "code": "",
        "error": "",
        "hint": "",
        "retry": False,
        "wait": 0,
        "clock_offset": None,
        "size": 0,
        "too_large": False,
    }


@pytest.mark.parametrize(
    ("result", "code", "retry"),
    [
        pytest.param(said(400, "body is required"), "desk_refused", False, id="400"),
        pytest.param(said(401, "Not logged in"), "desk_unauthorized", False, id="401"),
        pytest.param(said(403, "No permission"), "desk_forbidden", False, id="403"),
        pytest.param(said(404, "No such request"), "desk_not_found", False, id="404"),
        pytest.param(said(409, "Conflict"), "desk_conflict", False, id="409"),
        pytest.param(said(413, "Too large"), "desk_refused", False, id="413"),
        pytest.param(said(429, "Slow down"), "desk_throttled", True, id="429"),
        pytest.param(said(500, "Oh"), "desk_trouble", True, id="500"),
        pytest.param(said(502, content_type="text/html"), "desk_trouble", True, id="a proxy's 502"),
        pytest.param(said(503), "desk_trouble", True, id="503"),
        pytest.param(said(504), "desk_trouble", True, id="504"),
        pytest.param(said(204), "desk_not_json", False, id="204"),
        pytest.param(
            {"status": 200, "content_type": "text/html;charset=UTF-8"}, "desk_login_page", False, id="login page"
        ),
        pytest.param({"status": 200, "content_type": "application/xhtml+xml"}, "desk_login_page", False, id="XHTML"),
        pytest.param({"status": 200, "content_type": "application/json"}, "desk_not_json", False, id="invalid JSON"),
        pytest.param({"status": 200, "json": []}, "desk_not_json", False, id="a list"),
        pytest.param({"status": 200, "json": "ok"}, "desk_not_json", False, id="a text"),
        pytest.param({"status": 200, "json": None}, "desk_not_json", False, id="null"),
        pytest.param({"status": 200}, "desk_not_json", False, id="nothing"),
        pytest.param(said(300), "desk_login_page", False, id="300"),
        pytest.param(said(301, location="https://id.example.com"), "desk_login_page", False, id="301"),
        pytest.param(said(302, location="https://id.example.com"), "desk_login_page", False, id="302"),
        pytest.param(said(303, json={"a": 1}), "desk_login_page", False, id="303 with JSON"),
        pytest.param(said(307), "desk_login_page", False, id="307"),
        pytest.param({"status": 202, "json": {"id": "17"}}, "desk_not_json", False, id="202"),
        pytest.param(
            lost("Request failed: <urlopen error [Errno 111] Connection refused>"),
            "desk_not_reached",
            True,
            id="refused",
        ),
        pytest.param(lost("Request failed: <urlopen error timed out>"), "desk_not_reached", True, id="timed out"),
        pytest.param(
            lost("Connection failure: The read operation timed out"), "desk_not_reached", True, id="read timed out"
        ),
        pytest.param(
            lost("Request failed: <urlopen error [Errno -2] Name or service not known>"),
            "desk_not_reached",
            True,
            id="DNS",
        ),
        pytest.param(
            lost(
                "Request failed: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
                "self-signed certificate (_ssl.c:1016)>"
            ),
            "desk_tls",
            False,
            id="TLS",
        ),
        pytest.param({"msg": "[Errno 104] Connection reset by peer"}, "desk_not_reached", True, id="reset"),
        pytest.param({}, "desk_not_reached", True, id="no result"),
        pytest.param({"skipped": True, "changed": False}, "desk_not_reached", True, id="skipped"),
    ],
)
def test_other_answers(result: dict[str, Any], code: str, retry: bool) -> None:
    judged = answer(result)
    assert (judged["ok"], judged["code"], judged["retry"], judged["data"]) == (False, code, retry, {})
    assert judged["error"]
    assert judged["hint"]
    assert (judged["wait"] > 0) is retry
    assert not re.search(r"[<>\n{}]", judged["error"])


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (said(401, "Not logged in."), "(HTTP 401): Not logged in."),
        (said(404, json={"message": "Issue does not exist"}), "(HTTP 404): Issue does not exist."),
        (said(403, json={"errorMessage": None}), "HTTP Error 403: x."),
        (said(500, "<html><body>\n<h1>Oops</h1>\n</body></html>"), "(HTTP 500): Oops."),
        (said(500, json={"errorMessage": {"deep": [1]}}), "{'deep': [1]}."),
        (
            lost("Request failed: <urlopen error [Errno 111] Connection refused>"),
            "reached: Connection refused.",
        ),
        (lost("Request failed: <urlopen error timed out>"), "reached: timed out."),
        (
            lost("Request failed: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: expired>"),
            "verified: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: expired.",
        ),
        (lost("Connection failure: The read operation timed out"), "Connection failure: The read operation timed out."),
    ],
    ids=["JSM", "message", "no words", "HTML in JSON", "no text", "refused", "timed out", "TLS", "read timed out"],
)
def test_the_reason_is_passed_on(result: dict[str, Any], words: str) -> None:
    assert answer(result)["error"].endswith(words)


def test_the_reason_comes_without_control_characters() -> None:
    error = answer(said(403, "No\x1b[2J\x07 \u202eyou \x9b\x1b]0;title\x07"))["error"]
    assert error.endswith("(HTTP 403): No [2J you ]0;title.")


def test_long_reasons_are_cut() -> None:
    error = answer(said(403, "x" * 10_000_000))["error"]
    assert error == f"The support desk denies this account that request (HTTP 403): {'x' * 300}."


def test_of_a_long_page_only_the_beginning_is_read() -> None:
    assert answer(said(403, "<b>" * 1666 + "xyz"))["error"].endswith("(HTTP 403): xy.")


def test_without_an_answer_there_is_no_status() -> None:
    assert [answer(result)["status"] for result in ({}, {"status": 0}, {"status": None})] == [-1] * 3


def test_nothing_but_the_reason_is_kept() -> None:
    judged = answer(
        said(401, "No", invocation={"token": "odd-Secret-9"}, cookies={"s": "odd-Secret-9"}, content="odd-Secret-9")
    )
    assert "odd-Secret-9" not in str(judged)


def http_date(seconds: float) -> str:
    return (NOW + dt.timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        pytest.param("7", 7, id="seconds"),
        pytest.param(7, 7, id="seconds as a number"),
        pytest.param(" 7 ", 7, id="seconds with spaces"),
        pytest.param("0", 0, id="at once"),
        pytest.param("86400", 120, id="a day is cut"),
        pytest.param("9" * 500, 120, id="more than a float holds"),
        pytest.param(http_date(30), 30, id="date"),
        pytest.param(http_date(86400), 120, id="date tomorrow is cut"),
        pytest.param(http_date(-30), 0, id="date gone by"),
        pytest.param("Tue, 24 Nov 2026 04:00:30 +0100", 30, id="date in another zone"),
        pytest.param("Tue, 24 Nov 2026 03:00:30", 8, id="date without a zone"),
        pytest.param("Tue, 99 Nov 2026 99:00:00 GMT", 8, id="no such date"),
        pytest.param("Tue, 24 Nov 99999999999999 03:00:30 GMT", 8, id="no such year"),
        pytest.param("soon", 8, id="nonsense"),
        pytest.param("-5", 8, id="negative"),
        pytest.param("1.5", 8, id="with a point"),
        pytest.param("²", 8, id="a digit that is no number"),
        pytest.param("٣", 8, id="another script's digit"),
        pytest.param("", 8, id="empty"),
        pytest.param(None, 8, id="null"),
        pytest.param(["7"], 8, id="list"),
    ],
)
def test_retry_after(retry_after: Any, wait: float) -> None:
    # Without a usable header, the third attempt waits two to the third.
    assert answer(said(429, "Slow down", retry_after=retry_after), 3, NOW)["wait"] == wait
    assert answer(said(503, retry_after=retry_after), 3, NOW)["wait"] == wait


def test_retry_after_is_measured_from_now() -> None:
    when = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    wait = answer(said(429, retry_after=when.strftime("%a, %d %b %Y %H:%M:%S GMT")))["wait"]
    assert 50 < wait <= 60


def test_the_wait_doubles_up_to_two_minutes() -> None:
    assert [answer(said(503), attempt)["wait"] for attempt in range(1, 9)] == [2, 4, 8, 16, 32, 64, 120, 120]
    assert answer(said(503))["wait"] == 2


def test_what_is_not_to_be_repeated_waits_for_nothing() -> None:
    assert answer(said(401, "No", retry_after="60"), 3)["wait"] == 0


@given(
    st.dictionaries(
        st.sampled_from(["status", "msg", "content_type", "retry_after", "json", "url"]),
        st.one_of(st.none(), st.text(), st.integers(-1, 599), st.dictionaries(st.text(), st.text(), max_size=2)),
    ).filter(lambda result: isinstance(result.get("status", 0), int)),
    st.integers(1, 20),
)
def test_no_answer_breaks_the_reader(result: dict[str, Any], attempt: int) -> None:
    judged = answer(result, attempt)
    assert judged["ok"] is (not judged["error"])
    assert 0 <= judged["wait"] <= 120


A, B = "cmk-restore/acme/0123456789ab", "cmk-restore/acme/ba9876543210"


def comment(body: str, number: int = 17) -> dict[str, Any]:
    """CommentDTO of Jira Service Management's REST API."""
    return {
        "id": str(number),
        "body": body,
        "public": True,
        "created": {"iso8601": "2026-11-24T03:00:00+0000", "epochMillis": 1},
        "_links": {"self": f"{URL}/comment/{number}"},
    }


UNKNOWN_AUTHOR = {"author": "", "by_us": False}


class TestMentions:
    def test_reference_and_evidence(self) -> None:
        assert listed([comment(f"We have restored it.\nReference: {A}\n")], "acme") == [
            {
                "reference": A,
                "comment_id": "17",
                "url": f"{URL}/comment/17",
                "at": "2026-11-24T03:00:00+0000",
                "noted_at": "",
                "relied_on": False,
                **UNKNOWN_AUTHOR,
            }
        ]

    def test_the_order_of_the_page(self) -> None:
        found = listed([comment(f"{B}\n{A}\n{B}", 1), comment("thanks", 2), comment(A, 3)], "acme")
        assert [(item["comment_id"], item["reference"]) for item in found] == [("1", B), ("1", A), ("3", A)]

    @pytest.mark.parametrize(
        "body",
        [A, f"Reference: {A}", f"  Reference: {A}\t", f"\r\n{A}\r\n", f"Done.\n\n> Please tell us.\n\nReference: {A}"],
    )
    def test_an_unquoted_line_of_its_own(self, body: str) -> None:
        assert [item["reference"] for item in listed([comment(body)], "acme")] == [A]

    @pytest.mark.parametrize(
        "body",
        [
            f"({A})",
            f"Reference: {A}.",
            f"Reference : {A}",
            f"Reference:{A}",
            f"Reference:  {A}",
            f"reference: {A}",
            f"Reference: Reference: {A}",
            f"Reference: {A} {B}",
            f"Thanks for {A}",
            f"Please comment with\n{A}, as you did last time.",
            f"Is Reference: {A} yours?",
            f"> Reference: {A}",
            f"bq. {A}",
            f"{{quote}}\nReference: {A}\n{{quote}}",
            f"{{noformat}}\n{A}\n{{noformat}}",
            f"{{code}}\n{A}\n{{code}}",
            f"On Monday Operator wrote:\nReference: {A}",
            f"|{A}|",
            f"{{{{{A}}}}}",
            f"[{A}]",
            f"*{A}*",
            f"-{A}-",
            f"„{A}\u201c",
            f"{A}\u200b",
        ],
    )
    def test_quoted_or_inside_a_sentence(self, body: str) -> None:
        assert listed([comment(body)], "acme") == []

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "cmk-restore/acme/",
            "cmk-restore/acme/0123456789a",
            "cmk-restore/acme/0123456789abc",
            "cmk-restore/acme/0123456789AB",
            "cmk-restore/acme/0123456789ag",
            "cmk-restore/acme/\u0661123456789ab",
            "cmk-restore/acme-2/0123456789ab",
            "cmk-restore/acmecorp/0123456789ab",
            "cmk-restore/my-acme/0123456789ab",
            "cmk-restore/acm/0123456789ab",
            "cmk-restore/ACME/0123456789ab",
            "cmk-restore/acme/2/0123456789ab",
            "xcmk-restore/acme/0123456789ab",
            "cmk-revoke/acme/0123456789ab",
        ],
    )
    def test_not_a_reference_of_this_organization(self, body: str) -> None:
        assert listed([comment(body)], "acme") == []

    def test_an_organization_whose_name_begins_with_anothers(self) -> None:
        page = [comment(f"cmk-restore/{slug}/0123456789ab") for slug in ("acme", "acme-eu", "acme-eu-2", "acme.eu")]
        for slug in ("acme", "acme-eu", "acme-eu-2", "acme.eu"):
            assert [item["reference"] for item in listed(page, slug)] == [f"cmk-restore/{slug}/0123456789ab"]

    def test_a_dot_in_a_name_is_a_dot(self) -> None:
        assert listed([comment("cmk-restore/acmexeu/0123456789ab")], "acme.eu") == []

    @pytest.mark.parametrize("body", [None, 5, {"type": "doc"}], ids=["null", "number", "ADF"])
    def test_a_body_that_is_no_text(self, body: Any) -> None:
        assert listed([comment("") | {"body": body}, {}], "acme") == []

    @given(st.text(alphabet=st.characters(exclude_characters="{`>")))
    def test_text_below_it_does_not_hide_it(self, below: str) -> None:
        assert A in [item["reference"] for item in listed([comment(f"{A}\n{below}")], "acme")]


class TestAuthor:
    CLOUD: ClassVar = {"accountId": "5b10ac8d82e05b22cc7d4ef5", "displayName": "Operator"}
    DATA_CENTER: ClassVar = {"key": "JIRAUSER10100", "name": "op", "displayName": "Operator"}

    def by(self, author: Any) -> dict[str, Any]:
        return comment(A) | {"author": author}

    def mention(self, author: Any, ours: Account) -> dict[str, Any]:
        (found,) = listed([self.by(author)], "acme", ours=ours)
        return found

    @pytest.mark.parametrize(
        ("author", "ours"),
        [
            ({**CLOUD, "emailAddress": "op@example.com"}, Account(email="op@example.com")),
            ({**CLOUD, "emailAddress": "Op@Example.com"}, Account(email="oP@example.COM")),
            (CLOUD, Account(email="op@example.com", account_id=CLOUD["accountId"])),
            ({**CLOUD, "emailAddress": None}, Account(account_id=CLOUD["accountId"])),
            (DATA_CENTER, Account(key="JIRAUSER10100")),
            (DATA_CENTER, Account(name="op")),
        ],
    )
    def test_ours(self, author: Any, ours: Account) -> None:
        assert self.mention(author, ours)["by_us"] is True

    @pytest.mark.parametrize(
        ("author", "ours"),
        [
            (CLOUD, Account()),
            (CLOUD, Account(email="op@example.com")),
            ({**CLOUD, "emailAddress": ""}, Account(email="")),
            ({**CLOUD, "emailAddress": None}, Account(email="None")),
            ({**CLOUD, "emailAddress": "colleague@example.com"}, Account(email="op@example.com")),
            ({**CLOUD, "emailAddress": "op@example.com.evil.example"}, Account(email="op@example.com")),
            # A display name is whatever its owner likes.
            ({**CLOUD, "displayName": "op@example.com"}, Account(email="op@example.com")),
            ({**CLOUD, "displayName": "op"}, Account(name="op")),
            (CLOUD, Account(account_id="5b10ac8d82e05b22cc7d4ef6")),
            # A value of one field means nothing in another.
            ({"name": "JIRAUSER10100"}, Account(key="JIRAUSER10100")),
            ({"key": "op", "name": "other"}, Account(name="op")),
            ({}, Account()),
            (None, Account(email="None")),
            ("op", Account(name="op")),
        ],
    )
    def test_not_established(self, author: Any, ours: Account) -> None:
        assert self.mention(author, ours)["by_us"] is False

    def test_the_name_comes_without_control_characters(self) -> None:
        found = self.mention({"displayName": "Op\x1b[2J\nacme: RESTORED"}, Account())
        assert found["author"] == "Op [2J acme: RESTORED"

    @pytest.mark.parametrize(
        ("author", "name"),
        [
            ({**CLOUD, **DATA_CENTER, "emailAddress": "op@example.com"}, CLOUD["accountId"]),
            ({**DATA_CENTER, "emailAddress": "op@example.com"}, "JIRAUSER10100"),
            ({"name": "op", "emailAddress": "op@example.com"}, "op"),
            ({"emailAddress": "op@example.com"}, "op@example.com"),
            ({}, ""),
        ],
    )
    def test_the_id_of_an_author(self, author: dict[str, Any], name: str) -> None:
        (found,) = authors([self.by(author)], "acme")
        assert found.author == name

    def test_a_long_name_is_cut(self) -> None:
        (found,) = authors([self.by({"displayName": "x" * 61})], "acme")
        assert found.name == "x" * 59 + "…"

    def test_who_wrote_last_comes_last_with_all_references(self) -> None:
        other = comment("Hello.", 18) | {"author": {"accountId": "b"}}
        comments: list[Any] = [self.by(self.CLOUD), other, "no comment", comment("News?", 19) | {"author": self.CLOUD}]
        found = authors(comments, "acme", 0, Account(account_id="b"))
        assert [(one.comment_id, one.text, one.references, one.by_us) for one in found] == [
            ("18", "Hello.", (), True),
            ("19", "News?", (A,), False),
        ]
        assert [one.by_us for one in authors(comments, "acme")] == [False, False]

    def test_an_author_without_a_name_is_called_by_the_id(self) -> None:
        assert self.mention({"accountId": "a-1", "displayName": None}, Account())["author"] == "a-1"

    @pytest.mark.parametrize(
        ("author", "email", "decided"),
        [
            ({"emailAddress": "op@example.com"}, "op@example.com", True),
            ({"emailAddress": "other@example.com"}, "op@example.com", True),
            ({"emailAddress": None}, "op@example.com", False),
            ({}, "op@example.com", False),
            ({"emailAddress": "op@example.com"}, "", False),
            # Data Center's user name: it says nothing of an e-mail address.
            ({"emailAddress": "op@example.com"}, "op", False),
        ],
    )
    def test_whether_the_address_decides(self, author: Any, email: str, decided: bool) -> None:
        assert is_undecided([self.by(author)], "acme", Account(email=email)) is not decided

    def test_comments_without_a_reference_need_no_decision(self) -> None:
        assert is_undecided([comment("Hello"), comment(f"> {A}"), {}], "acme", Account()) is False


class TestClock:
    @pytest.mark.parametrize(
        ("created", "offset", "noted_at"),
        [
            ("2026-11-24T03:00:00+0000", 0, "2026-11-24T03:00:00Z"),
            ("2026-11-24T03:10:00+0000", 600, "2026-11-24T03:00:00Z"),
            ("2026-11-24T02:50:00+0000", -600, "2026-11-24T03:00:00Z"),
            ("2026-11-24T04:00:00+0100", 0, "2026-11-24T03:00:00Z"),
            ("2026-11-24T03:00:00.999+0000", 0, "2026-11-24T03:00:00Z"),
            ("2026-11-24T03:00:00Z", 0, "2026-11-24T03:00:00Z"),
            ("2026-11-24T03:00:00+00:00", 0, "2026-11-24T03:00:00Z"),
            ("2026-11-24T03:00:00+0000", None, ""),
            ("2026-11-24T03:00:00", 0, ""),
            ("today", 0, ""),
            ("", 0, ""),
            ("2026-11-24T03:00:00+0000", 10**12, ""),
            ("0001-01-01T00:00:00+0000", 5, ""),
        ],
    )
    def test_a_time_of_the_desk_by_our_clock(self, created: str, offset: int | None, noted_at: str) -> None:
        assert local_time(created, offset) == noted_at

    def test_of_a_mention(self) -> None:
        (found,) = listed([comment(A)], "acme", clock_offset=600)
        assert (found["at"], found["noted_at"]) == ("2026-11-24T03:00:00+0000", "2026-11-24T02:50:00Z")

    @pytest.mark.parametrize(
        ("date", "offset"),
        [
            ("Tue, 24 Nov 2026 03:10:00 GMT", 600),
            ("Tue, 24 Nov 2026 02:50:00 GMT", -600),
            ("Tue, 24 Nov 2026 03:00:00 GMT", 0),
            ("Tue, 24 Nov 2026 04:00:02 +0100", 2),
            ("Tue, 24 Nov 2026 03:00:01 GMT", 0),
            ("Tue, 24 Nov 2026 02:59:59 GMT", 0),
            ("Tue, 24 Nov 2026 02:59:58 GMT", -2),
            ("Tue, 24 Nov 2026 03:10:00", None),
            ("Tue, 99 Nov 2026 03:10:00 GMT", None),
            ("now", None),
            ("", None),
            (None, None),
            (["Tue, 24 Nov 2026 03:10:00 GMT"], None),
        ],
    )
    @pytest.mark.parametrize("status", [200, 201, 429, 503])
    def test_how_far_the_desk_is_ahead(self, status: int, date: Any, offset: int | None) -> None:
        result = {"status": status, "json": {}, "url": URL, "date": date}
        assert answer(result, now=NOW)["clock_offset"] == offset

    def test_whole_seconds_as_the_header_has_them(self) -> None:
        result = {"status": 200, "json": {}, "url": URL, "date": "Tue, 24 Nov 2026 03:00:00 GMT"}
        assert answer(result, now=NOW.replace(microsecond=999_999))["clock_offset"] == 0

    @pytest.mark.parametrize("now", [None, NOW.replace(tzinfo=None)])
    def test_without_our_own_time_it_is_not_known(self, now: Any) -> None:
        result = {"status": 200, "json": {}, "url": URL, "date": "Tue, 24 Nov 2026 03:10:00 GMT"}
        assert answer(result, now=now)["clock_offset"] is None


def evidence_of(comment: dict[str, Any]) -> tuple[str, str, str]:
    """What is kept of a comment for the evidence."""
    (author,) = authors([comment], "acme")
    return author.comment_id, author.url, author.at


def test_evidence_comes_without_control_characters() -> None:
    dirty = {"id": "1\x1b[2J", "_links": {"self": "https://x/\r\n1"}, "created": {"iso8601": "2026\x07"}}
    assert evidence_of(dirty) == ("1 [2J", "https://x/ 1", "2026")


def test_evidence_of_a_comment_without_details() -> None:
    assert evidence_of({}) == ("", "", "")


def test_evidence_of_a_comment_is_short() -> None:
    facts = evidence_of({"id": "1" * 101, "_links": {"self": "u" * 1001}, "created": {"iso8601": "t" * 101}})
    assert facts == ("1" * 99 + "…", "u" * 999 + "…", "t" * 99 + "…")
