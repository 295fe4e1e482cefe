"""AWS that takes a connection and never answers, or does not even take it: no module waits for it past its time."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _argspec, _connection, _deadline
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline, wait_for
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.change import Outcome
from ansible_collections.keyops.atlassian_cmk.plugins.modules import (
    byok_trust_statement,
    kms_key_state,
    kms_key_use_info,
)
from tests.standins.aws import AwsStandin
from tests.unit.plugins.conversation import ACCOUNT, ALIAS, OTHER_REGION, REGION, arn

ROLE = f"arn:aws:iam::{ACCOUNT}:role/cmk-operator"
BOTH = [{"region": REGION, "key_id": ALIAS}, {"region": OTHER_REGION, "key_id": ALIAS}]
# Beside what is measured, a busy machine needs its time.
# Without its end, a module waits for a minute and more.
SLACK = 30
LEAST = 3


def run(module: ModuleType, aws: AwsStandin, capsys: pytest.CaptureFixture[str], **args: Any) -> dict[str, Any]:
    check = args.pop("check", False)
    given = {"endpoint_url": aws.url, "region": REGION, **args, "_ansible_check_mode": check}
    with patch_module_args(given), pytest.raises(SystemExit):
        module.main()
    return dict(json.loads(capsys.readouterr().out))


@pytest.fixture(autouse=True)
def _no_thread_is_left(aws: AwsStandin, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End the threads that a module has given up: their calls would be tried again during the next test."""
    threads: list[threading.Thread] = []

    def make(**given: Any) -> threading.Thread:
        threads.append(threading.Thread(**given))
        return threads[-1]

    monkeypatch.setattr(_deadline, "threading", SimpleNamespace(Thread=make))
    yield
    # It closes the connections of calls that hang.
    aws.control("DELETE", "faults")
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def _less_than_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_argspec, "_LEAST", LEAST)


def test_the_calls_have_ten_seconds_in_any_case() -> None:
    deadlines = [_argspec.read_patience({"wait_timeout": timeout}, is_plan=False)[0] for timeout in (0, 1, 10, 300)]
    assert [deadline.seconds for deadline in deadlines] == [10, 10, 10, 300]


class Ending:
    """Lets the time be over when one region is done and the other waits for its ``hanging`` call.

    Neither depends on how long a busy machine needs for it.
    """

    def __init__(self) -> None:
        self.hanging = 1
        self.deadlines: list[float] = []
        self.futures: list[concurrent.futures.Future[None]] = []
        self.outcomes: list[list[Outcome]] = []

    def is_reached(self) -> bool:
        """Whether the last call that is to be made was made, and is not answered."""
        calls = [outcomes[0].calls for outcomes in self.outcomes if outcomes[0].region == OTHER_REGION]
        is_hanging = bool(calls) and bool(calls[0].unanswered()) and len(calls[0].listed()) == self.hanging
        return is_hanging and any(future.done() for future in self.futures)

    def wait_for(self, futures: list[concurrent.futures.Future[None]], deadline: Deadline, *more: Any) -> bool:
        """Stand in for the function of this name."""
        self.deadlines.append(deadline.seconds)
        self.futures = futures
        until = Deadline(120)
        while until.left() and not self.is_reached():
            time.sleep(0.02)
        return wait_for(futures, Deadline(0.02), *more)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Ending:
    """The deadline of a change or a plan is over as soon as it can be, whatever its seconds."""
    made = Ending()
    real = key_state._set_entry

    def set_entry(client: Any, entry: Any, outcomes: list[Outcome], work: Any) -> None:
        made.outcomes.append(outcomes)
        real(client, entry, outcomes, work)

    monkeypatch.setattr(key_state, "_set_entry", set_entry)
    monkeypatch.setattr(key_state, "wait_for", made.wait_for)
    return made


@pytest.fixture
def realm(aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> Any:
    """Two disabled keys, and the module that enables them."""
    for region in (REGION, OTHER_REGION):
        aws.control("POST", "keys", {"region": region, "alias": ALIAS, "state": "Disabled"})
    return functools.partial(run, kms_key_state, aws, capsys, keys=BOTH, wait_delay=0.05)


def hang(aws: AwsStandin, **more: Any) -> None:
    aws.control("POST", "faults", {"region": OTHER_REGION, "hang": True, "count": None, **more})


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """A port that does not take connections, and does not refuse them either: its queue is full."""
    with socket.socket() as listening, contextlib.ExitStack() as queued:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _number in range(4):
            waiting = queued.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture(params=["no answer", "no connection"])
def far_away(request: pytest.FixtureRequest, aws: AwsStandin, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The second region is out of reach."""
    if request.param == "no answer":
        hang(aws)
        yield
        return
    real: Any = boto3.session.Session.client
    with black_hole() as url:

        def client(self: Any, service: str, region_name: str, **more: Any) -> Any:
            elsewhere = {"endpoint_url": url} if region_name == OTHER_REGION else {}
            return real(self, service, region_name=region_name, **more | elsewhere)

        monkeypatch.setattr(boto3.session.Session, "client", client)
        yield
    # Now the connection is refused, and boto3 need not wait before it tries again.
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))


@pytest.mark.usefixtures("far_away")
def test_the_plan_names_the_region_and_goes_on(realm: Any, ending: Ending) -> None:
    result = realm(check=True, plan_timeout=60)
    assert ending.deadlines == [60]
    assert [(key["code"], key["actions"]) for key in result["keys"]] == [("", ["EnableKey"]), ("not_reached", [])]
    assert f"AWS was not reached for DescribeKey in {OTHER_REGION}: not reachable yet" in result["msg"]
    (call,) = result["keys"][1]["calls"]
    assert (call["operation"], call["error"]) == ("DescribeKey", "NoAnswer")


@pytest.mark.usefixtures("far_away")
def test_the_change_is_made_in_the_other_region_and_the_module_ends(realm: Any, ending: Ending) -> None:
    result = realm(wait_timeout=60)
    assert ending.deadlines == [60]
    assert [(key["key_state"], key["code"]) for key in result["keys"]] == [("Enabled", ""), (None, "not_reached")]
    assert "no answer within 60 s" in result["msg"]
    assert result["changed"] is True


def test_a_change_that_is_not_answered_is_told_with_what_was_done(realm: Any, aws: AwsStandin, ending: Ending) -> None:
    ending.hanging = 2
    hang(aws, operation="EnableKey")
    _good, bad = realm(wait_timeout=60)["keys"]
    assert (bad["code"], bad["actions"], bad["key_state"]) == ("not_reached", [], "Disabled")
    assert "AWS was not reached for EnableKey" in bad["error"]
    assert [(call["operation"], call["error"]) for call in bad["calls"]] == [
        ("DescribeKey", ""),
        ("EnableKey", "NoAnswer"),
    ]


def test_reads_that_are_not_answered_after_the_change(realm: Any, aws: AwsStandin, ending: Ending) -> None:
    ending.hanging = 4
    hang(aws, operation="DescribeKey", skip=2)
    _good, bad = realm(wait_timeout=60)["keys"]
    assert (bad["code"], bad["actions"], bad["key_state"]) == ("not_settled", ["EnableKey"], "Enabled")
    assert "last seen: Enabled" in bad["error"]


@pytest.mark.usefixtures("ending")
def test_a_listing_that_hangs_does_not_hold_up_the_other_region(
    aws: AwsStandin, capsys: pytest.CaptureFixture[str]
) -> None:
    for region in (REGION, OTHER_REGION):
        aws.control("POST", "keys", {"region": region, "alias": "alias/cryptor", "state": "Disabled"})
    hang(aws, operation="ListAliases")
    keys = [{"region": region, "alias_prefix": "alias/cryptor"} for region in (REGION, OTHER_REGION)]
    good, bad = run(kms_key_state, aws, capsys, keys=keys, wait_timeout=60, wait_delay=0.05)["keys"]
    assert (good["key_state"], bad["code"], bad["reference"]) == ("Enabled", "not_reached", "alias/cryptor*")
    assert "AWS was not reached for ListAliases" in bad["error"]


class TestAssumeRole:
    @pytest.fixture(autouse=True)
    def _role(self, aws: AwsStandin) -> None:
        aws.control("POST", "roles", {"arn": ROLE})

    @staticmethod
    def asked(aws: AwsStandin) -> list[str]:
        return [call["region"] for call in aws.control("GET", "calls") if call["operation"] == "AssumeRole"]

    def test_once_where_sts_answers(self, realm: Any, aws: AwsStandin, monkeypatch: pytest.MonkeyPatch) -> None:
        # On a busy machine, an answer may take longer than the patience.
        monkeypatch.setattr(_connection, "_STS_PATIENCE", 60)
        assert realm(assume_role_arn=ROLE)["changed"] is True
        assert self.asked(aws) == [REGION]

    @pytest.mark.parametrize("fault", [{"hang": True}, {"error": "ServiceUnavailable", "count": 99}, {"reset": True}])
    def test_the_next_region_where_it_does_not(self, realm: Any, aws: AwsStandin, fault: dict[str, Any]) -> None:
        aws.control("POST", "faults", {"service": "sts", "region": REGION, "count": None, **fault})
        began = time.monotonic()
        result = realm(check=True, plan_timeout=10, assume_role_arn=ROLE)
        assert time.monotonic() - began < 10 + SLACK
        assert [key["actions"] for key in result["keys"]] == [["EnableKey"]] * 2
        # A retry of the first may come after the second.
        asked = self.asked(aws)
        assert (asked[0], OTHER_REGION in asked) == (REGION, True)

    def test_a_refusal_is_an_answer(self, realm: Any, aws: AwsStandin) -> None:
        aws.control("POST", "faults", {"service": "sts", "region": REGION, "error": "AccessDenied", "count": None})
        result = realm(assume_role_arn=ROLE)
        assert (result["refusal"]["code"], "keys" in result) == ("access_denied", False)
        assert self.asked(aws) == [REGION]

    def test_no_region_answers(self, realm: Any, aws: AwsStandin) -> None:
        aws.control("POST", "faults", {"service": "sts", "hang": True, "count": None})
        began = time.monotonic()
        result = realm(check=True, plan_timeout=3, assume_role_arn=ROLE)
        assert time.monotonic() - began < 3 + SLACK
        # So the change is tried all the same.
        assert [key["code"] for key in result["keys"]] == ["not_reached"] * 2
        assert "AWS was not reached for AssumeRole" in result["msg"]


@pytest.mark.usefixtures("_less_than_ten_seconds")
@pytest.mark.parametrize(
    ("module", "args", "said"),
    [
        (kms_key_state, {"key_id": ALIAS, "wait_timeout": 1}, "AWS was not reached for DescribeKey"),
        (byok_trust_statement, {"wait_timeout": 1}, "AWS was not reached for GetRole in IAM"),
        (byok_trust_statement, {"check": True, "plan_timeout": 1}, "AWS was not reached for GetRole in IAM"),
    ],
)
def test_other_modules_end_too(
    aws: AwsStandin, capsys: pytest.CaptureFixture[str], module: ModuleType, args: dict[str, Any], said: str
) -> None:
    hang(aws, service="*", region="*")
    began = time.monotonic()
    assert said in run(module, aws, capsys, **args)["msg"]
    assert time.monotonic() - began < LEAST + SLACK


def test_use_of_a_key_whose_region_hangs(aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> None:
    hang(aws, service="cloudtrail")
    keys = [{"key_arn": arn(region), "since": "2026-11-24T03:00:00Z"} for region in (REGION, OTHER_REGION)]
    good, bad = run(kms_key_use_info, aws, capsys, keys=keys, timeout=4)["keys"]
    assert (good["looked_up"], good["code"], bad["looked_up"], bad["code"]) == (True, "", False, "not_reached")
    assert "no answer within 4 s" in bad["reason"]


def test_a_process_of_its_own_ends_as_well(aws: AwsStandin) -> None:
    """A thread that hangs in a socket must not be joined when Python ends."""
    hang(aws, region="*")
    arguments = {
        "region": REGION,
        "keys": BOTH,
        "plan_timeout": 1,
        "endpoint_url": aws.url,
        "_ansible_check_mode": True,
    }
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, kms_key_state.__file__],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert time.monotonic() - began < 50
    assert json.loads(ended.stdout)["keys"][0]["code"] == "not_reached", ended.stderr


def test_no_call_is_begun_after_the_end(realm: Any, aws: AwsStandin, ending: Ending) -> None:
    """A plan that AWS answers too late must not be followed by a change that nobody hears of."""
    hang(aws, operation="DescribeKey")
    codes = [key["code"] for key in realm(wait_timeout=60)["keys"]]
    assert codes == ["", "not_reached"]
    # The call is tried again, and answered.
    aws.control("DELETE", "faults")
    assert not concurrent.futures.wait(ending.futures, 120).not_done
    calls = [(call["region"], call["operation"]) for call in aws.control("GET", "calls")]
    assert [region for region, operation in calls if operation == "EnableKey"] == [REGION]
    assert [operation for region, operation in calls if region == OTHER_REGION] == ["DescribeKey", "DescribeKey"]
