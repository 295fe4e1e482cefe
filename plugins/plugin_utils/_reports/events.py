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
    Verification,
)

# Moments of the same second are told in this order.
KINDS: t.Final = (
    "revoked",
    "access_changed",
    "started",
    "cancelled",
    "enabled",
    "proven",
    "usable",
    "announced",
    "handed_over",
    "replied",
    "used",
    "finished",
    "expected",
    "mark",
    "deletion",
    "expiry",
)
_Found: t.TypeAlias = tuple[str, str | None, str, str]  # kind, time, region, label
_MOST: t.Final = 3  # changes of policy and grants that the timeline shows of each region
_CHANGES: t.Final = {
    "EnableKey": ("enabled", "Key enabled"),
    "DisableKey": ("revoked", "Key disabled"),
    "CancelKeyDeletion": ("cancelled", "Deletion cancelled"),
}


def find_moments(about: Facts) -> list[Moment]:
    """List what happened and what is to happen, in order."""
    moments = [*(one for region in about["regions"] for one in _of_region(about, region)), *_of_run(about)]
    start = about["window"]["revoked_at"]
    if start not in [at for kind, at, _region, _label in moments if kind == "revoked"]:
        moments.append(("revoked", start, "", "Access lost, as far as known"))
    moments += _of_window(about)
    known: list[Moment] = [
        {"at": at, "kind": kind, "region": region, "label": label}
        for kind, at, region, label in moments
        if at is not None
    ]
    return sorted(known, key=lambda one: (one["at"], KINDS.index(one["kind"])))


def _of_region(about: Facts, region: Region) -> t.Iterator[_Found]:
    name, loss = region["label"], region["revocation"]
    lost = _lost(about, loss)
    lost_at = lost["revoked_at"] if lost else None
    if lost and lost_at:
        yield "revoked", lost_at, name, _with("Access taken away", lost["revoked_how"])
    for event in _suspects(loss, lost_at):
        yield "access_changed", event["time"], name, _with("Policy or grants changed", event["name"])
    yield "proven", region["proven_at"], name, "kms:EnableKey proven on the Enabled key (EnableKey)"
    is_proof = bool(region["proven_at"])
    done = [call for call in region["calls"] if call["operation"] in _CHANGES and not (call["error"] or is_proof)]
    for call in done:
        kind, label = _CHANGES[call["operation"]]
        yield kind, call["at"], name, _with(label, call["operation"])
    if loss and loss["restored_at"] and lost_at and not done:
        yield "enabled", loss["restored_at"], name, "Access came back (CloudTrail)"


def _suspects(loss: Loss | None, lost_at: str | None) -> list[Event]:
    """Return the changes of policy and grants that count: a daily affair before the loss, of which the regions tell."""
    return [event for event in loss["suspects"] if (event["time"] or "") >= (lost_at or "")][-_MOST:] if loss else []


def _lost(about: Facts, loss: Loss | None) -> Lost | None:
    """Return the loss of access that the run is about; None if there is none."""
    if loss is None or loss["revoked_at"]:
        return loss
    # A revocation that was undone is no part of the story of the next one.
    return None if COMMANDS[about["entry_point"]].revokes else loss["last_revocation"]


_HANDED_OVER: t.Final = {False: "Text handed over, Atlassian not notified", True: "Text mailed, no comment proven"}


def _of_run(about: Facts) -> t.Iterator[_Found]:
    ticket = about["ticket"]
    yield "started", about["started_at"], "", f"Run started ({about['entry_point']})"
    for call in about["trust"]["calls"] if about["trust"] else []:
        if call["operation"] == "UpdateAssumeRolePolicy" and not call["error"]:
            yield "access_changed", call["at"], "", "Role trusts Atlassian again (UpdateAssumeRolePolicy)"
    yield "usable", about["restored_at"], "", "Every key usable"
    if ticket["told"]:
        by = {"person": "by a person", "api": f"comment {ticket['comment_id']}".strip()}.get(ticket["told_by"], "")
        yield "announced", ticket["told_at"], "", _with("Atlassian notified", by)
    if about["status"] == "handover_pending":
        yield "handed_over", ticket["mailed_at"] or about["finished_at"], "", _HANDED_OVER[bool(ticket["mailed_at"])]
    if about["verification"]:
        yield from _of_verification(about["verification"])
    yield "finished", about["finished_at"], "", "Run ended"


def _of_verification(found: Verification) -> t.Iterator[_Found]:
    for one in found["use"]:
        if one["first_use"]:
            label = f"Used by account {one['first_use']['account_id']}"
            yield "used", one["first_use"]["time"], one["region"], _with(label, one["first_use"]["name"])
    if found["reply"]:
        yield "replied", found["reply"]["at"], "", _with("Answer on the ticket", found["reply"]["name"])


def _of_window(about: Facts) -> t.Iterator[_Found]:
    window = about["window"]
    start, limit, risk = window["revoked_at"], window["reinstate_by"], window["at_risk_after"]
    if about["programme"] == "byok":
        yield _mark(start, limit, "Atlassian's limit for restoring access to BYOK keys")
    else:
        yield _mark(start, limit, "Atlassian can reinstate until here")
        yield _mark(start, risk, "full recovery may be impossible after this")
    if not COMMANDS[about["entry_point"]].revokes:
        means = "two business days" if about["ticket"]["told"] else "if Atlassian is notified now"
        yield "expected", window["expected_completion"], "", f"Completion expected ({means})"
    done = {call["operation"] for region in about["regions"] for call in region["calls"] if not call["error"]}
    means = "Deletion was due, but is cancelled" if "CancelKeyDeletion" in done else "AWS deletes the key"
    yield "deletion", window["deletion_date"], "", means
    yield "expiry", window["expiry_date"], "", "Imported key material expires"


def _mark(start: str | None, at: str | None, means: str) -> _Found:
    days = days_between(start, at)
    return "mark", at, "", means if days is None else f"{days:.0f} days: {means}"


def days_between(start: str | None, end: str | None) -> float | None:
    """Count the days from one moment of the evidence to another; None if either is not known."""
    if start is None or end is None:
        return None
    return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)) / dt.timedelta(days=1)


def _with(label: str, detail: str) -> str:
    return f"{label} ({detail})" if detail else label
