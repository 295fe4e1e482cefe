"""Mail stand-in: a real SMTP server on loopback, and what a service desk makes of the mails that it takes."""

from __future__ import annotations

from .desk import DeskByMail
from .server import MailServer

__all__ = ["DeskByMail", "MailServer"]
