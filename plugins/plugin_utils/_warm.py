# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What the tasks of the role load, loaded once: Ansible imports an action in its main process, before it forks a task's.

Without it, the process of each task of each organization finds and reads the same plugins again, for 20 ms of CPU.
"""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from ansible.plugins.loader import filter_loader, lookup_loader, test_loader

_BUILTIN: t.Final = (
    (filter_loader, ("ansible.builtin.combine", "default", "length", "selectattr", "rejectattr")),
    (test_loader, ("ansible.builtin.exists", "truthy", "falsy", "defined")),
    (lookup_loader, ("ansible.builtin.env", "ansible.builtin.file", "ansible.builtin.template")),
)


def warm() -> None:
    """Load the filters of this collection, and what the role uses of Ansible's own."""
    own = sorted(path.stem for path in (Path(__file__).resolve().parents[1] / "filter").glob("*.py"))
    # What cannot be found here, the task that needs it reports.
    with contextlib.suppress(Exception):
        for name in own:
            filter_loader.get(f"keyops.atlassian_cmk.{name}")
        for loader, names in _BUILTIN:
            for name in names:
                loader.get(name)
