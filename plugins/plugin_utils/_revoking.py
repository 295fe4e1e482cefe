# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Taking access away: whether it may be done, and what it means for each key. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import WITHOUT_ACCESS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import shown

_GONE_ALREADY: t.Final = ("pending_deletion", "pending_replica_deletion", "pending_import")

Keys = t.Sequence[t.Mapping[str, t.Any]]


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


def withdrawn(keys: Keys) -> list[dict[str, t.Any]]:
    """Judge for a revocation what ``kms_key_state`` with ``state=disabled`` returned of each key.

    A key that cannot be disabled because nobody can use it is as wished. One whose key store is away is not.
    """
    return [_withdrawn(key) for key in keys]


def _withdrawn(key: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    if key.get("code") in _GONE_ALREADY:
        return {**key, "code": "", "error": "", "hint": ""}
    if key.get("code") == "unavailable":
        return {**key, **vars(refusal("revoke_unavailable", arn=key["arn"]))}
    return dict(key)


def still_open(keys: Keys) -> list[str]:
    """Name the regions whose key may still be used, as far as is known."""
    return [str(key["region"]) for key in keys if key.get("error") or key.get("key_state") not in WITHOUT_ACCESS]
