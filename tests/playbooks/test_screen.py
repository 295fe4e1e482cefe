"""What an operator sees: a terminal of 80 x 24, the installed collection, Ansible's default settings."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.playbooks.conftest import Run, World, run_to_end
from tests.tools import runbook
from tests.tools.standins import ACCOUNT

_COLUMNS: t.Final = 80
_LAST_SCREEN: t.Final = 23  # of 24 rows, the prompt takes one
_MOST_ROWS: t.Final = 80
_LONGEST: t.Final = 240
_RESTORE: t.Final = "ansible-playbook keyops.atlassian_cmk.restore_cmk -i inventory -e org=acme"
_DENIED: t.Final = {
    "region": "us-west-2",
    "operation": "EnableKey",
    "error": "AccessDeniedException",
    "message": f"User: {runbook.OFFICER} is not authorized to perform: kms:EnableKey on resource: "
    f"arn:aws:kms:us-west-2:{ACCOUNT}:key/0987dcba-09fe-87dc-65ba-ab0987654321 because no identity-based policy allows the "
    "kms:EnableKey action",
    "count": None,
}
_NAMES: t.Final = [f"org{number}" for number in range(3)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def world(world: World, home: Path) -> World:
    """In an empty home, which is the same in each test, so that the runs can be forks."""
    for path in home.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return replace(world, folder=home)


def screen(world: World, command: str, *, hosts: dict[str, t.Any] | None = None, **organization: t.Any) -> Run:
    """Run a command as an operator types it, without this checkout's ansible.cfg."""
    inventory = world.folder / "inventory/organizations.yml"
    inventory.parent.mkdir(exist_ok=True)
    acme = {**world.variables, "cmk_ticket_url": "https://support.example.com/CMK-1", **organization}
    inventory.write_text(json.dumps({"all": {"hosts": hosts or {"acme": acme}}}), encoding="utf-8")
    _command, _cwd, env = world.command()
    ours = ("AWS_", "CMK_", "ANSIBLE_HOME", "ANSIBLE_NOCOLOR")
    env = {name: value for name, value in env.items() if name.startswith(ours) or not name.startswith("ANSIBLE_")}
    # None of this checkout's settings, and none in the home.
    (world.folder / "ansible.cfg").touch()
    env |= {"ANSIBLE_CONFIG": str(world.folder / "ansible.cfg")}
    env |= {"HOME": str(world.folder), "CMK_REPORT_DIR": str(world.folder / "cmk-reports")}
    return run_to_end(shlex.split(command), world.folder, env)


def rows(output: str) -> list[str]:
    """Wrap the output as a terminal does."""
    lines = output.rstrip("\n").split("\n")
    return [line[at : at + _COLUMNS] for line in lines for at in range(0, max(len(line), 1), _COLUMNS)]


def repeated(output: str) -> list[str]:
    """Find sentences that are there twice. Ansible itself shows the error of a task twice."""
    ours = [line for line in output.splitlines() if not line.startswith(("TASK", "PLAY", "[ERROR]", "fatal:"))]
    sentences = [
        sentence for line in ours for sentence in re.split(r"(?<=[.!?]) ", line.strip()) if len(sentence.split()) > 3
    ]
    return sorted({sentence for sentence in sentences if sentences.count(sentence) > 1})


@dataclass(frozen=True)
class Scene:
    """What an operator meets, and what the last screen must show."""

    name: str
    begin: runbook.Change
    command: str = _RESTORE
    headline: str = ""
    next: str = ""
    code: int = 0
    by_api: bool = False
    variables: dict[str, t.Any] = field(default_factory=dict)


def _denied_in_one_region(world: World) -> None:
    runbook._keys("Disabled", "Disabled")(world)
    world.aws.control("POST", "faults", _DENIED)


def _nothing_lost(world: World) -> None:
    world.keys("Enabled", "Enabled")


def _unread_in_one_region(world: World) -> None:
    _LOST(world)
    world.aws.control("POST", "faults", {**_DENIED, "operation": "DescribeKey"})


_LOST: t.Final = runbook._keys("Disabled", "Disabled")
# Nothing listens at this port.
_UNREACHABLE: t.Final = {"cmk_support_url": "http://127.0.0.1:9"}
# The words of no scene: a key that was not read is not unusable, and an announcement that failed leaves no key disabled.
_UNTRUE: t.Final = ("NOT USABLE", "PARTIAL", "WOULD SUCCEED")
SCENES: t.Final = (
    Scene("manual", _LOST, headline="KEYS RESTORED, ATLASSIAN HAS NOT BEEN NOTIFIED YET",
          next=f"paste the text above into the ticket, then run: {_RESTORE} -e cmk_ticket_told="),
    Scene("api", _LOST, headline="KEYS RESTORED, AND ATLASSIAN HAS BEEN NOTIFIED", by_api=True,
          next="ansible-playbook keyops.atlassian_cmk.verify_cmk -i inventory -e org=acme"),
    Scene("api, unreachable", _LOST, f"{_RESTORE} -e __cmk_desk_retries=2", code=2, by_api=True, variables=_UNREACHABLE,
          headline="KEYS RESTORED, ATLASSIAN COULD NOT BE NOTIFIED", next="run again with -e cmk_support_mode=manual"),
    Scene("one region unread", _unread_in_one_region, code=2, headline="ONLY PARTLY RESTORED: 1 OF 2 KEYS ENABLED",
          next=f"fix the problem above, then run again: {_RESTORE}"),
    Scene("nothing to restore", _nothing_lost, headline="NOTHING TO RESTORE, AND NOTHING ANNOUNCED",
          next=f"if access was lost all the same, run: {_RESTORE}"),
    Scene("assess, nothing to restore", _nothing_lost, runbook.ASSESS, variables={"cmk_prove_permission": True},
          headline="READY: NOTHING TO RESTORE, AND KMS:ENABLEKEY IS PROVEN", next="report     ~/cmk-reports/acme/"),
    Scene("denied in one region", _denied_in_one_region, code=2, headline="ONLY PARTLY RESTORED: 1 OF 2 KEYS ENABLED",
          next=f"fix the problem above, then run again: {_RESTORE}"),
    Scene("assess", _LOST, runbook.ASSESS, headline="A RESTORE SHOULD SUCCEED; KMS:ENABLEKEY IS NOT PROVEN",
          next=f"confirm with the key owner, then run: {_RESTORE}"),
    Scene("verify, waiting", runbook._was_told, runbook.VERIFY, headline="WAITING FOR ATLASSIAN", by_api=True,
          next=f"run again later: {runbook.VERIFY}"),
    Scene("verify, needs attention", _LOST, runbook.VERIFY, code=2, headline="NEEDS ATTENTION",
          next=f"unless the revocation was intentional, run: {_RESTORE}"),
    Scene("revoke", runbook._keys_in_use, f"{runbook.REVOKE} -e confirm=acme", headline="ACCESS IS REVOKED",
          next=f"to restore access, run: {_RESTORE}"),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_terminal_of_80_columns_and_24_rows(world: World, scene: Scene) -> None:
    scene.begin(world)
    more: dict[str, t.Any] = {} if scene.by_api else {"cmk_support_mode": "manual"}
    ran = screen(world, scene.command, **more, **scene.variables)
    assert ran.code == scene.code, ran.output
    assert "skipping: " in ran.output or scene.code, "these are not Ansible's default settings"
    assert len(rows(ran.output)) <= _MOST_ROWS, ran.output
    assert [line for line in ran.output.splitlines() if len(line) > _LONGEST] == []
    assert repeated(ran.output) == []
    assert [word for word in _UNTRUE if word in ran.output] == []
    last = "".join(rows(ran.output)[-_LAST_SCREEN:])
    assert f"acme: {scene.headline}" in last, ran.output
    assert scene.next in last, ran.output


def test_a_desk_that_does_not_answer(world: World) -> None:
    """The text comes at once, before the next attempt, and the message names the other way to notify Atlassian."""
    _LOST(world)
    world.desk.control("POST", "/faults", {"status": 503, "retry_after": 0, "count": None})
    ran = screen(world, f"{_RESTORE} -e __cmk_desk_retries=1")
    assert ran.code == 2
    assert ran.output.count("----- text for the ticket CMK-1") == 1
    assert ran.output.index("acme: The support desk failed (HTTP 503)") < ran.output.index(
        "----- text for the ticket CMK-1"
    )
    last = "".join(rows(ran.output)[-_LAST_SCREEN:])
    assert "acme: KEYS RESTORED, ATLASSIAN COULD NOT BE NOTIFIED" in last
    assert "cmk_support_mode=manual" in last


def test_missing_optional_permissions_are_one_short_line(world: World) -> None:
    _LOST(world)
    world.aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "kms:EnableKey"]})
    ran = screen(world, _RESTORE)
    assert ran.code == 0, ran.output
    assert len(rows(ran.output)) <= _MOST_ROWS, ran.output
    optional = "LookupEvents|GetKeyPolicy|ListGrants|GetKeyLastUsage|not authorized|[Pp]olicy"
    lines = [line for line in ran.output.splitlines() if re.search(optional, line)]
    assert lines == ["  lost       not known. AWS refused LookupEvents."], ran.output


def test_many_organizations_are_one_line_each_and_then_what_needs_a_person(world: World) -> None:
    hosts = {}
    for name in _NAMES:
        state = "PendingImport" if name == "org2" else "Disabled"
        for region in ("us-east-1", "us-west-2"):
            key = {"region": region, "account": ACCOUNT, "alias": f"alias/{name}", "state": state}
            world.aws.control("POST", "keys", key)
        hosts[name] = {**world.variables, "cmk_key": f"alias/{name}", "cmk_support_mode": "manual"}
    ran = screen(world, _RESTORE.replace("acme", "all"), hosts=hosts)
    assert ran.code == 2
    assert (
        re.findall(r"(?m)^org\d: [A-Z, :\d]+$", ran.output).count(
            "org0: KEYS RESTORED, ATLASSIAN HAS NOT BEEN NOTIFIED YET"
        )
        == 1
    )
    # What needs a person comes after all errors, and the text is in its file.
    end = ran.output[ran.output.index("\n3 organizations: 1 failed, 2 handover pending\n") :]
    assert "fatal:" not in end
    assert "  org0: paste ~/cmk-reports/org0/comment.txt into ticket CMK-1\n" in end
    assert "  org2: not restored. arn:aws:kms" in end
    assert "----- text for the ticket" not in ran.output
