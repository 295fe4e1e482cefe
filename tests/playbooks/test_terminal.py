"""Text from AWS, the desk and the inventory never controls the terminal, and never looks like a line of the run."""

from __future__ import annotations

import json
import re
import typing as t
import unicodedata
from dataclasses import dataclass, field

import pytest

from tests.playbooks.conftest import World
from tests.playbooks.test_nobody_is_lost import write_inventory

# Clear the screen, set the title, overwrite the line, reverse the text, and fake our headline.
EVIL: t.Final = "odd\x1b[2J\x1b]0;x\x07acme: RESTORED\r\x9b2J\u202e\u2066gnp\nacme: RESTORED\n\x1b[1Aacme: RESTORED"
_WORD: t.Final = "odd"


@dataclass(frozen=True)
class Scene:
    """Who says it, and in which playbook."""

    name: str
    aws: dict[str, t.Any] = field(default_factory=dict)
    desk: dict[str, t.Any] = field(default_factory=dict)
    playbook: str = "restore_cmk.yml"
    arguments: tuple[str, ...] = ()
    states: tuple[str, str] = ("Disabled", "Disabled")
    # Whether the screen names it at all.
    named: bool = True


def _aws(operation: str, error: str = "AccessDeniedException") -> dict[str, t.Any]:
    return {"service": "*", "operation": operation, "error": error, "message": EVIL, "count": None}


def _desk(method: str, status: int) -> dict[str, t.Any]:
    body = json.dumps({"errorMessage": EVIL, "i18nErrorMessage": {"i18nKey": "x", "parameters": []}})
    return {"method": method, "status": status, "body": body}


SCENES: t.Final = (
    Scene("AWS refuses to describe", aws=_aws("DescribeKey")),
    Scene("AWS refuses to enable", aws=_aws("EnableKey")),
    # A change is tried again for most of a minute, and a plan for seconds.
    Scene("AWS is in trouble", aws=_aws("DescribeKey", "KMSInternalException"), arguments=("--check",)),
    Scene("AWS refuses with an unknown code", aws=_aws("EnableKey", "OddException")),
    Scene("AWS refuses to disable", aws=_aws("DisableKey"), playbook="revoke_cmk.yml", states=("Enabled", "Enabled"),
          arguments=("-e", "confirm=acme")),
    Scene("AWS refuses at a rehearsal", aws=_aws("DescribeKey"), playbook="assess_cmk.yml"),
    Scene("CloudTrail refuses", aws=_aws("LookupEvents"), playbook="assess_cmk.yml", named=False),
    Scene("the desk refuses to be read", desk=_desk("GET", 403)),
    Scene("the desk refuses the comment", desk=_desk("POST", 400)),
    Scene("the desk refuses at a rehearsal", desk=_desk("GET", 404), playbook="assess_cmk.yml"),
    Scene("the desk refuses at a verification", desk=_desk("GET", 403), playbook="verify_cmk.yml",
          states=("Enabled", "Enabled"), named=False),
)  # fmt: skip


def check_screen(output: str) -> None:
    """The screen shows no sign that a terminal acts on, and the headline is nowhere but where we put it."""
    acting = {ascii(sign) for sign in output if unicodedata.category(sign)[0] == "C" and sign not in "\n\t"}
    assert acting == set()
    assert not re.search(r"^[^\w\n]*acme: RESTORED", output, re.MULTILINE), output


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_nothing_acts_on_the_terminal(world: World, scene: Scene) -> None:
    world.keys(*scene.states)
    if scene.aws:
        world.aws.control("POST", "faults", scene.aws)
    if scene.desk:
        world.desk.control("POST", "/faults", scene.desk)
    ran = world.run(*("-e", "org=acme", "-e", "__cmk_desk_retries=1", *scene.arguments), playbook=scene.playbook)
    if scene.named:
        assert _WORD in ran.output
        assert "acme: RESTORED" in ran.output  # inside a line, where everybody sees whose word it is
    check_screen(ran.output)


def test_comments_and_the_status_of_the_ticket(world: World) -> None:
    world.keys("Enabled", "Enabled")
    comments = [{"body": EVIL}, {"body": f"{EVIL}\nReference: cmk-restore/acme/0123456789ab"}]
    world.desk.control("POST", "/tickets", {"key": "CMK-2", "open": False, "status": EVIL, "comments": comments})
    for playbook in ("verify_cmk.yml", "assess_cmk.yml"):
        ran = world.run("-e", "org=acme", playbook=playbook, variables={"cmk_ticket": "CMK-2"})
        assert _WORD in ran.output
        check_screen(ran.output)


def test_what_the_inventory_says(world: World) -> None:
    world.keys("Disabled", "Disabled")
    names = ("cmk_key", "cmk_realm", "cmk_ticket", "cmk_report_dir", "cmk_org", "cmk_sites")
    inventory = write_inventory(world, {name: {"cmk_support_mode": "", name: EVIL} for name in names})
    ran = world.run("-i", inventory, "-e", "org=all")
    assert ran.code == 2
    assert f"{len(names)} organizations: {len(names)} failed" in ran.output
    check_screen(ran.output)
    assert world.calls() == []
