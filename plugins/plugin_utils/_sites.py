# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the organization's sites answer, and what does Atlassian itself report of the organization's apps?

Source: Atlassian's organizations REST API, "Get list of workspaces" (POST /admin/v2/orgs/{orgId}/workspaces). Whether a
suspension because of CMK shows there is not documented, so no verdict rests on it.
"""

from __future__ import annotations

import functools
import http.client
import json
import re
import typing as t
import urllib.error
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import (
    ask,
    read_body,
    run_each_within,
    run_within,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import get as ask_api

Check = tuple[str, str]  # the outcome, and a sentence

# Jira Cloud platform REST API, "Get Jira instance info": accessible anonymously.
SERVER_INFO: t.Final = "/rest/api/3/serverInfo"
_SERVER_INFO_FIELDS: t.Final = ("baseUrl", "version")
_TIMEOUT: t.Final = 10
_NO_ANSWER: t.Final = -1  # instead of a status
_MOST_BYTES: t.Final = 64 * 1024
_API_SECONDS: t.Final = 20
_MOST_PAGES: t.Final = 20
_MOST_SHOWN: t.Final = 5
_WHY: t.Final = {
    401: "it does not accept the key",
    403: "the key may not read them",
    404: "it has no such organization",
    429: "it is under load",
}


@dataclass(frozen=True)
class Site:
    """One of the organization's sites."""

    site: str
    status: int | None  # of HTTP; None without an answer
    up: bool
    says: str


def asked_at(site: str, path: str) -> str:
    """Return the URL of an entry of ``cmk_sites``, at ``path`` unless it has a path of its own; empty if unfit."""
    url = site if "://" in site else f"https://{site}"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return ""
    # No user and password: nothing secret is sent to a site.
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or not url.isprintable() or " " in url:
        return ""
    is_bare = parts.path in ("", "/") and not parts.query
    return f"{parts.scheme}://{parts.netloc}{path}" if is_bare else url.partition("#")[0]


def judged(site: str, url: str, answer: t.Mapping[str, t.Any], expected: int) -> Site:
    """Decide whether a site is up: it answers with the expected status, from the same host, and at Jira's API with its JSON.

    A suspended site may redirect to a page that explains the suspension, or show that page itself; both answer 200.
    """
    is_up, says = _judge(url, answer, expected)
    name = quoted(site, 200) if url else "an entry of cmk_sites"
    return Site(name, max(int(answer["status"]), 0) or None, is_up, says)


def _judge(url: str, answer: t.Mapping[str, t.Any], expected: int) -> tuple[bool, str]:
    status = int(answer["status"])
    if not url:
        return False, "is not the address of a site, and was not asked"
    if status < 0:
        return False, f"does not answer: {quoted(str(answer.get('msg', '')), 160)}"
    location = str(answer.get("location") or "")
    target = urlsplit(urljoin(url, location)).hostname if location else None
    if target and target != urlsplit(url).hostname:
        return False, f"answers {status}, a redirect to {quoted(str(target), 100)} where {expected} is expected"
    if status != expected:
        return False, f"answers {status} where {expected} is expected"
    if urlsplit(url).path == SERVER_INFO and not _is_server_info(answer.get("body") or b""):
        fields = " and ".join(_SERVER_INFO_FIELDS)
        return False, f"answers {status}, but not with Jira's server information (a JSON object with {fields})"
    return True, f"answers {status}"


def _is_server_info(body: bytes) -> bool:
    try:
        info = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(info, dict) and all(isinstance(info.get(name), str) for name in _SERVER_INFO_FIELDS)


def look_at_sites(sites: t.Sequence[str], path: str, expected: int) -> list[Site]:
    """Ask all sites at the same time, for ten seconds in all."""
    urls = [asked_at(site, path) for site in sites]
    # A site without a usable address is not asked.
    works: list[t.Callable[[], t.Mapping[str, t.Any]]] = [
        functools.partial(get, url) if url else (lambda: {"status": _NO_ANSWER}) for url in urls
    ]
    late = {"status": _NO_ANSWER, "msg": f"no answer within {_TIMEOUT:g} seconds"}
    answers = [answer or late for answer in run_each_within(_TIMEOUT, works)]
    return [judged(site, url, answer, expected) for site, url, answer in zip(sites, urls, answers, strict=True)]


def get(url: str) -> dict[str, t.Any]:
    """Ask once: ``status`` (negative without an answer), ``location`` (of a redirect), ``body``, ``msg`` (why there is no answer).

    No redirect is followed, no credentials are sent, and the certificate is verified.
    """
    try:
        with ask(url, timeout=_TIMEOUT) as response:
            # A body that is too large is no server information, and nothing else is read of it.
            return {"status": response.getcode(), "body": read_body(response, _MOST_BYTES, _TIMEOUT)}
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, "location": error.headers.get("Location")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": _NO_ANSWER, "msg": str(error)}


def ask_atlassian(url: str, key: str) -> Check:
    """Ask for the status of every app; return the outcome, and what Atlassian reports or why it was not read."""
    # An unfit header would be quoted in the client's error.
    if not re.fullmatch(r"[!-~]+", key):
        return _unread("the key is not set, or is not one word")
    return run_within(_API_SECONDS, lambda: _read_apps(url, key)) or _unread(
        f"no answer within {_API_SECONDS:g} seconds"
    )


def _unread(message: str) -> Check:
    return "unknown", str(refusal("atlassian_unread", message=message))


def _read_apps(url: str, key: str) -> Check:
    apps: list[tuple[str, str]] = []
    body: dict[str, t.Any] = {"limit": 20}
    for _page in range(_MOST_PAGES):
        answer = ask_api(url, "", key, body)
        if answer["status"] != 200:
            message = quoted(answer["msg"] or f"HTTP status {answer['status']}", 160)
            return _unread(f"{_WHY[answer['status']]} ({message})" if answer["status"] in _WHY else message)
        try:
            page = answer["json"]
            apps += [_app(app["attributes"]) for app in page["data"]]
            cursor = (page.get("links") or {}).get("next")
        except (AttributeError, KeyError, TypeError):
            return _unread("its answer is not the documented JSON")
        if not cursor:
            return _describe(apps)
        # Beside a cursor, the API takes nothing else.
        body = {"cursor": cursor}
    return _unread(f"it sent more than {_MOST_PAGES} pages")


def _app(attributes: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """Return an app's status, and a sentence about it. Raises KeyError or TypeError for anything that is none."""
    status, details = attributes["status"], attributes.get("statusDetails") or []
    if not isinstance(status, str) or not isinstance(details, list):
        raise TypeError
    name = " ".join(str(attributes[name]) for name in ("typeKey", "hostUrl") if attributes.get(name))
    why = f" ({', '.join(map(str, details))})" if details else ""
    return status, quoted(f"{name or 'an app'} is {status}{why}", 200)


def _describe(apps: t.Sequence[tuple[str, str]]) -> Check:
    others = [says for status, says in apps if status != "online"]
    more = [f"and {len(others) - _MOST_SHOWN} more"] if len(others) > _MOST_SHOWN else []
    says = f"Atlassian reports {len(apps) - len(others)} of {len(apps)} apps online"
    if others:
        return "open", f"{says}: {', '.join([*others[:_MOST_SHOWN], *more])}."
    return ("good" if apps else "open"), f"{says}."
