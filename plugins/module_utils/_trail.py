# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The calls to AWS CloudTrail, for one key. What they mean is decided in _revocation."""

from __future__ import annotations

import datetime as dt
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, explain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._revocation import (
    KEY_EVENTS,
    STORE_EVENTS,
    concerns_store,
)

# 500 events, five seconds at two requests a second.
MOST_PAGES: t.Final = 10
EVENTS_A_PAGE: t.Final = 50
# Twelve seconds; windows that double from a minute on reach back 90 days in 18 steps.
MOST_USE_PAGES: t.Final = 24
_FIRST_WINDOW: t.Final = dt.timedelta(minutes=1)

Found = dict[str, t.Any]


class TrailClient(t.Protocol):
    """The part of boto3's CloudTrail client that is used."""

    def lookup_events(self, **params: t.Any) -> dict[str, t.Any]: ...


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
class History:
    """The events of one key that tell of access, the newest first; ``is_complete`` says whether older ones were read too."""

    events: list[Found]
    is_complete: bool


def history(
    client: TrailClient, pace: Pace, key_arn: str, region: str, since: dt.datetime, custom_key_store_id: str | None
) -> History:
    """Read the events of one key since ``since``, as LookupEvents answers them.

    All events if the key has few; of a key in use only those that tell of access. RefusedError if CloudTrail does not
    answer.
    """

    def look_up(attribute: str, value: str) -> tuple[list[Found], bool]:
        wanted = {"AttributeKey": attribute, "AttributeValue": value}
        return _pages(client, pace, region, {"LookupAttributes": [wanted], "StartTime": since})

    def look_up_names(names: t.Sequence[str]) -> tuple[list[Found], bool]:
        answers = [look_up("EventName", name) for name in reversed(names)]
        return [event for events, _is_all in answers for event in events], all(is_all for _events, is_all in answers)

    events, is_complete = look_up("ResourceName", key_arn)
    if not is_complete:
        # Every Decrypt and GenerateDataKey is an event, so the history of a key in use has no end. Only one attribute
        # may be looked up at a time: by name, the events of other keys come along.
        by_name, is_complete = look_up_names(KEY_EVENTS)
        events += [event for event in by_name if _names(event, key_arn)]
    if custom_key_store_id:
        # These events name the store and no key, so they are not found by the key's ARN.
        of_stores, is_all = look_up_names(STORE_EVENTS)
        events += [event for event in of_stores if concerns_store(event, custom_key_store_id)]
        is_complete = is_complete and is_all
    return History(list({event["EventId"]: event for event in events}.values()), is_complete)


def _names(event: Found, key_arn: str) -> bool:
    return any(resource.get("ResourceName") == key_arn for resource in event.get("Resources", []))


def earliest_since(
    client: TrailClient,
    pace: Pace,
    key_arn: str,
    region: str,
    span: tuple[dt.datetime, dt.datetime],
    counts: t.Callable[[Found], bool],
) -> tuple[list[Found], bool]:
    """Look for the earliest event of one key that counts, with few requests however much the key is used.

    CloudTrail answers the newest events first. If these are not all, the time is gone through from its beginning, in
    windows that double, until one holds an event that counts.

    :param span: from when to when; both ends are included
    :return: the events that were read, the oldest first, and whether none that counts can be earlier than the earliest
        one of them. RefusedError if CloudTrail does not answer
    """
    wanted = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": key_arn}]}
    start, until = span
    found, token = _page(client, pace, region, {**wanted, "StartTime": start, "EndTime": until})
    if not token:
        return _by_time(found), True
    left, width = MOST_USE_PAGES - 1, _FIRST_WINDOW
    while left > 0 and start <= until:
        window = {**wanted, "StartTime": start, "EndTime": min(start + width, until)}
        events, token = _page(client, pace, region, window)
        left -= 1
        while token and left > 0:
            more, token = _page(client, pace, region, window, token)
            left, events = left - 1, events + more
        found += events
        if token or any(counts(event) for event in events):
            return _by_time(found), not token
        start, width = start + width, width * 2
    return _by_time(found), start > until


def _by_time(found: t.Iterable[Found]) -> list[Found]:
    by_id = {event["EventId"]: event for event in found}
    return sorted(by_id.values(), key=lambda event: t.cast("dt.datetime", event["EventTime"]))


def _page(
    client: TrailClient, pace: Pace, region: str, params: dict[str, t.Any], token: str = ""
) -> tuple[list[Found], str]:
    """Return one page of events, and the token of the next one; empty if there is none."""
    try:
        with pace:
            answer = client.lookup_events(**params, **({"NextToken": token} if token else {}))
    except AWS_ERRORS as error:
        raise RefusedError(explain(error, "LookupEvents", region, "cloudtrail")) from error
    return list(answer["Events"]), str(answer.get("NextToken") or "")


def _pages(client: TrailClient, pace: Pace, region: str, params: dict[str, t.Any]) -> tuple[list[Found], bool]:
    """Return the newest events, and whether these are all."""
    found: list[Found] = []
    token = ""
    for _number in range(MOST_PAGES):
        events, token = _page(client, pace, region, params, token)
        found += events
        if not token:
            return found, True
    return found, False
