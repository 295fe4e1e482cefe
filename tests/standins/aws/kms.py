"""AWS KMS's own rules on top of moto's keys: references, key states, metadata, spreading of changes.

Rules come from the AWS KMS Developer Guide ("Key states of AWS KMS keys", "AWS KMS eventual consistency",
"Allowing users in other accounts to use a KMS key") and the AWS KMS API Reference.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from moto.kms import models
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.utils import RESERVED_ALIASES, _deserialize_ciphertext_blob, generate_private_key

from .errors import AwsError, access_denied, not_accessible
from .policies import key_policy_verdict


@functools.cache
def _shared_private_key() -> Any:
    return generate_private_key("SYMMETRIC_DEFAULT")


def _private_key(key_spec: str) -> Any:
    return _shared_private_key() if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)


# moto makes an RSA key for every symmetric key as well, never uses it, and takes most of its time for that.
models.generate_private_key = _private_key  # type: ignore[attr-defined]

KEY_STATES = (
    "Enabled",
    "Disabled",
    "PendingDeletion",
    "PendingReplicaDeletion",
    "PendingImport",
    "Unavailable",
    "Creating",
    "Updating",
)
CRYPTOGRAPHIC = {
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
}
# "To specify a KMS key, use its key ID, key ARN, alias name, or alias ARN": only these say so.
TAKES_ALIAS = CRYPTOGRAPHIC | {"DescribeKey", "GetPublicKey", "DeriveSharedSecret"}
# "Cross-account use: Yes" in the API Reference.
# Operations whose IAM action has another name.
_ACTIONS = {"ReEncrypt": "ReEncryptTo"}
STRICT = {"CancelKeyDeletion", "DescribeKey", "DisableKey", "EnableKey", "ReplicateKey", "ScheduleKeyDeletion"}
CROSS_ACCOUNT = TAKES_ALIAS | {
    "CreateGrant",
    "GetKeyRotationStatus",
    "ListGrants",
    "RevokeGrant",
}

_DELETION = {
    "PendingDeletion": ("KMSInvalidStateException", "is pending deletion."),
    "PendingReplicaDeletion": ("KMSInvalidStateException", "is pending replica deletion."),
}
_IMPORT = {"PendingImport": ("KMSInvalidStateException", "is pending import.")}
_CREATING = {"Creating": ("KMSInvalidStateException", "is creating.")}
_UPDATING = {"Updating": ("KMSInvalidStateException", "is updating.")}
_SWITCHING = {**_DELETION, **_IMPORT, **_CREATING, **_UPDATING}
_USING = {
    "Disabled": ("DisabledException", "is disabled."),
    **_DELETION,
    **_IMPORT,
    "Unavailable": ("KMSInvalidStateException", "is unavailable."),
    **_CREATING,
}
# operation -> key state -> (error code, text after the key ARN); what is not named succeeds.
REFUSALS: dict[str, dict[str, tuple[str, str]]] = {
    "EnableKey": _SWITCHING,
    "DisableKey": _SWITCHING,
    "CancelKeyDeletion": {
        state: ("KMSInvalidStateException", "is not pending deletion.")
        for state in KEY_STATES
        if state not in _DELETION
    },
    "ScheduleKeyDeletion": {**_DELETION, **_UPDATING},
    "ReplicateKey": _USING,
    **dict.fromkeys(CRYPTOGRAPHIC, _USING),
}

_KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}", re.IGNORECASE)
_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):(key|alias)/(.+)")
_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]+")


class Caller(NamedTuple):
    """Who calls: 12-digit account, principal ARN, and the region that is called."""

    account: str
    principal: str
    region: str


class State(NamedTuple):
    """One key state with what belongs to it: the deletion date (UTC) or the waiting period (days)."""

    name: str
    deletion_date: datetime | None = None
    window: int | None = None


class Reference(NamedTuple):
    """What a KeyId parameter names; region and account only when it is an ARN. Alias names keep their `alias/`."""

    kind: Literal["key", "alias"]
    name: str
    region: str | None = None
    account: str | None = None


def parse_reference(reference: str) -> Reference:
    """Parse a key id, key ARN, alias name or alias ARN; InvalidArnException or NotFoundException when it is neither."""
    if reference.startswith("alias/"):
        return Reference("alias", reference)
    name, region, account = reference, None, None
    if reference.startswith("arn:"):
        match = _ARN.fullmatch(reference)
        if not match:
            raise AwsError("InvalidArnException", f"Invalid arn {reference}")
        region, account, kind, name = match.groups()
        if kind == "alias":
            return Reference("alias", f"alias/{name}", region, account)
    if not _KEY_ID.fullmatch(name):
        raise AwsError("NotFoundException", f"Invalid keyId '{name}'")
    return Reference("key", name, region, account)


@dataclass
class Settings:
    """Run-time configuration. Seconds, except `flip` and `not_found` (number of reads).

    `clock_offset`: how far AWS's clock is ahead of this machine's, in the `Date` header and in CloudTrail.
    `last_use_delay`: how late GetKeyLastUsage is ("up to an hour").
    With `quotas`, calls over AWS's request quotas are throttled. Off, because tests restore more keys than anybody has.
    """

    propagation: float = 0.0
    flip: bool = False
    not_found: int = 0
    latency: float = 0.0
    trail_delay: float = 0.0
    quotas: bool = False
    clock_offset: float = 0.0
    last_use_delay: float = 0.0


@dataclass
class Shadow:
    """What moto's key does not know: its recent states, how changes spread, and its custom key store.

    `propagation`, `flip` and `not_found` override the settings when not None.
    `wish` is the state that an Unavailable key takes when its key store is back.
    """

    history: list[tuple[float, State]]
    propagation: float | None = None
    flip: bool | None = None
    not_found: int | None = None
    custom_key_store: bool = False
    wish: str = "Enabled"
    valid_to: float | None = None
    materials: list[dict[str, str]] = field(default_factory=list)
    reads: int = 0
    not_found_left: int = 0


@dataclass
class StrictKms:
    """The strict part of KMS. It keeps no keys of its own: they are moto's."""

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    shadows: dict[str, Shadow] = field(default_factory=dict)

    def clear(self) -> None:
        self.shadows.clear()

    # --- keys and their states

    def every_key(self) -> Iterator[Key]:
        """Every key of every account and region."""
        for accounts in list(kms_backends.values()):
            for backend in list(accounts.values()):
                yield from list(backend.keys.values())

    def shadow(self, key: Key) -> Shadow:
        if key.arn not in self.shadows:
            state = State(key.key_state, key.deletion_date)
            self.shadows[key.arn] = Shadow([(float("-inf"), state)])
        return self.shadows[key.arn]

    def real(self, key: Key) -> State:
        """The state that the key really has."""
        return self.shadow(key).history[-1][1]

    def visible(self, key: Key, *, reading: bool = False) -> State:
        """The state that AWS shows: a change is seen only after the propagation time.

        State-dependent operations judge by the same old state. With `flip`, reads within that time
        alternate between the new and the old state, beginning with the new one.
        """
        shadow = self.shadow(key)
        window = self.settings.propagation if shadow.propagation is None else shadow.propagation
        horizon = self.clock() - window
        settled = [state for moment, state in shadow.history if moment <= horizon][-1]
        newest = shadow.history[-1][1]
        flip = self.settings.flip if shadow.flip is None else shadow.flip
        if reading and flip and settled != newest:
            shadow.reads += 1
            return newest if shadow.reads % 2 else settled
        return settled

    def change(self, key: Key, state: State) -> None:
        """A change through the API: it spreads."""
        shadow = self.shadow(key)
        if state == shadow.history[-1][1]:
            return
        shadow.history.append((self.clock(), state))
        shadow.reads = 0
        shadow.not_found_left = self.settings.not_found if shadow.not_found is None else shadow.not_found
        self._write(key, state)

    def force(self, key: Key, state: State) -> None:
        """A change through the control endpoint: seen at once."""
        shadow = self.shadow(key)
        shadow.history = [(float("-inf"), state)]
        shadow.not_found_left = 0
        self._write(key, state)

    @staticmethod
    def _write(key: Key, state: State) -> None:
        key.key_state = state.name
        key.enabled = state.name == "Enabled"
        key.deletion_date = state.deletion_date

    def metadata(self, key: Key, state: State | None = None) -> dict[str, Any]:
        """KeyMetadata as DescribeKey answers it (API Reference, "KeyMetadata"); dates are Unix seconds."""
        state = state or self.real(key)
        shadow = self.shadow(key)
        data: dict[str, Any] = {
            "AWSAccountId": key.account_id,
            "KeyId": key.id,
            "Arn": key.arn,
            "CreationDate": key.creation_date,
            "Enabled": state.name == "Enabled",
            "Description": key.description,
            "KeyUsage": key.key_usage or "ENCRYPT_DECRYPT",
            "KeyState": state.name,
            "Origin": key.origin,
            "KeyManager": key.key_manager,
            "CustomerMasterKeySpec": key.key_spec,
            "KeySpec": key.key_spec,
            "MultiRegion": bool(key.multi_region),
        }
        data.update(_algorithms(key, data["KeyUsage"]))
        data.update(_material(key, state, shadow.valid_to))
        if state.name == "PendingDeletion" and state.deletion_date:
            data["DeletionDate"] = state.deletion_date.timestamp()
        if state.name == "PendingReplicaDeletion":
            data["PendingDeletionWindowInDays"] = state.window
        if shadow.custom_key_store:
            data["CustomKeyStoreId"] = "cks-1234567890abcdef0"
            data["CloudHsmClusterId"] = "cluster-1a23b4cdefg"
        if key.multi_region:
            data["MultiRegionConfiguration"] = self._multi_region(key)
        return data

    def material(self, key: Key) -> list[dict[str, Any]]:
        """Each key material as ListKeyRotations answers it: the first one has no rotation ("RotationDate")."""
        shadow = self.shadow(key)
        planted = shadow.materials or [{"state": "CURRENT", "import": "IMPORTED"}]
        expires = "KEY_MATERIAL_EXPIRES" if shadow.valid_to else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        return [
            {
                "KeyId": key.id,
                "KeyMaterialId": hashlib.sha256(f"{key.id}{number or ''}".encode()).hexdigest(),
                "ImportState": one["import"],
                "KeyMaterialState": one["state"],
                "ExpirationModel": expires,
                **({"ValidTo": shadow.valid_to} if shadow.valid_to else {}),
                **({"RotationDate": key.creation_date, "RotationType": "ON_DEMAND"} if number else {}),
            }
            for number, one in enumerate(planted)
        ]

    @staticmethod
    def _multi_region(key: Key) -> dict[str, Any]:
        primary = key.multi_region_configuration["PrimaryKey"]
        replicas = [
            {"Arn": backend.keys[key.id].arn, "Region": region}
            for region, backend in kms_backends[key.account_id].items()
            if region != primary["Region"] and key.id in backend.keys
        ]
        kind = "PRIMARY" if key.region == primary["Region"] else "REPLICA"
        return {"MultiRegionKeyType": kind, "PrimaryKey": primary, "ReplicaKeys": replicas}

    # --- references and permissions

    def find(self, reference: str, caller: Caller, operation: str) -> Key:
        """The key that a KeyId parameter means, as AWS resolves it, or AWS's error.

        - Aliases where only key ids and key ARNs are taken: InvalidArnException "Key Aliases are not supported for
          this operation." (seen by users of GetKeyPolicy and CreateGrant, for alias names and alias ARNs).
        - An ARN of another region: NotFoundException "Invalid arn <its region>" (seen with DescribeKey).
        - A key of another account: AccessDeniedException whether it exists or not, unless the operation works across
          accounts and the key policy allows the caller; permissions for other operations "have no effect".
        """
        if caller.region not in kms_backends[caller.account]:
            raise AwsError("InvalidSignatureException", "Credential should be scoped to a valid region.")
        backend: KmsBackend = kms_backends[caller.account][caller.region]
        action = f"kms:{_ACTIONS.get(operation, operation)}"
        target = parse_reference(reference)
        if target.kind == "alias" and operation not in TAKES_ALIAS:
            raise AwsError("InvalidArnException", "Key Aliases are not supported for this operation.")
        if target.region not in (None, caller.region):
            raise AwsError("NotFoundException", f"Invalid arn {target.region}")
        if target.account not in (None, caller.account):
            return self._find_abroad(target, caller, operation)
        key = self._lookup(backend, target)
        if key is None:
            arn = self._arn(backend, target.name if target.kind == "alias" else f"key/{target.name}")
            raise AwsError(
                "NotFoundException",
                f"Alias {arn} is not found." if target.kind == "alias" else f"Key '{arn}' does not exist",
            )
        verdict = key_policy_verdict(key.policy, caller.principal, caller.account, action)
        if verdict == "deny":
            raise access_denied(caller.principal, action, key.arn, "with an explicit deny in a resource-based policy")
        if verdict == "none":
            reason = f"because no resource-based policy allows the {action} action"
            raise access_denied(caller.principal, action, key.arn, reason)
        return key

    def _find_abroad(self, target: Reference, caller: Caller, operation: str) -> Key:
        action = f"kms:{_ACTIONS.get(operation, operation)}"
        key = self._lookup(kms_backends[str(target.account)][caller.region], target)
        if key is None or operation not in CROSS_ACCOUNT:
            raise not_accessible(caller.principal, action)
        if key_policy_verdict(key.policy, caller.principal, caller.account, action) != "allow":
            raise not_accessible(caller.principal, action)
        return key

    def _lookup(self, backend: KmsBackend, target: Reference) -> Key | None:
        if target.kind == "alias":
            return self._by_alias(backend, target.name)
        return backend.keys.get(target.name)

    @staticmethod
    def _arn(backend: KmsBackend, resource: str) -> str:
        return f"arn:{backend.partition}:kms:{backend.region_name}:{backend.account_id}:{resource}"

    @staticmethod
    def _by_alias(backend: KmsBackend, name: str) -> Key | None:
        for key in backend.keys.values():
            if name in key.aliases:
                return key
        if name not in RESERVED_ALIASES:
            return None
        # AWS makes the managed key when its predefined alias is described first (API Reference, DescribeKey).
        key_id = backend._generate_default_keys(name)
        key = backend.keys[str(key_id)]
        make_aws_managed(key)
        return key

    def find_by_ciphertext(self, blob: str, caller: Caller) -> Key | None:
        """The caller's key that encrypted `blob` (base64); None when moto shall refuse it."""
        try:
            key_id = _deserialize_ciphertext_blob(base64.b64decode(blob)).key_id
        except Exception:
            return None
        key: Key | None = kms_backends[caller.account][caller.region].keys.get(key_id)
        return key and self.find(key.arn, caller, "Decrypt")

    # --- operations

    def list_aliases(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """ListAliases of all keys: pages of 1 to 100 entries, 50 unless asked; AWS's own aliases come along, those that
        are not in use without a key (API Reference, ListAliases)."""
        backend: KmsBackend = kms_backends[caller.account][caller.region]
        limit, marker = params.get("Limit", 50), params.get("Marker")
        if not isinstance(limit, int) or not 1 <= limit <= 100:
            bound = (
                "greater than or equal to 1" if isinstance(limit, int) and limit < 1 else "less than or equal to 100"
            )
            raise AwsError("ValidationException", validation("limit", limit, f"have value {bound}"))
        targets = dict.fromkeys(RESERVED_ALIASES) | {
            name: key.id for key in backend.keys.values() for name in key.aliases
        }
        names = sorted(targets)
        start = 0
        if marker is not None:
            name = base64.urlsafe_b64decode(str(marker).encode() + b"==").decode("utf-8", "replace")
            if name not in names:
                raise AwsError("InvalidMarkerException", "Marker is invalid.")
            start = names.index(name) + 1
        page = names[start : start + limit]
        aliases = [
            {"AliasName": name, "AliasArn": self._arn(backend, name)}
            | ({"TargetKeyId": targets[name]} if targets[name] else {})
            for name in page
        ]
        answer: dict[str, Any] = {"Aliases": aliases, "Truncated": start + limit < len(names)}
        if answer["Truncated"]:
            answer["NextMarker"] = base64.urlsafe_b64encode(page[-1].encode()).decode().rstrip("=")
        return answer

    def check_state(self, operation: str, key: Key) -> None:
        """Refuse what AWS's key state table refuses, judged by the state that is visible."""
        refusal = REFUSALS.get(operation, {}).get(self.visible(key).name)
        if refusal:
            raise AwsError(refusal[0], f"{key.arn} {refusal[1]}")

    def describe(self, key: Key) -> dict[str, Any]:
        shadow = self.shadow(key)
        if shadow.not_found_left > 0:
            shadow.not_found_left -= 1
            raise AwsError("NotFoundException", f"Key '{key.arn}' does not exist")
        return {"KeyMetadata": self.metadata(key, self.visible(key, reading=True))}

    def operate(self, operation: str, key: Key, params: dict[str, Any]) -> dict[str, Any] | None:
        """Do an operation that is strict itself; None: AWS answers with an empty body.

        Raises KeyError for an operation that is moto's.
        """
        operations: dict[str, Callable[[], dict[str, Any] | None]] = {
            "DescribeKey": lambda: self.describe(key),
            "EnableKey": lambda: self.switch(key, "Enabled"),
            "DisableKey": lambda: self.switch(key, "Disabled"),
            "CancelKeyDeletion": lambda: self.cancel_deletion(key),
            "ReplicateKey": lambda: self.replicate(key, params),
            "ScheduleKeyDeletion": lambda: self.schedule_deletion(key, params.get("PendingWindowInDays")),
        }
        return operations[operation]()

    def cancel_deletion(self, key: Key) -> dict[str, Any]:
        """CancelKeyDeletion: "the key state of the KMS key is Disabled"; the answer holds the key ARN."""
        self.change(key, State("Disabled"))
        return {"KeyId": key.arn}

    def switch(self, key: Key, wish: str) -> None:
        """EnableKey and DisableKey. "The operation succeeds, but the key state of the KMS key does not change until
        it becomes available" (key state table, note on Unavailable)."""
        if self.real(key).name == "Unavailable":
            self.shadow(key).wish = wish
        else:
            self.change(key, State(wish))

    def schedule_deletion(self, key: Key, days: Any) -> dict[str, Any]:
        """ScheduleKeyDeletion: 7 to 30 days. A multi-Region primary key with replicas waits for them without a date."""
        days = 30 if days is None else days
        if not isinstance(days, int) or not 7 <= days <= 30:
            bound = "greater than or equal to 7" if isinstance(days, int) and days < 7 else "less than or equal to 30"
            raise AwsError("ValidationException", validation("pendingWindowInDays", days, f"have value {bound}"))
        multi_region = self._multi_region(key) if key.multi_region else {}
        answer: dict[str, Any] = {"KeyId": key.arn, "PendingWindowInDays": days}
        if multi_region.get("MultiRegionKeyType") == "PRIMARY" and multi_region["ReplicaKeys"]:
            state = State("PendingReplicaDeletion", window=days)
        else:
            date = datetime.now(UTC) + timedelta(days=days)
            state = State("PendingDeletion", date)
            answer["DeletionDate"] = date.timestamp()
        self.change(key, state)
        return {**answer, "KeyState": state.name}

    def replicate(self, key: Key, params: dict[str, Any]) -> dict[str, Any]:
        """ReplicateKey, for multi-Region primary keys only. The replica is Enabled at once, as moto has it."""
        region = params.get("ReplicaRegion")
        if not key.multi_region or self._multi_region(key)["MultiRegionKeyType"] != "PRIMARY" or not region:
            raise AwsError("UnsupportedOperationException", f"{key.arn} is not a multi-Region primary key.")
        replica = kms_backends[key.account_id][key.region].replicate_key(key.id, region)
        # moto copies the key so that both share these.
        replica.aliases, replica.grants = {}, {}
        self.force(replica, self.real(key))
        return {"ReplicaKeyMetadata": self.metadata(replica), "ReplicaPolicy": replica.policy}

    def adopt(self, key: Key) -> dict[str, Any]:
        """Make a key that moto has just created one of AWS's: its state and the form of its id."""
        if key.multi_region:
            self._rename(key, f"mrk-{uuid.uuid4().hex}")
        state = State("PendingImport" if key.origin == "EXTERNAL" else "Enabled")
        self.force(key, state)
        return {"KeyMetadata": self.metadata(key)}

    def _rename(self, key: Key, key_id: str) -> None:
        backend: KmsBackend = kms_backends[key.account_id][key.region]
        tags = backend.tagger.list_tags_for_resource(key.id).get("Tags", [])
        backend.delete_key(key.id)
        self.shadows.pop(key.arn, None)
        key.id, key.arn = key_id, self._arn(backend, f"key/{key_id}")
        backend.keys[key_id] = key
        if tags:
            backend.tagger.tag_resource(key_id, tags)
        if key.multi_region:
            key.multi_region_configuration["PrimaryKey"] = {"Arn": key.arn, "Region": key.region}

    # --- control endpoint

    def plant(self, spec: dict[str, Any], default_account: str) -> Key:
        """Create a key in any state from a description in the shape of `POST /_standin/keys`.

        Raises ValueError, naming the field, on a wrong description.
        """
        _only(spec, PLANT_FIELDS)
        if not spec.get("region"):
            raise ValueError("region is required")
        state = self.state_from(spec, "Enabled")
        regions = kms_backends[str(spec.get("account") or default_account)]
        if spec["region"] not in regions:
            raise ValueError(f"region: {spec['region']!r} is no region of KMS")
        backend: KmsBackend = regions[spec["region"]]
        _check_names(spec, backend)
        # Creating, Updating and PendingReplicaDeletion exist for multi-Region keys only, Unavailable in a key store.
        only_multi_region = state.name in ("Creating", "Updating", "PendingReplicaDeletion")
        multi_region = bool(spec.get("multi_region")) or only_multi_region or (spec.get("key_id") or "")[:4] == "mrk-"
        custom_key_store = bool(spec.get("custom_key_store")) or state.name == "Unavailable"
        origin = "EXTERNAL" if state.name == "PendingImport" else "AWS_CLOUDHSM" if custom_key_store else "AWS_KMS"
        key = backend.create_key(
            _policy_text(spec.get("policy")),
            "ENCRYPT_DECRYPT",
            "SYMMETRIC_DEFAULT",
            str(spec.get("description", "")),
            [{"TagKey": name, "TagValue": value} for name, value in (spec.get("tags") or {}).items()],
            multi_region,
            str(spec.get("origin") or origin),
        )
        self._name(key, spec, backend)
        if "creation_date" in spec:
            key.creation_date = parse_time(spec["creation_date"], datetime.now(UTC)).timestamp()
        self.shadow(key).custom_key_store = custom_key_store
        self.force(key, state)
        self._override(key, spec)
        return key

    def _name(self, key: Key, spec: dict[str, Any], backend: KmsBackend) -> None:
        """Id, alias, manager and primary region of a planted key."""
        if spec.get("key_id") or key.multi_region:
            self._rename(key, spec.get("key_id") or f"mrk-{uuid.uuid4().hex}")
        if key.multi_region and spec.get("primary_region"):
            primary = str(spec["primary_region"])
            arn = key.arn.replace(f":{key.region}:", f":{primary}:")
            key.multi_region_configuration["PrimaryKey"] = {"Arn": arn, "Region": primary}
        if spec.get("key_manager") == "AWS":
            make_aws_managed(key)
        if spec.get("alias"):
            backend.create_alias(key.id, spec["alias"])

    def patch(self, key: Key, changes: dict[str, Any]) -> None:
        """`PATCH /_standin/keys/…`: force the state, override how changes spread, replace the policy."""
        _only(changes, PATCH_FIELDS)
        if "state" in changes or "deletion_date" in changes:
            state = self.state_from(changes, self.real(key).name)
            shadow = self.shadow(key)
            if state.name == "Unavailable" and self.real(key).name in ("Enabled", "Disabled"):
                shadow.wish = self.real(key).name
            self.force(key, state)
        if changes.get("store_connected") is True and self.real(key).name == "Unavailable":
            self.force(key, State(self.shadow(key).wish))
        if "policy" in changes:
            key.policy = _policy_text(changes["policy"]) or "{}"
        self._override(key, changes)

    def _override(self, key: Key, spec: dict[str, Any]) -> None:
        shadow = self.shadow(key)
        for name in ("propagation", "flip", "not_found"):
            if name in spec:
                setattr(shadow, name, spec[name])
        if "valid_to" in spec:
            shadow.valid_to = parse_time(spec["valid_to"], datetime.now(UTC)).timestamp()
        if "materials" in spec:
            shadow.materials = spec["materials"]

    @staticmethod
    def state_from(spec: dict[str, Any], default: str) -> State:
        name = spec.get("state", default)
        if name not in KEY_STATES:
            raise ValueError(f"state: {name!r} is none of {', '.join(KEY_STATES)}")
        window = int(spec.get("pending_window_in_days", 30))
        if name == "PendingReplicaDeletion":
            return State(name, window=window)
        if name != "PendingDeletion":
            return State(name)
        return State(name, parse_time(spec.get("deletion_date"), datetime.now(UTC) + timedelta(days=window)))

    def summary(self, key: Key) -> dict[str, Any]:
        """One entry of `GET /_standin/keys`: the real metadata and what is set for the key."""
        shadow = self.shadow(key)
        return {
            **self.metadata(key),
            "region": key.region,
            "account": key.account_id,
            "aliases": sorted(key.aliases),
            "propagation": shadow.propagation,
            "flip": shadow.flip,
            "not_found": shadow.not_found,
        }


PLANT_FIELDS = {
    "account",
    "alias",
    "creation_date",
    "custom_key_store",
    "deletion_date",
    "description",
    "flip",
    "key_id",
    "key_manager",
    "materials",
    "multi_region",
    "not_found",
    "origin",
    "pending_window_in_days",
    "policy",
    "primary_region",
    "propagation",
    "region",
    "state",
    "tags",
    "valid_to",
}
PATCH_FIELDS = {
    "account",
    "deletion_date",
    "flip",
    "not_found",
    "pending_window_in_days",
    "policy",
    "propagation",
    "state",
    "store_connected",
}


def _only(spec: dict[str, Any], known: set[str]) -> None:
    unknown = set(spec) - known
    if unknown:
        raise ValueError(f"unknown field(s): {', '.join(sorted(unknown))}")


def _policy_text(policy: Any) -> str | None:
    return policy if isinstance(policy, str) or policy is None else json.dumps(policy)


def _check_names(spec: dict[str, Any], backend: KmsBackend) -> None:
    alias, key_id, manager = spec.get("alias"), spec.get("key_id"), spec.get("key_manager", "CUSTOMER")
    if alias is not None and not _ALIAS.fullmatch(alias):
        raise ValueError(f"alias: {alias!r} is not alias/NAME")
    if alias is not None and backend.alias_exists(alias):
        raise ValueError(f"alias: {alias} exists already in {backend.account_id} {backend.region_name}")
    if key_id is not None and (not _KEY_ID.fullmatch(key_id) or key_id in backend.keys):
        raise ValueError(f"key_id: {key_id!r} is malformed or exists already")
    if manager not in ("AWS", "CUSTOMER"):
        raise ValueError(f"key_manager: {manager!r} is neither AWS nor CUSTOMER")


def _algorithms(key: Key, usage: str) -> dict[str, Any]:
    if usage == "ENCRYPT_DECRYPT":
        return {"EncryptionAlgorithms": key.encryption_algorithms}
    if usage == "SIGN_VERIFY":
        return {"SigningAlgorithms": key.signing_algorithms}
    if usage == "GENERATE_VERIFY_MAC":
        return {"MacAlgorithms": [key.key_spec.replace("HMAC_", "HMAC_SHA_")]}
    return {}


def _material(key: Key, state: State, valid_to: float | None) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if state.name == "PendingImport":
        return data
    if key.key_spec == "SYMMETRIC_DEFAULT" and key.origin in ("AWS_KMS", "EXTERNAL"):
        data["CurrentKeyMaterialId"] = hashlib.sha256(key.id.encode()).hexdigest()
    if key.origin == "EXTERNAL":
        data["ExpirationModel"] = "KEY_MATERIAL_EXPIRES" if valid_to else "KEY_MATERIAL_DOES_NOT_EXPIRE"
        data |= {"ValidTo": valid_to} if valid_to else {}
    return data


def make_aws_managed(key: Key) -> None:
    """Turn a key into an AWS managed key: its policy lets the account look at it and nothing else.

    So changing calls end in AccessDeniedException "because no resource-based policy allows the … action"
    (AWS KMS Developer Guide, "AWS managed keys": you cannot manage them or use them directly).
    """
    root = key.arn.split(":")
    key.key_manager = "AWS"
    key.policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:{root[1]}:iam::{key.account_id}:root"},
                    "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                    "Resource": "*",
                }
            ],
        }
    )


def parse_time(value: Any, default: datetime) -> datetime:
    """A moment in UTC from ISO 8601 text or Unix seconds."""
    if value is None:
        return default
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def validation(member: str, value: Any, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"1 validation error detected: Value {shown} at '{member}' failed to satisfy constraint: Member must {constraint}"


def check_key_id(params: dict[str, Any], member: str = "KeyId") -> str:
    """The KeyId parameter, or ValidationException: 1 to 2048 characters (API Reference)."""
    name = member[0].lower() + member[1:]
    value = params.get(member)
    if value is None:
        raise AwsError("ValidationException", validation(name, None, "not be null"))
    if not isinstance(value, str):
        raise AwsError("SerializationException", f"class {type(value).__name__} can not be converted to a String")
    if not value:
        raise AwsError("ValidationException", validation(name, "", "have length greater than or equal to 1"))
    if len(value) > 2048:
        raise AwsError("ValidationException", validation(name, value, "have length less than or equal to 2048"))
    return value
