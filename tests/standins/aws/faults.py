"""Scripted faults: which call they hit, how often, and what they do."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal


@dataclass
class Fault:
    """One scripted fault (`POST /_standin/faults`).

    It applies to calls that match `service`, `operation`, `region` and `key_id` (as sent, or the resolved key's id, ARN
    or alias), lets the first `skip` of them pass, then hits `count` of them (None: for ever).
    `latency` is in seconds; `drop` and `reset` close the connection without an answer; `hang` never answers.
    """

    service: str = "kms"
    operation: str = "*"
    region: str = "*"
    key_id: str | None = None
    count: int | None = 1
    skip: int = 0
    error: str | None = None
    message: str | None = None
    status: int | None = None
    html: bool = False
    latency: float = 0.0
    drop: Literal["before", "after"] | None = None
    reset: bool = False
    hang: bool = False

    @classmethod
    def parse(cls, spec: dict[str, Any]) -> Fault:
        unknown = set(spec) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown field(s): {', '.join(sorted(unknown))}")
        fault = cls(**spec)
        if fault.drop not in (None, "before", "after"):
            raise ValueError(f"drop: {fault.drop!r} is neither before nor after")
        if fault.count is not None and fault.count < 1:
            raise ValueError(f"count: {fault.count!r} is neither null nor 1 or more")
        if fault.reset and fault.drop is None:
            fault.drop = "before"
        if not (fault.error or fault.status or fault.html or fault.latency or fault.drop or fault.hang):
            raise ValueError("a fault needs one of error, status, html, latency, drop, reset, hang")
        return fault

    def matches(self, service: str, operation: str, region: str, names: set[str]) -> bool:
        return (
            self.service in ("*", service)
            and self.operation in ("*", operation)
            and self.region in ("*", region)
            and (self.key_id is None or self.key_id in names)
        )

    @property
    def answers(self) -> bool:
        """Whether it replaces the answer, rather than only delaying it."""
        return bool(self.error or self.status or self.html or self.drop or self.hang)


def take(faults: list[Fault], service: str, operation: str, region: str, names: set[str]) -> tuple[float, Fault | None]:
    """Use up the faults that a call meets: seconds of delay, and the first fault that replaces the answer."""
    delay = 0.0
    for fault in list(faults):
        if not fault.matches(service, operation, region, names):
            continue
        if fault.skip > 0:
            fault.skip -= 1
            continue
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                faults.remove(fault)
        delay += fault.latency
        if fault.answers:
            return delay, fault
    return delay, None
