# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Ansible's own HTTP client, with bounds: an answer takes limited time and memory, whatever the server does."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible.module_utils.urls import open_url

_CHUNK: t.Final = 1 << 16
_LATE: t.Final = "no complete answer within {0:g} s"

Result = t.TypeVar("Result")


def ask(url: str, *, method: str = "GET", **options: t.Any) -> t.Any:
    """Send a request, follow no redirect, and take no credentials but those that are passed.

    :param options: more for ``ansible.module_utils.urls.open_url``
    :return: the response
    :raise OSError: (also ``urllib.error.HTTPError``), ``http.client.HTTPException`` or ``ValueError``; they have no other
        class in common
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
            raise TimeoutError(_LATE.format(seconds))
    # A read in parts does not check that the announced length has come.
    if getattr(response, "length", None):
        raise ConnectionError("the connection ended before the answer was complete")
    return b"".join(chunks)


def within(seconds: float, work: t.Callable[[], Result]) -> Result:
    """Do some work, and give it up after a time.

    A socket's own timeout begins anew with each byte, so that a server that sends its answer drop by drop would hold the
    run up for hours. What is given up goes on in a thread that does not keep the process.

    :raise TimeoutError: the work took longer
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # it is raised again where it is waited for
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(_LATE.format(seconds))
    return results[0]
