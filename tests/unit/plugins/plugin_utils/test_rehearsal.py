"""What a rehearsal has proven, what it only predicts, and by what."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import (
    Check,
    check_rehearsal,
    describe_last_use,
    summarize,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from tests.unit.plugins.plugin_utils.test_run import AT, NOW, PLANNED, raw

ARN = PLANNED["arn"]
ENABLED = {**PLANNED, "key_state_before": "Enabled", "actions": [], "changed": False, "account_id": "111122223333"}
PROVEN = {**ENABLED, "proof": {"operation": "EnableKey", "at": AT}}
ANNOUNCED = {**ENABLED, "proof": {"operation": "EnableKey", "at": None}}
DENIED = {
    **ANNOUNCED,
    "code": "access_denied",
    "error": "AWS refused EnableKey.",
    "hint": "Allow kms:EnableKey for this identity.",
}
MINUTES_AGO = "2026-11-24T02:57:00Z"
LONG_AGO = "2026-11-01T09:00:00Z"
LAST = {"time": MINUTES_AGO, "operation": "Decrypt", "event_id": "e", "tracked_since": "2026-04-27T00:00:00Z"}
LAST |= {"created_at": "2025-01-01T00:00:00Z"}
READ = {"ticket_read": True, "ticket_status": "Open", "folder_error": ""}
REFUSED = {
    "time": "2026-11-22T00:00:00Z",
    "name": "Decrypt",
    "account_id": "444455556666",
    "source_ip": "",
    "event_id": "x",
}


def checks(key: dict[str, t.Any] | None = None, trail: dict[str, t.Any] | None = None, **more: t.Any) -> list[Check]:
    key = key or ENABLED
    settings = {"mode": "api", "report_dir": "/cmk", **more.pop("settings", {})}
    settings = {**raw()["settings"], **settings}
    known = {"region": "ap-northeast-1", "arn": ARN, "last_use": LAST, "missing_material": [], **(trail or {})}
    look = {"rehearsed": READ, "ticket": {}, **more.pop("look", {})}
    given = {
        **raw(plan={"keys": [key], "clock_offset": -0.3}, revocation={"keys": [known]}, settings=settings),
        "entry_point": "assess",
        "look": look,
        "ticket": look["ticket"],
        **more,
    }
    return list(check_rehearsal(Run.from_json(given)))


def outcome(found: list[Check], subject: str) -> str:
    (check,) = [check for check in found if check.subject == subject]
    return check.outcome


def text(found: list[Check], subject: str) -> str:
    (check,) = [check for check in found if check.subject == subject]
    return f"{check.says}. {check.by}"


def test_a_healthy_key_and_its_organization() -> None:
    found = checks(PROVEN, settings={"account_id": "111122223333"})
    assert {check.subject: check.outcome for check in found} == {
        "key": "proven",
        "owner": "proven",
        "state": "proven",
        "kms:EnableKey": "proven",
        "policy and grants": "unknown",
        "last use": "proven",
        "clock": "proven",
        "report folder": "proven",
        "ticket": "proven",
        "token": "proven",
        "comment": "predicted",
    }
    assert all(check.says and check.by for check in found)
    assert text(found, "kms:EnableKey").endswith(
        "EnableKey at 2026-11-24 03:00 UTC on the key, which was Enabled: nothing changed"
    )
    assert "0.3 s" in text(found, "clock")


@pytest.mark.parametrize("command", ["restore", "verify", "revoke"])
def test_other_commands_are_no_rehearsal(command: str) -> None:
    assert checks(entry_point=command) == []


def test_with_wrong_settings_nothing_was_rehearsed() -> None:
    assert checks(settings={"problems": ["No realm is given."]}) == []


@pytest.mark.parametrize(
    ("key", "settings", "wanted", "says"),
    [
        (ENABLED, {}, "predicted", "cmk_prove_permission proves it on a key that is Enabled"),
        (ANNOUNCED, {"prove_permission": True}, "predicted", "check mode: a run without it calls EnableKey"),
        (PROVEN, {"prove_permission": True}, "proven", "AWS permits it"),
        (DENIED, {"prove_permission": True}, "failed", "Allow kms:EnableKey for this identity."),
        (
            PLANNED,
            {"prove_permission": True},
            "predicted",
            "only a key that is Enabled proves it, and this one is Disabled",
        ),
        ({**PLANNED, "code": "pending_deletion", "error": "It is pending."}, {}, "unknown", "not called"),
    ],
)
def test_the_permission(key: dict[str, t.Any], settings: dict[str, t.Any], wanted: str, says: str) -> None:
    found = checks(key, settings=settings)
    assert outcome(found, "kms:EnableKey") == wanted
    assert says in text(found, "kms:EnableKey")
    assert outcome(found, "state") == ("failed" if key.get("code") == "pending_deletion" else "proven")


@pytest.mark.parametrize(
    ("key", "subject", "wanted"),
    [
        ({**ENABLED, "arn": None, "code": "key_not_found", "error": "There is none."}, "key", "failed"),
        ({**ENABLED, "arn": None, "code": "not_reached", "error": "No answer."}, "key", "unknown"),
        ({**ENABLED, "code": "owner_differs", "error": "Another owner."}, "owner", "failed"),
        (ENABLED, "owner", "unknown"),
        ({**PLANNED, "actions": ["CancelKeyDeletion", "EnableKey"]}, "kms:CancelKeyDeletion", "predicted"),
    ],
)
def test_the_key(key: dict[str, t.Any], subject: str, wanted: str) -> None:
    assert outcome(checks(key), subject) == wanted


@pytest.mark.parametrize(
    ("access", "wanted"),
    [
        ({}, "predicted"),
        ({"changed": True, "note": "They differ."}, "failed"),
        ({"note": "No earlier copy is kept."}, "unknown"),
    ],
)
def test_policy_and_grants(access: dict[str, t.Any], wanted: str) -> None:
    decided = {"access": [{"region": "ap-northeast-1", "arn": ARN, **access}]}
    assert outcome(checks(decided=decided), "policy and grants") == wanted


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (LAST, "last used 3 min ago (Decrypt)"),
        ({**LAST, "time": "2026-11-24T02:59:39Z"}, "last used 30 s ago (Decrypt)"),
        ({**LAST, "time": "2026-11-24T02:59:09Z"}, "last used 1 min ago (Decrypt)"),
        ({**LAST, "time": "2026-11-24T02:58:39Z"}, "last used 1 min ago (Decrypt)"),
        ({**LAST, "time": "2026-11-23T03:00:09Z"}, "last used 1 day ago (Decrypt)"),
        ({**LAST, "time": "2026-11-23T03:00:08Z"}, "not used since 2026-11-23 03:00 UTC (Decrypt)"),
        ({**LAST, "time": LONG_AGO}, "not used since 2026-11-01 09:00 UTC (Decrypt)"),
        ({**LAST, "time": "2026-11-24T03:05:00Z"}, "last used 0 s ago (Decrypt)"),  # AWS's clock is ahead
        ({**LAST, "time": None}, "not used since 2026-04-27 00:00 UTC, when AWS began to record it"),
        ({**LAST, "time": None, "tracked_since": "2025-01-01T00:00:00Z"}, "never used since it was created"),
    ],
)
def test_the_last_use_in_words(last: dict[str, t.Any], says: str) -> None:
    assert describe_last_use(last, NOW) == says


@pytest.mark.parametrize(
    ("key", "trail", "expected", "wanted"),
    [
        (ENABLED, {}, 86400, "proven"),
        (ENABLED, {"last_use": {**LAST, "time": LONG_AGO}}, 86400, "failed"),
        (ENABLED, {"last_use": {**LAST, "time": LONG_AGO}}, 0, "proven"),
        (ENABLED, {"last_use": {**LAST, "time": LONG_AGO}}, 30 * 86400, "proven"),
        (ENABLED, {"last_use": {**LAST, "time": None}}, 86400, "failed"),
        # AWS's record is up to an hour late.
        (ENABLED, {"last_use": {**LAST, "time": "2026-11-23T02:30:00Z"}}, 86400, "proven"),
        (ENABLED, {"last_use": {**LAST, "time": "2026-11-23T02:00:09Z"}}, 86400, "proven"),
        (ENABLED, {"last_use": {**LAST, "time": "2026-11-23T02:00:08Z"}}, 86400, "failed"),
        # It could not be used before it was enabled again, and cannot be while it is disabled.
        (ENABLED, {"last_use": {**LAST, "time": LONG_AGO}, "restored_at": MINUTES_AGO}, 86400, "proven"),
        (PLANNED, {"last_use": {**LAST, "time": LONG_AGO}}, 86400, "proven"),
        (ENABLED, {"last_use": None, "health_reason": "AWS refused GetKeyLastUsage."}, 86400, "unknown"),
    ],
)
def test_a_key_that_is_not_used_may_be_the_wrong_one(
    key: dict[str, t.Any], trail: dict[str, t.Any], expected: float, wanted: str
) -> None:
    found = checks(key, trail, settings={"expected_use": expected})
    assert outcome(found, "last use") == wanted
    assert ("it may be the wrong key" in text(found, "last use")) is (wanted == "failed")


@pytest.mark.parametrize(
    ("key", "trail", "shows"),
    [
        (PLANNED, {"refused_use": REFUSED, "revoked_at": "2026-11-20T08:15:00Z"}, True),
        (PLANNED, {"refused_use": REFUSED, "revoked_at": REFUSED["time"]}, True),
        (PLANNED, {"refused_use": REFUSED, "revoked_at": "2026-11-23T08:15:00Z"}, False),  # of an earlier loss
        (PLANNED, {"refused_use": REFUSED}, False),
        (PLANNED, {"revoked_at": "2026-11-20T08:15:00Z"}, False),
        (ENABLED, {"refused_use": REFUSED, "revoked_at": "2026-11-20T08:15:00Z"}, False),
    ],
)
def test_failing_calls_by_atlassian_are_a_sign_and_none_means_nothing(
    key: dict[str, t.Any], trail: dict[str, t.Any], shows: bool
) -> None:
    found = [check for check in checks(key, trail) if check.subject == "calls by Atlassian"]
    assert [check.outcome for check in found] == (["predicted"] if shows else [])
    assert not shows or "a sign, and no proof" in found[0].by


@pytest.mark.parametrize(
    ("trail", "wanted", "says"),
    [
        ({"missing_material": []}, "proven", "complete, and expires at 2026-11-30 00:00 UTC"),
        ({"missing_material": ["m1", "m2"]}, "failed", "imported material is missing (m1, m2)"),
        ({"missing_material": None, "health_reason": "AWS refused ListKeyRotations."}, "unknown", "ListKeyRotations"),
    ],
)
def test_imported_material(trail: dict[str, t.Any], wanted: str, says: str) -> None:
    found = checks({**ENABLED, "origin": "EXTERNAL", "valid_to": "2026-11-30T00:00:00+00:00"}, trail)
    assert outcome(found, "key material") == wanted
    assert says in text(found, "key material")


def test_material_that_does_not_expire_and_what_was_not_asked() -> None:
    imported = {**ENABLED, "origin": "EXTERNAL"}
    assert "complete, and does not expire" in text(checks(imported), "key material")
    unknown = checks(imported, {"missing_material": None, "last_use": None})
    assert text(unknown, "key material").endswith("AWS was not asked")
    assert text(unknown, "last use") == "not read. AWS was not asked"


UNAUTHORIZED = {"code": "desk_unauthorized", "error": "The desk did not accept the credentials."}
CLOSED = {"code": "desk_closed", "error": "The ticket takes no comment."}


@pytest.mark.parametrize(
    ("ticket", "read", "wanted"),
    [
        ({}, True, ("proven", "proven", "predicted")),
        (CLOSED, True, ("proven", "proven", "failed")),
        (UNAUTHORIZED, False, ("failed", "failed", "unknown")),
        ({"code": "desk_forbidden", "error": "Not allowed."}, False, ("failed", "failed", "unknown")),
        ({"code": "desk_login_page", "error": "A login page."}, False, ("failed", "failed", "unknown")),
        ({"code": "desk_not_reached", "error": "No answer."}, False, ("failed", "unknown", "unknown")),
        ({}, False, ("unknown", "unknown", "unknown")),  # the run ended early
    ],
)
def test_the_desk(ticket: dict[str, t.Any], read: bool, wanted: tuple[str, ...]) -> None:
    found = checks(look={"rehearsed": {**READ, "ticket_read": read}, "ticket": ticket})
    assert tuple(outcome(found, subject) for subject in ("ticket", "token", "comment")) == wanted
    error = ticket.get("error", "not read")
    says = ["status Open", "accepted; the desk", error if ticket else "this account may"] if read else [error] * 3
    assert all(map(str.startswith, [check.says for check in found if check in found[-3:]], says))


@pytest.mark.parametrize(
    ("trust", "rows"),
    [
        (
            {"effect_before": "Deny", "actions": ["UpdateAssumeRolePolicy"]},
            [("proven", "Deny in role cryptor"), ("predicted", "not called")],
        ),
        ({"effect_before": "Allow"}, [("proven", "Allow in role cryptor")]),
        ({"error": "It has Condition."}, [("failed", "It has Condition.")]),
    ],
)
def test_the_trust_statement(trust: dict[str, t.Any], rows: list[tuple[str, str]]) -> None:
    found = checks(trust_plan={"role_name": "cryptor", "calls": [], **trust})
    subjects = ("trust statement", "iam:UpdateAssumeRolePolicy")
    assert [(check.outcome, check.says) for check in found if check.subject in subjects] == rows


def test_what_a_person_posts_cannot_be_rehearsed() -> None:
    found = checks(settings={"mode": "manual"}, look={"rehearsed": {}})
    assert outcome(found, "ticket") == "unknown"
    assert "token" not in [check.subject for check in found]


@pytest.mark.parametrize(
    ("error", "wanted", "says"),
    [(None, "unknown", "/cmk."), ("", "proven", "/cmk."), ("Of another user", "failed", "Of another user.")],
)
def test_the_report_folder(error: str | None, wanted: str, says: str) -> None:
    found = checks(look={"rehearsed": {**READ, "folder_error": error}})
    assert outcome(found, "report folder") == wanted
    assert text(found, "report folder").startswith(says)


@pytest.mark.parametrize(
    ("offset", "wanted"), [(None, "unknown"), (299.0, "proven"), (300.0, "failed"), (-301.0, "failed")]
)
def test_the_clock(offset: float | None, wanted: str) -> None:
    assert outcome(checks(plan={"keys": [ENABLED], "clock_offset": offset}), "clock") == wanted


@pytest.mark.parametrize(
    ("plan", "error", "wanted"),
    [
        ({"keys": [ENABLED]}, "", "proven"),
        ({"keys": [ENABLED, {**ENABLED, "region": "r", "arn": None, "error": "There is none."}]}, "", "proven"),
        ({}, "AWS refused AssumeRole in us-east-1.", "failed"),
        ({}, "No answer.", "unknown"),
    ],
)
def test_the_role(plan: dict[str, t.Any], error: str, wanted: str) -> None:
    role = {"assume_role_arn": "arn:aws:iam::111122223333:role/cmk"}
    assert outcome(checks(plan=plan, error=error, settings=role), "sts:AssumeRole") == wanted


def test_the_screen_has_a_row_for_each_outcome() -> None:
    east, west = ("us-east-1", "us-west-2")
    rows = summarize(
        [
            Check("state", "proven", "Enabled", "DescribeKey", east),
            Check("kms:EnableKey", "proven", "AWS permits it", "EnableKey", east),
            Check("last use", "proven", "last used 3 min ago (Decrypt)", "", east),
            Check("state", "proven", "Disabled", "DescribeKey", west),
            Check("kms:EnableKey", "predicted", "not proven", "", west),
            Check("token", "failed", "not accepted"),
        ]
    )
    assert rows == [
        ("proven", "state, kms:EnableKey (us-east-1), last use"),
        ("predicted", "kms:EnableKey (us-west-2)"),
        ("failed", "token"),
        ("last use", "us-east-1 3 min ago (Decrypt)"),
    ]
    long = summarize([Check(f"kms:Operation{number}", "predicted", "", "", east) for number in range(9)])
    assert [name for name, _text in long] == ["predicted", "", ""]
    assert all(len(text) <= 67 for _name, text in long)
