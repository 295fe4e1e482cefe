# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Has what the vendor may do with a key changed since a copy of it was kept? Pure."""

from __future__ import annotations

import difflib
import json
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import SUSPECTS

_LOCKED_OUT: t.Final = "the vendor may still be locked out although the key is enabled"


def access(info: t.Mapping[str, t.Any], kept_text: str, *, keeps: bool = False) -> list[dict[str, t.Any]]:
    """Compare each key's policy and grants with the kept copy.

    :param info: the result of ``kms_key_revocation_info`` with ``read_access``
    :param kept_text: the copy, as :func:`access_text` wrote it; empty if there is none
    :param keeps: whether this run itself keeps a copy, so that one that is missing is nothing to tell
    :return: for each key ``region``, ``arn``, ``changed``, ``diff`` (unified, empty if nothing changed) and ``note`` (a warning,
        or what could not be compared; empty if there is nothing to say)
    """
    kept = _read(kept_text)
    compared = [_compared(key, kept) for key in info.get("keys") or []]
    known = [not _is_read(key) or str(key["arn"]) in kept for key in info.get("keys") or []]
    return [one if known_ or not keeps else {**one, "note": ""} for one, known_ in zip(compared, known, strict=True)]


def access_text(info: t.Mapping[str, t.Any]) -> str:
    """Write the copy to keep: policy and grants of each key of which both could be read."""
    copy = {key["arn"]: _terms(key) for key in info.get("keys") or [] if _is_read(key)}
    return json.dumps(copy, indent=2, sort_keys=True) + "\n"


def _is_read(key: t.Mapping[str, t.Any]) -> bool:
    """Tell whether both parts were read: grants that could not be read are not the same as no grants."""
    return key.get("policy") is not None and key.get("grants") is not None


def _compared(key: t.Mapping[str, t.Any], kept: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    region, arn = str(key["region"]), str(key["arn"])
    if not _is_read(key):
        note = f"Policy and grants could not be compared: {key.get('access_reason') or 'they were not read.'}"
        return {"region": region, "arn": arn, "changed": False, "diff": "", "note": _with_suspects(note, key)}
    if arn not in kept:
        note = "No earlier copy of policy and grants is kept; assess_cmk.yml keeps one."
        return {"region": region, "arn": arn, "changed": False, "diff": "", "note": _with_suspects(note, key)}
    before, after = (json.dumps(terms, indent=2, sort_keys=True).splitlines() for terms in (kept[arn], _terms(key)))
    lines = difflib.unified_diff(before, after, "kept copy", "now", lineterm="", n=2)
    diff = "\n".join(lines)
    note = f"Policy or grants differ from the kept copy: {_LOCKED_OUT}. Nothing was changed." if diff else ""
    return {"region": region, "arn": arn, "changed": bool(diff), "diff": diff, "note": note}


def _with_suspects(note: str, key: t.Mapping[str, t.Any]) -> str:
    """Without a copy to compare with, the events are all there is to go by."""
    lost_at = str((key.get("last_revocation") or {}).get("revoked_at") or "")
    since = [
        event for event in key.get("suspects") or [] if event["name"] in SUSPECTS and str(event["time"]) >= lost_at
    ]
    if not since:
        return note
    named = ", ".join(f"{event['name']} at {event['time']}" for event in since[-3:])
    return f"{note} CloudTrail shows {named}: {_LOCKED_OUT}."


def _terms(key: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    # Ids and tokens of grants are new for each grant, even when the same access is granted again.
    grants = [{name: grant[name] for name in sorted(grant) if name != "grant_id"} for grant in key["grants"]]
    return {"policy": key["policy"], "grants": sorted(grants, key=lambda grant: json.dumps(grant, sort_keys=True))}


def _read(text: str) -> dict[str, t.Any]:
    try:
        kept = json.loads(text) if text.strip() else {}
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
