# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS: errors become refusals, and the calls of one piece of work are kept as evidence."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import threading
import typing as t
from dataclasses import dataclass, field

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library
    from botocore import xform_name

from ._aws_errors import AWS_ERRORS, aws_code, explain
from ._refusals import NO_REFUSAL, Refusal, RefusedError, refusal
from ._time import current_time, write_time

NO_ANSWER: t.Final = "NoAnswer"
# Seconds. The header's resolution and the answer's way make up a smaller difference, another one in each run.
_SHOWS_FROM: t.Final = 2.0


def call(client: t.Any, operation: str, region: str, service: str = "kms", **params: t.Any) -> t.Any:
    """Call AWS, and return its answer. RefusedError for its errors, and for what this boto3 does not know."""
    method = getattr(client, xform_name(operation), None)
    if method is None:
        raise RefusedError(refusal("library_too_old", operation=operation))
    try:
        return method(**params)
    except AWS_ERRORS as error:
        raise RefusedError(explain(error, operation, region, service), operation) from error


def read_pages(read: t.Callable[..., t.Any], most: int, **params: str) -> tuple[list[t.Any], bool]:
    """Read the pages of a list of AWS KMS, each by ``read``; return them, and whether these are all."""
    pages = []
    for _number in range(most):
        pages.append(read(**params))
        if not pages[-1].get("Truncated"):
            return pages, True
        params["Marker"] = pages[-1]["NextMarker"]
    return pages, False


class ClosedError(Exception):
    """No further call may be made."""


class Calls:
    """Makes calls and lists them, in order."""

    def __init__(self) -> None:
        self._made: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def make(self, client: t.Any, operation: str, region: str, service: str = "kms", **params: str) -> t.Any:
        """Make one call, as :func:`call`. ClosedError once :meth:`close` was called."""
        made = {"operation": operation, "at": write_time(current_time()), "error": NO_ANSWER, "request_id": ""}
        with self._lock:
            if self._is_closed:
                raise ClosedError
            self._made.append(made)
        try:
            answer = call(client, operation, region, service, **params)
        except RefusedError as refused:
            error = refused.__cause__ or refused
            request_id = _metadata(getattr(error, "response", None)).get("RequestId")
            made.update(error=aws_code(error) or type(error).__name__, request_id=str(request_id or ""))
            raise
        made.update(error="", request_id=str(_metadata(answer).get("RequestId") or ""))
        return answer

    def close(self) -> None:
        """Have no further call made: a thread that was given up must not change a key later on."""
        with self._lock:
            self._is_closed = True

    def unanswered(self) -> str:
        """Return the operation that AWS has not answered yet; empty if there is none."""
        return next((made["operation"] for made in self.listed() if made["error"] == NO_ANSWER), "")

    def listed(self) -> list[dict[str, str]]:
        with self._lock:
            return [dict(made) for made in self._made]


@dataclass(kw_only=True)
class Work:
    """A piece of work at AWS, filled in on the way, so that it can be read while AWS does not answer."""

    actions: list[str] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    waited: float = 0.0
    refusal: Refusal | None = None  # ``actions`` still tells what had been done before it
    is_done: bool = False  # nothing more will happen

    def carry_out(self, steps: t.Callable[[], None]) -> None:
        """Take the steps. Never raises for what AWS answers: ``refusal`` then says why they ended."""
        try:
            steps()
        except RefusedError as refused:
            self.refusal = refused.refusal
        except ClosedError:
            return
        self.is_done = True

    def give_up(self) -> bool:
        """Have no further call made, since the time is over; return whether something was still to be done."""
        self.calls.close()
        return not (self.is_done or self.refusal)

    def not_reached(self, first: str, region: str, reason: str) -> Refusal:
        """Return which operation AWS did not answer; ``first`` if none was begun."""
        return refusal("not_reached", operation=self.calls.unanswered() or first, region=region, message=reason)

    def describe(self) -> dict[str, t.Any]:
        """Return this part of a module's result."""
        return {
            "actions": self.actions,
            "calls": self.calls.listed(),
            "changed": bool(self.actions),
            "waited": round(self.waited, 1),
        }

    def describe_refusal(self) -> dict[str, str]:
        return vars(self.refusal or NO_REFUSAL)


def write_diff(title: str, before: object, after: object) -> dict[str, object]:
    """Return what Ansible shows in diff mode."""
    return {"before_header": title, "after_header": title, "before": before, "after": after}


def clock_offset(answer: object, now: dt.datetime) -> float | None:
    """Return how many seconds AWS's clock is ahead of ours, by the ``Date`` header of an answer that came ``now``; None without one."""
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
