# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is remembered of an organization, and what the steps ``begin`` and ``settle`` have decided. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field, fields

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import Access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket

Json: t.TypeAlias = t.Mapping[str, t.Any]


class Records(t.NamedTuple):
    """What the controller has kept of an organization, each as it was written; empty if there is none."""

    journal: str = ""
    access: str = ""
    revocation: str = ""


@dataclass(frozen=True)
class Decided:
    """What the steps ``begin`` and ``settle`` have decided."""

    begun: Journal | None = None  # to remember before the first key changes; None for nothing
    earlier: Journal | None = None  # the journal as it was
    changes: bool = False  # this run is to change a key, or the trust statement
    changes_trust: bool = False
    targets: tuple[t.Mapping[str, str], ...] = ()  # the keys to change, as kms_key_state takes them
    lock: Json = field(default_factory=dict)  # held, or holder: the other run that holds it
    announcement: Announcement | None = None  # None before it is settled, and of revoke
    loss: AccessLoss | None = None  # of revoke: what was lost before it
    access: tuple[Access, ...] = ()
    refused: str = ""  # of revoke: why nothing is disabled
    announces: bool = False  # Atlassian can be notified now
    ticket: Ticket = field(default_factory=Ticket)  # how it was notified before
    notify: str = ""  # how it is to be notified now: api, mail or manual; empty if it is not

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it passes from task to task."""
        return {**asdict(self), "announcement": self.announcement.as_json() if self.announcement else None}

    @classmethod
    def from_json(cls, known: Json) -> Decided:
        """Read what :meth:`as_json` returned; what was not reached is empty."""
        readers: dict[str, t.Callable[[t.Any], t.Any]] = {
            "begun": Journal.from_json,
            "earlier": Journal.from_json,
            "announcement": Announcement.from_json,
            "loss": AccessLoss.from_json,
            "access": lambda items: tuple(Access(**item) for item in items),
            "targets": tuple,
            "ticket": Ticket.from_json,
        }
        given = {one.name: known[one.name] for one in fields(cls) if known.get(one.name) is not None}
        return cls(**{name: readers[name](value) if name in readers else value for name, value in given.items()})
