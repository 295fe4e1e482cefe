"""A run ends well only if Atlassian was notified of this restoration, and announces nothing untrue."""

from __future__ import annotations

import re
import typing as t

import boto3
import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, World, under_way, wait_for

ORG: t.Final = ("-e", "org=acme")


def by_hand(world: World, operation: str, regions: t.Iterable[str] = REGIONS) -> None:
    """Disable or enable the keys in the console."""
    for region in regions:
        kms = boto3.client("kms", region, endpoint_url=world.aws.url, aws_access_key_id="x", aws_secret_access_key="y")
        key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
        getattr(kms, operation)(KeyId=key)


def other_folder(world: World, name: str) -> dict[str, str]:
    """A controller that remembers nothing: a new container for each run."""
    return {"CMK_REPORT_DIR": str(world.folder / name)}


def comment(world: World, body: str) -> None:
    """Somebody comments on the ticket."""
    world.desk.control("PATCH", "/tickets/CMK-1", {"reply": {"body": body, "author": "Support"}})


def test_the_keys_come_first(world: World) -> None:
    world.keys("Disabled", "Disabled")
    ran = world.run(*ORG)
    assert ran.code == 0, ran.output
    calls = world.calls()
    before = calls[: len(calls) - calls[::-1].index("EnableKey")]
    assert set(before) == {"DescribeKey", "EnableKey"}
    assert "LookupEvents" in calls


def test_a_lost_journal_and_a_late_cloudtrail_silence_nothing(world: World) -> None:
    """The reference of the first restoration is on the ticket, and is all that CloudTrail leads to."""
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert world.run(*ORG, env=other_folder(world, "1")).code == 0
    world.aws.control("POST", "config", {"trail_delay": 900})
    by_hand(world, "disable_key")
    ran = world.run(*ORG, env=other_folder(world, "2"))
    assert (ran.code, ran.result["status"]) == (0, "restored"), ran.output
    assert len(world.told()) == 2
    assert ran.result["window"]["known"] is False


def test_another_controller_finds_the_announcement_of_the_first(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    assert world.run(*ORG, env=other_folder(world, "1")).code == 0
    ran = world.run(*ORG, env=other_folder(world, "2"))
    assert (ran.code, ran.result["status"], ran.changed) == (0, "already_restored", 0), ran.output
    assert len(world.told()) == 1


def test_a_forged_reference_silences_nothing(world: World) -> None:
    world.keys("Enabled", "Enabled")
    by_hand(world, "disable_key")
    by_hand(world, "enable_key")
    comment(world, "Reference: cmk-restore/acme/000000000000")
    ran = world.run(*ORG)
    assert (ran.code, ran.result["status"]) == (0, "restored"), ran.output
    assert len(world.told()) == 2


def test_check_mode_gives_no_reference_away(world: World) -> None:
    world.keys("Disabled", "Disabled")
    ran = world.run(*ORG, "--check")
    assert ran.code == 0, ran.output
    assert "Please start the restoration" in ran.output
    assert not re.search(r"cmk-restore/acme/[0-9a-f]{12}", ran.output)


def test_nothing_was_lost_and_nothing_is_announced(world: World) -> None:
    world.keys("Enabled", "Enabled")
    ran = world.run(*ORG)
    assert (ran.code, ran.result["status"], ran.changed) == (0, "nothing_to_restore", 0), ran.output
    assert "No key was disabled in the last 90 days" in ran.output
    assert "cmk_revoked_at" in ran.output
    assert world.told() == []
    again = world.run(*ORG, "-e", "cmk_revoked_at=2026-11-20T03:00:00Z")
    assert (again.code, again.result["status"]) == (0, "restored"), again.output
    assert len(world.told()) == 1


def test_where_cloudtrail_cannot_be_read_atlassian_is_notified(world: World) -> None:
    world.keys("Enabled", "Enabled")
    world.aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "kms:EnableKey"]})
    ran = world.run(*ORG)
    assert (ran.code, ran.result["status"]) == (0, "restored"), ran.output
    assert len(world.told()) == 1


def test_records_are_no_changes(world: World) -> None:
    world.keys("Disabled", "Disabled")
    assert world.run(*ORG).code == 0
    ran = world.run(*ORG, env=other_folder(world, "new"))
    assert (ran.code, ran.changed) == (0, 0), ran.output


@pytest.mark.parametrize("note", ["no", "2099-01-01T00:00:00Z"])
def test_what_is_no_notice_is_refused_before_any_call(world: World, note: str) -> None:
    world.keys("Disabled", "Disabled")
    ran = world.run(*ORG, "-e", f"cmk_ticket_told={note}")
    assert ran.code != 0
    assert "in ISO 8601" in ran.result["error"]
    assert "URL of the comment" in ran.result["error"]
    assert world.calls() == []


def test_a_person_notifies(world: World) -> None:
    world.keys("Disabled", "Disabled")
    first = world.run(*ORG, "-e", "cmk_support_mode=manual")
    assert (first.code, first.result["status"], first.result["ticket"]["told"]) == (0, "handover_pending", False)
    early = world.run(*ORG, "-e", "cmk_support_mode=manual", "-e", "cmk_ticket_told=2026-01-01T00:00:00Z")
    assert early.code != 0
    assert early.result["ticket"]["told"] is False
    assert "usable only since" in early.output
    url = "https://support.example.com/browse/CMK-1?focusedCommentId=7"
    told = world.run(*ORG, "-e", "cmk_support_mode=manual", "-e", f"cmk_ticket_told={url}")
    assert (told.code, told.result["status"], told.result["ticket"]["url"]) == (0, "restored", url), told.output
    by_hand(world, "disable_key")
    stale = world.run(*ORG, "-e", "cmk_support_mode=manual", "-e", f"cmk_ticket_told={url}")
    assert (stale.code, stale.result["status"]) == (0, "handover_pending"), stale.output
    again = world.run(*ORG, "-e", "cmk_support_mode=manual", "-e", f"cmk_ticket_told={url}")
    assert again.code != 0
    assert "ended an earlier restoration" in again.output


def test_an_unwritable_report_folder_stops_nothing(world: World) -> None:
    world.keys("Disabled", "Disabled")
    (world.folder / "file").write_text("no folder", encoding="utf-8")
    ran = world.run(*ORG, env={"CMK_REPORT_DIR": str(world.folder / "file")})
    assert (ran.code, ran.result["status"]) == (0, "restored"), ran.output
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.told()) == 1
    assert "cannot be remembered" in ran.output


def test_what_was_shown_is_what_is_enabled(world: World) -> None:
    """The alias moves to another key while the other region answers slowly."""
    world.keys("Disabled", "Disabled")
    world.aws.control("POST", "keys", {"region": "us-east-1", "alias": "alias/other", "state": "Disabled"})
    world.aws.control("POST", "faults", {"operation": "DescribeKey", "region": "us-west-2", "latency": 3})
    with under_way(*world.command(*ORG)) as process:
        wait_for(lambda: world.calls("DescribeKey").count("us-east-1") == 1, process)
        kms = boto3.client(
            "kms", "us-east-1", endpoint_url=world.aws.url, aws_access_key_id="x", aws_secret_access_key="y"
        )
        other = kms.describe_key(KeyId="alias/other")["KeyMetadata"]["KeyId"]
        kms.update_alias(AliasName=ALIAS, TargetKeyId=other)
        output = process.communicate(timeout=300)[0]
    assert process.returncode != 0
    assert "now stands for" in output or "resolves to" in output, output
    states = {key["KeyId"]: key["KeyState"] for key in world.aws.control("GET", "keys")}
    assert states[other] == "Disabled"
    assert world.told() == []
