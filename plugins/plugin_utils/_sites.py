# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the organization's sites answer? Asked with Ansible's own client, all at the same time."""

from __future__ import annotations

import functools
import http.client
import json
import typing as t
import urllib.error
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import ask, read_body, run_each_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted

# Jira Cloud platform REST API, "Get Jira instance info": accessible anonymously.
SERVER_INFO: t.Final = "/rest/api/3/serverInfo"
_SERVER_INFO_FIELDS: t.Final = ("baseUrl", "version")
_TIMEOUT: t.Final = 10
_MOST_BYTES: t.Final = 64 * 1024


@dataclass(frozen=True)
class Site:
    """One of the organization's sites."""

    site: str
    status: int | None  # of HTTP; None without an answer
    up: bool
    says: str


# Takes a URL; returns status (-1 without an answer), location (of a redirect), body and msg (why there is no answer).
Get = t.Callable[[str], t.Mapping[str, t.Any]]


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


def look_at_sites(sites: t.Sequence[str], path: str, expected: int, get: Get) -> list[Site]:
    """Ask all sites at the same time, for ten seconds in all."""
    urls = [asked_at(site, path) for site in sites]
    # A site without a usable address is not asked.
    works: list[t.Callable[[], t.Mapping[str, t.Any]]] = [
        functools.partial(get, url) if url else (lambda: {"status": -1}) for url in urls
    ]
    late = {"status": -1, "msg": f"no answer within {_TIMEOUT:g} seconds"}
    answers = [answer or late for answer in run_each_within(_TIMEOUT, works)]
    return [judged(site, url, answer, expected) for site, url, answer in zip(sites, urls, answers, strict=True)]


def get(url: str) -> dict[str, t.Any]:
    """Ask once. No redirect is followed, no credentials are sent, and the certificate is verified."""
    try:
        with ask(url, timeout=_TIMEOUT) as response:
            # A body that is too large is no server information, and nothing else is read of it.
            return {"status": response.getcode(), "body": read_body(response, _MOST_BYTES, _TIMEOUT)}
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, "location": error.headers.get("Location")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": -1, "msg": str(error)}
