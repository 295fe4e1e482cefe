"""Module byok_trust_statement: one statement, read, set and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.modules import byok_trust_statement
from tests.unit.plugins.conversation import ACCOUNT, OTHER_ACCOUNT, ROLE, ROLE_ARN, Fault, Talk
from tests.unit.plugins.module_utils.test_trust import ALLOW, DENY, OURS, policy

DENIES, ALLOWS = policy(OURS, DENY), policy(OURS, ALLOW)
WRITTEN = json.dumps(ALLOWS, indent=2)
SET: list[tuple[Any, ...]] = [
    ("GetRole", DENIES),
    ("UpdateAssumeRolePolicy", WRITTEN),
    *[("GetRole", ALLOWS)] * 3,
]


def test_the_statement_is_set_back(talk: Talk) -> None:
    talk.iam(*SET)
    result = talk.run(byok_trust_statement, account_id=ACCOUNT, expected=DENIES).ok
    assert result["changed"] is True
    assert (result["effect_before"], result["effect"]) == ("Deny", "Allow")
    assert (result["role_name"], result["role_arn"], result["account_id"]) == (ROLE, ROLE_ARN, ACCOUNT)
    assert (result["policy_before"], result["policy"]) == (DENIES, ALLOWS)
    assert result["actions"] == ["UpdateAssumeRolePolicy"]
    assert [call["operation"] for call in result["calls"]] == [call[0] for call in SET]
    assert [(service, region) for service, region, _more in talk.handed_out] == [("iam", "us-east-1")]


def test_what_allows_already_is_one_call(talk: Talk) -> None:
    talk.iam(("GetRole", ALLOWS))
    result = talk.run(byok_trust_statement, expected=DENIES).ok
    assert (result["changed"], result["effect_before"], result["effect"]) == (False, "Allow", "Allow")


def test_no_waiting(talk: Talk) -> None:
    talk.iam(*SET[:2])
    assert talk.run(byok_trust_statement, wait=False).ok["effect"] == "Allow"


def test_a_stale_answer_breaks_the_row(talk: Talk) -> None:
    talk.iam(*SET[:2], ("GetRole", DENIES), ("GetRole", ALLOWS), ("GetRole", DENIES), *[("GetRole", ALLOWS)] * 3)
    result = talk.run(byok_trust_statement).ok
    assert (result["effect"], result["waited"]) == ("Allow", 5.0)


def test_a_change_that_does_not_show(talk: Talk) -> None:
    talk.iam(*SET[:2], *[("GetRole", DENIES)] * 3)
    result = talk.run(byok_trust_statement, wait_timeout=2).failed
    assert (result["code"], result["effect"], result["actions"]) == (
        "trust_not_settled",
        "Deny",
        ["UpdateAssumeRolePolicy"],
    )
    assert result["msg"] == f"{result['error']} {result['hint']}"


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (policy(OURS), "trust_not_found"),
            (policy(DENY, DENY), "trust_ambiguous"),
            (policy({**DENY, "Condition": {"Bool": {"a": "b"}}}), "trust_undocumented"),
            (policy(ALLOW, {"Effect": "Deny", "Principal": "*", "Action": "*"}), "trust_denied_elsewhere"),
            ("{not json", "trust_malformed"),
            (Fault("NoSuchEntity", status=404), "role_not_found"),
            (Fault("AccessDenied", status=403), "access_denied"),
            (Fault("ServiceFailure", status=500), "aws_trouble"),
            (Fault("Throttling"), "throttled"),
            (Fault("InvalidClientTokenId", status=403), "credentials_invalid"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_nothing_is_written(self, talk: Talk, answer: Any, code: str, check: bool) -> None:
        talk.iam(("GetRole", answer))
        result = talk.run(byok_trust_statement, check=check, diff=True).failed
        assert (result["code"], result["changed"], result["actions"]) == (code, False, [])
        assert "diff" not in result

    def test_a_role_of_another_account(self, talk: Talk, check: bool) -> None:
        talk.iam(("GetRole", DENIES))
        result = talk.run(byok_trust_statement, check=check, account_id=OTHER_ACCOUNT).failed
        assert result["code"] == "role_of_other_account"

    def test_a_policy_that_somebody_else_has_changed(self, talk: Talk, check: bool) -> None:
        talk.iam(("GetRole", policy(DENY)))
        result = talk.run(byok_trust_statement, check=check, expected=DENIES).failed
        assert (result["code"], result["changed"]) == ("trust_changed_meanwhile", False)


def test_denied_at_the_write(talk: Talk) -> None:
    talk.iam(SET[0], ("UpdateAssumeRolePolicy", WRITTEN, Fault("AccessDenied", status=403)))
    result = talk.run(byok_trust_statement).failed
    assert (result["code"], result["changed"], result["effect"]) == ("access_denied", False, "Deny")
    assert "iam:UpdateAssumeRolePolicy" in result["hint"]
    assert result["calls"][-1]["error"] == "AccessDenied"


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_the_diff_shows_the_one_line(talk: Talk, check: bool) -> None:
    talk.iam(*SET[: 1 if check else None])
    result = talk.run(byok_trust_statement, check=check, diff=True).ok
    before, after = (result["diff"][name].splitlines() for name in ("before", "after"))
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ('      "Effect": "Deny",', '      "Effect": "Allow",')
    ]
    assert result["changed"] is True
