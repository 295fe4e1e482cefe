# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How a run ended: the promised ``cmk_result``. Pure."""

from __future__ import annotations

import collections
import shlex
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust import ROLE

OK_STATUSES: t.Final = (
    "restored",
    "already_restored",
    "nothing_to_restore",
    "handover_pending",
    "planned",
    "revoked",
    "already_revoked",
    "waiting",
)
_KEY: t.Final = ("region", "key_id", "arn", "actions", "changed", "error", "hint")
_TICKET: t.Final = (
    "key",
    "mode",
    "told",
    "comment_id",
    "url",
    "already_told",
    "mailed_to",
    "mailed_at",
    "code",
    "error",
    "hint",
)


def result(run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Put ``cmk_result`` together.

    :param run: ``settings``, ``keys`` (of kms_key_state), ``ticket`` (what became of it), ``error`` (what ended the
        run early; empty if nothing did), ``check_mode``, ``entry_point``, ``window``, ``started_at``, ``finished_at``;
        of ``verify`` also ``verification``, which becomes a part of the result; with BYOK ``trust`` (of
        :func:`trust_done`)
    """
    settings = run["settings"]
    keys = [_key(key) for key in run["keys"]]
    ticket = _ticket(settings, run["ticket"])
    found = run.get("verification")
    # Whether it is worth to look again is for the run itself.
    verified = {"verification": {name: found[name] for name in found if name != "passing"}} if found else {}
    programme = settings.get("programme", "cmk")
    return {
        "org": settings["org"],
        "realm": settings["realm"],
        "programme": programme,
        "status": _status(run, keys, ticket),
        "keys": keys,
        **({"trust": _trust(run.get("trust") or {})} if programme == "byok" else {}),
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
        "label": key.get("label") or key["region"],
        "key_id": key.get("key_id") or key["reference"],
        "state_before": key.get("key_state_before"),
        "state_after": key.get("key_state"),
        "account_id": key.get("account_id"),
    }


def _trust(trust: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "role": trust.get("role_name") or ROLE,
        "state_before": trust.get("effect_before"),
        "state_after": trust.get("effect"),
        "changed": bool(trust.get("changed")),
        "error": trust.get("error") or "",
        "hint": trust.get("hint") or "",
    }


def _ticket(settings: t.Mapping[str, t.Any], ticket: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    nothing = {"told": False, "already_told": False, "comment_id": "", "url": settings.get("ticket_url", "")}
    nothing |= {
        "key": settings.get("ticket", ""),
        "mode": settings.get("mode", ""),
        "code": "",
        "error": "",
        "hint": "",
        "mailed_to": (ticket.get("mailed") or {}).get("to", ""),
        "mailed_at": (ticket.get("mailed") or {}).get("at", ""),
    }
    return {name: ticket.get(name) or nothing[name] for name in _TICKET}


def _status(run: t.Mapping[str, t.Any], keys: list[dict[str, t.Any]], ticket: t.Mapping[str, t.Any]) -> str:
    if run.get("verification"):
        return str(run["verification"]["verdict"])
    only_looks = run["check_mode"] or run.get("entry_point") == "assess"
    usable = [key for key in keys if not key["error"]]
    trust = run.get("trust") or {}
    changes = any(key["changed"] for key in keys) or bool(trust.get("changed"))
    if run["error"] or run["settings"]["problems"] or not usable:
        # What is done is done, even when the run ended early: never call that a plain failure.
        return "partial" if changes and not only_looks else "failed"
    if len(usable) < len(keys) or ticket["error"] or trust.get("error"):
        return "partial"
    if run.get("entry_point") == "revoke":
        return "already_revoked" if not changes else "planned" if only_looks else "revoked"
    if (run.get("announcement") or {}).get("nothing_lost"):
        return "nothing_to_restore"
    if ticket["told"]:
        return "already_restored" if ticket["already_told"] and not changes else "restored"
    return "planned" if only_looks else "handover_pending"


def next_step(result_: t.Mapping[str, t.Any], entry_point: str, *, check_mode: bool) -> str:
    """Return what the operator does next after a restore or an assessment, with the exact command; empty if nothing.

    :param result_: ``cmk_result``
    """
    org, ticket = shlex.quote(str(result_["org"])), result_["ticket"]
    restore = f"ansible-playbook keyops.atlassian_cmk.restore_cmk -e org={org}"
    confirm = f"{restore} -e cmk_ticket_told=<time, or URL of the comment>"
    if ticket["error"]:
        return str(ticket["hint"])
    if result_["error"] or any(key["error"] for key in result_["keys"]) or (result_.get("trust") or {}).get("error"):
        again = (
            restore if entry_point == "restore" else "ansible-playbook keyops.atlassian_cmk.assess_cmk -e org=" + org
        )
        return f"fix the problem above, then run again: {again}. Completed steps are not repeated"
    if check_mode or entry_point != "restore":
        return ""
    if result_["status"] == "handover_pending" and ticket["mailed_at"]:
        return f"open the ticket. When it shows the comment, run: {confirm}. If it does not, add -e cmk_support_mode=manual"
    if result_["status"] == "handover_pending":
        return f"paste the text above into the ticket, then run: {confirm}"
    if result_["status"] == "nothing_to_restore":
        return f"if access was lost all the same, run: {restore} -e cmk_revoked_at=<when it was lost>"
    return f"ansible-playbook keyops.atlassian_cmk.verify_cmk -e org={org}"


def keys_done(plan: t.Mapping[str, t.Any], change: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Tell what has become of the keys so far.

    :param plan: the result of ``kms_key_state`` in check mode; empty before it has run
    :param change: the result of ``kms_key_state``; empty before it has run
    :return: the keys; their ``calls`` are all that was asked of AWS, and ``label`` tells each from the others: the region,
        and where it has several keys (as with BYOK) their references too
    """
    planned = [dict(key) for key in plan.get("keys") or []]
    if change.get("keys"):
        # Keys that are found by their alias may have become more since the plan.
        before = {(key["region"], key.get("reference")): key.get("calls", []) for key in planned}
        return _labelled(
            [
                {**key, "calls": [*before.get((key["region"], key.get("reference")), []), *key.get("calls", [])]}
                for key in change["keys"]
            ]
        )
    if change.get("failed"):
        # Nothing that was predicted is known to have happened.
        planned = [{**key, "key_state": key["key_state_before"], "actions": [], "changed": False} for key in planned]
    return _labelled(planned)


def _labelled(keys: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    many = collections.Counter(key["region"] for key in keys)
    labels = [key["region"] if many[key["region"]] == 1 else f"{key['region']} {key['reference']}" for key in keys]
    return [{**key, "label": label} for key, label in zip(keys, labels, strict=True)]


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


def trust_done(plan: t.Mapping[str, t.Any], change: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Tell what has become of BYOK's trust statement so far.

    :param plan: the result of ``byok_trust_statement`` in check mode; empty before it has run, or without BYOK
    :param change: the result of ``byok_trust_statement``; empty before it has run
    :return: as ``byok_trust_statement`` returns it; its ``calls`` are all that was asked of AWS; empty if nothing was
    """
    if "calls" not in plan:
        return {}
    found = dict(plan)
    if "calls" in change:
        found = {
            **change,
            "effect_before": change["effect_before"] or plan["effect_before"],
            "policy_before": plan["policy_before"],
            "calls": [*plan["calls"], *change["calls"]],
        }
    elif change.get("failed"):
        # Nothing that was predicted is known to have happened.
        found |= {"effect": plan["effect_before"], "policy": plan["policy_before"], "actions": []}
    # The task of the plan says of itself that it changes nothing.
    return {**found, "changed": bool(found["actions"])}
