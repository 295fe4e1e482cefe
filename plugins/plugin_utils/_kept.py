# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What the processes of one run share, and nobody else sees: memory that is gone with them."""

from __future__ import annotations

import contextlib
import json
import mmap
import multiprocessing
import typing as t

_LENGTH: t.Final = 8
_PATIENCE: t.Final = 5  # seconds


class Kept:
    """A map of texts in anonymous memory, for this process and all that are forked from it.

    What finds no room in it, or no turn at it, is not kept.
    """

    def __init__(self, size: int = 1 << 22) -> None:
        # The system gives pages only to what is written.
        self._memory = mmap.mmap(-1, size)
        self._turn = multiprocessing.get_context("fork").Lock()

    def get(self, name: str) -> str | None:
        """Return what was put last under ``name``."""
        with self._in_turn() as mine:
            lines = self._memory[_LENGTH : self._used()].splitlines() if mine else []
        return dict(json.loads(line) for line in lines).get(name)

    def put(self, name: str, value: str) -> None:
        """Keep ``value`` under ``name``."""
        entry = json.dumps([name, value]).encode() + b"\n"
        with self._in_turn() as mine:
            used = self._used()
            if mine and used + len(entry) <= len(self._memory):
                self._memory[used : used + len(entry)] = entry
                self._memory[:_LENGTH] = (used + len(entry)).to_bytes(_LENGTH, "little")

    @contextlib.contextmanager
    def _in_turn(self) -> t.Iterator[bool]:
        # A process that is killed in its turn never gives it back.
        mine = self._turn.acquire(timeout=_PATIENCE)
        try:
            yield mine
        finally:
            if mine:
                self._turn.release()

    def _used(self) -> int:
        return max(_LENGTH, int.from_bytes(self._memory[:_LENGTH], "little"))
