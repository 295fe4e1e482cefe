# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What the modules of this collection share: options, and how the client is made."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import functools
import hashlib
import json
import math
import types
import typing as t
from dataclasses import dataclass

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library
    import boto3
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, TRANSIENT, explain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline, begin
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._key_states import Wish
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._propagation import Waiting
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError, refusal

# Enough for an incident: with the standard mode's backoff of up to 20 s, 12 attempts span more than a minute of
# throttling. The timeouts keep an unreachable endpoint from holding a run up for botocore's 60 s an attempt.
_ATTEMPTS: t.Final = 12
_CONNECT_TIMEOUT: t.Final = 5
_READ_TIMEOUT: t.Final = 20
# The calls themselves have that long, however short the waiting for AWS is to be.
_LEAST: t.Final = 10
# After that, the region next to one whose STS does not answer is asked for credentials as well.
_STS_PATIENCE: t.Final = 2
# The shortest session that AWS gives (STS API reference, AssumeRole, DurationSeconds).
_STILL_GOOD_FOR: t.Final = dt.timedelta(minutes=15)
_WHO_ASKS: t.Final = (
    "access_key",
    "secret_key",
    "session_token",
    "profile",
    "endpoint_url",
    "aws_ca_bundle",
    "aws_config",
)

ASSUME_ROLE_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
    "assume_role_session_name": {"type": "str", "default": "keyops.atlassian_cmk"},
}
WAIT_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 300},
    "wait_reads": {"type": "int", "default": 3},
    "wait_delay": {"type": "float", "default": 1},
}
PLAN_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {"plan_timeout": {"type": "float", "default": 5}}
KEY_STATE_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
    "cancel_deletion": {"type": "bool", "default": False},
    "account_id": {"type": "str"},
    **WAIT_OPTIONS,
    **ASSUME_ROLE_OPTIONS,
}


TIMEOUT_OPTION: t.Final[dict[str, dict[str, t.Any]]] = {"timeout": {"type": "float", "default": 30}}


def wish(params: t.Mapping[str, t.Any]) -> Wish:
    """Read the wish from a module's parameters."""
    return Wish(params["state"], params["cancel_deletion"], params["account_id"])


def waiting(params: t.Mapping[str, t.Any]) -> Waiting | None:
    """Read from a module's parameters how to wait; None for not at all."""
    if not params["wait"]:
        return None
    # With no read at all the change would count as settled unseen.
    return Waiting(reads=max(1, params["wait_reads"]), delay=params["wait_delay"], timeout=params["wait_timeout"])


@dataclass(frozen=True)
class Patience:
    """How long calls may take: attempts for each (the first one included), and seconds for each attempt."""

    attempts: int = _ATTEMPTS
    connect: float = _CONNECT_TIMEOUT
    read: float = _READ_TIMEOUT


# For what is good to know and never needed.
INFO_PATIENCE: t.Final = Patience(attempts=5)


def deadline(params: t.Mapping[str, t.Any]) -> Deadline:
    """Read from a module's parameters by when it has to end."""
    return Deadline(max(params["wait_timeout"], _LEAST), grace=1)


def plan_deadline(params: t.Mapping[str, t.Any]) -> tuple[Deadline, Patience]:
    """Read the same for check mode, and how long each call may take then."""
    # Two attempts at a region that hangs fit in, and a third one where errors come fast.
    half = params["plan_timeout"] / 2
    return Deadline(params["plan_timeout"]), Patience(attempts=3, connect=half, read=half)


def clients(
    module: t.Any, service: str, regions: t.Collection[str], until: Deadline, patience: Patience | None = None
) -> dict[str, t.Any]:
    """Make a boto3 client of ``service`` for each region, as :func:`clients_of` does.

    Fails the module if the role cannot be assumed.
    """
    try:
        return clients_of(module, [service], regions, patience or Patience(), until)[service]
    except RefusedError as refused:
        module.fail_json(msg=str(refused), refusal=vars(refused.refusal))
        raise


def clients_of(
    module: t.Any, services: t.Iterable[str], regions: t.Collection[str], patience: Patience, until: Deadline
) -> dict[str, dict[str, t.Any]]:
    """Make a boto3 client for each service and region with the common AWS options of ``module`` (an AnsibleAWSModule).

    ``aws_config`` overrides the retries and timeouts. A role to assume is assumed once; RefusedError if it cannot be. Fails
    the module if there is no such profile.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        # CloudTrail then tells what made a call.
        user_agent_extra="keyops.atlassian_cmk",
    )
    make = _maker(module, next(iter(regions)), config)
    # Credentials of an assumed role hold in every region.
    credentials = _assumed(module, regions, make, until)
    return {service: {region: make(service, region, **credentials) for region in regions} for service in services}


def warm() -> None:
    """Read AWS's descriptions of the services once, for all processes that are forked from this one."""
    session = _session(None)
    for service in ("kms", "cloudtrail", "sts"):
        session.client(service, region_name="us-east-1", config=Config(signature_version=UNSIGNED))


@functools.cache
def _data_loader() -> t.Any:
    return botocore.session.Session().get_component("data_loader")


def _session(profile: str | None) -> t.Any:
    inner = botocore.session.Session(profile=profile)
    # Each session reads AWS's descriptions anew otherwise, which takes longer than all else that a client needs.
    inner.register_component("data_loader", _data_loader())
    return boto3.session.Session(botocore_session=inner)


def _maker(module: t.Any, region: str, config: t.Any) -> t.Callable[..., t.Any]:
    """Return what makes a client of a service for a region: as ``module.client`` does, but with one session for all."""
    # Without a region, one would be looked for in the profile.
    asked = types.SimpleNamespace(params={**module.params, "region": region}, fail_json=module.fail_json)
    _region, endpoint_url, options = get_aws_connection_info(asked)
    options["config"] = config.merge(options.pop("aws_config", None) or Config())
    try:
        session = _session(options.pop("profile_name", None))
    except (ValueError, BotoCoreError) as error:
        module.fail_json(msg=f"AWS cannot be called: {error}. Correct profile or the AWS configuration.")
        raise

    def make(service: str, region: str, **credentials: str) -> t.Any:
        try:
            return session.client(service, region_name=region, endpoint_url=endpoint_url, **{**options, **credentials})
        except (ValueError, BotoCoreError) as error:
            module.fail_json(msg=f"AWS cannot be called: {error}. Correct the AWS options or configuration.")
            raise

    return make


_Asked = concurrent.futures.Future["dict[str, t.Any] | Refusal"]


class Store(t.Protocol):
    """Where credentials of assumed roles are kept for the other modules of a run."""

    def get(self, name: str) -> str | None: ...

    def put(self, name: str, value: str) -> None: ...


class _Nowhere:
    def get(self, _name: str) -> None:
        """Find nothing."""

    def put(self, _name: str, _value: str) -> None:
        """Keep nothing."""


_stores: t.Final[list[Store]] = [_Nowhere()]


def keep_credentials_in(store: Store) -> None:
    """Have the modules of this process, and of those forked from it, assume a role only if none of them has yet."""
    _stores[:] = [store]


def _assumed(
    module: t.Any, regions: t.Collection[str], make: t.Callable[..., t.Any], until: Deadline
) -> dict[str, str]:
    if not module.params["assume_role_arn"]:
        return {}
    wanted = {"RoleArn": module.params["assume_role_arn"], "RoleSessionName": module.params["assume_role_session_name"]}
    if module.params["assume_role_external_id"]:
        wanted["ExternalId"] = module.params["assume_role_external_id"]
    # Whose role it is, and who asks for it.
    asked = {name: module.params.get(name) for name in _WHO_ASKS}
    name = hashlib.sha256(json.dumps([wanted, asked], sort_keys=True, default=str).encode()).hexdigest()
    (store,) = _stores
    kept = json.loads(store.get(name) or "{}")
    if kept and dt.datetime.fromisoformat(kept.pop("until")) > dt.datetime.now(dt.timezone.utc) + _STILL_GOOD_FOR:
        return t.cast("dict[str, str]", kept)
    credentials = _first_credentials(make, list(dict.fromkeys(regions)), wanted, until)
    session = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    store.put(name, json.dumps({**session, "until": credentials["Expiration"].isoformat()}))
    return session


def _first_credentials(
    make: t.Callable[..., t.Any], regions: list[str], wanted: dict[str, str], until: Deadline
) -> dict[str, t.Any]:
    """Ask one region's STS after another, as long as none answers; a refusal by AWS is an answer."""
    asked: set[_Asked] = set()
    last = refusal("not_reached", operation="AssumeRole", region=regions[0], message=until.missed())
    for number, region in enumerate(regions, 1):
        asked.add(begin(functools.partial(_assume, make("sts", region), region, wanted)))
        patience = math.inf if number == len(regions) else _STS_PATIENCE
        while asked:
            done, asked = concurrent.futures.wait(
                asked, min(patience, until.left()), return_when=concurrent.futures.FIRST_COMPLETED
            )
            if not done:
                break
            answers = [future.result() for future in done]
            for credentials in (answer for answer in answers if not isinstance(answer, Refusal)):
                return credentials
            last = t.cast("Refusal", answers[0])
    raise RefusedError(last)


def _assume(sts: t.Any, region: str, wanted: dict[str, str]) -> dict[str, t.Any] | Refusal:
    """Return the credentials, or why there may be some in another region."""
    try:
        return dict(sts.assume_role(**wanted)["Credentials"])
    except AWS_ERRORS as error:
        why = explain(error, "AssumeRole", region, "sts")
        if why.code in TRANSIENT:
            return why
        raise RefusedError(why) from error
