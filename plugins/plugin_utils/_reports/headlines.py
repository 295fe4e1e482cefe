# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What a person wants to know of a run first, in plain words. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.automation import advise
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import ENABLE_KEY, LAST_USE, MATERIAL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import (
    Event,
    Facts,
    Region,
    Verdict,
    Window,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES

_NOT_NOTIFIED: t.Final = "Atlassian has not been notified."
_BY_PERSON: t.Final = ", Atlassian notified according to a person"
_AGAIN: t.Final = "Fix the problem below and run again. Completed steps are not repeated."


class _Verdict(t.NamedTuple):
    """``tone``: good, attention (a person must act), bad, plan (nothing was changed), waiting."""

    code: str
    tone: str
    headline: str
    detail: str


class _Count(t.NamedTuple):
    """How many of the keys are (in check mode: would be) as wished."""

    ok: int
    of: int

    @property
    def all(self) -> bool:
        return 0 < self.ok == self.of

    def __str__(self) -> str:
        return f"{self.ok} of {self.of} {'key' if self.of == 1 else 'keys'}"


def judge_evidence(about: Facts) -> Verdict:
    """Judge a run by its evidence.

    :return: ``code`` (stable), ``tone`` (good, attention, bad, plan, waiting), ``headline``, ``detail``
    """
    judge = {"assess": _assess, "revoke": _revoke, "verify": _verify}.get(about["entry_point"], _restore)
    command = COMMANDS[about["entry_point"]]
    count = _Count(sum(region["ok"] for region in about["regions"]), len(about["regions"]))
    judged = judge(about, count)
    if about["check_mode"] and judged.tone != "plan" and not command.predicts:
        judged = judged._replace(detail=f"{judged.detail} This was check mode: nothing was changed.")
    return {"code": judged.code, "tone": judged.tone, "headline": judged.headline, "detail": judged.detail}


def _restore(about: Facts, count: _Count) -> _Verdict:
    status = str(about["status"])
    ticket = _ticket(about)
    if status == "planned":
        detail = f"A run without check mode would {_todo(about, count) or 'change no key'}, and then notify Atlassian on {ticket}."
        return _Verdict(status, "plan", "This is a plan: nothing was changed", detail)
    if status == "restored":
        detail = f"Every key is enabled. Atlassian was asked on {ticket} to start the restoration."
        headline = f"Keys restored{_BY_PERSON if _by_person(about) else ', and Atlassian has been notified'}"
        return _Verdict(status, "good", headline, detail)
    if status == "already_restored":
        detail = f"Every key was enabled, and Atlassian had been notified on {ticket}. This run changed nothing."
        headline = f"Access was already restored{_BY_PERSON if _by_person(about) else ''}"
        return _Verdict(status, "good", headline, detail)
    if status == "nothing_to_restore":
        return _nothing_lost()
    if status == "handover_pending" and about["ticket"]["mailed_at"]:
        detail = (
            f"Every key is enabled. Open {ticket}. When it shows the comment, run again with cmk_ticket_told. If it does not, "
            "paste the text below."
        )
        return _Verdict(
            status, "attention", "Keys restored and comment mailed, but not confirmed on the ticket", detail
        )
    if status == "handover_pending":
        detail = f"Every key is enabled. Now paste the text below into {ticket}, then run again with cmk_ticket_told."
        return _Verdict(status, "attention", "Keys restored, Atlassian has NOT been notified yet", detail)
    return _failed(about, count)


def _by_person(about: Facts) -> bool:
    """Whether the notification rests on a person's word alone."""
    return about["ticket"]["told_by"] == "person"


def _nothing_lost() -> _Verdict:
    detail = (
        "Every key is enabled. CloudTrail, which is up to 15 minutes late, shows no key that was disabled in the last 90 days. If "
        "access was lost all the same, run again with cmk_revoked_at."
    )
    return _Verdict("nothing_to_restore", "good", "Nothing to restore, and nothing announced", detail)


def _failed(about: Facts, count: _Count) -> _Verdict:
    code = "partial" if about["status"] == "partial" else "failed"
    silent = "" if about["ticket"]["told"] else f" {_NOT_NOTIFIED}"
    if about["ticket"]["code"] in ("desk_unconfirmed", "mail_unconfirmed"):
        by_mail = about["ticket"]["code"] == "mail_unconfirmed"
        step = (
            "Read the ticket before you run again" if by_mail else "Run again: it reads the ticket before it comments"
        )
        detail = f"Every key is enabled. The comment may be on {_ticket(about)} already. {step}."
        return _Verdict(code, "attention", "Keys restored, Atlassian has PERHAPS been notified", detail)
    if count.all and about["trust"] and not about["trust"]["ok"]:
        detail = f"Every key is enabled, but role {about['trust']['role']} does not trust Atlassian.{silent} {_AGAIN}"
        return _Verdict(code, "bad", "Only partly restored: keys enabled, trust not set", detail)
    if count.all:
        headline = (
            "Keys restored, Atlassian could NOT be notified" if silent else "Keys restored, but the run ended early"
        )
        return _Verdict(code, "attention", headline, f"Every key is enabled.{silent} {_AGAIN}")
    if code == "partial":
        return _Verdict(code, "bad", f"Only partly restored: {count} enabled", f"{silent} {_AGAIN}".strip())
    return _Verdict(code, "bad", "Not restored", f"{count if count.of else 'No key'} enabled.{silent} {_AGAIN}")


def _is_trusted(about: Facts) -> bool:
    """Whether BYOK's trust statement is as wished; without BYOK there is none to wish for."""
    return about["trust"] is None or bool(about["trust"]["ok"])


def _todo(about: Facts, count: _Count) -> str:
    """Say what a restore would change; empty if nothing."""
    changes = sum(region["changed"] for region in about["regions"])
    trust = "set the trust statement to Allow" if about["trust"] and about["trust"]["changed"] else ""
    return " and ".join(filter(None, [f"enable {_Count(changes, count.of)}" if changes else "", trust]))


def _assess(about: Facts, count: _Count) -> _Verdict:
    if about["status"] not in OK_STATUSES:
        trust = "" if _is_trusted(about) else " The trust statement could not be set."
        detail = f"{count if count.of else 'No key'} could be restored.{trust} Fix the problem below, and assess again."
        return _Verdict("not_ready", "bad", "Not ready: a restore would not succeed", detail)
    todo = _todo(about, count)
    todo = f"It would {todo}." if todo else "Every key is enabled already."
    proven = [region["proven_at"] for region in about["regions"]]
    headline = (
        "Ready: a restore would succeed" if all(proven) else f"A restore should succeed; {ENABLE_KEY} is not proven"
    )
    if about["status"] == "nothing_to_restore":
        headline = f"Ready: nothing to restore, and {ENABLE_KEY} is proven" if all(proven) else headline
        return _nothing_lost()._replace(headline=headline)
    return _Verdict("ready", "good", headline, f"{todo} This rehearsal changed nothing.")


def _verify(about: Facts, count: _Count) -> _Verdict:
    enabled = f"{count if count.of else 'No key'} enabled."
    found = about["verification"]
    detail = (found["reason"] if found else "") or enabled
    if about["status"] == "waiting":
        return _Verdict("waiting", "waiting", "Waiting for Atlassian", detail)
    if count.all and about["status"] in OK_STATUSES:
        return _Verdict("verified", "good", "Verified: access is back", detail)
    return _Verdict("needs_attention", "bad", "Needs attention", detail)


def _revoke(about: Facts, count: _Count) -> _Verdict:
    status = about["status"]
    if status == "planned":
        changes = _Count(sum(region["changed"] for region in about["regions"]), count.of)
        return _Verdict(status, "plan", "This is a plan: nothing was changed", f"A run would disable {changes}.")
    if status in ("revoked", "already_revoked"):
        headline = "Access is revoked" if status == "revoked" else "Access was already revoked"
        detail = f"Nobody can use a key. {_clock(about['window'])} To restore the access, run restore_cmk."
        return _Verdict("revoked", "attention", headline, detail)
    if count.all:
        return _Verdict("revoked", "attention", "Access is revoked, but the run ended early", "Run again.")
    if count.ok or status == "partial":
        detail = f"Only {count} cannot be used any more. Fix the problem below, and run again at once."
        return _Verdict("partly_revoked", "bad", "ONLY PARTLY REVOKED", detail)
    return _Verdict("not_revoked", "bad", "Not revoked", "No key was disabled.")


def _clock(window: Window) -> str:
    """Name Atlassian's deadlines as the window has them."""
    ends = dict.fromkeys(filter(None, (window["reinstate_by"], window["at_risk_after"])))
    if not ends:
        return "Atlassian's deadlines have begun."
    return f"Atlassian's deadlines have begun: {' and '.join(map(to_minute, ends))}."


def _ticket(about: Facts) -> str:
    key = about["ticket"]["key"]
    return f"ticket {key}" if key else "the ticket"


def warnings(about: Facts) -> list[str]:
    """Say what a reader must not miss, one text each, the gravest first."""
    if COMMANDS[about["entry_point"]].revokes:
        return list(_revoked(about))
    return [*find_repeats(about), *find_unfit(about), *_locked_out(about), *_late(about["window"])]


def _revoked(about: Facts) -> t.Iterator[str]:
    still = [region["region"] for region in about["regions"] if not region["ok"]]
    if still and len(still) < len(about["regions"]):
        yield f"Atlassian may still use the key in {', '.join(still)}: what that key protects can still be read."
    if any(region["changed"] for region in about["regions"]):
        yield (
            "If a re-encryption was in progress, data is in mixed states now. AWS does not show that: ask an organization "
            "admin, who alone can have requested one, and report it to Atlassian on the ticket."
        )


def find_repeats(about: Facts) -> t.Iterator[str]:
    """Name each automation that took access away and will do so again."""
    by: dict[str, list[str]] = {}
    for region in about["regions"]:
        loss = region["revocation"]
        automation = (loss["last_revocation"] or loss)["automation"] if loss else ""
        if automation:
            by.setdefault(automation, []).append(region["label"])
    for automation, labels in by.items():
        yield f"{automation} revoked access in {', '.join(labels)}: {advise(automation)}."


def find_unfit(about: Facts) -> t.Iterator[str]:
    """Name each key that may be the wrong one, or that lacks imported material."""
    for check in about["checks"]:
        if check["subject"] in (LAST_USE, MATERIAL) and check["outcome"] == "failed":
            yield f"{check['label']}: {check['says']}."


def _locked_out(about: Facts) -> t.Iterator[str]:
    differ = [region["label"] for region in about["regions"] if region["access"] and region["access"]["changed"]]
    if differ:
        yield (
            f"Key policy or grants in {', '.join(differ)} differ from the earlier copy: "
            "Atlassian may still be locked out although the key is enabled."
        )
    for region in about["regions"]:
        events = _since_lost(region)
        if events:
            last = events[-1]
            when = to_minute(last["time"]) if last["time"] else "an unknown time"
            yield (
                f"Since access to the key in {region['label']} was lost, CloudTrail shows {len(events)} "
                f"{'change' if len(events) == 1 else 'changes'} of its policy or grants, the last one {last['name']} at "
                f"{when} by {last['user_arn']}: an enabled key does not prove that Atlassian may use it."
            )


def _since_lost(region: Region) -> list[Event]:
    """Find changes of policy and grants that nothing has shown to be harmless."""
    found, access = region["revocation"], region["access"]
    if not found or (access and (access["changed"] or not access["note"])):
        return []  # the comparison tells more, or that nothing differs
    lost = (found["last_revocation"] or found)["revoked_at"] or ""
    return [event for event in found["suspects"] if (event["time"] or "") >= lost]


def _late(window: Window) -> t.Iterator[str]:
    if window["phase"] in ("uncertain", "at_risk"):
        yield window["says"] or "The vendor's limit has passed since access was lost."
    if window["error"]:
        yield window["error"]
