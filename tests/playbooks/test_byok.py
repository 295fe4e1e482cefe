"""restore_cmk.yml for an organization of the older programme BYOK: a trust statement, and several keys a region."""

from __future__ import annotations

import json
import typing as t

import pytest

from tests.playbooks.conftest import REGIONS, Run, World

ORG: t.Final = ("-e", "org=acme")
ROLE: t.Final = "atlassian-key-management"
BYOK: t.Final = {"cmk_programme": "byok", "cmk_key": ""}
ALIASES: t.Final = ("alias/cryptor-1", "alias/cryptor-2")
WRITES: t.Final = {"EnableKey", "UpdateAssumeRolePolicy"}


def statement(effect: str, **more: t.Any) -> dict[str, t.Any]:
    """The documented statement."""
    principal = "arn:aws:iam::279766244153:role/Cryptor-OSB-Provider"
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", **more}


def trust(world: World, *statements: dict[str, t.Any]) -> None:
    world.aws.control(
        "POST", "iam_roles", {"name": ROLE, "policy": {"Version": "2012-10-17", "Statement": list(statements)}}
    )


def byok(world: World, *states: str, effect: str = "Deny") -> None:
    """Make a role, two cryptor keys in each region (in the order of ``ALIASES``), and a key of somebody else's."""
    for region in REGIONS:
        for alias, state in zip((*ALIASES, "alias/other"), (*states, "Disabled"), strict=True):
            world.aws.control("POST", "keys", {"region": region, "alias": alias, "state": state})
    trust(world, statement("Allow", Principal={"AWS": "111122223333"}), statement(effect))


def key_states(world: World) -> list[str]:
    """The states of the keys that are the programme's, whichever it is."""
    keys = world.aws.control("GET", "keys")
    return [key["KeyState"] for key in keys if key["aliases"] != ["alias/other"]]


def effects(world: World) -> list[str]:
    """The effects of the statements of the role's trust policy."""
    (role,) = world.aws.control("GET", "iam_roles")
    return [one["Effect"] for one in json.loads(role["policy"])["Statement"]]


def run(world: World, *arguments: str, **more: t.Any) -> Run:
    variables = {**BYOK, **more.pop("variables", {})}
    return world.run(*ORG, *arguments, variables=variables, **more)


def evidence(world: World, entry_point: str = "restore") -> dict[str, t.Any]:
    newest = sorted(world.folder.glob(f"reports/acme/*-{entry_point}/{entry_point}.json"))[-1]
    return t.cast("dict[str, t.Any]", json.loads(newest.read_text()))


def test_restores_role_and_keys_notifies_once_and_then_changes_nothing(world: World) -> None:
    byok(world, "Disabled", "Disabled")
    first = run(world, variables={"cmk_revoked_at": "2026-01-01T00:00:00Z"})
    assert first.code == 0, first.output
    assert first.result["status"] == "restored"
    assert [(key["region"], key["label"]) for key in first.result["keys"]] == [
        (region, f"{region} {alias}") for region in REGIONS for alias in ALIASES
    ]
    assert first.result["trust"] == {
        "role": ROLE,
        "state_before": "Deny",
        "state_after": "Allow",
        "changed": True,
        "error": "",
        "hint": "",
    }
    assert (key_states(world), effects(world)) == (["Enabled"] * 4, ["Allow", "Allow"])
    for said in (
        "IAM role   atlassian-key-management: Deny -> Allow",
        '+      "Effect": "Allow",',
        "us-west-2 alias/cryptor-2 Disabled -> Enabled",
        "within 15 days of revocation, and promises nothing beyond",
    ):
        assert said in first.output
    assert "two business days" not in first.output
    comment = world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]
    assert comment.startswith("We have restored Atlassian's access to our encryption keys (BYOK).")
    assert comment.count("(was Disabled, is Enabled)") == 4
    assert comment.count("(was Deny, is Allow)") == 1
    assert "your 15 days" in comment
    kept = evidence(world)
    assert (kept["programme"], kept["trust"]["state_after"], kept["window"]["phase"]) == ("byok", "Allow", "at_risk")
    assert [region["label"] for region in kept["regions"]] == [key["label"] for key in first.result["keys"]]
    # Everything but the two calls of each key and the one of the role is a read.
    assert sorted(set(world.calls()) & WRITES) == sorted(WRITES)
    assert (len(world.calls("EnableKey")), len(world.calls("UpdateAssumeRolePolicy"))) == (4, 1)
    second = run(world)
    assert (second.code, second.changed, second.result["status"]) == (0, 0, "already_restored"), second.output
    assert "IAM role   atlassian-key-management: Allow, as it was" in second.output
    assert len(world.told()) == 1


def test_a_key_is_refused_and_the_ticket_waits(world: World) -> None:
    byok(world, "Disabled", "PendingDeletion")
    ran = run(world)
    assert (ran.code != 0, ran.result["status"]) == (True, "partial")
    assert (key_states(world), effects(world)) == (["Enabled", "PendingDeletion"] * 2, ["Allow", "Allow"])
    assert world.told() == []
    again = run(world, "-e", "cmk_cancel_deletion=true")
    assert again.code == 0, again.output
    comment = world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]
    # As the restoration had begun, in the run before.
    assert (comment.count("(was Deny, is Allow)"), comment.count("(was PendingDeletion, is Enabled)")) == (1, 2)


@pytest.mark.parametrize(
    ("statements", "seen"),
    [
        ([statement("Deny", Condition={"Bool": {"aws:SecureTransport": "true"}})], "it has Condition"),
        ([statement("Allow"), statement("Deny", Principal="*")], "another statement may deny"),
    ],
    ids=["a condition", "another deny"],
)
def test_a_policy_that_is_not_as_documented(world: World, statements: list[dict[str, t.Any]], seen: str) -> None:
    byok(world, "Disabled", "Disabled")
    trust(world, *statements)
    before = world.aws.control("GET", "iam_roles")
    ran = run(world)
    assert (ran.code != 0, ran.result["status"]) == (True, "partial")
    assert seen in ran.result["trust"]["error"]
    assert "IAM role   atlassian-key-management: " in ran.output
    assert world.aws.control("GET", "iam_roles") == before
    assert key_states(world) == ["Enabled"] * 4
    assert world.told() == []
    assert evidence(world)["verdict"]["headline"] == "Only partly restored: keys enabled, trust not set"


def test_iam_is_denied(world: World) -> None:
    byok(world, "Disabled", "Disabled")
    world.aws.control("POST", "policy", {"actions": ["kms:*"]})
    ran = run(world)
    assert (ran.code != 0, ran.result["status"]) == (True, "partial")
    assert "Allow iam:GetRole for this identity" in ran.result["trust"]["hint"]
    assert (key_states(world), effects(world), world.told()) == (["Enabled"] * 4, ["Allow", "Deny"], [])


def test_check_mode_changes_nothing_and_shows_the_difference(world: World) -> None:
    byok(world, "Disabled", "Disabled")
    ran = run(world, "--check", "--diff", variables={"cmk_support_mode": "manual"})
    assert ran.code == 0, ran.output
    assert 'titled "BYOK revocation started for AWS account"' in ran.output
    assert not WRITES & set(world.calls())
    assert "+++ after: trust policy of arn:aws:iam::111122223333:role/atlassian-key-management" in ran.output
    assert (ran.result["status"], ran.result["trust"]["state_after"]) == ("planned", "Allow")
    assert (effects(world), world.told()) == (["Allow", "Deny"], [])


def test_only_the_role_is_missing_and_its_change_spreads_slowly(world: World) -> None:
    byok(world, "Enabled", "Enabled")
    world.aws.control("POST", "config", {"propagation": 1.0})
    ran = run(world)
    assert (ran.code, ran.result["status"]) == (0, "restored"), ran.output
    assert (effects(world), world.calls("EnableKey"), len(world.told())) == (["Allow", "Allow"], [], 1)
    assert len(world.calls("GetRole")) > 5


@pytest.mark.parametrize(("effect", "code"), [("Deny", 0), ("Missing", 2)])
def test_assess_looks_at_both(world: World, effect: str, code: int) -> None:
    byok(world, "Disabled", "Disabled")
    if effect == "Missing":
        trust(world, statement("Allow", Principal={"AWS": "111122223333"}))
    ran = run(world, playbook="assess_cmk.yml")
    assert ran.code == code, ran.output
    assert not WRITES & set(world.calls())
    assert f"A RESTORE {'WOULD NOT' if code else 'SHOULD'} SUCCEED" in ran.output
    assert evidence(world, "assess")["trust"]["ok"] is (code == 0)


def test_a_region_without_any_of_the_keys(world: World) -> None:
    world.aws.control("POST", "keys", {"region": REGIONS[0], "alias": ALIASES[0], "state": "Disabled"})
    trust(world, statement("Deny"))
    ran = run(world)
    assert (ran.code != 0, ran.result["status"]) == (True, "partial")
    assert "No alias in region us-west-2 of the account 111122223333 begins with alias/cryptor" in ran.output
    assert world.told() == []


@pytest.mark.parametrize("playbook", ["verify_cmk.yml", "revoke_cmk.yml"])
def test_what_is_made_for_cmk_refuses_it(world: World, playbook: str) -> None:
    byok(world, "Enabled", "Enabled")
    ran = world.run("-e", "org=acme", "-e", "confirm=acme", playbook=playbook, variables=BYOK)
    assert ran.code == 2
    assert "cmk_programme=byok works with restore and assess only" in ran.output
    assert set(key_states(world)) == {"Enabled"}
