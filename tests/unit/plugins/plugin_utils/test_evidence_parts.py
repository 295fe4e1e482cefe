"""From what a run hands over to the evidence: where each part of it comes from."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence

AT: t.Final = "2026-11-24T03:00:09Z"
ARN, ROLE = "arn:aws:kms:us-east-1:111122223333:key/1", "atlassian-key-management"
RUN: t.Final[dict[str, t.Any]] = {
    "entry_point": "restore",
    "keys": [{"region": "us-east-1", "arn": ARN, "key_state_before": "Disabled", "key_state": "Enabled"}],
    "announcement": {
        "reference": "cmk-restore/acme/1",
        "restored_at": AT,
        "told": {"by": "person", "at": AT, "note": "By phone."},
    },
    "collection_version": "1.0.0",
    "versions": {"boto3": "1.44.8"},
    "previous": {"run": "20261124T030000Z-restore", "sha256": "abc"},
    "earlier_runs": [{"run": "20261123T030000Z-restore", "entry_point": "restore", "at": AT}],
    "window": {"revoked_at": AT},
    "comment": "Please start.",
}


def found(**changes: t.Any) -> t.Any:
    return evidence({**RUN, **changes})


def test_what_is_taken_over_as_it_is() -> None:
    made = found()
    assert (made["version"], made["collection_version"], made["versions"]["boto3"]) == (1, "1.0.0", "1.44.8")
    assert (made["previous"]["sha256"], made["earlier_runs"][0]["at"], made["window"]["revoked_at"]) == ("abc", AT, AT)
    assert (made["ticket"]["told_by"], made["ticket"]["told_at"], made["ticket"]["told_note"]) == (
        "person",
        AT,
        "By phone.",
    )
    assert (made["reference"], made["restored_at"]) == ("cmk-restore/acme/1", AT)
    assert found(result={"org": "acme"})["org"] == "acme"


@pytest.mark.parametrize(
    ("command", "parts", "identity"),
    [
        ("restore", {"revocation": {"identity": "trail"}}, "trail"),
        ("restore", {"revocation": {"identity": "trail"}, "revoked": {"identity": "own"}}, "own"),
        ("revoke", {"revocation": {"identity": "the one before"}}, ""),
        ("revoke", {"revocation": {"identity": "the one before"}, "revoked": {"identity": "own"}}, "own"),
    ],
)
def test_which_revocation_it_is(command: str, parts: dict[str, t.Any], identity: str) -> None:
    assert found(entry_point=command, **parts)["revocation"]["identity"] == identity


CHANGED: t.Final = [{"region": "us-east-1", "changed": True}, {"region": "us-west-2", "changed": False}]
TRUST: t.Final = {"role_name": ROLE, "effect_before": "Deny", "effect": "Allow", "changed": True}


@pytest.mark.parametrize(
    ("parts", "predicted", "has_happened"),
    [
        ({"keys": CHANGED}, False, True),
        ({"keys": CHANGED, "check_mode": True}, True, False),
        ({"keys": CHANGED, "entry_point": "assess"}, True, False),
        ({"trust": TRUST, "check_mode": True}, True, False),
        ({"trust": {**TRUST, "changed": False}, "check_mode": True}, True, True),
        # Where nothing is left to do, it has happened before.
        ({"check_mode": True}, True, True),
    ],
)
def test_of_what_is_only_predicted_there_is_no_time(
    parts: dict[str, t.Any], predicted: bool, has_happened: bool
) -> None:
    made = found(**parts)
    expected = ("cmk-restore/acme/1", AT) if has_happened else ("", None)
    assert (made["predicted"], made["reference"], made["restored_at"]) == (predicted, *expected)


@pytest.mark.parametrize(
    ("command", "state", "error", "ok"),
    [
        ("restore", "Enabled", "", True),
        ("restore", "Disabled", "", False),
        ("restore", "Enabled", "Does not settle.", False),
        ("revoke", "Disabled", "", True),
        ("revoke", "Enabled", "", False),
    ],
)
def test_whether_a_key_is_as_wished(command: str, state: str, error: str, ok: bool) -> None:
    (region,) = found(entry_point=command, keys=[{"region": "r", "key_state": state, "error": error}])["regions"]
    assert region["ok"] is ok


@pytest.mark.parametrize(
    ("parts", "regions"),
    [
        ({}, [("us-east-1", "us-east-1", ARN)]),
        ({"keys": [{"region": "r", "label": "r alias/a"}]}, [("r", "r alias/a", "")]),
        # A key that was not found has its ARN from CloudTrail.
        ({"keys": [{"region": "r"}], "revocation": {"keys": [{"region": "r", "arn": "trail"}]}}, [("r", "r", "trail")]),
        ({"revocation": {"keys": [{"region": "us-east-1", "arn": "trail"}]}}, [("us-east-1", "us-east-1", ARN)]),
        # Regions of which only CloudTrail or the comparison tells come after.
        (
            {"revocation": {"keys": [{"region": "lost", "arn": "trail"}]}, "access": [{"region": "compared"}]},
            [("us-east-1", "us-east-1", ARN), ("lost", "lost", "trail"), ("compared", "compared", "")],
        ),
    ],
)
def test_the_regions(parts: dict[str, t.Any], regions: list[tuple[str, str, str]]) -> None:
    assert [(one["region"], one["label"], one["arn"]) for one in found(**parts)["regions"]] == regions


@pytest.mark.parametrize(("states", "at_revocation"), [({}, "Disabled"), ({ARN: "PendingDeletion"}, "PendingDeletion")])
def test_the_states_of_a_key(states: dict[str, str], at_revocation: str) -> None:
    (region,) = found(announcement={**RUN["announcement"], "states_before": states})["regions"]
    told = [region[f"state_{when}"] for when in ("at_revocation", "before", "after")]
    assert told == [at_revocation, "Disabled", "Enabled"]


@pytest.mark.parametrize(
    ("trust", "ok"),
    [(TRUST, True), ({**TRUST, "effect": "Deny"}, False), ({**TRUST, "error": "No."}, False), ({}, None), (None, None)],
)
def test_the_trust_statement(trust: dict[str, t.Any] | None, ok: bool | None) -> None:
    made = found(trust=trust)["trust"]
    assert (made and made["ok"]) is ok
    assert not made or (made["role"], made["state_before"]) == (ROLE, "Deny")


def test_the_checks_of_a_verification_are_those_that_are_known() -> None:
    checks = [{"check": "keys", "says": "Two."}, {"check": "odd", "says": "?"}, {"says": "?"}]
    assert [one["says"] for one in found(verification={"checks": checks})["verification"]["checks"]] == ["Two."]
    assert found(verification={})["verification"] is None
