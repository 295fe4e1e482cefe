"""Pure functions that build the documented JSON of Jira Service Management Cloud.

Source: Atlassian, "The Jira Service Management Cloud REST API" (OpenAPI document, version 1001.0.0-SNAPSHOT):
schemas CustomerRequestDTO, CustomerRequestStatusDTO, CommentDTO, PagedDTOCommentDTO, UserDTO, DateDTO, SoftwareInfoDTO
and ErrorResponse, with the examples of the operations. The users' ``key`` and ``name``, which the examples still show,
are left out: the schema calls them no longer available.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .state import Comment, Status, Ticket, User

API = "/rest/servicedeskapi"
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


def user(base: str, account: User) -> dict[str, Any]:
    """UserDTO of an account."""
    url = f"{base}/rest/api/2/user?accountId={account.account_id}"
    sizes = (48, 24, 16, 32)
    return {
        "accountId": account.account_id,
        "emailAddress": account.email,
        "displayName": account.name,
        "active": True,
        "timeZone": "Etc/UTC",
        "_links": {
            "jiraRest": url,
            "avatarUrls": {f"{n}x{n}": f"{base}/avatar/{account.account_id}?s={n}" for n in sizes},
            "self": url,
        },
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


def comment(base: str, ticket: Ticket, item: Comment, author: User, expand: frozenset[str]) -> dict[str, Any]:
    """CommentDTO; ``attachments`` and ``renderedBody`` only when they are expanded."""
    path = f"/request/{ticket.id}/comment/{item.id}"
    shown: dict[str, Any] = {
        "_expands": list(COMMENT_EXPANDS),
        "id": str(item.id),
        "body": item.body,
        "public": item.public,
        "author": user(base, author),
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


def request(base: str, ticket: Ticket, reporter: User) -> dict[str, Any]:
    """CustomerRequestDTO, nothing expanded."""
    return {
        "_expands": list(REQUEST_EXPANDS),
        "issueId": str(ticket.id),
        "issueKey": ticket.key,
        "requestTypeId": "25",
        "serviceDeskId": "10",
        "createdDate": date(ticket.created),
        "reporter": user(base, reporter),
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


def error(message: str, name: str) -> dict[str, Any]:
    """ErrorResponse. Atlassian lists no keys, so ``i18nKey`` is the stand-in's own: no client may rely on one."""
    return {"errorMessage": message, "i18nErrorMessage": {"i18nKey": f"standin.error.{name}", "parameters": []}}
