"""What the support desk stand-in remembers: users, tickets, calls, scripted faults and plain sites. No I/O."""

from __future__ import annotations

import copy
import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

DEFAULT_USER = "operator@example.com"
DEFAULT_TOKEN = "standin-desk-token-4b1f7c9e2d60"
DEFAULT_BEARER = "standin-desk-bearer-9d27e05ac318"
DEFAULT_TICKET = "CMK-1"
DEFAULT_SEED: Mapping[str, Any] = {
    "users": [
        {"user": DEFAULT_USER, "token": DEFAULT_TOKEN, "name": "Acme operator", "kind": "customer", "tickets": "*"}
    ],
    "bearer": [{"token": DEFAULT_BEARER, "user": DEFAULT_USER}],
    "tickets": [
        {
            "key": DEFAULT_TICKET,
            "summary": "CMK access revoked: acme",
            "status": "Waiting for customer",
            "comments": [{"body": "We have lost access to your keys. Please tell us here when they are back."}],
        }
    ],
}
SUPPORT = "Support"

KEY = re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*")
CATEGORIES = ("UNDEFINED", "NEW", "INDETERMINATE", "DONE")
METHOD = re.compile(r"\*|[A-Z]+")


class InvalidError(ValueError):
    """A seed or a control request that the stand-in does not understand; the text says where and why."""


def checked(
    value: object, where: str, types: Mapping[str, type | tuple[type, ...]], required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Returns the JSON object ``value``.

    :raises InvalidError: it is no object, lacks a required field, has one that ``types`` does not name, or a wrong type.
    """
    if not isinstance(value, dict):
        raise InvalidError(f"{where}: a JSON object is needed")
    if unknown := sorted(set(value) - set(types)):
        raise InvalidError(f"{where}: unknown field {', '.join(unknown)} (known: {', '.join(sorted(types))})")
    if missing := [name for name in required if value.get(name) in (None, "")]:
        raise InvalidError(f"{where}: {', '.join(missing)} is needed")
    for name, item in value.items():
        wanted = types[name]
        kinds = wanted if isinstance(wanted, tuple) else (wanted,)
        # bool is a subclass of int in Python, not in JSON.
        if not isinstance(item, kinds) or (isinstance(item, bool) and bool not in kinds):
            raise InvalidError(f"{where}.{name}: {type(item).__name__} is the wrong type")
    return value


def listed(value: object, where: str) -> list[Any]:
    """Returns the JSON list ``value``. :raises InvalidError: it is something else."""
    if not isinstance(value, list):
        raise InvalidError(f"{where}: a list is needed")
    return value


def moment(text: str, where: str) -> datetime:
    """Parses an ISO 8601 time with its offset. :raises InvalidError: it is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidError(f"{where}: {text!r} is no ISO 8601 time") from None
    if when.tzinfo is None:
        raise InvalidError(f"{where}: {text!r} lacks the offset from UTC")
    return when.astimezone(UTC)


def now() -> datetime:
    """The time in UTC, whole milliseconds as Jira keeps it."""
    when = datetime.now(UTC)
    return when.replace(microsecond=when.microsecond // 1000 * 1000)


@dataclass
class Settings:
    """How the desk behaves from now on.

    ``clock_offset`` is how many seconds its clock is ahead: of ``Date`` headers, and of all times that it notes itself.
    ``send_date`` false leaves the header out. ``hide_emails`` gives ``null`` for every e-mail address, as Cloud does for
    accounts whose privacy settings ask for it. ``ignore_start`` answers each request of a page with the first one.
    ``platform`` is cloud or data_center, which identify accounts differently. ``jira_access`` says whether accounts have
    the permission to access Jira; None: agents have it, and customers of the portal do not.
    """

    clock_offset: int = 0
    send_date: bool = True
    hide_emails: bool = False
    ignore_start: bool = False
    platform: str = "cloud"
    jira_access: bool | None = None


@dataclass(frozen=True)
class User:
    """An account. ``tickets`` is None for every ticket; ``token`` is empty for one that only appears as an author."""

    user: str
    token: str
    name: str
    email: str | None
    kind: str
    tickets: frozenset[str] | None

    @property
    def account_id(self) -> str:
        """A stable value of the form of Atlassian's ``accountId`` (24 hexadecimal digits)."""
        return hashlib.sha256(self.user.encode()).hexdigest()[:24]

    @property
    def key(self) -> str:
        """A stable value of the form of Jira Data Center's user ``key``."""
        return f"JIRAUSER{10000 + int(self.account_id[:4], 16)}"

    def sees(self, ticket: Ticket) -> bool:
        return self.tickets is None or ticket.key in self.tickets


@dataclass
class Comment:
    id: int
    body: str
    author: str
    public: bool
    created: datetime


@dataclass
class Status:
    status: str
    category: str
    since: datetime


@dataclass
class Ticket:
    """``open`` false plays a workflow that forbids comments; ``history`` has the current status last."""

    key: str
    id: int
    summary: str
    open: bool
    reporter: str
    created: datetime
    history: list[Status]
    comments: list[Comment] = field(default_factory=list)


@dataclass
class Call:
    """One request that reached the stand-in; ``status`` is None as long as, or because, nothing was answered."""

    n: int
    time: str
    method: str
    path: str
    query: str
    auth: str
    user: str | None
    content_type: str | None
    body: Any
    status: int | None = None


@dataclass
class Fault:
    """What happens to the next ``count`` (None: all) matching requests, after the first ``skip`` of them.

    ``after`` lets the desk do its work first, so that a comment is stored and only the answer is replaced. ``drip`` sends
    the answer's body byte by byte, with that many seconds before each.
    """

    method: str = "*"
    path: str = ""
    count: int | None = 1
    skip: int = 0
    status: int | None = None
    retry_after: int | str | None = None
    html: bool = False
    invalid_json: bool = False
    redirect: str | None = None
    login_page: bool = False
    latency: float = 0
    drop: str | None = None
    drip: float = 0
    body: str | None = None
    after: bool = False
    seen: int = 0

    @property
    def applied(self) -> int:
        most = max(self.seen - self.skip, 0)
        return most if self.count is None else min(most, self.count)

    @property
    def replaces(self) -> bool:
        """Whether the desk's own answer is replaced (a fault of ``latency`` alone only delays it)."""
        given = (self.status, self.retry_after, self.redirect, self.body)
        return any(item is not None for item in given) or self.html or self.invalid_json or self.login_page


@dataclass
class Site:
    name: str
    status: int = 200
    redirect: str | None = None
    body: str = ""


FAULT_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "method": str,
    "path": str,
    "count": (int, type(None)),
    "skip": int,
    "status": int,
    "retry_after": (int, str),
    "html": bool,
    "invalid_json": bool,
    "redirect": str,
    "login_page": bool,
    "latency": (int, float),
    "drop": str,
    "drip": (int, float),
    "body": str,
    "after": bool,
}
SETTING_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "clock_offset": int,
    "send_date": bool,
    "hide_emails": bool,
    "ignore_start": bool,
    "platform": str,
    "jira_access": (bool, type(None)),
}
WORKSPACE_TYPES = {"typeKey": str, "hostUrl": str, "status": str, "statusDetails": list}
COMMENT_TYPES = {"body": str, "author": str, "public": bool, "created": str}
TICKET_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "key": str,
    "id": (int, str),
    "summary": str,
    "status": str,
    "status_category": str,
    "open": bool,
    "reporter": str,
    "created": str,
    "comments": list,
    "generate_comments": int,
}
PATCH_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "summary": str,
    "status": str,
    "status_category": str,
    "open": bool,
    "reply": (str, dict),
}


def parse_fault(value: object, where: str = "fault") -> Fault:
    """Makes a fault of a control request's JSON. :raises InvalidError: with the reason."""
    fault = Fault(**checked(value, where, FAULT_TYPES))
    if not METHOD.fullmatch(fault.method):
        raise InvalidError(f"{where}.method: an HTTP method in capitals, or *")
    if fault.drop not in (None, "before", "after"):
        raise InvalidError(f"{where}.drop: before or after")
    if fault.status is not None and not 200 <= fault.status <= 599:
        raise InvalidError(f"{where}.status: 200 to 599")
    if min(fault.skip, fault.latency, fault.drip, fault.count or 0) < 0:
        raise InvalidError(f"{where}: skip, count, latency and drip cannot be negative")
    if not (fault.replaces or fault.latency or fault.drop or fault.drip):
        raise InvalidError(f"{where}: does nothing")
    fault.after = fault.after or fault.drop == "after"
    return fault


def parse_settings(value: object, where: str, before: Settings) -> Settings:
    """Changes settings by a control request's JSON. :raises InvalidError: with the reason."""
    settings = replace(before, **checked(value, where, SETTING_TYPES))
    if settings.platform not in ("cloud", "data_center"):
        raise InvalidError(f"{where}.platform: cloud or data_center")
    return settings


def parse_site(value: object) -> Site:
    """Makes a plain web page of a control request's JSON. :raises InvalidError: with the reason."""
    types = {"name": str, "status": int, "redirect": str, "body": str}
    site = Site(**checked(value, "site", types, ("name",)))
    if not re.fullmatch(r"[A-Za-z0-9._-]+", site.name):
        raise InvalidError("site.name: letters, digits, dot, dash and underscore only")
    if not 200 <= site.status <= 599:
        raise InvalidError("site.status: 200 to 599")
    if site.redirect is not None and site.status == 200:
        site.status = 302
    return site


def parse_user(value: object, where: str) -> User:
    """Makes an account of the seed's JSON. :raises InvalidError: with the reason."""
    types: dict[str, type | tuple[type, ...]] = dict.fromkeys(("user", "token", "name", "email", "kind"), str)
    given = checked(value, where, {**types, "tickets": (str, list)}, ("user", "token"))
    if given.get("kind", "customer") not in ("customer", "agent"):
        raise InvalidError(f"{where}.kind: customer or agent")
    tickets = given.get("tickets", [])
    if isinstance(tickets, str) and tickets != "*":
        raise InvalidError(f'{where}.tickets: a list of keys, or "*"')
    return User(
        user=given["user"],
        token=given["token"],
        name=given.get("name", given["user"]),
        email=given.get("email", given["user"]),
        kind=given.get("kind", "customer"),
        tickets=None if tickets == "*" else frozenset(tickets),
    )


class State:
    """Everything the stand-in knows. Callers hold ``lock`` around whatever must not change meanwhile."""

    def __init__(self, seed: Mapping[str, Any] | None = None) -> None:
        """:raises InvalidError: the seed is not understood."""
        self._seed = copy.deepcopy(dict(DEFAULT_SEED if seed is None else seed))
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Back to the seed: no calls, no faults, no sites, no apps, and the tickets as they were."""
        types: dict[str, type | tuple[type, ...]] = {
            "users": list,
            "bearer": list,
            "tickets": list,
            "base_url": str,
            "settings": dict,
        }
        with self.lock:
            seed = checked(self._seed, "seed", types)
            self.calls: list[Call] = []
            self.faults: list[Fault] = []
            self.sites: dict[str, Site] = {}
            self.workspaces: list[dict[str, Any]] = []
            self.settings = parse_settings(seed.get("settings", {}), "seed.settings", Settings())
            self.tickets: dict[str, Ticket] = {}
            self._last_comment = 20000
            self._last_ticket = 10000
            self.base_url: str | None = seed["base_url"].rstrip("/") if "base_url" in seed else None
            users = [parse_user(item, f"users[{n}]") for n, item in enumerate(seed.get("users", []))]
            self.users = {user.user: user for user in users}
            self.bearer: dict[str, User] = {}
            for n, item in enumerate(seed.get("bearer", [])):
                given = checked(item, f"bearer[{n}]", {"token": str, "user": str}, ("token", "user"))
                if given["user"] not in self.users:
                    raise InvalidError(f"bearer[{n}].user: no such user")
                self.bearer[given["token"]] = self.users[given["user"]]
            for n, item in enumerate(seed.get("tickets", [])):
                self.put_ticket(item, f"tickets[{n}]")

    def author(self, name: str) -> User:
        """The account of that name; for any other name somebody's who shows as an author only.

        A name that is an e-mail address stands for a colleague's account, and any other for one of the vendor's.
        """
        return self.users.get(name) or (
            User(name, "", name.partition("@")[0], name, "customer", frozenset())
            if "@" in name
            else User(name, "", name, None, "agent", None)
        )

    def now(self) -> datetime:
        """The time by the desk's clock."""
        return now() + timedelta(seconds=self.settings.clock_offset)

    def may_access_jira(self, user: User) -> bool:
        """Whether an account has the permission to access Jira, beside the portal."""
        return user.kind == "agent" if self.settings.jira_access is None else self.settings.jira_access

    def ticket(self, key_or_id: str) -> Ticket | None:
        """The ticket of that key or numeric id."""
        if key_or_id.isdigit():
            return next((ticket for ticket in self.tickets.values() if str(ticket.id) == key_or_id), None)
        return self.tickets.get(key_or_id)

    def add_comment(self, ticket: Ticket, body: str, author: str, public: bool, created: datetime) -> Comment:
        with self.lock:
            self._last_comment += 1
            comment = Comment(self._last_comment, body, author, public, created)
            ticket.comments.append(comment)
            ticket.comments.sort(key=lambda item: (item.created, item.id))
            return comment

    def _seed_comment(self, ticket: Ticket, value: object, where: str, default: datetime) -> None:
        given = checked(value, where, COMMENT_TYPES, ("body",))
        created = moment(given["created"], f"{where}.created") if "created" in given else default
        self.add_comment(ticket, given["body"], given.get("author", SUPPORT), given.get("public", True), created)

    def put_ticket(self, value: object, where: str = "ticket") -> Ticket:
        """Creates or replaces a ticket of the seed's or a control request's JSON. :raises InvalidError: with the reason."""
        given = checked(value, where, TICKET_TYPES, ("key",))
        key = given["key"]
        if not KEY.fullmatch(key):
            raise InvalidError(f"{where}.key: {key!r} has not the form of an issue key such as CMK-1")
        with self.lock:
            if "id" in given and not str(given["id"]).isdigit():
                raise InvalidError(f"{where}.id: {given['id']!r} is no number")
            number = int(given["id"]) if "id" in given else self._free_id(key)
            if any(other.id == number and other.key != key for other in self.tickets.values()):
                raise InvalidError(f"{where}.id: {number} is another ticket's")
            generated = given.get("generate_comments", 0)
            comments = given.get("comments", [])
            # So that every comment without a time of its own is younger than the ticket and older than now.
            made = self.now() - timedelta(minutes=len(comments) + generated + 1)
            created = moment(given["created"], f"{where}.created") if "created" in given else made
            is_open = given.get("open", True)
            status = given.get("status", "Waiting for support" if is_open else "Closed")
            ticket = Ticket(
                key=key,
                id=number,
                summary=given.get("summary", key),
                open=is_open,
                reporter=given.get("reporter", next(iter(self.users), SUPPORT)),
                created=created,
                history=[Status(status, self._category(given, is_open, where), created)],
            )
            for n, item in enumerate(comments):
                self._seed_comment(ticket, item, f"{where}.comments[{n}]", made + timedelta(minutes=n + 1))
            for n in range(1, generated + 1):
                when = made + timedelta(minutes=len(comments) + n)
                self.add_comment(ticket, f"Generated comment {n} of {generated}", SUPPORT, True, when)
            self.tickets[key] = ticket
            return ticket

    def patch_ticket(self, ticket: Ticket, value: object) -> None:
        """Changes status, summary or ``open``, or adds an answer of the desk. :raises InvalidError: with the reason."""
        given = checked(value, "ticket", PATCH_TYPES)
        with self.lock:
            ticket.summary = given.get("summary", ticket.summary)
            ticket.open = given.get("open", ticket.open)
            if "status" in given or "status_category" in given:
                category = self._category(given, ticket.open, "ticket")
                ticket.history.append(Status(given.get("status", ticket.history[-1].status), category, self.now()))
            if "reply" in given:
                reply = {"body": given["reply"]} if isinstance(given["reply"], str) else given["reply"]
                self._seed_comment(ticket, reply, "ticket.reply", self.now())

    @staticmethod
    def _category(given: Mapping[str, Any], is_open: bool, where: str) -> str:
        category = given.get("status_category", "INDETERMINATE" if is_open else "DONE")
        if category not in CATEGORIES:
            raise InvalidError(f"{where}.status_category: one of {', '.join(CATEGORIES)}")
        return str(category)

    def _free_id(self, key: str) -> int:
        if key in self.tickets:
            return self.tickets[key].id
        taken = {ticket.id for ticket in self.tickets.values()}
        self._last_ticket += 1
        while self._last_ticket in taken:
            self._last_ticket += 1
        return self._last_ticket

    def record(self, make: Callable[[int], Call]) -> Call:
        with self.lock:
            call = make(len(self.calls) + 1)
            self.calls.append(call)
            return call

    def take_fault(self, method: str, path: str) -> Fault | None:
        """The first scripted fault that applies to this request; counts it."""
        with self.lock:
            for fault in self.faults:
                if fault.method not in ("*", method) or fault.path not in path:
                    continue
                if fault.count is not None and fault.applied >= fault.count:
                    continue
                fault.seen += 1
                if fault.applied:
                    return fault
        return None


def ticket_view(ticket: Ticket) -> dict[str, Any]:
    """The ticket as the control endpoint shows it: everything, internal comments too."""
    view = asdict(ticket)
    view["id"] = str(ticket.id)
    view["status"] = ticket.history[-1].status
    view["status_category"] = ticket.history[-1].category
    view["created"] = ticket.created.isoformat()
    view["history"] = [{**asdict(item), "since": item.since.isoformat()} for item in ticket.history]
    view["comments"] = [
        {**asdict(item), "id": str(item.id), "created": item.created.isoformat()} for item in ticket.comments
    ]
    return view


def fault_view(fault: Fault) -> dict[str, Any]:
    """The fault as the control endpoint shows it, with the numbers of requests seen and hit."""
    defaults = {item.name: item.default for item in fields(Fault)}
    shown = {name: value for name, value in asdict(fault).items() if value != defaults[name]}
    return {**shown, "method": fault.method, "count": fault.count, "seen": fault.seen, "applied": fault.applied}
