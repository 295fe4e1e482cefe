# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS that one piece of work makes, kept as evidence."""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
import typing as t

from ._aws_errors import AWS_ERRORS, aws_code
from ._time import current_time, write_time

NO_ANSWER: t.Final = "NoAnswer"


class ClosedError(Exception):
    """No further call may be made."""


class Calls:
    """Makes calls and lists them, in order."""

    def __init__(self) -> None:
        self._made: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def make(self, operation: str, method: t.Callable[..., t.Any], **params: str) -> t.Any:
        """Make one call; AWS's errors pass through. ClosedError once :meth:`close` was called."""
        call = {"operation": operation, "at": write_time(current_time()), "error": NO_ANSWER, "request_id": ""}
        with self._lock:
            if self._is_closed:
                raise ClosedError
            self._made.append(call)
        try:
            answer = method(**params)
        except AWS_ERRORS as error:
            request_id = _metadata(getattr(error, "response", None)).get("RequestId")
            call.update(error=aws_code(error) or type(error).__name__, request_id=str(request_id or ""))
            raise
        call.update(error="", request_id=str(_metadata(answer).get("RequestId") or ""))
        return answer

    def close(self) -> None:
        """Have no further call made: a thread that was given up must not change a key later on."""
        with self._lock:
            self._is_closed = True

    def unanswered(self) -> str:
        """Return the operation that AWS has not answered yet; empty if there is none."""
        return next((call["operation"] for call in self.listed() if call["error"] == NO_ANSWER), "")

    def listed(self) -> list[dict[str, str]]:
        """Return a copy of the list."""
        with self._lock:
            return [dict(call) for call in self._made]


# Seconds. The header's resolution and the answer's way make up a smaller difference, another one in each run.
_SHOWS_FROM: t.Final = 2.0


def clock_offset(answer: object, now: dt.datetime) -> float | None:
    """Return how many seconds AWS's clock is ahead of ours, by the ``Date`` header of an answer; None without one.

    :param now: the moment at which the answer came
    """
    try:
        date = email.utils.parsedate_to_datetime(str(_metadata(answer)["HTTPHeaders"]["date"]))
        # The header has whole seconds: on average, half a second is cut off.
        ahead = round((date - now).total_seconds() + 0.5, 1)
        return ahead if abs(ahead) >= _SHOWS_FROM else 0.0
    except (KeyError, TypeError, ValueError):
        return None


def _metadata(answer: object) -> t.Mapping[str, t.Any]:
    found = answer.get("ResponseMetadata") if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}
