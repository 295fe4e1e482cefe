# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has become of the keys, and of BYOK's trust statement. Pure."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import TRANSIENT
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal

# AWS KMS Developer Guide, "Key states of AWS KMS keys": nobody can encrypt or decrypt with a key in one of these. That
# holds for an Unavailable key too, but only until its key store is back.
WITHOUT_ACCESS: t.Final = ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport")

Json: t.TypeAlias = t.Mapping[str, t.Any]
T = t.TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One call to AWS."""

    operation: str
    at: str = ""  # when it was made, ISO 8601 in UTC
    error: str = ""  # AWS's error code; empty if there was none
    request_id: str = ""


@dataclass(frozen=True)
class Key:
    """One key, as ``kms_key_state`` returns it."""

    region: str = ""
    label: str = ""  # tells it from the others: the region, and where it has several keys their references too
    reference: str = ""  # the key id, ARN or alias that was given
    key_id: str | None = None
    arn: str | None = None  # None if the key was not found
    account_id: str | None = None
    key_state_before: str | None = None  # AWS's KeyState; None if it was not read
    key_state: str | None = None
    actions: tuple[str, ...] = ()  # what was done, or is to be done
    changed: bool = False
    waited: float = 0.0  # seconds
    calls: tuple[Call, ...] = ()  # all that was asked of AWS, the plan's included
    deletion_date: str | None = None
    origin: str = ""  # of the key material
    valid_to: str | None = None  # when imported key material expires
    proof: Json | None = None  # the call that proves kms:EnableKey: operation, at; None if there is none
    code: str = ""  # of what went wrong; empty if nothing did
    error: str = ""
    hint: str = ""

    def failed(self, why: Refusal) -> Key:
        """Add what went wrong."""
        return replace(self, code=why.code, error=why.error, hint=why.hint)

    @property
    def is_transient(self) -> bool:
        """Whether what went wrong may pass, so that the change is tried all the same."""
        return self.code in TRANSIENT


@dataclass(frozen=True)
class Keys:
    """The answer of ``kms_key_state`` for several keys; empty before it has run."""

    keys: tuple[Key, ...] = ()
    clock_offset: float | None = None  # AWS's clock minus the controller's, in seconds; None if not known
    failed: bool = False  # it ended without a result
    session_ends_at: str | None = None  # when a person must log in to AWS again; None if not known

    @classmethod
    def from_json(cls, answer: Json) -> Keys:
        """Read the module's result."""
        keys = tuple(_read(Key, key) for key in answer.get("keys") or [])
        return cls(keys, answer.get("clock_offset"), bool(answer.get("failed")), answer.get("session_ends_at"))


@dataclass(frozen=True)
class Trust:
    """The statement for Atlassian in the role's trust policy, as ``byok_trust_statement`` returns it."""

    role_name: str = ""
    role_arn: str | None = None
    account_id: str | None = None
    effect_before: str | None = None  # Allow or Deny; None if it was not read
    effect: str | None = None
    policy_before: Json | None = None
    policy: Json | None = None
    actions: tuple[str, ...] = ()
    changed: bool = False
    waited: float = 0.0  # seconds
    calls: tuple[Call, ...] = ()
    code: str = ""
    error: str = ""
    hint: str = ""

    @classmethod
    def from_json(cls, answer: Json) -> Trust | None:
        """Read the module's result; None before it has run, or without BYOK."""
        return _read(cls, answer) if "calls" in answer else None


def _read(kind: type[T], answer: Json) -> T:
    """Take the fields of a dataclass from a module's answer; one that is missing keeps its default."""
    given = {field.name: answer[field.name] for field in fields(kind) if field.name in answer}  # type: ignore[arg-type]
    calls = tuple(_read(Call, call) for call in given.pop("calls", None) or [])
    more = {"calls": calls, "actions": tuple(given.pop("actions", None) or ())} if kind is not Call else {}
    return kind(**given, **more)


def keys_done(plan: Keys, change: Keys) -> tuple[Key, ...]:
    """Return what has become of the keys so far; their ``calls`` are all that was asked of AWS."""
    keys = list(plan.keys)
    if change.keys:
        # Keys that are found by their alias may have become more since the plan.
        before = {(key.region, key.reference): key.calls for key in plan.keys}
        keys = [replace(key, calls=before.get((key.region, key.reference), ()) + key.calls) for key in change.keys]
    elif change.failed:
        # Nothing that was predicted is known to have happened.
        keys = [replace(key, key_state=key.key_state_before, actions=(), changed=False) for key in plan.keys]
    many = collections.Counter(key.region for key in keys)
    return tuple(
        replace(key, label=key.region if many[key.region] == 1 else f"{key.region} {key.reference}") for key in keys
    )


def trust_done(plan: Trust | None, change: Trust | None, *, has_failed: bool = False) -> Trust | None:
    """Return the same of BYOK's trust statement; ``has_failed`` if the change ended without a result."""
    if plan is None:
        return None
    trust = plan
    if change:
        before, calls = change.effect_before or plan.effect_before, plan.calls + change.calls
        trust = replace(change, effect_before=before, policy_before=plan.policy_before, calls=calls)
    elif has_failed:
        # Nothing that was predicted is known to have happened.
        trust = replace(plan, effect=plan.effect_before, policy=plan.policy_before, actions=())
    # The task of the plan says of itself that it changes nothing.
    return replace(trust, changed=bool(trust.actions))


def judge_revoked(key: Key) -> Key:
    """Judge for a revocation what ``kms_key_state`` with ``state=disabled`` returned of a key.

    A key that cannot be disabled because nobody can use it is as wished. One whose key store is away is not.
    """
    if key.code in ("pending_deletion", "pending_replica_deletion", "pending_import"):
        return replace(key, code="", error="", hint="")
    return key.failed(refusal("revoke_unavailable", arn=key.arn)) if key.code == "unavailable" else key


def find_open_regions(keys: t.Iterable[Key]) -> list[str]:
    """Name the regions whose key may still be used, as far as is known."""
    return [key.region for key in keys if key.error or key.key_state not in WITHOUT_ACCESS]
