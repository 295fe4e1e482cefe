"""Support desk stand-in: the Jira Service Management endpoints that the collection uses, on loopback, for tests."""

from __future__ import annotations

from .server import Desk
from .state import DEFAULT_BEARER, DEFAULT_TICKET, DEFAULT_TOKEN, DEFAULT_USER

__all__ = ["DEFAULT_BEARER", "DEFAULT_TICKET", "DEFAULT_TOKEN", "DEFAULT_USER", "Desk"]
