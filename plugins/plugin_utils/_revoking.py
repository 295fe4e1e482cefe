# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Taking access away: whether it may be done, what it means for each key, and when the clock began. Pure.

What a run of ``revoke`` has done is remembered on the controller: CloudTrail tells of it only minutes later, if at all.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import shown

# AWS KMS Developer Guide, "Key states of AWS KMS keys": nobody can encrypt or decrypt with a key in one of these. That
# holds for an Unavailable key too, but only until its key store is back.
WITHOUT_ACCESS: t.Final = ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport")
_GONE_ALREADY: t.Final = ("pending_deletion", "pending_replica_deletion", "pending_import")
_TIME: t.Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

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
    """Judge for a revocation what ``kms_realm_keys`` with ``state=disabled`` returned of each key.

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


def begun(
    keys: Keys, info: t.Mapping[str, t.Any], remembered_: t.Mapping[str, str], given: str = ""
) -> dict[str, t.Any]:
    """Tell when the access that is away now, or was taken away by this run, was taken away.

    :param keys: what has become of the keys so far
    :param info: the result of ``kms_key_revocation_info`` before this run changed anything; empty if it was not asked
    :param remembered_: what :func:`remembered` found
    :param given: ``cmk_revoked_at``, of use only if access was away before this run
    :return: as ``revoked`` does, of which this is the counterpart
    """
    gone = [key["region"] for key in keys if key.get("key_state_before") in WITHOUT_ACCESS]
    trail = [
        str(one["revoked_at"]) for one in info.get("keys") or [] if one.get("revoked_at") and one["region"] in gone
    ]
    before = ([given] if given else [*trail, *remembered_.values()]) if gone else []
    now = [
        call["at"] for key in keys for call in key["calls"] if call["operation"] == "DisableKey" and not call["error"]
    ]
    if not before and not now:
        reasons = dict.fromkeys(str(one["reason"]) for one in info.get("keys") or [] if gone and one.get("reason"))
        return {"revoked_at": None, "lost_at": None, "identity": None, "source": None, "reason": " ".join(reasons)}
    source = "given" if given and gone else "cloudtrail" if trail and not now else "controller"
    moments = [*before, *now]
    return {"revoked_at": min(moments), "lost_at": max(moments), "identity": None, "source": source, "reason": ""}


def remembered(kept_text: str, journal_text: str) -> dict[str, str]:
    """Read what the controller remembers of its own revocation, unless a restoration has ended it.

    :param kept_text: as :func:`revocation_text` wrote it; empty if there is none
    :param journal_text: the journal of the last restoration; empty if there is none
    :return: ``revoked_at`` and ``lost_at`` (ISO 8601, UTC), or nothing
    """
    kept, journal = _read(kept_text), _read(journal_text)
    found = {name: str(kept.get(name)) for name in ("revoked_at", "lost_at")}
    if not all(_TIME.fullmatch(moment) for moment in found.values()):
        return {}
    # Both were told by this controller's clock.
    return {} if str(journal.get("restored_at") or "") >= found["lost_at"] else found


def revocation_text(loss: t.Mapping[str, t.Any]) -> str:
    """Write what to remember of a revocation."""
    return json.dumps({name: loss[name] for name in ("revoked_at", "lost_at")}, indent=2) + "\n"


def _read(text: str) -> dict[str, t.Any]:
    try:
        kept = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}
