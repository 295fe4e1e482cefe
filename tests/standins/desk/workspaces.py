"""Atlassian's "Get list of workspaces" (organizations REST API), which reports an organization's apps. No sockets here.

Source: https://developer.atlassian.com/cloud/admin/organization/rest/api-group-workspaces/. The key travels as Bearer, a
page takes a limit, and "when a cursor is provided in the request body, no other properties may be present". Where the
document is silent the stricter reading is played: unknown fields, another type and an unknown cursor are a 400.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from .api import Answer, Request, reply
from .state import State

ORG_ID = "0f6c1b9a-2e4d-4c58-9b7e-5d3a8c1f7e20"
API_KEY = "standin-org-api-key-61d0b7f2a94c"
PREFIX = "/admin/"
_PATH = re.compile(r"/admin/v2/orgs/([^/]+)/workspaces")


def answer(state: State, request: Request) -> Answer:
    """The answer to a request for the apps, page by page."""
    path = _PATH.fullmatch(request.path)
    if not path or request.method != "POST":
        return _error(404 if not path else 405)
    if request.headers.get("authorization") != f"Bearer {API_KEY}":
        return _error(401)
    if path[1] != ORG_ID:
        return _error(404)
    try:
        start, limit = _window(json.loads(request.body))
    except (ValueError, TypeError):
        return _error(400)
    if request.headers.get("content-type") != "application/json":
        return _error(400)
    if state.settings.ignore_start:
        start = 0
    page, end = state.workspaces[start : start + limit], start + limit
    links = {"self": _cursor(start, limit), "next": _cursor(end, limit) if end < len(state.workspaces) else None}
    meta = {"pageSize": limit, "startIndex": start, "endIndex": start + len(page), "total": len(state.workspaces)}
    return reply(200, {"data": list(map(_workspace, page)), "links": links, "meta": meta})


def _window(body: Any) -> tuple[int, int]:
    """Where a page begins, and how much it holds. Raises ValueError or TypeError for what the API does not document."""
    if not isinstance(body, dict) or set(body) - {"query", "limit", "sort", "cursor"}:
        raise TypeError
    if "cursor" in body:
        if len(body) > 1:
            raise ValueError
        start, limit = json.loads(base64.b64decode(body["cursor"], validate=True))
        return start, limit
    limit = body.get("limit", 20)
    if not isinstance(limit, int) or not 0 < limit <= 1000:
        raise ValueError
    return 0, limit


def _cursor(start: int, limit: int) -> str:
    return base64.b64encode(json.dumps([start, limit]).encode()).decode()


def _workspace(attributes: dict[str, Any]) -> dict[str, Any]:
    usual = {"name": "acme", "typeKey": "jira-software", "status": "online", "statusDetails": [], "realm": "US",
             "hostUrl": "https://acme.example.com", "regions": ["us-east-1"]}  # fmt: skip
    return {"id": "ari:cloud:jira-software::site/1", "type": "workspace", "attributes": {**usual, **attributes},
            "links": {"self": ""}, "relationships": {}}  # fmt: skip


def _error(status: int) -> Answer:
    return reply(status, {"code": status, "message": f"Stand-in: {status}"})
