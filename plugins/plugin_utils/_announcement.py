# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which restoration is this, and was Atlassian notified of it? Pure.

In doubt the answer is no: a second comment costs nothing, and a missing one costs the organization its ten days.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import asdict, dataclass, field, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    is_before,
    latest,
    parse_time,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Answer, Mention, mentions, states
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Trust
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import Note, parse_note, why_too_early
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

_USABLE: t.Final = ("Enabled", "Allow")

Json: t.TypeAlias = t.Mapping[str, t.Any]
States: t.TypeAlias = t.Mapping[str, str]


@dataclass(frozen=True)
class Announcement:
    """What Atlassian is to be notified of, and whether it was. Times are ISO 8601 in UTC, by the controller's clock."""

    journal: Journal = field(default_factory=Journal)  # what to remember
    enables: bool = False  # this run changes a key, or the trust statement
    since: str | None = None  # a comment that is older does not speak of this restoration; None if nothing is known
    accepts_ours: bool = False  # nothing is known: any comment of our own account counts
    nothing_lost: bool = False  # no key was lost, so there is nothing to announce
    note_problem: str = ""  # why cmk_ticket_told does not count; empty if it does, or if there is none

    @property
    def reference(self) -> str:
        """What names the restoration on the ticket."""
        return self.journal.reference

    @property
    def is_sure(self) -> bool:
        """Whether it is known that Atlassian was notified, or need not be, or that any comment of ours will do."""
        return bool(self.journal.told) or self.nothing_lost or self.accepts_ours

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it passes from task to task, with the journal's fields beside its own."""
        own = {name: value for name, value in asdict(self).items() if name != "journal"}
        return {**self.journal.as_json(), **own}

    @classmethod
    def from_json(cls, known: Json) -> Announcement | None:
        """Read what :meth:`as_json` returned; None for nothing."""
        if not known:
            return None
        own = {field.name: known[field.name] for field in fields(cls) if field.name in known}
        return cls(**own, journal=Journal.from_json(known))


def begin(journal: Journal | None, states: States, *, changes: bool, ticket: str, now: str) -> Journal | None:
    """Decide what to remember before the first key changes: the restoration that this run begins or continues.

    :param states: the state of each key (by its ARN) before this run, as in all that follows
    """
    if not changes:
        return journal
    if journal and not (journal.is_damaged or journal.told or journal.mailed or journal.restored_at):
        # Some keys of this restoration are still missing. Of a key that came back, the state before counts.
        kept = {arn: state for arn, state in journal.states_before.items() if state not in _USABLE}
        merged = {**states, **{arn: kept[arn] for arn in states if arn in kept}}
        return replace(journal, changed_at=now, states_before=merged, ticket=ticket)
    return _new(journal, states, now, ticket, changed_at=now)


def _new(journal: Journal | None, states: States, now: str, ticket: str, *, changed_at: str | None = None) -> Journal:
    earlier = journal or Journal()
    note = str((earlier.told or {}).get("note") or "")
    return Journal(
        started_at=now,
        changed_at=changed_at,
        ticket=ticket,
        states_before=states,
        used_notes=tuple(dict.fromkeys([*earlier.used_notes, *([note] if note else [])])),
        previous_reference=earlier.reference or earlier.previous_reference,
        previous_restored_at=earlier.restored_at or earlier.previous_restored_at,
    )


def settle(
    journal: Journal | None,
    loss: AccessLoss,
    states: States,
    settings: Settings,
    *,
    enables: bool,
    now: str,
    nonce: str,
) -> Announcement:
    """Decide what there is to announce, once it is known what became of the keys and when access was lost.

    :param journal: as :func:`begin` returned it
    :param enables: whether this run changes a key (in check mode: would change one)
    :param nonce: a random text, for a restoration that nothing else names
    """
    known = journal or Journal(in_doubt=True)
    # Once CloudTrail can be read, it ends the doubt.
    is_doubtful = not enables and known.in_doubt
    goes_on = _goes_on(journal, loss, enables=enables)
    current = known if goes_on else _new(journal, states, now, settings.ticket)
    told, problem = (None, "") if enables else _notified(current, loss, settings, now)
    settled = replace(
        current,
        reference=current.reference or _reference(current, loss, states, settings.slug, nonce),
        told=told,
        ticket=settings.ticket,
        restored_at=None if enables else current.restored_at,
        states_before=current.states_before or states,
        in_doubt=is_doubtful and loss.is_nameless,
    )
    return Announcement(
        journal=settled,
        enables=enables,
        # What a damaged journal told of, nobody was notified of: CloudTrail may only show the loss before it.
        since=format_time(latest(current.changed_at, loss.since, now if known.is_damaged else None)),
        accepts_ours=journal is None and not enables and loss.is_unknown,
        nothing_lost=is_doubtful and told is None and loss.is_ruled_out,
        note_problem=problem,
    )


def _goes_on(journal: Journal | None, loss: AccessLoss, *, enables: bool) -> bool:
    """Return whether this run belongs to the restoration that is remembered."""
    return journal is not None and not journal.is_damaged and (enables or not _is_newer(loss, journal))


def _is_newer(loss: AccessLoss, journal: Journal) -> bool:
    """Return whether access was lost again after the journal's restoration, and came back without this controller."""
    told = journal.told or {}
    done = parse_time(journal.restored_at or told.get("noted_at") or told.get("at"))
    lost = parse_time(loss.since)
    return bool(lost and done and is_before(done, lost))


def _reference(journal: Journal, loss: AccessLoss, states: States, slug: str, nonce: str) -> str:
    name = make_reference(slug, loss.identity or f"{journal.started_at} {nonce}", states)
    if name == journal.previous_reference:
        # The loss that CloudTrail or the operator names is the one before this: it was announced under that name.
        return make_reference(slug, f"{journal.started_at} {nonce}", states)
    return name


def make_reference(slug: str, identity: str, keys: t.Iterable[str]) -> str:
    """Name a restoration on one short line: the same for the same organization, loss and keys."""
    seed = json.dumps([slug, identity, sorted(keys)])
    return f"cmk-restore/{slug}/{hashlib.sha256(seed.encode()).hexdigest()[:12]}"


def _notified(journal: Journal, loss: AccessLoss, settings: Settings, now: str) -> tuple[dict[str, t.Any] | None, str]:
    """Return how Atlassian was notified, as far as controller and operator know, and why the operator's note does not count."""
    # Another ticket was opened for another revocation.
    if journal.told and (not (journal.ticket and settings.ticket) or journal.ticket == settings.ticket):
        return {**journal.told, "already_told": True}, ""
    text = settings.ticket_told
    note = parse_note(text, now) if text else ""
    if not isinstance(note, Note):
        return None, note
    if note.text in journal.used_notes:
        return None, "ended an earlier restoration, and cannot end this one. Give what belongs to this one."
    problem = why_too_early(note, format_time(latest(journal.restored_at, loss.restored_at, loss.since)))
    return (None, problem) if problem else (_by_person(note, now), "")


def _by_person(note: Note, now: str) -> dict[str, t.Any]:
    at = note.at or now
    times = {"at": at, "noted_at": at, "recorded_at": now}
    return {"by": "person", "note": note.text, "url": note.url, **times, "already_told": False}


def announced(on_ticket: t.Iterable[Mention], announcement: Announcement) -> list[Mention]:
    """Pick from the references on the ticket those that prove that Atlassian was notified of this restoration, newest first."""
    on_ticket = list(on_ticket)
    reference, since = announcement.reference, announcement.since
    counted = [mention for mention in on_ticket if mention.reference == reference and not _is_older(mention, since)]
    if not counted and announcement.accepts_ours:
        counted = [replace(mention, relied_on=True) for mention in on_ticket if mention.by_us]
    return sorted(counted, key=lambda mention: str(mention.written_at), reverse=True)


def _is_older(mention: Mention, since: object) -> bool:
    at, start = mention.written_at, parse_time(since)
    return start is not None and (at is None or is_before(at, start))


def posted(answer: Answer, slug: str, announcement: Announcement) -> Mention | None:
    """Find in the desk's answer to a comment that it stored this announcement; None if the answer does not prove it."""
    stored = mentions([answer.data], slug, answer.clock_offset) if answer.ok else []
    return next((mention for mention in stored if mention.reference == announcement.reference), None)


def with_usable(
    announcement: Announcement, parts: t.Sequence[Key | Trust], *, only_reads: bool = False
) -> Announcement:
    """Add since when all keys have been usable (``restored_at``); the time of a run that only reads means nothing."""
    known = announcement.journal.restored_at or only_reads
    if known or not parts or any(part.error for part in parts):
        return announcement
    restored_at = max((call.at for part in parts for call in part.calls), default=None)
    return replace(announcement, journal=replace(announcement.journal, restored_at=restored_at))


def with_reference(text: str, reference_: str) -> str:
    """Add the reference to a comment that does not state it: no later run recognizes the restoration without it."""
    return text if states(text, reference_) else f"{text.rstrip()}\n\n{reference_line(reference_)}\n"


def reference_line(reference_: str) -> str:
    """Return the line of the comment that holds the reference."""
    return f"Reference: {reference_}"


def template_fault(message: str) -> str:
    """Take from Ansible's chain of messages the last one, which says what is wrong with the template; one line."""
    reason = re.sub(r"(?s)^.*(?: failed|Error while resolving value for '\w+'): ", "", message)
    return " ".join(reason.split()).rstrip(".") + "."
