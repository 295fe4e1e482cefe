"""assess_cmk.yml, the read-only rehearsal, and what it saves for later runs."""

from __future__ import annotations

import datetime as dt
import json
import time
import typing as t

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, World
from tests.standins.aws.clients import client

ORG = ("-e", "org=acme")
ASSESS = "assess_cmk.yml"
CHANGING = {"EnableKey", "DisableKey", "CancelKeyDeletion", "PutKeyPolicy", "CreateGrant", "RevokeGrant"}


def _revoke(world: World, days: float = 3) -> None:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    for region in REGIONS:
        event = {"region": region, "time": moment.isoformat(), "name": "DisableKey", "key": ALIAS}
        world.aws.control("POST", "events", event)


def _evidence(world: World, entry_point: str) -> dict[str, t.Any]:
    newest = sorted(world.folder.glob(f"reports/acme/*-{entry_point}/{entry_point}.json"))[-1]
    kept = {path.name.removeprefix(entry_point) for path in newest.parent.iterdir()}
    assert kept == {".json", ".md", ".html", "SHA256SUMS"}
    return t.cast("dict[str, t.Any]", json.loads(newest.read_text()))


def test_a_restore_would_succeed(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _revoke(world)
    ran = world.run(*ORG, playbook=ASSESS)
    assert ran.code == 0, ran.output
    assert ran.result["status"] == "planned"
    assert ran.result["window"]["phase"] == "reinstatable"
    assert "A RESTORE SHOULD SUCCEED; KMS:ENABLEKEY IS NOT PROVEN" in ran.output
    assert not CHANGING & set(world.calls())
    assert world.told() == []
    assert _evidence(world, "assess")["schema"] == "keyops.atlassian_cmk/evidence"


@pytest.mark.parametrize(
    ("days", "phase", "says"),
    [(12, "uncertain", "no longer promises"), (21, "at_risk", "says that full recovery may be impossible")],
)
def test_the_run_goes_on_beyond_the_window_and_says_so(world: World, days: int, phase: str, says: str) -> None:
    world.keys("Disabled", "Disabled")
    _revoke(world, days)
    ran = world.run(*ORG)
    assert ran.code == 0, ran.output
    assert ran.result["window"]["phase"] == phase
    assert says in ran.output
    assert world.states() == ["Enabled", "Enabled"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"status": 401, "count": None}, "did not accept the credentials"),
        ({"status": 404, "count": None}, "has no such ticket"),
        ({"login_page": True, "count": None}, "a login page"),
    ],
    ids=["token expired", "no ticket", "suspended"],
)
def test_the_desk_would_not_take_a_comment(world: World, fault: dict[str, t.Any], seen: str) -> None:
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/faults", fault)
    ran = world.run(*ORG, playbook=ASSESS)
    assert ran.code != 0
    assert seen in ran.output
    assert "A RESTORE WOULD NOT SUCCEED" in ran.output
    assert world.states() == ["Disabled", "Disabled"]


def test_a_closed_ticket(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.desk.control("PATCH", "/tickets/CMK-1", {"open": False, "status": "Closed"})
    ran = world.run(*ORG, playbook=ASSESS)
    assert ran.code != 0
    assert "takes no comment from this account (its status is Closed)" in ran.output


def test_a_policy_that_changed_since_the_last_assessment(world: World) -> None:
    world.keys("Enabled", "Enabled")
    assert world.run(*ORG, playbook=ASSESS, variables={"cmk_support_mode": "manual"}).code == 0
    root = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    vendor = {
        "Effect": "Deny",
        "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": "kms:Decrypt",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [root, vendor]}
    world.aws.control("PATCH", f"keys/us-east-1/{ALIAS}", {"state": "Disabled", "policy": json.dumps(policy)})
    ran = world.run(*ORG)
    assert ran.code == 0, ran.output
    assert "WARNING    us-east-1: Policy or grants differ from the saved copy" in ran.output
    assert "WARNING    us-west-2" not in ran.output
    (_east, _west) = _evidence(world, "restore")["regions"]
    assert '"Effect": "Deny"' in _east["access"]["diff"]
    regions = {entry["region"]: entry["access"]["changed"] for entry in _evidence(world, "restore")["regions"]}
    assert regions == {"us-east-1": True, "us-west-2": False}
    assert "PutKeyPolicy" not in world.calls()


def _grant(world: World) -> None:
    for key in world.aws.control("GET", "keys"):
        client(world.aws, region=key["region"]).create_grant(
            KeyId=key["KeyId"], GranteePrincipal="arn:aws:iam::444455556666:role/worker", Operations=["Decrypt"]
        )


def test_grants_that_could_not_be_read_are_not_no_grants(world: World) -> None:
    world.keys("Enabled", "Enabled")
    _grant(world)
    world.aws.control("POST", "faults", {"operation": "ListGrants", "error": "AccessDeniedException", "count": 2})
    assert world.run(*ORG, playbook=ASSESS).code == 0
    assert not (world.folder / "reports/acme/access.json").exists()
    ran = world.run(*ORG, playbook=ASSESS)
    assert ran.code == 0, ran.output
    assert "differ from the saved copy" not in ran.output
    assert "may still be locked out" not in ran.output
    copy = json.loads((world.folder / "reports/acme/access.json").read_text())
    assert [len(access["grants"]) for access in copy.values()] == [1, 1]
    # Nor does a copy that was made with them differ from what cannot be read.
    world.aws.control("POST", "faults", {"operation": "ListGrants", "error": "AccessDeniedException", "count": 2})
    ran = world.run(*ORG, playbook=ASSESS)
    assert "differ from the saved copy" not in ran.output
    assert "Policy and grants could not be compared: AWS refused ListGrants" in ran.output
    assert json.loads((world.folder / "reports/acme/access.json").read_text()) == copy


def test_without_any_permission_but_the_two(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.aws.control("POST", "policy", {"actions": ["kms:DescribeKey", "kms:EnableKey"]})
    ran = world.run(*ORG)
    assert ran.code == 0, ran.output
    assert ran.result["revoked_at"] is None
    assert "not known. AWS refused LookupEvents" in ran.output


def test_a_second_revocation_on_the_same_ticket_enabled_by_hand_is_announced_as_well(world: World) -> None:
    world.keys("Disabled", "Disabled")
    _revoke(world, 5)
    assert world.run(*ORG).code == 0
    assert len(world.told()) == 1
    # Another controller, which remembers nothing, after another revocation that was ended in the console.
    # The desk tells whole seconds, and the first comment must be older than the loss.
    time.sleep(1.1)
    moment = dt.datetime.now(dt.UTC)
    for region in REGIONS:
        for name in ("DisableKey", "EnableKey"):
            event = {"region": region, "time": moment.isoformat(), "name": name, "key": ALIAS}
            world.aws.control("POST", "events", event)
    ran = world.run(*ORG, env={"CMK_REPORT_DIR": str(world.folder / "elsewhere")})
    assert ran.code == 0, ran.output
    assert len(set(world.told())) == 2
    again = world.run(*ORG, env={"CMK_REPORT_DIR": str(world.folder / "third")})
    assert again.result["status"] == "already_restored", again.output
    assert len(world.told()) == 2


@pytest.mark.parametrize("playbook", ["assess_cmk.yml", "restore_cmk.yml"])
def test_what_will_revoke_access_again_is_named(world: World, playbook: str) -> None:
    world.keys("Disabled", "Disabled")
    lost = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat(timespec="seconds")
    agent = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.66.0"
    for region in REGIONS:
        event = {"region": region, "name": "DisableKey", "key": ALIAS, "time": lost, "user_agent": agent}
        world.aws.control("POST", "events", event)
    ran = world.run("-e", "org=acme", playbook=playbook)
    assert ran.code == 0, ran.output
    said = "Terraform revoked access in us-east-1, us-west-2: set is_enabled of the key in its code as well"
    assert f"WARNING    {said}, or its next apply revokes access again." in ran.output
    (report,) = world.folder.glob("reports/acme/*/*.html")
    assert said in report.read_text(encoding="utf-8")
