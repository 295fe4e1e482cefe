# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an organization on the controller: its records, and a folder for each run.

The runs are a chain: each lists the SHA-256 of its files and of the list of the run before, as ``sha256sum --check`` reads
it. Who alters a run must alter every list after it. docs/evidence.md has the command that checks the chain.
"""

from __future__ import annotations

import hashlib
import os
import re
import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Previous
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import (
    open_file,
    read_file,
    remember,
    write_file,
)

JOURNAL: t.Final = "restoration.json"
ACCESS: t.Final = "access.json"
REVOCATION: t.Final = "revocation.json"
DRILLS: t.Final = "drills.json"
DRILLS_PAGE: t.Final = "drills.html"
LOCK: t.Final = "lock.json"
SUMS: t.Final = "SHA256SUMS"
_RUN: t.Final = re.compile(rf"([0-9]{{8}}T[0-9]{{6}}Z)-({'|'.join(COMMANDS)})(-[0-9]+)?")


def report_folder(run: Run) -> str:
    """Return the folder of the run's evidence and reports."""
    return run.settings.file(f"{compact(run.started_at)}-{run.command.name}")


def compact(at: str) -> str:
    """Write a time as the names of folders have it."""
    return at.replace("-", "").replace(":", "")


def try_folder(run: Run) -> str:
    """Begin the run's own report; return why that is not possible, empty if it is."""
    try:
        write_file(os.path.join(report_folder(run), f"{run.command.name}.md"), "")
    except (OSError, UnicodeError) as error:
        return f"{error}."
    return ""


def claim_folder(path: str) -> str:
    """Create the folder of a run, with a number if another run has it already; return its path. Raises OSError."""
    folder, number = path, 1
    while True:
        try:
            with open_file(os.path.join(folder, SUMS), os.O_RDWR | os.O_CREAT | os.O_EXCL):
                return folder
        except FileExistsError:
            number += 1
            folder = f"{path}-{number}"


def find_chain(folder: str, since: str) -> dict[str, t.Any]:
    """Return what the evidence says of the runs before this one. Raises OSError.

    :param since: when the restoration began
    :return: ``previous``, the newest run that has a list, and ``earlier_runs`` of the same restoration
    """
    above, name = os.path.split(folder)
    runs = [match for match in map(_RUN.fullmatch, sorted(os.listdir(above))) if match and match[0] < name]
    earlier = [{"run": run[0], "entry_point": run[2], "at": run[1]} for run in runs if run[1] >= compact(since)]
    for run in reversed(runs):
        # The list of a run that has not ended is empty.
        if sums := read_file(os.path.join(above, run[0], SUMS)):
            return {"previous": {"run": run[0], "sha256": _digest(sums)}, "earlier_runs": earlier}
    return {"previous": None, "earlier_runs": earlier}


def write_run(folder: str, texts: t.Mapping[str, str], previous: Previous | None) -> None:
    """Write the files of a run (name to text), and their list. Raises OSError."""
    for name, text in texts.items():
        write_file(os.path.join(folder, name), text)
    sums = {f"{os.path.basename(folder)}/{name}": _digest(text) for name, text in texts.items()}
    if previous:
        sums[f"{previous['run']}/{SUMS}"] = previous["sha256"]
    write_file(os.path.join(folder, SUMS), "".join(f"{digest}  {path}\n" for path, digest in sums.items()))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
    """Write a record; None for nothing. One that cannot be written is a warning, and stops nothing.

    :param what: what cannot be remembered then, for the warning
    """
    if text is None:
        return
    path = run.settings.file(name)
    try:
        remember(path, text)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: {what} cannot be remembered: {path} cannot be written: {error}.")
