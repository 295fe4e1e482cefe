# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a ticket of the support desk and its comments, page by page, with patience and within bounds."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.client
import json
import time
import typing as t
import urllib.error
import zlib
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import current_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import ask, late, read_body, run_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import (
    Account,
    Answer,
    Comment,
    Look,
    authors,
    best_offset,
    is_undecided,
    mentions,
    quoted,
    read_answer,
)

_TIMEOUT: t.Final = 30
_PAGE: t.Final = 100
# What one look at a ticket may take: pages, bytes of one answer and of all, and seconds beside the waits.
_MOST_PAGES: t.Final = 50
_MOST_BYTES: t.Final = 8 << 20
_MOST_BYTES_IN_ALL: t.Final = 32 << 20
_MOST_SECONDS: t.Final = 60
_API: t.Final = "/rest/servicedeskapi/"

# As ansible.builtin.uri returns an answer.
Result = dict[str, t.Any]


@dataclass(frozen=True)
class _Comments:
    """The comments that were read, the last good or bad answer, and the bound that ended the reading (or empty)."""

    comments: list[Comment]
    last: Answer
    bound: str


class Reader:
    """Reads one after the other, and tries again what may pass.

    :param get: takes a URL and returns what :func:`read_answer` judges
    :param sleep: waits for a number of seconds, and may tell of it
    :param attempt: the number of the first attempt, from 1; all reads share their attempts
    :param patience: for how many seconds from now another attempt may begin
    """

    def __init__(
        self,
        get: t.Callable[[str], Result],
        sleep: t.Callable[[float, Answer], None],
        attempt: int = 1,
        retries: int = 6,
        patience: float = 3600,
        clock: t.Callable[[], float] = time.monotonic,
        now: t.Callable[[], dt.datetime] = current_time,
    ) -> None:
        self.attempt = attempt
        self._retries = retries
        self._get = get
        self._sleep = sleep
        self._clock = clock
        self._end = clock() + patience
        self._now = now
        self._seconds = 0.0
        self._bytes = 0
        self._offset: int | None = None

    def ticket(self, url: str, org_slug: str, user: str = "") -> Look:
        """Read the ticket, then all of its public comments; a personal access token has no user."""
        # A list of comments comes back empty, not as an error, when access is missing: only the ticket proves access.
        first = self._read(f"{url}?expand=action")
        data = first.data
        status = str(_map(data.get("currentStatus")).get("status") or "unknown")
        allowed = _map(_map(data.get("actions")).get("addComment")).get("allowed", True) is not False
        read = self._comments(url, first) if first.ok else _Comments([], first, "")
        ours = self._account(url, read.comments, org_slug, user)
        last = read.last
        return Look(
            ok=last.ok,
            code=last.code,
            error=last.error,
            hint=last.hint,
            status=quoted(status, 100),
            allowed=allowed,
            mentions=tuple(mentions(read.comments, org_slug, self._offset, ours)),
            authors=tuple(authors(read.comments, org_slug, self._offset, ours)),
            attempt=self.attempt,
            clock_offset=self._offset,
            complete=last.ok and not read.bound,
            bound=read.bound,
        )

    def _comments(self, url: str, last: Answer) -> _Comments:
        """Read the comments up to the last page, or to a bound."""
        comments: list[Comment] = []
        ids: set[str] = set()
        for _page in range(_MOST_PAGES):
            if reason := self._exhausted():
                break
            # The desk caps the pages as it likes, so that the next one begins after what has come.
            page = self._read(f"{url}/comment?public=true&internal=false&limit={_PAGE}&start={len(comments)}")
            if page.too_large:
                reason = f"the next page has more than {_mib(_MOST_BYTES)}"
                break
            last = page
            values = page.data.get("values", [])
            new = {str(value["id"]) for value in values if _map(value).get("id")}
            if new and new <= ids and len(new) == len(values):
                reason = "the desk sent comments again that it had sent before"
                break
            ids |= new
            comments += values
            if not page.ok or page.data["isLastPage"]:
                return _Comments(comments, last, "")
            if not values:
                reason = "the desk sent an empty page that is not the last one"
                break
        else:
            reason = f"the ticket has more than {_MOST_PAGES} pages of them"
        bound = f"Only the first {len(comments):,} comments of the ticket were read, because {reason}."
        return _Comments(comments, last, bound)

    def _exhausted(self) -> str:
        """Say which bound for all answers is met; empty if none is."""
        if self._seconds >= _MOST_SECONDS:
            return f"reading took more than {_MOST_SECONDS} s"
        if self._bytes >= _MOST_BYTES_IN_ALL:
            return f"they have more than {_mib(_MOST_BYTES_IN_ALL)}"
        return ""

    def _account(self, url: str, comments: t.Sequence[Comment], org_slug: str, user: str) -> Account:
        """Identify the account that we use, by its e-mail address and, only where that does not suffice, by the desk.

        Source: "Get current user", ``GET /rest/api/2/myself``, of Jira Cloud and of Jira Data Center. Not every account
        of a desk may ask it: then the author of a comment is not established.
        """
        if not is_undecided(comments, org_slug, Account(email=user)) or self._exhausted():
            return Account(email=user)
        data = self._once(f"{url.rpartition(_API)[0]}/rest/api/2/myself").data
        return Account(user, *(str(data.get(name) or "") for name in ("accountId", "key", "name")))

    def _read(self, url: str) -> Answer:
        while True:
            found = self._once(url)
            is_last = self.attempt > self._retries or self._seconds >= _MOST_SECONDS
            if is_last or not found.retry or self._clock() + found.wait > self._end:
                return found
            self._sleep(found.wait, found)
            self.attempt += 1

    def _once(self, url: str) -> Answer:
        begin = self._clock()
        result = self._get(url)
        found = read_answer(result, self.attempt, self._now())
        self._seconds += self._clock() - begin
        self._bytes += found.size
        self._offset = best_offset(self._offset, found.clock_offset)
        return found


def _mib(count: int) -> str:
    return f"{count >> 20} MiB"


def _map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def get(url: str, user: str, token: str, body: t.Mapping[str, t.Any] | None = None) -> Result:
    """Ask the desk once; return the answer in the form of ``ansible.builtin.uri``. A body is sent as JSON, by POST.

    The token goes to the host of ``url`` and nowhere else. The whole answer comes within a time, and is not larger than
    :data:`_MOST_BYTES`.
    """
    try:
        answer = run_within(_TIMEOUT, lambda: _ask(url, user, token, body))
    except (OSError, http.client.HTTPException, ValueError, EOFError, zlib.error) as error:
        return {"status": -1, "url": url, "msg": f"Request failed: {error}"}
    return answer or {"status": -1, "url": url, "msg": f"Request failed: {late(_TIMEOUT)}"}


def _ask(url: str, user: str, token: str, body: t.Mapping[str, t.Any] | None) -> Result:
    headers = {} if user else {"Authorization": f"Bearer {token}"}
    options: dict[str, t.Any] = {}
    if user:
        options = {"url_username": user, "url_password": token, "force_basic_auth": True}
    if body:
        headers["Content-Type"] = "application/json"
        options |= {"method": "POST", "data": json.dumps(body).encode()}
    try:
        response = ask(url, headers=headers, timeout=_TIMEOUT, **options)
    except urllib.error.HTTPError as error:
        return _read(url, error, f"HTTP Error {error.code}: {error.reason}")
    return _read(url, response, "")


def _read(url: str, response: t.Any, message: str) -> Result:
    with response:
        status, headers = response.getcode(), response.headers
        body = read_body(response, _MOST_BYTES, _TIMEOUT)
    found = {"status": status, "url": url, "msg": message, "content_type": headers.get("Content-Type", "")}
    found |= {"retry_after": headers.get("Retry-After"), "date": headers.get("Date")}
    if body is None:
        return {**found, "size": _MOST_BYTES, "too_large": True}
    with contextlib.suppress(ValueError, RecursionError):
        found["json"] = json.loads(body)
    return {**found, "size": len(body)}
