# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking access away: whether it may be done, and what it means for each key. Pure."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import WITHOUT_ACCESS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

_GONE_ALREADY: t.Final = ("pending_deletion", "pending_replica_deletion", "pending_import")


def unconfirmed(confirm: object, org: str, organizations: int) -> Refusal | None:
    """Tell why no key may be disabled; None if the organization's name was typed out, exactly.

    :param confirm: what was typed
    :param organizations: how many this run has; one name cannot speak for several
    """
    if organizations > 1:
        return refusal("revoke_several", count=organizations, org=org)
    if confirm is None or confirm == "":
        return refusal("revoke_not_confirmed", org=org)
    return None if confirm == org else refusal("revoke_confirmed_other", seen=shown(confirm), org=org)


def no_drill(settings: Settings, organizations: int) -> Refusal | None:
    """Tell why no drill may be run; None if the organization is marked for drills, and its name was typed out."""
    if not settings.drill:
        return refusal("drill_not_marked", org=settings.org)
    return unconfirmed(settings.confirm, settings.org, organizations)


def lost_before_drill(keys: t.Iterable[Key], org: str) -> Refusal | None:
    """Tell why a drill revokes nothing although it was confirmed; None if every key is Enabled.

    It would take a loss that it has not caused for its own.
    """
    lost = [key for key in keys if key.key_state_before != "Enabled"]
    named = ", ".join(f"{key.region}: {key.key_state_before or 'not read'}" for key in lost)
    return refusal("drill_access_lost", keys=named, org=shlex.quote(org)) if lost else None


def withdrawn(keys: t.Iterable[Key]) -> tuple[Key, ...]:
    """Judge for a revocation what ``kms_key_state`` with ``state=disabled`` returned of each key.

    A key that cannot be disabled because nobody can use it is as wished. One whose key store is away is not.
    """
    return tuple(map(_withdrawn, keys))


def _withdrawn(key: Key) -> Key:
    if key.code in _GONE_ALREADY:
        return replace(key, code="", error="", hint="")
    if key.code == "unavailable":
        return key.failed(refusal("revoke_unavailable", arn=key.arn))
    return key


def still_open(keys: t.Iterable[Key]) -> list[str]:
    """Name the regions whose key may still be used, as far as is known."""
    return [key.region for key in keys if key.error or key.key_state not in WITHOUT_ACCESS]
