# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is about: which restoration it is, and what is to be remembered of it. Pure."""

from __future__ import annotations

import shlex
import typing as t
from dataclasses import replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access_text, compare_access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import write_own_revocation
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import begin, settle
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided, Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import read_journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Keys, Trust, keys_done
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, find_loss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings


def begin_run(run: Run, records: Records) -> Decided:
    """Decide, once the plan is made and before anything is changed, what to remember of this restoration."""
    changes = _changes(run)
    journal = read_journal(records.journal, run.settings.slug)
    return Decided(
        begun=begin(journal, run.states_before, changes=changes, ticket=run.settings.ticket, now=run.started_at),
        earlier=journal,
        changes=changes,
        changes_trust=bool(run.trust_plan and run.trust_plan.actions),
        targets=find_targets(run),
    )


def settle_run(run: Run, records: Records, nonce: str) -> Decided:
    """Decide, once it is known what became of the keys, what there is to announce; ``nonce`` is a random text."""
    decided, enables = run.decided, _restores(run)
    # No restoration has begun if every key turned out to be enabled.
    journal = decided.begun if enables else decided.earlier
    loss = find_loss(run, records, journal)
    states, now = run.states_before, run.started_at
    announcement = settle(journal, loss, states, run.settings, enables=enables, now=now, nonce=nonce)
    parts: tuple[Key | Trust, ...] = (*run.found, run.trust) if run.trust else run.found
    announces = not announcement.nothing_lost and not any(part.error for part in parts)
    told = announcement.journal.told if announces else None
    return replace(
        decided,
        announcement=announcement,
        loss=loss,
        access=compare_access(run.trail, records.access),
        announces=announces,
        ticket=Ticket.from_json({**told, "told": True}) if told else Ticket(),
    )


def decide_revocation(run: Run, records: Records) -> Decided:
    """Decide for ``revoke`` what :func:`settle_run` does for the other commands: there is nothing to announce."""
    settings = run.settings
    loss = find_loss(run, records, read_journal(records.journal, settings.slug))
    why = check_confirmation(settings.confirm, settings.org, run.organizations)
    if run.is_part:
        why = why or check_no_loss(run.plan.keys, settings.org)
    return replace(
        run.decided,
        targets=find_targets(run),
        loss=loss,
        access=compare_access(run.trail, records.access, keeps=True),
        refused=str(why or ""),
    )


def check_confirmation(confirm: object, org: str, organizations: int) -> Refusal | None:
    """Return why no key may be disabled; None if exactly the organization's name was typed, in a run of this one alone."""
    if organizations > 1:
        return refusal("revoke_several", count=organizations, org=org)
    if confirm is None or confirm == "":
        return refusal("revoke_not_confirmed", org=org)
    return None if confirm == org else refusal("revoke_confirmed_other", seen=shown(confirm), org=org)


def check_drill(settings: Settings, organizations: int) -> Refusal | None:
    """Return why no drill may be run; None if the organization is marked for drills, and its name was typed out."""
    if not settings.drill:
        return refusal("drill_not_marked", org=settings.org)
    return check_confirmation(settings.confirm, settings.org, organizations)


def check_no_loss(keys: t.Iterable[Key], org: str) -> Refusal | None:
    """Return why a drill revokes nothing; None if every key is Enabled. It would take another loss for its own."""
    lost = [key for key in keys if key.key_state_before != "Enabled"]
    named = ", ".join(f"{key.region}: {key.key_state_before or 'not read'}" for key in lost)
    return refusal("drill_access_lost", keys=named, org=shlex.quote(org)) if lost else None


def find_targets(run: Run) -> tuple[t.Mapping[str, str], ...]:
    """Return the keys to change, as ``kms_key_state`` takes them: those that the plan has shown, and no others."""
    wanted = {key["region"]: key for key in run.settings.keys}
    return tuple(_target(key, wanted.get(key.region, {})) for key in run.plan.keys)


def _target(key: Key, wanted: t.Mapping[str, str]) -> t.Mapping[str, str]:
    if key.arn:
        return {"region": key.region, "key_id": key.reference, "expected_arn": key.arn}
    # The keys of a region that could not be listed are not known yet.
    return wanted if "alias_prefix" in wanted else {"region": key.region, "key_id": key.reference}


def _changes(run: Run) -> bool:
    trust = run.trust_plan
    # A key that did not answer yet is planned, and perhaps changed, beside the others.
    return bool(trust and trust.actions) or any(key.actions or key.is_transient for key in run.plan.keys)


def _restores(run: Run) -> bool:
    """Decide whether this run restores access. A key that did not answer the plan may turn out to be enabled."""
    if not run.change.keys:
        return run.decided.changes
    acts = any(key.actions for key in (*run.plan.keys, *run.change.keys))
    return acts or bool(run.trust_plan and run.trust_plan.actions) or any(key.error for key in run.change.keys)


def access_to_keep(run: Run) -> str | None:
    """Return the copy of policies and grants to keep; None if there is none.

    Only of keys that work, and a difference is kept only when it is accepted.
    """
    keys, read = keys_done(run.plan, Keys()), [key for key in run.trail.keys if key.has_access]
    works = bool(keys) and all(key.key_state_before == "Enabled" for key in keys)
    is_same = run.settings.access_accept or not any(one.changed for one in run.decided.access)
    keeps = run.command.keeps_access and not run.decided.refused
    return access_text(run.trail) if keeps and works and is_same and len(read) == len(keys) else None


def journal_to_keep(run: Run) -> str | None:
    """Return the journal as this run leaves it; None to leave it as it is, empty for none."""
    announced, decided = run.announcement, run.decided
    # Another run, which holds the lock, writes the journal.
    if not run.command.notifies or announced is None or decided.lock.get("holder"):
        return None
    if announced.nothing_lost:
        # A key did not answer the plan, and was enabled all along: no restoration has begun.
        return (write_journal(decided.earlier) if decided.earlier else "") if decided.changes else None
    told = announced.journal.told or {}
    if told.get("relied_on"):
        # A comment that is relied on because nothing is known proves nothing once more is known.
        return None
    kept = {name: value for name, value in told.items() if name != "already_told"} or None
    return write_journal(replace(announced.journal, told=kept))


def revocation_to_keep(run: Run) -> str | None:
    """Return what to remember of a revocation by this run; None if it made none."""
    made = run.command.revokes and any(key.changed for key in run.keys)
    return write_own_revocation(run.loss) if made else None
