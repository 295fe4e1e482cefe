"""Histories of the model (tests/unit/model), replayed with the playbook: the same promises hold at the end."""

from __future__ import annotations

import datetime as dt
import json
import typing as t

from tests.playbooks.conftest import REGIONS, Run, World
from tests.playbooks.test_announcement import by_hand, comment, other_folder

ORG: t.Final = ("-e", "org=acme")
_LATE: t.Final = 900


def restore(world: World, *arguments: str, folder: str = "one") -> Run:
    return world.run(*ORG, *arguments, env=other_folder(world, folder))


def journal(world: World, folder: str = "one") -> dict[str, t.Any]:
    text = (world.folder / folder / "acme/restoration.json").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", json.loads(text))


def test_a_region_that_did_not_answer_the_plan_begins_no_restoration(world: World) -> None:
    """A slow region of a healthy organization: nothing is announced, now or later."""
    world.keys("Enabled", "Enabled")
    world.aws.control("POST", "faults", {"operation": "DescribeKey", "region": "us-east-1", "latency": 8, "count": 2})
    ran = restore(world)
    assert (ran.code, ran.result["status"], world.told()) == (0, "nothing_to_restore", []), ran.output
    assert restore(world).result["status"] == "nothing_to_restore"


def test_a_loss_restored_announced_and_then_a_slow_region(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert restore(world).code == 0
    world.aws.control("POST", "faults", {"operation": "DescribeKey", "region": "us-east-1", "latency": 8, "count": 2})
    ran = restore(world)
    assert (ran.code, ran.result["status"], len(world.told())) == (0, "already_restored", 1), ran.output


def test_a_second_loss_with_a_lost_folder_and_a_late_trail(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert restore(world, folder="one").code == 0
    world.aws.control("POST", "config", {"trail_delay": _LATE})
    by_hand(world, "disable_key", REGIONS[:1])
    ran = restore(world, folder="two")
    assert (ran.code, ran.result["status"], world.states()) == (0, "restored", ["Enabled", "Enabled"]), ran.output
    assert len(set(world.told())) == 2


def test_a_second_loss_whose_comment_failed_is_not_dated_by_the_first(world: World) -> None:
    """CloudTrail shows only the first loss, which is over: the next run still tells no date."""
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert restore(world).code == 0
    world.aws.control("POST", "config", {"trail_delay": _LATE})
    by_hand(world, "disable_key")
    world.desk.control("POST", "/faults", {"method": "POST", "status": 403, "count": 1})
    assert restore(world).code != 0
    assert restore(world).code == 0
    last = world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]
    assert len(world.told()) == 2
    assert "Access was lost" not in last, last


def test_what_was_relied_on_once_is_not_relied_on_when_more_is_known(world: World) -> None:
    """A run without CloudTrail relies on our comment; the next one can read it, and finds that it is of an earlier loss."""
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert restore(world, folder="one").code == 0
    by_hand(world, "disable_key")
    by_hand(world, "enable_key")
    world.aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "kms:EnableKey"]})
    relied = restore(world, folder="two")
    assert (relied.result["status"], "This relies on comment" in relied.output) == ("already_restored", True)
    world.aws.control("DELETE", "policy")
    ran = restore(world, folder="two")
    assert (ran.code, ran.result["status"], len(world.told())) == (0, "restored", 2), ran.output


def test_a_damaged_journal_a_forged_comment_and_a_stale_note(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert restore(world).code == 0
    # A minute before: two seconds count as the same time.
    begun = dt.datetime.fromisoformat(journal(world)["started_at"])
    noted = (begun - dt.timedelta(minutes=1)).isoformat()
    by_hand(world, "disable_key")
    by_hand(world, "enable_key")
    comment(world, "Reference: cmk-restore/acme/000000000000")
    (world.folder / "one/acme/restoration.json").write_text('{"reference": ', encoding="utf-8")
    ran = restore(world, "-e", f"cmk_ticket_told={noted}")
    assert ran.result["ticket"]["already_told"] is False, ran.output
    assert len(world.told()) == 3


def test_a_lost_answer_and_another_controller(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    world.desk.control("POST", "/faults", {"method": "POST", "drop": "after", "count": 1})
    assert restore(world, folder="one").code == 0
    ran = restore(world, folder="two")
    assert (ran.code, ran.result["status"], len(world.told())) == (0, "already_restored", 1), ran.output
