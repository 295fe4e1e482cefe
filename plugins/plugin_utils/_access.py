# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether what the vendor may do with a key has changed since a copy of it was saved. Pure."""

from __future__ import annotations

import difflib
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import SUSPECTS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import KeyTrail, Trail

_LOCKED_OUT: t.Final = "the vendor may still be locked out although the key is enabled"

Terms: t.TypeAlias = dict[str, t.Any]


@dataclass(frozen=True)
class Access:
    """How policy and grants of one key differ from the saved copy."""

    region: str
    arn: str
    changed: bool = False
    diff: str = ""  # unified; empty if nothing changed
    note: str = ""  # a warning, or what could not be compared; empty if there is nothing to say
    label: str = ""  # as of the key


def compare_access(trail: Trail, kept_text: str, *, keeps: bool = False) -> tuple[Access, ...]:
    """Compare each key's policy and grants with the saved copy.

    :param kept_text: the copy, as :func:`access_text` wrote it; empty if there is none
    :param keeps: whether this run itself saves a copy, so that one that is missing is nothing to tell
    """
    kept = _read(kept_text)
    return tuple(_compare(key, kept, keeps=keeps) for key in trail.keys)


def access_text(trail: Trail) -> str:
    """Write the copy to keep: policy and grants of each key of which both could be read."""
    return json.dumps({key.arn: _terms(key) for key in trail.keys if key.has_access}, indent=2, sort_keys=True) + "\n"


def _compare(key: KeyTrail, kept: dict[str, Terms], *, keeps: bool) -> Access:
    diff = ""
    if not key.has_access:
        reason = key.access_reason or "they were not read."
        note = _with_suspects(f"Policy and grants could not be compared: {reason}", key)
    elif key.arn not in kept:
        missing = "There is no earlier copy of policy and grants. assess_cmk saves one."
        note = "" if keeps else _with_suspects(missing, key)
    else:
        before, after = (json.dumps(terms, indent=2, sort_keys=True) for terms in (kept[key.arn], _terms(key)))
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "kept copy", "now", lineterm="", n=2)
        diff = "\n".join(lines)
        note = f"Policy or grants differ from the saved copy: {_LOCKED_OUT}. Nothing was changed." if diff else ""
    return Access(key.region, key.arn, changed=bool(diff), diff=diff, note=note)


def _with_suspects(note: str, key: KeyTrail) -> str:
    """Without a copy to compare with, the events are all there is to go by."""
    lost_at = key.last_lost_at or ""
    since = [one for one in key.suspects if one["name"] in SUSPECTS and str(one["time"]) >= lost_at]
    if not since:
        return note
    named = ", ".join(f"{event['name']} at {event['time']}" for event in since[-3:])
    return f"{note} CloudTrail shows {named}: {_LOCKED_OUT}."


def _terms(key: KeyTrail) -> Terms:
    # Ids and tokens of grants are new for each grant, even when the same access is granted again.
    grants = [{name: grant[name] for name in grant if name != "grant_id"} for grant in key.grants or ()]
    return {"policy": key.policy, "grants": sorted(grants, key=lambda grant: json.dumps(grant, sort_keys=True))}


def _read(text: str) -> dict[str, Terms]:
    try:
        kept = json.loads(text)
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
