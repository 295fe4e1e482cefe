# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work in threads that nothing has to wait for: neither the caller, past a deadline, nor the process at its end."""

from __future__ import annotations

import concurrent.futures
import threading
import time
import typing as t
from dataclasses import dataclass, field

T = t.TypeVar("T")


@dataclass(frozen=True)
class Deadline:
    """``seconds`` from now on."""

    seconds: float
    grace: float = 0.0  # for work that keeps to the same time by itself
    _began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        return max(0.0, self._began + self.seconds + self.grace - time.monotonic())

    def missed(self) -> str:
        return f"no answer within {self.seconds:g} s."

    def elapsed(self) -> float:
        return time.monotonic() - self._began


def begin(work: t.Callable[[], T]) -> concurrent.futures.Future[T]:
    """Begin ``work`` in a thread of its own.

    A ThreadPoolExecutor's threads are joined when Python ends: a name server or a socket that hangs would hang the process.
    """
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def wait_for(
    futures: t.Collection[concurrent.futures.Future[t.Any]],
    deadline: Deadline,
    every: float = 0,
    tick: t.Callable[[], None] | None = None,
) -> bool:
    """Wait until all futures are done, or the deadline is over; return whether they are done.

    :param tick: called after each ``every`` seconds of waiting
    :raises BaseException: what a future ended with, as soon as no other one is waited for any more
    """
    pending: t.Collection[concurrent.futures.Future[t.Any]] = futures
    while pending and deadline.left() > 0:
        pause = min(every, deadline.left()) if every else deadline.left()
        pending = concurrent.futures.wait(pending, pause).not_done
        if pending and tick and deadline.left() > 0:
            tick()
    for future in futures:
        if future.done():
            future.result()
    return not pending
