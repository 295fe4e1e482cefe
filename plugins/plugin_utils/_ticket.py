# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the ticket in a run. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, fields, replace

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Mention, Why

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

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it passes from task to task."""
        return asdict(self)

    def as_record(self) -> dict[str, t.Any]:
        """Return what the journal keeps of the comment."""
        return {"by": "api", **{name: getattr(self, name) for name in _OF_COMMENT}}
