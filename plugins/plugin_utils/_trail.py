# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What CloudTrail, the policies and the grants show of the keys, as ``kms_key_revocation_info`` returns it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, fields

Json: t.TypeAlias = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class KeyTrail:
    """What is known of one key. Times are ISO 8601 in UTC, by AWS's clock."""

    region: str = ""
    arn: str = ""
    complete: bool = False  # every event that matters was read
    events: tuple[Json, ...] = ()
    revoked_at: str | None = None  # when access was lost that nothing has undone since
    revoked_by: str | None = None
    revoked_how: str | None = None
    last_revocation: Json | None = None  # the last loss, undone or not
    restored_at: str | None = None  # when it was undone
    suspects: tuple[Json, ...] = ()  # changes of policy and grants
    reason: str | None = None  # why revoked_at is not known
    policy: Json | None = None
    grants: tuple[Json, ...] | None = None
    access_reason: str | None = None  # why policy and grants could not be read
    refused_use: Json | None = None  # the vendor's last call that failed because the key is disabled
    last_use: Json | None = None  # by anybody, as AWS KMS records it; None if it was not read
    missing_material: t.Sequence[str] | None = None  # key material to import again; None if that was not read
    health_reason: str | None = None  # why one of the last two could not be read

    @property
    def has_access(self) -> bool:
        """Whether policy and grants were read: grants that could not be read are not the same as no grants."""
        return self.policy is not None and self.grants is not None

    @property
    def last_lost_at(self) -> str | None:
        """When access was lost the last time."""
        return (self.last_revocation or {}).get("revoked_at")

    @classmethod
    def from_json(cls, answer: Json) -> KeyTrail:
        """Read an entry of the module's ``keys``."""
        known = {field.name: answer[field.name] for field in fields(cls) if field.name in answer}
        values: dict[str, t.Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in known.items()
        }
        return cls(**values)


@dataclass(frozen=True)
class Trail:
    """What is known of all keys; empty before the module was asked."""

    keys: tuple[KeyTrail, ...] = ()
    revoked_at: str | None = None  # the last loss of all keys: when the first key was lost
    lost_at: str | None = None  # when the last key was lost
    restored_at: str | None = None  # when every key was back; None if one is not
    identity: str | None = None  # a text that names this loss and no other

    @property
    def is_complete(self) -> bool:
        """Whether everything that matters was read of every key."""
        return bool(self.keys) and all(key.complete for key in self.keys)

    @property
    def shows_loss(self) -> bool:
        """Whether it shows a loss at all."""
        return self.lost_at is not None

    def of(self, arn: str | None) -> KeyTrail:
        """Return what is known of one key; empty if nothing."""
        return next((key for key in self.keys if arn and key.arn == arn), KeyTrail())

    @classmethod
    def from_json(cls, answer: Json) -> Trail:
        """Read the module's result."""
        keys, loss = tuple(map(KeyTrail.from_json, answer.get("keys") or [])), answer.get("last_loss") or {}
        return cls(keys, loss.get("revoked_at"), loss.get("lost_at"), loss.get("restored_at"), answer.get("identity"))
