"""How the modules make their clients: retries and timeouts of really built ones, and roles to assume."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import Patience
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._connection import Connection
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.key_state import SPEC
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state
from tests.standins.aws import AwsStandin
from tests.unit.plugins.conversation import ALIAS, OTHER_REGION, REGION, Fault, Talk

ROLE = "arn:aws:iam::111122223333:role/cmk-operator"
SECRETS = ("ASIAUNITTESTEXAMPLE0", "assumed-Secret-5d2e8f1a", "assumed-Token-0c4b7a9e")
WHEN = dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC)
BOTH = [{"region": REGION, "key_id": ALIAS}, {"region": OTHER_REGION, "key_id": ALIAS}]


def built(service: str = "kms", **args: Any) -> dict[str, Any]:
    with patch_module_args({"region": REGION, "key_id": ALIAS, **args}):
        module = AnsibleAWSModule(argument_spec=SPEC.options)
    regions = [REGION, OTHER_REGION]
    return Connection(module.params).clients([service], regions, Patience(), Deadline(60))[service]


def test_retries_and_timeouts() -> None:
    made = built()
    assert list(made) == [REGION, OTHER_REGION]
    for region, client in made.items():
        config = client.meta.config
        assert client.meta.region_name == region
        assert client.meta.service_model.service_name == "kms"
        assert config.retries == {"mode": "standard", "total_max_attempts": 12}
        assert (config.connect_timeout, config.read_timeout) == (5, 20)


def test_aws_config_overrides() -> None:
    client = built(aws_config={"retries": {"mode": "adaptive", "total_max_attempts": 2}, "read_timeout": 7})[REGION]
    assert client.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 2}
    assert (client.meta.config.connect_timeout, client.meta.config.read_timeout) == (5, 7)


def test_the_common_aws_options_count() -> None:
    client = built(endpoint_url="http://127.0.0.1:9", access_key="AKIAOTHEREXAMPLE0000")[OTHER_REGION]
    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client._request_signer._credentials.access_key == "AKIAOTHEREXAMPLE0000"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandin]:
    with AwsStandin() as standin:
        yield standin


@pytest.mark.parametrize(("burst", "ends_well"), [(1, True), (5, True), (11, True), (12, False), (30, False)])
def test_bursts_of_throttling(aws: AwsStandin, monkeypatch: pytest.MonkeyPatch, burst: int, ends_well: bool) -> None:
    aws.control("POST", "reset")
    aws.control("POST", "faults", {"operation": "EnableKey", "error": "ThrottlingException", "count": burst})
    key = aws.control("POST", "keys", {"region": REGION, "state": "Disabled"})["KeyId"]
    slept: list[float] = []
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=slept.append, time=time.time))
    client = built(endpoint_url=aws.url)[REGION]
    if ends_well:
        client.enable_key(KeyId=key)
    else:
        with pytest.raises(client.exceptions.ClientError, match="ThrottlingException"):
            client.enable_key(KeyId=key)
    assert len(aws.control("GET", "calls")) == min(burst + 1, 12)
    # Each wait is at most twice the one before, and 20 s ("Retry behavior", AWS SDKs and Tools Reference Guide).
    assert all(0 <= wait <= min(2.0**turn, 20) for turn, wait in enumerate(slept))


def assumes(talk: Talk, answer: Fault | None = None, region: str = REGION, **more: str) -> None:
    access_key, secret_key, token = SECRETS
    credentials = {
        "AccessKeyId": access_key,
        "SecretAccessKey": secret_key,
        "SessionToken": token,
        "Expiration": WHEN,
    }
    params = {"RoleArn": ROLE, "RoleSessionName": "keyops.atlassian_cmk", **more}
    talk.conversation("sts", region).expect("AssumeRole", params, answer or {"Credentials": credentials})


def test_no_role_no_call_to_sts(talk: Talk) -> None:
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    assert talk.run(kms_key_state, key_id=ALIAS).ok["changed"] is False
    ((service, _region, more),) = talk.handed_out
    assert service == "kms"
    assert more["aws_session_token"] is None


def test_a_role_is_assumed_once_for_all_regions(talk: Talk) -> None:
    assumes(talk)
    for region in (REGION, OTHER_REGION):
        talk.kms(("DescribeKey", ALIAS, "Enabled"), region=region)
    run = talk.run(kms_key_state, keys=BOTH, assume_role_arn=ROLE)
    assert run.ok["changed"] is False
    assert [(service, region) for service, region, _more in talk.handed_out] == [
        ("sts", REGION),
        ("kms", REGION),
        ("kms", OTHER_REGION),
    ]
    wanted = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), SECRETS, strict=True))
    for _service, _region, more in talk.handed_out[1:]:
        assert more.items() >= wanted.items()
    assert not any(secret in str(run.result) for secret in SECRETS)


@pytest.mark.parametrize(
    ("minutes", "other", "times"),
    [
        pytest.param(60, {}, 1, id="good for long enough"),
        pytest.param(14, {}, 2, id="about to expire"),
        pytest.param(60, {"assume_role_session_name": "cmk-other"}, 2, id="another session"),
        pytest.param(60, {"assume_role_external_id": "4711"}, 2, id="another external id"),
        pytest.param(60, {"access_key": "AKIAOTHEREXAMPLE0000", "secret_key": "other"}, 2, id="another caller"),
        pytest.param(60, {"endpoint_url": "http://127.0.0.1:9"}, 2, id="another AWS"),
    ],
)
def test_credentials_serve_the_process_again_only_for_who_would_get_them(
    monkeypatch: pytest.MonkeyPatch, minutes: int, other: dict[str, Any], times: int
) -> None:
    assumed: list[dict[str, str]] = []

    class Sts:
        def assume_role(self, **params: str) -> dict[str, Any]:
            assumed.append(params)
            given = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), SECRETS, strict=True))
            until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
            return {"Credentials": {**given, "Expiration": until}}

    real: Any = boto3.session.Session.client

    def client(self: Any, service: str, **more: Any) -> Any:
        return Sts() if service == "sts" else real(self, service, **more)

    monkeypatch.setattr(boto3.session.Session, "client", client)
    for more in ({}, other):
        kms = built(assume_role_arn=ROLE, **more)[REGION]
        assert kms._request_signer._credentials.token == SECRETS[2]
    assert len(assumed) == times


def test_external_id_and_session_name(talk: Talk) -> None:
    assumes(talk, ExternalId="acme-42", RoleSessionName="cmk-acme")
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    run = talk.run(
        kms_key_state,
        key_id=ALIAS,
        assume_role_arn=ROLE,
        assume_role_external_id="acme-42",
        assume_role_session_name="cmk-acme",
    )
    assert run.ok["key_state"] == "Enabled"


@pytest.mark.parametrize("key", [{"key_id": ALIAS}, {"keys": BOTH}], ids=["one", "several"])
def test_a_role_that_cannot_be_assumed(talk: Talk, key: dict[str, Any]) -> None:
    assumes(talk, Fault("AccessDenied", "not authorized to perform: sts:AssumeRole", 403))
    result = talk.run(kms_key_state, assume_role_arn=ROLE, **key).failed
    assert result["refusal"]["code"] == "access_denied"
    assert "Allow sts:AssumeRole" in result["refusal"]["hint"]
    assert result["msg"] == f"{result['refusal']['error']} {result['refusal']['hint']}"


def test_credentials_of_a_role_reach_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sts:
        def assume_role(self, **params: str) -> dict[str, Any]:
            given = dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), SECRETS, strict=True))
            return {"Credentials": {**given, "Expiration": WHEN}}

    real: Any = boto3.session.Session.client

    def client(self: Any, service: str, **more: Any) -> Any:
        return Sts() if service == "sts" else real(self, service, **more)

    monkeypatch.setattr(boto3.session.Session, "client", client)
    for kms in built(assume_role_arn=ROLE).values():
        credentials = kms._request_signer._credentials
        assert (credentials.access_key, credentials.secret_key, credentials.token) == SECRETS
