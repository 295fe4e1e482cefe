# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._progress import Progress, Report, report_progress_to
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import MODULES, InProcessAction
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show


def _display(name: str) -> Report:
    """Display one line when the first key of a region has been changed, and one each time a region is waited for."""
    changed: set[str] = set()

    def display(progress: Progress) -> None:
        if progress.sent and progress.region in changed:
            return
        changed.update([progress.region] if progress.sent else [])
        show(f"{name} {progress}")

    return display


class ActionModule(InProcessAction):
    """Run the module in this process where it can, and display how far it is if there is one organization only."""

    module = MODULES["kms_key_state"]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        known = task_vars or {}
        is_alone = len(known.get("ansible_play_hosts_all") or []) == 1
        report_progress_to(_display(str(known.get("inventory_hostname"))) if is_alone else None)
        try:
            return super().run(tmp, task_vars)
        finally:
            report_progress_to(None)
