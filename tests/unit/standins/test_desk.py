"""The support desk stand-in against the documented behaviour of Jira Service Management, over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.standins.desk import DEFAULT_BEARER, DEFAULT_TOKEN, DEFAULT_USER, Desk
from tests.standins.desk.client import Response, basic, send
from tests.standins.desk.state import InvalidError

SEED = {
    "users": [
        {"user": "customer@example.com", "token": "customer-token", "name": "Customer", "tickets": ["CMK-1", "CMK-9"]},
        {"user": "stranger@example.com", "token": "stranger-token", "kind": "customer", "tickets": []},
        {"user": "agent@example.com", "token": "agent-token", "kind": "agent", "tickets": "*"},
    ],
    "bearer": [{"token": "customer-pat", "user": "customer@example.com"}],
    "tickets": [
        {
            "key": "CMK-1",
            "id": 107001,
            "summary": "CMK access revoked",
            "status": "Waiting for support",
            "created": "2026-11-01T09:00:00Z",
            "comments": [
                {"body": "third", "created": "2026-11-03T10:00:00.250+01:00"},
                {"body": "first", "created": "2026-11-01T10:00:00Z", "author": "customer@example.com"},
                {"body": "second, internal", "created": "2026-11-02T10:00:00Z", "public": False},
            ],
        },
        {"key": "CMK-2", "summary": "Somebody else's", "comments": [{"body": "not for you"}]},
        {"key": "CMK-9", "status": "Closed", "open": False},
    ],
}
CUSTOMER = basic("customer@example.com", "customer-token")
STRANGER = basic("stranger@example.com", "stranger-token")
AGENT = basic("agent@example.com", "agent-token")
ERROR_KEYS = {"errorMessage", "i18nErrorMessage"}

Ask = Callable[..., Response]


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with Desk(SEED) as desk:
        yield desk


@pytest.fixture
def desk(running: Desk) -> Desk:
    running.control("POST", "/reset")
    return running


@pytest.fixture
def ask(desk: Desk) -> Ask:
    """Sends a request below ``/rest/servicedeskapi``, as the customer unless told otherwise."""

    def asked(
        method: str, path: str, body: object = None, authorization: str | None = CUSTOMER, **more: Any
    ) -> Response:
        return send(method, f"{desk.url}/rest/servicedeskapi{path}", body, authorization=authorization, **more)

    return asked


def refused(answer: Response, status: int) -> None:
    """Asserts a documented error."""
    assert answer.status == status, answer.body
    assert set(answer.json) == ERROR_KEYS
    assert answer.json["errorMessage"]
    assert set(answer.json["i18nErrorMessage"]) == {"i18nKey", "parameters"}


def bodies(answer: Response) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["body"] for item in answer.json["values"]]


def test_info_needs_no_login(ask: Ask) -> None:
    answer = ask("GET", "/info", authorization=None)
    assert answer.status == 200
    keys = {"version", "platformVersion", "buildDate", "buildChangeSet", "isLicensedForUse", "_links"}
    assert set(answer.json) == keys
    assert answer.json["buildDate"]["iso8601"] == "2015-09-14T19:34:00+0000"
    refused(ask("GET", "/info", authorization=basic("customer@example.com", "wrong")), 401)


@pytest.mark.parametrize("key", ["CMK-1", "107001"])
def test_request(ask: Ask, desk: Desk, key: str) -> None:
    answer = ask("GET", f"/request/{key}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["X-AACCOUNTID"]
    shown = answer.json
    assert set(shown) == {
        "_expands",
        "issueId",
        "issueKey",
        "requestTypeId",
        "serviceDeskId",
        "createdDate",
        "reporter",
        "requestFieldValues",
        "currentStatus",
        "_links",
    }
    assert (shown["issueId"], shown["issueKey"]) == ("107001", "CMK-1")
    assert shown["createdDate"] == {
        "iso8601": "2026-11-01T09:00:00+0000",
        "jira": "2026-11-01T09:00:00.000+0000",
        "friendly": "01/Nov/26 09:00 AM",
        "epochMillis": 1793523600000,
    }
    assert set(shown["reporter"]) == {"accountId", "emailAddress", "displayName", "active", "timeZone", "_links"}
    assert set(shown["reporter"]["_links"]) == {"jiraRest", "avatarUrls", "self"}
    assert shown["requestFieldValues"][0] == {
        "fieldId": "summary",
        "label": "What do you need?",
        "value": "CMK access revoked",
    }
    assert set(shown["currentStatus"]) == {"status", "statusCategory", "statusDate"}
    assert shown["currentStatus"]["status"] == "Waiting for support"
    assert shown["_links"] == {
        "jiraRest": f"{desk.url}/rest/api/2/issue/107001",
        "web": f"{desk.url}/servicedesk/customer/portal/10/CMK-1",
        "self": f"{desk.url}/rest/servicedeskapi/request/107001",
        "agent": f"{desk.url}/browse/CMK-1",
    }


@pytest.mark.parametrize("query", ["expand=action,status,comment", "expand=action&expand=status&expand=comment"])
def test_expand(ask: Ask, query: str) -> None:
    shown = ask("GET", f"/request/CMK-1?{query}").json
    names = {"addAttachment", "addComment", "addParticipant", "removeParticipant"}
    assert shown["actions"] == {name: {"allowed": True} for name in names}
    assert [item["status"] for item in shown["status"]["values"]] == ["Waiting for support"]
    assert [item["body"] for item in shown["comments"]["values"]] == ["first", "third"]


def test_what_is_not_played_is_no_answer(ask: Ask) -> None:
    refused(ask("GET", "/request/CMK-1?expand=action,sla"), 501)


def test_unknown_request(ask: Ask) -> None:
    for path in ("CMK-77", "4711", "CMK-77/status", "CMK-77/comment", "CMK-77/comment/1"):
        refused(ask("GET", f"/request/{path}"), 404)
    refused(ask("POST", "/request/CMK-77/comment", {"body": "x", "public": True}), 404)
    refused(ask("GET", "/request/CMK-1/comment/1"), 404)
    refused(ask("GET", "/request/CMK-1/nothing"), 404)


def test_method_not_allowed(ask: Ask) -> None:
    for method, path, allow in (("PUT", "/request/CMK-1", "GET"), ("DELETE", "/request/CMK-1/comment", "GET, POST")):
        answer = ask(method, path)
        refused(answer, 405)
        assert answer.headers["Allow"] == allow


@pytest.mark.parametrize(
    "path",
    [
        "CMK-1%2F..%2FCMK-2",
        "CMK-1/../CMK-2",
        "..%2Frequest%2FCMK-2",
        "CMK-1%2fcomment",
        "%43MK-2",
        "CMK-2%00",
        "CMK-2%0A",
        "CMK-1%2F..%2FCMK-2/comment",
        "CMK-1/./comment",
        "CMK-1//comment",
        "CMK-1;x=1/comment",
    ],
)
def test_no_escape_leads_to_another_request(ask: Ask, desk: Desk, path: str) -> None:
    refused(ask("GET", f"/request/{path}", authorization=AGENT), 404)
    refused(ask("POST", f"/request/{path}", {"body": "x", "public": True}, authorization=AGENT), 404)
    assert len(desk.control("GET", "/tickets/CMK-2")["comments"]) == 1


def test_status_history_has_the_current_one_first(ask: Ask, desk: Desk) -> None:
    for status in ("In progress", "Waiting for customer"):
        desk.control("PATCH", "/tickets/CMK-1", {"status": status})
    shown = ask("GET", "/request/CMK-1/status?limit=2").json
    assert [item["status"] for item in shown["values"]] == ["Waiting for customer", "In progress"]
    assert set(shown["values"][0]) == {"status", "statusCategory", "statusDate"}
    assert shown["isLastPage"] is False
    rest = send("GET", shown["_links"]["next"], authorization=CUSTOMER).json
    assert [item["status"] for item in rest["values"]] == ["Waiting for support"]
    assert ask("GET", "/request/CMK-1").json["currentStatus"]["status"] == "Waiting for customer"


def test_comment_page(ask: Ask, desk: Desk) -> None:
    answer = ask("GET", "/request/CMK-1/comment")
    assert bodies(answer) == ["first", "third"]
    shown = answer.json
    assert set(shown) == {"_expands", "size", "start", "limit", "isLastPage", "_links", "values"}
    assert (shown["size"], shown["start"], shown["limit"], shown["isLastPage"]) == (2, 0, 50, True)
    assert set(shown["_links"]) == {"self", "base", "context"}
    item = shown["values"][1]
    assert set(item) == {"_expands", "id", "body", "public", "author", "created", "_links"}
    assert item["_expands"] == ["attachment", "renderedBody"]
    assert isinstance(item["id"], str)
    assert item["created"]["jira"] == "2026-11-03T09:00:00.250+0000"
    assert item["created"]["epochMillis"] % 1000 == 250
    assert item["_links"]["self"] == f"{desk.url}/rest/servicedeskapi/request/107001/comment/{item['id']}"
    assert ask("GET", f"/request/CMK-1/comment/{item['id']}").json == item


def test_comment_expansion(ask: Ask) -> None:
    item = ask("GET", "/request/CMK-1/comment?expand=attachment,renderedBody&limit=1").json["values"][0]
    assert item["attachments"]["values"] == []
    assert item["renderedBody"] == {"html": "<p>first</p>"}


def test_only_agents_see_internal_comments(ask: Ask) -> None:
    assert bodies(ask("GET", "/request/CMK-1/comment?internal=true")) == ["first", "third"]
    assert bodies(ask("GET", "/request/CMK-1/comment?public=false")) == []
    everything = ask("GET", "/request/CMK-1/comment", authorization=AGENT)
    assert bodies(everything) == ["first", "second, internal", "third"]
    assert bodies(ask("GET", "/request/CMK-1/comment?internal=false", authorization=AGENT)) == ["first", "third"]
    assert bodies(ask("GET", "/request/CMK-1/comment?public=false", authorization=AGENT)) == ["second, internal"]
    internal = everything.json["values"][1]["id"]
    refused(ask("GET", f"/request/CMK-1/comment/{internal}"), 403)
    assert ask("GET", f"/request/CMK-1/comment/{internal}", authorization=AGENT).json["public"] is False
    refused(ask("GET", f"/request/CMK-9/comment/{internal}", authorization=AGENT), 404)


def test_paging_through_120_comments(ask: Ask, desk: Desk) -> None:
    desk.control("POST", "/tickets", {"key": "CMK-1", "generate_comments": 120})
    pages, start = [], 0
    while True:
        shown = ask("GET", f"/request/CMK-1/comment?start={start}&limit=50").json
        pages.append(shown)
        start += shown["size"]
        if shown["isLastPage"]:
            break
    assert [page["size"] for page in pages] == [50, 50, 20]
    found = [item["body"] for page in pages for item in page["values"]]
    assert found == [f"Generated comment {n} of 120" for n in range(1, 121)]
    assert len({item["id"] for page in pages for item in page["values"]}) == 120
    assert [set(page["_links"]) & {"next", "prev"} for page in pages] == [{"next"}, {"next", "prev"}, {"prev"}]
    following = send("GET", pages[0]["_links"]["next"], authorization=CUSTOMER).json
    assert following == pages[1]
    assert send("GET", pages[1]["_links"]["prev"], authorization=CUSTOMER).json == pages[0]
    assert ask("GET", "/request/CMK-1/comment?start=120").json["values"] == []


def test_the_server_caps_a_page(ask: Ask, desk: Desk) -> None:
    desk.control("POST", "/tickets", {"key": "CMK-1", "generate_comments": 120})
    shown = ask("GET", "/request/CMK-1/comment?limit=1000").json
    assert (shown["size"], shown["limit"], shown["isLastPage"]) == (50, 1000, False)


@pytest.mark.parametrize("query", ["start=-1", "limit=0", "limit=x", "start=", "public=yes"])
def test_bad_paging(ask: Ask, query: str) -> None:
    refused(ask("GET", f"/request/CMK-1/comment?{query}"), 400)


def test_add_comment(ask: Ask, desk: Desk) -> None:
    answer = ask("POST", "/request/CMK-1/comment", {"body": "Keys are back.\n\u00e9 \U0001f511", "public": True})
    assert answer.status == 201
    item = answer.json
    assert set(item) == {"_expands", "id", "body", "public", "author", "created", "_links"}
    assert isinstance(item["id"], str)
    assert (item["body"], item["public"]) == ("Keys are back.\n\u00e9 \U0001f511", True)
    assert item["author"]["displayName"] == "Customer"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", item["created"]["iso8601"])
    assert ask("GET", "/request/CMK-1/comment").json["values"][-1] == item
    assert send("GET", item["_links"]["self"], authorization=CUSTOMER).json == item
    second = ask("POST", "/request/107001/comment", {"body": "by id", "public": True})
    assert int(second.json["id"]) > int(item["id"])


def test_agents_may_add_internal_comments(ask: Ask) -> None:
    answer = ask("POST", "/request/CMK-1/comment", {"body": "note", "public": False}, authorization=AGENT)
    assert (answer.status, answer.json["public"]) == (201, False)
    assert bodies(ask("GET", "/request/CMK-1/comment")) == ["first", "third"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"body": "", "public": True}, 400),
        ({"body": " \n", "public": True}, 400),
        ({"public": True}, 400),
        ({"body": "no visibility"}, 400),
        ({"body": "text", "public": "true"}, 400),
        ({"body": {"type": "doc"}, "public": True}, 400),
        ({"body": "text", "public": True, "visibility": "x"}, 400),
        ({"body": "x" * 32768, "public": True}, 400),
        ({"body": "\U0001f511" * 16384, "public": True}, 400),
        (b"{not json", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        ([], 400),
        ({"body": "customers are public", "public": False}, 403),
    ],
)
def test_refused_comments_are_not_stored(ask: Ask, desk: Desk, body: object, status: int) -> None:
    refused(ask("POST", "/request/CMK-1/comment", body), status)
    assert len(desk.control("GET", "/tickets/CMK-1")["comments"]) == 3


def test_longest_comment(ask: Ask) -> None:
    assert ask("POST", "/request/CMK-1/comment", {"body": "x" * 32767, "public": True}).status == 201


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_wrong_content_type(ask: Ask, content_type: str) -> None:
    body = json.dumps({"body": "x", "public": True}).encode()
    refused(ask("POST", "/request/CMK-1/comment", body, headers={"Content-Type": content_type}), 415)


def test_content_type_with_charset(ask: Ask) -> None:
    body = json.dumps({"body": "x", "public": True}).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert ask("POST", "/request/CMK-1/comment", body, headers=headers).status == 201


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        basic("customer@example.com", "wrong"),
        basic("customer@example.com", ""),
        basic("nobody@example.com", "customer-token"),
        basic("customer@example.com", "agent-token"),
        basic("customer@example.com", "customer-pat"),
        "Basic !!!",
        "Basic",
        "Bearer wrong",
        "Bearer customer-token",
        "Bearer",
        "Digest x",
    ],
)
def test_login_refused(ask: Ask, desk: Desk, authorization: str | None) -> None:
    for method, path, body in (
        ("GET", "/request/CMK-1", None),
        ("GET", "/request/CMK-1/status", None),
        ("GET", "/request/CMK-1/comment", None),
        ("POST", "/request/CMK-1/comment", {"body": "x", "public": True}),
    ):
        answer = ask(method, path, body, authorization=authorization)
        refused(answer, 401)
        # A client must not wait for a Basic challenge: Jira sends none.
        assert answer.headers["WWW-Authenticate"].startswith("OAuth realm=")
    assert len(desk.control("GET", "/tickets/CMK-1")["comments"]) == 3
    assert {call["user"] for call in desk.control("GET", "/calls")} == {None}


def test_bearer_login(ask: Ask) -> None:
    answer = ask("POST", "/request/CMK-1/comment", {"body": "x", "public": True}, authorization="Bearer customer-pat")
    assert (answer.status, answer.json["author"]["displayName"]) == (201, "Customer")


def test_without_access_only_the_comments_look_fine(ask: Ask, desk: Desk) -> None:
    for path in ("CMK-1", "CMK-1/status"):
        refused(ask("GET", f"/request/{path}", authorization=STRANGER), 403)
    number = ask("GET", "/request/CMK-1/comment").json["values"][0]["id"]
    refused(ask("GET", f"/request/CMK-1/comment/{number}", authorization=STRANGER), 403)
    shown = ask("GET", "/request/CMK-1/comment", authorization=STRANGER).json
    assert (shown["values"], shown["size"], shown["isLastPage"]) == ([], 0, True)
    refused(ask("POST", "/request/CMK-1/comment", {"body": "x", "public": True}, authorization=STRANGER), 403)
    assert bodies(ask("GET", "/request/CMK-2/comment")) == []


@pytest.mark.parametrize("authorization", [CUSTOMER, AGENT])
def test_closed_request_takes_no_comment(ask: Ask, authorization: str) -> None:
    shown = ask("GET", "/request/CMK-9?expand=action", authorization=authorization).json
    assert shown["actions"]["addComment"] == {"allowed": False}
    assert shown["currentStatus"]["statusCategory"] == "DONE"
    comment = {"body": "x", "public": True}
    refused(ask("POST", "/request/CMK-9/comment", comment, authorization=authorization), 403)
    assert bodies(ask("GET", "/request/CMK-9/comment", authorization=authorization)) == []


def test_links_have_the_desk_s_configured_address() -> None:
    with Desk({**SEED, "base_url": "https://desk.invalid/"}) as desk:
        url = f"{desk.url}/rest/servicedeskapi/request/CMK-1/comment?limit=1"
        links = send("GET", url, authorization=CUSTOMER).json["_links"]
    assert links["next"] == "https://desk.invalid/rest/servicedeskapi/request/107001/comment?start=1&limit=1"


def test_defaults() -> None:
    with Desk() as desk:
        url = f"{desk.url}/rest/servicedeskapi/request/CMK-1/comment"
        for authorization in (basic(DEFAULT_USER, DEFAULT_TOKEN), f"Bearer {DEFAULT_BEARER}"):
            assert send("POST", url, {"body": "x", "public": True}, authorization=authorization).status == 201
        assert len(desk.control("GET", "/tickets/CMK-1")["comments"]) == 3


class TestMyself:
    """ "Get current user", ``GET /rest/api/2/myself``, of the platform's API on Cloud and on Data Center."""

    def myself(self, desk: Desk, authorization: str | None = AGENT, query: str = "") -> Response:
        return send("GET", f"{desk.url}/rest/api/2/myself{query}", authorization=authorization)

    def test_on_cloud(self, desk: Desk, ask: Ask) -> None:
        shown = self.myself(desk).json
        assert set(shown) == {
            "self", "accountId", "accountType", "emailAddress", "avatarUrls", "displayName", "active", "timeZone",
            "locale", "groups", "applicationRoles", "expand",
        }  # fmt: skip
        ask("POST", "/request/CMK-1/comment", {"body": "Hello", "public": True}, AGENT)
        author = ask("GET", "/request/CMK-1/comment").json["values"][-1]["author"]
        assert (author["accountId"], author["displayName"]) == (shown["accountId"], shown["displayName"])

    def test_on_data_center(self, desk: Desk, ask: Ask) -> None:
        desk.control("PATCH", "/settings", {"platform": "data_center"})
        answer = self.myself(desk)
        shown = answer.json
        assert set(shown) == {
            "self", "key", "name", "deleted", "emailAddress", "avatarUrls", "displayName", "active", "timeZone",
            "locale", "groups", "applicationRoles", "expand",
        }  # fmt: skip
        assert shown["name"] == answer.headers["X-AUSERNAME"] == "agent@example.com"
        assert "X-AACCOUNTID" not in answer.headers
        ask("POST", "/request/CMK-1/comment", {"body": "Hello", "public": True}, AGENT)
        author = ask("GET", "/request/CMK-1/comment").json["values"][-1]["author"]
        assert set(author) == {"key", "name", "emailAddress", "displayName", "active", "timeZone", "_links"}
        assert (author["key"], author["name"]) == (shown["key"], shown["name"])

    @pytest.mark.parametrize("authorization", [None, basic("agent@example.com", "wrong"), "Bearer wrong"])
    def test_only_for_those_who_log_in(self, desk: Desk, authorization: str | None) -> None:
        assert self.myself(desk, authorization).status == 401

    def test_only_for_those_who_may_access_jira(self, desk: Desk) -> None:
        answer = self.myself(desk, CUSTOMER)
        assert (answer.status, set(answer.json)) == (403, {"errorMessages", "errors"})
        desk.control("PATCH", "/settings", {"jira_access": True})
        assert self.myself(desk, CUSTOMER).json["accountType"] == "customer"
        desk.control("PATCH", "/settings", {"jira_access": False})
        assert self.myself(desk, AGENT).status == 403

    def test_by_personal_access_token(self, desk: Desk) -> None:
        desk.control("PATCH", "/settings", {"jira_access": True})
        assert self.myself(desk, "Bearer customer-pat").json["displayName"] == "Customer"

    def test_nothing_else_is_played(self, desk: Desk) -> None:
        assert self.myself(desk, query="?expand=groups").status == 501
        assert send("PUT", f"{desk.url}/rest/api/2/myself", {}, authorization=AGENT).status == 405


def test_authors_by_their_kind(ask: Ask, desk: Desk) -> None:
    for author in ("customer@example.com", "colleague@example.com", "Vendor"):
        desk.control("PATCH", "/tickets/CMK-1", {"reply": {"body": "Hello", "author": author}})
    authors = [item["author"] for item in ask("GET", "/request/CMK-1/comment").json["values"][-3:]]
    assert [(item["displayName"], item["emailAddress"]) for item in authors] == [
        ("Customer", "customer@example.com"),
        ("colleague", "colleague@example.com"),
        ("Vendor", None),
    ]
    assert len({item["accountId"] for item in authors}) == 3


def test_emails_that_are_hidden(ask: Ask, desk: Desk) -> None:
    desk.control("PATCH", "/settings", {"hide_emails": True, "jira_access": True})
    comments = ask("GET", "/request/CMK-1/comment").json["values"]
    assert {item["author"]["emailAddress"] for item in comments} == {None}
    assert ask("GET", "/request/CMK-1").json["reporter"]["emailAddress"] is None
    assert send("GET", f"{desk.url}/rest/api/2/myself", authorization=CUSTOMER).json["emailAddress"] is None


@pytest.mark.parametrize("ahead", [600, -600])
def test_a_clock_that_is_off(ask: Ask, desk: Desk, ahead: int) -> None:
    desk.control("PATCH", "/settings", {"clock_offset": ahead})
    answer = ask("POST", "/request/CMK-1/comment", {"body": "Hello", "public": True})
    expected = datetime.now(UTC).timestamp() + ahead
    assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - expected) < 5
    assert abs(answer.json["created"]["epochMillis"] / 1000 - expected) < 5


def test_a_desk_without_a_date(ask: Ask, desk: Desk) -> None:
    assert "Date" in ask("GET", "/info").headers
    desk.control("PATCH", "/settings", {"send_date": False})
    assert "Date" not in ask("GET", "/info").headers


def test_a_desk_that_ignores_start(ask: Ask, desk: Desk) -> None:
    desk.control("POST", "/tickets", {"key": "CMK-9", "generate_comments": 60})
    assert len(bodies(ask("GET", "/request/CMK-9/comment?start=50&limit=50"))) == 10
    desk.control("PATCH", "/settings", {"ignore_start": True})
    answer = ask("GET", "/request/CMK-9/comment?start=50&limit=50")
    assert bodies(answer)[0] == "Generated comment 1 of 60"
    assert (answer.json["isLastPage"], len(answer.json["values"])) == (False, 50)


@pytest.mark.parametrize(
    "value", [{"platform": "server"}, {"clock_offset": 1.5}, {"hide_emails": 1}, {"clock": 1}, [], None]
)
def test_settings_that_are_not_understood(desk: Desk, value: object) -> None:
    before = desk.control("GET", "/settings")
    with pytest.raises(InvalidError):
        desk.control("PATCH", "/settings", value)
    assert desk.control("GET", "/settings") == before


def test_settings_of_the_seed_come_back_with_a_reset() -> None:
    with Desk({**SEED, "settings": {"hide_emails": True}}) as desk:
        desk.control("PATCH", "/settings", {"hide_emails": False, "clock_offset": 5})
        desk.control("POST", "/reset")
        settings = desk.control("GET", "/settings")
        assert (settings["hide_emails"], settings["clock_offset"]) == (True, 0)
