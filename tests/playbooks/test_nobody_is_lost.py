"""Every organization of a run is in its result, sum-up, stats and page, whatever happens to it."""

from __future__ import annotations

import json
import re
import typing as t

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World, run_to_end
from tests.tools.standins import ACCOUNT, ROOT

UNREADABLE: t.Final[dict[str, dict[str, t.Any]]] = {
    "sites": {"cmk_sites": ["https://{{ nope }}"]},
    "key": {"cmk_key": "alias/{{ nope.key }}"},
    "org": {"cmk_org": "{{ nope }}"},
    "loop": {"cmk_realm": "{{ cmk_realm }}"},
    "folder": {"cmk_report_dir": "{{ nope }}/reports"},
    "token": {"cmk_support_token": "odd-Secret-1f2e {{ nope }}"},
}


def write_inventory(world: World, hosts: t.Mapping[str, t.Mapping[str, t.Any]], **groups: list[str]) -> str:
    """Write an inventory; each host has the variables of a manual restore besides its own."""
    path = world.folder / "several.json"
    usual = {**world.variables, "cmk_support_mode": "manual"}
    tree: dict[str, t.Any] = {"hosts": {name: {**usual, **own} for name, own in hosts.items()}}
    tree["children"] = {name: {"hosts": dict.fromkeys(members)} for name, members in groups.items()}
    path.write_text(json.dumps({"all": tree}), encoding="utf-8")
    return str(path)


def run_plays(world: World, plays: list[dict[str, t.Any]], *arguments: str) -> Run:
    """Run a playbook of an operator's own."""
    path = world.folder / "own.yml"
    path.write_text(json.dumps(plays), encoding="utf-8")
    return world.run(*arguments, playbook=str(path))


def published(ran: Run, entry_point: str = "restore") -> dict[str, t.Any]:
    """Read cmk_result of each organization from the stats."""
    stats = re.search(r"\tRUN: (\{.*\})", ran.output)
    assert stats, ran.output[-3000:]
    return t.cast("dict[str, t.Any]", json.loads(stats[1])[f"cmk_{entry_point}"])


def pages(world: World) -> list[str]:
    """Read the pages of all runs, the oldest first."""
    return [path.read_text(encoding="utf-8") for path in sorted((world.folder / "reports/runs").glob("*.html"))]


def playbook(name: str, **variables: t.Any) -> dict[str, t.Any]:
    return {"ansible.builtin.import_playbook": f"keyops.atlassian_cmk.{name}", "vars": variables}


GLOBEX: t.Final = "inventory_hostname == 'globex'"
FAILS: t.Final = {"ansible.builtin.fail": {"msg": "not of this collection"}, "when": GLOBEX}


class TestVariablesThatDoNotTemplate:
    @pytest.fixture(scope="class")
    @staticmethod
    def ran(aws_standin: t.Any, desk_standin: t.Any, tmp_path_factory: pytest.TempPathFactory) -> t.Any:
        aws_standin.control("POST", "reset")
        desk_standin.control("POST", "/reset")
        usual = {"cmk_realm": "United States", "cmk_key": ALIAS, "cmk_account_id": ACCOUNT, "cmk_ticket": "CMK-1"}
        world = World(aws_standin, desk_standin, tmp_path_factory.mktemp("unreadable"), {**usual, "cmk_wait_delay": 0})
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"works": {}, **UNREADABLE})
        return world, world.run("-i", inventory, "-e", "org=all")

    def test_all_are_counted(self, ran: tuple[World, Run]) -> None:
        world, ended = ran
        assert ended.code == 2
        assert "7 organizations: 6 failed, 1 handover pending" in ended.output
        assert set(published(ended)) == {"works", *UNREADABLE}
        (page,) = pages(world)
        assert page.count('<th scope="row">') == 7

    @pytest.mark.parametrize("name", UNREADABLE)
    def test_one_sentence_says_which_variable(self, ran: tuple[World, Run], name: str) -> None:
        _world, ended = ran
        (variable,) = UNREADABLE[name]
        result = published(ended)[name]
        assert (result["status"], result["keys"]) == ("failed", [])
        assert result["error"].startswith(f"{variable} cannot be read: ")
        assert result["error"].count("cannot be read") == 1
        assert name == "loop" or "'nope' is undefined" in result["error"]
        assert result["error"].isprintable()

    def test_no_secret_is_shown(self, ran: tuple[World, Run]) -> None:
        assert "odd-Secret-1f2e" not in ran[1].output

    def test_the_other_is_restored(self, ran: tuple[World, Run]) -> None:
        world, _ended = ran
        assert world.states() == ["Enabled", "Enabled"]


class TestOrganizationsWithoutAResult:
    def test_are_failed_in_the_sum_up_the_stats_and_the_page_and_others_can_read_it(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": {}, "globex": {}})
        read = {"ansible.builtin.debug": {"msg": "read {{ hostvars['globex'].cmk_result.status }}"}}
        plays = [
            {"hosts": "all", "gather_facts": False, "tasks": [FAILS]},
            playbook("restore_cmk"),
            {"hosts": "acme", "gather_facts": False, "tasks": [read]},
        ]
        ran = run_plays(world, plays, "-i", inventory, "-e", "org=all")
        assert ran.code == 2
        assert "2 organizations: 1 failed, 1 handover pending" in ran.output
        assert re.search(r"(?m)^  globex: no result\. ", ran.output)
        result = published(ran)["globex"]
        assert (result["org"], result["status"]) == ("globex", "failed")
        assert set(result) == set(published(ran)["acme"])
        (page,) = pages(world)
        assert ">globex<" in page
        assert "read failed" in ran.output

    def test_an_unreachable_organization(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        there = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
        inventory = write_inventory(world, {"acme": {}, "globex": there})
        ping = {"ansible.builtin.raw": "true", "when": GLOBEX}
        plays = [{"hosts": "all", "gather_facts": False, "tasks": [ping]}, playbook("restore_cmk")]
        ran = run_plays(world, plays, "-i", inventory, "-e", "org=all")
        assert "2 organizations: 1 failed, 1 handover pending" in ran.output
        assert set(published(ran)) == {"acme", "globex"}


class TestTheReportBelongsToTheEntryPoint:
    def test_who_was_not_verified_is_not_counted_as_restored_and_each_link_leads_somewhere(self, world: World) -> None:
        world.keys("Enabled", "Enabled")
        told = {"cmk_ticket_told": "https://support.example.com/CMK-1?comment=1", "cmk_revoked_at": "2026-11-20"}
        inventory = write_inventory(world, {"acme": told, "globex": told})
        between = {"hosts": "all", "gather_facts": False, "tasks": [FAILS]}
        plays = [playbook("restore_cmk"), between, playbook("verify_cmk")]
        ran = run_plays(world, plays, "-i", inventory, "-e", "org=all")
        restored, verified = re.findall(r"(?m)^2 organizations: ([0-9].*)$", ran.output)
        assert "failed" not in restored
        assert verified.startswith("1 failed, 1 ")
        assert published(ran, "verify")["globex"]["status"] == "failed"
        assert published(ran)["globex"]["status"] in ("restored", "already_restored")
        for path in (world.folder / "reports/runs").glob("*.html"):
            links = re.findall(r'href="([^"]+)"', path.read_text(encoding="utf-8"))
            assert links
            assert all((path.parent / link).is_file() for link in links), links


class TestPages:
    def test_two_groups_that_share_a_folder_lose_nobody(self, world: World) -> None:
        hosts = {name: {"cmk_key": f"alias/{name}"} for name in ("a1", "a2", "b1", "b2")}
        for name in ("a1", "b1", "b2"):
            for region in REGIONS:
                key = {"region": region, "account": ACCOUNT, "alias": f"alias/{name}", "state": "Disabled"}
                world.aws.control("POST", "keys", key)
        inventory = write_inventory(world, hosts, a=["a1", "a2"], b=["b1", "b2"])
        assert world.run("-i", inventory, "-e", "org=a").code == 2
        assert world.run("-i", inventory, "-e", "org=b").code == 0
        first, second = pages(world)
        assert ">a2<" in first
        assert ">b2<" in second
        index = world.folder / "reports/index.html"
        links = re.findall(r'href="([^"]+)"', index.read_text(encoding="utf-8"))
        newest_first = sorted(links, reverse=True)
        assert links == newest_first
        assert len(links) == 2
        assert all((index.parent / link).is_file() for link in links)
        assert "a2" in index.read_text(encoding="utf-8")

    def test_nothing_is_written_in_check_mode(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        inventory = write_inventory(world, {"acme": {}, "globex": {}})
        assert world.run("-i", inventory, "-e", "org=all", "--check").code == 0
        assert not (world.folder / "reports").exists()


def test_it_says_that_ansible_ends_the_run_when_all_have_failed(world: World) -> None:
    inventory = write_inventory(world, {"acme": {}, "globex": {}, "initech": {}}, first=["acme", "globex"])
    plays = [playbook("restore_cmk", org="first"), playbook("restore_cmk", org="initech")]
    ran = run_plays(world, plays, "-i", inventory)
    assert ran.code == 2
    assert "2 organizations: 2 failed" in ran.output
    assert "Ansible ends the run here" in ran.output
    assert "initech" not in ran.output


def examples_run(world: World, name: str, *arguments: str) -> Run:
    command, _cwd, env = world.command(*arguments, playbook=name)
    return run_to_end(command, ROOT / "examples", env)


class TestExamples:
    def groups(self, world: World) -> str:
        for name in ("acme", "initech"):
            for region in REGIONS:
                key = {"region": region, "account": ACCOUNT, "alias": f"alias/{name}", "state": "Disabled"}
                world.aws.control("POST", "keys", key)
        hosts = {name: {"cmk_key": f"alias/{name}"} for name in ("globex", "hooli", "acme", "initech")}
        return write_inventory(world, hosts, first=["globex", "hooli"], second=["acme", "initech"])

    def test_the_second_group_is_restored_although_all_of_the_first_fail(self, world: World) -> None:
        inventory = self.groups(world)
        ran = examples_run(world, "two_groups.yml", "-i", inventory)
        assert ran.code == 2, ran.output
        states = {key["KeyState"] for key in world.aws.control("GET", "keys")}
        assert states == {"Enabled"}
        assert "Not restored: globex, hooli." in ran.output

    def test_it_ends_well_when_all_are_restored(self, world: World) -> None:
        inventory = self.groups(world)
        ran = examples_run(world, "two_groups.yml", "-i", inventory, "--limit", "second")
        assert ran.code == 0, ran.output

    @pytest.mark.parametrize("failing", [True, False])
    def test_a_loop_goes_on_after_one_that_fails(self, world: World, failing: bool) -> None:
        self.groups(world)
        organizations = [
            {"cmk_org": name, "cmk_key": f"alias/{name}", "cmk_realm": "United States", "cmk_support_mode": "manual"}
            for name in (["acme", "globex", "initech"] if failing else ["acme", "initech"])
        ]
        extra = json.dumps({"organizations": organizations, "cmk_wait_delay": 0})
        ran = examples_run(world, "loop.yml", "-i", "localhost,", "-e", extra)
        assert ran.code == (2 if failing else 0), ran.output
        assert {key["KeyState"] for key in world.aws.control("GET", "keys")} == {"Enabled"}
        assert ("Not restored: globex." in ran.output) is failing

    def test_disaster_recovery_passes_in_check_mode_when_the_plan_is_good(self, world: World) -> None:
        world.keys("Disabled", "Disabled")
        ran = world.run("-e", "org=acme", "--check", playbook="disaster_recovery.yml", cwd=ROOT / "examples")
        assert ran.code == 0, ran.output
        assert world.states() == ["Disabled", "Disabled"]

    def test_disaster_recovery_fails_in_check_mode_when_the_plan_is_not(self, world: World) -> None:
        world.keys("Disabled", "PendingImport")
        ran = world.run("-e", "org=acme", "--check", playbook="disaster_recovery.yml", cwd=ROOT / "examples")
        assert ran.code == 2
        assert "the recovery continues" not in ran.output
