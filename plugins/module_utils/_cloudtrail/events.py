# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event of CloudTrail, as LookupEvents answers it."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from dataclasses import dataclass

from .._time import write_time


@dataclass(frozen=True)
class TrailEvent:
    """One event."""

    event_id: str
    name: str
    at: dt.datetime
    username: str | None
    resources: tuple[str, ...]
    record: dict[str, t.Any]  # what CloudTrail logged of the call; empty if that cannot be read

    @classmethod
    def from_answer(cls, event: t.Mapping[str, t.Any]) -> TrailEvent:
        """Read an entry of LookupEvents' ``Events`` (boto3)."""
        try:
            record = json.loads(event.get("CloudTrailEvent") or "{}")
        except ValueError:
            record = {}
        return cls(
            event_id=event["EventId"],
            name=event["EventName"],
            at=event["EventTime"],
            username=event.get("Username"),
            resources=tuple(str(resource.get("ResourceName")) for resource in event.get("Resources", [])),
            record=record if isinstance(record, dict) else {},
        )

    @property
    def time(self) -> str:
        return write_time(self.at)

    def part(self, name: str) -> dict[str, t.Any]:
        """Return a part of the record; empty if there is none of this name."""
        part = self.record.get(name)
        return part if isinstance(part, dict) else {}
