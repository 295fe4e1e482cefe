# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What a run knows of the revocation, from the operator and from CloudTrail. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t

# How far the clocks of AWS and of the controller may lie apart: AWS itself tolerates that in signed requests.
_SKEW: t.Final = dt.timedelta(minutes=5)


def revoked(info: t.Mapping[str, t.Any], given: str, remembered: t.Mapping[str, str] | None = None) -> dict[str, t.Any]:
    """Bring together what is known of the last revocation.

    :param info: the result of ``kms_key_revocation_info``; empty if it was not asked
    :param given: ``cmk_revoked_at`` in ISO 8601, which CloudTrail cannot overrule; empty if it was not given
    :param remembered: ``revoked_at`` and ``lost_at`` of a revocation by this controller that nothing has ended;
        empty if there is none. It counts until CloudTrail, which is minutes late, tells of it.
    :return:
        - ``revoked_at``: when the first key was lost; None if not known
        - ``lost_at``: when the last key was lost; None if not known
        - ``identity``: a text that names this revocation and no other; None if not known
        - ``source``: ``given``, ``cloudtrail``, ``controller`` or None
        - ``reason``: why it is not known, one sentence; empty if it is
    """
    keys = info.get("keys") or []
    losses = [str(key["last_revocation"]["revoked_at"]) for key in keys if key.get("last_revocation")]
    if given:
        return {"revoked_at": given, "lost_at": given, "identity": f"given {given}", "source": "given", "reason": ""}
    if remembered and not (losses and _reaches(max(losses), remembered["lost_at"])):
        return {**remembered, "identity": None, "source": "controller", "reason": ""}
    if losses:
        first = info.get("revoked_at") or min(losses)
        found = {"revoked_at": first, "lost_at": max(losses), "identity": info.get("identity")}
        return {**found, "source": "cloudtrail", "reason": ""}
    reasons = dict.fromkeys(str(key["reason"]) for key in keys if key.get("reason"))
    reason = " ".join(reasons) or "CloudTrail was not asked, since no key was found."
    return {"revoked_at": None, "lost_at": None, "identity": None, "source": None, "reason": reason}


def _reaches(told: str, known: str) -> bool:
    return dt.datetime.fromisoformat(told) + _SKEW >= dt.datetime.fromisoformat(known)


def found_keys(keys: t.Iterable[t.Mapping[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Pick the keys that were found, as ``kms_key_revocation_info`` takes them."""
    names = {
        "region": "region",
        "key_arn": "arn",
        "key_state": "key_state_before",
        "custom_key_store_id": "custom_key_store_id",
    }
    found = [key for key in keys if key.get("arn")]
    return [{ours: key[theirs] for ours, theirs in names.items() if key.get(theirs)} for key in found]
