# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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

_NOBODY_ACTS: t.Final = ("restored", "already_restored", "nothing_to_restore", "waiting")
OK_STATUSES: t.Final = (*_NOBODY_ACTS, "handover_pending", "planned", "revoked", "already_revoked")
_DELETIONS: t.Final = ("PendingDeletion", "PendingReplicaDeletion")
# cmk_result, as docs/results.md describes it.
Result: t.TypeAlias = t.Mapping[str, t.Any]


def make_result(run: Run) -> dict[str, t.Any]:
    settings = run.settings
    verification = judge(run) if run.command.verifies else None
    if verification:
        # Whether to verify again is for the run itself.
        del verification["passing"]
    return {
        "org": settings.org,
        "realm": settings.realm,
        "programme": settings.programme,
        "status": str(verification["verdict"]) if verification else _find_status(run),
        "keys": list(map(_describe_key, run.keys)),
        **({"trust": _describe_trust(run.trust or Trust())} if settings.programme == "byok" else {}),
        "ticket": _describe_ticket(settings, run.ticket),
        "error": " ".join(filter(None, [run.error, *settings.problems])),
        "revoked_at": run.window.revoked_at,
        "window": asdict(run.window),
        "started_at": run.started_at,
        "finished_at": run.now,
        **({"verification": verification} if verification else {}),
        **({"checks": list(map(asdict, check_rehearsal(run)))} if run.command.predicts else {}),
    }


def _describe_key(key: Key) -> dict[str, t.Any]:
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


def _describe_trust(trust: Trust) -> dict[str, t.Any]:
    return {
        "role": trust.role_name or ROLE,
        "state_before": trust.effect_before,
        "state_after": trust.effect,
        "changed": trust.changed,
        "error": trust.error,
        "hint": trust.hint,
    }


def _describe_ticket(settings: Settings, ticket: Ticket) -> dict[str, t.Any]:
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


def _find_status(run: Run) -> str:
    has_changed = any(part.changed for part in run.parts)
    if run.error or run.settings.problems or all(key.error for key in run.keys):
        # A run that ended early after a change has not plainly failed.
        return "partial" if has_changed and not run.is_preview else "failed"
    if run.ticket.error or any(part.error for part in run.parts):
        return "partial"
    if run.command.revokes and not has_changed:
        return "already_revoked"
    return _find_good_status(run, has_changed=has_changed)


def _find_good_status(run: Run, *, has_changed: bool) -> str:
    if run.announcement and run.announcement.nothing_lost:
        return "nothing_to_restore"
    if run.ticket.told:
        return "already_restored" if run.ticket.already_told and not has_changed else "restored"
    if run.is_preview:
        return "planned"
    return "revoked" if run.command.revokes else "handover_pending"


def is_good(result: Result) -> bool:
    """Return whether nobody has anything to do, but to wait."""
    return result["status"] in _NOBODY_ACTS and not _has_timed_out(result)


def succeeds(result: Result) -> bool:
    """Return whether the run ends well."""
    return result["status"] in OK_STATUSES and not _has_timed_out(result)


def _has_timed_out(result: Result) -> bool:
    return bool(result.get("verification", {}).get("timed_out"))


def _list_parts(result: Result) -> list[Result]:
    return [*result["keys"], *([result["trust"]] if "trust" in result else [])]


def list_hints(result: Result) -> str:
    """Return what to do about what went wrong, each once."""
    parts = [*_list_parts(result), result["ticket"]]
    return " ".join(dict.fromkeys(part["hint"] for part in parts if part["hint"]))


def next_step(result: Result, command: Command, *, check_mode: bool, file: str = "", inventory: str = "") -> str:
    """Return what the operator does next, with the exact command; empty if nothing.

    :param file: the file that holds the comment; empty if it is printed above
    :param inventory: the option that names the inventory; empty for Ansible's default
    """

    def run(name: str) -> str:
        return f"ansible-playbook keyops.atlassian_cmk.{name}_cmk {inventory}-e org={shlex.quote(str(result['org']))}"

    if command.verifies:
        return _find_step_after_verification(result, run("restore"), run("verify"))
    if result["ticket"]["error"]:
        return str(result["ticket"]["hint"])
    if command.revokes:
        # A refusal names the confirmation that is missing.
        return "" if check_mode or result["error"] else f"to restore access, run: {run('restore')}"
    if any(part["error"] for part in [result, *_list_parts(result)]):
        return _find_step_after_failure(result, run(command.name))
    if command.predicts and any(part["changed"] for part in _list_parts(result)):
        return f"confirm with the key owner, then run: {run('restore')}"
    if check_mode or not command.notifies:
        return ""
    return _find_step_after_restore(result, run("restore"), file) or run("verify")


def _find_step_after_failure(result: Result, again: str) -> str:
    failed = [part for part in _list_parts(result) if part["error"]]
    # A deletion is cancelled only if the operator allows it.
    waits = [part.get("state_after") in _DELETIONS and not part["actions"] for part in failed]
    step = "if the key is to be kept, run" if waits and all(waits) else "fix the problem above, then run again"
    return f"{step}: {again}{' -e cmk_cancel_deletion=true' if any(waits) else ''}"


def _find_step_after_restore(result: Result, restore: str, file: str) -> str:
    confirm = f"{restore} -e cmk_ticket_told=<time, or URL of the comment>"
    if result["status"] == "nothing_to_restore":
        return f"if access was lost all the same, run: {restore} -e cmk_revoked_at=<when it was lost>"
    if result["status"] != "handover_pending":
        return ""
    if result["ticket"]["mailed_at"]:
        return f"open the ticket. When it shows the comment, run: {confirm}. If it does not, add -e cmk_support_mode=manual"
    if file:
        return f"paste {file} into ticket {result['ticket']['key']}".rstrip()
    return f"paste the text above into the ticket, then run: {confirm}"


def _find_step_after_verification(result: Result, restore: str, verify: str) -> str:
    if any(key["state_after"] not in ("", None, "Enabled") for key in result["keys"]):
        return f"unless the revocation was intentional, run: {restore}"
    return "" if result["status"] == "restored" else f"run again later: {verify}"
