"""The documented IAM policies are what the runs need, no more and no less."""

from __future__ import annotations

import datetime as dt
import json
import typing as t

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, World
from tests.playbooks.test_byok import BYOK, byok, key_states
from tests.tools.standins import ROOT, USER

# The confirmation is for revoke alone, and the others do not care.
ORG: t.Final = ("-e", "org=acme", "-e", "confirm=acme")
# Needs no permission ("GetCallerIdentity", AWS STS API reference).
_FREE: t.Final = "sts:GetCallerIdentity"


def documented(name: str) -> set[str]:
    """The actions of a policy in docs/iam."""
    policy = json.loads((ROOT / f"docs/iam/{name}.json").read_text(encoding="utf-8"))
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def optional(name: str) -> set[str]:
    """The actions that a run makes use of, and does without where they are not permitted."""
    last_use = documented("last_use") - ({"kms:ListKeyRotations"} if name == "verify" else set())
    return documented("evidence") | (last_use if name in ("assess", "verify") else set())


def asked(world: World) -> set[str]:
    """The actions that a run asked AWS for."""
    return {f"{call['service']}:{call['operation']}" for call in world.aws.control("GET", "calls")} - {_FREE}


RUNS: t.Final[dict[str, tuple[str, tuple[str, str], dict[str, t.Any]]]] = {
    "restore": ("restore_cmk.yml", ("Disabled", "Disabled"), {}),
    "restore_cancel_deletion": ("restore_cmk.yml", ("PendingDeletion", "Disabled"), {"cmk_cancel_deletion": True}),
    "restore_byok": ("restore_cmk.yml", ("Disabled", "Disabled"), {}),
    "assess": ("assess_cmk.yml", ("Disabled", "Disabled"), {}),
    "verify": ("verify_cmk.yml", ("Enabled", "Enabled"), {"cmk_atlassian_account_id": "444455556666"}),
    "revoke": ("revoke_cmk.yml", ("Enabled", "Enabled"), {}),
}


def prepare(world: World, name: str) -> tuple[str, dict[str, t.Any]]:
    """Make the keys, and for a verification what the vendor has done; return playbook and variables."""
    playbook, states, variables = RUNS[name]
    if name == "restore_byok":
        byok(world, *states)
        return playbook, BYOK
    # AWS is asked for missing material of a key only if its material was imported.
    world.keys(*states, **({"origin": "EXTERNAL"} if name == "assess" else {}))
    if name == "verify":
        world.lose()
        hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        body = f"Reference: {world.reference()}"
        reply = {"body": body, "author": USER, "created": hour_ago.isoformat(timespec="seconds")}
        world.desk.control("PATCH", "/tickets/CMK-1", {"reply": reply})
        use = {"name": "Decrypt", "key": ALIAS, "user_arn": "arn:aws:iam::444455556666:root"}
        now = dt.datetime.now(dt.UTC).isoformat()
        world.aws.control("POST", "events", [{**use, "region": region, "time": now} for region in REGIONS])
    return playbook, variables


@pytest.mark.parametrize("name", RUNS)
def test_a_run_asks_for_what_is_documented(world: World, name: str) -> None:
    playbook, variables = prepare(world, name)
    ran = world.run(*ORG, playbook=playbook, variables=variables)
    assert ran.code == 0, ran.output
    assert asked(world) == documented(name) | optional(name)


@pytest.mark.parametrize("name", RUNS)
def test_the_documented_actions_alone_suffice(world: World, name: str) -> None:
    playbook, variables = prepare(world, name)
    world.aws.control("POST", "policy", {"actions": sorted(documented(name))})
    ran = world.run(*ORG, playbook=playbook, variables=variables)
    assert ran.code == 0, ran.output
    assert set(key_states(world)) == ({"Disabled"} if name in ("assess", "revoke") else {"Enabled"})


# What BYOK shares with a restore is tried there.
NEEDS: t.Final = [
    (name, action)
    for name in RUNS
    for action in sorted(documented(name))
    if name != "restore_byok" or action not in documented("restore")
]


@pytest.mark.parametrize(("name", "action"), NEEDS)
def test_none_of_them_is_too_much(world: World, name: str, action: str) -> None:
    playbook, variables = prepare(world, name)
    world.aws.control("POST", "policy", {"actions": sorted(documented(name) - {action})})
    ran = world.run(*ORG, playbook=playbook, variables=variables)
    assert ran.code != 0 or ran.result["status"] == "waiting"
    assert f"Allow {action} for this identity" in ran.output
