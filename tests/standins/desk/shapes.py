"""Pure functions that build the documented JSON of Jira Service Management Cloud.

Source: Atlassian, "The Jira Service Management Cloud REST API" (OpenAPI document, version 1001.0.0-SNAPSHOT):
schemas CustomerRequestDTO, CustomerRequestStatusDTO, CommentDTO, PagedDTOCommentDTO, UserDTO, DateDTO, SoftwareInfoDTO
and ErrorResponse, with the examples of the operations. The users' ``key`` and ``name``, which the examples still show,
are left out: the schema calls them no longer available. Jira Service Management Data Center, whose REST API is
documented apart, has them instead of ``accountId``.

``GET /rest/api/2/myself`` belongs to the platform: "Get current user" of the Jira Cloud platform REST API v2 (schema
User) and of the Jira Data Center platform REST API.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from .state import Comment, Settings, Status, Ticket, User

API = "/rest/servicedeskapi"
PLATFORM = "/rest/api/2"
DEFAULT_LIMIT = 50
"""Items of a page when ``limit`` is not given ("Default: 50")."""
MAX_LIMIT = 50
"""Most items of a page. Atlassian calls the limits an implementation detail of each method. For comments a client's
maintainers measured 50 (PipedreamHQ/pipedream, pull request 21819); the status history is taken to have the same."""

REQUEST_EXPANDS = ("participant", "status", "sla", "requestType", "serviceDesk", "attachment", "action", "comment")
COMMENT_EXPANDS = ("attachment", "renderedBody")


def date(when: datetime) -> dict[str, Any]:
    """DateDTO: the offset has no colon, ``jira`` has milliseconds, ``epochMillis`` is a number."""
    when = when.astimezone(UTC)
    return {
        "iso8601": when.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "jira": when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}" + when.strftime("%z"),
        "friendly": when.strftime("%d/%b/%y %I:%M %p"),
        "epochMillis": int(when.timestamp()) * 1000 + when.microsecond // 1000,
    }


def _identity(account: User, settings: Settings) -> dict[str, Any]:
    """What names an account: on Cloud its ``accountId``, on Data Center ``key`` and ``name``."""
    if settings.platform == "data_center":
        return {"key": account.key, "name": account.user}
    return {"accountId": account.account_id}


def _email(account: User, settings: Settings) -> str | None:
    """ "Depending on the customer's privacy settings, this may be returned as null"."""
    return None if settings.hide_emails else account.email


def _user_url(base: str, account: User, settings: Settings) -> str:
    query = {"username": account.user} if settings.platform == "data_center" else {"accountId": account.account_id}
    return f"{base}{PLATFORM}/user?{urlencode(query)}"


def _avatars(base: str, account: User) -> dict[str, str]:
    return {f"{n}x{n}": f"{base}/avatar/{account.account_id}?s={n}" for n in (48, 24, 16, 32)}


def user(base: str, account: User, settings: Settings) -> dict[str, Any]:
    """UserDTO of an account."""
    url = _user_url(base, account, settings)
    return {
        **_identity(account, settings),
        "emailAddress": _email(account, settings),
        "displayName": account.name,
        "active": True,
        "timeZone": "Etc/UTC",
        "_links": {"jiraRest": url, "avatarUrls": _avatars(base, account), "self": url},
    }


def myself(base: str, account: User, settings: Settings) -> dict[str, Any]:
    """User of the platform's API, nothing expanded."""
    kind = "customer" if account.kind == "customer" else "atlassian"
    nothing = {"size": 1, "items": []}
    return {
        "self": _user_url(base, account, settings),
        **_identity(account, settings),
        **({"deleted": False} if settings.platform == "data_center" else {"accountType": kind}),
        "emailAddress": _email(account, settings),
        "avatarUrls": _avatars(base, account),
        "displayName": account.name,
        "active": True,
        "timeZone": "Etc/UTC",
        "locale": "en_US",
        "groups": nothing,
        "applicationRoles": nothing,
        "expand": "groups,applicationRoles",
    }


def page(
    base: str, path: str, items: Sequence[Mapping[str, Any]], start: int = 0, limit: int = DEFAULT_LIMIT
) -> dict[str, Any]:
    """One page of ``items``, as "Pagination" documents it.

    ``limit`` shows what was asked for; the values are capped at MAX_LIMIT, which "can be identified when the first
    page shows size is less than limit and isLastPage is false". ``next`` and ``prev`` carry start and limit only.
    """
    values = items[start : start + min(limit, MAX_LIMIT)]
    last = start + len(values) >= len(items)
    url = f"{base}{API}{path}"
    links = {"self": f"{url}?start={start}&limit={limit}", "base": f"{base}{API}", "context": ""}
    if not last:
        links["next"] = f"{url}?start={start + len(values)}&limit={limit}"
    if start > 0:
        links["prev"] = f"{url}?start={max(start - min(limit, MAX_LIMIT), 0)}&limit={limit}"
    return {
        "_expands": [],
        "size": len(values),
        "start": start,
        "limit": limit,
        "isLastPage": last,
        "_links": links,
        "values": list(values),
    }


def comment(base: str, ticket: Ticket, item: Comment, author: dict[str, Any], expand: frozenset[str]) -> dict[str, Any]:
    """CommentDTO; ``author`` is a :func:`user`; ``attachments`` and ``renderedBody`` only when they are expanded."""
    path = f"/request/{ticket.id}/comment/{item.id}"
    shown: dict[str, Any] = {
        "_expands": list(COMMENT_EXPANDS),
        "id": str(item.id),
        "body": item.body,
        "public": item.public,
        "author": author,
        "created": date(item.created),
        "_links": {"self": f"{base}{API}{path}"},
    }
    if "attachment" in expand:
        shown["attachments"] = page(base, f"{path}/attachment", [])
    if "renderedBody" in expand:
        shown["renderedBody"] = {"html": f"<p>{html.escape(item.body)}</p>"}
    return shown


def status(item: Status) -> dict[str, Any]:
    """CustomerRequestStatusDTO."""
    return {"status": item.status, "statusCategory": item.category, "statusDate": date(item.since)}


def request(base: str, ticket: Ticket, reporter: dict[str, Any]) -> dict[str, Any]:
    """CustomerRequestDTO, nothing expanded; ``reporter`` is a :func:`user`."""
    return {
        "_expands": list(REQUEST_EXPANDS),
        "issueId": str(ticket.id),
        "issueKey": ticket.key,
        "requestTypeId": "25",
        "serviceDeskId": "10",
        "createdDate": date(ticket.created),
        "reporter": reporter,
        "requestFieldValues": [{"fieldId": "summary", "label": "What do you need?", "value": ticket.summary}],
        "currentStatus": status(ticket.history[-1]),
        "_links": {
            "jiraRest": f"{base}/rest/api/2/issue/{ticket.id}",
            "web": f"{base}/servicedesk/customer/portal/10/{ticket.key}",
            "self": f"{base}{API}/request/{ticket.id}",
            "agent": f"{base}/browse/{ticket.key}",
        },
    }


def actions(ticket: Ticket) -> dict[str, Any]:
    """CustomerRequestActionsDTO: what somebody who sees the ticket may do with it."""
    allowed = {"allowed": ticket.open}
    return dict.fromkeys(("addAttachment", "addComment", "addParticipant", "removeParticipant"), allowed)


def info(base: str) -> dict[str, Any]:
    """SoftwareInfoDTO with the values of the documented example."""
    return {
        "version": "3.0.1",
        "platformVersion": "7.0.1",
        "buildDate": date(datetime(2015, 9, 14, 19, 34, tzinfo=UTC)),
        "buildChangeSet": "c6679417c550918e7c94a9eaaada133f15dc8ff0",
        "isLicensedForUse": True,
        "_links": {"self": f"{base}{API}/info"},
    }


def platform_error(message: str) -> dict[str, Any]:
    """ErrorCollection of the platform's API."""
    return {"errorMessages": [message], "errors": {}}


def error(message: str, name: str) -> dict[str, Any]:
    """ErrorResponse. Atlassian lists no keys, so ``i18nKey`` is the stand-in's own: no client may rely on one."""
    return {"errorMessage": message, "i18nErrorMessage": {"i18nKey": f"standin.error.{name}", "parameters": []}}
