# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run can display while AWS takes its time: who asks for it is called, from any thread."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far the keys of one region are."""

    region: str
    wanted: str
    sent: str = ""  # the operation that AWS has just accepted; empty while waiting
    states: tuple[str, ...] = ()  # the key states that were read last; empty if AWS has not answered
    waited: float = 0.0  # seconds

    def __str__(self) -> str:
        if self.sent:
            return f"{self.region}: {self.sent} sent, waiting until AWS reports {self.wanted}"
        if not self.states:
            return f"{self.region}: AWS has not answered for {self.waited:.0f} s, retrying"
        return f"{self.region}: {', '.join(self.states)} after {self.waited:.0f} s, waiting until AWS reports {self.wanted}"


Report = t.Callable[[Progress], None]


_reports: t.Final[list[Report]] = []


def report_progress_to(report: Report | None) -> None:
    """Have the modules of this process report to ``report``, or to nobody."""
    _reports[:] = [report] if report else []


def report(progress: Progress) -> None:
    for display in _reports:
        display(progress)
