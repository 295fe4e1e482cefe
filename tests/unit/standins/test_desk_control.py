"""The support desk stand-in's control endpoint: calls, scripted faults, tickets, sites, reset."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.standins.desk import DEFAULT_BEARER, DEFAULT_TOKEN, DEFAULT_USER, Desk
from tests.standins.desk.client import NoAnswerError, Response, basic, send
from tests.standins.desk.state import InvalidError

LOGIN = basic(DEFAULT_USER, DEFAULT_TOKEN)
COMMENT = {"body": "Keys are back.", "public": True}


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


@pytest.fixture
def desk(running: Desk) -> Desk:
    send("POST", f"{running.url}/_standin/reset")
    return running


def read(desk: Desk, path: str = "", **more: Any) -> Response:
    return send("GET", f"{desk.url}/rest/servicedeskapi/request/CMK-1{path}", authorization=LOGIN, **more)


def post(desk: Desk, **more: Any) -> Response:
    return send("POST", f"{desk.url}/rest/servicedeskapi/request/CMK-1/comment", COMMENT, authorization=LOGIN, **more)


def control(desk: Desk, method: str, path: str, body: object = None) -> Any:
    answer = send(method, f"{desk.url}/_standin{path}", body)
    assert answer.status == 200, answer.body
    return answer.json


def told(desk: Desk) -> int:
    """How often the comment is on the ticket."""
    comments = control(desk, "GET", "/tickets/CMK-1")["comments"]
    return sum(item["body"] == COMMENT["body"] for item in comments)


def test_calls(desk: Desk) -> None:
    read(desk, "?expand=action")
    send("GET", f"{desk.url}/rest/servicedeskapi/request/CMK-1/comment", authorization=f"Bearer {DEFAULT_BEARER}")
    post(desk)
    send("GET", f"{desk.url}/rest/servicedeskapi/info")
    calls = control(desk, "GET", "/calls")
    keys = {"n", "time", "method", "path", "query", "auth", "user", "content_type", "body", "status"}
    assert all(set(call) == keys for call in calls)
    assert [call["n"] for call in calls] == [1, 2, 3, 4]
    assert [call["auth"] for call in calls] == ["basic", "bearer", "basic", "none"]
    assert [call["user"] for call in calls] == [DEFAULT_USER, DEFAULT_USER, DEFAULT_USER, None]
    assert [call["status"] for call in calls] == [200, 200, 201, 200]
    assert (calls[0]["path"], calls[0]["query"]) == ("/rest/servicedeskapi/request/CMK-1", "expand=action")
    assert (calls[2]["method"], calls[2]["content_type"], calls[2]["body"]) == ("POST", "application/json", COMMENT)
    shown = str(calls)
    assert not any(secret in shown for secret in (DEFAULT_TOKEN, DEFAULT_BEARER, LOGIN.split()[1]))
    assert control(desk, "DELETE", "/calls") == {}
    assert control(desk, "GET", "/calls") == []


def test_fault_selects_by_method_path_skip_and_count(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"method": "GET", "path": "/comment", "skip": 1, "count": 2, "status": 503})
    assert read(desk).status == 200
    assert post(desk).status == 201
    assert [read(desk, "/comment").status for _time in range(4)] == [200, 503, 503, 200]
    shown = control(desk, "GET", "/faults")
    assert (shown[0]["seen"], shown[0]["applied"]) == (3, 2)


def test_fault_without_end_until_deleted(desk: Desk) -> None:
    control(desk, "POST", "/faults", [{"method": "POST", "count": None, "status": 500}])
    assert [post(desk).status for _time in range(3)] == [500, 500, 500]
    assert told(desk) == 0
    control(desk, "DELETE", "/faults")
    assert post(desk).status == 201


def test_faults_queue_up(desk: Desk) -> None:
    control(desk, "POST", "/faults", [{"status": 502}, {"status": 504}])
    assert [read(desk).status for _time in range(3)] == [502, 504, 200]


@pytest.mark.parametrize("value", [2, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_too_many_requests(desk: Desk, value: int | str) -> None:
    control(desk, "POST", "/faults", {"status": 429, "retry_after": value})
    answer = post(desk)
    assert (answer.status, answer.headers["Retry-After"]) == (429, str(value))
    assert set(answer.json) == {"errorMessage", "i18nErrorMessage"}
    assert told(desk) == 0
    assert control(desk, "GET", "/calls")[0]["status"] == 429


def test_html_error(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"status": 502, "html": True})
    answer = read(desk)
    assert (answer.status, answer.headers.get_content_type()) == (502, "text/html")


def test_invalid_json(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"invalid_json": True})
    answer = read(desk)
    assert (answer.status, answer.headers.get_content_type()) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        assert answer.json


def test_redirect(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"redirect": "https://desk.invalid/login"})
    answer = post(desk)
    assert (answer.status, answer.headers["Location"]) == (302, "https://desk.invalid/login")
    assert told(desk) == 0


def test_login_page(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"login_page": True})
    answer = read(desk)
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")
    assert b"Log in" in answer.body


def test_raw_body(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"status": 200, "body": '{"values": null}'})
    assert read(desk, "/comment").json == {"values": None}


def test_latency(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"latency": 0.2})
    begin = time.monotonic()
    assert read(desk).status == 200
    assert time.monotonic() - begin >= 0.2


def test_drop_by_drop(desk: Desk) -> None:
    whole = read(desk, "?expand=action").body
    control(desk, "POST", "/faults", {"drip": 0.0002})
    begin = time.monotonic()
    assert read(desk, "?expand=action").body == whole
    assert time.monotonic() - begin >= 0.0002 * len(whole)


def test_dropped_before_nothing_is_stored(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"method": "POST", "drop": "before"})
    with pytest.raises(NoAnswerError):
        post(desk)
    assert told(desk) == 0
    assert control(desk, "GET", "/calls")[0]["status"] is None


def test_lost_answer_stores_exactly_one_comment(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"method": "POST", "drop": "after"})
    with pytest.raises(NoAnswerError):
        post(desk)
    assert told(desk) == 1
    assert read(desk, "/comment").json["values"][-1]["body"] == COMMENT["body"]


@pytest.mark.parametrize("fault", [{"status": 504}, {"invalid_json": True}, {"login_page": True}])
def test_answer_replaced_after_the_comment_was_stored(desk: Desk, fault: dict[str, Any]) -> None:
    control(desk, "POST", "/faults", {"method": "POST", "after": True, **fault})
    assert post(desk).status == fault.get("status", 200)
    assert told(desk) == 1


def test_client_that_gives_up_has_told_all_the_same(desk: Desk) -> None:
    control(desk, "POST", "/faults", {"method": "POST", "latency": 0.5, "after": True})
    with pytest.raises(NoAnswerError):
        post(desk, timeout=0.1)
    # On a busy machine the comment may be stored after the client has left.
    end = time.monotonic() + 30
    while told(desk) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert told(desk) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"status": 99},
        {"status": "503"},
        {"status": True},
        {"sttaus": 503},
        {"drop": "now"},
        {"skip": -1, "status": 503},
        {"drip": -1},
        {"method": "post", "status": 503},
        [{"status": 503}, {"count": 1}],
        "503",
    ],
)
def test_fault_that_is_not_understood(desk: Desk, fault: object) -> None:
    answer = send("POST", f"{desk.url}/_standin/faults", fault)
    assert (answer.status, set(answer.json)) == (400, {"error"})
    assert control(desk, "GET", "/faults") == []


def test_tickets(desk: Desk) -> None:
    made = control(desk, "POST", "/tickets", {"key": "CMK-5", "summary": "More", "generate_comments": 3})
    assert (made["key"], made["open"], made["status"], made["status_category"]) == (
        "CMK-5",
        True,
        "Waiting for support",
        "INDETERMINATE",
    )
    assert [item["body"] for item in made["comments"]] == [f"Generated comment {n} of 3" for n in (1, 2, 3)]
    assert control(desk, "GET", "/tickets/CMK-5") == control(desk, "GET", f"/tickets/{made['id']}") == made
    assert {item["key"] for item in control(desk, "GET", "/tickets")} == {"CMK-1", "CMK-5"}
    again = control(desk, "POST", "/tickets", {"key": "CMK-5"})
    assert (again["id"], again["comments"]) == (made["id"], [])


def test_patch(desk: Desk) -> None:
    control(desk, "PATCH", "/tickets/CMK-1", {"reply": "We are on it.", "status": "In progress"})
    control(desk, "PATCH", "/tickets/CMK-1", {"reply": {"body": "Note", "author": "Engineer", "public": False}})
    shown = control(desk, "PATCH", "/tickets/CMK-1", {"status": "Closed", "open": False})
    assert [(item["body"], item["author"], item["public"]) for item in shown["comments"][1:]] == [
        ("We are on it.", "Support", True),
        ("Note", "Engineer", False),
    ]
    assert [item["status"] for item in shown["history"]] == ["Waiting for customer", "In progress", "Closed"]
    assert post(desk).status == 403
    control(desk, "PATCH", "/tickets/CMK-1", {"open": True})
    assert post(desk).status == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/tickets/CMK-77", None, 404),
        ("PATCH", "/tickets/CMK-77", {"open": False}, 404),
        ("PATCH", "/tickets/CMK-1", {"closed": True}, 400),
        ("POST", "/tickets", {"key": "cmk 1"}, 400),
        ("POST", "/tickets", {"key": "CMK-8", "id": 10001}, 400),
        ("POST", "/tickets", {"key": "CMK-8", "created": "2026-11-01T00:00:00"}, 400),
        ("POST", "/tickets", {"key": "CMK-8", "comments": [{"text": "x"}]}, 400),
        ("POST", "/tickets", b"{", 400),
        ("PUT", "/calls", None, 405),
        ("GET", "/nothing", None, 404),
        ("GET", "", None, 404),
    ],
)
def test_control_refuses(desk: Desk, method: str, path: str, body: object, status: int) -> None:
    answer = send(method, f"{desk.url}/_standin{path}", body)
    assert (answer.status, set(answer.json)) == (status, {"error"})
    assert {item["key"] for item in control(desk, "GET", "/tickets")} == {"CMK-1"}


def test_in_process_control(desk: Desk) -> None:
    assert desk.control("GET", "/tickets/CMK-1")["key"] == "CMK-1"
    with pytest.raises(InvalidError, match="404"):
        desk.control("GET", "/tickets/CMK-77")


def test_reset(desk: Desk) -> None:
    before = control(desk, "GET", "/tickets/CMK-1")
    post(desk)
    control(desk, "POST", "/tickets", {"key": "CMK-5"})
    control(desk, "POST", "/faults", {"status": 503})
    control(desk, "POST", "/sites", {"name": "acme"})
    control(desk, "PATCH", "/tickets/CMK-1", {"status": "Closed", "open": False})
    assert control(desk, "POST", "/reset") == {}
    after = control(desk, "GET", "/tickets")
    assert [item["key"] for item in after] == ["CMK-1"]
    assert [item["body"] for item in after[0]["comments"]] == [item["body"] for item in before["comments"]]
    assert (after[0]["id"], after[0]["open"], after[0]["status"]) == (before["id"], True, "Waiting for customer")
    assert [control(desk, "GET", path) for path in ("/faults", "/calls", "/sites")] == [[], [], []]


def test_sites(desk: Desk) -> None:
    url = f"{desk.url}/_site/acme/"
    assert send("GET", url).status == 404
    control(desk, "POST", "/sites", {"name": "acme", "status": 200, "body": "<h1>Welcome</h1>"})
    answer = send("GET", f"{url}wiki?x=1")
    assert (answer.status, answer.body, answer.headers.get_content_type()) == (200, b"<h1>Welcome</h1>", "text/html")
    assert send("HEAD", url).body == b""
    control(desk, "POST", "/sites", [{"name": "acme", "status": 503}, {"name": "old", "redirect": url}])
    assert send("GET", f"{desk.url}/_site/acme").status == 503
    moved = send("GET", f"{desk.url}/_site/old/")
    assert (moved.status, moved.headers["Location"]) == (302, url)
    assert control(desk, "GET", "/calls")[0]["path"] == "/_site/acme/"
    assert send("POST", f"{desk.url}/_standin/sites", {"name": "a/b"}).status == 400


def test_concurrent_comments_all_count(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(desk), range(40)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == told(desk) == 40
    assert [call["n"] for call in control(desk, "GET", "/calls")] == list(range(1, 41))
