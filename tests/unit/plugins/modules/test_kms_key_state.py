"""Module kms_key_state: which calls it makes, in which order, and what it says about them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state
from tests.unit.plugins.conversation import (
    ACCOUNT,
    ALIAS,
    DELETION_DATE,
    KEY_ID,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    Fault,
    Talk,
    arn,
    metadata,
)

SPREADING = ("NotFoundException", "KMSInvalidStateException")
CANCEL, DISABLED = {"cancel_deletion": True}, {"state": "disabled"}

# State of the key, options: the changing calls, the state afterwards.
ROWS = [
    pytest.param("Enabled", {}, [], "Enabled", id="enabled already"),
    pytest.param("Disabled", {}, ["EnableKey"], "Enabled", id="disabled"),
    pytest.param("Enabled", CANCEL, [], "Enabled", id="enabled already, deletion may be cancelled"),
    pytest.param("Disabled", CANCEL, ["EnableKey"], "Enabled", id="disabled, deletion may be cancelled"),
    pytest.param("PendingDeletion", CANCEL, ["CancelKeyDeletion", "EnableKey"], "Enabled", id="deletion cancelled"),
    pytest.param(
        "PendingReplicaDeletion", CANCEL, ["CancelKeyDeletion", "EnableKey"], "Enabled", id="replica deletion cancelled"
    ),
    pytest.param("Enabled", DISABLED, ["DisableKey"], "Disabled", id="to be disabled"),
    pytest.param("Disabled", DISABLED, [], "Disabled", id="disabled as wished"),
    pytest.param(
        "PendingDeletion", CANCEL | DISABLED, ["CancelKeyDeletion"], "Disabled", id="deletion cancelled, left disabled"
    ),
]
REFUSED_ROWS = [
    pytest.param("PendingDeletion", {}, "pending_deletion", id="scheduled for deletion"),
    pytest.param("PendingDeletion", DISABLED, "pending_deletion", id="scheduled for deletion, to be disabled"),
    pytest.param("PendingReplicaDeletion", {}, "pending_replica_deletion", id="waits for its replicas"),
    pytest.param("Unavailable", {}, "unavailable", id="key store away"),
    pytest.param("Unavailable", CANCEL, "unavailable", id="key store away, deletion may be cancelled"),
    pytest.param("Unavailable", DISABLED, "unavailable", id="key store away, to be disabled"),
    pytest.param("PendingImport", {}, "pending_import", id="no key material"),
    pytest.param("Creating", {}, "creating", id="being replicated"),
    pytest.param("Updating", {}, "updating", id="primary region changes"),
]


def shown(key_state: str) -> dict[str, str]:
    return {"key_state": key_state}


@pytest.mark.parametrize(("before", "options", "actions", "after"), ROWS)
class TestWhatAKeyNeeds:
    def test_calls(self, talk: Talk, before: str, options: dict[str, Any], actions: list[str], after: str) -> None:
        reads = [("DescribeKey", KEY_ID, after)] * 3 if actions else []
        talk.kms(("DescribeKey", ALIAS, before), *[(action, KEY_ID) for action in actions], *reads)
        result = talk.run(kms_key_state, key_id=ALIAS, **options).ok
        assert result["changed"] is bool(actions)
        assert result["actions"] == actions
        assert (result["key_state_before"], result["key_state"]) == (before, after)
        assert "diff" not in result

    def test_check_mode(self, talk: Talk, before: str, options: dict[str, Any], actions: list[str], after: str) -> None:
        talk.kms(("DescribeKey", ALIAS, before))
        result = talk.run(kms_key_state, check=True, key_id=ALIAS, **options).ok
        assert result["changed"] is bool(actions)
        assert result["actions"] == actions
        assert (result["key_state_before"], result["key_state"]) == (before, after)
        assert result["waited"] == 0.0

    @pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
    def test_diff(
        self, talk: Talk, check: bool, before: str, options: dict[str, Any], actions: list[str], after: str
    ) -> None:
        made = [] if check else [*[(action, KEY_ID) for action in actions]]
        reads = [("DescribeKey", KEY_ID, after)] * 3 if made else []
        talk.kms(("DescribeKey", ALIAS, before), *made, *reads)
        result = talk.run(kms_key_state, check=check, diff=True, key_id=ALIAS, **options).ok
        assert result["diff"] == {
            "before_header": arn(),
            "after_header": arn(),
            "before": shown(before),
            "after": shown(after),
        }


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(("before", "options", "code"), REFUSED_ROWS)
def test_refused_after_describe_key(talk: Talk, before: str, options: dict[str, Any], code: str, check: bool) -> None:
    talk.kms(("DescribeKey", ALIAS, before))
    result = talk.run(kms_key_state, check=check, diff=True, key_id=ALIAS, **options).failed
    assert result["refusal"]["code"] == code
    assert result["msg"] == f"{result['refusal']['error']} {result['refusal']['hint']}"
    assert result["changed"] is False
    assert result["actions"] == []
    assert result["key_state"] == result["key_state_before"] == before
    assert (result["arn"], result["key_id"], result["account_id"]) == (arn(), KEY_ID, ACCOUNT)
    assert result["diff"]["before"] == result["diff"]["after"] == shown(before)


def test_a_scheduled_deletion_names_its_date_and_the_option(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "PendingDeletion"))
    result = talk.run(kms_key_state, key_id=ALIAS).failed
    assert "2026-12-02 04:30 UTC" in result["msg"]
    assert "cancel_deletion=true" in result["msg"]
    assert result["deletion_date"] == "2026-12-02T04:30:00+00:00"


@pytest.mark.parametrize(
    ("key", "options", "code"),
    [
        pytest.param(metadata("Disabled"), {"account_id": OTHER_ACCOUNT}, "owner_differs", id="another owner"),
        pytest.param(metadata("Disabled", KeyManager="AWS"), {}, "aws_managed_key", id="managed by AWS"),
    ],
)
def test_refused_for_what_the_key_is(talk: Talk, key: dict[str, Any], options: dict[str, Any], code: str) -> None:
    talk.kms(("DescribeKey", ALIAS, key))
    assert talk.run(kms_key_state, key_id=ALIAS, **options).failed["refusal"]["code"] == code


@pytest.mark.parametrize(
    ("key_id", "code"),
    [
        pytest.param(arn(OTHER_REGION), "wrong_region", id="another region"),
        pytest.param(arn(account=OTHER_ACCOUNT), "reference_of_other_account", id="another account"),
        pytest.param(f"arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:{ALIAS}", "reference_of_other_account", id="its alias"),
        pytest.param(arn().replace("arn:aws:", "arn:aws-cn:"), "wrong_partition", id="another partition"),
        pytest.param("alias/aws/ebs", "aws_managed_alias", id="alias of AWS"),
        pytest.param("no such thing", "invalid_reference", id="no reference"),
        pytest.param(ALIAS + "\n", "invalid_reference", id="newline"),
    ],
)
def test_refused_before_any_call(talk: Talk, key_id: str, code: str) -> None:
    # No answer is prepared: any call would be a failure.
    result = talk.run(kms_key_state, diff=True, key_id=key_id, account_id=ACCOUNT).failed
    assert result["refusal"]["code"] == code
    assert result["changed"] is False
    assert result["reference"] == key_id
    assert result["arn"] is None
    assert "diff" not in result


def test_the_reference_is_looked_up_as_given(talk: Talk) -> None:
    talk.kms(("DescribeKey", arn(), "Enabled"))
    result = talk.run(kms_key_state, key_id=arn(), account_id=ACCOUNT).ok
    assert (result["reference"], result["key_id"]) == (arn(), KEY_ID)


def test_a_reference_that_does_not_exist(talk: Talk) -> None:
    talk.kms(
        (
            "DescribeKey",
            ALIAS,
            Fault("NotFoundException", f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:{ALIAS} is not found."),
        )
    )
    result = talk.run(kms_key_state, key_id=ALIAS).failed
    assert result["refusal"]["code"] == "key_not_found"
    for named in (REGION, ACCOUNT, ALIAS):
        assert named in result["msg"]
    assert result["key_state"] is None
    assert result["actions"] == []


def test_no_region_is_given(talk: Talk) -> None:
    result = talk.run(kms_key_state, key_id=ALIAS, region=None).failed
    assert "AWS_REGION" in result["msg"]
    assert talk.handed_out == []


def test_the_region_of_the_environment(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", OTHER_REGION)
    talk.kms(("DescribeKey", ALIAS, "Enabled"), region=OTHER_REGION)
    result = talk.run(kms_key_state, key_id=ALIAS, region=None).ok
    assert (result["region"], result["arn"]) == (OTHER_REGION, arn(OTHER_REGION))


class TestWaiting:
    def test_a_stale_read_begins_the_row_again(self, talk: Talk) -> None:
        reads = ["Disabled", "Enabled", "Disabled", "Enabled", "Enabled", "Enabled"]
        talk.kms(
            ("DescribeKey", ALIAS, "Disabled"),
            ("EnableKey", KEY_ID),
            *[("DescribeKey", KEY_ID, state) for state in reads],
        )
        result = talk.run(kms_key_state, key_id=ALIAS).ok
        assert result["key_state"] == "Enabled"
        assert result["waited"] == 5.0
        assert talk.clock.sleeps == [1.0] * 5

    def test_reads_delay_and_timeout_are_the_operators(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), *[("DescribeKey", KEY_ID, "Enabled")] * 5)
        result = talk.run(kms_key_state, key_id=ALIAS, wait_reads=5, wait_delay=2.5, wait_timeout=10).ok
        assert talk.clock.sleeps == [2.5] * 4
        assert result["waited"] == 10.0

    def test_the_wait_is_told_in_tenths_of_a_second(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), *[("DescribeKey", KEY_ID, "Enabled")] * 3)
        assert talk.run(kms_key_state, key_id=ALIAS, wait_delay=0.37).ok["waited"] == 0.7

    def test_the_row_is_never_empty(self, talk: Talk) -> None:
        # Otherwise a read that shows the old state would count as success.
        talk.kms(
            ("DescribeKey", ALIAS, "Disabled"),
            ("EnableKey", KEY_ID),
            ("DescribeKey", KEY_ID, "Disabled"),
            ("DescribeKey", KEY_ID, "Enabled"),
        )
        assert talk.run(kms_key_state, key_id=ALIAS, wait_reads=0).ok["key_state"] == "Enabled"

    @pytest.mark.parametrize("code", SPREADING)
    def test_errors_of_spreading_are_tolerated_after_our_change(self, talk: Talk, code: str) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "Disabled"),
            ("EnableKey", KEY_ID),
            ("DescribeKey", KEY_ID, "Enabled"),
            ("DescribeKey", KEY_ID, Fault(code)),
            *[("DescribeKey", KEY_ID, "Enabled")] * 3,
        )
        assert talk.run(kms_key_state, key_id=ALIAS).ok["waited"] == 4.0

    @pytest.mark.parametrize(
        ("code", "expected"), [("NotFoundException", "key_not_found"), ("KMSInvalidStateException", "aws_refused")]
    )
    def test_but_not_in_the_first_read(self, talk: Talk, code: str, expected: str) -> None:
        talk.kms(("DescribeKey", ALIAS, Fault(code)))
        assert talk.run(kms_key_state, key_id=ALIAS).failed["refusal"]["code"] == expected
        assert talk.clock.sleeps == []

    @pytest.mark.parametrize("code", SPREADING)
    @pytest.mark.parametrize("operation", ["EnableKey", "DisableKey"])
    def test_nor_in_the_first_change(self, talk: Talk, operation: str, code: str) -> None:
        before, state = {"EnableKey": ("Disabled", "enabled"), "DisableKey": ("Enabled", "disabled")}[operation]
        talk.kms(("DescribeKey", ALIAS, before), (operation, KEY_ID, Fault(code)))
        result = talk.run(kms_key_state, key_id=ALIAS, state=state).failed
        assert result["refusal"]["code"] == "aws_refused"
        assert code in result["msg"]
        assert result["changed"] is False
        assert (result["actions"], result["key_state"]) == ([], before)
        assert talk.clock.sleeps == []

    @pytest.mark.parametrize("code", SPREADING)
    def test_enable_key_is_repeated_after_a_cancelled_deletion(self, talk: Talk, code: str) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID, Fault(code)),
            ("EnableKey", KEY_ID, Fault(code)),
            ("EnableKey", KEY_ID),
            *[("DescribeKey", KEY_ID, "Enabled")] * 3,
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True).ok
        assert result["actions"] == ["CancelKeyDeletion", "EnableKey"]
        assert talk.clock.sleeps == [1.0] * 4

    def test_also_without_waiting_for_the_end(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID, Fault("KMSInvalidStateException")),
            ("EnableKey", KEY_ID),
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True, wait=False).ok
        assert result["actions"] == ["CancelKeyDeletion", "EnableKey"]

    def test_a_deletion_whose_cancelling_was_not_answered_is_no_obstacle(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID, Fault("KMSInvalidStateException", f"{arn()} is not pending deletion.")),
            ("EnableKey", KEY_ID),
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True, wait=False).ok
        assert result["actions"] == ["CancelKeyDeletion", "EnableKey"]

    def test_but_only_until_the_timeout(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            *[("EnableKey", KEY_ID, Fault("KMSInvalidStateException", f"{arn()} is pending deletion."))] * 3,
        )
        result = talk.run(kms_key_state, diff=True, key_id=ALIAS, cancel_deletion=True, wait_timeout=2).failed
        assert result["refusal"]["code"] == "aws_refused"
        assert "is pending deletion." in result["msg"]
        # The deletion is cancelled, which is a change and leaves the key disabled: that must not get lost.
        assert result["changed"] is True
        assert result["actions"] == ["CancelKeyDeletion"]
        assert (result["key_state_before"], result["key_state"]) == ("PendingDeletion", "Disabled")
        assert result["diff"]["after"] == shown("Disabled")

    @pytest.mark.parametrize(
        ("before", "other", "code"),
        [
            pytest.param("Disabled", "PendingDeletion", "pending_deletion", id="deletion scheduled"),
            pytest.param("Disabled", "PendingImport", "pending_import", id="material deleted"),
            pytest.param("Disabled", "Unavailable", "unavailable", id="key store lost"),
        ],
    )
    def test_a_state_that_somebody_else_set_meanwhile_ends_the_wait(
        self, talk: Talk, before: str, other: str, code: str
    ) -> None:
        # A row of its own, since AWS may show a state once more that has passed.
        reads = ["Enabled", other, "Enabled", *[other] * 3]
        talk.kms(
            ("DescribeKey", ALIAS, before), ("EnableKey", KEY_ID), *[("DescribeKey", KEY_ID, one) for one in reads]
        )
        result = talk.run(kms_key_state, key_id=ALIAS).failed
        assert (result["refusal"]["code"], result["key_state"]) == (code, other)
        assert (result["actions"], result["changed"]) == (["EnableKey"], True)
        assert result["waited"] == 5.0

    def test_one_that_somebody_else_has_disabled_again_is_not_taken_for_enabled(self, talk: Talk) -> None:
        reads = ["Enabled", "Enabled", "Disabled", "Disabled", "Disabled"]
        talk.kms(
            ("DescribeKey", ALIAS, "Disabled"),
            ("EnableKey", KEY_ID),
            *[("DescribeKey", KEY_ID, state) for state in reads],
        )
        result = talk.run(kms_key_state, key_id=ALIAS, wait_timeout=4).failed
        assert (result["refusal"]["code"], result["key_state"]) == ("not_settled", "Disabled")
        assert "last seen: Disabled" in result["msg"]

    def test_the_timeout_counts_for_all_calls_together(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            *[("EnableKey", KEY_ID, Fault("KMSInvalidStateException"))] * 2,
            ("EnableKey", KEY_ID),
            *[("DescribeKey", KEY_ID, "Disabled")] * 4,
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True, wait_timeout=5).failed
        assert (result["refusal"]["code"], result["waited"]) == ("not_settled", 3.0)
        assert "within 5 s" in result["msg"]

    @pytest.mark.parametrize("operation", ["EnableKey", "DisableKey"])
    def test_a_kind_of_key_that_aws_does_not_change(self, talk: Talk, operation: str) -> None:
        before, state = {"EnableKey": ("Disabled", "enabled"), "DisableKey": ("Enabled", "disabled")}[operation]
        fault = Fault("UnsupportedOperationException", "The key is in a custom key store.")
        talk.kms(("DescribeKey", ALIAS, before), (operation, KEY_ID, fault))
        result = talk.run(kms_key_state, key_id=ALIAS, state=state).failed
        assert (result["refusal"]["code"], result["actions"]) == ("aws_refused", [])
        assert f"AWS refused {operation} in {REGION} with UnsupportedOperationException" in result["msg"]

    def test_other_errors_after_a_cancelled_deletion_are_not_repeated(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID, Fault("AccessDeniedException")),
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True).failed
        assert (result["refusal"]["code"], result["actions"]) == ("access_denied", ["CancelKeyDeletion"])
        assert talk.clock.sleeps == []

    def test_wait_false_reads_nothing_afterwards(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID))
        result = talk.run(kms_key_state, key_id=ALIAS, wait=False).ok
        assert (result["changed"], result["actions"], result["key_state"]) == (True, ["EnableKey"], "Enabled")
        assert result["waited"] == 0.0
        assert talk.clock.sleeps == []

    def test_the_timeout(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), *[("DescribeKey", KEY_ID, "Disabled")] * 4)
        result = talk.run(kms_key_state, key_id=ALIAS, wait_timeout=3).failed
        assert result["refusal"]["code"] == "not_settled"
        assert " as Enabled 3 times in a row within 3 s (last seen: Disabled)" in result["msg"]
        assert result["changed"] is True
        assert (result["actions"], result["key_state"], result["waited"]) == (["EnableKey"], "Disabled", 3.0)

    def test_the_timeout_without_an_answer(self, talk: Talk) -> None:
        faults = [("DescribeKey", KEY_ID, Fault("NotFoundException"))] * 2
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), *faults)
        result = talk.run(kms_key_state, key_id=ALIAS, wait_timeout=1).failed
        assert "last seen: no answer that shows the key" in result["msg"]
        assert (result["actions"], result["key_state"]) == (["EnableKey"], None)
        assert result["arn"] == arn()

    def test_access_denied_while_waiting_still_tells_the_change(self, talk: Talk) -> None:
        denied = Fault("AccessDeniedException", "not authorized to perform: kms:DescribeKey")
        talk.kms(("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), ("DescribeKey", KEY_ID, denied))
        result = talk.run(kms_key_state, key_id=ALIAS).failed
        assert result["refusal"]["code"] == "access_denied"
        assert "kms:DescribeKey" in result["refusal"]["hint"]
        assert (result["changed"], result["actions"]) == (True, ["EnableKey"])
        assert result["key_state_before"] == "Disabled"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("AccessDeniedException"), "access_denied"),
        (Fault("ExpiredTokenException"), "credentials_expired"),
        (Fault("UnrecognizedClientException"), "credentials_invalid"),
        (Fault("ThrottlingException"), "throttled"),
        (Fault("KMSInternalException", status=500), "aws_trouble"),
        (Fault("DependencyTimeoutException", status=503), "aws_trouble"),
        (Fault("InvalidArnException"), "aws_refused"),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else value,
)
@pytest.mark.parametrize("operation", ["DescribeKey", "EnableKey"])
def test_what_aws_refuses(talk: Talk, operation: str, fault: Fault, code: str) -> None:
    calls: list[tuple[Any, ...]] = [("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID)]
    place = [call[0] for call in calls].index(operation)
    talk.kms(*calls[:place], (operation, calls[place][1], fault))
    result = talk.run(kms_key_state, key_id=ALIAS).failed
    assert result["refusal"]["code"] == code
    assert f"{operation} in {REGION}" in result["msg"]
    assert result["changed"] is False


class Broken:
    """A client whose calls of one operation never reach AWS."""

    def __init__(self, operation: str, error: Exception) -> None:
        self._operation, self._error = operation, error

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        if self._operation == "DescribeKey":
            raise self._error
        return {"KeyMetadata": metadata("Disabled")}

    def enable_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        raise self._error


@pytest.mark.parametrize("operation", ["DescribeKey", "EnableKey"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EndpointConnectionError(endpoint_url="https://kms.us-east-1.amazonaws.com/"), "not_reached"),
        (ReadTimeoutError(endpoint_url="https://kms.us-east-1.amazonaws.com/"), "not_reached"),
        (NoCredentialsError(), "credentials_missing"),
    ],
    ids=["not reached", "no answer", "no credentials"],
)
def test_what_never_reaches_aws(talk: Talk, operation: str, error: Exception, code: str) -> None:
    talk.fake(REGION, Broken(operation, error))
    result = talk.run(kms_key_state, key_id=ALIAS).failed
    assert result["refusal"]["code"] == code
    assert result["actions"] == []
    assert result["calls"][-1]["operation"] == operation
    assert result["calls"][-1]["error"] == type(error).__name__
    assert result["key_state"] == (None if operation == "DescribeKey" else "Disabled")


class TestResult:
    def test_metadata_in_snake_case_and_dates_as_text_in_utc(self, talk: Talk) -> None:
        more: dict[str, Any] = {
            "MultiRegion": True,
            "MultiRegionConfiguration": {
                "MultiRegionKeyType": "PRIMARY",
                "PrimaryKey": {"Arn": arn(), "Region": REGION},
                "ReplicaKeys": [],
            },
            "ValidTo": DELETION_DATE,
            "ExpirationModel": "KEY_MATERIAL_EXPIRES",
        }
        talk.kms(("DescribeKey", ALIAS, metadata("Enabled", **more)))
        result = talk.run(kms_key_state, key_id=ALIAS).ok
        expected = {
            "key_id": KEY_ID,
            "arn": arn(),
            "reference": ALIAS,
            "region": REGION,
            "account_id": ACCOUNT,
            "key_state": "Enabled",
            "key_state_before": "Enabled",
            "actions": [],
            "changed": False,
            "waited": 0.0,
            "creation_date": "2025-03-01T04:05:06+00:00",
            "enabled": True,
            "description": "CMK for Atlassian",
            "key_usage": "ENCRYPT_DECRYPT",
            "key_manager": "CUSTOMER",
            "key_spec": "SYMMETRIC_DEFAULT",
            "customer_master_key_spec": "SYMMETRIC_DEFAULT",
            "encryption_algorithms": ["SYMMETRIC_DEFAULT"],
            "origin": "AWS_KMS",
            "multi_region": True,
            "multi_region_configuration": {
                "multi_region_key_type": "PRIMARY",
                "primary_key": {"arn": arn(), "region": REGION},
                "replica_keys": [],
            },
            "valid_to": "2026-12-02T04:30:00+00:00",
            "expiration_model": "KEY_MATERIAL_EXPIRES",
        }
        assert {name: value for name, value in result.items() if name not in ("invocation", "calls")} == expected

    def test_metadata_are_those_of_the_last_read(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID),
            *[("DescribeKey", KEY_ID, "Enabled")] * 3,
        )
        result = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True).ok
        assert result["enabled"] is True
        assert "deletion_date" not in result

    def test_every_call_is_kept_as_evidence(self, talk: Talk) -> None:
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID, Fault("KMSInvalidStateException")),
            ("EnableKey", KEY_ID),
            ("DescribeKey", KEY_ID, "Enabled"),
            ("DescribeKey", KEY_ID, Fault("AccessDeniedException")),
        )
        calls = talk.run(kms_key_state, key_id=ALIAS, cancel_deletion=True).failed["calls"]
        assert [(call["operation"], call["error"]) for call in calls] == [
            ("DescribeKey", ""),
            ("CancelKeyDeletion", ""),
            ("EnableKey", "KMSInvalidStateException"),
            ("EnableKey", ""),
            ("DescribeKey", ""),
            ("DescribeKey", "AccessDeniedException"),
        ]
        times = [dt.datetime.strptime(call["at"], "%Y-%m-%dT%H:%M:%S%z") for call in calls]
        assert times == sorted(times)
        assert dt.timedelta(0) <= dt.datetime.now(dt.UTC) - times[0] < dt.timedelta(minutes=5)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({}, "one of the following is required: key_id, keys"),
        ({"key_id": ALIAS, "keys": [{"key_id": ALIAS}]}, "parameters are mutually exclusive: key_id|keys"),
        ({"key_id": ALIAS, "state": "absent"}, "value of state must be one of: enabled, disabled"),
        ({"key_id": ALIAS, "wait_timeout": "soon"}, "wait_timeout"),
        ({"key_id": ALIAS, "alias": "x"}, "Unsupported parameters"),
    ],
    ids=["no key", "one and several", "no such state", "no number", "no such option"],
)
def test_wrong_options(talk: Talk, args: dict[str, Any], said: str) -> None:
    assert said in talk.run(kms_key_state, **args).failed["msg"]
    assert talk.handed_out == []
