# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal has proven, what it only predicts, and by what. Screen, result and reports read it here. Pure."""

from __future__ import annotations

import datetime as dt
import textwrap
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import latest, parse_time, to_minute, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import Access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Trust
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Json, KeyTrail

OUTCOMES: t.Final = ("proven", "predicted", "unknown", "failed")
ENABLE_KEY: t.Final = "kms:EnableKey"
LAST_USE: t.Final = "last use"
MATERIAL: t.Final = "key material"
# AWS refuses requests whose clock differs by more (AWS General Reference, "Signing AWS API requests").
_MOST_SKEW: t.Final = 300
# GetKeyLastUsage is that late at most.
_LATE: t.Final = dt.timedelta(hours=1)
_WIDTH: t.Final = 67  # of a line on the screen, without the name of the row
_UNACCEPTED: t.Final = ("desk_unauthorized", "desk_forbidden", "desk_login_page")


@dataclass(frozen=True)
class Check:
    """One thing that a restore depends on."""

    subject: str
    outcome: str  # one of OUTCOMES
    says: str  # what was seen
    by: str = ""  # what proves or predicts it
    label: str = ""  # of the key; empty where it concerns the organization


def check_rehearsal(run: Run) -> tuple[Check, ...]:
    """List what is proven and what is only predicted; empty for all commands that are no rehearsal."""
    if not run.command.predicts or run.settings.problems:
        return ()
    of_keys = [check for key in run.keys for check in _check_key(run, key)]
    return (*of_keys, *_check_trust(run.trust), *_check_aws(run), _check_folder(run), *_check_ticket(run))


def _check_key(run: Run, key: Key) -> t.Iterator[Check]:
    label, described = key.label, _called(key, "DescribeKey")
    if not key.arn:
        yield Check("key", "unknown" if key.is_transient else "failed", key.error, described, label)
        return
    yield Check("key", "proven", key.arn, described, label)
    yield _check_owner(run, key)
    is_fit = bool(key.proof) or key.code in ("", "owner_differs")
    yield Check(
        "state", "proven" if is_fit else "failed", str(key.key_state_before) if is_fit else key.error, described, label
    )
    yield _check_enable(run, key)
    if "CancelKeyDeletion" in key.actions:
        yield Check("kms:CancelKeyDeletion", "predicted", "not called", "it has no dry run", label)
    trail = run.trail.of(key.arn)
    yield _check_access(key, next((one for one in run.access if one.arn == key.arn), None))
    yield from _check_attempts(key, trail)
    yield _check_last_use(run, key, trail)
    yield from _check_material(key, trail)


def _called(key: Key, operation: str) -> str:
    at = next((call.at for call in key.calls if call.operation == operation), "")
    return f"{operation} at {to_minute(at)}" if at else "nothing was called"


def _check_owner(run: Run, key: Key) -> Check:
    owner = f"account {key.account_id}"
    if key.code == "owner_differs":
        return Check("owner", "failed", key.error, "cmk_account_id", key.label)
    if run.settings.account_id:
        return Check("owner", "proven", owner, "cmk_account_id", key.label)
    return Check("owner", "unknown", owner, "cmk_account_id is not set", key.label)


def _check_enable(run: Run, key: Key) -> Check:
    proof = key.proof
    if proof and proof["at"]:
        by = f"EnableKey at {to_minute(str(proof['at']))} on the key, which was Enabled: nothing changed"
        return Check(ENABLE_KEY, "proven", "AWS permits it", by, key.label)
    if key.error:
        outcome, by = ("failed", _called(key, "EnableKey")) if proof else ("unknown", "not called")
        return Check(ENABLE_KEY, outcome, f"{key.error} {key.hint}", by, key.label)
    by = "EnableKey has no dry run. cmk_prove_permission proves it on a key that is Enabled"
    if proof:
        by = "check mode: a run without it calls EnableKey on this key, which is Enabled, and nothing changes"
    elif run.settings.prove_permission:
        by = f"only a key that is Enabled proves it, and this one is {key.key_state_before}"
    return Check(ENABLE_KEY, "predicted", "not proven", by, key.label)


def _check_access(key: Key, access: Access | None) -> Check:
    subject, by = "policy and grants", "GetKeyPolicy and ListGrants"
    if access is None:
        return Check(subject, "unknown", "Policy and grants were not read.", by, key.label)
    if access.note:
        return Check(subject, "failed" if access.changed else "unknown", access.note, by, key.label)
    return Check(subject, "predicted", "as in the kept copy", by, key.label)


def _check_attempts(key: Key, trail: KeyTrail) -> t.Iterator[Check]:
    """Read Atlassian's failing calls during the present loss: that there are none means nothing."""
    use = trail.refused_use
    if use and key.key_state_before != "Enabled" and trail.revoked_at and use["time"] >= trail.revoked_at:
        says = f"account {use['account_id']} called {use['name']} at {to_minute(use['time'])}, and the key is disabled"
        by = "DisabledException in CloudTrail: a sign, and no proof, that the key policy still admits Atlassian"
        yield Check("calls by Atlassian", "predicted", says, by, key.label)


def _check_last_use(run: Run, key: Key, trail: KeyTrail) -> Check:
    last = trail.last_use
    if not last:
        return Check(LAST_USE, "unknown", "not read", trail.health_reason or "AWS was not asked", key.label)
    says, by = describe_last_use(last, run.now), "GetKeyLastUsage: up to an hour late, and by any account"
    if _is_overdue(run, key, trail):
        expected = words(dt.timedelta(seconds=run.settings.expected_use))
        says = f"{says}, although it is Enabled: it may be the wrong key (cmk_expected_use is {expected})"
        return Check(LAST_USE, "failed", says, by, key.label)
    return Check(LAST_USE, "proven", says, by, key.label)


def _is_overdue(run: Run, key: Key, trail: KeyTrail) -> bool:
    """Decide whether a key that could be used was not, for longer than is expected."""
    last, now = trail.last_use or {}, parse_time(run.now)
    since = latest(last.get("time"), last.get("tracked_since"), trail.restored_at)
    expected = dt.timedelta(seconds=run.settings.expected_use)
    return bool(expected and key.key_state_before == "Enabled" and since and now and now - since > expected + _LATE)


def describe_last_use(last: Json, now: str) -> str:
    """Say in a few words when a key was last used (``last_use`` of ``kms_key_revocation_info``)."""
    used, moment = parse_time(last["time"]), parse_time(now)
    if used and moment:
        span = max(dt.timedelta(), moment - used)
        if span > dt.timedelta(days=1):
            return f"not used since {to_minute(last['time'])} ({last['operation']})"
        seconds = span % dt.timedelta(minutes=1) if span >= dt.timedelta(minutes=1) else dt.timedelta()
        return f"last used {words(span - seconds)} ago ({last['operation']})"
    if str(last["created_at"] or "") >= str(last["tracked_since"] or ""):
        return "never used since it was created"
    return f"not used since {to_minute(last['tracked_since'])}, when AWS began to record it"


def _check_material(key: Key, trail: KeyTrail) -> t.Iterator[Check]:
    if key.origin != "EXTERNAL":
        return
    expiry = f"expires at {to_minute(key.valid_to)}" if key.valid_to else "does not expire"
    missing, by = trail.missing_material, "ListKeyRotations and DescribeKey"
    if missing is None:
        yield Check(MATERIAL, "unknown", expiry, trail.health_reason or "AWS was not asked", key.label)
    elif missing:
        says = f"imported material is missing ({', '.join(missing)}): what it encrypted cannot be decrypted. Import it again"
        yield Check(MATERIAL, "failed", says, by, key.label)
    else:
        yield Check(MATERIAL, "proven", f"complete, and {expiry}", by, key.label)


def _check_trust(trust: Trust | None) -> t.Iterator[Check]:
    if trust is None:
        return
    says = trust.error or f"{trust.effect_before} in role {trust.role_name}"
    yield Check("trust statement", "failed" if trust.error else "proven", says, "GetRole")
    if trust.actions:
        yield Check("iam:UpdateAssumeRolePolicy", "predicted", "not called", "it has no dry run")


def _check_aws(run: Run) -> t.Iterator[Check]:
    if run.settings.assume_role_arn:
        is_assumed, why = any(key.arn for key in run.keys), run.error or " ".join(key.error for key in run.keys)
        outcome = "proven" if is_assumed else "failed" if "AssumeRole" in why else "unknown"
        yield Check("sts:AssumeRole", outcome, run.settings.assume_role_arn if is_assumed else why, "AssumeRole")
    offset, by = run.plan.clock_offset, "the Date header of DescribeKey"
    if offset is None:
        yield Check("clock", "unknown", "AWS did not answer", by)
    else:
        says = f"AWS's clock differs from this one by {abs(offset):g} s, and AWS accepts 5 minutes"
        yield Check("clock", "proven" if abs(offset) < _MOST_SKEW else "failed", says, by)


def _check_folder(run: Run) -> Check:
    error, folder = run.rehearsed.folder_error, run.settings.report_dir
    if error is None:
        return Check("report folder", "unknown", folder, "nothing was written")
    return Check("report folder", "failed" if error else "proven", error or folder, "a file that was written there")


def _check_ticket(run: Run) -> t.Iterator[Check]:
    if run.settings.mode != "api":
        yield Check(
            "ticket", "unknown", run.settings.ticket, f"cmk_support_mode={run.settings.mode}: it cannot be read"
        )
        return
    ticket, read, by = run.ticket, run.rehearsed.ticket_read, "the desk's answer to a read of the ticket"
    unread = ticket.error or "not read"
    status = f"status {run.rehearsed.ticket_status}"
    yield Check("ticket", "proven" if read else "failed" if ticket.error else "unknown", status if read else unread, by)
    is_refused = ticket.code in _UNACCEPTED
    says = "accepted; the desk does not report until when it is valid" if read else unread
    yield Check("token", "proven" if read else "failed" if is_refused else "unknown", says, by)
    if read and ticket.error:
        yield Check("comment", "failed", ticket.error, by)
    else:
        says = "this account may comment; nothing was posted" if read else unread
        yield Check("comment", "predicted" if read else "unknown", says, by)


def summarize(checks: t.Sequence[Check]) -> list[tuple[str, str]]:
    """Return the rows of the screen, name and text: the subjects by outcome, and when the keys were last used."""
    rows = []
    for outcome in OUTCOMES:
        subjects = dict.fromkeys(check.subject for check in checks if check.outcome == outcome)
        named = [_name(subject, outcome, checks) for subject in subjects]
        rows += _wrap(outcome, ", ".join(named))
    used = [check for check in checks if (check.subject, check.outcome) == (LAST_USE, "proven")]
    says = [f"{check.label} {check.says.removeprefix('last used ')}" for check in used]
    return [*rows, *_wrap(LAST_USE, ", ".join(says))]


def _name(subject: str, outcome: str, checks: t.Sequence[Check]) -> str:
    """Name a subject, with the keys where they differ."""
    same = [check for check in checks if check.subject == subject]
    labels = [check.label for check in same if check.outcome == outcome]
    return subject if len(labels) == len(same) else f"{subject} ({', '.join(labels)})"


def _wrap(name: str, text: str) -> list[tuple[str, str]]:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [(name if number == 0 else "", line) for number, line in enumerate(lines)]
