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

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, explain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._revocation import (
    KEY_EVENTS,
    STORE_EVENTS,
    concerns_store,
)

# 500 events, five seconds at two requests a second.
MOST_PAGES: t.Final = 10

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


def history(
    client: TrailClient, pace: Pace, key_arn: str, region: str, since: dt.datetime, custom_key_store_id: str | None
) -> list[Found]:
    """Return the events of one key since ``since``, as LookupEvents answers them, the newest first.

    All events if the key has few; of a key in use only those that tell of access. RefusedError if CloudTrail does not
    answer.
    """

    def look_up(attribute: str, value: str) -> tuple[list[Found], bool]:
        wanted = {"AttributeKey": attribute, "AttributeValue": value}
        return _pages(client, pace, region, {"LookupAttributes": [wanted], "StartTime": since})

    found, is_all = look_up("ResourceName", key_arn)
    if not is_all:
        # Every Decrypt and GenerateDataKey is an event, so the history of a key in use has no end. Only one attribute
        # may be looked up at a time: by name, the events of other keys come along.
        by_name = [event for name in reversed(KEY_EVENTS) for event in look_up("EventName", name)[0]]
        found += [event for event in by_name if _names(event, key_arn)]
    if custom_key_store_id:
        # These events name the store and no key, so they are not found by the key's ARN.
        of_stores = [event for name in reversed(STORE_EVENTS) for event in look_up("EventName", name)[0]]
        found += [event for event in of_stores if concerns_store(event, custom_key_store_id)]
    return list({event["EventId"]: event for event in found}.values())


def _names(event: Found, key_arn: str) -> bool:
    return any(resource.get("ResourceName") == key_arn for resource in event.get("Resources", []))


def _pages(client: TrailClient, pace: Pace, region: str, params: dict[str, t.Any]) -> tuple[list[Found], bool]:
    """Return the newest events, and whether these are all."""
    found: list[Found] = []
    token: dict[str, str] = {}
    for _page in range(MOST_PAGES):
        try:
            with pace:
                answer = client.lookup_events(**params, **token)
        except AWS_ERRORS as error:
            raise RefusedError(explain(error, "LookupEvents", region, "cloudtrail")) from error
        found += answer["Events"]
        if not answer.get("NextToken"):
            return found, True
        token = {"NextToken": answer["NextToken"]}
    return found, False
