"""Module kms_key_state with prove_permission: one call on a key that is Enabled, and no change ever."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state
from tests.unit.plugins.conversation import ALIAS, KEY_ID, OTHER_REGION, REGION, Fault, Talk

PROVE = {"prove_permission": True}
DENIED = Fault("AccessDeniedException", "User: arn:aws:iam::111122223333:user/operator is not authorized")


def test_a_key_that_is_enabled(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), ("EnableKey", KEY_ID))
    result = talk.run(kms_key_state, key_id=ALIAS, **PROVE).ok
    assert result["proof"] == {"operation": "EnableKey", "at": result["calls"][1]["at"]}
    assert (result["changed"], result["actions"], result["key_state"]) == (False, [], "Enabled")
    assert [call["operation"] for call in result["calls"]] == ["DescribeKey", "EnableKey"]


@pytest.mark.parametrize("options", [{}, {"state": "disabled"}, {"cancel_deletion": True}], ids=str)
@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion", "PendingImport", "Unavailable", "Creating"])
def test_no_other_state_gets_a_call(talk: Talk, state: str, options: dict[str, Any]) -> None:
    talk.kms(("DescribeKey", ALIAS, state))
    result = talk.run(kms_key_state, key_id=ALIAS, **PROVE, **options).result
    assert "proof" not in result
    assert result["changed"] is False


def test_a_key_that_is_to_be_disabled_stays_enabled(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), ("EnableKey", KEY_ID))
    assert talk.run(kms_key_state, key_id=ALIAS, state="disabled", **PROVE).ok["changed"] is False


def test_check_mode_announces_and_calls_nothing(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    result = talk.run(kms_key_state, check=True, key_id=ALIAS, **PROVE).ok
    assert result["proof"] == {"operation": "EnableKey", "at": None}
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (DENIED, "access_denied", "Allow kms:EnableKey for this identity"),
        (Fault("KMSInvalidStateException"), "aws_refused", "EnableKey"),
        (Fault("ThrottlingException"), "throttled", "EnableKey"),
    ],
)
def test_a_refused_call_is_a_failure(talk: Talk, fault: Fault, code: str, says: str) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), ("EnableKey", KEY_ID, fault))
    result = talk.run(kms_key_state, key_id=ALIAS, **PROVE).failed
    assert result["refusal"]["code"] == code
    assert says in result["msg"]
    assert (result["proof"]["at"], result["changed"]) == (None, False)


def test_each_key_by_itself(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), ("EnableKey", KEY_ID, DENIED))
    talk.kms(("DescribeKey", ALIAS, "Disabled"), region=OTHER_REGION)
    both = [{"region": region, "key_id": ALIAS} for region in (REGION, OTHER_REGION)]
    denied, disabled = talk.run(kms_key_state, keys=both, **PROVE).failed["keys"]
    assert (denied["code"], denied["proof"]["at"]) == ("access_denied", None)
    # As in check mode, it says what a restore would do.
    assert (disabled["actions"], disabled["key_state"], "proof" in disabled) == (["EnableKey"], "Enabled", False)
