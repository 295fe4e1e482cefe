"""Scripted conversations with AWS: modules run in this process and talk to boto3's own clients behind botocore's Stubber.

The Stubber validates parameters and answers against AWS's service model, so a script cannot say what AWS never would.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType, TracebackType
from typing import Any, Protocol
from urllib.parse import quote

import boto3
import botocore.session
import pytest
from ansible.module_utils.testing import patch_module_args
from botocore.stub import Stubber

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _argspec
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import change
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._waiter import Waiting

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
REGION, OTHER_REGION = "us-east-1", "us-west-2"
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ALIAS = "alias/atlassian-cmk"
CREATED = dt.datetime(2025, 3, 1, 4, 5, 6, tzinfo=dt.UTC)
DELETION_DATE = dt.datetime(2026, 12, 1, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))


def arn(region: str = REGION, key_id: str = KEY_ID, account: str = ACCOUNT) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


def metadata(state: str, region: str = REGION, **more: Any) -> dict[str, Any]:
    """KeyMetadata as DescribeKey answers it for a symmetric customer managed key (AWS KMS API reference)."""
    facts: dict[str, Any] = {
        "AWSAccountId": ACCOUNT,
        "KeyId": KEY_ID,
        "Arn": arn(region),
        "CreationDate": CREATED,
        "Enabled": state == "Enabled",
        "Description": "CMK for Atlassian",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": state,
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    if state == "PendingDeletion":
        facts["DeletionDate"] = DELETION_DATE
    if state == "PendingReplicaDeletion":
        facts |= {"PendingDeletionWindowInDays": 7, "MultiRegion": True}
    return facts | more


ROLE = "atlassian-key-management"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"


def role(policy: Any, arn: str = ROLE_ARN) -> dict[str, Any]:
    """Role as GetRole answers it: the policy is URL-encoded JSON, which boto3 decodes."""
    return {
        "Path": "/",
        "RoleName": ROLE,
        "RoleId": "AROAEXAMPLEEXAMPLE000",
        "Arn": arn,
        "CreateDate": CREATED,
        "AssumeRolePolicyDocument": quote(policy if isinstance(policy, str) else json.dumps(policy)),
    }


class Clock:
    """A clock that moves only when somebody sleeps, in each thread by itself: the keys of a realm wait at the same time."""

    def __init__(self) -> None:
        # Not by the thread's number, which a later thread gets again.
        self._moments = threading.local()
        self.sleeps: list[float] = []

    @property
    def now(self) -> float:
        return float(getattr(self._moments, "now", 0.0))

    @now.setter
    def now(self, moment: float) -> None:
        self._moments.now = moment

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now

    def waiting(self, **more: Any) -> Waiting:
        return Waiting(sleep=self.sleep, monotonic=self.monotonic, **more)


@dataclass(frozen=True)
class Fault:
    """AWS's refusal of a call."""

    code: str
    message: str = "AWS's own words"
    status: int = 400


class Module(Protocol):
    """A module's Python file."""

    def main(self) -> None: ...


@dataclass
class Run:
    """How a module ended: its exit code and the JSON that it printed."""

    code: int
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> dict[str, Any]:
        assert self.code == 0, self.result
        assert "failed" not in self.result
        return self.result

    @property
    def failed(self) -> dict[str, Any]:
        assert self.code == 1, self.result
        assert self.result["failed"] is True
        return self.result


@functools.lru_cache
def stubbed_client(service: str, region: str) -> Any:
    return botocore.session.get_session().create_client(
        service, region_name=region, aws_access_key_id="AKIAUNITTESTEXAMPLE0", aws_secret_access_key="unit-test-9b1c7d"
    )


class Conversation:
    """The calls that are expected of one client, in order, each with its answer."""

    def __init__(self, service: str, region: str) -> None:
        self.region = region
        self.client = stubbed_client(service, region)
        self._stubber = Stubber(self.client)
        self._stubber.activate()

    def expect(self, operation: str, params: Mapping[str, Any], answer: Mapping[str, Any] | Fault) -> None:
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        if isinstance(answer, Fault):
            self._stubber.add_client_error(
                method, answer.code, answer.message, answer.status, expected_params=dict(params)
            )
        else:
            self._stubber.add_response(method, dict(answer), dict(params))

    def end(self) -> None:
        self._stubber.assert_no_pending_responses()

    def close(self) -> None:
        self._stubber.deactivate()


class Talk:
    """Runs modules in this process against conversations, without waiting for real."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clock: Clock) -> None:
        self.clock = clock
        self.handed_out: list[tuple[str, str, dict[str, Any]]] = []
        self._capsys = capsys
        self._conversations: dict[tuple[str, str], Conversation] = {}
        self._fakes: dict[tuple[str, str], Any] = {}
        fast = functools.partial(Waiting, sleep=clock.sleep, monotonic=clock.monotonic)
        monkeypatch.setattr(_argspec, "Waiting", fast)
        monkeypatch.setattr(change, "Waiting", fast)
        monkeypatch.setattr(boto3.session.Session, "client", self._client)

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for conversation in self._conversations.values():
            conversation.close()

    # Looked up on the class, so ``self`` is this object and not the module.
    def _client(self, service: str, region_name: str, **more: Any) -> Any:
        self.handed_out.append((service, region_name, more))
        fake = self._fakes.get((service, region_name))
        return fake if fake is not None else self.conversation(service, region_name).client

    def conversation(self, service: str, region: str) -> Conversation:
        if (service, region) not in self._conversations:
            self._conversations[service, region] = Conversation(service, region)
        return self._conversations[service, region]

    def fake(self, region: str, client: Any) -> None:
        """Hand out ``client`` for KMS in ``region`` in place of a stubbed one."""
        self._fakes["kms", region] = client

    def kms(self, *calls: tuple[Any, ...], region: str = REGION) -> None:
        """Expect calls: ``(operation, KeyId)`` or ``(operation, KeyId, answer)``.

        The answer of DescribeKey is a key state, the whole metadata or a Fault; other operations answer no body.
        """
        conversation = self.conversation("kms", region)
        for operation, key_id, *rest in calls:
            answer = rest[0] if rest else {}
            if operation == "DescribeKey" and not isinstance(answer, Fault):
                answer = {"KeyMetadata": metadata(answer, region) if isinstance(answer, str) else answer}
            if operation == "CancelKeyDeletion" and not isinstance(answer, Fault):
                answer = {"KeyId": arn(region, key_id)}
            conversation.expect(operation, {"KeyId": key_id}, answer)

    def iam(self, *calls: tuple[Any, ...]) -> None:
        """Expect ``(GetRole, policy or Fault)`` or ``(UpdateAssumeRolePolicy, PolicyDocument)``, perhaps with a Fault."""
        conversation = self.conversation("iam", REGION)
        for operation, first, *rest in calls:
            params, answer = {"RoleName": ROLE}, rest[0] if rest else {}
            if operation == "GetRole":
                answer = first if isinstance(first, Fault) else {"Role": role(first)}
            else:
                params["PolicyDocument"] = first
            conversation.expect(operation, params, answer)

    def aliases(self, *pages: dict[str, str | None] | Fault, region: str = REGION) -> None:
        """Expect ListAliases, a page each: alias to key id."""
        marker: dict[str, str] = {}
        for number, page in enumerate(pages, 1):
            answer: Any = page
            if isinstance(page, dict):
                listed = [
                    {"AliasName": name, "AliasArn": f"arn:aws:kms:{region}:{ACCOUNT}:{name}"}
                    | ({"TargetKeyId": key_id} if key_id else {})
                    for name, key_id in page.items()
                ]
                more = {"NextMarker": f"page{number}"} if number < len(pages) else {}
                answer = {"Aliases": listed, "Truncated": bool(more), **more}
            self.conversation("kms", region).expect("ListAliases", marker, answer)
            marker = {"Marker": f"page{number}"}

    def run(self, module: ModuleType, *, check: bool = False, diff: bool = False, **args: Any) -> Run:
        """Run a module; fails unless exactly the expected calls were made."""
        given = {"region": REGION, **args, "_ansible_check_mode": check, "_ansible_diff": diff}
        given = {name: value for name, value in given.items() if value is not None}
        with patch_module_args(given), pytest.raises(SystemExit) as ended:
            module.main()
        printed = self._capsys.readouterr().out
        # The Stubber's complaints are boto errors too, and the code under test catches those.
        assert "response stub" not in printed, printed
        for conversation in self._conversations.values():
            conversation.end()
        assert isinstance(ended.value.code, int)
        result = json.loads(printed)
        # For ansible-core 2.22 alone, which takes it out before anybody sees the result.
        result.pop("_ansible_new_secrets", None)
        # ansible-core 2.20 reports an import of amazon.aws 10; of ours there may be none.
        for deprecation in result.pop("deprecations", []):
            assert "'ansible.module_utils._text' is deprecated" in str(deprecation), deprecation
        return Run(ended.value.code, result)
