"""Mode api: what becomes of the comment after each look at the ticket and each answer of the desk. No test sleeps."""

from __future__ import annotations

from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels import jsm
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look, Mention
from tests.unit.plugins.plugin_utils.test_run import CHANGE, DONE, NOW, PLAN, SETTINGS, decide, raw

from .conftest import RunAction

TICKET = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
TEXT = "Both keys are enabled.\n"
OPEN = Look(status="Open", clock_offset=3)
TROUBLE = {"status": 500, "msg": "HTTP Error 500: Oops"}
REFUSED = {"status": 403, "msg": "HTTP Error 403: Forbidden"}
POSTED = {"attempt": 1, "clock_offset": 3, "comment": TEXT, "comments": True, "ticket": {}}


class Desk:
    """Shows the given looks, the last one from then on; notes how it was read and what was waited for."""

    def __init__(self) -> None:
        self.looks: list[Look] = [OPEN]
        self.reads: list[tuple[int, int, float]] = []
        self.waits: list[float] = []
        self.warnings: list[str] = []
        self.shown: list[str] = []

    def reader(self, _get: Any, _pause: Any, attempt: int, retries: int, patience: float) -> Any:
        self.reads.append((attempt, retries, patience))
        look = self.looks[min(len(self.reads), len(self.looks)) - 1]
        return SimpleNamespace(ticket=lambda *_args: replace(look, attempt=attempt))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk()
    monkeypatch.setattr(jsm, "Reader", made.reader)
    monkeypatch.setattr(jsm, "time", SimpleNamespace(time=lambda: 1000.0, sleep=made.waits.append))
    monkeypatch.setattr(jsm, "show", made.shown.append)
    monkeypatch.setattr(Display, "warning", lambda _self, text: made.warnings.append(text))
    return made


ANNOUNCEMENT = decide(PLAN, {**SETTINGS, "problems": []})
REFERENCE = ANNOUNCEMENT["announcement"]["reference"]
MENTION = Mention(REFERENCE, "17", at=NOW, noted_at=NOW)


def step(run_action: RunAction, name: str, *, check: bool = False, **more: Any) -> dict[str, Any]:
    settings = {**SETTINGS, "problems": [], "request_url": TICKET, "desk_until": 1030.0, **more.pop("settings", {})}
    response, retries = more.pop("response", {}), more.pop("retries", 6)
    parts = {"plan": PLAN, "change": CHANGE, "decided": ANNOUNCEMENT, "look": POSTED, **more}
    run = {**raw(**parts), "settings": settings, "check_mode": check}
    return run_action(ActionModule, check=check, do=name, run=run, response=response, retries=retries)


class TestLook:
    def test_the_comment_is_to_be_posted(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "look")
        assert (found["ticket"], found["comments"], found["attempt"], found["clock_offset"]) == ({}, True, 1, 3)
        assert found["comment"].rstrip().endswith(f"Reference: {REFERENCE}")
        assert (desk.reads, desk.waits, desk.shown) == ([(1, 6, 30.0)], [0], [])

    def test_check_mode_shows_it(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "look", check=True)
        assert (found["comments"], len(desk.shown)) == (False, 1)

    def test_atlassian_was_notified(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [replace(OPEN, mentions=(MENTION,))]
        found = step(run_action, "look")
        assert (found["comments"], found["comment"]) == (False, "")
        assert (found["ticket"]["told"], found["ticket"]["already_told"], found["ticket"]["comment_id"]) == (
            True,
            True,
            "17",
        )

    def test_the_ticket_cannot_be_read(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [Look(ok=False, code="desk_trouble", error="It failed.", hint="Run again.")]
        found = step(run_action, "look")
        assert (found["comments"], found["ticket"]["code"], found["ticket"]["told"]) == (False, "desk_trouble", False)

    def test_the_ticket_is_closed(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [replace(OPEN, allowed=False)]
        found = step(run_action, "look")
        assert (found["comments"], found["ticket"]["code"]) == (False, "ticket_closed")
        assert REFERENCE in found["comment"]

    def test_a_ticket_that_is_too_long_is_warned_of(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [replace(OPEN, complete=False, bound="Only the first 5,000 comments were read.")]
        assert step(run_action, "look")["comments"] is True
        assert [warning.split(" An announcement")[0] for warning in desk.warnings] == [
            "acme: Only the first 5,000 comments were read."
        ]


class TestConfirm:
    def answer(self, body: str = f"Back.\nReference: {REFERENCE}", **more: Any) -> dict[str, Any]:
        return {"status": 201, "json": {"id": "17", "body": body, "created": {"iso8601": NOW}}, **more}

    def test_the_desk_confirms(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "confirm", response=self.answer())
        assert (found["ticket"]["told"], found["ticket"]["already_told"], found["comments"]) == (True, False, False)
        assert desk.reads == []
        # By the desk's clock, which is 3 s ahead.
        assert found["ticket"]["noted_at"] == "2026-11-24T03:00:06Z"

    def test_a_clock_that_looks_late_was_measured_badly(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "confirm", response=self.answer(date="Tue, 24 Nov 2020 03:00:00 GMT"))
        assert found["ticket"]["noted_at"] == "2026-11-24T03:00:06Z"

    @pytest.mark.parametrize("response", [TROUBLE, REFUSED, {"status": 201, "json": {"id": "17", "body": "cut"}}])
    def test_the_answer_is_lost_and_the_comment_stored(
        self, desk: Desk, run_action: RunAction, response: dict[str, Any]
    ) -> None:
        desk.looks = [replace(OPEN, mentions=(MENTION,))]
        found = step(run_action, "confirm", response=response)
        assert (found["ticket"]["told"], found["ticket"]["already_told"], found["comments"]) == (True, False, False)
        assert (found["comment"], found["attempt"]) == (TEXT, 2)

    @pytest.mark.parametrize(
        ("more", "again"),
        [
            pytest.param({}, True, id="the desk failed and stored nothing"),
            pytest.param({"response": REFUSED}, False, id="refused"),
            pytest.param({"settings": {"desk_until": 1000.0}}, False, id="no time is left"),
            pytest.param({"retries": 2}, True, id="the last attempt"),
            pytest.param({"retries": 1}, False, id="no attempt is left"),
        ],
    )
    def test_it_is_posted_again(self, desk: Desk, run_action: RunAction, more: dict[str, Any], again: bool) -> None:
        found = step(run_action, "confirm", **{"response": TROUBLE, **more})
        assert found["comments"] is again
        assert found["ticket"]["told"] is False
        assert found["ticket"]["code"] == ("desk_forbidden" if "response" in more else "desk_trouble")

    def test_a_ticket_that_cannot_be_read_is_no_reason_to_post_again(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [Look(ok=False, code="desk_trouble", error="It failed.", hint="Run again.")]
        found = step(run_action, "confirm", response=TROUBLE)
        assert (found["comments"], found["ticket"]["code"]) == (False, "desk_unconfirmed")

    @pytest.mark.parametrize(("until", "wait"), [(1030.0, 7.0), (1005.0, 5.0), (900.0, 0)])
    def test_it_waits_as_the_desk_asks_while_there_is_time(
        self, desk: Desk, run_action: RunAction, until: float, wait: float
    ) -> None:
        busy = {"status": 429, "msg": "HTTP Error 429", "retry_after": "7"}
        step(run_action, "confirm", response=busy, settings={"desk_until": until})
        assert (desk.waits, desk.reads) == ([wait], [(2, 6, until - 1000.0)])


class TestRehearse:
    def test_nothing_is_in_the_way(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "rehearse", check=True)
        assert (found["ticket"]["code"], found["ticket"]["told"]) == ("", False)
        assert found["comment"]
        assert desk.shown == []

    def test_the_ticket_is_closed(self, desk: Desk, run_action: RunAction) -> None:
        desk.looks = [replace(OPEN, allowed=False)]
        assert step(run_action, "rehearse", check=True)["ticket"]["code"] == "ticket_closed"

    def test_without_a_desk_the_comment_is_tried_all_the_same(self, desk: Desk, run_action: RunAction) -> None:
        found = step(run_action, "rehearse", check=True, settings={"request_url": ""})
        assert (desk.reads, bool(found["comment"])) == ([], True)

    def test_a_comment_that_is_too_long(
        self, desk: Desk, run_action: RunAction, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(
            jsm, "write_comment", lambda *_args: ("x", {"code": "comment_too_long", "error": "Long.", "hint": "Cut."})
        )
        assert step(run_action, "rehearse")["ticket"]["code"] == "comment_too_long"
        # What was seen on the ticket comes first.
        desk.looks = [Look(ok=False, code="desk_trouble", error="It failed.", hint="Run again.")]
        assert step(run_action, "rehearse")["ticket"]["code"] == "desk_trouble"

    def test_a_failed_key_has_no_comment(self, desk: Desk, run_action: RunAction) -> None:
        failed = {"keys": [{**DONE, "error": "AWS refused."}]}
        found = step(run_action, "rehearse", change=failed)
        assert found["comment"] == ""


def test_the_look_is_the_type_that_the_desk_gives() -> None:
    assert Look.from_json(asdict(OPEN)) == OPEN
