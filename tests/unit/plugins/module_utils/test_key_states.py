"""The planner against AWS's own table of key states, and references against AWS's formats."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import (
    KEY_STATES,
    KeyMetadata,
    Plan,
    State,
    Wish,
    check_reference,
    is_key_arn,
    partition_of,
    plan,
    read_region,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError
from tests.unit.plugins.conversation import ACCOUNT, ALIAS, KEY_ID, OTHER_ACCOUNT, arn, metadata

# AWS KMS Developer Guide, "Key states of AWS KMS keys": the state that each operation leads to; what is not named is
# refused by AWS. Written down here once more, so that the planner is not its own judge.
AWS_TABLE: dict[str, dict[str, str]] = {
    "EnableKey": {"Enabled": "Enabled", "Disabled": "Enabled", "Unavailable": "Unavailable"},
    "DisableKey": {"Enabled": "Disabled", "Disabled": "Disabled", "Unavailable": "Unavailable"},
    "CancelKeyDeletion": {"PendingDeletion": "Disabled", "PendingReplicaDeletion": "Disabled"},
}
AWS_STATES = (
    "Creating",
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingImport",
    "PendingReplicaDeletion",
    "Unavailable",
    "Updating",
)

# state of the key: enabled wished, disabled wished, then both again with cancel_deletion; a text is a refusal's code.
PLANS: dict[str, tuple[list[str] | str, list[str] | str, list[str] | str, list[str] | str]] = {
    "Enabled": ([], ["DisableKey"], [], ["DisableKey"]),
    "Disabled": (["EnableKey"], [], ["EnableKey"], []),
    "PendingDeletion": (
        "pending_deletion",
        "pending_deletion",
        ["CancelKeyDeletion", "EnableKey"],
        ["CancelKeyDeletion"],
    ),
    "PendingReplicaDeletion": (
        "pending_replica_deletion",
        "pending_replica_deletion",
        ["CancelKeyDeletion", "EnableKey"],
        ["CancelKeyDeletion"],
    ),
    "PendingImport": ("pending_import",) * 4,
    "Unavailable": ("unavailable",) * 4,
    "Creating": ("creating",) * 4,
    "Updating": ("updating",) * 4,
    "Melting": ("unknown_state",) * 4,
}
WISHES = (
    Wish("enabled"),
    Wish("disabled"),
    Wish("enabled", cancel_deletion=True),
    Wish("disabled", cancel_deletion=True),
)


def named(wish: Wish) -> str:
    return wish.state + ("+cancel_deletion" if wish.cancel_deletion else "")


def refused(decision: Plan | Refusal | None) -> Refusal:
    assert isinstance(decision, Refusal), decision
    return decision


def test_the_table_is_whole() -> None:
    assert set(KEY_STATES) == set(AWS_STATES)
    assert set(PLANS) == {*AWS_STATES, "Melting"}


@pytest.mark.parametrize(
    ("state", "wish", "expected"),
    [
        pytest.param(state, wish, row[column], id=f"{state}-{named(wish)}")
        for state, row in PLANS.items()
        for column, wish in enumerate(WISHES)
    ],
)
def test_plan(state: str, wish: Wish, expected: list[str] | str) -> None:
    decision = plan(KeyMetadata(metadata(state)), wish)
    if isinstance(expected, str):
        why = refused(decision)
        assert why.code == expected
        assert why.error.startswith(f"{arn()} ")
    else:
        assert decision == Plan(tuple(expected), state, wish.key_state)


@pytest.mark.parametrize("wish", WISHES, ids=named)
@pytest.mark.parametrize("state", AWS_STATES)
def test_aws_manages_the_key(state: str, wish: Wish) -> None:
    assert refused(plan(KeyMetadata(metadata(state, KeyManager="AWS")), wish)).code == "aws_managed_key"


@pytest.mark.parametrize("state", AWS_STATES)
def test_another_owner_is_refused_whatever_the_state(state: str) -> None:
    why = refused(plan(KeyMetadata(metadata(state)), Wish(account_id=OTHER_ACCOUNT, cancel_deletion=True)))
    assert why.code == "owner_differs"
    assert ACCOUNT in why.error
    assert OTHER_ACCOUNT in why.error


def test_the_owner_is_judged_before_the_manager() -> None:
    # What belongs to somebody else is told first: the rest of that key is not the operator's business.
    assert (
        refused(plan(KeyMetadata(metadata("Enabled", KeyManager="AWS")), Wish(account_id=OTHER_ACCOUNT))).code
        == "owner_differs"
    )


def test_the_right_owner_passes() -> None:
    assert plan(KeyMetadata(metadata("Disabled")), Wish(account_id=ACCOUNT)) == Plan(
        ("EnableKey",), "Disabled", "Enabled"
    )


def test_a_key_without_manager_is_the_customers() -> None:
    key = metadata("Disabled")
    del key["KeyManager"]
    assert plan(KeyMetadata(key), Wish()) == Plan(("EnableKey",), "Disabled", "Enabled")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, "2026-12-02 04:30 UTC", id="in another zone"),
        pytest.param({"DeletionDate": dt.datetime(2026, 12, 2, tzinfo=dt.UTC)}, "2026-12-02 00:00 UTC", id="in UTC"),
        pytest.param({"DeletionDate": "2026-12-02"}, "2026-12-02", id="as text"),
        pytest.param({"DeletionDate": None}, "an unknown date", id="none"),
    ],
)
def test_the_deletion_date_and_the_option_are_named(more: dict[str, Any], expected: str) -> None:
    why = refused(plan(KeyMetadata(metadata("PendingDeletion", **more)), Wish()))
    assert f"scheduled for deletion on {expected}," in why.error
    assert "cancel_deletion=true" in why.hint


@pytest.mark.parametrize(("days", "expected"), [(7, "7 days"), (None, "the waiting period")])
def test_the_waiting_period_of_a_primary_is_named(days: int | None, expected: str) -> None:
    why = refused(plan(KeyMetadata(metadata("PendingReplicaDeletion", PendingDeletionWindowInDays=days)), Wish()))
    assert f"AWS then deletes it too, {expected} after the last one." in why.error
    assert "cancel_deletion=true" in why.hint


def test_a_permission_is_proven_only_if_that_is_wanted() -> None:
    assert not Wish().proves


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("Unavailable", "Reconnect the key store"),
        ("PendingImport", "Import the same key material again"),
        ("Creating", "Wait a minute"),
        ("Updating", "Wait a minute"),
        ("Melting", "newer version"),
    ],
)
def test_each_state_says_what_to_do(state: str, advice: str) -> None:
    why = refused(plan(KeyMetadata(metadata(state)), Wish()))
    assert state in why.error
    assert advice in why.hint


states = st.one_of(st.sampled_from(AWS_STATES), st.text(max_size=30))
wishes = st.builds(
    Wish,
    state=st.sampled_from(["enabled", "disabled"]),
    cancel_deletion=st.booleans(),
    account_id=st.sampled_from([None, ACCOUNT, OTHER_ACCOUNT]),
)


@given(state=states, wish=wishes, manager=st.sampled_from(["CUSTOMER", "AWS"]))
def test_aws_takes_every_planned_operation(state: str, wish: Wish, manager: str) -> None:
    decision = plan(KeyMetadata(metadata(state, KeyManager=manager)), wish)
    if isinstance(decision, Refusal):
        return
    now = state
    for action in decision.actions:
        assert now in AWS_TABLE[action], f"AWS refuses {action} on a key that is {now}"
        now = AWS_TABLE[action][now]
    assert now == decision.after == wish.key_state
    assert "CancelKeyDeletion" not in decision.actions or wish.cancel_deletion
    assert manager == "CUSTOMER"
    assert wish.account_id in (None, ACCOUNT)


@given(state=states, wished=st.sampled_from(["enabled", "disabled"]))
def test_no_deletion_is_cancelled_unasked(state: str, wished: State) -> None:
    decision = plan(KeyMetadata(metadata(state)), Wish(wished))
    assert isinstance(decision, Refusal) or "CancelKeyDeletion" not in decision.actions


MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(KEY_ID, id="key id"),
        pytest.param(MRK, id="multi-region key id"),
        pytest.param(arn(), id="ARN"),
        pytest.param(arn(key_id=MRK), id="multi-region ARN"),
        pytest.param(ALIAS, id="alias"),
        pytest.param("alias/a/b_c-D9", id="alias with slashes"),
        pytest.param("alias/" + "x" * 250, id="longest alias"),
        pytest.param("alias/awsome", id="alias that begins like aws"),
        pytest.param(f"arn:aws:kms:us-east-1:{ACCOUNT}:{ALIAS}", id="alias ARN"),
    ],
)
def test_good_reference(reference: str) -> None:
    assert check_reference(reference, "us-east-1", ACCOUNT) is None
    assert check_reference(reference, "us-east-1", None) is None


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        pytest.param("alias/aws/ebs", "aws_managed_alias", id="alias of AWS"),
        pytest.param(f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/s3", "aws_managed_alias", id="alias ARN of AWS"),
        pytest.param(arn("us-west-2"), "wrong_region", id="ARN elsewhere"),
        pytest.param(f"arn:aws:kms:us-west-2:{ACCOUNT}:{ALIAS}", "wrong_region", id="alias ARN elsewhere"),
        pytest.param(arn().replace("arn:aws:", "arn:aws-cn:"), "wrong_partition", id="ARN of another partition"),
        pytest.param(arn(account=OTHER_ACCOUNT), "reference_of_other_account", id="ARN of another account"),
        pytest.param(
            f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:{ALIAS}", "reference_of_other_account", id="alias ARN of another"
        ),
        pytest.param("", "invalid_reference", id="empty"),
        pytest.param(" ", "invalid_reference", id="blank"),
        pytest.param("atlassian-cmk", "invalid_reference", id="alias without its prefix"),
        pytest.param("alias/", "invalid_reference", id="alias without a name"),
        pytest.param("Alias/atlassian-cmk", "invalid_reference", id="prefix in capitals"),
        pytest.param("alias/" + "x" * 251, "invalid_reference", id="alias too long"),
        pytest.param("alias/schlüssel", "invalid_reference", id="alias not ASCII"),
        pytest.param("alias/a b", "invalid_reference", id="alias with a space"),
        pytest.param(KEY_ID + "\n", "invalid_reference", id="newline after a key id"),
        pytest.param(ALIAS + "\n", "invalid_reference", id="newline after an alias"),
        pytest.param("\n" + arn(), "invalid_reference", id="newline before an ARN"),
        pytest.param(KEY_ID[:-1], "invalid_reference", id="key id too short"),
        pytest.param(KEY_ID + "0", "invalid_reference", id="key id too long"),
        pytest.param(KEY_ID.replace("-", ""), "invalid_reference", id="key id without hyphens"),
        pytest.param("key/" + KEY_ID, "invalid_reference", id="key id with a prefix"),
        pytest.param("mrk-" + KEY_ID, "invalid_reference", id="multi-region id with hyphens"),
        pytest.param(arn().replace(":kms:", ":iam:"), "invalid_reference", id="ARN of another service"),
        pytest.param(arn().replace("key/", ""), "invalid_reference", id="ARN without key/"),
        pytest.param(arn(account="1111"), "invalid_reference", id="ARN with a short account"),
        pytest.param(arn(account="١" * 12), "invalid_reference", id="ARN with digits not ASCII"),
        pytest.param(arn(account=""), "invalid_reference", id="ARN without an account"),
        pytest.param(arn(""), "invalid_reference", id="ARN without a region"),
        pytest.param(arn() + "/", "invalid_reference", id="ARN with a tail"),
        pytest.param("x" * 10_000_000, "invalid_reference", id="ten megabytes"),
    ],
)
def test_bad_reference(reference: str, code: str) -> None:
    why = refused(check_reference(reference, "us-east-1", ACCOUNT))
    assert why.code == code
    assert len(str(why)) < 1000
    assert "\n" not in str(why)


def test_both_regions_are_named() -> None:
    why = refused(check_reference(arn("us-west-2"), "us-east-1", None))
    assert "is in region us-west-2, but a key in region us-east-1 is expected" in why.error


def test_a_long_reference_is_quoted_in_part() -> None:
    assert f"{'x' * 300!r} is not" in refused(check_reference("x" * 301, "us-east-1", None)).error


@pytest.mark.parametrize(
    ("text", "is_key"),
    [
        (arn(), True),
        (arn("eu-west-1", key_id=MRK), True),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:{ALIAS}", False),
        (KEY_ID, False),
        (ALIAS, False),
        ("", False),
    ],
)
def test_the_arn_of_a_key(text: str, is_key: bool) -> None:
    assert is_key_arn(text) == is_key


def test_the_region_of_a_key_is_that_of_its_arn() -> None:
    assert read_region(arn("eu-west-1", key_id=MRK), None) == "eu-west-1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (arn(), ""),
        (arn(account=OTHER_ACCOUNT), ""),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:{ALIAS}", "invalid_key_arn"),
        (KEY_ID, "invalid_key_arn"),
        (arn(key_id="1234"), "invalid_key_arn"),
        (arn("us-west-2"), "wrong_region"),
    ],
)
def test_the_arn_of_a_key_of_the_region_is_wanted(text: str, code: str) -> None:
    refused_as = ""
    try:
        read_region(text, "us-east-1")
    except RefusedError as error:
        refused_as = error.refusal.code
    assert refused_as == code


def test_any_account_is_fine_without_a_wanted_one() -> None:
    assert check_reference(arn(account=OTHER_ACCOUNT), "us-east-1", None) is None


# AWS General Reference: the partition of each region.
@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partitions(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    reference = arn(region).replace("arn:aws:", f"arn:{partition}:")
    assert check_reference(reference, region, ACCOUNT) is None


@given(st.text())
def test_no_text_breaks_the_reader_of_references(reference: str) -> None:
    why = check_reference(reference, "us-east-1", ACCOUNT)
    assert why is None or isinstance(why, Refusal)


@given(
    st.from_regex(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fullmatch=True),
    st.sampled_from(["", "\n", " ", "/", "x"]),
)
def test_only_whole_key_ids_pass(key_id: str, tail: str) -> None:
    assert (check_reference(key_id + tail, "us-east-1", None) is None) == (tail == "")
