"""Module kms_key_state: several keys at once, and each key's fate told."""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import threading
from typing import Any, ClassVar

import pytest
from ansible.module_utils.testing import patch_module_args
from botocore.exceptions import EndpointConnectionError

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._calls import clock_offset
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state
from tests.standins.aws import AwsStandin
from tests.unit.plugins.conversation import (
    ACCOUNT,
    ALIAS,
    KEY_ID,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    Fault,
    Talk,
    arn,
    metadata,
)

BOTH = [{"region": REGION, "key_id": ALIAS}, {"region": OTHER_REGION, "key_id": ALIAS}]
ENABLING: list[tuple[Any, ...]] = [
    ("DescribeKey", ALIAS, "Disabled"),
    ("EnableKey", KEY_ID),
    *[("DescribeKey", KEY_ID, "Enabled")] * 3,
]
NOTHING_WRONG = {"code": "", "error": "", "hint": ""}
PATIENCE = 20.0


@pytest.fixture
def talk_to(aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the module in this process against the stand-in; return its result."""

    def run(*, check: bool = False, **args: Any) -> dict[str, Any]:
        given = {"endpoint_url": aws.url, "wait_delay": 0.05, **args, "_ansible_check_mode": check}
        with patch_module_args(given), pytest.raises(SystemExit):
            kms_key_state.main()
        return dict(json.loads(capsys.readouterr().out))

    return run


def entry(result: dict[str, Any], number: int, *names: str) -> tuple[Any, ...]:
    return tuple(result["keys"][number][name] for name in names)


def test_both_keys_are_enabled(talk: Talk) -> None:
    talk.kms(*ENABLING)
    talk.kms(*ENABLING, region=OTHER_REGION)
    result = talk.run(kms_key_state, keys=BOTH).ok
    assert result["changed"] is True
    for number, region in enumerate((REGION, OTHER_REGION)):
        assert entry(result, number, "region", "arn", "key_state_before", "key_state", "actions", "changed") == (
            region,
            arn(region),
            "Disabled",
            "Enabled",
            ["EnableKey"],
            True,
        )
        assert result["keys"][number].items() >= NOTHING_WRONG.items()
        assert result["keys"][number]["reference"] == ALIAS
    assert "diff" not in result


def test_nothing_to_do_is_one_call_for_each_key(talk: Talk) -> None:
    for region in (REGION, OTHER_REGION):
        talk.kms(("DescribeKey", ALIAS, "Enabled"), region=region)
    result = talk.run(kms_key_state, keys=BOTH).ok
    assert result["changed"] is False
    assert [key["actions"] for key in result["keys"]] == [[], []]


def test_one_changed_key_is_a_change(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    talk.kms(*ENABLING, region=OTHER_REGION)
    result = talk.run(kms_key_state, keys=BOTH).ok
    assert result["changed"] is True
    assert [key["changed"] for key in result["keys"]] == [False, True]


@pytest.mark.parametrize("keys", [BOTH, BOTH[::-1]], ids=["as listed", "turned round"])
def test_the_order_is_that_of_the_keys(talk: Talk, keys: list[dict[str, str]]) -> None:
    for region in (REGION, OTHER_REGION):
        talk.kms(("DescribeKey", ALIAS, "Enabled"), region=region)
    result = talk.run(kms_key_state, keys=keys).ok
    assert [key["region"] for key in result["keys"]] == [key["region"] for key in keys]


def test_the_default_region(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    assert entry(talk.run(kms_key_state, keys=[{"key_id": ALIAS}]).ok, 0, "region") == (REGION,)


class RealmInAws:
    """KMS in several regions, where no change spreads before EnableKey has arrived in all of them."""

    def __init__(self, regions: list[str]) -> None:
        self.calls: list[tuple[str, str]] = []
        self._at_once = threading.Barrier(len(regions))
        self._enabled = {region: threading.Event() for region in regions}

    def client(self, region: str) -> RealmInAws.Client:
        return RealmInAws.Client(self, region)

    class Client:
        def __init__(self, realm: RealmInAws, region: str) -> None:
            self._realm, self._region = realm, region

        def enable_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
            self._realm.calls.append(("EnableKey", self._region))
            # Nobody passes before both are here: one after the other would break the barrier.
            self._realm._at_once.wait(PATIENCE)
            self._realm._enabled[self._region].set()
            return {}

        def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
            if KeyId == ALIAS:
                return {"KeyMetadata": metadata("Disabled", self._region)}
            self._realm.calls.append(("wait", self._region))
            spread = all(enabled.wait(PATIENCE) for enabled in self._realm._enabled.values())
            return {"KeyMetadata": metadata("Enabled" if spread else "Disabled", self._region)}


def test_all_changing_calls_are_out_before_the_first_wait_ends(talk: Talk) -> None:
    regions = [REGION, OTHER_REGION, "eu-central-1", "eu-west-1", "ap-south-1"]
    realm = RealmInAws(regions)
    for region in regions:
        talk.fake(region, realm.client(region))
    keys = [{"region": region, "key_id": ALIAS} for region in regions]
    result = talk.run(kms_key_state, keys=keys).ok
    assert [key["key_state"] for key in result["keys"]] == ["Enabled"] * 5
    assert [key["region"] for key in result["keys"]] == regions
    # Five changes and three reads each: nobody had to ask again.
    assert sorted(realm.calls) == sorted(
        [("EnableKey", region) for region in regions] + [("wait", region) for region in regions] * 3
    )


@pytest.mark.parametrize(
    ("calls", "code", "actions"),
    [
        pytest.param([("DescribeKey", ALIAS, Fault("AccessDeniedException"))], "access_denied", [], id="denied"),
        pytest.param([("DescribeKey", ALIAS, Fault("NotFoundException"))], "key_not_found", [], id="not found"),
        pytest.param([("DescribeKey", ALIAS, "PendingDeletion")], "pending_deletion", [], id="pending deletion"),
        pytest.param([("DescribeKey", ALIAS, "Unavailable")], "unavailable", [], id="unavailable"),
        pytest.param(
            [
                ("DescribeKey", ALIAS, "Disabled"),
                ("EnableKey", KEY_ID, Fault("ThrottlingException", "Rate exceeded")),
            ],
            "throttled",
            [],
            id="throttled",
        ),
        pytest.param(
            [
                ("DescribeKey", ALIAS, "Disabled"),
                ("EnableKey", KEY_ID),
                ("DescribeKey", KEY_ID, Fault("ExpiredTokenException")),
            ],
            "credentials_expired",
            ["EnableKey"],
            id="expired while waiting",
        ),
    ],
)
@pytest.mark.parametrize("bad", [REGION, OTHER_REGION], ids=["first fails", "second fails"])
def test_one_fails_and_the_other_goes_on(
    talk: Talk, bad: str, calls: list[tuple[Any, ...]], code: str, actions: list[str]
) -> None:
    good = OTHER_REGION if bad == REGION else REGION
    talk.kms(*calls, region=bad)
    talk.kms(*ENABLING, region=good)
    result = talk.run(kms_key_state, keys=BOTH).failed
    fate = {key["region"]: key for key in result["keys"]}
    assert [key["region"] for key in result["keys"]] == [REGION, OTHER_REGION]
    assert (fate[bad]["code"], fate[bad]["actions"]) == (code, actions)
    assert fate[bad]["error"]
    assert fate[bad]["hint"]
    assert fate[good].items() >= NOTHING_WRONG.items()
    assert fate[good]["key_state"] == "Enabled"
    assert result["changed"] is True
    assert result["msg"] == f"{bad}: {fate[bad]['error']} {fate[bad]['hint']}"


def test_all_fail(talk: Talk) -> None:
    for region in (REGION, OTHER_REGION):
        talk.kms(("DescribeKey", ALIAS, "Creating"), region=region)
    result = talk.run(kms_key_state, keys=BOTH).failed
    assert result["changed"] is False
    assert f"{REGION}: {arn()} is Creating" in result["msg"]
    assert f" {OTHER_REGION}: {arn(OTHER_REGION)} is Creating" in result["msg"]


def test_a_region_that_is_not_reached_does_not_hold_up_the_other(talk: Talk) -> None:
    class Unreachable:
        def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
            raise EndpointConnectionError(endpoint_url="https://kms.us-east-1.amazonaws.com/")

    talk.fake(REGION, Unreachable())
    talk.kms(*ENABLING, region=OTHER_REGION)
    result = talk.run(kms_key_state, keys=BOTH).failed
    assert [key["code"] for key in result["keys"]] == ["not_reached", ""]
    assert [call["error"] for call in result["keys"][0]["calls"]] == ["EndpointConnectionError"]


def test_a_wrong_reference_costs_no_call(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), region=OTHER_REGION)
    result = talk.run(kms_key_state, keys=[{"region": REGION, "key_id": arn(OTHER_REGION)}, BOTH[1]]).failed
    assert [key["code"] for key in result["keys"]] == ["wrong_region", ""]


def test_the_account_counts_for_every_key(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    other = metadata("Enabled", OTHER_REGION, Arn=arn(OTHER_REGION, account=OTHER_ACCOUNT))
    talk.kms(("DescribeKey", ALIAS, other), region=OTHER_REGION)
    result = talk.run(kms_key_state, keys=BOTH, account_id=ACCOUNT).failed
    assert [key["code"] for key in result["keys"]] == ["", "owner_differs"]


class TestPlannedKey:
    """What was shown is what is changed."""

    OTHER_KEY = "0987dcba-09fe-87dc-65ba-ab0987654321"

    @pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
    @pytest.mark.parametrize("state", ["enabled", "disabled"])
    def test_an_alias_that_has_moved(self, talk: Talk, state: str, check: bool) -> None:
        moved = metadata("Disabled" if state == "enabled" else "Enabled", Arn=arn(key_id=self.OTHER_KEY))
        talk.kms(("DescribeKey", ALIAS, moved | {"KeyId": self.OTHER_KEY}))
        key = {"region": REGION, "key_id": ALIAS, "expected_arn": arn()}
        result = talk.run(kms_key_state, check=check, keys=[key], state=state).failed
        assert entry(result, 0, "code", "actions", "changed") == ("alias_moved", [], False)
        for named in (ALIAS, arn(), arn(key_id=self.OTHER_KEY), "run again"):
            assert named in result["msg"]

    @pytest.mark.parametrize("reference", [ALIAS, KEY_ID, arn()])
    def test_the_planned_key_is_changed(self, talk: Talk, reference: str) -> None:
        talk.kms(("DescribeKey", reference, "Disabled"), *ENABLING[1:])
        key = {"region": REGION, "key_id": reference, "expected_arn": arn()}
        assert entry(talk.run(kms_key_state, keys=[key]).ok, 0, "key_state", "arn") == ("Enabled", arn())

    def test_one_that_has_moved_does_not_stop_the_other_region(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"))
        talk.kms(*ENABLING, region=OTHER_REGION)
        keys = [{**BOTH[0], "expected_arn": arn(key_id=self.OTHER_KEY)}, {**BOTH[1], "expected_arn": arn(OTHER_REGION)}]
        assert [key["code"] for key in talk.run(kms_key_state, keys=keys).failed["keys"]] == ["alias_moved", ""]

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ({"key_id": ALIAS, "expected_arn": KEY_ID}, "expected_arn must be the ARN of a key"),
            ({"key_id": ALIAS, "expected_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:{ALIAS}"}, "must be the ARN of a key"),
            ({"key_id": ALIAS, "expected_arn": ""}, "expected_arn must be the ARN of a key"),
            ({"alias_prefix": "alias/c", "expected_arn": arn()}, "mutually exclusive: alias_prefix|expected_arn"),
        ],
    )
    def test_wrong_options(self, talk: Talk, key: dict[str, str], said: str) -> None:
        assert said in talk.run(kms_key_state, keys=[{"region": REGION, **key}]).failed["msg"]
        assert talk.handed_out == []


@pytest.mark.parametrize(("account_id", "code"), [(ACCOUNT, ""), (OTHER_ACCOUNT, "owner_differs"), (None, "")])
def test_describe_key_without_an_account(talk: Talk, account_id: str | None, code: str) -> None:
    """AWSAccountId is optional in AWS's model of KeyMetadata."""
    bare = metadata("Enabled")
    del bare["AWSAccountId"]
    talk.kms(("DescribeKey", ALIAS, bare))
    result = talk.run(kms_key_state, keys=BOTH[:1], account_id=account_id).result
    assert entry(result, 0, "account_id", "code") == (ACCOUNT, code)


class Answering:
    """KMS of a region whose answers have headers."""

    def __init__(self, region: str, date: str | None, request_id: str = "") -> None:
        headers = {} if date is None else {"date": date}
        self._answer = {
            "KeyMetadata": metadata("Enabled", region),
            "ResponseMetadata": {"HTTPHeaders": headers, **({"RequestId": request_id} if request_id else {})},
        }

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return self._answer


def ahead(seconds: float) -> str:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return email.utils.format_datetime(moment, usegmt=True)


class TestClockOffset:
    @pytest.mark.parametrize(
        ("offsets", "median"),
        [([0], 0), ([-300], -300), ([7200], 7200), ([10, 20, 400], 20), ([10, 30], 20), ([None, 50], 50)],
    )
    def test_by_the_date_header(self, talk: Talk, offsets: list[float | None], median: float) -> None:
        regions = [REGION, OTHER_REGION, "eu-west-1"][: len(offsets)]
        for region, offset in zip(regions, offsets, strict=True):
            talk.fake(region, Answering(region, None if offset is None else ahead(offset)))
        keys = [{"region": region, "key_id": ALIAS} for region in regions]
        result = talk.run(kms_key_state, check=True, keys=keys).ok
        assert result["clock_offset"] == pytest.approx(median, abs=1.5)
        assert result["clock_offset"] == round(result["clock_offset"], 1)

    @pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 27 Nov 2026 20:00:00 -0000"])
    def test_unknown(self, talk: Talk, date: str | None) -> None:
        talk.fake(REGION, Answering(REGION, date))
        assert talk.run(kms_key_state, keys=BOTH[:1]).ok["clock_offset"] is None

    @pytest.mark.parametrize("ahead_by", [-1.5, -1, -0.5, 0, 0.5, 1, 1.5])
    def test_what_whole_seconds_cannot_show_is_none(self, ahead_by: float) -> None:
        date = dt.datetime(2026, 11, 24, 3, 0, 0, tzinfo=dt.UTC)
        answer = {"ResponseMetadata": {"HTTPHeaders": {"date": email.utils.format_datetime(date, usegmt=True)}}}
        # Two runs would else see two clocks, and take one moment for two.
        assert clock_offset(answer, date + dt.timedelta(seconds=0.5 - ahead_by)) == 0

    def test_of_the_standin(self, aws: AwsStandin, talk_to: Any) -> None:
        aws.control("POST", "config", {"clock_offset": -420})
        aws.control("POST", "keys", {"region": REGION, "alias": ALIAS})
        assert talk_to(keys=BOTH[:1])["clock_offset"] == pytest.approx(-420, abs=2)


def test_each_call_has_its_request_id(talk: Talk) -> None:
    talk.fake(REGION, Answering(REGION, None, "6f0b2c1e-3a55-4d0e-9c3f-5f0e6a1b2c3d"))
    talk.fake(OTHER_REGION, Answering(OTHER_REGION, None))
    keys = talk.run(kms_key_state, keys=BOTH).ok["keys"]
    assert [[call["request_id"] for call in key["calls"]] for key in keys] == [
        ["6f0b2c1e-3a55-4d0e-9c3f-5f0e6a1b2c3d"],
        [""],
    ]


def test_cancel_deletion_counts_for_every_key(talk: Talk) -> None:
    for region in (REGION, OTHER_REGION):
        talk.kms(
            ("DescribeKey", ALIAS, "PendingDeletion"),
            ("CancelKeyDeletion", KEY_ID),
            ("EnableKey", KEY_ID),
            region=region,
        )
    result = talk.run(kms_key_state, keys=BOTH, cancel_deletion=True, wait=False).ok
    assert [key["actions"] for key in result["keys"]] == [["CancelKeyDeletion", "EnableKey"]] * 2


class TestDisabled:
    """What ``revoke`` asks for."""

    DISABLING: ClassVar[list[tuple[Any, ...]]] = [
        ("DescribeKey", ALIAS, "Enabled"),
        ("DisableKey", KEY_ID),
        # The old state once more, after the new one: only three equal reads in a row count.
        *[("DescribeKey", KEY_ID, state) for state in ("Enabled", "Disabled", "Enabled", *["Disabled"] * 3)],
    ]

    def test_both_keys_are_disabled_and_waited_for(self, talk: Talk) -> None:
        talk.kms(*self.DISABLING)
        talk.kms(*self.DISABLING, region=OTHER_REGION)
        result = talk.run(kms_key_state, keys=BOTH, state="disabled", diff=True).ok
        for number in (0, 1):
            assert entry(result, number, "key_state_before", "key_state", "actions", "waited") == (
                "Enabled",
                "Disabled",
                ["DisableKey"],
                5.0,
            )
        assert [one["after"] for one in result["diff"]] == [{"key_state": "Disabled"}] * 2

    def test_again_nothing_is_to_be_done(self, talk: Talk) -> None:
        for region in (REGION, OTHER_REGION):
            talk.kms(("DescribeKey", ALIAS, "Disabled"), region=region)
        assert talk.run(kms_key_state, keys=BOTH, state="disabled").ok["changed"] is False

    @pytest.mark.parametrize(
        ("calls", "code", "actions"),
        [
            pytest.param([("DescribeKey", ALIAS, Fault("AccessDeniedException"))], "access_denied", [], id="unread"),
            pytest.param(
                [("DescribeKey", ALIAS, "Enabled"), ("DisableKey", KEY_ID, Fault("AccessDeniedException"))],
                "access_denied",
                [],
                id="denied",
            ),
            pytest.param([("DescribeKey", ALIAS, "PendingDeletion")], "pending_deletion", [], id="pending deletion"),
            pytest.param([("DescribeKey", ALIAS, "PendingImport")], "pending_import", [], id="pending import"),
            pytest.param(
                [
                    ("DescribeKey", ALIAS, "Enabled"),
                    ("DisableKey", KEY_ID, Fault("KMSInvalidStateException", "is pending deletion")),
                ],
                "aws_refused",
                [],
                id="scheduled for deletion meanwhile",
            ),
            pytest.param(
                [
                    ("DescribeKey", ALIAS, "Enabled"),
                    ("DisableKey", KEY_ID),
                    ("DescribeKey", KEY_ID, Fault("ExpiredTokenException")),
                ],
                "credentials_expired",
                ["DisableKey"],
                id="expired while waiting",
            ),
        ],
    )
    def test_one_fails_and_the_other_is_disabled(
        self, talk: Talk, calls: list[tuple[Any, ...]], code: str, actions: list[str]
    ) -> None:
        talk.kms(*calls)
        talk.kms(*self.DISABLING, region=OTHER_REGION)
        result = talk.run(kms_key_state, keys=BOTH, state="disabled").failed
        assert entry(result, 0, "code", "actions") == (code, actions)
        assert entry(result, 1, "key_state", "code") == ("Disabled", "")

    def test_a_change_that_does_not_spread_is_told(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Enabled"), ("DisableKey", KEY_ID), *[("DescribeKey", KEY_ID, "Enabled")] * 3)
        result = talk.run(kms_key_state, keys=BOTH[:1], state="disabled", wait_timeout=2).failed
        assert entry(result, 0, "code", "key_state", "actions") == ("not_settled", "Enabled", ["DisableKey"])
        assert "as Disabled 3 times in a row" in result["msg"]


class TestCheckMode:
    def test_changes_and_refusals_are_predicted(self, talk: Talk) -> None:
        talk.kms(("DescribeKey", ALIAS, "Disabled"))
        talk.kms(("DescribeKey", ALIAS, "PendingImport"), region=OTHER_REGION)
        result = talk.run(kms_key_state, check=True, keys=BOTH).failed
        assert entry(result, 0, "actions", "key_state", "changed", "code") == (["EnableKey"], "Enabled", True, "")
        assert entry(result, 1, "actions", "key_state", "changed", "code") == (
            [],
            "PendingImport",
            False,
            "pending_import",
        )
        assert result["changed"] is True


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_the_diff_has_every_key_that_was_found(talk: Talk, check: bool) -> None:
    talk.kms(*ENABLING[: 1 if check else None])
    talk.kms(("DescribeKey", ALIAS, Fault("NotFoundException")), region=OTHER_REGION)
    talk.kms(("DescribeKey", ALIAS, "Enabled"), region="eu-west-1")
    keys = [*BOTH, {"region": "eu-west-1", "key_id": ALIAS}]
    result = talk.run(kms_key_state, check=check, diff=True, keys=keys).failed
    assert result["diff"] == [
        {
            "before_header": arn(region),
            "after_header": arn(region),
            "before": {"key_state": before},
            "after": {"key_state": "Enabled"},
        }
        for region, before in ((REGION, "Disabled"), ("eu-west-1", "Enabled"))
    ]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        pytest.param([], "keys is empty", id="no keys"),
        pytest.param([{"key_id": ALIAS}], "An entry of keys has no region", id="no region"),
        pytest.param([{"region": "", "key_id": ALIAS}], "An entry of keys has no region", id="empty region"),
        pytest.param(
            [{"region": REGION}],
            "one of the following is required: key_id, alias_prefix found in keys",
            id="no reference",
        ),
    ],
)
def test_wrong_options(talk: Talk, keys: list[dict[str, str]], said: str) -> None:
    assert said in talk.run(kms_key_state, region=None, keys=keys).failed["msg"]
    assert talk.handed_out == []


def test_one_client_for_each_region(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"), region=OTHER_REGION)
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    talk.run(kms_key_state, keys=[*BOTH]).ok  # noqa: B018 - it asserts
    assert [(service, region) for service, region, _more in talk.handed_out] == [("kms", REGION), ("kms", OTHER_REGION)]


class TestKeysFoundByTheirAlias:
    KEYS = ("11111111-12ab-34cd-56ef-1234567890ab", "22222222-12ab-34cd-56ef-1234567890ab")
    CRYPTOR: dict[str, str] = {"region": REGION, "alias_prefix": "alias/cryptor"}  # noqa: RUF012 - never changed

    def found(self, talk: Talk, *names: str, states: str = "Enabled") -> None:
        # Each thread asks when it can, so the answers may not depend on the order.
        class Kms:
            def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
                return {"KeyMetadata": metadata(states, KeyId=KeyId, Arn=arn(key_id=KeyId))}

            def list_aliases(self, **_more: str) -> dict[str, Any]:
                listed = [{"AliasName": name, "AliasArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"} for name in names]
                return {"Aliases": [{**one, "TargetKeyId": one["AliasName"]} for one in listed], "Truncated": False}

        talk.fake(REGION, Kms())

    def test_several_keys_of_a_region(self, talk: Talk) -> None:
        self.found(talk, "alias/cryptor-b", "alias/other", "alias/cryptor/a", "alias/cryptor", "alias/Cryptor")
        keys = talk.run(kms_key_state, keys=[self.CRYPTOR]).ok["keys"]
        assert [key["reference"] for key in keys] == ["alias/cryptor", "alias/cryptor-b", "alias/cryptor/a"]
        assert [[call["operation"] for call in key["calls"]] for key in keys] == [
            ["ListAliases", "DescribeKey"],
            ["DescribeKey"],
            ["DescribeKey"],
        ]

    def test_all_pages_are_read_and_a_key_of_two_aliases_counts_once(self, talk: Talk) -> None:
        talk.aliases(
            {"alias/aws/ebs": None, "alias/cryptor-2": KEY_ID}, {"alias/x": self.KEYS[0]}, {"alias/cryptor-1": KEY_ID}
        )
        talk.kms(("DescribeKey", "alias/cryptor-1", "Enabled"))
        (key,) = talk.run(kms_key_state, keys=[self.CRYPTOR]).ok["keys"]
        assert (key["reference"], [call["operation"] for call in key["calls"]]) == (
            "alias/cryptor-1",
            ["ListAliases"] * 3 + ["DescribeKey"],
        )

    def test_a_key_is_enabled_as_any_other(self, talk: Talk) -> None:
        talk.aliases({"alias/cryptor-1": KEY_ID})
        talk.kms(("DescribeKey", "alias/cryptor-1", "Disabled"), *ENABLING[1:])
        assert talk.run(kms_key_state, keys=[self.CRYPTOR]).ok["keys"][0]["actions"] == ["EnableKey"]

    @pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
    def test_no_such_alias_in_a_region(self, talk: Talk, check: bool) -> None:
        talk.aliases({"alias/mine": KEY_ID})
        talk.aliases({"alias/cryptor-1": KEY_ID}, region=OTHER_REGION)
        talk.kms(("DescribeKey", "alias/cryptor-1", "Enabled"), region=OTHER_REGION)
        both = [self.CRYPTOR, {**self.CRYPTOR, "region": OTHER_REGION}]
        result = talk.run(kms_key_state, check=check, keys=both).failed
        assert [(key["reference"], key["code"]) for key in result["keys"]] == [
            ("alias/cryptor*", "no_such_alias"),
            ("alias/cryptor-1", ""),
        ]
        assert f"the account {ACCOUNT} begins" in result["keys"][0]["error"]

    def test_an_alias_without_a_key(self, talk: Talk) -> None:
        talk.aliases({"alias/cryptor-1": None, "alias/cryptor-2": KEY_ID})
        talk.kms(("DescribeKey", "alias/cryptor-2", "Enabled"))
        result = talk.run(kms_key_state, keys=[self.CRYPTOR]).failed
        assert [key["code"] for key in result["keys"]] == ["alias_without_key", ""]

    def test_a_listing_that_is_denied(self, talk: Talk) -> None:
        talk.aliases(Fault("AccessDeniedException"))
        (key,) = talk.run(kms_key_state, keys=[self.CRYPTOR]).failed["keys"]
        assert (key["code"], [call["error"] for call in key["calls"]]) == ("access_denied", ["AccessDeniedException"])
        assert "kms:ListAliases" in key["hint"]

    def test_an_alias_that_was_left_on_a_key_that_is_to_be_deleted(self, talk: Talk) -> None:
        talk.aliases({"alias/cryptor-1": KEY_ID})
        talk.kms(("DescribeKey", "alias/cryptor-1", "PendingDeletion"))
        (key,) = talk.run(kms_key_state, keys=[self.CRYPTOR]).failed["keys"]
        assert (key["code"], key["actions"]) == ("pending_deletion", [])

    def test_a_listing_without_end(self, talk: Talk) -> None:
        listings: list[dict[str, str]] = []

        class Kms:
            def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
                return {"KeyMetadata": metadata("Enabled")}

            def list_aliases(self, **params: str) -> dict[str, Any]:
                listings.append(params)
                alias = {"AliasName": "alias/cryptor-1", "AliasArn": arn(), "TargetKeyId": KEY_ID}
                return {"Aliases": [alias], "Truncated": True, "NextMarker": "the same"}

        talk.fake(REGION, Kms())
        keys = talk.run(kms_key_state, keys=[self.CRYPTOR]).failed["keys"]
        assert len(listings) == 200
        assert [(key["reference"], key["code"]) for key in keys] == [
            ("alias/cryptor-1", ""),
            ("alias/cryptor*", "too_many_aliases"),
        ]

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ({"key_id": ALIAS}, "mutually exclusive: key_id|alias_prefix"),
            ({"alias_prefix": ""}, "alias_prefix must be the beginning of an alias' name"),
            ({"alias_prefix": "cryptor"}, "alias_prefix must be the beginning of an alias' name"),
        ],
    )
    def test_wrong_options(self, talk: Talk, more: dict[str, str], said: str) -> None:
        assert said in talk.run(kms_key_state, keys=[self.CRYPTOR | more]).failed["msg"]
        assert talk.handed_out == []
