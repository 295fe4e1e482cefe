# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller keeps of an organization, and what becomes of it where it cannot be read or written."""

from __future__ import annotations

import os
import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, remember, write_file

JOURNAL: t.Final = "restoration.json"
ACCESS: t.Final = "access.json"
REVOCATION: t.Final = "revocation.json"
DRILLS: t.Final = "drills.json"
DRILLS_PAGE: t.Final = "drills.html"
LOCK: t.Final = "lock.json"


def report_folder(run: Run) -> str:
    """Return the folder of the run's evidence and reports."""
    begun = run.started_at.replace("-", "").replace(":", "")
    return run.settings.file(f"{begun}-{run.command.name}")


def try_folder(run: Run) -> str:
    """Begin the run's own report; return why that is not possible, empty if it is."""
    try:
        write_file(os.path.join(report_folder(run), f"{run.command.name}.md"), "")
    except (OSError, UnicodeError) as error:
        return f"{error}."
    return ""


def read_records(run: Run) -> Records:
    """Read what earlier runs have kept. What cannot be read must not keep a key from being enabled."""
    return Records(*(read_record(run.settings, name) for name in (JOURNAL, ACCESS, REVOCATION)))


def read_record(settings: Settings, name: str) -> str:
    """Read a record; empty if there is none, and a text that is no record if it cannot be read."""
    path = settings.file(name)
    try:
        return read_file(path) or ""
    except (OSError, UnicodeError) as error:
        Display().warning(f"{settings.org}: {path} cannot be read: {error}.")
        # As a damaged journal: a restoration that nobody was notified of.
        return "unreadable"


def keep(run: Run, name: str, text: str | None, what: str) -> None:
    """Write a record; None for nothing. One that cannot be written is told, and stops nothing.

    :param what: what cannot be remembered then, for the warning
    """
    if text is None:
        return
    path = run.settings.file(name)
    try:
        remember(path, text)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: {what} cannot be remembered: {path} cannot be written: {error}.")
