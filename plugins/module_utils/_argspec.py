# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that the AWS modules share, and what they mean."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ._deadline import Deadline
from ._waiter import Waiting

# What a module takes and returns is JSON: here, and nowhere further in, it is a map.
Json = dict[str, t.Any]

# The calls themselves have that long, however short the waiting for AWS is to be.
_LEAST: t.Final = 10

ASSUME_ROLE_OPTIONS: t.Final[dict[str, Json]] = {
    "assume_role_arn": {"type": "str"},
    "assume_role_external_id": {"type": "str"},
    "assume_role_session_name": {"type": "str", "default": "keyops.atlassian_cmk"},
}
CHANGE_OPTIONS: t.Final[dict[str, Json]] = {
    "account_id": {"type": "str"},
    "plan_timeout": {"type": "float", "default": 5},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "float", "default": 300},
    "wait_reads": {"type": "int", "default": 3},
    "wait_delay": {"type": "float", "default": 1},
    **ASSUME_ROLE_OPTIONS,
}
LOOKUP_OPTIONS: t.Final[dict[str, Json]] = {
    "context_tag": {"type": "str", "default": ""},
    "account_ids": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 30},
    **ASSUME_ROLE_OPTIONS,
}


@dataclass(frozen=True)
class ArgumentSpec:
    """What a module takes besides the common AWS options."""

    options: dict[str, Json]
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Patience:
    """How long calls may take: attempts for each (the first one included), and seconds for each attempt.

    With the standard mode's backoff of up to 20 s, 12 attempts span more than a minute of throttling, which is enough for
    an incident. The timeouts keep an unreachable endpoint from delaying a run by botocore's 60 s an attempt.
    """

    attempts: int = 12
    connect: float = 5
    read: float = 20


# For what is good to know and never needed.
INFO_PATIENCE: t.Final = Patience(attempts=5)


def read_waiting(params: Json) -> Waiting | None:
    """Read how to wait for a change to spread; None for not at all."""
    if not params["wait"]:
        return None
    # With no read at all the change would count as settled unseen.
    return Waiting(reads=max(1, params["wait_reads"]), delay=params["wait_delay"], timeout=params["wait_timeout"])


def read_patience(params: Json, *, is_plan: bool) -> tuple[Deadline, Patience]:
    """Return by when a module that changes something has to end, and how long each of its calls may take."""
    if not is_plan:
        return Deadline(max(params["wait_timeout"], _LEAST), grace=1), Patience()
    timeout = params["plan_timeout"]
    # Two attempts at a region that hangs fit in, and a third one where errors come fast.
    return Deadline(timeout), Patience(attempts=3, connect=timeout / 2, read=timeout / 2)
