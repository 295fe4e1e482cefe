# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who says that Atlassian was notified: a person, with ``cmk_ticket_told``. Pure."""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, is_before, parse_time

# How far a person's clock may be ahead of the controller's.
_SKEW: t.Final = dt.timedelta(minutes=5)
FORMS: t.Final = (
    "Give the time at which Atlassian was notified, in ISO 8601 (such as 2026-11-24T03:10:00Z), or the URL of the comment "
    "(https://...)."
)


@dataclass(frozen=True)
class Note:
    """What a person gave as ``cmk_ticket_told``."""

    text: str  # as it was given
    at: str | None  # the time, ISO 8601 in UTC; None if a URL was given

    @property
    def url(self) -> str:
        """The URL; empty if a time was given."""
        return "" if self.at else self.text


def parse_note(text: str, now: str) -> Note | str:
    """Read a time that is not in the future, or an http(s) URL with a host; return the note, or why it is none."""
    moment, today = parse_time(text), parse_time(now)
    if moment is not None and re.match(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ]", text, re.IGNORECASE):
        if today and moment > today + _SKEW:
            return f"is {format_time(moment)}, which is in the future (it is {now} now). {FORMS}"
        return Note(text, format_time(moment))
    if is_web_address(text):
        return Note(text, None)
    return f"is neither a time nor a URL. {FORMS}"


def is_web_address(text: str) -> bool:
    """Return whether a text is an http(s) URL with a host and without credentials."""
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return False
    is_plain = not re.search(r"[\s\\<>\"]", text) and parts.username is None
    return is_plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def why_too_early(note: Note, usable_since: str | None) -> str:
    """Say why the keys were not usable yet at the time of the note; empty if they were, or if that is not known."""
    at, usable = parse_time(note.at), parse_time(usable_since)
    if at is None or usable is None or not is_before(at, usable):
        return ""
    return (
        f"is {note.at}, but the keys have been usable only since {format_time(usable)}. If Atlassian was notified before that, "
        "give the URL of the comment."
    )
