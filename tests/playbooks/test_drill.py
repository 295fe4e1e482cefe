"""drill_cmk.yml: revoke, assess, restore and verify in one run, only for an organization that exists for drills."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
import shutil
import stat
import typing as t
from pathlib import Path

import jsonschema
import pytest

from tests.playbooks.conftest import REGIONS, Run, World, run_to_end
from tests.playbooks.test_how_it_is_run import ELSEWHERE
from tests.playbooks.test_nobody_is_lost import write_inventory
from tests.tools.results_doc import SCHEMA
from tests.tools.standins import ROOT

ORG: t.Final = ("-e", "org=acme")
CONFIRMED: t.Final = (*ORG, "-e", "confirm=acme")
MARKED: t.Final = {"cmk_drill": True}
BY_HAND: t.Final = {"CMK_SUPPORT_URL": ""}


def drill(world: World, *arguments: str, **more: t.Any) -> Run:
    """A drill of acme, which the inventory marks."""
    return world.run(*(arguments or CONFIRMED), playbook="drill_cmk.yml", **{"variables": MARKED, **more})


def result(ran: Run) -> dict[str, t.Any]:
    """The cmk_result of the drill, beside those of its parts."""
    found = re.search(r"\tRUN: (\{.*\})", ran.output)
    assert found, ran.output
    drilled = json.loads(found[1])["cmk_drill_result"]["acme"]
    jsonschema.validate(drilled, SCHEMA)
    return t.cast("dict[str, t.Any]", drilled)


def screen(ran: Run) -> str:
    """The last words of the drill."""
    found = re.findall(r"(?ms)^acme: (?:DRILL|NO DRILL|THIS IS A PLAN).*?(?=^$)", ran.output)
    assert found, ran.output
    return str(found[-1])


def history(world: World) -> list[dict[str, str]]:
    """The drills that are recorded."""
    path = world.folder / "reports/acme/drills.json"
    return t.cast("list[dict[str, str]]", json.loads(path.read_text(encoding="utf-8"))["drills"])


def test_two_drills_and_the_proof_of_use(world: World) -> None:
    world.keys("Enabled", "Enabled")
    first = drill(world)
    found = result(first)
    assert (first.code, found["status"]) == (0, "restored"), first.output
    assert found["drill"]["parts"] == {
        "assess": "planned", "revoke": "revoked", "restore": "restored", "verify": "waiting",
    }  # fmt: skip
    assert found["drill"]["seconds_to_notification"] >= found["drill"]["seconds_to_keys"] >= 0
    assert found["drill"]["seconds_to_use"] is None
    # Two keys were disabled in one task, enabled in another, and a comment was posted.
    assert first.changed == 3
    assert "  notified   after " in screen(first)
    assert "  use        not proven yet\n  history    1 drill in 12 months, keys back in " in screen(first)
    assert "restore    Keys restored, and Atlassian has been notified" in screen(first)

    # The limit ends the wait for a proof, and not the drill.
    second = drill(world, *CONFIRMED, "-e", "follow=true", "-e", "cmk_verify_limit=1s")
    assert result(second)["verification"]["timed_out"] is True
    assert (second.code, result(second)["status"]) == (0, "restored"), second.output
    assert "  history    2 drills in 12 months, keys back in " in screen(second)
    # Each drill is a loss of its own, also on the same ticket.
    assert len(set(world.told())) == 2
    comments = world.desk.control("GET", "/tickets/CMK-1")["comments"]
    assert all(comment["body"].startswith("This is a drill: ") for comment in comments)
    assert sorted(world.calls("DisableKey")) == sorted(2 * REGIONS)
    # Each drill has proven its permission before it revoked.
    assert sorted(world.calls("EnableKey")) == sorted(4 * REGIONS)
    assert world.states() == ["Enabled", "Enabled"]

    # Atlassian uses the keys, and a later verification completes the second drill alone.
    for region in REGIONS:
        use = {
            "region": region,
            "name": "Decrypt",
            "key": world.variables["cmk_key"],
            "time": (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)).isoformat(timespec="seconds"),
            "user_arn": "arn:aws:sts::444455556666:assumed-role/vendor/service",
            "encryption_context": {"tenant": "AcmeCMK"},
        }
        world.aws.control("POST", "events", use)
    verified = world.run(*ORG, playbook="verify_cmk.yml", variables={**MARKED, "cmk_context_tag": "AcmeCMK"})
    assert verified.result["status"] == "restored", verified.output
    older, newer = history(world)
    assert (older["used_at"], bool(newer["used_at"])) == ("", True)
    page = (world.folder / "reports/acme/drills.html").read_text(encoding="utf-8")
    assert page.count('class="taken"') == 2
    assert page.count("not proven") == 1
    for name in ("drills.json", "drills.html"):
        assert stat.S_IMODE((world.folder / "reports/acme" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("arguments", "variables", "seen"),
    [
        ((*CONFIRMED, "-e", "cmk_drill=true"), {}, "acme is not marked as an organization for drills"),
        (("--check", *ORG, "-e", "confirm=Acme"), MARKED, "The confirmation is 'Acme', which is not the name of acme"),
        (ORG, {**MARKED, "cmk_confirm": "acme"}, "the keys of acme was not confirmed"),
        # What would stop the restore stops the drill.
        (CONFIRMED, {**MARKED, "cmk_ticket": ""}, "cmk_ticket"),
    ],
    ids=["not marked", "other name", "kept confirmation", "no ticket"],
)
def test_refused_before_any_call(
    world: World, arguments: tuple[str, ...], variables: dict[str, t.Any], seen: str
) -> None:
    world.keys("Enabled", "Enabled")
    before = world.calls()
    ran = drill(world, *arguments, variables=variables)
    assert (ran.code, result(ran)["status"]) == (2, "failed"), ran.output
    assert seen in result(ran)["error"]
    assert screen(ran).startswith("acme: NO DRILL, NOTHING WAS REVOKED\n  stopped ")
    assert result(ran)["drill"]["parts"] == {}
    assert world.calls() == before
    assert world.desk.control("GET", "/calls") == []
    assert not (world.folder / "reports").exists()


def test_one_organization_at_a_time(world: World) -> None:
    world.keys("Enabled", "Enabled")
    before = world.calls()
    command, cwd, env = world.command("-e", "org=all", "-e", "confirm=acme", playbook="drill_cmk.yml")
    hosts = {name: {**world.variables, **MARKED, "ansible_connection": "local"} for name in ("acme", "globex")}
    Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    ran = run_to_end(command, cwd, env)
    assert ran.code == 2
    assert ran.output.count("This run has 2 organizations, and access is revoked for one at a time") >= 2
    assert world.calls() == before


def test_check_mode_predicts(world: World) -> None:
    """Also where the inventory and the command speak of other connections and tags."""
    world.keys("Enabled", "Enabled")
    inventory = write_inventory(world, {"acme": {**ELSEWHERE, **MARKED}})
    ran = drill(world, "-i", inventory, "--check", "--tags", "anything", *CONFIRMED)
    assert (ran.code, result(ran)["status"]) == (0, "planned"), ran.output
    assert result(ran)["drill"]["parts"] == {"assess": "nothing_to_restore", "revoke": "planned"}
    assert screen(ran).startswith("acme: THIS IS A PLAN: NOTHING WAS CHANGED\n")
    assert ran.output.count("Enabled, to do: DisableKey") == 2
    assert not {"DisableKey", "EnableKey"} & set(world.calls())
    assert not (world.folder / "reports").exists()


def test_keys_that_are_not_restored_are_named_with_the_command_that_restores_them(world: World) -> None:
    world.keys("Enabled", "Enabled")
    denied = {"operation": "EnableKey", "region": "us-west-2", "error": "AccessDeniedException", "count": None}
    # The proof before the revocation is permitted.
    world.aws.control("POST", "faults", {**denied, "skip": 1})
    ran = drill(world)
    assert (ran.code, result(ran)["status"]) == (2, "partial"), ran.output
    assert world.states() == ["Enabled", "Disabled"]
    assert screen(ran).startswith("acme: DRILL FAILED, THE KEYS ARE NOT RESTORED\n")
    assert "has not restored it (us-west-2: Disabled)" in screen(ran)
    assert "  history    1 drill in 12 months; 1 failed\n" in screen(ran)
    found = re.search(r"(?m)^  next .*at once: ansible-playbook keyops\.atlassian_cmk\.(\w+) (.*)\.$", screen(ran))
    assert found, screen(ran)
    world.aws.control("DELETE", "faults")

    # A drill does not take this loss for its own.
    refused = drill(world)
    assert (refused.code, result(refused)["status"]) == (2, "failed"), refused.output
    assert "Access to the keys is lost already (us-west-2: Disabled), so the drill revoked nothing" in screen(refused)
    assert world.states() == ["Enabled", "Disabled"]

    repaired = world.run(*shlex.split(found[2]), playbook=f"{found[1]}.yml", variables=MARKED)
    assert (repaired.code, repaired.result["status"]) == (0, "restored"), repaired.output
    (recorded,) = history(world)
    assert recorded["restored_at"]
    assert recorded["told_at"]
    assert len(world.told()) == 1


def test_by_hand_the_notification_completes_the_drill_later(world: World) -> None:
    world.keys("Enabled", "Enabled")
    ran = drill(world, env=BY_HAND)
    found = result(ran)
    assert (ran.code, found["status"]) == (0, "handover_pending"), ran.output
    assert found["drill"]["parts"]["verify"] == "needs_attention"
    assert (found["drill"]["seconds_to_notification"], found["error"]) == (None, "")
    assert screen(ran).startswith("acme: DRILL DONE: KEYS RESTORED, ATLASSIAN NOT NOTIFIED YET\n")
    assert "  notified   not yet\n" in screen(ran)
    assert "; 1 not notified\n" in screen(ran)
    assert "next       paste the text above into the ticket, then run: ansible-playbook keyops" in screen(ran)
    url = "https://support.example.com/CMK-1?comment=1"
    told = world.run(*ORG, "-e", f"cmk_ticket_told={url}", variables=MARKED, env=BY_HAND)
    assert told.result["status"] == "restored", told.output
    (recorded,) = history(world)
    assert recorded["told_at"]
    assert "not notified" not in (world.folder / "reports/acme/drills.html").read_text(encoding="utf-8")


def test_what_could_not_be_restored_is_not_revoked(world: World) -> None:
    world.keys("Enabled", "Enabled")
    ran = drill(world, env={"CMK_SUPPORT_TOKEN": "wrong"})
    assert (ran.code, result(ran)["status"]) == (2, "failed"), ran.output
    assert "The support desk did not accept the credentials" in screen(ran)
    assert result(ran)["drill"]["parts"] == {"assess": "partial"}
    assert "DisableKey" not in world.calls()


def test_what_the_identity_may_not_enable_is_not_revoked(world: World) -> None:
    world.keys("Enabled", "Enabled")
    world.aws.control("POST", "faults", {"operation": "EnableKey", "error": "AccessDeniedException", "count": None})
    ran = drill(world)
    assert (ran.code, result(ran)["status"]) == (2, "failed"), ran.output
    assert "DisableKey" not in world.calls()
    assert world.states() == ["Enabled", "Enabled"]


def test_the_restore_runs_whatever_becomes_of_the_parts_before_it(world: World) -> None:
    """The tasks of an installed copy fail where the checkout's cannot: after the revocation, without its report."""
    installed = world.folder / "collections/ansible_collections/keyops/atlassian_cmk"
    for name in ("meta", "playbooks", "plugins", "roles"):
        shutil.copytree(ROOT / name, installed / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", installed)
    part = installed / "roles/cmk/tasks/drill_part.yml"
    fails = "- name: Break\n  ansible.builtin.fail:\n    msg: Broken.\n  when: __cmk_command == 'revoke'\n\n"
    part.write_text(part.read_text().replace("- name: Drill part | Keep", f"{fails}- name: Drill part | Keep"))
    world.keys("Enabled", "Enabled")
    paths = {"ANSIBLE_COLLECTIONS_PATH": str(installed.parents[2])}
    ran = drill(world, cwd=installed / "playbooks", env=paths)
    assert (ran.code, result(ran)["status"]) == (2, "partial"), ran.output
    assert sorted(world.calls("DisableKey")) == sorted(REGIONS)
    assert world.states() == ["Enabled", "Enabled"]
    assert screen(ran).startswith("acme: DRILL FAILED, BUT THE KEYS ARE RESTORED\n")
    assert "These parts of the drill ended without a result: revoke, verify." in screen(ran)
