# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the ticket: how Atlassian was notified, as far as controller and ticket show. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement, announced
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import (
    Author,
    Look,
    Mention,
    Why,
    unfit_comment,
)

Written = t.TypeVar("Written", Mention, Author)
Json: t.TypeAlias = t.Mapping[str, t.Any]
_OF_COMMENT: t.Final = ("reference", "comment_id", "url", "at", "noted_at", "author", "relied_on")


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal has tried beside AWS."""

    ticket_read: bool = False
    ticket_status: str = ""
    folder_error: str | None = None  # why no file can be written there; empty if one can, None if it was not tried


@dataclass(frozen=True)
class Ticket:
    """How Atlassian was notified on the ticket, or why it was not."""

    told: bool = False
    already_told: bool = False  # before this run
    by: str = ""  # api or person; empty if that does not matter any more
    note: str = ""  # what a person gave as cmk_ticket_told
    reference: str = ""  # of the comment, as all that follows
    comment_id: str = ""
    url: str = ""
    at: str = ""  # when Atlassian was notified
    noted_at: str = ""  # the same by the controller's clock
    author: str = ""
    relied_on: bool = False
    mailed: Json | None = None  # to, ticket, at; None if nothing was mailed
    code: str = ""  # of what went wrong; empty if nothing did
    error: str = ""
    hint: str = ""

    @classmethod
    def from_json(cls, known: Json) -> Ticket:
        """Read what a step returned."""
        return cls(**{field.name: known[field.name] for field in fields(cls) if known.get(field.name) is not None})

    @classmethod
    def from_mention(cls, mention: Mention, *, already_told: bool) -> Ticket:
        """Make it of a comment on the ticket."""
        return cls(told=True, already_told=already_told, **{name: getattr(mention, name) for name in _OF_COMMENT})

    def failed(self, why: Why) -> Ticket:
        """Add what went wrong: code, error and hint."""
        return replace(self, code=why["code"], error=why["error"], hint=why["hint"])

    def as_record(self) -> dict[str, t.Any]:
        """Return what the journal keeps of the comment."""
        return {"by": "api", **{name: getattr(self, name) for name in _OF_COMMENT}}


def told_by_look(announcement: Announcement | None, look: Look | None) -> Ticket:
    """Return how Atlassian was notified of this restoration: by the ticket, or else by what the controller remembers.

    ``at`` is by the controller's clock (empty if unknown). What went wrong is why the ticket could not be read.
    """
    found = _notification(announcement, look.mentions if look else ())
    return found.failed(look.why) if look and not look.ok else found


def _notification(announcement: Announcement | None, mentions: t.Sequence[Mention]) -> Ticket:
    if announcement is None:
        return Ticket()
    record = announcement.journal.told
    # After a known notification, an announcement of ours by another controller moves the time from which evidence counts.
    ours = [mention for mention in mentions if mention.by_us] if record else []
    mention = newest([*announced(mentions, announcement), *ours])
    known_at = _recorded_at(announcement)
    # The desk's clock is measured anew at each look: the comment that is recorded keeps the time that was recorded.
    is_recorded = bool(record and known_at and mention and record.get("comment_id") == mention.comment_id)
    if mention and not is_recorded and not is_later(known_at, mention.written_at):
        found = Ticket.from_mention(mention, already_told=True)
        return replace(found, at=format_time(mention.written_at) or "")
    if record is None:
        return Ticket()
    return Ticket.from_json({**record, "told": True, "already_told": True, "at": format_time(known_at) or ""})


def find_comment(announcement: Announcement | None, look: Look, *, already_told: bool) -> Ticket | None:
    """Return the comment on the ticket that notifies Atlassian; None if there is none."""
    known = announced(look.mentions, announcement) if announcement else []
    return Ticket.from_mention(known[0], already_told=already_told) if known else None


def find_standing(announcement: Announcement | None, look: Look, ticket: str) -> Ticket:
    """Return, for a rehearsal, what would stop an announcement on the ticket (its key), or how Atlassian was notified."""
    # An old announcement does not help at the next loss, which a rehearsal is for.
    unfit = unfit_comment("", ticket, look) if look.ok else look.why
    if unfit:
        return Ticket().failed(unfit)
    enables = bool(announcement and announcement.enables)
    return (None if enables else find_comment(announcement, look, already_told=True)) or Ticket()


def _recorded_at(announcement: Announcement) -> dt.datetime | None:
    record = announcement.journal.told or {}
    if record.get("by") != "person":
        return parse_time(record.get("at"))
    # A URL that is given in this very run does not say when the comment was written.
    is_new = not record.get("already_told")
    return parse_time(record.get("note")) or (None if is_new else parse_time(record.get("at")))


def newest(comments: t.Sequence[Written]) -> Written | None:
    """Return the comment that was written last; None if there is none."""
    oldest = dt.datetime.min.replace(tzinfo=dt.timezone.utc)
    # Of comments without a time, and of the same second, the desk lists the newest last.
    return max(reversed(comments), key=lambda comment: comment.written_at or oldest, default=None)


def is_later(moment: dt.datetime | None, other: dt.datetime | None) -> bool:
    """Return whether a time is known and later than another, or the other one unknown."""
    return moment is not None and (other is None or moment > other)
