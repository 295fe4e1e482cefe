# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Turns for calls with a small quota, among all processes of this user on this machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
import typing as t

# "Request quotas for each AWS KMS API operation", AWS KMS Developer Guide: 5 a second for each account and region. One is
# left over for other people, and for calls that come closer together than they were sent.
PER_SECOND: t.Final = {"EnableKey": 4, "DisableKey": 4, "CancelKeyDeletion": 4}
# More than that ahead is no queue but a clock that was set back.
_LONGEST: t.Final = 300


def reserve(path: str, interval: float, now: float) -> float:
    """Take the next turn; return how long it is until then, in seconds.

    :param path: the file that the processes share; its folder exists
    :param interval: between two turns, in seconds
    :param now: seconds since the epoch
    """
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            due = float(file.read() or 0)
        except ValueError:
            due = 0
        turn = due if now < due < now + _LONGEST else now
        file.seek(0)
        file.truncate()
        file.write(repr(turn + interval))
    return turn - now


def wait_for_turn(operation: str, account: str, region: str) -> None:
    """Wait until a call may be made without going over AWS's quota. Where turns cannot be shared, do not wait."""
    if operation not in PER_SECOND:
        return
    folder = os.path.join(tempfile.gettempdir(), f"keyops-atlassian-cmk-{os.getuid()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        path = os.path.join(folder, f"{operation}-{account}-{region}")
        wait = reserve(path, 1 / PER_SECOND[operation], time.time())
    except (OSError, UnicodeError):
        return
    time.sleep(wait)
