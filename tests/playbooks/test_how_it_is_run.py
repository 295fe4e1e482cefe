"""Unusual inventories, tags, installations and arguments: the run works, or reports in one sentence why not."""

from __future__ import annotations

import json
import os
import re
import sys
import typing as t

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World, run_to_end
from tests.playbooks.test_nobody_is_lost import playbook, run_plays, write_inventory
from tests.tools.standins import ROOT

# A machine that does not answer: nothing may be asked of it.
ELSEWHERE: t.Final = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_become": True,
    "ansible_become_method": "sudo",
    "ansible_become_user": "nobody-of-this-name",
    "ansible_python_interpreter": "/nonexistent/python",
    "ansible_shell_type": "powershell",
}
COLLECTION: t.Final = "keyops.atlassian_cmk"


def role(entry_point: str, **keywords: t.Any) -> dict[str, t.Any]:
    include = {"name": "keyops.atlassian_cmk.cmk", "tasks_from": entry_point}
    return {"name": "Include the role", "ansible.builtin.include_role": include, **keywords}


def play(*tasks: dict[str, t.Any], **keywords: t.Any) -> list[dict[str, t.Any]]:
    return [{"hosts": "acme", "gather_facts": False, "tasks": list(tasks), **keywords}]


class TestEverythingRunsOnTheController:
    def test_a_restore(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": {**ELSEWHERE, "cmk_support_mode": ""}})
        ran = world.run("-i", inventory, "-e", "org=acme")
        assert ran.code == 0, ran.output
        assert ran.result["status"] == "restored"

    @pytest.mark.parametrize("name", ["assess_cmk", "verify_cmk", "revoke_cmk"])
    def test_the_other_playbooks_whatever_the_tags(self, world: World, name: str) -> None:
        world.keys("Enabled", "Enabled")
        inventory = write_inventory(world, {"acme": ELSEWHERE})
        arguments = ("-e", "org=acme", "-e", "confirm=acme", "--tags", "anything")
        ran = world.run("-i", inventory, *arguments, playbook=f"{name}.yml")
        assert "UNREACHABLE" not in ran.output
        assert [key["error"] for key in ran.result["keys"]] == ["", ""]
        assert ran.result["error"] == ""

    @pytest.mark.parametrize("entry_point", ["restore", "assess", "verify", "revoke"])
    def test_the_role_in_a_play_of_ones_own(self, world: World, entry_point: str) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": ELSEWHERE})
        ran = run_plays(world, play(role(entry_point), become=True), "-i", inventory, "-e", "cmk_confirm=acme")
        assert "UNREACHABLE" not in ran.output
        assert [key["arn"][:11] for key in ran.result["keys"]] == ["arn:aws:kms"] * 2, ran.output
        assert ran.result["error"] == ""

    def test_the_plays_other_tasks_keep_their_connection(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": ELSEWHERE})
        shows = {"ansible.builtin.debug": {"msg": "by {{ ansible_connection }} as {{ ansible_become }}"}}
        static = {"ansible.builtin.import_role": {"name": "keyops.atlassian_cmk.cmk", "tasks_from": "restore"}}
        ran = run_plays(world, play(static, shows), "-i", inventory)
        assert "by ssh as True" in ran.output


class TestTags:
    @pytest.mark.parametrize("chosen", ["anything", "untagged"])
    def test_tags_that_match_nothing_keep_no_key_disabled(self, world: World, chosen: str) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run("-e", "org=acme", "--tags", chosen)
        assert ran.code == 0, ran.output
        assert ran.result["status"] == "restored"
        assert len(world.told()) == 1

    def test_an_included_role_with_a_tag_does_all_of_its_job(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        ran = run_plays(world, play(role("restore", tags=["keys"])), "--tags", "keys")
        assert ran.code == 0, ran.output
        assert ran.result["status"] == "restored"

    def test_an_included_role_without_the_tag_does_nothing(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        run_plays(world, play(role("restore")), "--tags", "other")
        assert world.states() == ["Disabled", "Disabled"]

    @pytest.mark.parametrize("name", ["restore_cmk", "revoke_cmk"])
    def test_skipping_what_always_runs_is_refused(self, world: World, name: str) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run("-e", "org=acme", "--skip-tags", "always", playbook=f"{name}.yml")
        assert ran.code == 2
        assert "Nothing was done: --skip-tags always" in ran.output


class TestWhatIsNotInstalled:
    def without(self, world: World, *arguments: str, name: str = f"{COLLECTION}.restore_cmk", missing: str) -> Run:
        _command, cwd, env = world.command()
        there = world.folder / "collections/ansible_collections"
        (there / "keyops").mkdir(parents=True)
        (there / "keyops/atlassian_cmk").symlink_to(ROOT)
        env |= {"ANSIBLE_CONFIG": str(world.folder / "none.cfg")}
        if missing == "amazon.aws":
            env |= {"ANSIBLE_COLLECTIONS_PATH": str(there.parent), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
        else:
            # A library that cannot be imported.
            broken = world.folder / "python" / missing
            broken.mkdir(parents=True)
            (broken / "__init__.py").write_text(f"raise ImportError('No module named {missing}')")
            env |= {"PYTHONPATH": f"{broken.parent}:{os.environ.get('PYTHONPATH', '')}"}
        return run_to_end(["ansible-playbook", name, *arguments], cwd, env)

    @pytest.mark.parametrize("name", ["restore_cmk", "assess_cmk", "verify_cmk", "revoke_cmk"])
    def test_amazon_aws(self, world: World, name: str) -> None:
        ran = self.without(world, "-e", "org=acme", name=f"{COLLECTION}.{name}", missing="amazon.aws")
        assert ran.code == 2
        assert "probably a bug" not in ran.output
        assert "Traceback" not in ran.output
        assert "The collection amazon.aws is not installed" in ran.result["error"]
        assert "ansible-galaxy collection install amazon.aws" in ran.result["error"]

    @pytest.mark.parametrize("library", ["boto3", "botocore"])
    def test_aws_s_library(self, world: World, library: str) -> None:
        ran = self.without(world, "-e", "org=acme", missing=library)
        assert ran.code == 2
        assert "Traceback" not in ran.output
        assert f"{library} cannot be imported" in ran.result["error"]
        assert "-m pip install boto3" in ran.result["error"]

    def test_a_module_in_a_play_of_ones_own(self, world: World) -> None:
        path = world.folder / "own.yml"
        task = {"keyops.atlassian_cmk.kms_key_state": {"key_id": ALIAS, "region": REGIONS[0], "state": "enabled"}}
        path.write_text(json.dumps(play(task)), encoding="utf-8")
        ran = self.without(world, name=str(path), missing="amazon.aws")
        assert ran.code == 2
        assert "probably a bug" not in ran.output
        assert "The collection amazon.aws is not installed" in ran.output
        assert "Traceback" not in ran.output


class TestWhatConfirmsIsTyped:
    BOTH: t.Final = {"confirm": "acme", "cmk_confirm": "acme"}

    def test_the_inventory_confirms_nothing(self, world: World) -> None:
        world.keys("Enabled", "Enabled")
        ran = world.run("-e", "org=acme", playbook="revoke_cmk.yml", variables=self.BOTH)
        assert ran.code == 2
        assert world.states() == ["Enabled", "Enabled"]
        assert "was not confirmed" in ran.output

    def test_a_play_confirms_nothing(self, world: World) -> None:
        world.keys("Enabled", "Enabled")
        ran = run_plays(world, [playbook("revoke_cmk", org="acme", **self.BOTH)])
        assert world.states() == ["Enabled", "Enabled"]
        assert "was not confirmed" in ran.output
        run_plays(world, play(role("revoke", vars=self.BOTH)))
        assert world.states() == ["Enabled", "Enabled"]

    @pytest.mark.parametrize("name", ["confirm", "cmk_confirm"])
    def test_an_extra_variable_does(self, world: World, name: str) -> None:
        world.keys("Enabled", "Enabled")
        ran = world.run("-e", "org=acme", "-e", f"{name}=acme", playbook="revoke_cmk.yml")
        assert ran.code == 0, ran.output
        assert world.states() == ["Disabled", "Disabled"]

    def test_a_template_is_not_typed_out(self, world: World) -> None:
        world.keys("Enabled", "Enabled")
        world.run("-e", "org=acme", "-e", "confirm='{{ inventory_hostname }}'", playbook="revoke_cmk.yml")
        assert world.states() == ["Enabled", "Enabled"]

    def test_with_the_role_too(self, world: World) -> None:
        world.keys("Enabled", "Enabled")
        ran = run_plays(world, play(role("revoke")), "-e", "cmk_confirm=acme")
        assert ran.code == 0, ran.output
        assert world.states() == ["Disabled", "Disabled"]


class TestNames:
    # What the playbooks' plays have as hosts.
    CHOSEN: t.Final = "{{ query('keyops.atlassian_cmk.organizations', chosen) }}"

    def test_names_and_patterns(self, world: World) -> None:
        """The plays are all of one playbook, because a playbook for each takes a second."""
        names = ["Acme Deutschland GmbH", "acme & co", "a,b", "!no", "~.*", "a*"]
        patterns = ["acme:globex", "g*:acme", "all:&some", "some", "~(acme|globex)$"]
        expected = {name: [name] for name in names} | {pattern: ["acme", "globex"] for pattern in patterns}
        expected |= {"ac?e": ["acme"], "~^acme$": ["acme"], "all": sorted([*names, "acme", "globex", "initech"])}
        inventory = write_inventory(world, {name: {} for name in [*names, "acme", "globex", "initech"]},
                                    some=["acme", "globex"])  # fmt: skip
        show = {"ansible.builtin.debug": {"msg": "[{{ number }} has {{ inventory_hostname }}]"}}
        plays = [
            {"hosts": self.CHOSEN, "gather_facts": False, "vars": {"chosen": chosen, "number": number}, "tasks": [show]}
            for number, chosen in enumerate(expected)
        ]
        ran = run_plays(world, plays, "-i", inventory)
        for number, hosts in enumerate(expected.values()):
            assert sorted(re.findall(rf"\[{number} has (.+?)\]", ran.output)) == hosts, ran.output

    @pytest.mark.parametrize("name", ["Acme Deutschland GmbH", "a*"])
    def test_an_exact_name_comes_before_a_pattern(self, world: World, name: str) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {name: {}, "acme": {}, "globex": {}})
        ran = world.run("-i", inventory, "-e", json.dumps({"org": name}))
        assert ran.code == 0, ran.output
        assert ran.result["org"] == name

    @pytest.mark.parametrize("pattern", ["acme,globex", "all:!initech"])
    def test_patterns_work_as_before(self, world: World, pattern: str) -> None:
        # They have the same keys: of two that enable them, the slower one may find nothing to do.
        world.keys("Enabled", "Enabled")
        hosts: dict[str, dict[str, t.Any]] = {"acme": {}, "globex": {}, "initech": {}}
        inventory = write_inventory(world, hosts, some=["acme", "globex"])
        ran = world.run("-i", inventory, "-e", f"org={pattern}")
        assert ran.code == 0, ran.output
        assert "2 organizations: 2 nothing to restore" in ran.output

    def test_the_prefixed_name_wins(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": {}, "globex": {}})
        ran = world.run("-i", inventory, "-e", "org=globex", "-e", "cmk_orgs=acme")
        assert ran.code == 0, ran.output
        assert ran.result["org"] == "acme"

    def test_a_run_without_a_report_does_not_end_well(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        # Ansible then gathers facts, which needs a Python.
        python = f"ansible_python_interpreter={sys.executable}"
        ran = world.run("-e", "org=acme", "-e", python, "--start-at-task", "*End | Fail unless the run ended well")
        assert world.states() == ["Disabled", "Disabled"]
        assert ran.code == 2, ran.output
        assert "it is not known whether Atlassian was notified" in ran.output, ran.output
        assert "'__cmk_report'" not in ran.output

    def test_a_name_that_matches_nothing(self, world: World) -> None:
        ran = world.run("-e", json.dumps({"org": "Acme Nowhere GmbH"}))
        assert ran.code == 2
        assert "No organization matches 'Acme Nowhere GmbH'." in ran.output


class TestMisspelt:
    NEAREST: t.Final = {
        "cmk_cancel_deletoin": "cmk_cancel_deletion",
        "cmk_tiket": "cmk_ticket",
        "cmk_region": "cmk_regions",
    }

    def test_a_misspelt_variable_is_warned_about(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run("-e", "org=acme", "-e", json.dumps(dict.fromkeys(self.NEAREST, True)), "--check")
        words = " ".join(ran.output.split())
        for name, nearest in self.NEAREST.items():
            assert words.count(f"{name} is no variable of this collection. Did you mean {nearest}?") == 1

    def test_nothing_else_is(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        own = {"cmk_owner": "x", "cmk_account_name": "y", "acme_ticket": "z"}
        ran = world.run("-e", "org=acme", "-e", "cmk_context_tag=abc", variables=own)
        assert "is no variable" not in ran.output
        again = world.run("-e", "org=acme", playbook="verify_cmk.yml", variables=own)
        assert "is no variable" not in again.output


EMPTY: t.Final = (
    "cmk_wait_timeout", "cmk_wait_reads", "cmk_wait_delay", "cmk_mail_port", "cmk_site_status",
    "cmk_verify_limit", "cmk_verify_interval",
)  # fmt: skip


def test_an_empty_answer_means_the_default(world: World) -> None:
    world.keys("Disabled", "Disabled")
    ran = world.run("-e", "org=acme", "-e", json.dumps(dict.fromkeys(EMPTY, "")))
    assert ran.code == 0, ran.output
    assert ran.result["status"] == "restored"


SHOWN: t.Final = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "true"}


class TestTheOrderOfTheScreen:
    def lines(self, ran: Run) -> list[str]:
        return [line for line in ran.output.splitlines() if line]

    def test_one_organization_shows_the_banner_before_the_work(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        # This checkout's ansible.cfg hides what was skipped, for which Ansible must wait with each banner.
        lines = self.lines(world.run("-e", "org=acme", env=SHOWN))
        plan = next(number for number, line in enumerate(lines) if "plan for realm" in line)
        assert re.match(r"TASK \[.*Plan what each key needs", lines[plan - 1])

    def test_several_each_go_at_their_own_pace(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": {}, "globex": {}})
        lines = self.lines(world.run("-i", inventory, "-e", "org=all", env=SHOWN))
        plan = next(number for number, line in enumerate(lines) if "plan for realm" in line)
        assert not re.match(r"TASK \[.*Plan what each key needs", lines[plan - 1])
