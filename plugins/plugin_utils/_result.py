# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How a run ended: the promised ``cmk_result``. Pure."""

from __future__ import annotations

import typing as t

OK_STATUSES: t.Final = ("restored", "already_restored", "handover_pending", "planned", "revoked", "already_revoked")
_KEY: t.Final = ("region", "key_id", "arn", "actions", "changed", "error", "hint")
_TICKET: t.Final = ("key", "mode", "told", "comment_id", "url", "already_told", "code", "error", "hint")


def result(run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Put ``cmk_result`` together.

    :param run: ``settings``, ``keys`` (of kms_realm_keys), ``ticket`` (what became of it), ``error`` (what ended the
        run early; empty if nothing did), ``check_mode``, ``entry_point``, ``window``, ``started_at``, ``finished_at``;
        of ``verify`` also ``verification``, which becomes a part of the result
    """
    settings = run["settings"]
    keys = [_key(key) for key in run["keys"]]
    ticket = _ticket(settings, run["ticket"])
    found = run.get("verification")
    # Whether it is worth to look again is for the run itself.
    verified = {"verification": {name: found[name] for name in found if name != "passing"}} if found else {}
    return {
        "org": settings["org"],
        "realm": settings["realm"],
        "status": _status(run, keys, ticket),
        "keys": keys,
        "ticket": ticket,
        "error": " ".join([run["error"], *settings["problems"]]).strip(),
        "revoked_at": run.get("window", {}).get("revoked_at"),
        "window": run.get("window", {}),
        "started_at": run["started_at"],
        "finished_at": run["finished_at"],
        **verified,
    }


def _key(key: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    kept = {name: key.get(name) for name in _KEY}
    return {
        **kept,
        "key_id": key.get("key_id") or key["reference"],
        "state_before": key.get("key_state_before"),
        "state_after": key.get("key_state"),
        "account_id": key.get("account_id"),
    }


def _ticket(settings: t.Mapping[str, t.Any], ticket: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    nothing = {"told": False, "already_told": False, "comment_id": "", "url": settings.get("ticket_url", "")}
    nothing |= {
        "key": settings.get("ticket", ""),
        "mode": settings.get("mode", ""),
        "code": "",
        "error": "",
        "hint": "",
    }
    return {name: ticket.get(name) or nothing[name] for name in _TICKET}


def _status(run: t.Mapping[str, t.Any], keys: list[dict[str, t.Any]], ticket: t.Mapping[str, t.Any]) -> str:
    if run.get("verification"):
        return str(run["verification"]["verdict"])
    only_looks = run["check_mode"] or run.get("entry_point") == "assess"
    usable = [key for key in keys if not key["error"]]
    if run["error"] or run["settings"]["problems"] or not usable:
        # What is done is done, even when the run ended early: never call that a plain failure.
        return "partial" if any(key["changed"] for key in keys) and not only_looks else "failed"
    if len(usable) < len(keys) or ticket["error"]:
        return "partial"
    changes = any(key["changed"] for key in keys)
    if run.get("entry_point") == "revoke":
        return "already_revoked" if not changes else "planned" if only_looks else "revoked"
    if ticket["told"]:
        return "already_restored" if ticket["already_told"] and not changes else "restored"
    return "planned" if only_looks else "handover_pending"


def headline(entry_point: str, status: str) -> str:
    """Say in a few words how a run of an entry point ended."""
    if entry_point == "assess":
        return f"A RESTORE WOULD {'SUCCEED' if status in OK_STATUSES else 'NOT SUCCEED'}"
    if entry_point == "revoke" and status not in OK_STATUSES:
        return "ONLY PARTLY REVOKED" if status == "partial" else "NOT REVOKED"
    return status.upper().replace("_", " ")


def keys_done(plan: t.Mapping[str, t.Any], change: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Tell what has become of the keys so far.

    :param plan: the result of ``kms_realm_keys`` in check mode; empty before it has run
    :param change: the result of ``kms_realm_keys``; empty before it has run
    :return: the keys; their ``calls`` are all that was asked of AWS
    """
    planned = [dict(key) for key in plan.get("keys") or []]
    if change.get("keys"):
        pairs = zip(change["keys"], planned, strict=True)
        return [{**key, "calls": [*before.get("calls", []), *key.get("calls", [])]} for key, before in pairs]
    if change.get("failed"):
        # Nothing that was predicted is known to have happened.
        return [{**key, "key_state": key["key_state_before"], "actions": [], "changed": False} for key in planned]
    return planned
