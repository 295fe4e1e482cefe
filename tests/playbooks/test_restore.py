"""restore_cmk.yml as operators start it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.playbooks.conftest import REGIONS, World

CHECK = "cat */SHA256SUMS | sha256sum --check --quiet --strict"
ORG = ("-e", "org=acme")


def test_restores_notifies_and_then_changes_nothing(world: World) -> None:
    world.keys("Disabled", "Disabled")
    first = world.run(*ORG)
    told = world.told()
    second = world.run(*ORG, "-e", "awx_user_name=launcher", "-e", "awx_job_id=71", "-e", "awx_workflow_job_id=69")
    assert (first.code, second.code, second.changed) == (0, 0, 0), first.output + second.output
    assert (first.result["status"], second.result["status"]) == ("restored", "already_restored")
    assert world.states() == ["Enabled", "Enabled"]
    assert sorted(world.calls("EnableKey")) == sorted(REGIONS)
    assert len(told) == 1
    assert world.told() == told
    _assert_chained(world.folder / "reports/acme")


def _assert_chained(folder: Path) -> None:
    """Each report names who ran it and AWS's requests; the second is chained to the first, and links it."""
    runs = sorted(path.parent for path in folder.glob("*/restore.json"))
    first, second = (json.loads((run / "restore.json").read_text(encoding="utf-8")) for run in runs)
    assert all(call["request_id"] for region in first["regions"] for call in region["calls"])
    assert all(first["versions"].values())
    assert first["ran_by"]["user"]
    assert (first["previous"], first["earlier_runs"]) == (None, [])
    ran_by = second["ran_by"]
    assert (ran_by["user"], ran_by["job"], ran_by["workflow_job"]) == ("launcher", "71", "69")
    assert second["previous"]["run"] == runs[0].name
    assert [earlier["run"] for earlier in second["earlier_runs"]] == [runs[0].name]
    (link,) = re.findall(r'href="(\.\./[^"]+)"', (runs[1] / "restore.html").read_text(encoding="utf-8"))
    assert (runs[1] / link).resolve() == runs[0] / "restore.html"
    checked = subprocess.run(CHECK, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_modules_of_their_own_do_the_same(world: World) -> None:
    """Where the interpreter is not Ansible's own, the modules run in processes: the same calls, and the same end."""
    done = []
    for interpreter in (sys.executable, str(Path(sys.executable).with_name("python3"))):
        world.aws.control("POST", "reset")
        world.desk.control("POST", "/reset")
        world.keys("Disabled", "Disabled")
        folder = {"CMK_REPORT_DIR": str(world.folder / Path(interpreter).name)}
        ran = world.run(*ORG, "-e", f"ansible_python_interpreter={interpreter}", env=folder)
        assert ran.code == 0, ran.output
        keys = [{name: key[name] for name in ("region", "state_after", "actions")} for key in ran.result["keys"]]
        done.append((sorted(world.calls()), ran.result["status"], keys))
    assert done[0] == done[1]


def test_by_fqcn_from_any_folder(world: World, tmp_path: Path) -> None:
    world.keys("Disabled", "Enabled")
    ran = world.run(*ORG, playbook="keyops.atlassian_cmk.restore_cmk", cwd=tmp_path, env={"ANSIBLE_CONFIG": ""})
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]


def test_inside_another_playbook(world: World, tmp_path: Path) -> None:
    world.keys("Disabled", "Disabled")
    outer = tmp_path / "dr.yml"
    outer.write_text(
        """
- name: Restore
  ansible.builtin.import_playbook: keyops.atlassian_cmk.restore_cmk
  vars:
    org: acme
- name: Go on
  hosts: acme
  gather_facts: false
  tasks:
    - name: Read the result
      ansible.builtin.debug:
        msg: "went on with {{ hostvars['acme'].cmk_result.status }}"
""",
        encoding="utf-8",
    )
    ran = world.run(playbook=str(outer))
    assert ran.code == 0, ran.output
    assert "went on with restored" in ran.output


@pytest.mark.parametrize(
    ("arguments", "seen"),
    [
        ([], "No organization is named."),
        (["-e", "org="], "No organization is named."),
        (["-e", "org=nope"], "No organization matches 'nope'."),
        (["-e", "org=nope", "-l", "acme"], "No organization matches 'nope'."),
    ],
)
def test_no_organization(world: World, arguments: list[str], seen: str) -> None:
    ran = world.run(*arguments)
    (message,) = re.findall(r'"msg": "(.*?)"}', ran.output) or [ran.output]
    assert ran.code != 0
    assert message.startswith(seen), ran.output
    assert message.endswith("The inventory has: acme."), message
    assert world.calls() == []


def test_a_pattern(world: World) -> None:
    """test_how_it_is_run.py has the others."""
    world.keys("Enabled", "Disabled")
    ran = world.run("-e", "org=~^ac.*")
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]


def test_check_mode_predicts_a_refusal_and_changes_nothing(world: World) -> None:
    world.keys("Disabled", "PendingDeletion")
    before = sorted(path.name for path in world.folder.iterdir())
    ran = world.run(*ORG, "--check")
    assert ran.code != 0
    assert "is scheduled for deletion on" in ran.output
    assert not {"EnableKey", "CancelKeyDeletion", "DisableKey"} & set(world.calls())
    assert world.told() == []
    assert sorted({path.name for path in world.folder.iterdir()} - {"ansible", "inventory.yml"}) == before


def test_one_region_fails_the_other_is_restored_and_the_ticket_waits(world: World) -> None:
    world.keys("Disabled", "PendingDeletion")
    ran = world.run(*ORG)
    assert ran.code != 0
    assert ran.result["status"] == "partial"
    assert world.states() == ["Enabled", "PendingDeletion"]
    assert world.told() == []
    again = world.run(*ORG, "-e", "cmk_cancel_deletion=true")
    assert again.code == 0, again.output
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.told()) == 1
    comment = world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]
    assert "us-east-1: arn:aws:kms:us-east-1" in comment
    assert comment.count("(was Disabled, is Enabled)") == 1
    assert comment.count("(was PendingDeletion, is Enabled)") == 1


def test_settings_that_cannot_be_used_still_give_a_result(world: World) -> None:
    ran = world.run(*ORG, variables={"cmk_realm": "Mars"})
    assert ran.code != 0
    assert ran.result["status"] == "failed"
    assert "Known are United States, Europe" in ran.result["error"]
    assert world.calls() == []


def test_secrets_stay_out_of_the_output(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/faults", {"method": "POST", "status": 500, "count": 1})
    ran = world.run(*ORG, "-vvvv")
    assert ran.code == 0, ran.output[-3000:]
    kept = "".join(path.read_text(errors="ignore") for path in world.folder.rglob("*") if path.is_file())
    for secret in ("standin-secret-key", "standin-desk-token"):
        assert secret not in ran.output
        assert secret not in kept
