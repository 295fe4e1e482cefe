"""The control endpoint ``/_standin/`` and the plain sites ``/_site/``. No sockets here.

Every control answer is 200 with JSON, or 400, 404, 405 with ``{"error": …}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from .api import Answer, reply
from .state import (
    WORKSPACE_TYPES,
    Fault,
    InvalidError,
    State,
    checked,
    fault_view,
    listed,
    parse_fault,
    parse_settings,
    parse_site,
    ticket_view,
)

PREFIX = "/_standin"
SITE = "/_site"
LOGIN_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body><form>Log in to continue</form></body></html>\n"
)
ERROR_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>Error {0}</h1></body></html>\n"
HTML = "text/html;charset=UTF-8"


def answer(state: State, method: str, path: str, body: bytes) -> Answer:
    """The answer to a control request."""
    try:
        given = json.loads(body) if body else None
        with state.lock:
            return _route(state, method, path.removeprefix(PREFIX).strip("/").split("/"), given)
    except (InvalidError, json.JSONDecodeError, UnicodeDecodeError) as error:
        return reply(400, {"error": str(error)})


def _route(state: State, method: str, parts: list[str], given: Any) -> Answer:  # noqa: C901 - one table of routes reads best
    match method, parts:
        case "GET", ["calls"]:
            return reply(200, [asdict(call) for call in state.calls])
        case "DELETE", ["calls"]:
            state.calls.clear()
        case "GET", ["faults"]:
            return reply(200, [fault_view(fault) for fault in state.faults])
        case "DELETE", ["faults"]:
            state.faults.clear()
        case "POST", ["faults"]:
            items = given if isinstance(given, list) else [given]
            faults = [parse_fault(item, f"faults[{n}]") for n, item in enumerate(items)]
            state.faults.extend(faults)
            return reply(200, [fault_view(fault) for fault in faults])
        case "POST", ["tickets"]:
            return reply(200, ticket_view(state.put_ticket(given)))
        case "GET", ["tickets"]:
            return reply(200, [ticket_view(ticket) for ticket in state.tickets.values()])
        case (("GET" | "PATCH"), ["tickets", key]):
            ticket = state.ticket(key)
            if ticket is None:
                return reply(404, {"error": f"no ticket {key}"})
            if method == "PATCH":
                state.patch_ticket(ticket, given)
            return reply(200, ticket_view(ticket))
        case "GET", ["sites"]:
            return reply(200, [asdict(site) for site in state.sites.values()])
        case "POST", ["sites"]:
            sites = [parse_site(item) for item in (listed(given, "sites") if isinstance(given, list) else [given])]
            state.sites.update({site.name: site for site in sites})
            return reply(200, [asdict(site) for site in sites])
        case "POST", ["workspaces"]:
            state.workspaces = [checked(item, "workspaces", WORKSPACE_TYPES) for item in listed(given, "workspaces")]
        case "GET", ["settings"]:
            return reply(200, asdict(state.settings))
        case "PATCH", ["settings"]:
            state.settings = parse_settings(given, "settings", state.settings)
            return reply(200, asdict(state.settings))
        case "POST", ["reset"]:
            state.reset()
        case _, (
            ["calls"]
            | ["faults"]
            | ["tickets"]
            | ["tickets", _]
            | ["sites"]
            | ["workspaces"]
            | ["settings"]
            | ["reset"]
        ):
            return reply(405, {"error": f"{method} is not played here"})
        case _:
            return reply(404, {"error": "no such control"})
    return reply(200, {})


def site(state: State, path: str) -> Answer:
    """The answer of ``/_site/{name}/…``: what was configured for that name, otherwise 404."""
    name = path.removeprefix(f"{SITE}/").partition("/")[0]
    with state.lock:
        found = state.sites.get(name)
    if found is None:
        return page(404)
    headers = {"Location": found.redirect} if found.redirect is not None else {}
    return page(found.status, found.body or None, headers)


def page(status: int, text: str | None = None, headers: dict[str, str] | None = None) -> Answer:
    """A web page; without a text, one that names the status."""
    content = ERROR_PAGE.format(status) if text is None else text
    return Answer(status, content.encode(), {"Content-Type": HTML, **(headers or {})})


def faulty(fault: Fault) -> Answer:
    """The answer that a scripted fault puts in the place of the desk's own."""
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.redirect is not None:
        return page(fault.status or 302, fault.body, {**headers, "Location": fault.redirect})
    if fault.login_page:
        return page(fault.status or 200, LOGIN_PAGE if fault.body is None else fault.body, headers)
    default = 200 if fault.invalid_json or fault.body is not None else 429 if fault.retry_after is not None else 503
    status = fault.status or default
    if fault.html:
        return page(status, fault.body, headers)
    if fault.invalid_json:
        return Answer(status, b'{"size": 1, "values": [', {"Content-Type": "application/json;charset=UTF-8", **headers})
    if fault.body is not None:
        return Answer(status, fault.body.encode(), {"Content-Type": "application/json;charset=UTF-8", **headers})
    text = f"Scripted fault: {status}."
    key = {"i18nKey": "standin.error.fault", "parameters": []}
    return reply(status, {"errorMessage": text, "i18nErrorMessage": key}, headers)
