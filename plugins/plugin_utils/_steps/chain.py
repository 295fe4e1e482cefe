# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The chain of an organization's runs.

Each run lists the SHA-256 of its files and of the list of the run before, as ``sha256sum --check`` reads it. Who alters a
run must alter every list after it. docs/evidence.md has the command that checks the chain.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Previous
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import open_file, read_file, write_file

SUMS: t.Final = "SHA256SUMS"
_RUN: t.Final = re.compile(rf"([0-9]{{8}}T[0-9]{{6}}Z)-({'|'.join(COMMANDS)})(-[0-9]+)?")


def claim_folder(path: str) -> str:
    """Create the folder of a run, with a number if another run has it already; return its path. Raises OSError."""
    for number in itertools.count(1):
        folder = path if number == 1 else f"{path}-{number}"
        try:
            with open_file(os.path.join(folder, SUMS), os.O_RDWR | os.O_CREAT | os.O_EXCL):
                return folder
        except FileExistsError:
            continue
    raise AssertionError


def list_runs(folder: str) -> list[str]:
    """Return the names of the folders of the runs before this one, the oldest first."""
    above, name = os.path.split(folder)
    return sorted(other for other in os.listdir(above) if _RUN.fullmatch(other) and other < name)


def find_previous(folder: str, runs: t.Sequence[str]) -> dict[str, str] | None:
    """Return the newest of the runs that has a list (``run``, ``sha256`` of the list); None if there is none."""
    for run in reversed(runs):
        # The list of a run that has not ended is empty.
        if sums := read_file(os.path.join(os.path.dirname(folder), run, SUMS)):
            return {"run": run, "sha256": _digest(sums)}
    return None


def find_earlier(runs: t.Sequence[str], since: str) -> list[dict[str, str]]:
    """Return the runs since a restoration began (``run``, ``entry_point``, ``at``)."""
    begun = compact(since)
    matches = [match for match in map(_RUN.fullmatch, runs) if match and match[1] >= begun]
    return [{"run": match[0], "entry_point": match[2], "at": _extended(match[1])} for match in matches]


def write_sums(folder: str, texts: t.Mapping[str, str], previous: Previous | None) -> None:
    """Write the list of a run. Raises OSError.

    :param texts: the texts of its files, by name
    """
    sums = {f"{os.path.basename(folder)}/{name}": _digest(text) for name, text in texts.items()}
    if previous:
        sums[f"{previous['run']}/{SUMS}"] = previous["sha256"]
    write_file(os.path.join(folder, SUMS), "".join(f"{digest}  {path}\n" for path, digest in sums.items()))


def compact(at: str) -> str:
    """Write a time as the names of folders have it."""
    return at.replace("-", "").replace(":", "")


def _extended(at: str) -> str:
    return f"{at[:4]}-{at[4:6]}-{at[6:11]}:{at[11:13]}:{at[13:]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
