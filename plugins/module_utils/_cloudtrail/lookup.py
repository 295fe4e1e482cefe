# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS CloudTrail, for one key. What they mean is decided in revocation and use."""

from __future__ import annotations

import datetime as dt
import threading
import time
import typing as t
from dataclasses import dataclass

from .._calls import call
from .events import TrailEvent
from .revocation import KEY_EVENTS, STORE_EVENTS, concerns_store

# 500 events, five seconds at two requests a second.
MOST_PAGES: t.Final = 10
EVENTS_A_PAGE: t.Final = 50
# Twelve seconds; windows that double from a minute on reach back 90 days in 18 steps.
MOST_USE_PAGES: t.Final = 24
_FIRST_WINDOW: t.Final = dt.timedelta(minutes=1)
# From when to when, or to now; both ends are included.
Span: t.TypeAlias = "tuple[dt.datetime, dt.datetime | None]"


class Pace:
    """One request at a time, each half a second after the end of the one before.

    CloudTrail takes "two per second, per account, per Region" (AWS CloudTrail API Reference, LookupEvents).
    """

    def __init__(
        self,
        interval: float = 0.5,
        sleep: t.Callable[[float], None] = time.sleep,
        monotonic: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval, self._sleep, self._monotonic = interval, sleep, monotonic
        self._lock = threading.Lock()
        self._next = -interval

    def __enter__(self) -> None:
        self._lock.acquire()
        wait = self._next - self._monotonic()
        if wait > 0:
            self._sleep(wait)

    def __exit__(self, *error: object) -> None:
        self._next = self._monotonic() + self._interval
        self._lock.release()


@dataclass(frozen=True)
class Trail:
    """CloudTrail's event history of one region."""

    client: t.Any
    pace: Pace
    region: str

    def page(self, attribute: str, value: str, span: Span, token: str = "") -> tuple[list[TrailEvent], str]:
        """Return one page of events, and the token of the next one, empty if there is none. RefusedError if CloudTrail does not answer."""
        start, until = span
        params: dict[str, t.Any] = {
            "LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}],
            "StartTime": start,
            **({"EndTime": until} if until else {}),
            **({"NextToken": token} if token else {}),
        }
        with self.pace:
            answer = call(self.client, "LookupEvents", self.region, "cloudtrail", **params)
        return list(map(TrailEvent.from_answer, answer["Events"])), str(answer.get("NextToken") or "")

    def newest(self, attribute: str, value: str, since: dt.datetime) -> tuple[list[TrailEvent], bool]:
        """Return the newest events, and whether these are all."""
        events: list[TrailEvent] = []
        token = ""
        for _number in range(MOST_PAGES):
            page, token = self.page(attribute, value, (since, None), token)
            events += page
            if not token:
                return events, True
        return events, False

    def newest_of(self, names: t.Sequence[str], since: dt.datetime) -> tuple[list[TrailEvent], bool]:
        answers = [self.newest("EventName", name, since) for name in reversed(names)]
        return [event for events, _is_all in answers for event in events], all(is_all for _events, is_all in answers)


def read_history(
    trail: Trail, key_arn: str, since: dt.datetime, custom_key_store_id: str | None
) -> tuple[list[TrailEvent], bool]:
    """Read the events of one key, the newest first, and whether older ones were read too.

    All events if the key has few; of a key in use only those that tell of access.
    """
    events, is_complete = trail.newest("ResourceName", key_arn, since)
    if not is_complete:
        # Every Decrypt and GenerateDataKey is an event, so the history of a key in use has no end. Only one attribute
        # may be looked up at a time: by name, the events of other keys come along.
        by_name, is_complete = trail.newest_of(KEY_EVENTS, since)
        events += [event for event in by_name if key_arn in event.resources]
    if custom_key_store_id:
        # These events name the store and no key, so they are not found by the key's ARN.
        of_stores, is_all = trail.newest_of(STORE_EVENTS, since)
        events += [event for event in of_stores if concerns_store(event, custom_key_store_id)]
        is_complete = is_complete and is_all
    return list({event.event_id: event for event in events}.values()), is_complete


def read_earliest(
    trail: Trail, key_arn: str, span: tuple[dt.datetime, dt.datetime], counts: t.Callable[[TrailEvent], bool]
) -> tuple[list[TrailEvent], bool]:
    """Look for the earliest event of one key that counts, with few requests however much the key is used.

    CloudTrail answers the newest events first. If these are not all, the time is gone through from its beginning, in
    windows that double, until one holds an event that counts.

    :return: the events, the oldest first, and whether none that counts can be earlier than the earliest one of them
    """
    start, until = span
    events, token = trail.page("ResourceName", key_arn, span)
    if not token:
        return _sort(events), True
    left, width = MOST_USE_PAGES - 1, _FIRST_WINDOW
    while left > 0 and start <= until:
        window = (start, min(start + width, until))
        inside, token = trail.page("ResourceName", key_arn, window)
        left -= 1
        while token and left > 0:
            more, token = trail.page("ResourceName", key_arn, window, token)
            left, inside = left - 1, inside + more
        events += inside
        if token or any(map(counts, inside)):
            return _sort(events), not token
        start, width = start + width, width * 2
    return _sort(events), start > until


def _sort(events: t.Iterable[TrailEvent]) -> list[TrailEvent]:
    return sorted({event.event_id: event for event in events}.values(), key=lambda event: event.at)
