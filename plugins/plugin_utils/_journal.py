# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: what the controller remembers of an organization's last restoration. Pure.

It is written before the first key is changed, so that a restoration that nobody was notified of is remembered whatever
happens in between.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import asdict, dataclass, field

REFERENCE: t.Final = r"cmk-restore/{slug}/[0-9a-f]{{12}}"

Json: t.TypeAlias = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Journal:
    """One organization's last restoration. Times are ISO 8601 in UTC, by the controller's clock."""

    reference: str = ""  # names the restoration on the ticket; empty until it is settled
    started_at: str = ""  # when the restoration began
    changed_at: str | None = None  # when the last run that was to change a key began; None if none was
    restored_at: str | None = None  # since when every key has been usable; None if not yet
    ticket: str = ""  # the ticket's key
    states_before: t.Mapping[str, str] = field(default_factory=dict)  # the state that each key (by its ARN) had before
    told: Json | None = None  # how Atlassian was notified; None if it was not
    mailed: Json | None = None  # how the comment was mailed; None if it was not
    used_notes: tuple[str, ...] = ()  # what ended earlier restorations as cmk_ticket_told
    previous_reference: str = ""  # the restoration before this one
    previous_restored_at: str | None = None  # when that one was complete; None if that is not known
    in_doubt: bool = False  # no run changed a key, and nothing told of a loss: CloudTrail could not be read
    is_damaged: bool = False  # a journal was there and could not be read

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it is kept."""
        return {name: value for name, value in asdict(self).items() if name != "is_damaged"}

    @classmethod
    def from_json(cls, known: Json) -> Journal:
        """Read what :meth:`as_json` returned."""
        given = {name: known[name] for name in cls.__dataclass_fields__ if name in known}
        return cls(**{**given, "used_notes": tuple(known.get("used_notes") or ())})


# What a journal's JSON holds, as far as it is there.
_TYPES: t.Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("reference", "started_at", "ticket", "previous_reference"), (str,)),
    **dict.fromkeys(("changed_at", "restored_at", "previous_restored_at"), (str, type(None))),
    **dict.fromkeys(("told", "mailed"), (dict, type(None))),
    "states_before": (dict,),
    "used_notes": (list,),
    "in_doubt": (bool,),
}


def read_journal(text: str, slug: str) -> Journal | None:
    """Read a journal; a damaged one counts as a restoration that nobody was notified of, and no text as none."""
    if not text.strip():
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not _is_whole(content, slug):
        return Journal(is_damaged=True)
    return Journal.from_json(content)


def _is_whole(content: Json, slug: str) -> bool:
    return (
        all(isinstance(content[name], types) for name, types in _TYPES.items() if name in content)
        and "states_before" in content
        and all(isinstance(note, str) for note in content.get("used_notes", []))
        and bool(content.get("started_at"))
        # By another reference the comment would not be recognized once it is posted.
        and bool(re.fullmatch(rf"|{REFERENCE.format(slug=re.escape(slug))}", content.get("reference", "")))
    )


def write_journal(journal: Journal) -> str:
    """Write the journal as it is kept."""
    return json.dumps(journal.as_json(), indent=2, sort_keys=True) + "\n"
