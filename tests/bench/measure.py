"""Measure a command with all processes that it starts."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """How a command ended. Times in seconds, memory in MB.

    ``memory`` is the main process's. ``child`` is what the largest of the processes that it started had for itself alone,
    with the processes that this one started in turn: at most, and ``usual``, the middle of what was seen over the run.
    """

    code: int
    started: float
    wall: float
    cpu: float
    memory: float
    child: float
    usual: float
    output: str


def measure(command: list[str], cwd: Path, env: t.Mapping[str, str], log: Path) -> Measured:
    """Run a command to its end; its output goes to ``log``."""
    with log.open("w", encoding="utf-8") as out:
        started = time.time()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        watch = _Watch(process.pid)
        _pid, status, usage = os.wait4(process.pid, 0)
        wall = time.time() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
    # The processes that it waited for are in its own sums.
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(
        process.returncode, started, wall, cpu, watch.parent, *watch.child(), log.read_text(encoding="utf-8")
    )


class _Watch:
    """Looks four times a second at the memory of a process and of its children."""

    def __init__(self, pid: int) -> None:
        self.parent = 0.0
        self._largest: list[float] = []
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self.parent = max(self.parent, _megabytes(self._pid, "Anonymous"))
            children = [_alone(child) for child in _children(self._pid)]
            if children:
                self._largest.append(max(children))

    def child(self) -> tuple[float, float]:
        """At most, and usually."""
        return max(self._largest, default=0.0), middle(self._largest or [0.0])

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _alone(pid: int) -> float:
    own = _megabytes(pid, "Private_Clean", "Private_Dirty")
    return own + sum(_alone(child) for child in _children(pid))


def _megabytes(pid: int, *kinds: str) -> float:
    """How much memory of some kinds a process has (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return 0.0
    found = {kind.strip(): int(size.split()[0]) for kind, size in (line.split(":") for line in lines)}
    return sum(found[kind] for kind in kinds) * 1024 / 1e6


def middle(values: t.Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
