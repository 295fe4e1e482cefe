# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What the modules of this collection share: options, and how the client is made."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import json
import types
import typing as t

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library
    import boto3
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, explain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._key_states import Wish
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._propagation import Waiting
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError

# Enough for an incident: with the standard mode's backoff of up to 20 s, 12 attempts span more than a minute of
# throttling. The timeouts keep an unreachable endpoint from holding a run up for botocore's 60 s an attempt.
_ATTEMPTS: t.Final = 12
_CONNECT_TIMEOUT: t.Final = 5
_READ_TIMEOUT: t.Final = 20
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
KEY_STATE_OPTIONS: t.Final[dict[str, dict[str, t.Any]]] = {
    "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
    "cancel_deletion": {"type": "bool", "default": False},
    "account_id": {"type": "str"},
    **WAIT_OPTIONS,
    **ASSUME_ROLE_OPTIONS,
}


def wish(params: t.Mapping[str, t.Any]) -> Wish:
    """Read the wish from a module's parameters."""
    return Wish(params["state"], params["cancel_deletion"], params["account_id"])


def waiting(params: t.Mapping[str, t.Any]) -> Waiting | None:
    """Read from a module's parameters how to wait; None for not at all."""
    if not params["wait"]:
        return None
    # With no read at all the change would count as settled unseen.
    return Waiting(reads=max(1, params["wait_reads"]), delay=params["wait_delay"], timeout=params["wait_timeout"])


def clients(module: t.Any, service: str, regions: t.Collection[str]) -> dict[str, t.Any]:
    """Make a boto3 client of ``service`` for each region, as :func:`clients_of` does.

    Fails the module if the role cannot be assumed.
    """
    try:
        return clients_of(module, [service], regions)[service]
    except RefusedError as refused:
        module.fail_json(msg=str(refused), refusal=vars(refused.refusal))
        raise


def clients_of(
    module: t.Any, services: t.Iterable[str], regions: t.Collection[str], attempts: int = _ATTEMPTS
) -> dict[str, dict[str, t.Any]]:
    """Make a boto3 client for each service and region with the common AWS options of ``module`` (an AnsibleAWSModule).

    ``attempts`` counts the first one. ``aws_config`` overrides the retries and timeouts. A role to assume is assumed
    once; RefusedError if it cannot be. Fails the module if there is no such profile.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=_CONNECT_TIMEOUT,
        read_timeout=_READ_TIMEOUT,
        # CloudTrail then tells what made a call.
        user_agent_extra="keyops.atlassian_cmk",
    )
    make = _maker(module, next(iter(regions)), config)
    # Credentials of an assumed role hold in every region.
    credentials = _assumed(module, next(iter(regions)), make)
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


def _assumed(module: t.Any, region: str, make: t.Callable[..., t.Any]) -> dict[str, str]:
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
    try:
        credentials = make("sts", region).assume_role(**wanted)["Credentials"]
    except AWS_ERRORS as error:
        raise RefusedError(explain(error, "AssumeRole", region, "sts")) from error
    found = {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }
    store.put(name, json.dumps({**found, "until": credentials["Expiration"].isoformat()}))
    return found
