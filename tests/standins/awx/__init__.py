"""AWX stand-in: the part of AWX's REST API that the collection uses, on loopback, for tests."""

from __future__ import annotations

from .server import TOKEN, Awx

__all__ = ["TOKEN", "Awx"]
