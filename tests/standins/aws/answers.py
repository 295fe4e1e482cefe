"""HTTP answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(data: Any, status: int = 200) -> Answer:
    return Answer(status, "application/json", json.dumps(data, default=str).encode() + b"\n")


def aws_answer(data: dict[str, Any] | None) -> Answer:
    """None: "HTTP 200 response with an empty HTTP body" (API Reference, EnableKey and DisableKey)."""
    return Answer(200, "application/x-amz-json-1.1", b"" if data is None else json.dumps(data).encode())
