"""Many organizations in one run, and one run split into slices."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import REGIONS, Run, World, run_to_end, under_way, wait_for
from tests.playbooks.runner import job
from tests.tools.standins import ACCOUNT

_NAMES: t.Final = [f"org{number:02d}" for number in range(8)]
_WAITS_FOR_MATERIAL: t.Final = "org05"


class Fleet:
    """Eight organizations in one AWS account, of which one cannot be restored."""

    def __init__(self, world: World) -> None:
        self.world = world
        for name in _NAMES:
            state = "PendingImport" if name == _WAITS_FOR_MATERIAL else "Disabled"
            for region in REGIONS:
                key = {"region": region, "account": ACCOUNT, "alias": f"alias/{name}", "state": state}
                world.aws.control("POST", "keys", key)
            if state == "Disabled":
                world.lose(f"alias/{name}")
        for number in range(1, 9):
            world.desk.control("POST", "/tickets", {"key": f"ORG-{number}"})

    def hosts(self, names: t.Sequence[str]) -> dict[str, t.Any]:
        """A part of the inventory."""
        return {
            name: {
                "cmk_realm": "United States",
                "cmk_key": f"alias/{name}",
                "cmk_ticket": f"ORG-{_NAMES.index(name) + 1}",
                "cmk_wait_delay": 0.1,
            }
            for name in names
        }

    def command(self, names: t.Sequence[str], folder: Path, *arguments: str) -> tuple[list[str], Path, dict[str, str]]:
        """The command for a run for some of them, with folders of its own, as a slice on another machine has."""
        command, cwd, env = self.world.command("-e", "org=all", "--forks", "4", *arguments)
        # Named as in the other tests, for their forks.
        inventory = folder / Path(env["ANSIBLE_INVENTORY"]).name
        folder.mkdir(exist_ok=True)
        inventory.write_text(json.dumps({"all": {"hosts": self.hosts(names)}}), encoding="utf-8")
        return command, cwd, {**env, "ANSIBLE_INVENTORY": str(inventory), "CMK_REPORT_DIR": str(folder / "reports")}

    def run(self, names: t.Sequence[str], folder: Path, *arguments: str) -> Run:
        """One such run, to its end."""
        return run_to_end(*self.command(names, folder, *arguments))

    def work(self) -> list[tuple[str, str]]:
        """What was done at AWS, in no order."""
        calls = self.world.aws.control("GET", "calls")
        return sorted((call["region"], call["key"]) for call in calls if call["operation"] == "EnableKey")

    def told(self) -> list[int]:
        """How many announcements each ticket holds."""
        return [len(self.world.told(f"ORG-{number}")) for number in range(1, 9)]


@pytest.fixture
def fleet(world: World) -> Fleet:
    return Fleet(world)


_TOLD: t.Final = [0 if name == _WAITS_FOR_MATERIAL else 1 for name in _NAMES]


def test_one_that_fails_delays_no_other_and_is_the_one_that_is_named(fleet: Fleet, tmp_path: Path) -> None:
    ran = fleet.run(_NAMES, tmp_path / "one")
    assert ran.code == 2
    assert fleet.told() == _TOLD
    (summary,) = re.findall(r"(?m)^8 organizations: 1 failed, 7 restored\n(?:  .*\n)+", ran.output)
    # A long line is wrapped, and what follows is indented further.
    assert re.findall(r"(?m)^  (\S.*?): ", summary) == [_WAITS_FOR_MATERIAL, "all reports"]
    (page,) = (tmp_path / "one/reports/runs").glob("*.html")
    links = re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))
    assert len(links) == len(_NAMES) + 1
    assert all((page.parent / link).is_file() for link in links)
    again = fleet.run(_NAMES, tmp_path / "one")
    assert again.changed == 0
    assert "8 organizations: 1 failed, 7 already restored" in again.output
    assert fleet.told() == _TOLD


def test_one_whose_keys_take_long_holds_up_no_other(fleet: Fleet, tmp_path: Path) -> None:
    """As long as its keys are not usable, it waits; all others are told meanwhile, though it comes first."""
    slow = [f"keys/{region}/alias%2Forg00" for region in REGIONS]
    for key in slow:
        fleet.world.aws.control("PATCH", key, {"propagation": 3600})
    others = [0, *_TOLD[1:]]
    log = tmp_path / "log"
    with log.open("w") as out, under_way(*fleet.command(_NAMES, tmp_path / "one"), out) as run:
        # Sooner than cmk_wait_timeout.
        wait_for(lambda: fleet.told() == others, run)
        assert run.poll() is None
        for key in slow:
            fleet.world.aws.control("PATCH", key, {"state": "Enabled", "propagation": 0})
        assert run.wait(timeout=120) == 2
    assert "8 organizations: 1 failed, 7 restored" in log.read_text()
    assert fleet.told() == _TOLD


def test_among_many_what_is_well_is_one_line(fleet: Fleet, tmp_path: Path) -> None:
    ran = fleet.run(["org00", "org01", _WAITS_FOR_MATERIAL], tmp_path / "one", "-e", "__cmk_fleet_from=3")
    assert "plan for realm" not in ran.output
    assert "Disabled -> Enabled" not in ran.output
    assert re.search(r"(?m)^org00: KEYS RESTORED, AND ATLASSIAN HAS BEEN NOTIFIED\n(?!  )", ran.output)
    assert re.search(rf"(?m)^{_WAITS_FOR_MATERIAL}: NOT RESTORED\n(?!  )", ran.output)
    # The sum-up says of it what is wrong and what to do.
    (failure,) = re.findall(rf"(?m)^  {_WAITS_FOR_MATERIAL}: not restored\. (?:.*\n(?: {{13}})?)*", ran.output)
    assert "is PendingImport" in failure
    assert "Import the same key material again" in failure


def test_fifty_organizations_of_one_account_at_once(world: World, tmp_path: Path) -> None:
    """AWS takes five EnableKey a second for each account and region, and botocore's retries respect that."""
    world.aws.control("POST", "config", {"quotas": True})
    names = [f"org{number:02d}" for number in range(50)]
    keys = [{"region": region, "alias": f"alias/{name}", "state": "Disabled"} for name in names for region in REGIONS]
    world.aws.control("POST", "keys", keys)
    # The module alone: what stands around it in the role takes fifty times its time, and would spread the calls.
    play = tmp_path / "enable.yml"
    play.write_text(
        """
- name: Enable
  hosts: all
  gather_facts: false
  tasks:
    - name: Enable
      keyops.atlassian_cmk.kms_key_state:
        keys:
          - {region: us-east-1, key_id: "alias/{{ inventory_hostname }}"}
          - {region: us-west-2, key_id: "alias/{{ inventory_hostname }}"}
        wait_delay: 0.5
""",
        encoding="utf-8",
    )
    command, cwd, env = world.command("--forks", "50", playbook=str(play))
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    hosts = dict.fromkeys(names, local)
    Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    ran = run_to_end(command, cwd, env)
    assert ran.code == 0, ran.output
    assert {key["KeyState"] for key in world.aws.control("GET", "keys")} == {"Enabled"}
    calls = [call for call in world.aws.control("GET", "calls") if call["operation"] == "EnableKey"]
    # The quota was met, and nobody was throttled twelve times.
    assert any(call["error"] == "ThrottlingException" for call in calls)
    assert len([call for call in calls if not call["error"]]) == 2 * len(names)


def test_slices_do_the_work_of_one_run_and_none_of_it_twice(fleet: Fleet, tmp_path: Path) -> None:
    """AWX cuts an inventory into every nth host (AWX User Guide, "Job slicing") and runs the slices side by side."""
    slices = [_NAMES[part::3] for part in range(3)]
    jobs = [
        job(fleet.world, tmp_path / f"slice{part}", fleet.hosts(names), {"org": "all"})
        for part, names in enumerate(slices)
    ]
    assert sorted(one.end() for one in jobs) == [0, 0, 2]
    assert len(fleet.work()) == len(set(fleet.work())) == 2 * (len(_NAMES) - 1)
    assert fleet.told() == _TOLD
    for one, names in zip(jobs, slices, strict=True):
        kept = {path.name for path in (one.folder / "reports").iterdir() if path.is_dir()} - {"runs"}
        assert kept == set(one.stats()["cmk_restore"]) == set(names)
    # They leave nothing for one run to do.
    fleet.world.aws.control("DELETE", "calls")
    ran = fleet.run(_NAMES, tmp_path / "one")
    assert fleet.work() == []
    assert "8 organizations: 1 failed, " in ran.output
    # Where a busy machine kept CloudTrail from answering in time, the loss has no name: Atlassian is notified once more.
    for name, least, count in zip(_NAMES, _TOLD, fleet.told(), strict=True):
        assert least <= count <= least * len(_references(tmp_path, name)), name


def _references(folder: Path, name: str) -> set[str]:
    """The names that the runs gave the restoration: one, if all of them knew the loss."""
    evidence = folder.glob(f"*/reports/{name}/*-restore/restore.json")
    return {json.loads(path.read_text(encoding="utf-8"))["reference"] for path in evidence}
