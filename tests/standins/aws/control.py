"""The control endpoint under `/_standin/`; the package's docstring describes it for users."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from moto.sts.models import sts_backends

from .answers import Answer, json_answer
from .faults import Fault
from .kms import Settings, parse_time
from .sts import TrustedRole
from .trail import Happening, response_elements

if TYPE_CHECKING:
    from moto.kms.models import Key

    from .app import StandinApp


class NotThereError(Exception):
    """No such control endpoint or object."""


def control(app: StandinApp, method: str, path: str, query: str, body: bytes) -> Answer:
    """Answer a control request: 200, 400 with the reason, or 404."""
    first, *rest = path.removeprefix("/_standin/").split("/")
    handler = _ROUTES.get((method, first))
    if handler is None:
        return json_answer({"error": f"no control endpoint {method} {path}"}, 404)
    try:
        data = json.loads(body) if body else {}
        with app.lock:
            return json_answer(handler(app, "/".join(rest), query, data))
    except NotThereError as error:
        return json_answer({"error": str(error)}, 404)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)


def _get_calls(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [asdict(call) for call in app.calls]


def _delete_calls(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    app.calls.clear()
    return {}


def _get_faults(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [asdict(fault) for fault in app.faults]


def _post_faults(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    new = [Fault.parse(spec) for spec in (data if isinstance(data, list) else [data])]
    app.faults.extend(new)
    return [asdict(fault) for fault in new]


def _delete_faults(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    app.faults.clear()
    app.release()
    return {}


def _get_keys(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [app.kms.summary(key) for key in app.kms.every_key()]


def _post_keys(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    if isinstance(data, list):
        return [app.kms.metadata(app.kms.plant(spec, app.account)) for spec in data]
    return app.kms.metadata(app.kms.plant(data, app.account))


def _patch_keys(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    region, _slash, name = rest.partition("/")
    account = parse_qs(query).get("account", [data.get("account") or app.account])[0]
    key = key_named(app, region, unquote(name), str(account))
    app.kms.patch(key, data)
    return app.kms.summary(key)


def _post_principals(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    account = str(data["account"])
    arn = str(data.get("arn") or f"arn:aws:iam::{account}:user/standin")
    app.principals[str(data["access_key"])] = (account, arn)
    return {"account": account, "arn": arn}


def _post_roles(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    app.roles[str(data["arn"])] = TrustedRole(**{name: value for name, value in data.items() if value is not None})
    return sorted(app.roles)


def _post_credentials(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    role = app.endpoints.plant(data, app.account)
    app.principals[role.access_key] = (role.account, role.arn)
    return {"arn": role.arn, "secret_access_key": role.secret_key, "session_token": role.session_token}


def _get_iam_roles(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [app.iam.summary(role) for role in app.iam.roles.values()]


def _post_iam_roles(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    role = app.iam.plant(str(data.get("account") or app.account), str(data["name"]), data["policy"])
    return app.iam.summary(role)


def _get_sessions(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [
        {"arn": one.arn, "secret_access_key": one.secret_access_key, "session_token": one.session_token}
        for account in list(sts_backends.values())
        for backend in list(account.values())
        for one in backend.assumed_roles
    ]


def _get_policy(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return app.policies


def _post_policy(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    actions = data["actions"]
    if not isinstance(actions, list):
        raise TypeError("actions is not a list")
    app.policies[str(data.get("principal") or "*")] = [str(action) for action in actions]
    return app.policies


def _delete_policy(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    app.policies.clear()
    return {}


def _get_events(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return [event.record for event in app.trail.events]


def _post_events(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    new = [_happening(app, spec) for spec in (data if isinstance(data, list) else [data])]
    return [app.trail.add(what).record for what in new]


def _happening(app: StandinApp, spec: dict[str, Any]) -> Happening:
    unknown = set(spec) - _EVENT_FIELDS
    if unknown:
        raise ValueError(f"unknown field(s): {', '.join(sorted(unknown))}")
    region, account = str(spec["region"]), str(spec.get("account") or app.account)
    key = spec.get("key")
    arn = key if key is None or key.startswith("arn:") else str(key_named(app, region, key, account).arn)
    params = _request_parameters(spec, arn)
    principal = str(spec.get("user_arn") or f"arn:aws:iam::{account}:user/standin")
    is_other = principal.split(":")[4] != account
    if is_other and str(spec.get("error_code", "")).startswith("AccessDenied"):
        raise ValueError("a call by another account that is denied is logged in that account only")
    return Happening(
        region=region,
        account=account,
        name=str(spec["name"]),
        moment=parse_time(spec["time"], datetime.now(UTC)),
        principal=principal,
        service=str(spec.get("service", "kms")),
        source_ip=str(spec.get("source_ip", "192.0.2.1")),
        user_agent=str(spec.get("user_agent", "stand-in")),
        params=params,
        response=response_elements("kms", str(spec["name"]), arn, b""),
        key_arn=arn,
        error_code=spec.get("error_code"),
        error_message=spec.get("error_message"),
        # "The same GUID … for each of the events delivered to different accounts" (sharedEventID, CloudTrail User Guide).
        shared_id=str(uuid.uuid4()) if is_other else None,
    )


def _request_parameters(spec: dict[str, Any], arn: str | None) -> dict[str, Any] | None:
    """The parameters that were given, or those of KMS's own examples (AWS KMS Developer Guide, log entries)."""
    given: dict[str, Any] | None = spec.get("request_parameters")
    context = spec.get("encryption_context")
    if given is not None and context is not None:
        raise ValueError("encryption_context is a part of request_parameters, so only one of the two can be given")
    if given is not None or context is None:
        return {"keyId": arn} if given is None and arn else given
    if not isinstance(context, dict):
        raise TypeError("encryption_context is not a map")
    match spec["name"]:
        case "Decrypt":  # the key is told by the ciphertext, and the algorithm always logged
            return {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context}
        case "Encrypt":
            return {"encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": context, "keyId": arn}
        case "GenerateDataKey" | "GenerateDataKeyWithoutPlaintext":
            return {"encryptionContext": context, "keyId": arn, "keySpec": "AES_256"}
        case "ReEncrypt":
            algorithms = dict.fromkeys(
                ("sourceEncryptionAlgorithm", "destinationEncryptionAlgorithm"), "SYMMETRIC_DEFAULT"
            )
            contexts = dict.fromkeys(("sourceEncryptionContext", "destinationEncryptionContext"), context)
            return {**algorithms, **contexts, "destinationKeyId": arn}
    raise ValueError(f"{spec['name']} has no encryption context")


_EVENT_FIELDS = {
    "account",
    "encryption_context",
    "error_code",
    "error_message",
    "key",
    "name",
    "region",
    "request_parameters",
    "service",
    "source_ip",
    "time",
    "user_agent",
    "user_arn",
}


def _get_config(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    return asdict(app.settings)


def _post_config(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    unknown = set(data) - {field.name for field in fields(Settings)}
    if unknown:
        raise ValueError(f"unknown field(s): {', '.join(sorted(unknown))}")
    for name, value in data.items():
        setattr(app.settings, name, value)
    return asdict(app.settings)


def _post_reset(app: StandinApp, rest: str, query: str, data: Any) -> Any:
    app.reset()
    return {}


def key_named(app: StandinApp, region: str, name: str, account: str) -> Key:
    """The key with an id, ARN or alias; NotThereError when there is none."""
    for key in app.kms.every_key():
        if (key.region, key.account_id) == (region, account) and name in (key.id, key.arn, *key.aliases):
            return key
    raise NotThereError(f"no key {name} in {account} {region}")


_ROUTES: dict[tuple[str, str], Callable[[StandinApp, str, str, Any], Any]] = {
    ("GET", "calls"): _get_calls,
    ("DELETE", "calls"): _delete_calls,
    ("GET", "faults"): _get_faults,
    ("POST", "faults"): _post_faults,
    ("DELETE", "faults"): _delete_faults,
    ("GET", "keys"): _get_keys,
    ("POST", "keys"): _post_keys,
    ("PATCH", "keys"): _patch_keys,
    ("POST", "principals"): _post_principals,
    ("POST", "roles"): _post_roles,
    ("POST", "credentials"): _post_credentials,
    ("GET", "iam_roles"): _get_iam_roles,
    ("POST", "iam_roles"): _post_iam_roles,
    ("GET", "sessions"): _get_sessions,
    ("GET", "policy"): _get_policy,
    ("POST", "policy"): _post_policy,
    ("DELETE", "policy"): _delete_policy,
    ("GET", "events"): _get_events,
    ("POST", "events"): _post_events,
    ("GET", "config"): _get_config,
    ("POST", "config"): _post_config,
    ("POST", "reset"): _post_reset,
}
