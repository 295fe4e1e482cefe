"""Runs that are killed, and two operators at the same moment: the keys are restored, and Atlassian is notified once."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
import typing as t

import pytest

from tests.playbooks.conftest import Run, World, end, under_way, wait_for

ORG = ("-e", "org=acme")


def _aws(operation: str, count: int) -> t.Callable[[World], bool]:
    return lambda world: len(world.calls(operation)) >= count


def _desk(method: str, fragment: str) -> t.Callable[[World], bool]:
    def seen(world: World) -> bool:
        calls = world.desk.control("GET", "/calls")
        return any(call["method"] == method and fragment in call["path"] for call in calls)

    return seen


_SLOW_POST = {"method": "POST", "latency": 3, "after": True}
# The moment, and what makes it last long enough to be hit.
MOMENTS: t.Final[dict[str, tuple[t.Callable[[World], bool], dict[str, t.Any], dict[str, t.Any]]]] = {
    "while planning": (_aws("DescribeKey", 1), {"operation": "DescribeKey", "latency": 1, "count": 2}, {}),
    "before the first key changes": (
        _aws("DescribeKey", 3),
        {"operation": "DescribeKey", "latency": 1, "skip": 2, "count": 2},
        {},
    ),
    "while the keys change": (_aws("EnableKey", 1), {"operation": "EnableKey", "latency": 1, "count": 2}, {}),
    "while waiting for AWS": (_aws("DescribeKey", 6), {"operation": "DescribeKey", "latency": 1, "skip": 5}, {}),
    "while reading the ticket": (_desk("GET", "/CMK-1"), {}, {"method": "GET", "latency": 1}),
    "once the comment is stored, before the answer": (_desk("POST", "/comment"), {}, _SLOW_POST),
}


def _start(world: World) -> t.ContextManager[subprocess.Popen[str]]:
    return under_way(*world.command(*ORG))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_interrupted_is_completed_by_the_next(world: World, moment: str, how: signal.Signals) -> None:
    seen, aws_fault, desk_fault = MOMENTS[moment]
    world.keys("Disabled", "Disabled")
    if aws_fault:
        world.aws.control("POST", "faults", aws_fault)
    if desk_fault:
        world.desk.control("POST", "/faults", desk_fault)
    with _start(world) as process:
        wait_for(lambda: seen(world), process)
        assert process.poll() is None, "the run ended before it could be interrupted"
        # Ctrl-C reaches the whole group; a kill takes ansible-playbook and what it started, as a lost container does.
        end(process, how)
        output = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "Traceback" not in output
    world.aws.control("DELETE", "faults")
    world.desk.control("DELETE", "/faults")
    again = world.run(*ORG)
    assert again.code == 0, again.output
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.told()) == 1
    comment = world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]
    assert comment.count("(was Disabled, is Enabled)") == 2
    if how == signal.SIGKILL:
        # Nothing is left to do, also after the end that left the most behind.
        third = world.run(*ORG)
        assert (third.code, third.changed) == (0, 0)
        assert len(world.told()) == 1


def test_two_operators_at_the_same_moment(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.aws.control("POST", "config", {"latency": 0.3})
    with _start(world) as one, _start(world) as two:
        outputs = [process.communicate(timeout=120)[0] for process in (one, two)]
    world.aws.control("POST", "config", {"latency": 0})
    runs = sorted(
        (Run(process.returncode, output) for process, output in zip((one, two), outputs, strict=True)),
        key=lambda run: run.code,
    )
    assert runs[0].code == 0, outputs
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.told()) == 1
    # The other one leaves the comment to it and says so, or came after it and found nothing to do.
    assert runs[1].code == 0 or "comments on the ticket, so this run does not" in runs[1].output, runs[1].output


def test_a_lock_of_another_run_keeps_no_key_disabled(world: World) -> None:
    """Of another container with the same name nobody can tell whether it still runs."""
    world.keys("Disabled", "Disabled")
    world.folder.joinpath("reports/acme").mkdir(parents=True, mode=0o700)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    texts = {"start_time": "1", "machine": "another", "host": "h", "inventory_host": "acme"}
    lock = world.folder / "reports/acme/lock.json"
    lock.write_text(json.dumps({"pid": 7, **texts, "since": now, "refreshed_at": now}), encoding="utf-8")
    first = world.run(*ORG)
    assert world.states() == ["Enabled", "Enabled"]
    assert (first.code != 0, first.result["ticket"]["told"], world.told()) == (True, False, [])
    assert "-e cmk_break_lock=true" in first.output
    second = world.run(*ORG, "-e", "cmk_break_lock=true")
    assert (second.code, second.result["status"]) == (0, "restored"), second.output
    assert len(world.told()) == 1


def test_two_controllers_one_after_the_other_notify_once(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.lose()
    first = world.run(*ORG)
    assert first.code == 0, first.output
    other = world.run(*ORG, env={"CMK_REPORT_DIR": str(world.folder / "elsewhere")})
    assert other.result["status"] == "already_restored", other.output
    assert len(world.told()) == 1
