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

_PAGE: t.Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """How a command ended. Times in seconds, memory in MB; ``child`` is the largest process that it started."""

    code: int
    started: float
    wall: float
    cpu: float
    memory: float
    child: float
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
    return Measured(process.returncode, started, wall, cpu, watch.parent, watch.child, log.read_text(encoding="utf-8"))


class _Watch:
    """Looks ten times a second at the memory of a process and of its children."""

    def __init__(self, pid: int) -> None:
        self.parent = self.child = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.parent = max(self.parent, _resident(self._pid))
            children = Path(f"/proc/{self._pid}/task/{self._pid}/children")
            try:
                pids = children.read_text(encoding="ascii").split()
            except OSError:
                continue
            self.child = max([self.child, *(_resident(int(pid)) for pid in pids)])

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


def _resident(pid: int) -> float:
    """Resident memory in MB, without what is shared with the process it was forked from."""
    try:
        _size, resident, shared, *_rest = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return (int(resident) - int(shared)) * _PAGE / 1e6


def middle(values: t.Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
