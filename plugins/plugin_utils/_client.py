# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own HTTP client, with bounds: an answer takes limited time and memory, whatever the server does."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible.module_utils.urls import open_url

_CHUNK: t.Final = 1 << 16

Result = t.TypeVar("Result")


def ask(url: str, *, method: str = "GET", **options: t.Any) -> t.Any:
    """Send a request, follow no redirect, and take no credentials but those that are passed; return the response.

    :raise OSError: (also ``urllib.error.HTTPError``), ``http.client.HTTPException`` or ``ValueError``
    """
    return open_url(url, method=method, follow_redirects="none", use_netrc=False, **options)


def read_body(response: t.Any, most_bytes: int, seconds: float) -> bytes | None:
    """Read an answer's body; None if it is larger than ``most_bytes``.

    :raise OSError: it did not come within ``seconds``, or the connection ended before it was complete
    """
    end, chunks, size = time.monotonic() + seconds, [], 0
    while chunk := response.read1(_CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            return None
        if time.monotonic() > end:
            raise TimeoutError(late(seconds))
    # A read in parts does not check that the announced length has come.
    if getattr(response, "length", None):
        raise ConnectionError("the connection ended before the answer was complete")
    return b"".join(chunks)


def late(seconds: float) -> str:
    """Say that an answer did not come in time."""
    return f"no complete answer within {seconds:g} s"


def run_each_within(seconds: float, works: t.Sequence[t.Callable[[], Result]]) -> list[Result | None]:
    """Run all works at the same time; return their results in order, None for one that has not ended by then.

    A socket's own timeout begins anew with each byte, so that a server could hold the run up for hours. What has not ended
    goes on in a thread that keeps no process from ending. What a work raises is raised here.
    """
    results: list[Result | None] = [None] * len(works)
    errors: list[Exception] = []

    def run(place: int) -> None:
        try:
            results[place] = works[place]()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(len(works))]
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if errors:
        raise errors[0]
    # A result that comes after the end must not change what was returned.
    return list(results)


def run_within(seconds: float, work: t.Callable[[], Result]) -> Result | None:
    """Run one work; return its result, or None if it has not ended by then."""
    return run_each_within(seconds, [work])[0]
