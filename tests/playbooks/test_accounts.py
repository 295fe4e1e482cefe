"""Organizations in several accounts, each reached by its own role."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from pathlib import Path

import pytest

from tests.playbooks.conftest import REGIONS, Run, World, run_to_end

ACCOUNTS: t.Final = {"acme": "222233334444", "bolt": "333344445555", "core": "444455556666"}


def _role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNTS[name]}:role/cmk-operator"


@pytest.fixture
def accounts(world: World) -> World:
    """Three organizations whose roles ask for an external id each."""
    for number, (name, account) in enumerate(ACCOUNTS.items(), 1):
        world.aws.control("POST", "roles", {"arn": _role(name), "external_id": f"id-of-{name}"})
        world.desk.control("POST", "/tickets", {"key": f"ORG-{number}"})
        for region in REGIONS:
            key = {"region": region, "account": account, "alias": "alias/cmk", "state": "Disabled"}
            world.aws.control("POST", "keys", key)
    return world


def _run(world: World, *arguments: str, **variables: dict[str, t.Any]) -> Run:
    command, cwd, env = world.command("-e", "org=all", *arguments)
    hosts = {
        name: {
            "cmk_realm": "United States",
            "cmk_key": "alias/cmk",
            "cmk_account_id": account,
            "cmk_ticket": f"ORG-{number}",
            "cmk_assume_role_arn": _role(name),
            "cmk_assume_role_external_id": f"id-of-{name}",
            "cmk_wait_delay": 0.1,
            **variables.get(name, {}),
        }
        for number, (name, account) in enumerate(ACCOUNTS.items(), 1)
    }
    Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    return run_to_end(command, cwd, env)


def test_each_role_is_assumed_once_by_each_step_in_a_session_that_names_organization_and_run(accounts: World) -> None:
    ran = _run(accounts)
    assert ran.code == 0, ran.output
    calls = accounts.aws.control("GET", "calls")
    assumed = Counter(call["params"]["RoleArn"] for call in calls if call["operation"] == "AssumeRole")
    # The plan, the change, and what CloudTrail shows are a process each.
    assert assumed == {_role(name): 3 for name in ACCOUNTS}
    by = {call["account"]: call["principal"].rpartition("/")[2] for call in calls if call["operation"] == "EnableKey"}
    for name, account in ACCOUNTS.items():
        assert re.fullmatch(rf"cmk-{name}-\d{{8}}T\d{{6}}Z", by[account])
    assert [len(accounts.told(f"ORG-{number}")) for number in (1, 2, 3)] == [1, 1, 1]


def test_no_temporary_credential_leaves_the_run(accounts: World) -> None:
    ran = _run(accounts, "-vvvv")
    assert ran.code == 0, ran.output
    sessions = accounts.aws.control("GET", "sessions")
    assert len(sessions) == 3 * len(ACCOUNTS)
    texts = [ran.output]
    texts += [path.read_text(errors="replace") for path in accounts.folder.rglob("*") if path.is_file()]
    for session in sessions:
        for secret in (session["secret_access_key"], session["session_token"]):
            assert not any(secret in text for text in texts)


def test_a_role_that_does_not_trust_us_stops_its_organization_only(accounts: World) -> None:
    ran = _run(accounts, bolt={"cmk_assume_role_external_id": "guessed"})
    assert ran.code == 2
    assert "AWS refused AssumeRole in us-east-1" in ran.output
    assert [len(accounts.told(f"ORG-{number}")) for number in (1, 2, 3)] == [1, 0, 1]
