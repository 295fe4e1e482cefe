"""kms_key_revocation_info: its calls by scripted conversations, and its ways with the strict stand-in."""

from __future__ import annotations

import concurrent.futures
import datetime as dt
import functools
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from botocore.stub import ANY

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import LOOKUP_OPTIONS
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import lookup as lookups
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import revocation_info
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import (
    KEY_EVENTS,
    STORE_EVENTS,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline, wait_for
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_revocation_info as module
from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import ACCESS_KEY, client
from tests.unit.plugins.conversation import (
    ACCOUNT,
    OTHER_ACCOUNT,
    OTHER_REGION,
    REGION,
    Clock,
    Fault,
    Run,
    Talk,
    arn,
    stubbed_client,
)
from tests.unit.plugins.examples import run_examples

KEY = arn()
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/cmk-operator/cmk-acme"
WHEN = dt.datetime(2026, 11, 20, 8, 15, tzinfo=dt.UTC)
STORE = "cks-1234567890abcdef0"
DENIED = Fault("AccessDeniedException", "User: arn is not authorized to perform: cloudtrail:LookupEvents")


def event(name: str, minute: int = 0, key: str | None = KEY, error: str | None = None, **params: str) -> dict[str, Any]:
    """An event as LookupEvents answers it."""
    record = {"userIdentity": {"arn": CALLER}, "sourceIPAddress": "192.0.2.7", "requestParameters": params}
    if error:
        record["errorCode"] = error
    return {
        "EventId": f"{name}-{minute}",
        "EventName": name,
        "EventTime": WHEN + dt.timedelta(minutes=minute),
        "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": key}] if key else [],
        "CloudTrailEvent": json.dumps(record),
    }


def knows_caller(talk: Talk, answer: Fault | None = None) -> None:
    identity = {"UserId": "AROAEXAMPLE:cmk-acme", "Account": ACCOUNT, "Arn": CALLER}
    talk.conversation("sts", REGION).expect("GetCallerIdentity", {}, answer or identity)


def lookup(talk: Talk, attribute: str, value: str, *pages: list[dict[str, Any]] | Fault, region: str = REGION) -> None:
    """Expect a lookup of all its pages, or of those up to a fault."""
    params = {"LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}], "StartTime": ANY}
    for number, page in enumerate(pages, 1):
        token = {"NextToken": f"to page {number}"} if number > 1 else {}
        more = {"NextToken": f"to page {number + 1}"} if number < len(pages) else {}
        answer = page if isinstance(page, Fault) else {"Events": page, **more}
        talk.conversation("cloudtrail", region).expect("LookupEvents", params | token, answer)


@pytest.fixture(autouse=True)
def _no_waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    if "talk" in request.fixturenames:
        monkeypatch.setattr(
            revocation_info, "Pace", functools.partial(lookups.Pace, sleep=clock.sleep, monotonic=clock.monotonic)
        )


# --- The calls


def test_one_key_one_lookup(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [event("Decrypt", 2, error="DisabledException"), event("DisableKey")])
    result = talk.run(module, keys=[{"region": REGION, "key_arn": KEY}]).ok
    disabled = {
        "revoked_at": "2026-11-20T08:15:00Z",
        "revoked_by": CALLER,
        "revoked_how": "DisableKey",
        "event_id": "DisableKey-0",
        "automation": "",
    }
    told = {
        "time": "2026-11-20T08:15:00Z",
        "name": "DisableKey",
        "user_arn": CALLER,
        "source_ip": "192.0.2.7",
        "event_id": "DisableKey-0",
        "error_code": None,
        "region": REGION,
        "automation": "",
    }
    result.pop("invocation", None)
    assert result == {
        "changed": False,
        "revoked_at": "2026-11-20T08:15:00Z",
        "last_loss": {
            "revoked_at": "2026-11-20T08:15:00Z",
            "lost_at": "2026-11-20T08:15:00Z",
            "restored_at": None,
        },
        "identity": "us-east-1:DisableKey-0",
        "complete": True,
        "caller": {"arn": CALLER, "account_id": ACCOUNT},
        "keys": [
            {
                "region": REGION,
                "arn": KEY,
                "looked_up": True,
                "complete": True,
                "events": [told],
                **disabled,
                "last_revocation": disabled,
                "restored_at": None,
                "refused_use": None,
                "suspects": [],
                "reason": None,
            }
        ],
    }


def test_pages_are_followed_at_two_a_second(talk: Talk, clock: Clock) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [event("DisableKey", 4)], [event("DisableKey", 3)], [event("DisableKey", 2)])
    result = talk.run(module, keys=[{"key_arn": KEY}]).ok
    assert (result["revoked_at"], result["identity"]) == ("2026-11-20T08:17:00Z", "us-east-1:DisableKey-2")
    assert clock.sleeps == [0.5, 0.5]


@pytest.mark.parametrize(("given_days", "days"), [(None, 90), (90, 90), (30, 30), (1, 1)])
def test_how_far_back(talk: Talk, monkeypatch: pytest.MonkeyPatch, given_days: int | None, days: int) -> None:
    seen: dict[str, Any] = {}

    class Trail:
        def lookup_events(self, **params: Any) -> dict[str, Any]:
            seen.update(params)
            return {"Events": []}

    monkeypatch.setitem(talk._fakes, ("cloudtrail", REGION), Trail())
    knows_caller(talk)
    result = talk.run(module, keys=[{"key_arn": KEY}], lookback_days=given_days).ok
    ago = dt.datetime.now(dt.UTC) - seen["StartTime"]
    assert abs(ago - dt.timedelta(days=days)) < dt.timedelta(minutes=1)
    assert f"in the last {days} days" in result["keys"][0]["reason"]


def test_dual_region(talk: Talk) -> None:
    knows_caller(talk)
    other = arn(OTHER_REGION)
    lookup(talk, "ResourceName", KEY, [event("DisableKey", 9)])
    lookup(talk, "ResourceName", other, [event("DisableKey", 7, other)], region=OTHER_REGION)
    result = talk.run(module, keys=[{"key_arn": KEY}, {"key_arn": other}]).ok
    assert result["revoked_at"] == "2026-11-20T08:22:00Z"
    assert [(key["region"], key["revoked_at"]) for key in result["keys"]] == [
        (REGION, "2026-11-20T08:24:00Z"),
        (OTHER_REGION, "2026-11-20T08:22:00Z"),
    ]
    assert result["identity"] == "us-east-1:DisableKey-9,us-west-2:DisableKey-7"


def test_one_region_denied_does_not_stop_the_other(talk: Talk) -> None:
    knows_caller(talk)
    other = arn(OTHER_REGION)
    lookup(talk, "ResourceName", KEY, DENIED)
    lookup(talk, "ResourceName", other, [event("DisableKey", 7, other)], region=OTHER_REGION)
    result = talk.run(module, keys=[{"key_arn": KEY}, {"key_arn": other}]).ok
    denied, found = result["keys"]
    assert denied["reason"] == "AWS refused LookupEvents."
    nothing = ("revoked_at", "revoked_by", "revoked_how", "event_id", "automation", "last_revocation", "restored_at")
    assert all(denied[name] is None for name in nothing)
    assert (denied["looked_up"], denied["events"], denied["suspects"]) == (False, [], [])
    assert (found["looked_up"], found["reason"]) == (True, None)
    assert result["revoked_at"] == found["revoked_at"] == "2026-11-20T08:22:00Z"
    assert result["identity"] is None


def test_a_page_that_does_not_come_leaves_nothing_half_known(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [event("DisableKey", 4)], Fault("ThrottlingException", "Rate exceeded"))
    (key,) = talk.run(module, keys=[{"key_arn": KEY}]).ok["keys"]
    assert (key["looked_up"], key["revoked_at"]) == (False, None)
    assert key["reason"] == "AWS kept throttling LookupEvents in us-east-1: Rate exceeded."


def test_a_key_in_use_is_looked_up_by_kind_of_event(talk: Talk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_PAGES", 2)
    knows_caller(talk)
    uses = [[event("Decrypt", 50 + page)] for page in range(3)]
    params = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": KEY}], "StartTime": ANY}
    trail = talk.conversation("cloudtrail", REGION)
    trail.expect("LookupEvents", params, {"Events": [*uses[0], event("EnableKey", 40)], "NextToken": "two"})
    trail.expect("LookupEvents", params | {"NextToken": "two"}, {"Events": uses[1], "NextToken": "three"})
    other = arn(key_id="0987dcba-09fe-87dc-65ba-ab0987654321")
    by_name = {
        "EnableKey": [event("EnableKey", 40), event("EnableKey", 30, other)],
        "DisableKey": [event("DisableKey", 35, other), event("DisableKey", 20)],
        "PutKeyPolicy": [event("PutKeyPolicy", 10), event("PutKeyPolicy", 5, None)],
    }
    for name in reversed(KEY_EVENTS):
        lookup(talk, "EventName", name, by_name.get(name, []))
    (key,) = talk.run(module, keys=[{"key_arn": KEY}]).ok["keys"]
    assert [found["event_id"] for found in key["events"]] == ["PutKeyPolicy-10", "DisableKey-20", "EnableKey-40"]
    assert key["last_revocation"]["event_id"] == "DisableKey-20"
    assert (key["revoked_at"], key["restored_at"]) == (None, "2026-11-20T08:55:00Z")
    assert [found["event_id"] for found in key["suspects"]] == ["PutKeyPolicy-10"]
    assert clock.sleeps == [0.5] * (1 + len(KEY_EVENTS))


@pytest.mark.parametrize(("pages", "complete"), [(2, True), (3, False)])
def test_events_that_are_too_many_even_by_their_name(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, pages: int, complete: bool
) -> None:
    monkeypatch.setattr(lookups, "MOST_PAGES", 2)
    knows_caller(talk)
    params = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": KEY}], "StartTime": ANY}
    trail = talk.conversation("cloudtrail", REGION)
    trail.expect("LookupEvents", params, {"Events": [], "NextToken": "two"})
    trail.expect("LookupEvents", params | {"NextToken": "two"}, {"Events": [], "NextToken": "three"})
    for name in reversed(KEY_EVENTS):
        by_name = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}], "StartTime": ANY}
        many = name == "DisableKey"
        first = {"Events": [event(name, 9)] if many else [], **({"NextToken": "2"} if many else {})}
        trail.expect("LookupEvents", by_name, first)
        if many:
            more = {"NextToken": "3"} if pages > 2 else {}
            trail.expect("LookupEvents", by_name | {"NextToken": "2"}, {"Events": [event(name, 5)], **more})
    (key,) = talk.run(module, keys=[{"key_arn": KEY}]).ok["keys"]
    assert (key["looked_up"], key["complete"]) == (True, complete)
    assert key["revoked_at"] == "2026-11-20T08:20:00Z"
    assert (key["reason"] is None) is complete
    assert complete or key["reason"].startswith("Older events were not read")


def test_the_loss_of_a_key_store(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [])
    stores = {
        # As AWS KMS Developer Guide shows them: without any resource.
        "DisconnectCustomKeyStore": [
            event("DisconnectCustomKeyStore", 8, None, customKeyStoreId="cks-0fedcba0987654321"),
            event("DisconnectCustomKeyStore", 6, None, customKeyStoreId=STORE),
        ],
        "ConnectCustomKeyStore": [event("ConnectCustomKeyStore", 2, None, customKeyStoreId=STORE)],
    }
    for name in reversed(STORE_EVENTS):
        lookup(talk, "EventName", name, stores[name])
    (key,) = talk.run(module, keys=[{"key_arn": KEY, "custom_key_store_id": STORE}]).ok["keys"]
    assert (key["revoked_how"], key["revoked_at"]) == ("DisconnectCustomKeyStore", "2026-11-20T08:21:00Z")
    assert [found["name"] for found in key["events"]] == ["ConnectCustomKeyStore", "DisconnectCustomKeyStore"]


def test_the_key_state_makes_the_reason_clearer(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [event("PutKeyPolicy")])
    (key,) = talk.run(module, keys=[{"key_arn": KEY, "key_state": "Enabled"}]).ok["keys"]
    assert key["reason"] == (
        "The key is Enabled, and CloudTrail shows no loss of access in the last 90 days; the vendor may be locked out by "
        "the latest of its suspects, PutKeyPolicy at 2026-11-20T08:15:00Z."
    )
    assert key["revoked_at"] is None


def test_check_mode_does_the_same(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [event("DisableKey")])
    result = talk.run(module, keys=[{"key_arn": KEY}], check=True, diff=True).ok
    assert (result["changed"], result["revoked_at"]) == (False, "2026-11-20T08:15:00Z")
    assert "diff" not in result


def test_no_caller_is_no_failure(talk: Talk) -> None:
    knows_caller(talk, Fault("ExpiredToken", "The security token included in the request is expired", 403))
    lookup(talk, "ResourceName", KEY, Fault("ExpiredTokenException", "The security token is expired"))
    result = talk.run(module, keys=[{"key_arn": KEY}]).ok
    assert result["caller"] is None
    assert result["keys"][0]["reason"] == "The AWS credentials have expired (LookupEvents in us-east-1)."


def test_a_role_is_assumed_once_for_all_services(talk: Talk) -> None:
    role = "arn:aws:iam::111122223333:role/cmk-operator"
    secrets = ("ASIAUNITTESTEXAMPLE0", "assumed-Secret-5d2e8f1a", "assumed-Token-0c4b7a9e")
    credentials = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), secrets, strict=True))
    talk.conversation("sts", REGION).expect(
        "AssumeRole",
        {"RoleArn": role, "RoleSessionName": "cmk-acme"},
        {"Credentials": {**credentials, "Expiration": WHEN}},
    )
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [])
    run = talk.run(module, keys=[{"key_arn": KEY}], assume_role_arn=role, assume_role_session_name="cmk-acme")
    assert run.ok["caller"]["arn"] == CALLER
    assert {more.get("aws_session_token") for _service, _region, more in talk.handed_out[1:]} == {secrets[2]}
    assert not any(secret in str(run.result) for secret in secrets)


@pytest.mark.parametrize("read_access", [False, True])
def test_a_role_that_cannot_be_assumed_is_no_failure(talk: Talk, read_access: bool) -> None:
    role = "arn:aws:iam::111122223333:role/cmk-operator"
    talk.conversation("sts", REGION).expect(
        "AssumeRole",
        {"RoleArn": role, "RoleSessionName": "keyops.atlassian_cmk"},
        Fault("AccessDenied", "not authorized to perform: sts:AssumeRole", 403),
    )
    result = talk.run(module, keys=[{"key_arn": KEY}], assume_role_arn=role, read_access=read_access).ok
    (key,) = result["keys"]
    why = "AWS refused AssumeRole in us-east-1: not authorized to perform: sts:AssumeRole."
    assert (key["reason"], key["revoked_at"], key["looked_up"]) == (why, None, False)
    assert (result["revoked_at"], result["identity"], result["caller"]) == (None, None, None)
    assert {name: key[name] for name in ("policy", "grants", "access_reason") if name in key} == (
        {"policy": None, "grants": None, "access_reason": why} if read_access else {}
    )


# --- Policy and grants


def answers_policy(talk: Talk, policy: str | Fault) -> None:
    answer = policy if isinstance(policy, Fault) else {"Policy": policy}
    talk.conversation("kms", REGION).expect("GetKeyPolicy", {"KeyId": KEY, "PolicyName": "default"}, answer)


def read_access(talk: Talk) -> dict[str, Any]:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [])
    (key,) = talk.run(module, keys=[{"key_arn": KEY}], read_access=True).ok["keys"]
    return {name: key[name] for name in ("policy", "grants", "access_reason")}


def grant(name: str, **more: Any) -> dict[str, Any]:
    return {"KeyId": KEY, "GrantId": name * 8, "IssuingAccount": ACCOUNT, "CreationDate": WHEN, **more}


@pytest.mark.skipif(
    "GranteeServicePrincipal"
    not in stubbed_client("kms", REGION).meta.service_model.shape_for("GrantListEntry").members,
    reason="this botocore does not know grants to services yet, and leaves the field out",
)
def test_a_grant_to_a_service(talk: Talk) -> None:
    answers_policy(talk, "{}")
    page = {"Grants": [grant("a", GranteeServicePrincipal="backup.amazonaws.com")], "Truncated": False}
    talk.conversation("kms", REGION).expect("ListGrants", {"KeyId": KEY}, page)
    assert read_access(talk)["grants"][0]["grantee_principal"] == "backup.amazonaws.com"


def test_policy_and_grants(talk: Talk) -> None:
    vendor = [f"arn:aws:iam::{OTHER_ACCOUNT}:role/b", f"arn:aws:iam::{OTHER_ACCOUNT}:role/a"]
    use = {"Sid": "use", "Effect": "Allow", "Principal": {"AWS": vendor}, "Action": ["kms:Encrypt", "kms:Decrypt"]}
    own = {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}
    answers_policy(talk, json.dumps({"Version": "2012-10-17", "Statement": [use, own]}))
    context = {"EncryptionContextEquals": {"Tag": "AcmeCMK"}}
    pages: list[dict[str, Any]] = [
        {
            "Grants": [
                grant("b", GranteePrincipal=vendor[0], Operations=["Encrypt", "Decrypt"], Name="x", Constraints=context)
            ],
            "Truncated": True,
            "NextMarker": "more",
        },
        {
            "Grants": [grant("a", GranteePrincipal=ACCOUNT, RetiringPrincipal=vendor[1])],
            "Truncated": False,
        },
    ]
    for marker, page in zip(({}, {"Marker": "more"}), pages, strict=True):
        talk.conversation("kms", REGION).expect("ListGrants", {"KeyId": KEY, **marker}, page)
    assert read_access(talk) == {
        "policy": {
            "Statement": [
                {**use, "Action": ["kms:Decrypt", "kms:Encrypt"], "Principal": {"AWS": vendor[::-1]}},
                own,
            ][::-1],
            "Version": "2012-10-17",
        },
        "grants": [
            {
                "grant_id": "aaaaaaaa",
                "grantee_principal": ACCOUNT,
                "operations": [],
                "name": None,
                "constraints": {},
                "retiring_principal": vendor[1],
            },
            {
                "grant_id": "bbbbbbbb",
                "grantee_principal": vendor[0],
                "operations": ["Decrypt", "Encrypt"],
                "name": "x",
                "constraints": context,
                "retiring_principal": None,
            },
        ],
        "access_reason": None,
    }


def test_the_order_in_which_aws_answers_a_policy_is_no_difference(talk: Talk) -> None:
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Principal": {"AWS": ["x", "y"]}, "Action": ["kms:Encrypt", "kms:Decrypt"]},
        {"Action": "kms:*", "Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"k": ["1", "2"]}}},
    ]
    swapped = [
        {**statements[1], "Condition": {"StringEquals": {"k": ["2", "1"]}}},
        {"Principal": {"AWS": ["y", "x"]}, "Action": ["kms:Decrypt", "kms:Encrypt"], "Effect": "Allow"},
    ]
    seen = []
    for given in (statements, swapped):
        answers_policy(talk, json.dumps({"Statement": given}))
        talk.conversation("kms", REGION).expect("ListGrants", {"KeyId": KEY}, {"Grants": [], "Truncated": False})
        seen.append(json.dumps(read_access(talk)["policy"]))
    assert seen[0] == seen[1]


def test_policy_denied_grants_read(talk: Talk) -> None:
    answers_policy(talk, Fault("AccessDeniedException", "not allowed: kms:GetKeyPolicy"))
    talk.conversation("kms", REGION).expect("ListGrants", {"KeyId": KEY}, {"Grants": []})
    why = "AWS refused GetKeyPolicy."
    assert read_access(talk) == {"policy": None, "grants": [], "access_reason": why}


def test_grants_without_end_are_not_read_in_part(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    class Kms:
        def get_key_policy(self, **_params: str) -> dict[str, Any]:
            return {"Policy": "{}"}

        def list_grants(self, **params: str) -> dict[str, Any]:
            asked.append(params)
            return {"Grants": [], "Truncated": True, "NextMarker": "the same"}

    talk.fake(REGION, Kms())
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [])
    (key,) = talk.run(module, keys=[{"key_arn": KEY}], read_access=True).ok["keys"]
    assert len(asked) == 100
    assert (key["policy"], key["grants"]) == ({}, None)
    assert "more grants than the 100 pages" in key["access_reason"]


def test_policy_read_grants_denied_on_the_second_page(talk: Talk) -> None:
    answers_policy(talk, "{}")
    kms = talk.conversation("kms", REGION)
    kms.expect("ListGrants", {"KeyId": KEY}, {"Grants": [grant("a")], "Truncated": True, "NextMarker": "m"})
    kms.expect("ListGrants", {"KeyId": KEY, "Marker": "m"}, Fault("ThrottlingException", "Rate exceeded"))
    why = "AWS kept throttling ListGrants in us-east-1: Rate exceeded."
    assert read_access(talk) == {"policy": {}, "grants": None, "access_reason": why}


def test_neither_can_be_read(talk: Talk) -> None:
    answers_policy(talk, "not JSON")
    talk.conversation("kms", REGION).expect("ListGrants", {"KeyId": KEY}, Fault("KMSInternalException", "oops", 500))
    assert read_access(talk) == {
        "policy": None,
        "grants": None,
        "access_reason": "The key policy that AWS returned in us-east-1 is not JSON. "
        "AWS could not carry out ListGrants in us-east-1: oops. (HTTP 500, KMSInternalException)",
    }


# --- What is given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"keys": []}, "No key is given. Name at least one in keys."),
        (
            {"keys": [{"key_arn": KEY}], "lookback_days": 91},
            "The option lookback_days must be from 1 to 90, but is 91: CloudTrail keeps 90 days. Give a number in that "
            "range.",
        ),
        (
            {"keys": [{"key_arn": KEY}], "lookback_days": 0},
            "The option lookback_days must be from 1 to 90, but is 0: CloudTrail keeps 90 days. Give a number in that "
            "range.",
        ),
        (
            {"keys": [{"key_arn": KEY}, {"key_arn": "alias/atlassian-cmk"}]},
            "'alias/atlassian-cmk' is not the ARN of a key. Give the ARN that DescribeKey returns, not an id or an alias.",
        ),
        (
            {"keys": [{"key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/atlassian-cmk"}]},
            f"'arn:aws:kms:{REGION}:{ACCOUNT}:alias/atlassian-cmk' is not the ARN of a key. Give the ARN that DescribeKey "
            "returns, not an id or an alias.",
        ),
        (
            {"keys": [{"key_arn": KEY, "region": OTHER_REGION}]},
            f"{KEY} is in region us-east-1, but a key in region us-west-2 is expected, so nothing was called. Give the "
            "key's reference for us-west-2; each region of a realm has its own key.",
        ),
        (
            {"keys": [{"key_arn": KEY + "0"}]},
            f"'{KEY}0' is not the ARN of a key. Give the ARN that DescribeKey returns, not an id or an alias.",
        ),
    ],
)
def test_wrong_input_is_refused_before_any_call(talk: Talk, given: dict[str, Any], message: str) -> None:
    assert talk.run(module, **given).failed["msg"] == message
    assert talk.handed_out == []


def test_calls_are_retried_less_than_those_that_matter(talk: Talk) -> None:
    knows_caller(talk)
    lookup(talk, "ResourceName", KEY, [])
    talk.run(module, keys=[{"key_arn": KEY}])
    for _service, _region, more in talk.handed_out:
        assert more["config"].retries == {"mode": "standard", "total_max_attempts": 5}


def test_documentation() -> None:
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options = documentation["options"]
    assert set(options["keys"]["suboptions"]) == set(revocation_info.SPEC.options["keys"]["options"])
    assert set(options) | set(LOOKUP_OPTIONS) == set(revocation_info.SPEC.options)
    fragment = Path(module.__file__).parents[1] / "doc_fragments/aws.py"
    assert all(f"  {name}:" in fragment.read_text(encoding="utf-8") for name in LOOKUP_OPTIONS)
    runtime = yaml.safe_load((Path(module.__file__).parents[2] / "meta/runtime.yml").read_text(encoding="utf-8"))
    assert "kms_key_revocation_info" in runtime["action_groups"]["aws"]


# --- Against the stand-in


class Runner:
    """Runs the module in this process against the stand-in."""

    def __init__(self, aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> None:
        self.aws, self.capsys = aws, capsys

    def __call__(self, *keys: dict[str, Any], **args: Any) -> dict[str, Any]:
        given = {"endpoint_url": self.aws.url, "keys": [{"key_arn": key["Arn"]} for key in keys], **args}
        with patch_module_args(given), pytest.raises(SystemExit) as ended:
            module.main()
        assert isinstance(ended.value.code, int)
        return Run(ended.value.code, json.loads(self.capsys.readouterr().out)).ok


@pytest.fixture
def run(aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(aws, capsys)


def plant(aws: AwsStandin, region: str = REGION, **more: Any) -> dict[str, Any]:
    key: dict[str, Any] = aws.control("POST", "keys", {"region": region, **more})
    return key


def ago(**span: float) -> str:
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(**span)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def calls(aws: AwsStandin, operation: str = "LookupEvents") -> list[dict[str, Any]]:
    return [call for call in aws.control("GET", "calls") if call["operation"] == operation]


def test_what_was_really_done_is_found(aws: AwsStandin, run: Runner) -> None:
    key, kms = plant(aws), client(aws)
    kms.disable_key(KeyId=key["KeyId"])
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.enable_key(KeyId=key["KeyId"])
    revoked = run(key)
    (now,) = revoked["keys"]
    assert (now["revoked_how"], now["revoked_by"]) == ("DisableKey", f"arn:aws:iam::{ACCOUNT}:user/standin")
    assert [(event["name"], event["error_code"]) for event in now["events"]] == [
        ("DisableKey", None),
        ("ScheduleKeyDeletion", None),
        ("EnableKey", "KMSInvalidStateException"),
    ]
    kms.cancel_key_deletion(KeyId=key["KeyId"])
    kms.enable_key(KeyId=key["KeyId"])
    restored = run(key)
    assert (restored["revoked_at"], restored["identity"]) == (None, revoked["identity"])
    assert restored["keys"][0]["last_revocation"]["revoked_at"] == now["revoked_at"]
    assert restored["keys"][0]["restored_at"] is not None
    assert revoked["caller"] == {"arn": f"arn:aws:iam::{ACCOUNT}:user/standin", "account_id": ACCOUNT}
    kms.disable_key(KeyId=key["KeyId"])
    assert run(key)["identity"] not in (None, revoked["identity"])


def test_more_than_a_page_at_two_requests_a_second(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws, state="Disabled")
    uses = [{"region": REGION, "time": ago(hours=n), "name": "Decrypt", "key": key["Arn"]} for n in range(1, 131)]
    lost = {"region": REGION, "time": ago(days=6), "name": "DisableKey", "key": key["Arn"]}
    other = {**lost, "key": plant(aws)["Arn"], "time": ago(days=1)}
    aws.control("POST", "events", [*uses, lost, other])
    started = time.monotonic()
    (found,) = run(key)["keys"]
    assert time.monotonic() - started >= 1.0
    assert (found["revoked_at"], len(found["events"])) == (lost["time"], 1)
    assert [call["error"] for call in calls(aws)] == [None] * 3


def test_two_keys_of_one_region_share_the_pace(aws: AwsStandin, run: Runner) -> None:
    one, two, three = plant(aws), plant(aws), plant(aws, OTHER_REGION)
    client(aws).disable_key(KeyId=two["KeyId"])
    assert [key["revoked_how"] for key in run(one, two, three)["keys"]] == [None, "DisableKey", None]
    assert [call["error"] for call in calls(aws)] == [None] * 3


def test_throttling_is_waited_out(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws)
    client(aws).disable_key(KeyId=key["KeyId"])
    aws.control("POST", "faults", {"service": "cloudtrail", "error": "ThrottlingException", "count": 2})
    assert run(key)["keys"][0]["revoked_how"] == "DisableKey"
    assert [call["error"] for call in calls(aws)] == ["ThrottlingException", "ThrottlingException", None]


ONCE = {"retries": {"mode": "standard", "total_max_attempts": 1}}


def test_throttling_without_end_is_a_reason(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws)
    aws.control("POST", "faults", {"service": "cloudtrail", "error": "ThrottlingException", "count": None})
    (found,) = run(key, aws_config=ONCE)["keys"]
    assert (found["looked_up"], found["reason"]) == (
        False,
        "AWS kept throttling LookupEvents in us-east-1: Rate exceeded.",
    )


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"html": True}, {"error": "InternalFailure"}], ids=str)
def test_trouble_is_a_reason(aws: AwsStandin, run: Runner, fault: dict[str, Any]) -> None:
    key = plant(aws)
    aws.control("POST", "faults", {"service": "cloudtrail", "count": None, **fault})
    (found,) = run(key, aws_config=ONCE)["keys"]
    assert (found["looked_up"], found["revoked_at"]) == (False, None)
    assert "LookupEvents in us-east-1" in found["reason"]


def test_denied_is_a_reason(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws)
    client(aws).disable_key(KeyId=key["KeyId"])
    aws.control("POST", "policy", {"actions": ["kms:*"]})
    result = run(key)
    assert result["keys"][0]["reason"] == "AWS refused LookupEvents."
    assert (result["identity"], result["caller"]["account_id"]) == (None, ACCOUNT)


@pytest.mark.parametrize(
    ("reads", "actions"),
    [
        (False, ["cloudtrail:LookupEvents"]),
        (True, ["cloudtrail:LookupEvents", "kms:GetKeyPolicy", "kms:ListGrants"]),
    ],
)
def test_least_permissions(aws: AwsStandin, run: Runner, reads: bool, actions: list[str]) -> None:
    key = plant(aws)
    client(aws).disable_key(KeyId=key["KeyId"])
    aws.control("POST", "policy", {"actions": actions})
    aws.control("DELETE", "calls")
    (found,) = run(key, read_access=reads)["keys"]
    assert found["revoked_how"] == "DisableKey"
    assert found.get("access_reason") is None
    assert ("policy" in found, "grants" in found) == (reads, reads)
    made = {f"{call['service']}:{call['operation']}" for call in aws.control("GET", "calls")}
    assert made == {*actions, "sts:GetCallerIdentity"}
    needs = " ".join(yaml.safe_load(module.DOCUMENTATION)["notes"])
    assert all(f"C({action})" in needs for action in actions)


def test_without_permission_to_read_the_policy(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws)
    aws.control("POST", "policy", {"actions": ["cloudtrail:LookupEvents"]})
    (found,) = run(key, read_access=True)["keys"]
    assert (found["policy"], found["grants"]) == (None, None)
    assert "GetKeyPolicy" in found["access_reason"]
    assert "ListGrants" in found["access_reason"]


@pytest.mark.parametrize(
    ("operation", "looked_up", "policy_read", "grants_read"),
    [
        ("LookupEvents", False, True, True),
        ("GetKeyPolicy", True, False, False),
        ("ListGrants", True, True, False),
        ("GetCallerIdentity", True, True, True),
        ("*", False, False, False),
    ],
)
def test_what_hangs_is_missing_and_nothing_else(
    aws: AwsStandin, run: Runner, operation: str, looked_up: bool, policy_read: bool, grants_read: bool
) -> None:
    key = plant(aws)
    aws.control("POST", "faults", {"service": "*", "operation": operation, "hang": True, "count": None})
    began = time.monotonic()
    result = run(key, read_access=True, timeout=4)
    assert time.monotonic() - began < 4 + 30
    (answer,) = result["keys"]
    assert (answer["looked_up"], answer["complete"]) == (looked_up, looked_up)
    assert (answer["policy"] is not None, answer["grants"] is not None) == (policy_read, grants_read)
    assert (result["caller"] is not None) is (operation not in ("GetCallerIdentity", "*"))
    if not looked_up:
        assert answer["reason"] == "CloudTrail did not answer within 4 s."
    if not grants_read:
        assert "did not answer" in answer["access_reason"]


def test_a_region_that_hangs_keeps_nothing_of_another_one(
    aws: AwsStandin, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(futures: list[concurrent.futures.Future[Any]], deadline: Deadline) -> bool:
        """Have the time end when only the region that hangs is waited for: a busy machine may need any time."""
        assert deadline.seconds == 60
        caller, hanging, other = futures
        assert not concurrent.futures.wait([caller, other], 120).not_done
        return wait_for([hanging], Deadline(0.02))

    monkeypatch.setattr(revocation_info, "wait_for", wait)
    east, west = plant(aws), plant(aws, OTHER_REGION)
    aws.control("POST", "faults", {"service": "cloudtrail", "region": REGION, "hang": True, "count": None})
    keys = run(east, west, timeout=60)["keys"]
    assert [key["looked_up"] for key in keys] == [False, True]


def test_grants_of_many_pages(aws: AwsStandin, run: Runner) -> None:
    key, kms = plant(aws), client(aws)
    for number in range(60):
        kms.create_grant(
            KeyId=key["KeyId"],
            GranteePrincipal=f"arn:aws:iam::{OTHER_ACCOUNT}:role/worker",
            Operations=["Encrypt", "Decrypt"],
            Name=f"grant-{number}",
            Constraints={"EncryptionContextSubset": {"Tag": "AcmeCMK"}},
        )
    (found,) = run(key, read_access=True)["keys"]
    assert sorted(grant["name"] for grant in found["grants"]) == sorted(f"grant-{number}" for number in range(60))
    assert [grant["grant_id"] for grant in found["grants"]] == sorted(grant["grant_id"] for grant in found["grants"])
    assert found["grants"][0]["constraints"] == {"EncryptionContextSubset": {"Tag": "AcmeCMK"}}


def test_events_that_are_not_there_yet(aws: AwsStandin, run: Runner) -> None:
    aws.control("POST", "config", {"trail_delay": 900})
    key = plant(aws)
    client(aws).disable_key(KeyId=key["KeyId"])
    (found,) = run(key)["keys"]
    assert (found["looked_up"], found["revoked_at"]) == (True, None)
    assert "only after up to 15 minutes" in found["reason"]
    aws.control("POST", "config", {"trail_delay": 0})
    assert run(key)["keys"][0]["revoked_how"] == "DisableKey"


def test_older_than_90_days(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws, state="Disabled")
    aws.control("POST", "events", {"region": REGION, "time": ago(days=91), "name": "DisableKey", "key": key["Arn"]})
    (found,) = run(key)["keys"]
    assert found["reason"].startswith(
        "CloudTrail shows no loss of access in the last 90 days: it is older, not recorded"
    )


def test_a_shorter_lookback(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws, state="Disabled")
    aws.control("POST", "events", {"region": REGION, "time": ago(days=8), "name": "DisableKey", "key": key["Arn"]})
    assert run(key, lookback_days=7)["revoked_at"] is None
    assert run(key, lookback_days=9)["revoked_at"] is not None


def test_the_store_of_a_key(aws: AwsStandin, run: Runner) -> None:
    key = plant(aws, state="Unavailable")
    lost = {"region": REGION, "time": ago(days=2), "name": "DisconnectCustomKeyStore"}
    aws.control("POST", "events", {**lost, "request_parameters": {"customKeyStoreId": STORE}})
    assert run(key)["keys"][0]["revoked_at"] is None
    found = run(keys=[{"key_arn": key["Arn"], "custom_key_store_id": STORE, "key_state": "Unavailable"}])
    assert (found["revoked_at"], found["keys"][0]["revoked_how"]) == (lost["time"], "DisconnectCustomKeyStore")


def test_a_key_in_use_for_real(aws: AwsStandin, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_PAGES", 1)
    # In a region of its own: a thread that an earlier test has given up may still ask in the usual one.
    region = "sa-east-1"
    key = plant(aws, region)
    uses = [{"region": region, "time": ago(minutes=n), "name": "Decrypt", "key": key["Arn"]} for n in range(1, 61)]
    lost, back = ({"region": region, "key": key["Arn"], "time": ago(days=days)} for days in (3, 2))
    aws.control("POST", "events", [*uses, {**lost, "name": "DisableKey"}, {**back, "name": "EnableKey"}])
    (found,) = run(key)["keys"]
    assert (found["last_revocation"]["revoked_at"], found["restored_at"]) == (lost["time"], back["time"])
    assert [call["error"] for call in calls(aws) if call["region"] == region] == [None] * (1 + len(KEY_EVENTS))


def test_examples(aws: AwsStandin, tmp_path: Path) -> None:
    arns = [key["key_arn"] for key in yaml.safe_load(module.EXAMPLES)[0][MODULE]["keys"]]
    events = [
        {"region": REGION, "time": ago(days=3), "name": "DisableKey", "key": arns[0]},
        {"region": OTHER_REGION, "time": ago(days=4), "name": "DisableKey", "key": arns[1]},
    ]
    for region, key in zip((REGION, OTHER_REGION), arns, strict=True):
        assert plant(aws, region, key_id=key.rpartition("/")[2])["Arn"] == key
    aws.control("POST", "events", events)
    found, shown, access = run_examples(
        module.EXAMPLES,
        tmp_path,
        AWS_URL=aws.url,
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY="standin-Secret-0123456789-abcdefghijklmno",
    )
    assert found["revoked_at"] == events[1]["time"]
    assert shown["msg"].startswith(f"Revoked at {events[1]['time']} by [")
    assert access["keys"][0]["policy"]["Version"] == "2012-10-17"


MODULE = "keyops.atlassian_cmk.kms_key_revocation_info"
