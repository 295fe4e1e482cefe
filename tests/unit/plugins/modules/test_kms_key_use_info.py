"""kms_key_use_info: its calls by scripted conversations, and its ways with the strict stand-in."""

from __future__ import annotations

import datetime as dt
import functools
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from botocore.stub import ANY

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import lookup as lookups
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import use_info
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_use_info as module
from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import ACCESS_KEY
from tests.unit.plugins.conversation import ACCOUNT, OTHER_ACCOUNT, OTHER_REGION, REGION, Clock, Fault, Talk, arn
from tests.unit.plugins.examples import run_examples
from tests.unit.plugins.modules.test_documentation import documented, facts, taken

KEY = arn()
SINCE = "2026-11-24T03:00:09Z"
WHEN = dt.datetime(2026, 11, 24, 3, 0, 9, tzinfo=dt.UTC)
VENDOR = f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/vendor/worker"


def event(name: str = "Decrypt", minute: int = 0, account: str = OTHER_ACCOUNT) -> dict[str, Any]:
    """An event as LookupEvents answers it."""
    record = {"userIdentity": {"type": "AWSAccount", "accountId": account}, "eventSource": "kms.amazonaws.com"}
    moment = WHEN + dt.timedelta(minutes=minute)
    return {
        "EventId": f"{name}-{minute}",
        "EventName": name,
        "EventTime": moment,
        "CloudTrailEvent": json.dumps(record),
    }


def lookup(
    talk: Talk,
    *pages: list[dict[str, Any]] | Fault,
    window: tuple[int, int] | None = None,
    more: bool = False,
    region: str = REGION,
) -> None:
    """Expect the pages of a lookup: of the whole time, or of a window from one minute to another since ``SINCE``."""
    wanted = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": arn(region)}]}
    begin, end = (WHEN + dt.timedelta(minutes=minute) for minute in window) if window else (WHEN, ANY)
    for number, page in enumerate(pages, 1):
        token = {"NextToken": f"to page {number}"} if number > 1 else {}
        following = {"NextToken": f"to page {number + 1}"} if number < len(pages) or more else {}
        answer = page if isinstance(page, Fault) else {"Events": page, **following}
        params = {**wanted, "StartTime": begin, "EndTime": end, **token}
        talk.conversation("cloudtrail", region).expect("LookupEvents", params, answer)


@pytest.fixture(autouse=True)
def _no_waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    if "talk" in request.fixturenames:
        pace = functools.partial(lookups.Pace, sleep=clock.sleep, monotonic=clock.monotonic)
        monkeypatch.setattr(use_info, "Pace", pace)


def ask(talk: Talk, **more: Any) -> dict[str, Any]:
    usual = {"account_ids": [OTHER_ACCOUNT]}
    (found,) = talk.run(module, keys=[{"key_arn": KEY, "since": SINCE}], **{**usual, **more}).ok["keys"]
    return dict(found)


# --- The calls


def test_few_events_take_one_request_and_the_earliest_counts(talk: Talk) -> None:
    lookup(talk, [event(minute=9), event("GenerateDataKey", 4), event("Decrypt", 2, ACCOUNT), event("EnableKey", 0)])
    assert ask(talk) == {
        "region": REGION,
        "arn": KEY,
        "since": SINCE,
        "looked_up": True,
        "first_use": {
            "time": "2026-11-24T03:04:09Z",
            "name": "GenerateDataKey",
            "account_id": OTHER_ACCOUNT,
            "source_ip": "",
            "event_id": "GenerateDataKey-4",
        },
        "unattributed_use": None,
        "is_first": True,
        "last_use": None,
        "code": "",
        "reason": None,
    }


def test_no_event(talk: Talk) -> None:
    lookup(talk, [])
    found = ask(talk)
    assert (found["looked_up"], found["first_use"], found["is_first"]) == (True, None, False)
    assert found["reason"] == "no use by another account since 2026-11-24 03:00 UTC."


def test_use_by_an_account_that_nobody_named_is_reported_and_proves_nothing(talk: Talk) -> None:
    lookup(talk, [event(minute=9), event("GenerateDataKey", 4)])
    result = ask(talk, account_ids=[])
    assert (result["looked_up"], result["first_use"], result["is_first"]) == (True, None, False)
    assert (result["unattributed_use"]["name"], result["unattributed_use"]["account_id"]) == ("Decrypt", OTHER_ACCOUNT)
    assert result["reason"].startswith(f"used by account {OTHER_ACCOUNT} (Decrypt, last at 2026-11-24 03:09 UTC)")


def test_without_a_mark_the_first_use_by_another_account_ends_the_search(talk: Talk) -> None:
    lookup(talk, [event(minute=900)], more=True)
    lookup(talk, [event(minute=0)], window=(0, 1))
    assert ask(talk, account_ids=[])["unattributed_use"]["event_id"] == "Decrypt-900"


def test_a_mark_that_does_not_fit_has_all_events_searched(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_USE_PAGES", 3)
    lookup(talk, [event(minute=900)], more=True)
    lookup(talk, [event(minute=0)], window=(0, 1))
    lookup(talk, [], window=(1, 3))
    assert ask(talk, account_ids=["555566667777"])["first_use"] is None


def test_a_key_in_use_is_searched_from_the_beginning_in_windows_that_double(talk: Talk, clock: Clock) -> None:
    newest = [event(minute=minute) for minute in range(900, 850, -1)]
    lookup(talk, newest, more=True)
    lookup(talk, [], window=(0, 1))
    lookup(talk, [event("Decrypt", 2, ACCOUNT)], window=(1, 3))
    lookup(talk, [event(minute=7)], [event(minute=5), event(minute=4)], window=(3, 7))
    found = ask(talk)
    assert (found["first_use"]["time"], found["is_first"]) == ("2026-11-24T03:04:09Z", True)
    assert clock.sleeps == [0.5] * 4


def test_where_there_are_too_many_events_it_says_so(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_USE_PAGES", 3)
    lookup(talk, [event(minute=900)], more=True)
    lookup(talk, [event("Decrypt", 1)], [event("Decrypt", 0, ACCOUNT)], window=(0, 1), more=True)
    found = ask(talk)
    assert (found["first_use"]["time"], found["is_first"]) == ("2026-11-24T03:01:09Z", False)


def test_too_many_events_of_others_prove_nothing(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "MOST_USE_PAGES", 2)
    lookup(talk, [event("DescribeKey", 900)], more=True)
    lookup(talk, [event("DescribeKey", 0)], window=(0, 1))
    found = ask(talk)
    assert (found["first_use"], found["looked_up"]) == (None, True)
    assert "there are more events" in found["reason"]


def test_keys_of_two_regions(talk: Talk) -> None:
    lookup(talk, [event()])
    lookup(talk, Fault("AccessDeniedException", "not authorized"), region=OTHER_REGION)
    keys = [{"key_arn": arn(region), "since": SINCE} for region in (REGION, OTHER_REGION)]
    one, other = talk.run(module, keys=keys, account_ids=[OTHER_ACCOUNT]).ok["keys"]
    assert one["first_use"]
    assert (other["looked_up"], other["first_use"], other["code"]) == (False, None, "access_denied")
    assert "Allow cloudtrail:LookupEvents for this identity" in other["reason"]


def test_a_role_that_cannot_be_assumed(talk: Talk) -> None:
    role = "arn:aws:iam::111122223333:role/cmk"
    params = {"RoleArn": role, "RoleSessionName": "keyops.atlassian_cmk"}
    talk.conversation("sts", REGION).expect("AssumeRole", params, Fault("AccessDenied", status=403))
    found = ask(talk, assume_role_arn=role)
    assert (found["looked_up"], found["code"]) == (False, "access_denied")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([], "No key is given. Name at least one in keys."),
        ([{"key_arn": "alias/atlassian-cmk", "since": SINCE}], "'alias/atlassian-cmk' is not the ARN of a key."),
        ([{"key_arn": KEY, "since": "yesterday"}], "since is 'yesterday', which is not a time in ISO 8601"),
        ([{"key_arn": KEY, "region": OTHER_REGION, "since": SINCE}], "is in region us-east-1"),
    ],
)
def test_wrong_input_is_refused_before_any_call(talk: Talk, keys: list[dict[str, str]], message: str) -> None:
    assert message in talk.run(module, keys=keys).failed["msg"]
    assert talk.handed_out == []


def test_options(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, doc = taken(module, monkeypatch), documented(module)
    assert {name: facts(doc[name]) for name in spec} == {name: facts(option) for name, option in spec.items()}


def test_results(talk: Talk) -> None:
    lookup(talk, [event()])
    contract = yaml.safe_load(module.RETURN)["keys"]["contains"]
    found = ask(talk)
    assert set(found) == set(contract)
    assert set(found["first_use"]) == set(contract["first_use"]["contains"])


# --- On the stand-in


def ago(**span: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(**span)).isoformat(timespec="seconds")


def on(aws: AwsStandin, capsys: pytest.CaptureFixture[str], **args: Any) -> list[dict[str, Any]]:
    with patch_module_args({"region": REGION, "endpoint_url": aws.url, **args}), pytest.raises(SystemExit):
        module.main()
    return list(json.loads(capsys.readouterr().out)["keys"])


def test_a_key_that_is_used_a_lot(aws: AwsStandin, capsys: pytest.CaptureFixture[str]) -> None:
    key = aws.control("POST", "keys", {"region": REGION})["Arn"]
    usual = {"region": REGION, "key": key, "user_arn": VENDOR, "encryption_context": {"tenant": "AcmeCMK"}}
    aws.control("POST", "events", [{**usual, "time": ago(minutes=n), "name": "Decrypt"} for n in range(1, 71)])
    first = {**usual, "time": ago(minutes=80), "name": "GenerateDataKey"}
    aws.control("POST", "events", [first, {**usual, "time": ago(minutes=99), "name": "Decrypt"}])
    (found,) = on(aws, capsys, keys=[{"key_arn": key, "since": ago(minutes=90)}], context_tag="AcmeCMK")
    assert (found["first_use"]["name"], found["is_first"]) == ("GenerateDataKey", True)
    assert dt.datetime.fromisoformat(found["first_use"]["time"]) == dt.datetime.fromisoformat(first["time"])
    calls = [call for call in aws.control("GET", "calls") if call["operation"] == "LookupEvents"]
    # All, then 1, 2, 4 and 8 minutes; none of them too soon after the one before.
    assert [call["error"] for call in calls] == [None] * 5


def test_examples(aws: AwsStandin, tmp_path: Path) -> None:
    arns = [
        key["key_arn"] for key in yaml.safe_load(module.EXAMPLES)[0]["keyops.atlassian_cmk.kms_key_use_info"]["keys"]
    ]
    for region, key in zip((REGION, OTHER_REGION), arns, strict=True):
        aws.control("POST", "keys", {"region": region, "account": ACCOUNT, "key_id": key.rpartition("/")[2]})
    found, shown = run_examples(
        module.EXAMPLES,
        tmp_path,
        AWS_URL=aws.url,
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY="standin-Secret-0123456789-abcdefghijklmno",
    )
    assert [key["looked_up"] for key in found["keys"]] == [True, True]
    assert len(shown["msg"]) == len(arns)
