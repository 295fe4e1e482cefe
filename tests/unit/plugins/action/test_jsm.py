"""Mode api: what becomes of the comment after each look at the ticket and each answer of the desk. No test sleeps."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels import comment, jsm
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Answer, Look, Mention
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from tests.unit.plugins.plugin_utils.test_run import CHANGE, DONE, NOW, PLAN, SETTINGS, decide, raw

from .conftest import RunAction

TICKET = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
ANNOUNCEMENT = {**decide(PLAN, {**SETTINGS, "problems": []}), "notify": "api"}
REFERENCE = ANNOUNCEMENT["announcement"]["reference"]
MENTION = Mention(REFERENCE, "17", at=NOW, noted_at=NOW)
OPEN = Look(status="Open", clock_offset=3)
UNREAD = Look(ok=False, code="desk_trouble", error="It failed.", hint="Run again.")
COMMENT = {"id": "17", "body": f"Back.\nReference: {REFERENCE}", "created": {"iso8601": NOW}}
STORED = {"status": 201, "json": COMMENT}
TROUBLE = {"status": 500, "msg": "HTTP Error 500: Oops"}
REFUSED = {"status": 403, "msg": "HTTP Error 403: Forbidden"}
BUSY = {"status": 429, "msg": "HTTP Error 429", "retry_after": "7"}


class Desk:
    """Shows the given looks and gives the given answers, the last one from then on; notes what it was asked and when."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.looks: list[Look] = [OPEN]
        self.answers: list[Any] = [STORED]
        self.interrupts: list[float] = []  # the waits of each read
        self.now = 1000.0
        self.reads: list[tuple[int, int, float]] = []
        self.sent: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.warnings: list[str] = []
        self.shown: list[str] = []
        self.pasted: list[str] = []

    def reader(self, _get: Any, pause: Any, attempt: int, retries: int, patience: float) -> Any:
        self.reads.append((attempt, retries, patience))
        look = self.looks[min(len(self.reads), len(self.looks)) - 1]
        for seconds in self.interrupts:
            pause(seconds, Answer(ok=False, status=500, error="The desk failed."))
        return SimpleNamespace(ticket=lambda *_args: replace(look, attempt=attempt))

    def run_module(self, name: str, options: dict[str, Any]) -> dict[str, Any]:
        assert name == "ansible.builtin.uri"
        self.sent.append(options)
        answer = self.answers[min(len(self.sent), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return {"url": options["url"], **answer}

    def paste(self, text: str, *, wraps: bool) -> None:
        assert not wraps
        self.pasted.append(text)

    def show(self, text: str, **_more: bool) -> None:
        self.shown.append(text)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "acme")
    monkeypatch.setattr(jsm, "Reader", made.reader)
    monkeypatch.setattr(jsm, "time", SimpleNamespace(time=lambda: made.now, sleep=made.sleep))
    monkeypatch.setattr(jsm, "show", made.show)
    monkeypatch.setattr(comment, "show", made.paste)
    monkeypatch.setattr(Task, "run_module", made.run_module)
    monkeypatch.setattr(Display, "warning", lambda _self, text: made.warnings.append(text))
    return made


class Step:
    """Runs a step of an organization whose ticket is at the desk."""

    def __init__(self, run_action: RunAction, desk: Desk) -> None:
        self._run_action, self._desk = run_action, desk

    def __call__(self, name: str = "notify", *, check: bool = False, **more: Any) -> dict[str, Any]:
        given = {"request_url": TICKET, "desk_until": 1030.0, "report_dir": str(self._desk.folder)}
        settings = {**SETTINGS, "problems": [], **given, **more.pop("settings", {})}
        args = {"retries": more.pop("retries", 6), "user": more.pop("user", ""), "token": "secret"}
        run = raw(**{"plan": PLAN, "change": CHANGE, "decided": ANNOUNCEMENT, **more})
        run |= {"settings": settings, "check_mode": check}
        return self._run_action(ActionModule, check=check, do=name, run=run, **args)


@pytest.fixture
def step(run_action: RunAction, desk: Desk) -> Step:
    return Step(run_action, desk)


class TestBeforeTheComment:
    def test_it_is_posted(self, desk: Desk, step: Step) -> None:
        found = step()
        assert found["changed"] is True
        (sent,) = desk.sent
        assert (sent["url"], sent["method"]) == (f"{TICKET}/comment", "POST")
        assert sent["body"] == {"body": found["comment"], "public": True}
        assert found["comment"].rstrip().endswith(f"Reference: {REFERENCE}")
        assert (desk.reads, desk.waits, desk.shown, desk.pasted) == ([(1, 6, 30.0)], [0], [], [])

    @pytest.mark.parametrize(
        ("user", "account"),
        [
            ("me@example.com", {"url_username": "me@example.com", "url_password": "secret", "force_basic_auth": True}),
            ("", {"headers": {"Authorization": "Bearer secret"}}),
        ],
    )
    def test_the_token_stays_at_the_desk(self, desk: Desk, step: Step, user: str, account: dict[str, Any]) -> None:
        step(user=user)
        assert {**account, "follow_redirects": "none", "use_netrc": False}.items() <= desk.sent[0].items()
        assert ("headers" in desk.sent[0], "url_username" in desk.sent[0]) == (not user, bool(user))

    def test_check_mode_shows_it(self, desk: Desk, step: Step) -> None:
        found = step(check=True)
        assert (found["changed"], desk.sent) == (False, [])
        assert (len(desk.shown), desk.pasted) == (1, [])

    def test_atlassian_was_notified(self, desk: Desk, step: Step) -> None:
        desk.looks = [replace(OPEN, mentions=(MENTION,))]
        found = step()
        assert (desk.sent, found["comment"], found["changed"]) == ([], "", False)
        ticket = found["ticket"]
        assert (ticket["told"], ticket["already_told"], ticket["comment_id"]) == (True, True, "17")

    def test_the_ticket_cannot_be_read(self, desk: Desk, step: Step) -> None:
        desk.looks = [UNREAD]
        found = step()
        assert (desk.sent, found["ticket"]["code"], found["ticket"]["told"]) == ([], "desk_trouble", False)
        # A person has to paste it.
        assert [REFERENCE in text for text in desk.pasted] == [True]
        assert REFERENCE in (desk.folder / "comment.txt").read_text()

    def test_the_ticket_is_closed(self, desk: Desk, step: Step) -> None:
        desk.looks = [replace(OPEN, allowed=False)]
        found = step()
        assert (desk.sent, found["ticket"]["code"], len(desk.pasted)) == ([], "ticket_closed", 1)
        assert REFERENCE in found["comment"]

    def test_a_ticket_that_is_too_long_is_warned_of(self, desk: Desk, step: Step) -> None:
        desk.looks = [replace(OPEN, complete=False, bound="Only the first 5,000 comments were read.")]
        step()
        assert len(desk.sent) == 1
        assert [warning.split(" An announcement")[0] for warning in desk.warnings] == [
            "acme: Only the first 5,000 comments were read."
        ]

    def test_a_person_has_the_text_while_the_desk_is_waited_for(self, desk: Desk, step: Step) -> None:
        desk.interrupts = [10, 3]
        assert step()["ticket"]["told"] is True
        assert (len(desk.pasted), desk.waits) == (1, [0, 8.0, 2.0, 3])
        # What was said before is not said again, and the waits are one row, which hides nothing.
        row = ["acme: seconds to the next attempt: 10", " 2", " 3", ""]
        assert desk.shown == ["acme: The desk failed.", *row]
        desk.shown.clear()
        assert step(organizations=2)["ticket"]["told"] is True
        assert desk.shown[1:] == [f"acme: {seconds} seconds to the next attempt" for seconds in (10, 2, 3)]


class TestAfterTheComment:
    def test_the_desk_confirms(self, desk: Desk, step: Step) -> None:
        found = step()
        assert (found["ticket"]["told"], found["ticket"]["already_told"]) == (True, False)
        # The ticket is not read again.
        assert (len(desk.reads), len(desk.sent)) == (1, 1)
        # By the desk's clock, which is 3 s ahead.
        assert found["ticket"]["noted_at"] == "2026-11-24T03:00:06Z"

    def test_a_clock_that_looks_late_was_measured_badly(self, desk: Desk, step: Step) -> None:
        desk.answers = [{**STORED, "date": "Tue, 24 Nov 2020 03:00:00 GMT"}]
        assert step()["ticket"]["noted_at"] == "2026-11-24T03:00:06Z"

    @pytest.mark.parametrize(
        "answer",
        [TROUBLE, REFUSED, {"status": 201, "json": {"id": "17", "body": "cut"}}, AnsibleConnectionFailure("Gone.")],
        ids=["trouble", "refused", "cut", "no answer"],
    )
    def test_the_answer_is_lost_and_the_comment_stored(self, desk: Desk, step: Step, answer: Any) -> None:
        desk.looks, desk.answers = [OPEN, replace(OPEN, mentions=(MENTION,))], [answer]
        found = step()
        assert (found["ticket"]["told"], found["ticket"]["already_told"]) == (True, False)
        assert [sent["body"]["body"] for sent in desk.sent] == [found["comment"]]
        assert desk.pasted == []

    def test_it_is_posted_once_more(self, desk: Desk, step: Step) -> None:
        desk.answers = [TROUBLE, STORED]
        found = step()
        assert (found["ticket"]["told"], found["ticket"]["already_told"], found["changed"]) == (True, False, True)
        assert [sent["body"]["body"] for sent in desk.sent] == [found["comment"]] * 2

    @pytest.mark.parametrize(
        ("more", "count"),
        [
            pytest.param({"settings": {"desk_until": 2000.0}}, 6, id="until no attempt is left"),
            pytest.param({"retries": 2}, 2, id="the last attempt"),
            pytest.param({"retries": 1}, 1, id="no attempt is left"),
            # It waits 2, 4, 8 and 16 s.
            pytest.param({}, 4, id="until the time is over"),
            pytest.param({"settings": {"desk_until": 1000.0}}, 1, id="no time is left"),
            pytest.param({"answer": REFUSED}, 1, id="refused"),
        ],
    )
    def test_how_often_it_is_posted(self, desk: Desk, step: Step, more: dict[str, Any], count: int) -> None:
        desk.answers = [more.get("answer", TROUBLE)]
        found = step(**{name: value for name, value in more.items() if name != "answer"})
        assert (len(desk.sent), found["ticket"]["told"], found["changed"]) == (count, False, False)
        assert found["ticket"]["code"] == ("desk_forbidden" if "answer" in more else "desk_trouble")
        assert len(desk.pasted) == 1

    def test_a_ticket_that_cannot_be_read_is_no_reason_to_post_again(self, desk: Desk, step: Step) -> None:
        desk.looks, desk.answers = [OPEN, UNREAD], [TROUBLE]
        assert step()["ticket"]["code"] == "desk_unconfirmed"
        # Whoever pastes the text may notify Atlassian twice.
        assert (len(desk.sent), desk.pasted) == (1, [])

    @pytest.mark.parametrize(("until", "wait", "count"), [(1030.0, 7.0, 2), (1005.0, 5.0, 1), (900.0, 0, 1)])
    def test_it_waits_as_the_desk_asks_while_there_is_time(
        self, desk: Desk, step: Step, until: float, wait: float, count: int
    ) -> None:
        desk.answers = [BUSY, STORED]
        step(settings={"desk_until": until})
        assert (desk.waits, len(desk.sent)) == ([0, wait], count)
        attempt, retries, patience = desk.reads[-1]
        assert (attempt, retries, patience <= until - 1000.0) == (2, 6, True)


class TestRehearse:
    def test_nothing_is_in_the_way(self, desk: Desk, step: Step) -> None:
        found = step("rehearse", check=True)
        assert (found["ticket"]["code"], found["ticket"]["told"]) == ("", False)
        assert found["comment"]
        assert (desk.sent, desk.shown, desk.pasted) == ([], [], [])

    def test_the_ticket_is_closed(self, desk: Desk, step: Step) -> None:
        desk.looks = [replace(OPEN, allowed=False)]
        assert step("rehearse", check=True)["ticket"]["code"] == "ticket_closed"

    def test_without_a_desk_the_comment_is_tried_all_the_same(self, desk: Desk, step: Step) -> None:
        found = step("rehearse", check=True, settings={"request_url": ""})
        assert (desk.reads, bool(found["comment"])) == ([], True)

    def test_a_comment_that_is_too_long(self, desk: Desk, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            jsm, "write_comment", lambda *_args: ("x", {"code": "comment_too_long", "error": "Long.", "hint": "Cut."})
        )
        assert step("rehearse")["ticket"]["code"] == "comment_too_long"
        # What was seen on the ticket comes first.
        desk.looks = [UNREAD]
        assert step("rehearse")["ticket"]["code"] == "desk_trouble"

    def test_a_failed_key_has_no_comment(self, desk: Desk, step: Step) -> None:
        failed = {"keys": [{**DONE, "error": "AWS refused."}]}
        found = step("rehearse", change=failed)
        assert found["comment"] == ""


def test_the_look_is_the_type_that_the_desk_gives() -> None:
    assert Look.from_json(asdict(OPEN)) == OPEN
