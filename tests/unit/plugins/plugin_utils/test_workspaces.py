"""What Atlassian reports of the apps: Ansible's own client on the strict stand-in, and everything that goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _sites
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import ask_atlassian
from tests.standins.desk import Desk
from tests.standins.desk.client import send
from tests.standins.desk.workspaces import API_KEY, ORG_ID

UNREAD = "Atlassian's API did not report the apps: {}. The verdict does not need it. Check cmk_atlassian_org_id and "

OTHER_SHAPES: list[Any] = [
    [],
    {},
    {"data": None},
    {"data": {"a": 1}},
    {"data": [{"attributes": {}}]},
    {"data": [{"attributes": {"status": None}}]},
    {"data": [{"attributes": {"status": "online", "statusDetails": "x"}}]},
    {"data": [{"attributes": ["status"]}]},
    {"data": [], "links": "next"},
]


@pytest.fixture(scope="module")
def running() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


@pytest.fixture
def desk(running: Desk) -> Desk:
    running.control("POST", "/reset")
    return running


def url(desk: Desk, org_id: str = ORG_ID) -> str:
    return f"{desk.url}/admin/v2/orgs/{org_id}/workspaces"


def ask(desk: Desk, *apps: dict[str, Any], key: str = API_KEY, org_id: str = ORG_ID) -> tuple[str, str]:
    desk.control("POST", "/workspaces", list(apps))
    return ask_atlassian(url(desk, org_id), key)


def asked(desk: Desk) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = desk.control("GET", "/calls")
    return calls


@pytest.mark.parametrize(
    ("apps", "outcome", "says"),
    [
        ([{}, {}], "good", "Atlassian reports 2 of 2 apps online."),
        (
            [{}, {"typeKey": "confluence", "status": "offline"}],
            "open",
            "Atlassian reports 1 of 2 apps online: confluence https://acme.example.com is offline.",
        ),
        (
            [{"status": "deactivated", "statusDetails": ["encryption-key", "suspended"], "hostUrl": ""}],
            "open",
            "Atlassian reports 0 of 1 apps online: jira-software is deactivated (encryption-key, suspended).",
        ),
        ([{"typeKey": "", "hostUrl": "", "status": "x"}], "open", "Atlassian reports 0 of 1 apps online: an app is x."),
        (
            [{"status": "off", "hostUrl": str(number)} for number in range(5)],
            "open",
            "Atlassian reports 0 of 5 apps online: "
            + ", ".join(f"jira-software {number} is off" for number in range(5))
            + ".",
        ),
        # No app is no proof of anything.
        ([], "open", "Atlassian reports 0 of 0 apps online."),
    ],
)
def test_what_it_reports(desk: Desk, apps: list[dict[str, Any]], outcome: str, says: str) -> None:
    assert ask(desk, *apps) == (outcome, says)


def test_many_apps_are_read_page_by_page_and_a_few_are_named(desk: Desk) -> None:
    apps = [{"hostUrl": f"https://a{number}.example.com", "status": "offline"} for number in range(8)]
    outcome, says = ask(desk, *([{}] * 40), *apps)
    assert outcome == "open"
    assert says.startswith("Atlassian reports 40 of 48 apps online: jira-software https://a0.example.com is offline, ")
    assert says.endswith("https://a4.example.com is offline, and 3 more.")
    # Beside a cursor, the API takes no other field.
    first, *more = [call["body"] for call in asked(desk)]
    assert (first, [list(body) for body in more]) == ({"limit": 20}, [["cursor"], ["cursor"]])


def test_text_of_others_stays_on_its_line(desk: Desk) -> None:
    _outcome, says = ask(desk, {"status": "off\x1b[2J\nline", "hostUrl": "x" * 500})
    assert says.isprintable()
    assert len(says) == len("Atlassian reports 0 of 1 apps online: .") + 200


def test_the_message_of_an_error_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sites, "ask_api", lambda *_request: {"status": -1, "msg": "x" * 999})
    _outcome, says = ask_atlassian("https://api.example.com", API_KEY)
    assert f" the apps: {'x' * 159}…. The verdict" in says


def test_how_long_and_how_far_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = {"status": 200, "msg": "", "json": {"data": [], "links": {"next": "x"}}}
    monkeypatch.setattr(_sites, "ask_api", lambda *_request: endless)
    assert "it sent more than 20 pages" in ask_atlassian("https://api.example.com", API_KEY)[1]
    monkeypatch.setattr(_sites, "run_within", lambda _seconds, _work: None)
    assert "no answer within 20 seconds" in ask_atlassian("https://api.example.com", API_KEY)[1]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"status": 403}, "the key may not read them (HTTP Error 403: Forbidden)"),
        ({"status": 429, "retry_after": 60}, "it is under load (HTTP Error 429: Too Many Requests)"),
        ({"status": 202}, "HTTP status 202"),
        ({"status": 500}, "HTTP Error 500: Internal Server Error"),
        ({"status": 503, "html": True}, "HTTP Error 503: Service Unavailable"),
        ({"redirect": "/_site/elsewhere"}, "HTTP Error 302: Found"),
        ({"login_page": True}, "its answer is not the documented JSON"),
        ({"invalid_json": True}, "its answer is not the documented JSON"),
        ({"body": "[" * 100_000}, "its answer is not the documented JSON"),
        ({"body": " " * (8 << 20) + "{}"}, "its answer is not the documented JSON"),
        ({"drop": "before"}, "Request failed: Remote end closed connection without response"),
        *(({"body": json.dumps(body)}, "its answer is not the documented JSON") for body in OTHER_SHAPES),
    ],
)
def test_what_goes_wrong_is_one_line(desk: Desk, fault: dict[str, Any], why: str) -> None:
    desk.control("POST", "/faults", {"path": "/admin/", **fault})
    outcome, says = ask(desk, {})
    assert outcome == "unknown"
    assert says.startswith(UNREAD.format(why))
    assert API_KEY not in says
    assert len(says) < 240
    # Nothing is tried again, and no redirect is followed.
    assert len(asked(desk)) == 1


def test_a_wrong_key_and_a_wrong_organization(desk: Desk) -> None:
    assert (
        UNREAD.format("it does not accept the key (HTTP Error 401: Unauthorized)") in ask(desk, key="odd-other-key")[1]
    )
    assert UNREAD.format("it has no such organization (HTTP Error 404: Not Found)") in ask(desk, org_id="other")[1]


@pytest.mark.parametrize("key", ["", "odd two", "odd\r\nX-Evil: 1", "odd-schlüssel"])
def test_an_unfit_key_is_not_sent(desk: Desk, key: str) -> None:
    outcome, says = ask(desk, {}, key=key)
    assert (outcome, asked(desk)) == ("unknown", [])
    assert says.startswith(UNREAD.format("the key is not set, or is not one word"))
    assert "odd" not in says


def test_pages_without_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sites, "_MOST_PAGES", 3)
    desk.control("PATCH", "/settings", {"ignore_start": True})
    assert UNREAD.format("it sent more than 3 pages") in ask(desk, *([{}] * 21))[1]
    assert len(asked(desk)) == 3


@pytest.mark.parametrize("fault", [{"latency": 60}, {"drip": 0.05}], ids=str)
def test_an_api_that_hangs_is_left_in_time(desk: Desk, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]) -> None:
    monkeypatch.setattr(_sites, "_API_SECONDS", 0.3)
    desk.control("POST", "/faults", {"path": "/admin/", "count": None, **fault})
    assert "no answer within 0.3 seconds" in ask(desk, {})[1]


def test_nobody_there() -> None:
    outcome, says = ask_atlassian("http://127.0.0.1:9/admin/v2/orgs/x/workspaces", API_KEY)
    assert outcome == "unknown"
    assert "Connection refused" in says


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 200),
        ({"limit": 1}, 200),
        ({"limit": 0}, 400),
        ({"limit": 20, "cursor": "WzAsIDFd"}, 400),
        ({"cursor": "WzAsIDFd"}, 200),
        ({"cursor": "x"}, 400),
        ({"start": 0}, 400),
        ([], 400),
        (b"{", 400),
    ],
    ids=str,
)
def test_the_standin_takes_only_what_is_documented(desk: Desk, body: Any, status: int) -> None:
    assert send("POST", url(desk), body, authorization=f"Bearer {API_KEY}").status == status
    assert send("POST", url(desk), body).status == 401
    assert send("GET", url(desk), authorization=f"Bearer {API_KEY}").status == 405
