# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Work that may hang, ended after a time in any case.

A timeout of a socket bounds one read. A server that sends a byte now and then needs a bound for the whole.
"""

from __future__ import annotations

import threading
import time
import typing as t

T = t.TypeVar("T")


def run_each_within(seconds: float, works: t.Sequence[t.Callable[[], T]]) -> list[T | None]:
    """Run all works at the same time; return their results in order, None for one that has not ended by then.

    What a work raises is raised here. One that has not ended goes on in a thread that keeps no process from ending.
    """
    results: list[T | None] = [None] * len(works)
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


def run_within(seconds: float, work: t.Callable[[], T]) -> T | None:
    """Run one work; return its result, or None if it has not ended by then."""
    return run_each_within(seconds, [work])[0]
