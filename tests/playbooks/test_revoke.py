"""revoke_cmk.yml: only when confirmed, in all regions, and never silently in one region alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify
from tests.playbooks.conftest import ALIAS, REGIONS, Run, World, end, run_to_end
from tests.tools.standins import ACCOUNT

ORG: t.Final = ("-e", "org=acme")
CONFIRMED: t.Final = (*ORG, "-e", "confirm=acme")
REVOKE: t.Final = "revoke_cmk.yml"
CHANGING: t.Final = {
    "EnableKey",
    "DisableKey",
    "CancelKeyDeletion",
    "ScheduleKeyDeletion",
    "PutKeyPolicy",
    "RevokeGrant",
}


def _failure(ran: Run) -> str:
    """The one message with which the run ended."""
    found: list[str] = re.findall(r'"msg": "(acme: .*?)"}', ran.output)
    assert len(found) == 1, ran.output
    return found[0]


def _evidence(world: World) -> list[dict[str, t.Any]]:
    return [json.loads(path.read_text()) for path in sorted(world.folder.glob("reports/acme/*-revoke/revoke.json"))]


def test_from_the_plan_to_the_revocation(world: World) -> None:
    world.keys("Enabled", "Enabled")
    refused = world.run(*ORG, playbook=REVOKE)
    assert refused.code == 2
    assert _failure(refused) == "acme: not revoked. See the summary below."
    assert refused.result["error"] == (
        "Revoking Atlassian's access to the keys of acme was not confirmed, so nothing was disabled. If it is intended, run "
        "again with the organization's name: -e confirm='acme'."
    )
    assert refused.output.count("Enabled, to do: DisableKey") == 2
    for warned in ("re-encryption", "(10 days)", "(20 days)", "suspends the sites"):
        assert warned in refused.output
    assert [(key["state_after"], key["changed"]) for key in refused.result["keys"]] == [("Enabled", False)] * 2

    predicted = world.run(*CONFIRMED, "--check", "--diff", playbook=REVOKE)
    assert (predicted.code, predicted.result["status"]) == (0, "planned"), predicted.output
    assert predicted.output.count('+    "key_state": "Disabled"') == 2
    kept = world.folder / "reports/acme/access.json"
    assert not kept.exists()
    assert not CHANGING & set(world.calls())
    assert world.states() == ["Enabled", "Enabled"]

    # What the inventory says of a ticket is of an earlier revocation; this one must not depend on it.
    desk = {"cmk_ticket": "no key", "cmk_support_mode": "api", "cmk_support_url": "http://desk.invalid"}
    done = world.run(*CONFIRMED, playbook=REVOKE, variables={**desk, "cmk_cancel_deletion": True})
    assert (done.code, done.result["status"]) == (0, "revoked"), done.output
    assert world.states() == ["Disabled", "Disabled"]
    assert set(json.loads(kept.read_text())) == {key["arn"] for key in done.result["keys"]}
    assert done.result["window"]["phase"] == "reinstatable"
    assert "This run commented on no ticket. Atlassian opens one at the revocation" in done.output

    again = world.run(*CONFIRMED, playbook=REVOKE)
    assert (again.code, again.result["status"], again.changed) == (0, "already_revoked", 0), again.output
    assert sorted(world.calls("DisableKey")) == sorted(REGIONS)
    assert world.desk.control("GET", "/calls") == []
    evidence = _evidence(world)
    assert [one["verdict"]["code"] for one in evidence] == ["not_revoked", "revoked", "revoked"]
    assert [[one["kind"] for one in each["timeline"]].count("revoked") for each in evidence] == [0, 2, 2]


@pytest.mark.parametrize(
    ("arguments", "variables", "seen"),
    [
        (
            ("-e", '{"confirm": "acme kg"}'),
            {"cmk_org": "Acme KG"},
            "The confirmation is 'acme kg', which is not the name of Acme",
        ),
        (("-e", "confirm=' acme'"), {}, "The confirmation is ' acme', which is not the name of acme exactly"),
        (("-e", '{"confirm": ["acme"]}'), {}, "The confirmation is ['acme'], which is not"),
        # It is to be typed, not kept.
        ((), {"cmk_confirm": "acme"}, "was not confirmed"),
    ],
    ids=["case", "space", "list", "inventory"],
)
def test_not_confirmed(world: World, arguments: tuple[str, ...], variables: dict[str, t.Any], seen: str) -> None:
    world.keys("Enabled", "Enabled")
    ran = world.run(*ORG, "--check", *arguments, playbook=REVOKE, variables=variables)
    assert (ran.code, ran.result["status"]) == (2, "failed")
    assert seen in ran.result["error"]
    assert not CHANGING & set(world.calls())


def test_one_organization_at_a_time(world: World) -> None:
    world.keys("Enabled", "Enabled")
    command, cwd, env = world.command("-e", "org=all", "-e", "confirm=all", playbook=REVOKE)
    hosts = {name: {**world.variables, "ansible_connection": "local"} for name in ("acme", "globex")}
    Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    ran = run_to_end(command, cwd, env)
    assert ran.code == 2
    output = " ".join(ran.output.split())
    for name in hosts:
        assert f"{name}: not revoked. This run has 2 organizations, and access is revoked for one at a time" in output
        assert f"confirm with its name: -e confirm='{name}'" in output
    assert not CHANGING & set(world.calls())


def test_one_region_fails_and_that_is_shouted(world: World) -> None:
    world.keys("Enabled", "Enabled")
    denied = {"operation": "DisableKey", "region": "us-west-2", "error": "AccessDeniedException", "count": None}
    # As AWS words it for a policy with kms:TrailingDaysWithoutKeyUsage.
    said = "User: alice is not authorized to perform: kms:DisableKey with an explicit deny in a service control policy"
    world.aws.control("POST", "faults", {**denied, "message": said})
    ran = world.run(*CONFIRMED, playbook=REVOKE)
    assert (ran.code, ran.result["status"]) == (2, "partial")
    assert world.states() == ["Disabled", "Enabled"]
    assert (
        "acme: ONLY PARTLY REVOKED\n  us-east-1  Enabled -> Disabled\n  us-west-2  NOT REVOKED. A policy that protects keys in use denies"
        in ran.output
    )
    assert "Ask its administrator (condition kms:TrailingDaysWithoutKeyUsage) to exempt this identity" in ran.output
    assert "ATLASSIAN MAY STILL USE THE KEY IN us-west-2" in ran.output
    assert _failure(ran) == "acme: only partly revoked. See the summary below."
    world.aws.control("DELETE", "faults")
    again = world.run(*CONFIRMED, playbook=REVOKE)
    assert (again.code, again.result["status"]) == (0, "revoked"), again.output
    assert sorted(world.calls("DisableKey")) == ["us-east-1", "us-west-2", "us-west-2"]
    # The clock began with the first key.
    assert again.result["revoked_at"] == ran.result["revoked_at"]


def test_a_key_that_nobody_can_use_is_left_alone(world: World) -> None:
    world.keys("PendingDeletion", "Enabled")
    ran = world.run(*CONFIRMED, playbook=REVOKE, variables={"cmk_cancel_deletion": True})
    assert (ran.code, ran.result["status"]) == (0, "revoked"), ran.output
    assert world.states() == ["PendingDeletion", "Disabled"]
    assert "us-east-1  PendingDeletion, as it was" in ran.output
    assert "CancelKeyDeletion" not in world.calls()
    assert ran.result["window"]["deletion_date"]


@pytest.mark.parametrize(
    ("variables", "status", "states", "seen"),
    [
        (
            {"cmk_keys": {"us-west-2": "alias/nope"}},
            "partial",
            ["Disabled", "Enabled"],
            "There is no key alias/nope in region us-west-2",
        ),
        (
            {"cmk_account_id": "444455556666"},
            "failed",
            ["Enabled", "Enabled"],
            f"belongs to account {ACCOUNT}, but account 444455556666 is expected",
        ),
    ],
    ids=["alias unknown", "wrong account"],
)
def test_wrong_keys(world: World, variables: dict[str, t.Any], status: str, states: list[str], seen: str) -> None:
    world.keys("Enabled", "Enabled")
    ran = world.run(*CONFIRMED, playbook=REVOKE, variables=variables)
    assert (ran.code, ran.result["status"]) == (2, status)
    assert seen in ran.output
    assert world.states() == states


def test_interrupted_between_the_regions_and_run_again(world: World) -> None:
    world.keys("Enabled", "Enabled")
    slow = {"operation": "DisableKey", "region": "us-west-2", "latency": 4, "drop": "before"}
    world.aws.control("POST", "faults", slow)
    command, cwd, env = world.command(*CONFIRMED, playbook=REVOKE)
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        for _turn in range(600):
            if len(world.calls("DisableKey")) == 2 and world.states()[0] == "Disabled":
                break
            time.sleep(0.05)
        end(process, signal.SIGKILL)
    assert world.states() == ["Disabled", "Enabled"]
    world.aws.control("DELETE", "faults")
    again = world.run(*CONFIRMED, playbook=REVOKE)
    assert (again.code, again.result["status"]) == (0, "revoked"), again.output
    assert world.states() == ["Disabled", "Disabled"]


def test_never_beside_a_restore(world: World) -> None:
    """All that change keys hold this lock."""
    world.keys("Enabled", "Disabled")
    lock = world.folder / "reports/acme/lock.json"
    acquire(str(lock), identify("acme", clock(), os.getpid()))
    ran = world.run(*CONFIRMED, playbook=REVOKE)
    assert ran.code == 2
    assert "Another run is in progress for this organization" in ran.output
    assert world.states() == ["Enabled", "Disabled"]
    broken = world.run(*CONFIRMED, "-e", "cmk_break_lock=true", playbook=REVOKE)
    assert (broken.code, broken.result["status"]) == (0, "revoked"), broken.output


def test_a_restoration_after_it_is_announced_again(world: World) -> None:
    """Also where CloudTrail is late, the ticket is the same one, and the keys were enabled in the console."""
    world.aws.control("POST", "config", {"trail_delay": 900})
    world.keys("Enabled", "Enabled")
    assert world.run(*CONFIRMED, playbook=REVOKE).code == 0
    restored = world.run(*ORG)
    assert (restored.code, restored.result["status"]) == (0, "restored"), restored.output
    assert restored.result["window"]["phase"] == "reinstatable"
    assert len(world.told()) == 1
    # Times that differ by two seconds of rounding are the same (_time.ROUNDING).
    time.sleep(3.1)
    assert world.run(*CONFIRMED, playbook=REVOKE).code == 0
    for region in REGIONS:
        world.aws.control("PATCH", f"keys/{region}/{ALIAS}", {"state": "Enabled"})
    by_hand = world.run(*ORG)
    assert (by_hand.code, by_hand.result["status"]) == (0, "restored"), by_hand.output
    assert len(set(world.told())) == 2
    again = world.run(*ORG)
    assert (again.code, again.result["status"], again.changed) == (0, "already_restored", 0), again.output
    assert len(world.told()) == 2
