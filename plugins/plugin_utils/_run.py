# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run: what its steps have found, and what follows from that. Pure."""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import typing as t
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust import ROLE, written
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    parse_time,
    to_minute,
    words,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import Access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import (
    AccessLoss,
    add_own_revocation,
    find_access_loss,
    read_own_revocation,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    Announcement,
    reference_line,
    with_usable,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS, RESTORE, Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided, Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import (
    Key,
    Keys,
    Trust,
    find_open_regions,
    judge_revoked,
    keys_done,
    trust_done,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Rehearsed, Ticket, told_by_look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, seen_keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import Window, find_window

Json: t.TypeAlias = t.Mapping[str, t.Any]

# Instead of the reference, wherever nothing was restored: whoever pastes it somewhere must not silence the announcement.
NO_REFERENCE: t.Final = "(made when the comment is posted)"


_PARTS: t.Final = (
    *("plan", "change", "trust_plan", "trust_change", "revocation"),
    *("decided", "seen", "look", "ticket"),
)


@dataclass(frozen=True)
class Run:
    """What the steps of a run have found; what was not reached is empty. What follows from it are its properties."""

    command: Command = RESTORE
    check_mode: bool = False
    settings: Settings = field(default_factory=Settings)
    plan: Keys = field(default_factory=Keys)
    change: Keys = field(default_factory=Keys)
    trust_plan: Trust | None = None
    trust_change: Trust | None = None
    trust_failed: bool = False  # the change ended without a result
    revocation: Json = field(default_factory=dict)  # the result of kms_key_revocation_info
    decided: Decided = field(default_factory=Decided)
    seen: Seen = field(default_factory=Seen)  # what verify has seen
    rehearsed: Rehearsed = field(default_factory=Rehearsed)  # what assess has tried
    noted: Ticket = field(default_factory=Ticket)  # what became of the ticket, as the steps have noted it
    text: str = ""  # of the comment
    stopped: str = ""  # what ended the run early; empty if nothing did
    user: str = ""  # whom AWX names; empty without AWX
    awx: t.Mapping[str, str] = field(default_factory=dict)  # numbers of the job and of the workflow job
    organizations: int = 1  # how many this run has
    is_part: bool = False  # of a drill, which has the last word
    brief: bool = False  # among many organizations, what is well is counted and not told
    started_at: str = ""
    now: str = ""

    @classmethod
    def from_json(cls, known: Json) -> Run:
        """Read what the tasks have registered, as ``gather`` puts it together."""
        parts = {name: known.get(name) or {} for name in _PARTS}
        return cls(
            command=COMMANDS[known["entry_point"]],
            check_mode=bool(known["check_mode"]),
            settings=Settings.from_json(known["settings"]),
            plan=Keys.from_json(parts["plan"]),
            change=Keys.from_json(parts["change"]),
            trust_plan=Trust.from_json(parts["trust_plan"]),
            trust_change=Trust.from_json(parts["trust_change"]),
            trust_failed=bool(parts["trust_change"].get("failed")),
            revocation=parts["revocation"],
            decided=Decided.from_json(parts["decided"]),
            seen=Seen.from_json(parts["seen"]),
            rehearsed=Rehearsed(**parts["look"].get("rehearsed", {})),
            noted=Ticket.from_json(parts["ticket"]),
            text=str(known.get("comment", "")),
            stopped=str(known.get("error", "")),
            user=str(known.get("user", "")),
            awx={name: str(known.get(name, "")) for name in ("job", "workflow_job")},
            organizations=int(known.get("organizations", 1)),
            is_part=bool(known.get("is_part")),
            brief=bool(known.get("brief")),
            started_at=known["started_at"],
            now=known.get("now", known["started_at"]),
        )

    @property
    def only_reads(self) -> bool:
        """Whether it changes nothing, neither at AWS nor at the desk."""
        return self.check_mode or self.command.only_reads

    @property
    def is_preview(self) -> bool:
        """Whether it speaks of a restore that has not happened: whoever pastes its comment somewhere silences nothing."""
        return self.check_mode or self.command.predicts

    @property
    def error(self) -> str:
        """What ended the run early, or kept a revocation from being done; empty if nothing did."""
        return " ".join(filter(None, [self.stopped, self.decided.refused]))

    @property
    def acted(self) -> bool:
        """Whether AWS was asked to change a key, whatever became of it."""
        return bool(self.change.keys) or self.change.failed

    @functools.cached_property
    def trail(self) -> Trail:
        """What CloudTrail, the policies and the grants tell."""
        return Trail.from_json(self.revocation)

    @functools.cached_property
    def found(self) -> tuple[Key, ...]:
        """The keys as the plan and the change have them."""
        return keys_done(self.plan, self.change)

    @functools.cached_property
    def keys(self) -> tuple[Key, ...]:
        """What has become of the keys."""
        plan = Keys(self.seen.keys) if self.seen.keys else self.plan
        # What was planned has not happened in a run that ended before it.
        ended_early = bool(self.decided.refused) or (bool(self.stopped) and not self.only_reads)
        has_failed = ended_early and not self.change.keys
        keys = keys_done(plan, Keys(failed=True) if has_failed else self.change)
        if self.command.revokes:
            return tuple(map(judge_revoked, keys))
        return seen_keys(keys) if self.command.verifies else keys

    @functools.cached_property
    def trust(self) -> Trust | None:
        """What has become of BYOK's trust statement; None without BYOK."""
        return trust_done(self.trust_plan, self.trust_change, has_failed=self.trust_failed)

    @property
    def parts(self) -> tuple[Key | Trust, ...]:
        """Keys and trust statement: all of them must be well before Atlassian is notified."""
        return (*self.keys, *([self.trust] if self.trust else []))

    @functools.cached_property
    def announcement(self) -> Announcement | None:
        """What Atlassian is to be notified of, with what this run knows of the notification."""
        settled = self.decided.announcement
        if settled is None:
            return None
        announced = with_usable(settled, self.parts, only_reads=self.command.only_reads)
        journal = announced.journal
        if self._ticket.reference:
            # The reference of the comment counts, also where another controller has chosen it.
            journal = replace(journal, told=self._ticket.as_record(), reference=self._ticket.reference)
        if self._ticket.mailed:
            journal = replace(journal, mailed=self._ticket.mailed)
        return replace(announced, journal=journal)

    @functools.cached_property
    def _ticket(self) -> Ticket:
        if not self.command.verifies:
            return self.noted
        return told_by_look(self.decided.announcement, self.seen.look)

    @functools.cached_property
    def ticket(self) -> Ticket:
        """What became of the ticket; why the operator's note does not count, where nothing else notified Atlassian."""
        problem = self.announcement.note_problem if self.announcement else ""
        if not problem or self._ticket.told or self._ticket.error:
            return self._ticket
        return self._ticket.failed(vars(refusal("note_refused", message=problem)))

    @functools.cached_property
    def loss(self) -> AccessLoss:
        """When access was lost."""
        if self.command.revokes:
            return add_own_revocation(self.decided.loss or AccessLoss(), self.keys)
        return self.decided.loss or find_loss(self, Records(), None)

    @property
    def told_at(self) -> str:
        """When Atlassian was notified, which stops its clock; empty if it was not."""
        record = (self.announcement.journal.told if self.announcement else None) or {}
        return str(self.ticket.at or record.get("at") or "")

    @functools.cached_property
    def window(self) -> Window:
        """Where the run is in Atlassian's window."""
        dates, expiries = [key.deletion_date for key in self.keys], [key.valid_to for key in self.keys]
        told_at, programme = self.told_at, self.settings.programme
        return find_window(self.loss.revoked_at, told_at or self.now, told_at, dates, programme, expiries)

    @property
    def comment(self) -> str:
        """The text of the comment; empty as long as not every key is usable."""
        return self.text if self.announcement and self.announcement.journal.restored_at else ""

    @property
    def labels(self) -> dict[str, str]:
        """The label of each key, by its ARN."""
        return {key.arn: key.label for key in self.keys if key.arn}

    @functools.cached_property
    def access(self) -> tuple[Access, ...]:
        """How policies and grants differ from the saved copy."""
        return tuple(replace(one, label=self.labels.get(one.arn, one.region)) for one in self.decided.access)

    @property
    def trust_diff(self) -> str:
        """What is changed of the trust policy; empty if nothing is."""
        if not self.trust or not self.trust.changed:
            return ""
        before, after = (written(policy or {}).splitlines() for policy in (self.trust.policy_before, self.trust.policy))
        return "\n".join(difflib.unified_diff(before, after, "before", "after", lineterm="", n=2))

    @property
    def states_before(self) -> dict[str, str]:
        """The state of each key (by its ARN) before this run, and of BYOK's trust statement (by the role's name)."""
        states = {key.arn: key.key_state_before for key in self.found if key.arn and key.key_state_before}
        effect = self.trust_plan.effect_before if self.trust_plan else None
        return {**states, ROLE: effect} if effect else states

    @property
    def session_note(self) -> str:
        """When the session with AWS ends, for a rehearsal, and for any run that may outlast it; else empty."""
        end, now = parse_time(self.plan.session_ends_at), parse_time(self.now)
        if end is None or now is None:
            return ""
        note = f"AWS session ends at {to_minute(str(format_time(end)))} (in {words(max(dt.timedelta(), end - now))})."
        if end - now < dt.timedelta(seconds=self.settings.wait_timeout):
            return f"WARNING: {note} A run may take longer (cmk_wait_timeout), so log in again before it."
        return note if self.is_preview else ""

    @property
    def labelled_revocation(self) -> dict[str, t.Any]:
        """The result of ``kms_key_revocation_info``, with the label of each key."""
        keys = [
            {**key, "label": self.labels.get(str(key.get("arn")), key["region"])}
            for key in self.revocation.get("keys") or []
        ]
        return {**self.revocation, **({"keys": keys} if keys else {})}


def find_loss(run: Run, records: Records, journal: Journal | None) -> AccessLoss:
    """Find out when access was lost, from all that is known."""
    journal = journal or Journal()
    keys = keys_done(run.plan, Keys())
    offsets = (run.plan.clock_offset, run.change.clock_offset)
    return find_access_loss(
        _trail(run, len(keys)),
        given=run.settings.revoked_at,
        remembered=read_own_revocation(records.revocation, journal.restored_at or journal.previous_restored_at),
        is_lost_now=any(key.key_state_before not in (None, "Enabled") for key in keys),
        started_at=run.started_at,
        changed_at=journal.changed_at or "",
        restored_before=journal.previous_restored_at,
        # Where no region answered the plan, the change knows it.
        clock_offset=next((known for known in offsets if known is not None), None),
    )


def _trail(run: Run, keys: int) -> Trail:
    """Return what CloudTrail tells; of a key that was not asked about, it tells nothing."""
    trail = run.trail
    if len(trail.keys) >= keys:
        return trail
    return replace(trail, keys=tuple(replace(key, complete=False) for key in trail.keys), identity=None)


def evidence_parts(run: Run) -> dict[str, t.Any]:
    """Return a run as :func:`evidence` takes it, by name and type."""
    return {
        "entry_point": run.command.name,
        "check_mode": run.check_mode,
        "keys": list(map(asdict, run.keys)),
        "revocation": run.labelled_revocation,
        "revoked": asdict(run.loss),
        "window": asdict(run.window),
        "access": list(map(asdict, run.access)),
        "trust": asdict(run.trust) if run.trust else {},
        "trust_diff": run.trust_diff,
        "announcement": run.announcement.as_json() if run.announcement else {},
        "comment": run.comment,
    }


def _hides_reference(run: Run) -> bool:
    return run.only_reads


def shown(run: Run) -> dict[str, t.Any]:
    """Name the parts of a run as the templates do, the user's own included."""
    announcement = run.announcement.as_json() if run.announcement else {}
    if announcement and _hides_reference(run):
        announcement["reference"] = NO_REFERENCE
    told = announcement.get("told") or {}
    return {
        "cmk_settings": run.settings.as_json(),
        "cmk_keys_done": list(map(asdict, run.keys)),
        "cmk_trust": asdict(run.trust) if run.trust else {},
        "cmk_trust_diff": run.trust_diff,
        "cmk_session_note": run.session_note,
        "cmk_revocation": run.labelled_revocation,
        "cmk_revoked": asdict(run.loss),
        "cmk_access": list(map(asdict, run.access)),
        "cmk_announcement": announcement,
        "cmk_reference_line": reference_line(announcement.get("reference", "")),
        # The comment that this run takes for the announcement although its reference is another.
        "cmk_told_relied_on": told if told.get("relied_on") else None,
        "cmk_window": asdict(run.window),
        "cmk_deadline": "" if run.told_at else run.window.deadline_line(run.loss.reason),
        "cmk_window_from_now": asdict(find_window(run.now, run.now)),
        "cmk_open": find_open_regions(run.keys),
    }
