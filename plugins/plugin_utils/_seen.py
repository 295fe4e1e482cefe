# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification has seen. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import Site

Json: t.TypeAlias = t.Mapping[str, t.Any]
_NOT_ASKED: t.Final = (
    "CloudTrail was not asked, because it is not known when access was lost, when the key was enabled or when Atlassian was "
    "notified. Set cmk_revoked_at."
)


@dataclass(frozen=True)
class Use:
    """Whether one key is used by the account that is waited for, as ``kms_key_use_info`` returns it."""

    region: str
    arn: str | None
    since: str | None = None  # from when on a use counts; None if that is not known
    looked_up: bool = False  # CloudTrail answered
    first_use: Json | None = None  # the first use that proves access
    unattributed_use: Json | None = None  # the last one by an account that nothing identifies
    is_first: bool = False  # no earlier use can exist
    last_use: Json | None = None  # the last one by anybody, as AWS KMS records it; None if it does not tell
    reason: str | None = _NOT_ASKED  # why there is no first_use

    @classmethod
    def from_json(cls, answer: Json) -> Use:
        """Read an entry of the module's ``keys``."""
        return cls(**{field.name: answer[field.name] for field in fields(cls) if field.name in answer})


@dataclass(frozen=True)
class Seen:
    """All that the looks of a verification have read; empty before the first one."""

    keys: tuple[Key, ...] = ()
    look: Look | None = None  # the ticket; None if it cannot be read
    use: tuple[Use, ...] = ()
    sites: tuple[Site, ...] = ()
    atlassian: tuple[str, str] | None = None  # the outcome, and what Atlassian reports; None if it is not asked
    looks: int = 0
    timed_out: bool = False
    error: str = ""

    @classmethod
    def from_json(cls, known: Json) -> Seen:
        """Read what the step ``verify`` returned."""
        return cls(
            Keys.from_json(known).keys,
            Look.from_json(known.get("look") or {}),
            tuple(map(Use.from_json, known.get("use") or [])),
            tuple(Site(**site) for site in known.get("sites") or []),
            t.cast("tuple[str, str] | None", tuple(known.get("atlassian") or ()) or None),
            int(known.get("looks") or 0),
            bool(known.get("timed_out")),
            str(known.get("error") or ""),
        )


def seen_keys(keys: t.Iterable[Key]) -> tuple[Key, ...]:
    """Take from a plan what it read: nothing is changed, and a key that is not enabled is an error."""
    return tuple(map(_as_read, keys))


def _as_read(key: Key) -> Key:
    state = key.key_state_before
    read = replace(key, key_state=state, actions=(), changed=False)
    if key.error or state == "Enabled":
        return read
    return read.failed(refusal("not_enabled", arn=key.arn, key_state=state))
