# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._fleet import fleet
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import write_file

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "entry_point": {"type": "str", "required": True},
}


class ActionModule(ActionBase):
    """Sum up the runs of many organizations."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        hosts = (task_vars or {})["hostvars"]
        ended = [hosts[host]["cmk_report"] for host in args["hosts"] if "cmk_report" in hosts[host]]
        about = fleet([one for one in ended if "result" in one])
        folders = [one["folder"] for one in about["organizations"] if one["folder"]]
        # One level above an organization's own folder, which holds the folders of its runs.
        index = os.path.join(os.path.dirname(os.path.dirname(folders[0])), "index.html") if folders else ""
        try:
            if index and not self._task.check_mode:
                page = render(
                    "index.html.j2",
                    cmk_fleet=about,
                    cmk_folder=os.path.dirname(index),
                    cmk_entry_point=args["entry_point"],
                )
                write_file(index, page + "\n", is_top=True)
        except (OSError, UnicodeError) as error:
            Display().warning(f"The index of the reports could not be written: {error}.")
            index = ""
        show(render("fleet.txt.j2", cmk_fleet=about, cmk_index=index), warn=bool(about["attention"]))
        return {**result, "changed": False, "total": about["total"], "counts": about["counts"], "index": index}
