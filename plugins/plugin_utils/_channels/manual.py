# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``manual``: a person pastes the comment into the ticket."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import show_comment, write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def hand_over(task: Task) -> dict[str, t.Any]:
    """Show the comment, and write it into a file as well.

    :return: ``comment`` (its text), ``ticket`` (what became of it)
    """
    run = Run.from_json(task.args["run"])
    text, problem = write_comment(task, run)
    if not problem:
        show_comment(run, text)
    return {"comment": text, "ticket": problem}
