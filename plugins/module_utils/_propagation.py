# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""When has a change spread far enough to be relied on? Pure, apart from the clock that is handed in."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

T = t.TypeVar("T")


@dataclass(frozen=True)
class Waiting:
    """``reads`` equal reads in a row, ``delay`` seconds apart, within ``timeout`` seconds in all."""

    reads: int = 3
    delay: float = 1.0
    timeout: float = 300.0
    sleep: t.Callable[[float], None] = time.sleep
    monotonic: t.Callable[[], float] = time.monotonic

    def ticks(self) -> t.Iterator[float]:
        """Yield the seconds gone by, once at once and then after each delay, until ``timeout`` is over.

        The last tick falls on the timeout itself, so that a change that just made it is still seen.
        """
        start = self.monotonic()
        gone = 0.0
        while True:
            yield gone
            if gone >= self.timeout:
                return
            self.sleep(max(0.0, min(self.delay, self.timeout - gone)))
            gone = self.monotonic() - start


@dataclass(frozen=True)
class Settled(t.Generic[T]):
    """How the waiting ended: ``last`` is the last thing read, ``waited`` is in seconds."""

    done: bool
    last: T | None
    waited: float


def wait_until(read: t.Callable[[], T | None], wanted: t.Callable[[T], bool], waiting: Waiting) -> Settled[T]:
    """Read until ``wanted`` held for ``waiting.reads`` reads in a row; a read of None breaks the row.

    One stale answer after a good one is normal while a change spreads ("eventual consistency", AWS KMS Developer
    Guide), so a single good read proves nothing.
    """
    row, last, gone = 0, None, 0.0
    for gone in waiting.ticks():
        seen = read()
        last = seen if seen is not None else last
        row = row + 1 if seen is not None and wanted(seen) else 0
        if row >= waiting.reads:
            return Settled(True, last, gone)
    return Settled(False, last, gone)
