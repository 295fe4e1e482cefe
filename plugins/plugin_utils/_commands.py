# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands: what each playbook does, and what follows from it. The one table."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command, which a playbook and an entry point of the role are named after."""

    name: str
    only_reads: bool = False  # changes nothing, neither at AWS nor at the desk
    predicts: bool = False  # speaks of a restore that has not happened, as check mode does
    verifies: bool = False  # judges whether Atlassian is back
    notifies: bool = False  # notifies Atlassian, and remembers the restoration
    revokes: bool = False  # takes access away instead of giving it back
    keeps_access: bool = False  # keeps a copy of policies and grants
    shows_plan: bool = True
    drills: bool = False  # takes the other commands in turn, for an organization that exists for drills
    takes_byok: bool = False  # also for Atlassian's older programme
    summary: str = "summary.txt.j2"  # the template of its last words


RESTORE: t.Final = Command("restore", notifies=True, takes_byok=True)
ASSESS: t.Final = Command("assess", only_reads=True, predicts=True, keeps_access=True, takes_byok=True)
VERIFY: t.Final = Command("verify", only_reads=True, verifies=True, shows_plan=False, summary="verification.txt.j2")
REVOKE: t.Final = Command("revoke", revokes=True, keeps_access=True, summary="revoke_summary.txt.j2")
# Its settings are read as those of a restore, so that nothing stops the restore once access is revoked.
DRILL: t.Final = Command("drill", notifies=True, drills=True, summary="drill_summary.txt.j2")
COMMANDS: t.Final = {command.name: command for command in (RESTORE, ASSESS, VERIFY, REVOKE, DRILL)}
