"""A region of AWS that accepts calls and never answers: it delays no other region, and the run ends."""

from __future__ import annotations

import datetime as dt
import re
import time
import typing as t

from tests.playbooks.conftest import REGIONS, World
from tests.tools.standins import ACCOUNT

EAST, WEST = REGIONS
ROLE: t.Final = f"arn:aws:iam::{ACCOUNT}:role/cmk-operator"
# Ten seconds are promised, beside what a busy machine takes for the tasks. A region whose retries are waited for takes minutes.
AT_MOST: t.Final = 10 + 30


def _hang(world: World, region: str, **more: t.Any) -> None:
    world.aws.control("POST", "faults", {"region": region, "hang": True, "count": None, **more})


def _moments(world: World, operation: str, region: str) -> list[float]:
    calls = world.aws.control("GET", "calls")
    return [
        dt.datetime.fromisoformat(call["time"]).timestamp()
        for call in calls
        if (call["operation"], call["region"]) == (operation, region)
    ]


def _delay(world: World) -> float:
    """Seconds from the run's first call to AWS until EnableKey for the region that answers."""
    calls = world.aws.control("GET", "calls")
    first = dt.datetime.fromisoformat(calls[0]["time"]).timestamp()
    (enabled,) = _moments(world, "EnableKey", EAST)
    return enabled - first


def test_the_other_region_is_enabled_at_once_and_the_run_ends(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _hang(world, WEST)
    began = time.monotonic()
    ran = world.run("-e", "org=acme", "-e", "cmk_wait_timeout=15")
    assert time.monotonic() - began < 15 + 60 + 30
    assert ran.code == 2, ran.output
    assert world.states() == ["Enabled", "Disabled"]
    assert _delay(world) < AT_MOST
    # After the plan has given it up, it is tried again beside the region that answers.
    west = _moments(world, "DescribeKey", WEST)
    assert west[-1] - west[0] > 5
    assert f"acme {EAST}: EnableKey sent, waiting until AWS reports Enabled" in ran.output
    assert re.search(rf"(?m)^acme {WEST}: AWS has not answered for \d+ s, retrying$", ran.output)
    errors = {key["region"]: key["error"] for key in ran.result["keys"]}
    assert errors[EAST] == ""
    assert errors[WEST].startswith(f"AWS was not reached for DescribeKey in {WEST}")
    assert ran.result["status"] == "partial"
    assert world.told() == []


def test_a_region_that_answers_after_the_plan_is_planned_within_the_change(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _hang(world, WEST, count=2)
    ran = world.run("-e", "org=acme")
    assert ran.code == 0, ran.output
    assert _delay(world) < AT_MOST
    assert sorted(world.calls("EnableKey")) == sorted(REGIONS)
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.told()) == 1


def test_in_check_mode_the_region_is_named_and_nothing_is_waited_for(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _hang(world, WEST)
    began = time.monotonic()
    ran = world.run("-e", "org=acme", "--check")
    assert time.monotonic() - began < AT_MOST + 60
    assert ran.code == 2, ran.output
    assert f"AWS was not reached for DescribeKey in {WEST}: not reachable yet" in ran.output
    assert world.calls("EnableKey") == []


def test_a_role_is_assumed_in_the_next_region(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.aws.control("POST", "roles", {"arn": ROLE})
    _hang(world, EAST, service="sts", operation="AssumeRole")
    ran = world.run("-e", "org=acme", variables={"cmk_assume_role_arn": ROLE})
    assert ran.code == 0, ran.output
    assert _delay(world) < AT_MOST
    asked = world.calls("AssumeRole")
    # The plan, the change, and what CloudTrail shows are a process each.
    assert (asked[:2], asked.count(WEST)) == ([EAST, WEST], 3)
    assert world.states() == ["Enabled", "Enabled"]


def test_everything_hangs_and_the_run_ends(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _hang(world, "*", service="*")
    began = time.monotonic()
    ran = world.run("-e", "org=acme", "-e", "cmk_wait_timeout=5")
    assert time.monotonic() - began < 5 + 60 + 30
    assert ran.code == 2, ran.output
    assert ran.result["status"] == "failed"
    assert world.told() == []
