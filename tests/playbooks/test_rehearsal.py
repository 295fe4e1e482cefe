"""assess_cmk.yml while the keys are enabled: what it proves, what it only predicts, and a key that may be the wrong one."""

from __future__ import annotations

import typing as t

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World
from tests.playbooks.test_assess import ASSESS, CHANGING, ORG, _evidence
from tests.playbooks.test_verify import TAG, VENDOR, ago

PROVE: t.Final = {"cmk_prove_permission": True}
OLD: t.Final = {"creation_date": "2025-01-01"}


def use(world: World, *regions: str, **more: t.Any) -> None:
    """Let Atlassian call a key."""
    for region in regions or REGIONS:
        event = {"region": region, "name": "Decrypt", "key": ALIAS, "user_arn": VENDOR, "time": ago(minutes=3)}
        world.aws.control("POST", "events", {**event, "encryption_context": {"tenant": TAG}, **more})


def outcomes(ran: Run, subject: str) -> list[str]:
    return [check["outcome"] for check in ran.result["checks"] if check["subject"] == subject]


def test_the_permission_is_proven_on_keys_that_are_enabled(world: World) -> None:
    world.keys("Enabled", "Enabled", **OLD)
    use(world)
    ran = world.run(*ORG, playbook=ASSESS, variables=PROVE)
    assert (ran.code, ran.changed) == (0, 0), ran.output
    assert "acme: READY: NOTHING TO RESTORE, AND KMS:ENABLEKEY IS PROVEN\n" in ran.output
    assert outcomes(ran, "kms:EnableKey") == ["proven", "proven"]
    assert not any(key["changed"] or key["actions"] for key in ran.result["keys"])
    assert sorted(world.calls("EnableKey")) == list(REGIONS)
    # What CloudTrail records of it takes nothing for a restoration.
    assert ran.result["status"] == "nothing_to_restore"
    found = _evidence(world, "assess")
    assert all(region["proven_at"] for region in found["regions"])
    kinds = [moment["kind"] for moment in found["timeline"]]
    assert (kinds.count("proven"), kinds.count("enabled")) == (2, 0)
    assert [check["subject"] for check in found["checks"]] == [check["subject"] for check in ran.result["checks"]]
    (report,) = world.folder.glob("reports/acme/*-assess/assess.html")
    assert "AWS permits it. EnableKey at" in report.read_text(encoding="utf-8")
    again = world.run(*ORG, playbook=ASSESS, variables=PROVE)
    assert again.result["status"] == "nothing_to_restore", again.output


def test_without_the_proof_it_says_so(world: World) -> None:
    world.keys("Enabled", "Enabled", **OLD)
    use(world)
    ran = world.run(*ORG, playbook=ASSESS)
    assert ran.code == 0, ran.output
    assert "acme: A RESTORE SHOULD SUCCEED; KMS:ENABLEKEY IS NOT PROVEN\n" in ran.output
    assert "  proven     key, owner, state, last use, clock, report folder, ticket, token\n" in ran.output
    assert "  predicted  kms:EnableKey, comment\n" in ran.output
    assert "  last use   us-east-1 3 min ago (Decrypt), us-west-2 3 min ago (Decrypt)\n" in ran.output
    assert "EnableKey" not in world.calls()
    # In check mode the proof is announced, and nothing is called or written.
    ran = world.run(
        *ORG, "--check", playbook=ASSESS, variables=PROVE, env={"CMK_REPORT_DIR": str(world.folder / "none")}
    )
    assert ran.code == 0, ran.output
    assert "EnableKey would be called to prove that it is permitted, which changes nothing" in ran.output
    assert outcomes(ran, "kms:EnableKey") == ["predicted", "predicted"]
    assert outcomes(ran, "report folder") == ["unknown"]
    assert "EnableKey" not in world.calls()
    assert not (world.folder / "none").exists()


def test_a_denied_proof_fails_the_rehearsal(world: World) -> None:
    world.keys("Enabled", "Disabled", **OLD)
    world.aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "cloudtrail:LookupEvents"]})
    ran = world.run(*ORG, playbook=ASSESS, variables=PROVE)
    assert ran.code != 0
    assert "NOT READY: A RESTORE WOULD NOT SUCCEED" in ran.output
    assert "Allow kms:EnableKey for this identity" in ran.output
    assert outcomes(ran, "kms:EnableKey") == ["failed", "predicted"]
    # The last use, which is not permitted either, costs no line of its own.
    assert outcomes(ran, "last use") == ["unknown", "unknown"]
    assert world.calls("EnableKey") == ["us-east-1"]
    assert world.states() == ["Enabled", "Disabled"]
    assert not any(key["actions"] for key in ran.result["keys"][:1])


def test_a_key_that_nobody_uses_may_be_the_wrong_one(world: World) -> None:
    # The named key of the second region was used last sixteen days ago, by an account of our own.
    world.keys("Enabled", "Enabled", **OLD)
    use(world, "us-east-1")
    use(world, "us-west-2", user_arn="arn:aws:iam::111122223333:user/app", time=ago(days=16))
    ran = world.run(*ORG, playbook=ASSESS, variables={"cmk_expected_use": "1d"})
    assert ran.code == 0, ran.output
    assert outcomes(ran, "last use") == ["proven", "failed"]
    assert "  WARNING    us-west-2: not used since " in ran.output
    assert "it may be the wrong key (cmk_expected_use is 1 day)" in ran.output
    assert any("may be the wrong key" in warning for warning in _evidence(world, "assess")["warnings"])


def test_while_the_keys_are_disabled(world: World) -> None:
    world.keys("Disabled", "Disabled", origin="EXTERNAL", valid_to=ago(days=-4), **OLD)
    world.lose()
    use(world, "us-east-1", error_code="DisabledException", time=ago(hours=5))
    ran = world.run(*ORG, playbook=ASSESS, variables={**PROVE, "cmk_context_tag": TAG})
    assert ran.code == 0, ran.output
    # A key that is not Enabled gets no call, however much is to be proven.
    assert not CHANGING & set(world.calls())
    assert "A RESTORE SHOULD SUCCEED; KMS:ENABLEKEY IS NOT PROVEN" in ran.output
    (sign,) = [check for check in ran.result["checks"] if check["subject"] == "calls by Atlassian"]
    assert (sign["label"], sign["outcome"]) == ("us-east-1", "predicted")
    assert "a sign, and no proof, that the key policy still admits Atlassian" in sign["by"]
    assert outcomes(ran, "key material") == ["proven", "proven"]
    assert ran.result["window"]["deadline"] == ran.result["window"]["expiry_date"]
    assert "left of" not in ran.output
    assert "left, then imported key material expires)" in ran.output


@pytest.mark.parametrize("playbook", ["restore_cmk.yml", "verify_cmk.yml"])
def test_no_other_command_proves_it(world: World, playbook: str) -> None:
    world.keys("Enabled", "Enabled")
    world.run(*ORG, playbook=playbook, variables=PROVE)
    assert "EnableKey" not in world.calls()
