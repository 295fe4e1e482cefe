"""A history: what happens to an organization, command by command, and what must hold after each of them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES

from .runs import ORG, Run, Setup
from .world import TICKETS, Comment, Outage, World, iso

# Why Atlassian may be notified twice; docs/reliability.md names each, and test_twice.py produces each.
TWICE: t.Final = (
    "another ticket",
    "two runs at the same moment",
    "a desk that shows a comment late",
    "a person notified without the reference",
    "another name for the loss",
    "an incomplete journal",
)
_PAUSE: t.Final = 5  # between two commands: times of whole seconds are rounded
_REFERENCE: t.Final = re.compile(rf"cmk-restore/{ORG}/[0-9a-f]{{12}}")
_WELL: t.Final = ("restored", "already_restored")


class BrokenError(AssertionError):
    """The rules broke a promise; the first word of the message names it."""


@dataclass(frozen=True)
class Command:
    """Something that happens: the name of a method of :class:`History`, and its arguments."""

    name: str
    values: tuple[t.Any, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.values))})"


@dataclass
class History:
    """The world, and all that has happened in it."""

    world: World
    commands: list[Command] = field(default_factory=list)
    paused: dict[str, Run] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)  # the reasons for which Atlassian was notified twice
    steps: int = 0

    def do(self, name: str, *values: t.Any) -> Run | None:
        """Let something happen, and check what must hold."""
        self.commands.append(Command(name, values))
        run: Run | None = getattr(self, name)(*values)
        self.world.wait(_PAUSE)
        self.steps += 1
        return run

    def __str__(self) -> str:
        return "\n".join(map(str, self.commands))

    # The world.

    def wait(self, seconds: int) -> None:
        self.world.wait(seconds)

    def trail_is_late(self, seconds: int) -> None:
        """What is logged from now on shows only after this time."""
        self.world.lateness = seconds

    def lose(self, regions: tuple[str, ...], operation: str = "DisableKey") -> None:
        """Somebody takes access away by hand."""
        for region in regions:
            state = self.world.keys[region].state
            if state == "Enabled" or (operation == "ScheduleKeyDeletion" and state == "Disabled"):
                self.world.change(region, operation)

    def restore_by_hand(self, regions: tuple[str, ...]) -> None:
        for region in regions:
            if self.world.keys[region].state == "PendingDeletion":
                self.world.change(region, "CancelKeyDeletion")
                self.world.wait(1)
            if self.world.keys[region].state == "Disabled":
                self.world.change(region, "EnableKey")

    def replace_key(self, region: str) -> None:
        """The data is encrypted with a new key from now on, and the alias stands for it."""
        if self.world.keys[region].state == "Enabled":
            self.world.replace_key(region)

    def use_keys(self) -> None:
        """Atlassian uses every key that it can use."""
        for key in self.world.keys.values():
            if key.state == "Enabled":
                self.world.uses.append((key.arn, self.world.now))

    # Files.

    def lose_folder(self, name: str) -> None:
        if name not in self.paused:
            self.world.controllers[name].lose_folder()

    def damage_journal(self, name: str) -> None:
        controller = self.world.controllers[name]
        journal = controller.files.get("restoration.json", "")
        if journal and name not in self.paused:
            controller.files["restoration.json"] = journal[: len(journal) // 2]
            # Whatever was restored, nobody was notified of it.
            controller.journal_outage = len(self.world.outages)
            controller.used_notes.clear()
            controller.is_void = True

    def fill_disk(self, name: str, is_full: bool) -> None:
        self.world.controllers[name].is_writable = not is_full

    # The ticket.

    def open_ticket(self, ticket: str) -> None:
        self.world.ticket = ticket

    def set_open(self, is_open: bool) -> None:
        self.world.is_open = is_open

    def quote(self, how: str) -> None:
        """The vendor quotes the last comment of ours, or a colleague the text that is to be posted."""
        ours = [item.body for item in self.world.comments if item.author == "us"]
        text = self.world.handed_over[0] if how == "handed over" else ours[-1] if ours else ""
        if text:
            body = {
                "wiki": f"{{quote}}\n{text}\n{{quote}}\nWhich keys do you mean?",
                "mail": f"We look into it.\n\nOn Tue, 24 Nov 2026, Operator <op@example.com> wrote:\n{text}",
            }.get(how, "\n".join(f"> {line}" for line in text.splitlines()) + "\n\nIs that so?")
            self.world.comment(body, "vendor" if how != "handed over" else "colleague")

    def forge(self, author: str) -> None:
        """Somebody writes a reference that no run has made; "us" is a person with our own account."""
        self.world.comment(f"Done.\nReference: cmk-restore/{ORG}/000000000000", author)

    def paste_preview(self) -> None:
        """A colleague pastes what a rehearsal shows."""
        if self.world.preview:
            self.world.comment(self.world.preview, "colleague")

    def paste(self) -> None:
        """A colleague posts the text that a run handed over, perhaps long afterwards."""
        text, outage, basis = self.world.handed_over
        if text:
            self.world.comment(text, "colleague", outage=outage, basis=basis)

    def notify(self) -> None:
        """A person notifies Atlassian in words of their own."""
        restored = self.world.restored
        if restored and self.world.has_access:
            restored.is_told_by_person = True
            self.world.notice = (self.world.now, restored.number)

    # Runs.

    def restore(self, name: str, setup: Setup, stop: str = "", dies: bool = True, note: str = "") -> Run | None:
        """A restore, perhaps with a note of a person, that stops at a step: it dies there, or goes on later."""
        return self._start(name, "restore", replace(setup, note=self._note(note, name)), stop, dies=dies)

    def assess(self, name: str, setup: Setup) -> Run | None:
        return self._start(name, "assess", replace(setup, posts=()))

    def verify(self, name: str, setup: Setup) -> Run | None:
        return self._start(name, "verify", replace(setup, posts=()))

    def revoke(self, name: str, stop: str = "") -> Run | None:
        return self._start(name, "revoke", Setup(), stop)

    def resume(self, name: str, dies: bool = False) -> Run | None:
        """A run that stopped goes on, or is killed after all."""
        run = self.paused.pop(name, None)
        if run:
            run.was_disturbed = True
        if run and dies:
            run.end()
            return None
        return self._finish_disturbed(run) if run else None

    def restore_cleanly(self, name: str) -> Run | None:
        """Nothing is in the way any more."""
        self.world.is_open = True
        self.world.controllers[name].is_writable = True
        for region, key in self.world.keys.items():
            if key.state == "PendingDeletion":
                self.world.change(region, "CancelKeyDeletion")
        if name in self.paused:
            self.resume(name, True)
        self.world.wait(_PAUSE)
        before = {region: key.state for region, key in self.world.keys.items()}
        run = self._start(name, "restore", Setup())
        if run:
            self._check_clean(run, before)
        return run

    def _note(self, kind: str, name: str) -> str:
        at, outage = self.world.notice
        if not outage or not kind:
            return ""
        url = f"https://support.example.com/browse/{TICKETS[0]}?focusedCommentId={at}"
        return url if kind == "url" else iso(at + self.world.controllers[name].offset)

    def _start(self, name: str, entry_point: str, setup: Setup, stop: str = "", *, dies: bool = True) -> Run | None:
        controller = self.world.controllers[name]
        run = Run(self.world, controller, entry_point, setup)
        return self._finish(run, stop, dies=dies)

    def _finish(self, run: Run, stop: str = "", *, dies: bool = True) -> Run | None:
        for step in run.steps:
            if step == stop and run.is_alive:
                name = run.controller.name
                if dies or name in self.paused:
                    run.end()
                else:
                    self.paused[name] = run
                self._check_comments(run)
                return None
        self._check_comments(run)
        if run.result:
            getattr(self, f"_check_{run.entry_point}")(run)
        return run

    def _finish_disturbed(self, run: Run) -> Run | None:
        """End a run during which something else happened: what it has read and what it writes may be out of date."""
        began = run.seconds(run.parts["started_at"])
        for outage in self.world.outages:
            if outage.ended_at is None or outage.ended_at >= began:
                outage.is_disturbed = True
        return self._finish(run)

    # What must hold.

    def _check_restore(self, run: Run) -> None:
        status, last = run.result["status"], self._last(run)
        if run.setup.check_mode:
            return
        self._check_keys(run)
        if status in _WELL:
            self._require_notified(run, last)
        elif status == "nothing_to_restore":
            if not run.view.complete or (last and last.number in run.view.outages):
                raise BrokenError(f"silent: {last} was lost, and the run says that nothing was: {run.as_text()}")
            if "nothing announced" not in run.headline():
                raise BrokenError("silent: the headline does not say that nothing was announced")
        elif status == "handover_pending" and "ATLASSIAN HAS NOT BEEN NOTIFIED" not in run.summary():
            raise BrokenError(f"silent: {run.summary()}")

    def _last(self, run: Run) -> Outage | None:
        """The last restoration at the moment when the run asked CloudTrail."""
        return self.world.outages[run.view.last - 1] if run.view.last else None

    def _require_notified(self, run: Run, last: Outage | None) -> None:
        if run.relied_on:
            self._check_reliance(run)
            return
        if last is None or self.world.is_notified(last) or last.number not in run.view.outages:
            return
        if self._is_believed(run):
            last.is_told_by_person = True
        else:
            raise BrokenError(f"silent: Atlassian was not notified of {last}: {run.as_text()}")

    def _check_reliance(self, run: Run) -> None:
        """Another reference counts only where nothing is known, and only in a comment of our own account."""
        comment = self.world.comments[int((run.relied_on or {})["comment_id"]) - 1]
        is_ours = comment.author == "us" and (self.world.knows_us or not self.world.hides_emails)
        changed = any(key["changed"] for key in run.result["keys"])
        if not is_ours or changed or run.view.complete or run.view.reference:
            raise BrokenError(f"silent: the run relies on comment {comment.number}: {run.as_text()}")
        if run.entry_point == "restore" and "This relies on comment" not in run.summary():
            raise BrokenError("silent: the summary does not say on which comment the run relies")

    def _is_believed(self, run: Run) -> bool:
        """Whether a person's word stands that nobody can check: a URL that has ended no restoration here."""
        told = run.told or {}
        is_new = told.get("url") and told.get("note") not in run.view.used_notes
        return told.get("by") == "person" and bool(is_new)

    def _check_keys(self, run: Run) -> None:
        if run.parts["settings"]["problems"]:
            return
        faults = {*run.setup.refused, *run.setup.unanswered}
        for key in run.result["keys"]:
            state = self.world.keys[key["region"]].state
            if state == "Disabled" and key["region"] not in faults and not run.was_disturbed:
                raise BrokenError(f"disabled: the key in {key['region']} is left disabled: {run.as_text()}")

    def _check_clean(self, run: Run, before: dict[str, str]) -> None:
        status, last = run.result["status"], self.world.restored
        if status not in (*_WELL, "nothing_to_restore") or not self.world.has_access:
            raise BrokenError(f"stuck: a run without faults ends with {status} (before: {before}): {run.as_text()}")
        is_excused = run.relied_on or self._is_believed(run)
        is_known = status in _WELL and last and last.number in run.view.outages
        if is_known and last and not (is_excused or self.world.is_notified(last)):
            raise BrokenError(f"stuck: Atlassian is not notified of {last}: {run.as_text()}")

    def _check_assess(self, run: Run) -> None:
        self._check_preview(run)
        if run.result["status"] not in (*OK_STATUSES, "partial", "failed"):
            raise BrokenError(f"status: {run.as_text()}")

    def _check_preview(self, run: Run) -> None:
        if _REFERENCE.search(self.world.preview):
            raise BrokenError("preview: a reference is given away before anything is restored")

    def _check_verify(self, run: Run) -> None:
        last = self._last(run)
        if run.result["status"] in ("restored", "waiting") and self.world.has_access:
            proven = run.result["status"] == "restored"
            if last and last.number in run.view.outages and proven:
                self._require_used(run, last)
            if run.result["ticket"]["told"] and not proven:
                self._require_notified(run, last)

    def _require_used(self, run: Run, last: Outage) -> None:
        for key in self.world.keys.values():
            began = max((loss.at for loss in last.losses if loss.arn == key.arn), default=0)
            if not any(arn == key.arn and at > began for arn, at in self.world.uses):
                raise BrokenError(f"proof: {key.arn} was not used since {last}: {run.as_text()}")

    def _check_revoke(self, run: Run) -> None:
        if run.result["status"] not in (*OK_STATUSES, "partial", "failed"):
            raise BrokenError(f"status: {run.as_text()}")

    # Comments.

    def _check_comments(self, run: Run) -> None:
        for comment, about in run.posted:
            self._check_claims(run, comment, about)
            self._check_twice(run, comment)
        run.posted.clear()

    def _check_claims(self, run: Run, comment: Comment, about: t.Any) -> None:
        """No comment claims what is untrue: a date, a state, that something was restored at all."""
        if run.was_disturbed:
            # It speaks of the keys as it has read them.
            return
        last = self._last(run)
        if not last and run.view.complete and not (run.setup.given or run.view.is_damaged or run.view.is_void):
            raise BrokenError(f"untrue: nothing was ever lost: {comment.body}")
        lost = re.search(r"^Access was lost (\S+); ", comment.body, re.MULTILINE)
        if lost and not (run.setup.given or run.view.is_damaged):
            self._check_date(run, lost[1])
        started = re.search(r"^Restore started (\S+), all keys usable (\S+)\.$", comment.body, re.MULTILINE)
        if not started:
            raise BrokenError(f"untrue: no times: {comment.body}")
        self._check_usable(run, started[2])
        for arn, before in re.findall(r"(arn:\S+) \(was (\w+), is Enabled\)", comment.body):
            since = about.announcement.journal.started_at
            if not self.world.state_was(arn, before, run.seconds(since)):
                raise BrokenError(f"untrue: {arn} was never {before} since {since}: {comment.body}")

    def _check_date(self, run: Run, date: str) -> None:
        """The date is that of a loss which nothing has undone, as far as the run could know."""
        for outage in self.world.outages:
            for loss in self.world.events_of(outage):
                if date not in (iso(loss.at + self.world.aws_offset), iso(loss.at + run.controller.offset)):
                    continue
                is_last = outage.number in (run.view.last, len(self.world.outages))
                if is_last or outage.number in run.view.unseen_end or run.view.last not in run.view.outages:
                    return
        raise BrokenError(f"untrue: access was not lost at {date}: {run.as_text()}")

    def _check_usable(self, run: Run, date: str) -> None:
        last = self._last(run)
        ended_at = last.ended_at if last and last.number in run.view.outages else None
        # Two seconds of rounding.
        if ended_at is not None and run.seconds(date) < ended_at - 2:
            raise BrokenError(f"untrue: the keys were not usable at {date}: {run.as_text()}")

    def _check_twice(self, run: Run, comment: Comment) -> None:
        if not comment.outage:
            return
        outage = self.world.outages[comment.outage - 1]
        earlier = [item for item in self.world.notices(outage) if item.number < comment.number]
        if not earlier and not outage.is_told_by_person:
            return
        reason = self._why_twice(run, comment, outage, earlier)
        if not reason:
            raise BrokenError(f"twice: {outage} was announced before: {run.as_text()} {earlier}")
        self.twice.append(reason)

    def _why_twice(self, run: Run, comment: Comment, outage: Outage, earlier: list[Comment]) -> str:
        here = [item for item in earlier if item.ticket == comment.ticket]
        if not earlier:
            return TWICE[3]
        if not here:
            return TWICE[0]
        if any(item.shows_at > run.view.read_at > item.at for item in here):
            return TWICE[2]
        if run.was_disturbed or outage.is_disturbed or any(item.at >= run.view.read_at for item in here):
            return TWICE[1]
        losses = {loss.number for loss in outage.losses}
        # A comment may speak of an earlier loss although it was written after this one, which CloudTrail did not show yet.
        meant = [item for item in here if not item.basis or losses & set(item.basis[0])]
        reference = run.view.reference
        is_known = bool(reference) and reference in comment.body and any(reference in item.body for item in meant)
        is_named = any(item.basis and item.basis == run.view.basis for item in here)
        if run.view.is_void:
            return TWICE[5]
        return "" if is_known or is_named else TWICE[4]


def new_history(
    aws_offset: int = 0, desk_offset: int = 0, *, hides_emails: bool = False, knows_us: bool = True
) -> History:
    """A history that begins with two healthy keys, an open ticket and two controllers that remember nothing."""
    return History(World(aws_offset, desk_offset, hides_emails, knows_us))
