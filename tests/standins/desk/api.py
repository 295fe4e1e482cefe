"""What the desk answers to a request under ``/rest/servicedeskapi/``, and who asks. No sockets here.

Source: the operations of Atlassian's OpenAPI document (see ``shapes``), "Status codes and responses", "Pagination" and
"Expansion" of its introduction, and "Basic authentication" (no authentication challenge is sent, so a client has to
send its credentials unasked). Where the documents are silent the stricter reading is played:

- one whose login fails gets 401 everywhere, ``info`` included; an API token is no Bearer token;
- ``start`` and ``limit`` that are no natural numbers, and unknown fields of a comment, are a 400;
- who lacks the permission to access Jira, which "Get current user" requires, gets 403 from ``myself``;
- a documented expansion that is not played here is a 501, so that no test takes its absence for an answer.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote

from . import shapes
from .state import State, Ticket, User

JSON = "application/json;charset=UTF-8"
MAX_BODY = 32767
"""Most characters of a comment (Jira's default of ``jira.text.field.character.limit``), in UTF-16 units as in Java."""

# Matched on the undecoded path: neither %2F nor .. nor any other escape ever names a ticket.
ID = r"[A-Z][A-Z0-9_]+-[1-9][0-9]*|[1-9][0-9]*"
INFO = re.compile(rf"{shapes.API}/info")
REQUEST = re.compile(rf"{shapes.API}/request/({ID})")
STATUS = re.compile(rf"{shapes.API}/request/({ID})/status")
COMMENTS = re.compile(rf"{shapes.API}/request/({ID})/comment")
COMMENT = re.compile(rf"{shapes.API}/request/({ID})/comment/([1-9][0-9]*)")
MYSELF = re.compile(rf"{shapes.PLATFORM}/myself")
METHODS = {
    INFO: ("GET",),
    MYSELF: ("GET",),
    REQUEST: ("GET",),
    STATUS: ("GET",),
    COMMENTS: ("GET", "POST"),
    COMMENT: ("GET",),
}


@dataclass(frozen=True)
class Request:
    """``path`` and ``query`` are as they came over the wire; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Login:
    """Who asks. ``scheme`` is basic, bearer or none; ``user`` is None for a stranger and for a failed login."""

    scheme: str
    user: User | None
    failed: bool


class RefusedError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, message: str, name: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.answer = reply(status, shapes.error(message, name), headers)


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with ``value`` as JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": JSON, **(headers or {})})


def login(state: State, header: str | None) -> Login:
    """Reads an ``Authorization`` header: Basic with user and API token, or Bearer with a personal access token."""
    scheme, _space, rest = (header or "").strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _colon, token = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return Login("basic", None, True)
        user = state.users.get(name)
        good = user if user and token == user.token else None
        return Login("basic", good, good is None)
    if scheme.lower() == "bearer":
        user = state.bearer.get(rest.strip())
        return Login("bearer", user, user is None)
    return Login("none", None, bool(header))


def answer(state: State, request: Request, who: Login) -> Answer:
    """The desk's answer, by the documented rules. A comment is stored when 201 is returned, and only then."""
    try:
        with state.lock:
            done = _route(state, request, who)
    except RefusedError as refused:
        done = refused.answer
    if who.user:
        # Documented under "Special headers", of Cloud and of Data Center.
        on_cloud = state.settings.platform == "cloud"
        name, value = ("X-AACCOUNTID", who.user.account_id) if on_cloud else ("X-AUSERNAME", who.user.user)
        return Answer(done.status, done.body, {**done.headers, name: value})
    return done


def _route(state: State, request: Request, who: Login) -> Answer:  # noqa: C901 - one table of routes reads best
    found = next(((p, m) for p in METHODS if (m := p.fullmatch(request.path))), None)
    if who.failed or (not who.user and (not found or found[0] is not INFO)):
        # No Basic challenge: "it does not supply a typical authentication challenge".
        headers = {"WWW-Authenticate": f'OAuth realm="{quote(request.base, safe="")}"'}
        if who.scheme == "basic":
            headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"
        raise RefusedError(401, "Client must be authenticated to access this resource.", "unauthenticated", headers)
    if not found:
        raise RefusedError(404, "There is nothing at this path.", "path")
    pattern, match = found
    if request.method not in METHODS[pattern]:
        allow = {"Allow": ", ".join(METHODS[pattern])}
        raise RefusedError(405, f"{request.method} is not allowed here.", "method", allow)
    if pattern is INFO or not who.user:
        return reply(200, shapes.info(request.base))
    if pattern is MYSELF:
        return _myself(state, request, who.user)
    if request.method == "POST":
        return _add_comment(state, request, who.user, match[1])
    ticket = _ticket(state, match[1])
    query = parse_qs(request.query, keep_blank_values=True)
    if pattern is COMMENTS:
        return reply(200, _comment_page(state, request.base, ticket, who.user, query))
    _demand_access(ticket, who.user)
    if pattern is STATUS:
        return reply(200, _status_page(request.base, ticket, *_window(query)))
    if pattern is COMMENT:
        return reply(200, _comment(state, request.base, ticket, who.user, int(match[2]), _expand(query)))
    return reply(200, _request(state, request.base, ticket, who.user, _expand(query)))


def _myself(state: State, request: Request, user: User) -> Answer:
    """The account that asks. "Permissions required: Permission to access Jira"."""
    if request.query:
        raise RefusedError(501, "The stand-in does not play expand of myself.", "standin")
    if not state.may_access_jira(user):
        return reply(403, shapes.platform_error("You do not have permission to access Jira."))
    return reply(200, shapes.myself(request.base, user, state.settings))


def _ticket(state: State, key_or_id: str) -> Ticket:
    ticket = state.ticket(key_or_id)
    if ticket is None:
        raise RefusedError(404, "The customer request does not exist.", "request")
    return ticket


def _demand_access(ticket: Ticket, user: User) -> None:
    if not user.sees(ticket):
        raise RefusedError(403, "You do not have permission to view this customer request.", "permission")


def _request(state: State, base: str, ticket: Ticket, user: User, expand: frozenset[str]) -> dict[str, Any]:
    played = {"action", "status", "comment"}
    if missing := expand & (set(shapes.REQUEST_EXPANDS) | {"comment.attachment", "comment.renderedBody"}) - played:
        raise RefusedError(501, f"The stand-in does not play expand={','.join(sorted(missing))}.", "standin")
    shown = shapes.request(base, ticket, shapes.user(base, state.author(ticket.reporter), state.settings))
    if "action" in expand:
        shown["actions"] = shapes.actions(ticket)
    if "status" in expand:
        shown["status"] = _status_page(base, ticket, 0, shapes.DEFAULT_LIMIT)
    if "comment" in expand:
        shown["comments"] = _comment_page(state, base, ticket, user, {})
    return shown


def _status_page(base: str, ticket: Ticket, start: int, limit: int) -> dict[str, Any]:
    """The history, "most recent (current) status first"."""
    items = [shapes.status(item) for item in reversed(ticket.history)]
    return shapes.page(base, f"/request/{ticket.id}/status", items, start, limit)


def _comment_page(
    state: State, base: str, ticket: Ticket, user: User, query: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Comments, oldest first. Without access "the method simply returns an empty response"."""
    start, limit = _window(query)
    if state.settings.ignore_start:
        start = 0
    public, internal = _flag(query, "public"), _flag(query, "internal") and user.kind == "agent"
    expand = _expand(query)
    items = [
        shapes.comment(base, ticket, item, shapes.user(base, state.author(item.author), state.settings), expand)
        for item in ticket.comments
        if user.sees(ticket) and (public if item.public else internal)
    ]
    return shapes.page(base, f"/request/{ticket.id}/comment", items, start, limit)


def _comment(
    state: State, base: str, ticket: Ticket, user: User, number: int, expand: frozenset[str]
) -> dict[str, Any]:
    """One comment; "Customers can only view public comments"."""
    item = next((item for item in ticket.comments if item.id == number), None)
    if item is None:
        raise RefusedError(404, "The comment does not exist.", "comment")
    if not item.public and user.kind != "agent":
        raise RefusedError(403, "You do not have permission to view this comment.", "permission")
    return shapes.comment(base, ticket, item, shapes.user(base, state.author(item.author), state.settings), expand)


def _add_comment(state: State, request: Request, user: User, key_or_id: str) -> Answer:  # noqa: C901 - the documented checks in the documented order
    """Stores a comment. 400 is "Returned if the HTTP request is invalid, e.g. missing the required `public`"."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "Content-Type must be application/json.", "content-type")
    ticket = _ticket(state, key_or_id)
    _demand_access(ticket, user)
    try:
        given = json.loads(request.body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise RefusedError(400, "The request body is not JSON.", "json") from None
    if not isinstance(given, dict) or set(given) - {"body", "public"}:
        raise RefusedError(400, "The request body must be an object of body and public.", "json")
    body, public = given.get("body"), given.get("public")
    if not isinstance(body, str) or not body.strip():
        raise RefusedError(400, "The comment body cannot be empty.", "body")
    if not isinstance(public, bool):
        raise RefusedError(400, "The field public is required.", "public")
    if len(body.encode("utf-16-le", "surrogatepass")) // 2 > MAX_BODY:
        raise RefusedError(
            400, f"The entered text is too long. It exceeds the limit of {MAX_BODY} characters.", "length"
        )
    if not public and user.kind != "agent":
        raise RefusedError(403, "Customers can set comments to public visibility only.", "permission")
    if not ticket.open:
        raise RefusedError(403, "You do not have permission to comment on this customer request.", "permission")
    item = state.add_comment(ticket, body, user.user, public, state.now())
    author = shapes.user(request.base, user, state.settings)
    return reply(201, shapes.comment(request.base, ticket, item, author, frozenset()))


def _expand(query: Mapping[str, list[str]]) -> frozenset[str]:
    """``expand`` repeated or separated by commas, or both, as "Expansion" documents it."""
    return frozenset(name for value in query.get("expand", []) for name in value.split(",") if name)


def _window(query: Mapping[str, list[str]]) -> tuple[int, int]:
    """``start`` and ``limit`` of a paged request."""
    start, limit = query.get("start", ["0"])[0], query.get("limit", [str(shapes.DEFAULT_LIMIT)])[0]
    if not re.fullmatch(r"[0-9]{1,9}", start) or not re.fullmatch(r"[1-9][0-9]{0,8}", limit):
        raise RefusedError(400, "start and limit must be natural numbers.", "page")
    return int(start), int(limit)


def _flag(query: Mapping[str, list[str]], name: str) -> bool:
    """A boolean parameter whose default is true."""
    value = query.get(name, ["true"])[0]
    if value not in ("true", "false"):
        raise RefusedError(400, f"{name} must be true or false.", name)
    return value == "true"
