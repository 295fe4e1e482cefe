"""The loop of verify: how often it reads, when it ends, and what it never waits for. No test sleeps."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels import jsm
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, Use
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import verify
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from tests.unit.plugins.conversation import Clock
from tests.unit.plugins.plugin_utils.test_verification import run_of

ARN = "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BACK, NOTIFIED = "2026-11-24T03:00:05Z", "2026-11-24T03:00:09Z"
HOUR = 3600.0
TICKET = "https://desk.example.com/rest/servicedeskapi/request/CMK-1"
MENTION = {"reference": "cmk-restore/acme/0123456789ab", "comment_id": "17", "url": "", "at": NOTIFIED}
READ = {"ok": True, "status": "Open", "allowed": True, "mentions": [MENTION], "authors": []}
DOWN = {"ok": False, "code": "desk_trouble", "error": "The support desk failed.", "hint": "Run again."}
ANNOUNCEMENT: dict[str, Any] = {
    "reference": "cmk-restore/acme/0123456789ab",
    "since": None,
    "accepts_ours": False,
    "told": None,
    "restored_at": BACK,
}


def key(state: str = "Enabled") -> dict[str, Any]:
    nothing = {"actions": [], "changed": False, "code": "", "error": "", "hint": "", "calls": []}
    return {"region": "ap-northeast-1", "reference": "alias/cmk", "arn": ARN, "key_state_before": state, **nothing}


def use(proven: bool) -> dict[str, Any]:
    first = {"time": "2026-11-24T05:00:00Z", "name": "Decrypt", "account_id": "444455556666"}
    facts = {"region": "ap-northeast-1", "arn": ARN, "since": NOTIFIED, "looked_up": True, "unattributed_use": None}
    return {
        **facts,
        "first_use": first if proven else None,
        "is_first": proven,
        "reason": None if proven else "no use.",
    }


SETTINGS: dict[str, Any] = {
    "org": "acme",
    "slug": "acme",
    "keys": [{"region": "ap-northeast-1", "key_id": "alias/cmk"}],
    "account_id": "",
    "sites": [],
    "site_path": "/",
    "site_status": 200,
    "verify_follow": True,
    "verify_limit": 8 * HOUR,
    "verify_interval": 300.0,
    "context_tag": "AcmeCMK",
    "atlassian_account_ids": ["444455556666"],
    "revoked_at": "",
    "request_url": TICKET,
    "problems": [],
}


class Desk:
    """Answers with the next of the given results, and with the last one from then on."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.reads = answers, 0

    def ticket(self, *_args: Any) -> Look | None:
        self.reads += 1
        return Look.from_json({**READ, **self.answers[min(self.reads, len(self.answers)) - 1]})


class Follower:
    """Runs the action on scripted answers and a fake clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        self.clock, self.monkeypatch = clock, monkeypatch
        self.uses: Iterator[dict[str, Any]] = itertools.repeat(use(False))
        self.states: Iterator[str] = itertools.repeat("Enabled")
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[str] = []
        self.desk = Desk(READ)
        self.parents: Iterator[int] = itertools.repeat(1)
        self.retries: list[int] = []
        fake_time = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.sleep)
        monkeypatch.setattr(verify, "time", fake_time)
        monkeypatch.setattr(verify, "os", SimpleNamespace(getppid=lambda: next(self.parents)))
        monkeypatch.setattr(verify, "show", self.lines.append)
        monkeypatch.setattr(jsm, "Reader", self._reader)
        monkeypatch.setattr(Task, "read_aws", lambda _task, name, args: self._module(name, args))
        # The announcement is of now, by whatever clock this machine has.
        monkeypatch.setattr(verify, "clock", lambda: "2026-11-24T06:00:00Z")

    def _reader(self, _get: Any, _sleep: Any, _attempt: int, retries: int, _patience: float) -> Desk:
        self.retries.append(retries)
        return self.desk

    def _module(self, name: str, args: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((name, args))
        return {"keys": [key(next(self.states))]} if name == "kms_key_state" else {"keys": [next(self.uses)]}

    def run(self, run_action: Any, *, follow: bool = True, check: bool = False, **settings: Any) -> dict[str, Any]:
        nothing = {"change": {}, "revocation": {}, "ticket": {}, "comment": "", "error": "", "user": ""}
        run = {
            "entry_point": "verify",
            "check_mode": False,
            "settings": {**SETTINGS, **settings},
            "plan": {"keys": [key()]},
            "decided": {"announcement": ANNOUNCEMENT},
            "started_at": NOTIFIED,
            "now": NOTIFIED,
            **nothing,
        }
        result: dict[str, Any] = run_action(ActionModule, check=check, do="verify", run=run, follow=follow)
        return result


@pytest.fixture
def follower(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Follower:
    return Follower(monkeypatch, clock)


def test_without_follow_it_reads_once(follower: Follower, run_action: Any) -> None:
    result = follower.run(run_action, follow=False)
    assert (result["looks"], result["timed_out"], result["changed"]) == (1, False, False)
    assert follower.clock.now == 0
    assert follower.lines == []


def test_it_follows_until_the_verdict_changes(follower: Follower, run_action: Any) -> None:
    follower.uses = iter([use(False), use(False), use(True)])
    result = follower.run(run_action)
    assert (result["looks"], result["timed_out"]) == (3, False)
    assert follower.clock.now == 600
    assert ["waiting" in line for line in follower.lines] == [True, True, False]
    assert [line.endswith("next look in 300 s") for line in follower.lines] == [True, True, False]


def test_it_ends_at_its_limit(follower: Follower, run_action: Any) -> None:
    result = follower.run(run_action, verify_limit=1000.0)
    assert (result["looks"], result["timed_out"]) == (4, True)
    assert follower.clock.now == 900
    assert not follower.lines[-1].endswith("s")
    assert not result.get("failed")


def test_it_ends_when_a_key_is_disabled(follower: Follower, run_action: Any) -> None:
    follower.states = iter(["Enabled", "Disabled"])
    result = follower.run(run_action)
    assert (result["looks"], result["timed_out"], result["keys"][0]["key_state_before"]) == (3, False, "Disabled")


def test_a_desk_that_fails_for_a_while_does_not_end_it(follower: Follower, run_action: Any) -> None:
    follower.desk = Desk({**DOWN, "mentions": []}, {**DOWN, "mentions": []}, READ)
    follower.uses = iter([use(False), use(False), use(False), use(True)])
    assert follower.run(run_action)["looks"] == 4


def test_a_desk_that_refuses_ends_it(follower: Follower, run_action: Any) -> None:
    follower.desk = Desk({**DOWN, "code": "desk_unauthorized", "mentions": []})
    assert follower.run(run_action)["looks"] == 1


def test_it_ends_with_the_run_that_it_belongs_to(follower: Follower, run_action: Any) -> None:
    follower.parents = itertools.chain([7, 7, 7, 7], itertools.repeat(1))
    result = follower.run(run_action)
    assert (result["failed"], result["msg"]) == (True, "The run that followed has ended.")
    # Noticed within seconds, and not after the five minutes.
    assert follower.clock.now < 10


def test_what_is_proven_is_not_asked_again(follower: Follower, run_action: Any) -> None:
    follower.uses = iter([use(True)])
    follower.run(run_action, sites=["not a url"], verify_limit=1000.0)
    assert [name for name, _args in follower.asked].count("kms_key_use_info") == 1


def test_a_proof_is_kept_beside_what_is_asked() -> None:
    other = ARN.replace("ap-northeast-1", "ap-southeast-2")
    run = run_of(keys=[key(), {**key(), "arn": other}], ticket={"at": NOTIFIED})
    proven = Use("ap-northeast-1", ARN, first_use={"time": "2026-11-24T05:00:00Z"})
    asked: list[str] = []

    def answer(_name: str, options: dict[str, Any]) -> dict[str, Any]:
        asked.extend(wanted["key_arn"] for wanted in options["keys"])
        return {"keys": [{**use(False), "arn": other}]}

    task: Any = SimpleNamespace(args={"aws": {}}, read_aws=answer)
    found = verify._look_for_use(task, replace(run, seen=Seen(use=(proven, Use("", other)))))
    assert (asked, [one.arn for one in found]) == ([other], [ARN, other])


def test_it_waits_to_the_second(follower: Follower, run_action: Any) -> None:
    follower.uses = iter([use(False), use(False), use(True)])
    follower.run(run_action, verify_interval=5.0)
    assert follower.clock.now == 10


def test_a_look_that_takes_longer_than_the_interval(follower: Follower, run_action: Any) -> None:
    def slow() -> Iterator[dict[str, Any]]:
        follower.clock.now += 400
        yield use(False)
        yield use(True)

    follower.uses = slow()
    follower.run(run_action)
    assert follower.lines[0].endswith("next look in 0 s")


def test_cloudtrail_gets_the_marks(follower: Follower, run_action: Any) -> None:
    follower.run(run_action, follow=False)
    ((name, args),) = follower.asked
    assert name == "kms_key_use_info"
    assert (args["context_tag"], args["account_ids"]) == ("AcmeCMK", ["444455556666"])
    assert args["keys"] == [{"region": "ap-northeast-1", "key_arn": ARN, "since": NOTIFIED}]
    # The module's own patience outlasts CloudTrail's quota.
    assert "aws_config" not in args


def test_a_desk_that_hangs_is_left_in_time(
    follower: Follower, run_action: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    monkeypatch.setattr(follower.desk, "ticket", lambda *_args: never.wait(60) and None)
    monkeypatch.setattr(verify, "_DESK_TIME", 0.1)
    result = follower.run(run_action, follow=False)
    never.set()
    assert (result["look"]["ok"], result["look"]["code"]) == (False, "desk_not_reached")
    assert "no answer within 0.1 seconds" in result["look"]["error"]


@pytest.mark.parametrize(("follow", "retries"), [(True, 0), (False, 6)])
def test_only_a_run_that_reads_once_tries_the_desk_again(
    follower: Follower, run_action: Any, follow: bool, retries: int
) -> None:
    follower.run(run_action, follow=follow, verify_limit=0.0)
    assert set(follower.retries) == {retries}


@pytest.mark.parametrize(
    ("wanted", "check", "warned"),
    [(True, False, 1), (False, False, 0), (True, True, 0)],
    ids=["wished", "not wished", "check mode"],
)
def test_who_wishes_to_follow_and_cannot_is_warned(
    follower: Follower, run_action: Any, monkeypatch: pytest.MonkeyPatch, wanted: bool, check: bool, warned: int
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(verify, "Display", lambda: SimpleNamespace(warning=warnings.append))
    follower.run(run_action, follow=False, check=check, verify_follow=wanted)
    assert len(warnings) == warned
