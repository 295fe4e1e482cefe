# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The lock of an organization. It decides which of two simultaneous runs comments on the ticket, and nothing else.

A lock is a text in a file, since the processes of Ansible's tasks come and go. The kernel's lock (flock) on that file only
orders two processes for the moment of a change.
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

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import MAX_BYTES, open_file, take_turn

# A holder that has not refreshed its lock for so long is taken over. A run takes it before it enables the keys, and once
# more before it comments. What is in between is bounded by cmk_wait_timeout, which is 5 minutes unless set.
STALE_AFTER: t.Final = dt.timedelta(minutes=15)

_TIME: t.Final = "%Y-%m-%dT%H:%M:%SZ"
_MOST_PID: t.Final = 2**31 - 1
_PATIENCE: t.Final = 2.0
_ENDED: t.Final = ("Z", "X")


@dataclass(frozen=True)
class Holder:
    """A run that holds the lock.

    ``pid``, ``boot_id``, ``start_time`` and ``pid_namespace`` identify the process ansible-playbook; where the machine has
    no /proc, the last three are empty. ``host`` is the machine's name, ``inventory_host`` the run's inventory host: two
    hosts with one ``cmk_org`` share a lock. ``since`` and ``refreshed_at`` are times in UTC (ISO 8601, ``...Z``).
    """

    pid: int
    boot_id: str
    start_time: str
    pid_namespace: str
    host: str
    inventory_host: str
    since: str
    refreshed_at: str


@dataclass(frozen=True)
class Process:
    """What this machine knows of a process id; ``start_time`` is empty if it is unknown."""

    is_running: bool
    start_time: str


def identify(inventory_host: str, now: str, pid: int | None = None) -> Holder:
    """Identify this run by the process ansible-playbook, which is a task's parent and lives as long as the run."""
    pid = os.getppid() if pid is None else pid
    return Holder(
        pid=pid,
        boot_id=_read_line("/proc/sys/kernel/random/boot_id"),
        start_time=probe(pid).start_time,
        pid_namespace=_read_link("/proc/self/ns/pid"),
        host=platform.node(),
        inventory_host=inventory_host,
        since=now,
        refreshed_at=now,
    )


def acquire(path: str, mine: Holder, now: str, *, break_lock: bool = False) -> Holder | None:
    """Take the lock unless another run holds it; return that run, or None if the lock is ours now.

    :raises OSError: if the lock cannot be written, or another process is changing it for more than two seconds
    """
    with _guarded(path, os.O_RDWR | os.O_CREAT) as file:
        holder = parse(file.read(MAX_BYTES))
        if holder and not break_lock and is_held_by_another(holder, mine, now, probe(holder.pid)):
            return holder
        since = holder.since if holder and is_same_run(holder, mine) else mine.since
        _rewrite(file, json.dumps(asdict(replace(mine, since=since, refreshed_at=now))).encode())
    return None


def release(path: str, mine: Holder) -> None:
    """Free the lock if it is ours and can be freed: a lock that stays is taken over once this run has ended."""
    with contextlib.suppress(OSError), _guarded(path, os.O_RDWR) as file:
        holder = parse(file.read(MAX_BYTES))
        if holder and is_same_run(holder, mine):
            _rewrite(file, b"")


def parse(data: bytes) -> Holder | None:
    """Read who holds the lock; None if nobody does, or if the text is damaged."""
    try:
        read = json.loads(data.decode("utf-8"))
        holder = Holder(**{field.name: read[field.name] for field in fields(Holder)})
        _time(holder.since), _time(holder.refreshed_at)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = [value for name, value in asdict(holder).items() if name != "pid"]
    is_number = isinstance(holder.pid, int) and not isinstance(holder.pid, bool) and 0 < holder.pid <= _MOST_PID
    return holder if is_number and all(isinstance(text, str) for text in texts) else None


def is_held_by_another(holder: Holder, mine: Holder, now: str, process: Process) -> bool:
    """Decide whether another run holds the lock, from what is known of the holder's process id on this machine."""
    if is_same_run(holder, mine):
        return False
    return not is_stale(holder, now) and not is_gone(holder, mine, process)


def is_same_run(first: Holder, second: Holder) -> bool:
    """Tell whether two holders are the same run on the same inventory host."""
    return _identity(first) == _identity(second)


def is_stale(holder: Holder, now: str) -> bool:
    """Tell whether a holder has not refreshed its lock for too long, or claims to have done so in the future."""
    return abs(_time(now) - _time(holder.refreshed_at)) > STALE_AFTER


def is_gone(holder: Holder, mine: Holder, process: Process) -> bool:
    """Tell whether the holder has certainly ended. Of another boot, namespace or machine nothing is certain."""
    if (holder.boot_id, holder.pid_namespace) != (mine.boot_id, mine.pid_namespace):
        return False
    # Without /proc only the machine's name tells where the holder runs.
    if not mine.boot_id and holder.host != mine.host:
        return False
    if not process.is_running:
        return True
    return bool(holder.start_time and process.start_time) and holder.start_time != process.start_time


def probe(pid: int) -> Process:
    """Ask the machine for a process id."""
    # The name of the program may hold spaces and parentheses; after it come the state (field 3) and, as field 22, the start.
    after_name = _read_line(f"/proc/{pid}/stat").rpartition(")")[2].split()
    start_time = after_name[19] if len(after_name) > 19 else ""
    if after_name and after_name[0] in _ENDED:
        return Process(is_running=False, start_time=start_time)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return Process(is_running=False, start_time=start_time)
    except PermissionError:
        pass
    return Process(is_running=True, start_time=start_time)


@contextlib.contextmanager
def _guarded(path: str, flags: int) -> t.Iterator[t.BinaryIO]:
    with open_file(path, flags) as file:
        take_turn(file, path, _PATIENCE)
        yield file


def _rewrite(file: t.BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.truncate()
    file.write(data)
    file.flush()


def _identity(holder: Holder) -> tuple[int, str, str, str, str]:
    return holder.pid, holder.boot_id, holder.start_time, holder.pid_namespace, holder.inventory_host


def _time(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, _TIME).replace(tzinfo=dt.timezone.utc)


def _read_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _read_link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
