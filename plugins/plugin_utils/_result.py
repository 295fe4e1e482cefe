# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""How a run ended: the promised ``cmk_result``. Pure."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import asdict

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust import ROLE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Trust
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import check_rehearsal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import judge

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
# cmk_result, as docs/results.md describes it.
Result: t.TypeAlias = t.Mapping[str, t.Any]

ABOVE: t.Final = "the text above"
_GOOD_STATUSES: t.Final = ("restored", "already_restored", "nothing_to_restore", "waiting")


def make_result(run: Run) -> dict[str, t.Any]:
    """Put ``cmk_result`` together."""
    settings, trust = run.settings, run.trust or Trust()
    verification = judge(run) if run.command.verifies else None
    if verification:
        # Whether it is worth to look again is for the run itself.
        del verification["passing"]
    return {
        "org": settings.org,
        "realm": settings.realm,
        "programme": settings.programme,
        "status": str(verification["verdict"]) if verification else _status(run),
        "keys": list(map(_key, run.keys)),
        **({"trust": _trust(trust)} if settings.programme == "byok" else {}),
        "ticket": _ticket(settings, run.ticket),
        "error": " ".join(filter(None, [run.error, *settings.problems])),
        "revoked_at": run.window.revoked_at,
        "window": run.window.as_json(),
        "started_at": run.started_at,
        "finished_at": run.now,
        **({"verification": verification} if verification else {}),
        **({"checks": list(map(asdict, check_rehearsal(run)))} if run.command.predicts else {}),
    }


def _key(key: Key) -> dict[str, t.Any]:
    return {
        "region": key.region,
        "key_id": key.key_id or key.reference,
        "arn": key.arn,
        "actions": list(key.actions),
        "changed": key.changed,
        "error": key.error,
        "hint": key.hint,
        "label": key.label,
        "state_before": key.key_state_before,
        "state_after": key.key_state,
        "account_id": key.account_id,
    }


def _trust(trust: Trust) -> dict[str, t.Any]:
    return {
        "role": trust.role_name or ROLE,
        "state_before": trust.effect_before,
        "state_after": trust.effect,
        "changed": trust.changed,
        "error": trust.error,
        "hint": trust.hint,
    }


def _ticket(settings: Settings, ticket: Ticket) -> dict[str, t.Any]:
    mailed = ticket.mailed or {}
    return {
        "key": settings.ticket,
        "mode": settings.mode,
        "told": ticket.told,
        "comment_id": ticket.comment_id,
        "url": ticket.url or settings.ticket_url,
        "already_told": ticket.already_told,
        "mailed_to": mailed.get("to", ""),
        "mailed_at": mailed.get("at", ""),
        "code": ticket.code,
        "error": ticket.error,
        "hint": ticket.hint,
    }


def _status(run: Run) -> str:
    only_looks = run.is_preview
    has_changed = any(part.changed for part in run.parts)
    if run.error or run.settings.problems or all(key.error for key in run.keys):
        # What is done is done, even when the run ended early: never call that a plain failure.
        return "partial" if has_changed and not only_looks else "failed"
    if run.ticket.error or any(part.error for part in run.parts):
        return "partial"
    if run.command.revokes and not has_changed:
        return "already_revoked"
    return _status_if_well(run, has_changed=has_changed)


def _status_if_well(run: Run, *, has_changed: bool) -> str:
    if run.announcement and run.announcement.nothing_lost:
        return "nothing_to_restore"
    if run.ticket.told:
        return "already_restored" if run.ticket.already_told and not has_changed else "restored"
    if run.is_preview:
        return "planned"
    return "revoked" if run.command.revokes else "handover_pending"


def is_good(result_: Result) -> bool:
    """Return whether nobody has anything to do, but to wait.

    :param result_: ``cmk_result``
    """
    return result_["status"] in _GOOD_STATUSES and not _timed_out(result_)


def succeeds(result_: Result) -> bool:
    """Return whether the run ends well.

    :param result_: ``cmk_result``
    """
    return result_["status"] in OK_STATUSES and not _timed_out(result_)


def _timed_out(result_: Result) -> bool:
    return bool(result_.get("verification", {}).get("timed_out"))


def list_hints(result_: Result) -> str:
    """Return what to do about what went wrong, each once."""
    parts = [*result_["keys"], *filter(None, [result_.get("trust")]), result_["ticket"]]
    return " ".join(dict.fromkeys(part["hint"] for part in parts if part["hint"]))


def next_step(result_: Result, command: Command, *, check_mode: bool, text: str = ABOVE, inventory: str = "") -> str:
    """Return what the operator does next, with the exact command; empty if nothing.

    :param result_: ``cmk_result``
    :param text: where the operator finds the comment: above, or in a file among many organizations
    :param inventory: the option that names the inventory; empty for Ansible's default
    """

    def run(name: str) -> str:
        return f"ansible-playbook keyops.atlassian_cmk.{name}_cmk {inventory}-e org={shlex.quote(str(result_['org']))}"

    restore, parts = run("restore"), [*result_["keys"], *filter(None, [result_.get("trust")])]
    if command.verifies:
        return _next_after_verification(result_, restore, run("verify"))
    if result_["ticket"]["error"]:
        return str(result_["ticket"]["hint"])
    if command.revokes:
        # A refusal names the confirmation that is missing.
        return "" if check_mode or result_["error"] else f"to restore access, run: {restore}"
    if any(part["error"] for part in [result_, *parts]):
        return f"fix the problem above, then run again: {run(command.name)}"
    if command.predicts and any(part["changed"] for part in parts):
        return f"confirm with the key owner, then run: {restore}"
    if check_mode or not command.notifies:
        return ""
    return _next_after_restore(result_, restore, text) or run("verify")


def _next_after_restore(result_: Result, restore: str, text: str) -> str:
    confirm = f"{restore} -e cmk_ticket_told=<time, or URL of the comment>"
    if result_["status"] == "handover_pending" and result_["ticket"]["mailed_at"]:
        return f"open the ticket. When it shows the comment, run: {confirm}. If it does not, add -e cmk_support_mode=manual"
    if result_["status"] == "handover_pending":
        if text != ABOVE:
            return f"paste {text} into ticket {result_['ticket']['key']}".rstrip()
        return f"paste {text} into the ticket, then run: {confirm}"
    if result_["status"] == "nothing_to_restore":
        return f"if access was lost all the same, run: {restore} -e cmk_revoked_at=<when it was lost>"
    return ""


def _next_after_verification(result_: Result, restore: str, verify: str) -> str:
    if any(key["state_after"] not in ("", None, "Enabled") for key in result_["keys"]):
        return f"unless the revocation was intentional, run: {restore}"
    return "" if result_["status"] == "restored" else f"run again later: {verify}"
