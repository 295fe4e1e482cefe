"""The timeline of a run, line by line as a reader sees it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.events import find_moments
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from tests.tools.evidence_runs import REGIONS, RUNS, event, key, loss, run


def told(facts: t.Any) -> list[str]:
    return [
        f"{one['at'][5:16].replace('T', ' ')} {one['kind']}: {' '.join(filter(None, [one['region'], one['label']]))}"
        for one in find_moments(facts)
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "byok_late",
            [
                "11-01 03:00 revoked: Access lost, as far as known",
                "11-15 14:20 revoked: us-east-1 alias/cryptor-1 Access taken away (DisableKey)",
                "11-15 14:20 revoked: us-west-2 Access taken away (DisableKey)",
                "11-16 03:00 mark: 15 days: Atlassian's limit for restoring access to BYOK keys",
                "11-24 03:00 started: Run started (restore)",
                "11-24 03:00 access_changed: Role trusts Atlassian again (UpdateAssumeRolePolicy)",
                "11-24 03:00 enabled: us-east-1 alias/cryptor-1 Key enabled (EnableKey)",
                "11-24 03:00 enabled: us-east-1 alias/cryptor-2 Key enabled (EnableKey)",
                "11-24 03:00 enabled: us-west-2 Key enabled (EnableKey)",
                "11-24 03:00 usable: Every key usable",
                "11-24 03:00 handed_over: Text handed over, Atlassian not notified",
                "11-24 03:00 finished: Run ended",
            ],
        ),
        (
            "partial",
            [
                "11-03 08:00 revoked: Access lost, as far as known",
                "11-13 08:00 mark: 10 days: Atlassian can reinstate until here",
                "11-15 14:20 revoked: us-east-1 Access taken away (DisableKey)",
                "11-15 14:20 revoked: us-west-2 Access taken away (DisableKey)",
                "11-15 14:31 access_changed: us-west-2 Policy or grants changed (PutKeyPolicy)",
                "11-23 08:00 mark: 20 days: full recovery may be impossible after this",
                "11-24 03:00 started: Run started (restore)",
                "11-24 03:00 enabled: us-east-1 Key enabled (EnableKey)",
                "11-24 03:00 finished: Run ended",
                "11-26 03:00 expected: Completion expected (if Atlassian is notified now)",
            ],
        ),
        (
            "verify",
            [
                "11-15 14:20 revoked: us-east-1 Access taken away (DisableKey)",
                "11-15 14:20 revoked: us-west-2 Access taken away (DisableKey)",
                "11-24 03:00 enabled: us-east-1 Access came back (CloudTrail)",
                "11-24 03:00 enabled: us-west-2 Access came back (CloudTrail)",
                "11-24 03:00 usable: Every key usable",
                "11-24 03:00 announced: Atlassian notified (comment 10042)",
                "11-24 15:00 replied: Answer on the ticket (Support)",
                "11-25 02:11 used: us-east-1 Used by account 444455556666 (Decrypt)",
                "11-25 02:14 used: us-west-2 Used by account 444455556666 (Decrypt)",
                "11-25 14:20 mark: 10 days: Atlassian can reinstate until here",
                "11-26 03:00 expected: Completion expected (two business days)",
                "11-26 09:29 started: Run started (verify)",
                "11-26 09:30 finished: Run ended",
                "12-05 14:20 mark: 20 days: full recovery may be impossible after this",
            ],
        ),
        (
            "revoke",
            [
                "11-24 03:00 started: Run started (revoke)",
                "11-24 03:00 revoked: us-east-1 Key disabled (DisableKey)",
                "11-24 03:00 revoked: us-west-2 Key disabled (DisableKey)",
                "11-24 03:00 finished: Run ended",
                "12-04 03:00 mark: 10 days: Atlassian can reinstate until here",
                "12-14 03:00 mark: 20 days: full recovery may be impossible after this",
            ],
        ),
    ],
)
def test_of_a_run(name: str, lines: list[str]) -> None:
    assert told(evidence(RUNS[name])) == lines


def changed(name: str, **parts: t.Any) -> t.Any:
    """The facts of a run, with some fields of its parts changed."""
    found: t.Any = evidence(RUNS[name])
    return {
        **found,
        **{part: {**found[part], **new} if isinstance(new, dict) else new for part, new in parts.items()},
    }


MAILED: t.Final = "2026-11-24T03:00:10Z"
FAILED: t.Final = {"operation": "UpdateAssumeRolePolicy", "at": MAILED, "error": "AccessDenied"}


@pytest.mark.parametrize(
    ("facts", "kind", "lines"),
    [
        (
            changed("handover_pending", ticket={"mailed_at": MAILED}),
            "handed_over",
            ["11-24 03:00 handed_over: Text mailed, no comment proven"],
        ),
        (changed("restored", ticket={"mailed_at": MAILED}), "handed_over", []),
        (
            changed("restored", ticket={"told_by": "person"}),
            "announced",
            ["11-24 03:00 announced: Atlassian notified (by a person)"],
        ),
        (
            changed("restored", ticket={"comment_id": ""}),
            "announced",
            ["11-24 03:00 announced: Atlassian notified (comment)"],
        ),
        (changed("restored", ticket={"told_by": ""}), "announced", ["11-24 03:00 announced: Atlassian notified"]),
        (changed("restored", ticket={"told": False}), "announced", []),
        # A statement that could not be set, and other calls, changed nothing.
        (changed("byok", trust={"calls": [FAILED]}), "access_changed", []),
        (changed("byok", trust={"calls": [{**FAILED, "operation": "GetRole", "error": ""}]}), "access_changed", []),
        (changed("byok", trust=None), "access_changed", []),
        (
            changed("restored", window={"deletion_date": "2026-12-01T00:00:00Z"}),
            "deletion",
            ["12-01 00:00 deletion: AWS deletes the key"],
        ),
        (
            changed("restored", window={"expiry_date": "2026-12-01T00:00:00Z"}),
            "expiry",
            ["12-01 00:00 expiry: Imported key material expires"],
        ),
        # Half a day more or less is the nearest number of days.
        (
            changed("restored", window={"reinstate_by": None, "at_risk_after": "2026-12-05T01:00:00Z"}),
            "mark",
            ["12-05 01:00 mark: 19 days: full recovery may be impossible after this"],
        ),
        (
            changed("restored", window={"revoked_at": None, "reinstate_by": None}),
            "mark",
            ["12-05 14:20 mark: full recovery may be impossible after this"],
        ),
        (changed("verify", verification={"use": [], "reply": None}), "used", []),
        (changed("verify", verification={"use": [], "reply": None}), "replied", []),
        # Once only, although the clock began with the loss of a key.
        (
            changed("restored", window={"revoked_at": "2026-11-15T14:20:44Z"}),
            "revoked",
            [f"11-15 14:20 revoked: {region} Access taken away (DisableKey)" for region in REGIONS],
        ),
    ],
)
def test_what_one_line_says(facts: t.Any, kind: str, lines: list[str]) -> None:
    assert [line for line in told(facts) if line.split(" ")[2] == f"{kind}:"] == lines


def one_key(**more: t.Any) -> list[str]:
    """What is told of one key."""
    facts: t.Any = evidence(RUNS["restored"])
    facts["regions"] = [{**facts["regions"][0], **more}]
    return [line[6:] for line in told(facts) if "us-east-1" in line]


def lost(**more: t.Any) -> t.Any:
    return evidence(run([key("us-east-1")], revocation={"keys": [{**loss("us-east-1"), **more}]}))["regions"][0][
        "revocation"
    ]


def call(name: str, error: str = "") -> dict[str, str]:
    return {"operation": name, "at": "2026-11-24T03:00:02Z", "error": error, "request_id": ""}


TAKEN: t.Final = "14:20 revoked: us-east-1 Access taken away (DisableKey)"
ENABLED: t.Final = "03:00 enabled: us-east-1 Key enabled (EnableKey)"
CAME_BACK: t.Final = "05:00 enabled: us-east-1 Access came back (CloudTrail)"
PROVEN: t.Final = "03:00 proven: us-east-1 kms:EnableKey proven on the Enabled key (EnableKey)"
BACK: t.Final = "2026-11-20T05:00:00Z"
SUSPECT: t.Final = event("us-east-1", "PutKeyPolicy", "2026-11-15T14:20:31Z")


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ({"revocation": None}, [ENABLED]),
        ({"calls": [call("CancelKeyDeletion"), call("EnableKey"), call("DescribeKey")]}, [
            TAKEN, "03:00 cancelled: us-east-1 Deletion cancelled (CancelKeyDeletion)", ENABLED,
        ]),
        ({"calls": [call("EnableKey", "AccessDenied")]}, [TAKEN]),
        # The call that only proves the permission changed nothing.
        ({"proven_at": "2026-11-24T03:00:02Z"}, [TAKEN, PROVEN]),
        ({"calls": [], "revocation": lost(restored_at=BACK)}, [TAKEN, CAME_BACK]),
        # What the run itself did is not told a second time.
        ({"revocation": lost(restored_at=BACK)}, [TAKEN, ENABLED]),
        # Without a loss, nothing came back.
        ({"calls": [], "revocation": lost(restored_at=BACK, revoked_at=None, last_revocation=None)}, []),
        # A change in the second of the loss is shown, and one whose time is not known has no place.
        ({"calls": [], "revocation": lost(suspects=[SUSPECT])}, [
            TAKEN, "14:20 access_changed: us-east-1 Policy or grants changed (PutKeyPolicy)",
        ]),
        ({"calls": [], "revocation": lost(suspects=[{**SUSPECT, "time": None}])}, [TAKEN]),
        # Routine changes of before the loss are in the details of the region.
        ({"calls": [], "revocation": lost(suspects=[{**SUSPECT, "time": "2026-11-15T14:20:30Z"}])}, [TAKEN]),
        ({"calls": [], "revocation": lost(suspects=[{**SUSPECT, "name": name} for name in "abcd"])}, [
            TAKEN, *(f"14:20 access_changed: us-east-1 Policy or grants changed ({name})" for name in "bcd"),
        ]),
        ({"calls": [], "revocation": lost(revoked_how="")}, ["14:20 revoked: us-east-1 Access taken away"]),
    ],
)  # fmt: skip
def test_of_one_key(more: dict[str, t.Any], lines: list[str]) -> None:
    assert one_key(**more) == lines


def test_of_a_revocation_an_earlier_loss_that_was_undone_is_no_part() -> None:
    facts = changed("revoke", regions=[{**evidence(RUNS["revoke"])["regions"][0], "calls": []}])
    assert [line for line in told(facts) if "us-east-1" in line] == []


def test_a_cancelled_deletion_was_due() -> None:
    facts = changed("restored", window={"deletion_date": "2026-12-01T00:00:00Z"})
    facts["regions"][0]["calls"] = [call("CancelKeyDeletion", "AccessDenied")]
    assert "12-01 00:00 deletion: AWS deletes the key" in told(facts)
    facts["regions"][0]["calls"] = [call("CancelKeyDeletion")]
    assert "12-01 00:00 deletion: Deletion was due, but is cancelled" in told(facts)
