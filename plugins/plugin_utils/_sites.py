# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Do the organization's sites answer? Asked with Ansible's own client, all at the same time."""

from __future__ import annotations

import http.client
import typing as t
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import ask
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted

_TIMEOUT: t.Final = 10
_AT_ONCE: t.Final = 8

Site = dict[str, t.Any]
# Takes a URL; returns status (-1 without an answer), location (of a redirect) and msg (why there is no answer).
Get = t.Callable[[str], t.Mapping[str, t.Any]]


def asked_at(site: str, path: str) -> str:
    """Return the URL at which a site is asked: a site that is given with a path of its own, at that; empty if unfit.

    :param site: an entry of ``cmk_sites``; without a scheme, https is meant
    :param path: for sites without a path
    """
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
    """Tell whether a site is up: only the expected status is, and a redirect only to the same host.

    A suspended site may well redirect to a page that says so, and that page answers 200.
    """
    status, location = int(answer["status"]), str(answer.get("location") or "")
    target = urlsplit(urljoin(url, location)).hostname if location else None
    away = bool(target) and target != urlsplit(url).hostname
    if not url:
        says = "is not the address of a site, and was not asked"
    elif status < 0:
        says = f"does not answer: {quoted(str(answer.get('msg', '')), 160)}"
    else:
        to = f", a redirect to {quoted(str(target), 100)}" if away else ""
        says = f"answers {status}{to}" + ("" if status == expected and not away else f" where {expected} is expected")
    shown = quoted(site, 200) if url else "an entry of cmk_sites"
    return {"site": shown, "status": max(status, 0) or None, "up": status == expected and not away, "says": says}


def look_at_sites(sites: t.Sequence[str], path: str, expected: int, get: Get) -> list[Site]:
    """Ask all sites at the same time.

    :return: for each, in order, ``site``, ``up``, ``status`` (None if it did not answer) and ``says``
    """

    def one(site: str) -> Site:
        url = asked_at(site, path)
        return judged(site, url, get(url) if url else {"status": -1}, expected)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(one, sites))


def get(url: str) -> dict[str, t.Any]:
    """Ask once. No redirect is followed, no credentials are sent, and the certificate is verified."""
    try:
        with ask(url, timeout=_TIMEOUT) as response:
            return {"status": response.getcode()}
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, "location": error.headers.get("Location")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": -1, "msg": str(error)}
