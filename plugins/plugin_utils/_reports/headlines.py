# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person wants to know of a run first, in plain words. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.automation import advise
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import ENABLE_KEY, LAST_USE, MATERIAL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Event, Facts, Region, Verdict
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES

_PLAN: t.Final = "This is a plan: nothing was changed"
_AGAIN: t.Final = "Fix the problem below and run again. Completed steps are not repeated."
_NOTHING_LOST: t.Final = (
    "Every key is enabled. CloudTrail, which is up to 15 minutes late, shows no key that was disabled in the last 90 days. If "
    "access was lost all the same, run again with cmk_revoked_at."
)


def judge_evidence(facts: Facts) -> Verdict:
    command = COMMANDS[facts["entry_point"]]
    judge = {"assess": _judge_assessment, "revoke": _judge_revocation, "verify": _judge_verification}
    code, tone, headline, detail = judge.get(command.name, _judge_restore)(facts)
    if facts["check_mode"] and tone != "plan" and not command.predicts:
        detail = f"{detail} This was check mode: nothing was changed."
    return {"code": code, "tone": tone, "headline": headline, "detail": detail}


_Verdict: t.TypeAlias = tuple[str, str, str, str]  # code, tone, headline, detail


def _judge_restore(facts: Facts) -> _Verdict:
    status, ticket = facts["status"], _name_ticket(facts)
    is_by_person = facts["ticket"]["told_by"] == "person"
    by_person = ", Atlassian notified according to a person" if is_by_person else ""
    if facts["ticket"]["mailed_at"]:
        pending = "Keys restored and comment mailed, but not confirmed on the ticket"
        to_do = (
            f"Open {ticket}. When it shows the comment, run again with cmk_ticket_told. If it does not, "
            "paste the text below."
        )
    else:
        pending = "Keys restored, Atlassian has NOT been notified yet"
        to_do = f"Now paste the text below into {ticket}, then run again with cmk_ticket_told."
    verdicts = {
        "planned": (
            "plan",
            _PLAN,
            f"A run without check mode would {_list_changes(facts) or 'change no key'}, and then notify Atlassian on {ticket}.",
        ),
        "restored": (
            "good",
            f"Keys restored{by_person or ', and Atlassian has been notified'}",
            f"Every key is enabled. Atlassian was asked on {ticket} to start the restoration.",
        ),
        "already_restored": (
            "good",
            f"Access was already restored{by_person}",
            f"Every key was enabled, and Atlassian had been notified on {ticket}. This run changed nothing.",
        ),
        "nothing_to_restore": ("good", "Nothing to restore, and nothing announced", _NOTHING_LOST),
        "handover_pending": ("attention", pending, f"Every key is enabled. {to_do}"),
    }
    return (status, *verdicts[status]) if status in verdicts else _judge_failure(facts)


def _judge_failure(facts: Facts) -> _Verdict:
    code = "partial" if facts["status"] == "partial" else "failed"
    ticket, trust, count = facts["ticket"], facts["trust"], _count_keys(facts)
    silent = "" if ticket["told"] else " Atlassian has not been notified."
    if ticket["code"] in ("desk_unconfirmed", "mail_unconfirmed"):
        is_mail = ticket["code"] == "mail_unconfirmed"
        step = (
            "Read the ticket before you run again" if is_mail else "Run again: it reads the ticket before it comments"
        )
        detail = f"Every key is enabled. The comment may be on {_name_ticket(facts)} already. {step}."
        return code, "attention", "Keys restored, Atlassian has PERHAPS been notified", detail
    if _are_all_ok(facts) and trust and not trust["ok"]:
        detail = f"Every key is enabled, but role {trust['role']} does not trust Atlassian.{silent} {_AGAIN}"
        return code, "bad", "Only partly restored: keys enabled, trust not set", detail
    if _are_all_ok(facts):
        ending = "Atlassian could NOT be notified" if silent else "but the run ended early"
        return code, "attention", f"Keys restored, {ending}", f"Every key is enabled.{silent} {_AGAIN}"
    if code == "partial":
        return code, "bad", f"Only partly restored: {count} enabled", f"{silent} {_AGAIN}".strip()
    return code, "bad", "Not restored", f"{count} enabled.{silent} {_AGAIN}"


def _judge_assessment(facts: Facts) -> _Verdict:
    if facts["status"] not in OK_STATUSES:
        trust = " The trust statement could not be set." if facts["trust"] and not facts["trust"]["ok"] else ""
        detail = f"{_count_keys(facts)} could be restored.{trust} Fix the problem below, and assess again."
        return "not_ready", "bad", "Not ready: a restore would not succeed", detail
    is_proven = all(region["proven_at"] for region in facts["regions"])
    headline = (
        "Ready: a restore would succeed" if is_proven else f"A restore should succeed; {ENABLE_KEY} is not proven"
    )
    if facts["status"] == "nothing_to_restore":
        headline = f"Ready: nothing to restore, and {ENABLE_KEY} is proven" if is_proven else headline
        return "nothing_to_restore", "good", headline, _NOTHING_LOST
    changes = _list_changes(facts)
    to_do = f"It would {changes}." if changes else "Every key is enabled already."
    return "ready", "good", headline, f"{to_do} This rehearsal changed nothing."


def _judge_verification(facts: Facts) -> _Verdict:
    verification = facts["verification"]
    detail = (verification["reason"] if verification else "") or f"{_count_keys(facts)} enabled."
    if facts["status"] == "waiting":
        return "waiting", "waiting", "Waiting for Atlassian", detail
    if _are_all_ok(facts) and facts["status"] in OK_STATUSES:
        return "verified", "good", "Verified: access is back", detail
    return "needs_attention", "bad", "Needs attention", detail


def _judge_revocation(facts: Facts) -> _Verdict:
    status, window = facts["status"], facts["window"]
    if status == "planned":
        return status, "plan", _PLAN, f"A run would disable {_count_keys(facts, 'changed')}."
    if status in ("revoked", "already_revoked"):
        headline = "Access is revoked" if status == "revoked" else "Access was already revoked"
        ends = dict.fromkeys(filter(None, (window["reinstate_by"], window["at_risk_after"])))
        deadlines = f": {' and '.join(map(to_minute, ends))}" if ends else ""
        detail = f"Nobody can use a key. Atlassian's deadlines have begun{deadlines}. To restore the access, run restore_cmk."
        return "revoked", "attention", headline, detail
    if _are_all_ok(facts):
        return "revoked", "attention", "Access is revoked, but the run ended early", "Run again."
    if status == "partial" or any(region["ok"] for region in facts["regions"]):
        detail = f"Only {_count_keys(facts)} cannot be used any more. Fix the problem below, and run again at once."
        return "partly_revoked", "bad", "ONLY PARTLY REVOKED", detail
    return "not_revoked", "bad", "Not revoked", "No key was disabled."


def _are_all_ok(facts: Facts) -> bool:
    return bool(facts["regions"]) and all(region["ok"] for region in facts["regions"])


def _count_keys(facts: Facts, which: t.Literal["ok", "changed"] = "ok") -> str:
    """Count the keys that are (in check mode: would be) as wished, or that are changed."""
    of = len(facts["regions"])
    if not of:
        return "No key"
    return f"{sum(region[which] for region in facts['regions'])} of {of} {'key' if of == 1 else 'keys'}"


def _list_changes(facts: Facts) -> str:
    """Say what a restore would change; empty if nothing."""
    keys = f"enable {_count_keys(facts, 'changed')}" if any(region["changed"] for region in facts["regions"]) else ""
    trust = "set the trust statement to Allow" if facts["trust"] and facts["trust"]["changed"] else ""
    return " and ".join(filter(None, [keys, trust]))


def _name_ticket(facts: Facts) -> str:
    return f"ticket {facts['ticket']['key']}" if facts["ticket"]["key"] else "the ticket"


def warnings(facts: Facts) -> list[str]:
    """Say what a reader must not miss, the gravest first."""
    if COMMANDS[facts["entry_point"]].revokes:
        return list(_warn_of_revocation(facts))
    return [*find_repeats(facts), *find_unfit(facts), *_warn_of_policies(facts), *_warn_of_limits(facts)]


def _warn_of_revocation(facts: Facts) -> t.Iterator[str]:
    still = [region["region"] for region in facts["regions"] if not region["ok"]]
    if still and len(still) < len(facts["regions"]):
        yield f"Atlassian may still use the key in {', '.join(still)}: what that key protects can still be read."
    if any(region["changed"] for region in facts["regions"]):
        yield (
            "If a re-encryption was in progress, data is in mixed states now. AWS does not show that: ask an organization "
            "admin, who alone can have requested one, and report it to Atlassian on the ticket."
        )


def find_repeats(facts: Facts) -> t.Iterator[str]:
    """Name each automation that revoked access and will do so again."""
    labels: dict[str, list[str]] = {}
    for region in facts["regions"]:
        loss = region["revocation"]
        if loss:
            labels.setdefault((loss["last_revocation"] or loss)["automation"], []).append(region["label"])
    labels.pop("", None)
    for automation, where in labels.items():
        yield f"{automation} revoked access in {', '.join(where)}: {advise(automation)}."


def find_unfit(facts: Facts) -> t.Iterator[str]:
    """Name each key that may be the wrong one, or that lacks imported material."""
    for check in facts["checks"]:
        if check["subject"] in (LAST_USE, MATERIAL) and check["outcome"] == "failed":
            yield f"{check['label']}: {check['says']}."


def _warn_of_policies(facts: Facts) -> t.Iterator[str]:
    differ = [region["label"] for region in facts["regions"] if region["access"] and region["access"]["changed"]]
    if differ:
        yield (
            f"Key policy or grants in {', '.join(differ)} differ from the earlier copy: "
            "Atlassian may still be locked out although the key is enabled."
        )
    for region in facts["regions"]:
        events = _find_suspects(region)
        if events:
            last, changes = events[-1], "change" if len(events) == 1 else "changes"
            when = to_minute(last["time"]) if last["time"] else "an unknown time"
            yield (
                f"Since access to the key in {region['label']} was lost, CloudTrail shows {len(events)} {changes} of its policy "
                f"or grants, the last one {last['name']} at {when} by {last['user_arn']}: an enabled key does not prove that "
                "Atlassian may use it."
            )


def _find_suspects(region: Region) -> list[Event]:
    """Find changes of policy and grants since the loss that nothing has shown to be harmless."""
    loss, access = region["revocation"], region["access"]
    if not loss or (access and (access["changed"] or not access["note"])):
        return []  # the comparison shows more, or that nothing differs
    lost_at = (loss["last_revocation"] or loss)["revoked_at"] or ""
    return [event for event in loss["suspects"] if (event["time"] or "") >= lost_at]


def _warn_of_limits(facts: Facts) -> t.Iterator[str]:
    window = facts["window"]
    if window["phase"] in ("uncertain", "at_risk"):
        yield window["says"] or "The vendor's limit has passed since access was lost."
    if window["error"]:
        yield window["error"]
