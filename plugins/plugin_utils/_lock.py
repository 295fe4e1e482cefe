# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of an organization. It decides which of two simultaneous runs comments on the ticket, and nothing else.

It is a text that names the process ansible-playbook. The kernel's lock (flock) would end with the process of the task that
takes it, so it only orders two processes for the moment of a change.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import typing as t
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import MAX_BYTES, open_file, take_turn

# A holder that has not refreshed its lock for so long is taken over. A run takes it before it enables the keys, and once
# more before it comments. What is in between is bounded by cmk_wait_timeout, which is 5 minutes unless set.
STALE_AFTER: t.Final = dt.timedelta(minutes=15)
_PATIENCE: t.Final = 2.0  # seconds


@dataclass(frozen=True)
class Holder:
    """A run that holds the lock. Times are ISO 8601 in UTC."""

    pid: int
    start_time: str  # of the process, as find_start_time returns it
    machine: str  # its boot and its namespace of process ids; without /proc its name
    inventory_host: str  # two hosts with one cmk_org share a lock
    host: str  # the machine's name, for people
    since: str
    refreshed_at: str

    @property
    def run(self) -> tuple[int, str, str, str]:
        """What tells this run from every other."""
        return self.pid, self.start_time, self.machine, self.inventory_host


def identify(inventory_host: str, now: str, pid: int | None = None) -> Holder:
    """Identify this run by the process ansible-playbook, which is a task's parent and lives as long as the run."""
    pid = os.getppid() if pid is None else pid
    return Holder(pid, find_start_time(pid) or "", _find_machine(), inventory_host, platform.node(), now, now)


def acquire(path: str, mine: Holder, *, break_lock: bool = False) -> Holder | None:
    """Take or refresh the lock unless another run holds it; return that run, or None if the lock is ours now.

    :raises OSError: if the lock cannot be written, or another process is changing it for more than two seconds
    """
    with open_file(path, os.O_RDWR | os.O_CREAT) as file:
        take_turn(file, path, _PATIENCE)
        holder = parse(file.read(MAX_BYTES))
        if holder and not break_lock and is_held_by_another(holder, mine, find_start_time(holder.pid)):
            return holder
        since = holder.since if holder and holder.run == mine.run else mine.since
        _rewrite(file, json.dumps(asdict(replace(mine, since=since))).encode())
    return None


def release(path: str, mine: Holder) -> None:
    """Free the lock if it is ours and can be freed: a lock that stays is taken over once this run has ended."""
    with contextlib.suppress(OSError), open_file(path, os.O_RDWR) as file:
        take_turn(file, path, _PATIENCE)
        holder = parse(file.read(MAX_BYTES))
        if holder and holder.run == mine.run:
            _rewrite(file, b"")


def _rewrite(file: t.BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(data)
    file.flush()


def parse(data: bytes) -> Holder | None:
    """Read who holds the lock; None if nobody does, or if the text is damaged."""
    try:
        read = json.loads(data)
        holder = Holder(**{field.name: read[field.name] for field in fields(Holder)})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = [value for name, value in vars(holder).items() if name != "pid"]
    is_typed = (
        isinstance(holder.pid, int)
        and not isinstance(holder.pid, bool)
        and all(isinstance(value, str) for value in texts)
    )
    return holder if is_typed else None


def is_held_by_another(holder: Holder, mine: Holder, start_time: str | None) -> bool:
    """Decide whether another run holds the lock.

    :param start_time: of the process that has the holder's id on this machine now, as :func:`find_start_time` returns it
    """
    now, refreshed_at = parse_time(mine.refreshed_at), parse_time(holder.refreshed_at)
    is_stale = not now or not refreshed_at or abs(now - refreshed_at) > STALE_AFTER
    if is_stale or holder.run == mine.run:
        return False
    # Whether a process of another boot, container or machine has ended is not known here.
    return holder.machine != mine.machine or holder.start_time == start_time


def find_start_time(pid: int) -> str | None:
    """Return when a process started, in clock ticks since the boot; empty without /proc, None if it has ended."""
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # proc(5): the name of the program may hold spaces and parentheses. After it come the state (field 3) and the start (22).
        after_name = status.rpartition(")")[2].split()
        return None if after_name[0] in ("Z", "X") else after_name[19]
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        pass
    return ""


def _find_machine() -> str:
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()
