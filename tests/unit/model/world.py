"""The world that the rules act in, with a clock of its own: AWS KMS, CloudTrail, the support desk, controllers and people.

It knows the truth. A run sees no more of it than the real one would: AWS by AWS's clock, CloudTrail minutes late, the desk by
the desk's clock.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import Holder

REGIONS: t.Final = ("us-east-1", "us-west-2")
ACCOUNT: t.Final = "111122223333"
OUR_MAIL: t.Final = "operator@example.com"
TICKETS: t.Final = ("CMK-1", "CMK-2")
LATEST: t.Final = 15 * 60  # CloudTrail shows an event after 15 minutes at the latest
LOOKBACK: t.Final = 90 * 86400
_BEGIN: t.Final = dt.datetime(2026, 1, 5, 3, tzinfo=dt.UTC)

Json = dict[str, t.Any]
_TAKES: t.Final = ("DisableKey", "ScheduleKeyDeletion")


@functools.lru_cache(maxsize=4096)
def moment(seconds: int) -> dt.datetime:
    """A time of the world as a datetime."""
    return _BEGIN + dt.timedelta(seconds=seconds)


@functools.lru_cache(maxsize=4096)
def iso(seconds: int) -> str:
    """A time of the world in ISO 8601."""
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """A time of the world as in the header Date."""
    return email.utils.format_datetime(moment(seconds), usegmt=True)


@dataclass
class Key:
    """A key of AWS KMS, and every state that it has had."""

    region: str
    arn: str
    state: str = "Enabled"
    states: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Event:
    """A change of a key, as AWS logs it: ``at`` is the world's time."""

    number: int
    arn: str
    region: str
    name: str
    at: int
    shows_at: int


@dataclass
class Outage:
    """A time without access: from the first key's loss until every key is usable."""

    number: int
    losses: list[Event] = field(default_factory=list)
    ended_at: int | None = None
    last_event: Event | None = None
    is_told_by_person: bool = False
    is_disturbed: bool = False  # a run that was under way meanwhile went on afterwards

    @property
    def name(self) -> str:
        """Its number, for messages."""
        return f"outage {self.number}"


@dataclass(frozen=True)
class Comment:
    """A comment on a ticket. ``outage`` is the number of the restoration that it truly announces; 0 if none."""

    number: int
    ticket: str
    body: str
    author: str
    at: int
    shows_at: int
    outage: int = 0
    by_run: int = 0
    basis: tuple[t.Any, ...] = ()  # what the run that wrote it knew of the loss


@dataclass
class Controller:
    """A machine that runs playbooks, and what its folder remembers."""

    name: str
    offset: int = 0  # its clock minus the world's
    files: dict[str, str] = field(default_factory=dict)
    is_writable: bool = True
    lock: Holder | None = None
    # What the folder remembers, in truth: the outage that the journal was begun in, and that of our own revocation.
    journal_outage: int = 0
    revoked_outage: int = 0
    is_void: bool = False  # the journal was begun for keys that did not answer the plan
    basis: tuple[t.Any, ...] = ()  # by which the journal's reference was made
    used_notes: set[str] = field(default_factory=set)

    def lose_folder(self) -> None:
        """A new container: nothing is remembered."""
        self.files.clear()
        self.lock = None
        self.journal_outage = self.revoked_outage = 0
        self.is_void, self.basis = False, ()
        self.used_notes.clear()


@dataclass
class World:
    """Everything, and the truth about it."""

    aws_offset: int = 0
    desk_offset: int = 0
    hides_emails: bool = False
    knows_us: bool = True  # the desk says who we are
    now: int = 0
    lateness: int = 0  # of the events that are logged from now on, in seconds
    ticket: str = TICKETS[0]
    is_open: bool = True
    keys: dict[str, Key] = field(default_factory=dict)  # those that the aliases stand for, by region
    all_keys: dict[str, Key] = field(default_factory=dict)  # by ARN
    events: list[Event] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    controllers: dict[str, Controller] = field(default_factory=dict)
    uses: list[tuple[str, int]] = field(default_factory=list)  # of keys, by Atlassian
    # The text that a run handed over last, the outage that it speaks of, and what the run knew of the loss.
    handed_over: tuple[str, int, tuple[t.Any, ...]] = ("", 0, ())
    preview: str = ""  # what a run that only reads has shown last
    notice: tuple[int, int] = (0, 0)  # when a person notified Atlassian last, and of which outage
    runs: int = 0

    def __post_init__(self) -> None:
        for region in REGIONS:
            self.replace_key(region)
        self.controllers = {name: Controller(name) for name in ("one", "two")}

    def replace_key(self, region: str) -> None:
        """Re-encrypt: the alias stands for a new key from now on."""
        arn = f"arn:aws:kms:{region}:{ACCOUNT}:key/{len(self.all_keys):08x}-12ab-34cd-56ef-1234567890ab"
        self.keys[region] = Key(region, arn, states=[(self.now, "Enabled")])
        self.all_keys[arn] = self.keys[region]

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += seconds

    @property
    def has_access(self) -> bool:
        """Whether every key is usable."""
        return all(key.state == "Enabled" for key in self.keys.values())

    @property
    def restored(self) -> Outage | None:
        """The last outage that is over."""
        return next((outage for outage in reversed(self.outages) if outage.ended_at is not None), None)

    @property
    def current(self) -> int:
        """The number of the outage that is not over; 0 if there is none."""
        return self.outages[-1].number if self.outages and self.outages[-1].ended_at is None else 0

    def change(self, region: str, operation: str, lateness: int | None = None) -> None:
        """Change a key's state, by whomever, and log it."""
        key = self.keys[region]
        new = {"EnableKey": "Enabled", "ScheduleKeyDeletion": "PendingDeletion"}.get(operation, "Disabled")
        late = self.lateness if lateness is None else lateness
        event = Event(len(self.events) + 1, key.arn, region, operation, self.now, self.now + late)
        self.events.append(event)
        had_access, had_key = self.has_access, key.state == "Enabled"
        key.state = new
        key.states.append((self.now, new))
        if operation in _TAKES:
            if had_access:
                self.outages.append(Outage(len(self.outages) + 1))
            if had_key:
                self.outages[-1].losses.append(event)
        elif not had_access and self.has_access:
            self.outages[-1].ended_at, self.outages[-1].last_event = self.now, event

    def events_of(self, outage: Outage) -> list[Event]:
        """All that was done to keys from an outage's first loss to its end."""
        last = outage.last_event.number if outage.last_event else len(self.events)
        return self.events[outage.losses[0].number - 1 : last]

    def visible(self, arn: str) -> list[Event]:
        """The events of a key that CloudTrail shows now."""
        return [
            event
            for event in self.events
            if event.arn == arn and event.shows_at <= self.now and event.at >= self.now - LOOKBACK
        ]

    def comment(self, body: str, author: str, **more: t.Any) -> Comment:
        """Store a comment on the ticket."""
        shows_at = self.now + more.pop("later", 0)
        comment = Comment(len(self.comments) + 1, self.ticket, body, author, self.now, shows_at, **more)
        self.comments.append(comment)
        return comment

    def notices(self, outage: Outage) -> list[Comment]:
        """The comments, on any ticket, that announce a restoration."""
        return [comment for comment in self.comments if comment.outage == outage.number]

    def is_notified(self, outage: Outage) -> bool:
        """Whether Atlassian was notified of a restoration."""
        return outage.is_told_by_person or any(comment.outage >= outage.number for comment in self.comments)

    def state_was(self, arn: str, state: str, since: int) -> bool:
        """Whether a key has had a state at any time since then."""
        states = self.all_keys[arn].states
        spans = zip(states, [*states[1:], (self.now, "")], strict=True)
        return any(name == state and end >= since for (_at, name), (end, _name) in spans)

    def shows(self, outage: Outage, unread: t.Collection[str]) -> bool:
        """Whether what CloudTrail shows now tells the loss from those before it.

        Until it shows that a key came back, its next loss cannot be told from disabling a disabled key.
        """
        return any(self._shows(event) for event in outage.losses if event.region not in unread)

    def shows_all(self, outage: Outage, unread: t.Collection[str]) -> bool:
        """Whether CloudTrail shows every loss of an outage, and names it by all of them."""
        return not unread and all(self._shows(event) for event in outage.losses)

    def _shows(self, event: Event) -> bool:
        if event.arn not in {key.arn for key in self.keys.values()} or event.at < self.now - LOOKBACK:
            return False
        until = [other for other in self.events if other.arn == event.arn and other.number <= event.number]
        return all(other.shows_at <= self.now for other in until if other.at >= self.now - LOOKBACK)
