"""Runs of the playbooks in the simulated world: the collection's own functions, in the order of the role's task files.

What the modules and actions do around them is here, and nothing of what they decide. ``yield`` marks the moments at which a
run may be killed, or at which something else may happen.
"""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from dataclasses import asdict, dataclass, field, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail import revocation
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.events import TrailEvent
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import KeyMetadata, Plan, Wish
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import plan as plan_key
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import (
    _announcement,
    _checks,
    _decided,
    _deciding,
    _desk,
    _journal,
    _keys,
    _lock,
    _note,
    _notified,
    _result,
    _run,
    _settings,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from tests.tools.losses import over_all

from .world import ACCOUNT, LOOKBACK, OUR_MAIL, REGIONS, Comment, Controller, Event, Json, World, http_date, iso, moment

ORG: t.Final = "acme"
ALIAS: t.Final = "alias/atlassian-cmk"
RETRIES: t.Final = 1  # __cmk_desk_retries; the role's is 6
_URL: t.Final = "https://support.example.com/rest/servicedeskapi/request"
_USUAL: t.Final[Json] = {
    "org": ORG,
    "realm": "United States",
    "key": ALIAS,
    "account_id": ACCOUNT,
    "support_url": "https://support.example.com",
    "report_dir": "/reports",
    "has_token": True,
    "atlassian_account_id": "444455556666",
    "site_status": 200,
    "verify_limit": 0,
    "verify_interval": 300,
    "wait_timeout": 300,
    "wait_reads": 3,
    "wait_delay": 0.5,
}
_FILES: t.Final = {"journal": "restoration.json", "access": "access.json", "revocation": "revocation.json"}

Steps = t.Iterator[str]


@dataclass(frozen=True)
class Setup:
    """What a run is given, and what fails while it runs."""

    mode: str = "api"
    note: str = ""  # cmk_ticket_told
    given: str = ""  # cmk_revoked_at
    check_mode: bool = False
    unread: tuple[str, ...] = ()  # regions of which CloudTrail cannot be read
    slow: tuple[str, ...] = ()  # regions that do not answer while the run plans
    refused: tuple[str, ...] = ()  # regions in which AWS refuses EnableKey
    unanswered: tuple[str, ...] = ()  # regions in which the answer to EnableKey never comes
    posts: tuple[str, ...] = ()  # what becomes of each comment that is posted; then all is well
    reads: str = "ok"  # the desk's reads: ok, down, or down once a comment was sent

    @property
    def is_clean(self) -> bool:
        """Whether nothing fails."""
        return not (self.unread or self.slow or self.refused or self.unanswered or self.posts or self.reads != "ok")


@dataclass
class View:
    """What a run could know in truth."""

    outages: set[int] = field(default_factory=set)  # of which it could know
    complete: bool = False  # CloudTrail could be read in every region
    basis: tuple[t.Any, ...] = ()  # names the loss, if CloudTrail shows all of it
    asked_at: int = 0
    last: int = 0  # the last outage that was over when it asked
    unseen_end: set[int] = field(default_factory=set)  # outages whose end CloudTrail did not show
    read_at: int = 0  # when it read the ticket
    reference: str = ""  # that of the journal, at its beginning
    journal_basis: tuple[t.Any, ...] = ()  # by which it was made
    is_damaged: bool = False  # the journal was
    is_void: bool = False  # the run that wrote the journal was killed before it knew that no key was lost
    used_notes: frozenset[str] = frozenset()  # that have ended a restoration by this folder


@dataclass
class Run:
    """One run of a playbook."""

    world: World
    controller: Controller
    entry_point: str
    setup: Setup
    number: int = 0
    view: View = field(default_factory=View)
    parts: Json = field(default_factory=dict)
    result: Json = field(default_factory=dict)
    text: str = ""  # of the comment
    relied_on: Json | None = None
    told: Json | None = None  # what the journal ends with
    ended: _run.Run = field(default_factory=_run.Run)  # as it was at its end
    posted: list[tuple[Comment, _run.Run]] = field(
        default_factory=list
    )  # with the run as it was when it wrote the text
    is_alive: bool = True
    was_disturbed: bool = False  # it stopped on its way, and something happened meanwhile

    def __post_init__(self) -> None:
        self.world.runs += 1
        self.number = self.world.runs
        self.steps: Steps = getattr(self, f"_{self.entry_point}")()

    # The controller.

    @property
    def now(self) -> str:
        """The time by the controller's clock."""
        return iso(self.world.now + self.controller.offset)

    def seconds(self, text: str) -> int:
        """A time by the controller's clock as one of the world."""
        return int((dt.datetime.fromisoformat(text) - moment(0)).total_seconds()) - self.controller.offset

    def _records(self) -> _decided.Records:
        files = self.controller.files
        return _decided.Records(**{name: files.get(file, "") for name, file in _FILES.items()})

    def _write(self, name: str, text: str) -> bool:
        if self.controller.is_writable:
            self.controller.files[_FILES[name]] = text
        return self.controller.is_writable

    def _holder(self) -> _lock.Holder:
        return _lock.Holder(self.number, str(self.number), "boot", ORG, "host", self.now, self.now)

    def _acquire(self) -> Json:
        """As controller_lock does: the refusal if another run holds the lock."""
        mine, holder = self._holder(), self.controller.lock
        pid = holder.pid if holder else 0
        started = str(pid) if pid in self.world_alive else None
        if holder and _lock.is_held_by_another(holder, mine, started):
            return dict(vars(refusal("other_run_notifies", pid=holder.pid, host=holder.host, since=holder.since)))
        if self.controller.is_writable:
            self.controller.lock = mine
        return {}

    @property
    def world_alive(self) -> set[int]:
        """The runs that have not ended."""
        return t.cast("set[int]", self.world.__dict__.setdefault("alive", set()))

    # What all commands share.

    def _begin(self) -> None:
        setup, started_at = self.setup, self.now
        mode = {"support_mode": setup.mode, "ticket": self.world.ticket}
        more = {"ticket_told": setup.note, "revoked_at": setup.given, "now": started_at, "confirm": ORG}
        settings = _settings.read_settings(
            {**_USUAL, **mode, **more}, {"United States": list(REGIONS)}, COMMANDS[self.entry_point]
        )
        problems = settings.problems or tuple(self._early_note(started_at))
        names = ("plan", "change", "trust_plan", "trust_change", "revocation", "decided", "seen", "ticket")
        self.parts = {
            **{name: {} for name in names},
            "entry_point": self.entry_point,
            "check_mode": setup.check_mode,
            "settings": replace(settings, problems=problems).as_json(),
            "comment": "",
            "error": "",
            "user": "",
            "organizations": 1,
            "brief": True,
            "started_at": started_at,
        }
        self.world_alive.add(self.number)
        journal = _journal.read_journal(self.controller.files.get("restoration.json", ""), ORG) or _journal.Journal()
        self.view.reference, self.view.is_damaged = journal.reference, journal.is_damaged
        self.view.is_void = self.controller.is_void
        self.view.journal_basis = self.controller.basis if journal.reference else ()
        self.view.used_notes = frozenset(self.controller.used_notes)

    def _early_note(self, now: str) -> list[str]:
        """As the step read_settings does."""
        note = _note.parse_note(self.setup.note, now) if self.setup.note and self.entry_point == "restore" else ""
        journal = _journal.read_journal(self.controller.files.get("restoration.json", ""), ORG)
        if isinstance(note, str) or not journal or journal.told:
            return []
        problem = _note.why_too_early(note, journal.restored_at)
        return [f"cmk_ticket_told {problem}"] if problem else []

    def _run(self) -> _run.Run:
        return _run.Run.from_json({**self.parts, "now": self.now})

    def _found(self) -> list[_keys.Key]:
        return [key for key in self._run().found if key.arn]

    # AWS.

    def _plan(self) -> None:
        wish = Wish(state="disabled" if self.entry_point == "revoke" else "enabled", account_id=ACCOUNT)
        keys = [self._planned(region, wish) for region in REGIONS]
        answered = len(keys) > len(self.setup.slow)
        self.parts["plan"] = {"keys": keys, "clock_offset": self._aws_ahead() if answered else None}

    def _aws_ahead(self) -> float:
        return float(self.world.aws_offset - self.controller.offset)

    def _planned(self, region: str, wish: Wish) -> Json:
        self.world.wait(1)
        key = self._key(region, "" if region in self.setup.slow else self.world.keys[region].state)
        if region in self.setup.slow:
            late = refusal("not_reached", operation="DescribeKey", region=region, message="not reachable yet.")
            return {**key, "arn": None, "key_id": None, "account_id": None, **vars(late)}
        plan = plan_key(KeyMetadata({"Arn": key["arn"], "KeyState": key["key_state_before"]}), wish)
        if isinstance(plan, Refusal):
            return {**key, **vars(plan)}
        return {**key, "key_state": plan.after, "actions": list(plan.actions), "changed": bool(plan.actions)}

    def _key(self, region: str, state: str) -> Json:
        arn = self.world.keys[region].arn
        call = {"operation": "DescribeKey", "at": self.now, "error": "" if state else "NoAnswer", "request_id": ""}
        return {
            "region": region,
            "reference": ALIAS,
            "key_id": arn.rpartition("/")[2],
            "arn": arn,
            "account_id": ACCOUNT,
            "key_state": state or None,
            "key_state_before": state or None,
            "actions": [],
            "calls": [call],
            "changed": False,
            "waited": 0.0,
            "code": "",
            "error": "",
            "hint": "",
        }

    def _change(self, operation: str) -> Steps:
        done = []
        for target in self.parts["decided"]["targets"]:
            self.world.wait(1)
            done.append(self._changed(target, operation))
            yield "one key"
        self.world.wait(3)
        self.parts["change"] = {"keys": [self._settled(key) for key in done], "clock_offset": self._aws_ahead()}

    def _changed(self, target: Json, operation: str) -> Json:
        region, world = target["region"], self.world
        key = self._key(region, world.keys[region].state)
        if target.get("expected_arn") not in (None, key["arn"]):
            seen = {"expected": target["expected_arn"], "seen": key["arn"]}
            return {**key, **vars(refusal("alias_moved", reference=ALIAS, region=region, **seen))}
        wish = Wish(state="enabled" if operation == "EnableKey" else "disabled", account_id=ACCOUNT)
        plan = plan_key(KeyMetadata({"Arn": key["arn"], "KeyState": key["key_state_before"]}), wish)
        if isinstance(plan, Refusal):
            return {**key, **vars(plan)}
        return self._carry_out(key, plan, operation) if plan.actions else key

    def _carry_out(self, key: Json, plan: Plan, operation: str) -> Json:
        region, world = key["region"], self.world
        call = {"operation": operation, "at": self.now, "error": "", "request_id": ""}
        if region in self.setup.refused:
            denied = refusal("access_denied", operation=operation, region=region, message="no.", action="kms:EnableKey")
            return {**key, "calls": [*key["calls"], {**call, "error": "AccessDeniedException"}], **vars(denied)}
        self.view.outages.add(world.current)
        world.change(region, operation)
        if region in self.setup.unanswered:
            lost = refusal("not_reached", operation=operation, region=region, message="no answer.")
            return {**key, "calls": [*key["calls"], {**call, "error": "NoAnswer"}], **vars(lost)}
        calls = [*key["calls"], call]
        return {**key, "key_state": plan.after, "actions": list(plan.actions), "changed": True, "calls": calls}

    def _settled(self, key: Json) -> Json:
        """Read a changed key again, as the module does until AWS agrees."""
        if not key["changed"]:
            return key
        state = self.world.all_keys[key["arn"]].state
        call = {"operation": "DescribeKey", "at": self.now, "error": "", "request_id": ""}
        key = {**key, "calls": [*key["calls"], call]}
        if state == key["key_state"]:
            return key
        seen = {"wanted": key["key_state"], "reads": 3, "timeout": "300", "seen": state}
        return {**key, "key_state": state, **vars(refusal("not_settled", arn=key["arn"], **seen))}

    def _ask(self) -> None:
        """As kms_key_revocation_info does."""
        self.world.wait(1)
        found = [self._history(key) for key in self._found()]
        self.parts["revocation"] = {"keys": found, "caller": None, **over_all(found)} if found else {}
        self._note_what_could_be_known()

    def _history(self, key: _keys.Key) -> Json:
        region, arn = key.region, str(key.arn)
        nothing = {"policy": None, "grants": None, "access_reason": "denied."}
        if region in self.setup.unread:
            unknown = {"looked_up": False, "complete": False, "events": [], "reason": "CloudTrail did not answer."}
            return {"region": region, "arn": arn, **nothing, **unknown, **revocation.find_revocation([]).as_result()}
        visible = reversed(self.world.visible(arn))
        answered = [TrailEvent.from_answer(self._boto_event(event)) for event in visible]
        events = revocation.read_access_events(answered, region)
        found = revocation.find_revocation(events)
        why = None if found.is_current else revocation.why_none(found, key.key_state_before, LOOKBACK // 86400)
        read = {"looked_up": True, "complete": True, "events": [asdict(event) for event in events], "reason": why}
        read |= found.as_result()
        return {"region": region, "arn": arn, **nothing, **read}

    def _boto_event(self, event: Event) -> Json:
        at = moment(event.at + self.world.aws_offset)
        return {"EventName": event.name, "EventTime": at, "EventId": f"e{event.number}", "Username": "somebody"}

    def _note_what_could_be_known(self) -> None:
        view, world, controller = self.view, self.world, self.controller
        found = {key.region for key in self._found()}
        unread = {*self.setup.unread, *(region for region in REGIONS if region not in found)}
        view.outages |= {controller.journal_outage, controller.revoked_outage}
        view.outages |= {outage.number for outage in world.outages if world.shows(outage, unread)}
        view.outages |= {outage.number for outage in world.outages if self._is_given(outage.losses[0])}
        view.asked_at, view.complete = world.now, not unread
        view.last = world.restored.number if world.restored else 0
        view.unseen_end = {
            outage.number
            for outage in world.outages
            for event in world.events_of(outage)
            if event.shows_at > world.now or event.region in unread or event.at < world.now - LOOKBACK
        }
        last = world.outages[-1] if world.outages else None
        arns = tuple(sorted(key.arn for key in world.keys.values()))
        losses = tuple(loss.number for loss in last.losses) if last else ()
        view.basis = (losses, arns, self.setup.given) if last and world.shows_all(last, unread) else ()

    def _is_given(self, loss: Event) -> bool:
        return bool(self.setup.given) and self.setup.given >= iso(loss.at + self.controller.offset)

    # The journal and what is decided.

    def _begin_run(self) -> None:
        """As the step begin does."""
        refused = {} if self.setup.check_mode else self._acquire()
        decided = replace(_deciding.begin_run(self._run(), self._records()), lock={"holder": refused or None})
        self.parts["decided"] = decided.as_json()
        if decided.changes and decided.begun and self.entry_point == "restore" and not self.setup.check_mode:
            self._keep(decided.begun)

    def _settle_run(self) -> None:
        """As the step settle does."""
        records, run = self._records(), self._run()
        if not self.parts["decided"]:
            run = replace(run, decided=_deciding.begin_run(run, records))
        decided = _deciding.settle_run(run, records, f"{self.number:016x}")
        held = self.controller.lock and self.controller.lock.pid == self.number
        if decided.announcement and decided.announcement.reference == self.view.reference:
            self.view.basis = self.view.journal_basis
        if self.view.is_void:
            self.view.basis = ()
        is_restore = self.entry_point == "restore" and not self.setup.check_mode
        if is_restore and decided.announces and not decided.ticket.told and not held and (other := self._acquire()):
            decided = replace(decided, ticket=decided.ticket.failed(other))
        self.parts["decided"] = decided.as_json()
        self.parts["ticket"] = asdict(decided.ticket)

    def _keep(self, begun: _journal.Journal) -> None:
        """Write the journal before the first key changes."""
        if self._write("journal", _journal.write_journal(begun)):
            self.controller.journal_outage = max(self.controller.journal_outage, self.world.current)
            self.controller.is_void = not any(key["actions"] for key in self.parts["plan"]["keys"])

    # The desk.

    def _announcement(self) -> _announcement.Announcement:
        announcement = self._run().announcement
        assert announcement
        return announcement

    def _read_ticket(self, attempt: int = 1, *, is_sent: bool = False) -> _desk.Look:
        self.world.wait(1)
        is_down = self.setup.reads == "down" or (self.setup.reads == "down later" and is_sent)
        reader = Reader(
            lambda url: self._get(url, is_down=is_down),
            lambda seconds, _why: self.world.wait(int(seconds)),
            attempt,
            RETRIES,
            clock=lambda: 0.0,
            now=lambda: moment(self.world.now + self.controller.offset),
        )
        look = reader.ticket(f"{_URL}/{self.world.ticket}", ORG, OUR_MAIL)
        self.view.read_at = self.world.now
        return look

    def _comment_on(self, look: _desk.Look, *, already_told: bool) -> Json | None:
        found = _notified.find_comment(self._announcement(), look, already_told=already_told)
        return asdict(found) if found else None

    def _get(self, url: str, *, is_down: bool) -> Json:
        world = self.world
        if is_down:
            return {"status": -1, "url": url, "msg": "Request failed: timed out"}
        answer = {"status": 200, "url": url, "date": http_date(world.now + world.desk_offset)}
        if url.endswith("/myself"):
            return {**answer, "json": {"accountId": "id-us"}} if world.knows_us else {**answer, "status": 403}
        if "/comment?" not in url:
            data = {"currentStatus": {"status": "Open"}, "actions": {"addComment": {"allowed": world.is_open}}}
            return {**answer, "json": data}
        shown = [item for item in world.comments if item.ticket == world.ticket and item.shows_at <= world.now]
        return {**answer, "json": {"values": [self._as_stored(item) for item in shown], "isLastPage": True}}

    def _as_stored(self, comment: Comment) -> Json:
        mail = OUR_MAIL if comment.author == "us" else f"{comment.author}@example.com"
        return {
            "id": str(comment.number),
            "body": comment.body,
            "created": {"iso8601": iso(comment.at + self.world.desk_offset)},
            "author": {
                "accountId": f"id-{comment.author}",
                "displayName": comment.author,
                **({} if self.world.hides_emails else {"emailAddress": mail}),
            },
        }

    def _write_comment(self, look: _desk.Look | None = None) -> Json:
        """As write_comment does; return why the comment cannot be posted."""
        run = self._run()
        text = render("restore_comment.txt.j2", **_run.shown(run))
        if not run.is_preview:
            text = _announcement.with_reference(text, self._announcement().reference)
        else:
            self.world.preview = text
        self.text, self.parts["comment"] = text, text
        return dict(_desk.unfit_comment(text, self.world.ticket, look))

    def _post(self, attempt: int) -> _desk.Answer:
        """Send the comment; return the desk's answer."""
        world = self.world
        world.wait(1)
        what, *rest = self.setup.posts or ("ok",)
        self.setup = replace(self.setup, posts=tuple(rest))
        answer: Json = {"status": 500, "url": f"{_URL}/{world.ticket}/comment", "json": {"errorMessage": "no"}}
        answer["date"] = http_date(world.now + world.desk_offset)
        if what in ("ok", "answer lost", "later") and world.is_open:
            outage = world.restored.number if world.restored else 0
            facts = {"outage": outage, "by_run": self.number, "basis": self.view.basis}
            comment = world.comment(self.text, "us", later=120 if what == "later" else 0, **facts)
            self.posted.append((comment, self._run()))
            answer |= {"status": 201, "json": self._as_stored(comment)} if what == "ok" else {}
        if what == "answer lost":
            answer |= {"status": -1, "msg": "Request failed: timed out"}
        return _desk.read_answer(answer, attempt, moment(self.world.now + self.controller.offset))

    def _notify_by_api(self) -> Steps:
        """As ticket/api.yml does."""
        look = self._read_ticket()
        yield "ticket read"
        known = self._comment_on(look, already_told=True)
        if not look.ok or known:
            self.parts["ticket"] = known or look.why
            return
        if problem := self._write_comment(look):
            self.parts["ticket"] = problem
        elif not self.setup.check_mode:
            yield from self._comment()

    def _comment(self) -> Steps:
        """As ticket/comment.yml does."""
        attempt = 1
        while True:
            answer = self._post(attempt)
            yield "comment sent"
            stored = _announcement.posted(answer, ORG, self._announcement())
            if stored:
                self.parts["ticket"] = asdict(_notified.Ticket.from_mention(stored, already_told=False))
                return
            self.world.wait(int(answer.wait))
            look = self._read_ticket(attempt + 1, is_sent=True)
            attempt = look.attempt
            if known := self._comment_on(look, already_told=False):
                self.parts["ticket"] = known
                return
            self.parts["ticket"] = _desk.not_told(answer, look)
            if not (answer.retry and look.ok and attempt <= RETRIES):
                return

    def _notify(self) -> Steps:
        """As the files in ticket/ do."""
        decided = self._run().decided
        if not decided.announces or decided.ticket != _notified.Ticket():
            return
        if self.setup.mode == "api":
            yield from self._notify_by_api()
        elif not self.setup.check_mode:
            self._write_comment()
            restored = self.world.restored
            outage = restored.number if restored else 0
            self.world.handed_over = (self.text, outage, self.view.basis)
        else:
            self._write_comment()

    # The commands.

    def _restore(self) -> Steps:
        """As commands/restore.yml does."""
        self._begin()
        if not self.parts["settings"]["problems"]:
            self._plan()
            yield "plan"
            self._begin_run()
            yield "journal"
            if self.parts["decided"]["changes"] and not self.setup.check_mode:
                yield from self._change("EnableKey")
            yield "keys"
            self._ask()
            yield "asked"
            self._settle_run()
            yield "settled"
            yield from self._notify()
            yield "notified"
        self._report()
        yield "ended"

    def _assess(self) -> Steps:
        """As commands/assess.yml does."""
        self._begin()
        if not self.parts["settings"]["problems"]:
            self._plan()
            self._ask()
            self._settle_run()
            if self.setup.mode == "api":
                look = self._read_ticket()
                found = _notified.find_standing(self._announcement(), look, self.world.ticket)
                self.parts["ticket"] = asdict(found)
            if not any(part.error for part in self._run().parts):
                self._write_comment()
        self._report()
        yield "ended"

    def _revoke(self) -> Steps:
        """As commands/revoke.yml does."""
        self._begin()
        if self._acquire():
            self.is_alive = False
            return
        self._plan()
        self._ask()
        self.parts["decided"] = _deciding.decide_revocation(self._run(), self._records()).as_json()
        yield "plan"
        yield from self._change("DisableKey")
        self._report()
        yield "ended"

    def _verify(self) -> Steps:
        """As commands/verify.yml and the step verify do, for one look."""
        self._begin()
        if not self.parts["settings"]["problems"]:
            self._plan()
            self._ask()
            self._settle_run()
            seen: Json = {"keys": self.parts["plan"]["keys"], "timed_out": False, "looks": 1, "sites": [], "look": {}}
            if self.setup.mode == "api":
                seen["look"] = asdict(self._read_ticket())
            self.parts["seen"] = {**seen, "use": []}
            wanted = _checks.keys_to_prove(self._run(), [])
            self.parts["seen"] = {**seen, "use": [self._use(key) for key in wanted]}
        self._report()
        yield "ended"

    def _use(self, key: Json) -> Json:
        """As kms_key_use_info does."""
        offset, world = self.world.aws_offset, self.world
        uses = [at for arn, at in world.uses if arn == key["key_arn"] and iso(at + offset) >= key["since"]]
        first = {"time": iso(uses[0] + offset), "name": "Decrypt", "account_id": "444455556666"} if uses else None
        known = {"since": key["since"], "looked_up": True, "unattributed_use": None, "is_first": True}
        return {
            "region": key["region"],
            "arn": key["key_arn"],
            **known,
            "first_use": first,
            "reason": "" if first else "no use.",
        }

    def _report(self) -> None:
        """As the step report does."""
        run, writes = self._run(), not self.setup.check_mode
        announced = run.announcement
        journal = _deciding.journal_to_keep(run) if writes else None
        if journal is not None and self._write("journal", journal):
            if announced and announced.nothing_lost:
                # The journal of before: no restoration has begun.
                self.controller.is_void = False
            else:
                self._remembered(_journal.read_journal(journal, ORG))
        record = _deciding.revocation_to_keep(run) if writes else None
        if record is not None and self._write("revocation", record):
            self.controller.revoked_outage = self.world.outages[-1].number
        self.ended = run
        self.result = _result.make_result(run)
        shown = _run.shown(run)
        self.relied_on = shown["cmk_told_relied_on"]
        self.told = dict(announced.journal.told or {}) if announced else None
        if writes and self.controller.lock and self.controller.lock.pid == self.number:
            self.controller.lock = None
        self.end()

    def _remembered(self, journal: _journal.Journal | None) -> None:
        self.controller.basis = self.view.basis
        note = ((journal and journal.told) or {}).get("note")
        if note:
            self.controller.used_notes.add(note)
        if self.view.last in self.view.outages:
            # By now the journal speaks of the last restoration.
            self.controller.journal_outage = max(self.controller.journal_outage, self.view.last)

    def headline(self) -> str:
        """The headline of report and screen."""
        return str(evidence({**_run.evidence_parts(self.ended), "result": self.result})["verdict"]["headline"])

    def summary(self) -> str:
        """The summary, as the screen shows it."""
        run = self.ended
        ended = {"cmk_result": self.result, "cmk_folder": "", "cmk_entry_point": self.entry_point}
        more = {
            "ansible_check_mode": run.check_mode,
            "cmk_headline": self.headline().upper(),
            "cmk_next": "",
            "cmk_rows": [],
            "cmk_repeats": [],
        }
        return render("summary.txt.j2", **more, **_run.shown(run), **ended)

    def end(self) -> None:
        """End, or be killed."""
        self.is_alive = False
        self.world_alive.discard(self.number)

    def as_text(self) -> str:
        """The run for a message."""
        return json.dumps({"run": self.number, "setup": asdict(self.setup), "result": self.result}, default=str)
