# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When has a change spread far enough to be relied on? Pure, apart from the clock that is handed in."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from dataclasses import dataclass

T = t.TypeVar("T")

# After the first 60 reads, each pause is a sixtieth of the time gone by: an hour of waiting takes a few hundred reads, however
# short ``delay`` is. (crossplane-contrib/provider-aws#849 polled a key that was pending deletion thousands of times.)
_SHARE: t.Final = 1 / 60


@dataclass(frozen=True)
class Waiting:
    """``reads`` equal reads in a row, ``delay`` seconds apart, within ``timeout`` seconds in all."""

    reads: int = 3
    delay: float = 1.0
    timeout: float = 300.0
    sleep: t.Callable[[float], None] = time.sleep
    monotonic: t.Callable[[], float] = time.monotonic

    def ticks(self) -> t.Iterator[float]:
        """Yield the seconds gone by: at once, after each delay, and at the timeout itself, so that a change that just made it is seen."""
        start = self.monotonic()
        gone = 0.0
        while True:
            yield gone
            if gone >= self.timeout:
                return
            self.sleep(max(0.0, min(max(self.delay, gone * _SHARE), self.timeout - gone)))
            gone = self.monotonic() - start

    def since(self, start: float) -> Waiting:
        """Return it with what is left of its timeout, which began at ``start``."""
        return dataclasses.replace(self, timeout=max(0.0, self.timeout - (self.monotonic() - start)))


@dataclass(frozen=True)
class Settled(t.Generic[T]):
    """How the waiting ended."""

    done: bool
    last: T | None  # what was read last
    waited: float  # seconds
    hopeless: bool = False  # what was read cannot become what is wanted


def wait_until(
    read: t.Callable[[], T | None],
    wanted: t.Callable[[T], bool],
    waiting: Waiting,
    hopeless: t.Callable[[T], bool] = lambda _read: False,
) -> Settled[T]:
    """Read until ``wanted`` (or ``hopeless``) held for ``waiting.reads`` reads in a row; a read of None breaks the row.

    One stale answer after a good one is normal while a change spreads ("eventual consistency", AWS KMS Developer
    Guide), so a single good read proves nothing.
    """
    row, bad_row, last, gone = 0, 0, None, 0.0
    for gone in waiting.ticks():
        answer = read()
        last = answer if answer is not None else last
        row = row + 1 if answer is not None and wanted(answer) else 0
        bad_row = bad_row + 1 if answer is not None and hopeless(answer) else 0
        if row >= waiting.reads:
            return Settled(True, last, gone)
        if bad_row >= waiting.reads:
            return Settled(False, last, gone, hopeless=True)
    return Settled(False, last, gone)
