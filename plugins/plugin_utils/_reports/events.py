# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The moments of a run's timeline. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import (
    Event,
    Facts,
    Loss,
    Lost,
    Moment,
    Region,
)

# Each kind of moment with the outline of its mark, so that colour alone distinguishes none. Moments of the same second are
# in this order.
KINDS: t.Final = {
    "revoked": "M-5-5 5 5M-5 5 5-5",
    "access_changed": "M0-6 6 5H-6Z",
    "started": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "cancelled": "M-5 0 5 0M0-5 0 5",
    "enabled": "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0-6 0ZM-3 0-1 3 3-2",
    "proven": "M-5 0-2 3 5-4",
    "usable": "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0-6 0Z",
    "announced": "M-6-5H6V3H0L-3 7V3H-6Z",
    "handed_over": "M-6-5H6V3H0L-3 7V3H-6Z",
    "replied": "M-6-5H6V3H3L0 7V3H-6Z",
    "used": "M0-6 6 0 0 6-6 0ZM-3 0 0 3 3-2",
    "finished": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "expected": "M0-6 6 0 0 6-6 0Z",
    "mark": "M-7 0H7",
    "deletion": "M-5-5H5V5H-5ZM-5-5 5 5M-5 5 5-5",
    "expiry": "M-5-5H5V5H-5ZM-5-5 5 5M-5 5 5-5",
}
_Row: t.TypeAlias = tuple[str, str | None, str, str]  # kind, time, region, label
_MOST_SUSPECTS: t.Final = 3  # of each region
_CHANGES: t.Final = {
    "EnableKey": ("enabled", "Key enabled"),
    "DisableKey": ("revoked", "Key disabled"),
    "CancelKeyDeletion": ("cancelled", "Deletion cancelled"),
}


def find_moments(facts: Facts) -> list[Moment]:
    """List what happened and what is to happen, in order."""
    events = [event for region in facts["regions"] for event in _list_region_events(facts, region)]
    start = facts["window"]["revoked_at"]
    if start not in [at for kind, at, _region, _label in events if kind == "revoked"]:
        events.append(("revoked", start, "", "Access lost, as far as known"))
    events += [*_list_run_events(facts), *_list_verification_events(facts), *_list_limits(facts)]
    moments: list[Moment] = [
        {"at": at, "kind": kind, "region": region, "label": label} for kind, at, region, label in events if at
    ]
    order = list(KINDS)
    return sorted(moments, key=lambda moment: (moment["at"], order.index(moment["kind"])))


def _list_region_events(facts: Facts, region: Region) -> t.Iterator[_Row]:
    label, loss = region["label"], region["revocation"]
    lost = _find_loss(facts, loss)
    lost_at = lost["revoked_at"] if lost else None
    if lost:
        yield "revoked", lost_at, label, _add_detail("Access taken away", lost["revoked_how"])
    for event in _find_suspects(loss, lost_at or ""):
        yield "access_changed", event["time"], label, _add_detail("Policy or grants changed", event["name"])
    yield "proven", region["proven_at"], label, "kms:EnableKey proven on the Enabled key (EnableKey)"
    is_proof = bool(region["proven_at"])
    changes = [call for call in region["calls"] if call["operation"] in _CHANGES and not (call["error"] or is_proof)]
    for call in changes:
        kind, change = _CHANGES[call["operation"]]
        yield kind, call["at"], label, _add_detail(change, call["operation"])
    if loss and lost_at and not changes:
        yield "enabled", loss["restored_at"], label, "Access came back (CloudTrail)"


def _find_loss(facts: Facts, loss: Loss | None) -> Lost | None:
    if loss is None or loss["revoked_at"]:
        return loss
    # A revocation that was undone is no part of the story of the next one.
    return None if COMMANDS[facts["entry_point"]].revokes else loss["last_revocation"]


def _find_suspects(loss: Loss | None, since: str) -> list[Event]:
    """Find the last changes of policy and grants since a loss; routine changes before it are in the details of the region."""
    return [event for event in loss["suspects"] if (event["time"] or "") >= since][-_MOST_SUSPECTS:] if loss else []


def _list_run_events(facts: Facts) -> t.Iterator[_Row]:
    ticket = facts["ticket"]
    yield "started", facts["started_at"], "", f"Run started ({facts['entry_point']})"
    for call in facts["trust"]["calls"] if facts["trust"] else []:
        if call["operation"] == "UpdateAssumeRolePolicy" and not call["error"]:
            yield "access_changed", call["at"], "", "Role trusts Atlassian again (UpdateAssumeRolePolicy)"
    yield "usable", facts["restored_at"], "", "Every key usable"
    if ticket["told"]:
        by = {"person": "by a person", "api": f"comment {ticket['comment_id']}".strip()}.get(ticket["told_by"], "")
        yield "announced", ticket["told_at"], "", _add_detail("Atlassian notified", by)
    if facts["status"] == "handover_pending":
        is_mailed = bool(ticket["mailed_at"])
        label = "Text mailed, no comment proven" if is_mailed else "Text handed over, Atlassian not notified"
        yield "handed_over", ticket["mailed_at"] or facts["finished_at"], "", label
    yield "finished", facts["finished_at"], "", "Run ended"


def _list_verification_events(facts: Facts) -> t.Iterator[_Row]:
    verification = facts["verification"]
    if not verification:
        return
    for use in verification["use"]:
        if first := use["first_use"]:
            label = f"Used by account {first['account_id']}"
            yield "used", first["time"], use["region"], _add_detail(label, first["name"])
    if reply := verification["reply"]:
        yield "replied", reply["at"], "", _add_detail("Answer on the ticket", reply["name"])


def _list_limits(facts: Facts) -> t.Iterator[_Row]:
    window = facts["window"]
    if facts["programme"] == "byok":
        marks = {"Atlassian's limit for restoring access to BYOK keys": window["reinstate_by"]}
    else:
        marks = {
            "Atlassian can reinstate until here": window["reinstate_by"],
            "full recovery may be impossible after this": window["at_risk_after"],
        }
    for meaning, at in marks.items():
        start = window["revoked_at"]
        days = f"{count_days(start, at):.0f} days: " if start and at else ""
        yield "mark", at, "", f"{days}{meaning}"
    if not COMMANDS[facts["entry_point"]].revokes:
        meaning = "two business days" if facts["ticket"]["told"] else "if Atlassian is notified now"
        yield "expected", window["expected_completion"], "", f"Completion expected ({meaning})"
    done = {call["operation"] for region in facts["regions"] for call in region["calls"] if not call["error"]}
    meaning = "Deletion was due, but is cancelled" if "CancelKeyDeletion" in done else "AWS deletes the key"
    yield "deletion", window["deletion_date"], "", meaning
    yield "expiry", window["expiry_date"], "", "Imported key material expires"


def measure(start: str, end: str) -> dt.timedelta:
    """Return the time from one moment of the evidence to another."""
    return dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)


def count_days(start: str, end: str) -> float:
    return measure(start, end) / dt.timedelta(days=1)


def _add_detail(label: str, detail: str) -> str:
    return f"{label} ({detail})" if detail else label
