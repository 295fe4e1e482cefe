# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Read a ticket of the support desk and its comments, page by page, with patience."""

from __future__ import annotations

import contextlib
import http.client
import json
import typing as t
import urllib.error

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import ask
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import answer, authors, mentions, quoted

_TIMEOUT: t.Final = 30
_PAGE: t.Final = 100

Answer = dict[str, t.Any]


class Reader:
    """Reads one after the other, and tries again what may pass.

    :param get: takes a URL and returns what :func:`answer` judges
    :param sleep: waits for a number of seconds, and may tell of it
    :param attempt: the number of the first attempt, from 1; all reads share their attempts
    :param retries: how many attempts may follow the first
    """

    def __init__(
        self,
        get: t.Callable[[str], Answer],
        sleep: t.Callable[[float, Answer], None],
        attempt: int = 1,
        retries: int = 6,
    ) -> None:
        self.attempt = attempt
        self._retries = retries
        self._get = get
        self._sleep = sleep

    def ticket(self, url: str, org_slug: str) -> Answer:
        """Read the ticket, then all of its public comments.

        :param url: the request's URL
        :return: ``ok``, ``code``, ``error``, ``hint``, ``status`` (of the ticket), ``allowed`` (whether this user may
            comment), ``mentions`` (of restorations of the organization), ``authors`` (as :func:`authors` tells them),
            ``attempt``
        """
        # A list of comments comes back empty, not as an error, when access is missing: only the ticket proves access.
        last = self._read(f"{url}?expand=action")
        data = last["data"]
        status = str(_map(data.get("currentStatus")).get("status") or "unknown")
        allowed = _map(_map(data.get("actions")).get("addComment")).get("allowed", True) is not False
        found: list[t.Mapping[str, t.Any]] = []
        start, is_last = 0, not last["ok"]
        while not is_last:
            last = self._read(f"{url}/comment?public=true&internal=false&limit={_PAGE}&start={start}")
            values = last["data"].get("values", [])
            found += values
            start += len(values)
            is_last = not last["ok"] or last["data"]["isLastPage"] or not values
        told = {name: last[name] for name in ("ok", "code", "error", "hint")}
        facts = {"mentions": mentions(found, org_slug), "authors": authors(found, org_slug)}
        return {**told, "status": quoted(status, 100), "allowed": allowed, **facts, "attempt": self.attempt}

    def _read(self, url: str) -> Answer:
        while True:
            found = answer(self._get(url), self.attempt)
            if not found["retry"] or self.attempt > self._retries:
                return found
            self._sleep(found["wait"], found)
            self.attempt += 1


def _map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def get(url: str, user: str, token: str) -> Answer:
    """Ask the desk once, with Ansible's own client; return the answer in the form of ``ansible.builtin.uri``.

    The token goes to the host of ``url`` and nowhere else: redirects are not followed, and no other credentials are
    taken for it.
    """
    headers = {} if user else {"Authorization": f"Bearer {token}"}
    basic = {"url_username": user, "url_password": token, "force_basic_auth": True} if user else {}
    try:
        response = ask(url, headers=headers, timeout=_TIMEOUT, **basic)
    except urllib.error.HTTPError as error:
        return _read(url, error, f"HTTP Error {error.code}: {error.reason}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": -1, "url": url, "msg": f"Request failed: {error}"}
    return _read(url, response, "")


def _read(url: str, response: t.Any, message: str) -> Answer:
    with response:
        status, headers = response.getcode(), response.headers
        try:
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return {"status": -1, "url": url, "msg": f"Request failed: {error}"}
    found = {"status": status, "url": url, "msg": message, "content_type": headers.get("Content-Type", "")}
    found["retry_after"] = headers.get("Retry-After")
    with contextlib.suppress(ValueError):
        found["json"] = json.loads(body)
    return found
