"""The collection in larger playbooks, as an installed collection, under ansible-navigator and ansible-runner."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import World, run_to_end
from tests.playbooks.runner import job
from tests.playbooks.test_secrets import SECRETS
from tests.tools.standins import ROOT

RESTORE: t.Final = "keyops.atlassian_cmk.restore_cmk"
DENIED: t.Final = {"operation": "EnableKey", "error": "AccessDeniedException", "region": "us-west-2"}


class TestInALargerPlaybook:
    def test_continues_when_atlassian_was_notified(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run("-e", "org=acme", playbook="disaster_recovery.yml", cwd=ROOT / "examples")
        assert ran.code == 0, ran.output
        assert "acme: Atlassian has been notified on CMK-1." in ran.output
        assert "acme: the recovery continues; 2 keys are enabled." in ran.output

    def test_stops_when_a_region_fails(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        world.aws.control("POST", "faults", DENIED)
        ran = world.run("-e", "org=acme", playbook="disaster_recovery.yml", cwd=ROOT / "examples")
        assert ran.code == 2
        assert "the recovery begins" in ran.output
        assert "the recovery continues" not in ran.output

    def test_stops_when_the_text_was_only_handed_over(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run(
            "-e", "org=acme", "-e", "cmk_support_mode=manual", playbook="disaster_recovery.yml", cwd=ROOT / "examples"
        )
        assert ran.code == 2
        assert "acme: handover_pending. Notify Atlassian, then run again." in ran.output

    @pytest.mark.parametrize(
        ("fault", "said"), [({}, "the sites come back"), (DENIED, "partial, the recovery goes on")]
    )
    def test_the_role_as_a_step_of_a_play(self, world: World, fault: dict[str, t.Any], said: str) -> None:
        world.keys("Disabled", "Disabled")
        if fault:
            world.aws.control("POST", "faults", fault)
        ran = world.run("-e", "org=acme", playbook="disaster_recovery_role.yml", cwd=ROOT / "examples")
        assert ran.code == 0, ran.output
        assert f"acme: {said}" in ran.output
        assert ("the sites come back" in ran.output) is not bool(fault)


class TestAsAJob:
    HOST: t.Final[dict[str, t.Any]] = {
        "cmk_realm": "United States",
        "cmk_key": "alias/atlassian-cmk",
        "cmk_account_id": "111122223333",
        "cmk_wait_delay": 0.1,
    }
    # As a survey hands them over.
    ANSWERS: t.Final = {"org": "acme", "cmk_ticket": "CMK-1", "cmk_cancel_deletion": "false", "cmk_wait_reads": "3"}

    @pytest.mark.parametrize(("fault", "code", "status"), [({}, 0, "restored"), (DENIED, 2, "partial")])
    def test_publishes_what_happened_and_no_secret(
        self, world: World, tmp_path: Path, fault: dict[str, t.Any], code: int, status: str
    ) -> None:
        world.keys("Disabled", "Disabled")
        if fault:
            world.aws.control("POST", "faults", fault)
        ran = job(world, tmp_path / "job", {"acme": self.HOST}, self.ANSWERS, verbosity=4)
        assert ran.end() == code
        published = ran.stats()["cmk_restore"]["acme"]
        assert published["status"] == status
        assert [key["state_after"] for key in published["keys"]] == ["Enabled", "Disabled" if fault else "Enabled"]
        events = ran.events()
        assert events[-1]["event"] == "playbook_on_stats"
        assert ("runner_on_failed" in {event["event"] for event in events}) is bool(fault)
        assert [len(world.told())] == [0 if fault else 1]
        texts = ran.texts()
        assert {"stdout", "rc", "status"} <= {name.rpartition("/")[2] for name in texts}
        # What AWX itself puts into the environment is not ours to hide.
        texts = {name: text for name, text in texts.items() if not name.endswith("/command")}
        found = [
            f"{what} in {name}" for name, text in texts.items() for what, secret in SECRETS.items() if secret in text
        ]
        assert found == []


def test_under_ansible_navigator(world: World, tmp_path: Path) -> None:
    """For the day on which AWX is down; there is no container engine here."""
    world.keys("Disabled", "Disabled")
    _command, _cwd, env = world.command()
    command = [
        "ansible-navigator",
        "run",
        RESTORE,
        "-i",
        env["ANSIBLE_INVENTORY"],
        "-e",
        "org=acme",
        "--mode",
        "stdout",
    ]
    command += ["--execution-environment", "false", "--playbook-artifact-enable", "false"]
    command += ["--log-file", str(tmp_path / "navigator.log")]
    env |= {"HOME": str(tmp_path), "COLUMNS": "200"}
    ran = run_to_end(command, tmp_path, env)
    assert ran.code == 0, ran.output
    assert "acme: KEYS RESTORED, AND ATLASSIAN HAS BEEN NOTIFIED" in ran.output
    assert len(world.told()) == 1


def test_installed_from_its_tarball(world: World, tmp_path: Path) -> None:
    """Into an empty folder, and run from there by its full name, with no checkout in sight."""
    world.keys("Disabled", "Disabled")
    _command, _cwd, env = world.command()
    env |= {
        "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "there"),
        "HOME": str(tmp_path),
        "ANSIBLE_CONFIG": str(tmp_path / "none"),
    }
    build = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(tmp_path)]
    subprocess.run(build, env=env, check=True, capture_output=True)
    (tarball,) = tmp_path.glob("*.tar.gz")
    install = [
        "ansible-galaxy",
        "collection",
        "install",
        "--force",
        "--offline",
        "--no-deps",
        "-p",
        str(tmp_path / "there"),
    ]
    subprocess.run([*install, str(tarball)], env=env, check=True, capture_output=True)
    ran = run_to_end(["ansible-playbook", RESTORE, "-e", "org=acme", "-v"], tmp_path, env)
    assert ran.code == 0, ran.output
    (report,) = Path(env["CMK_REPORT_DIR"]).glob("acme/*/restore.json")
    assert json.loads(report.read_text(encoding="utf-8"))["collection_version"]
    assert len(world.told()) == 1
    assert (tmp_path / "there/ansible_collections/keyops/atlassian_cmk/MANIFEST.json").is_file()
