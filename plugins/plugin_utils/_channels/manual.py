# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``manual``: a person pastes the comment into the ticket."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def hand_over(task: Task) -> dict[str, t.Any]:
    """Show the comment, and write it into a file as well.

    :return: ``comment`` (its text), ``ticket`` (what became of it)
    """
    run = Run.from_json(task.args["run"])
    text, problem = write_comment(task, run)
    if not problem:
        file = "" if task.check_mode else _write_file(run, text)
        known = {"cmk_settings": run.settings.as_json(), "cmk_comment": text, "cmk_comment_file": file}
        show(render("paste.txt.j2", **known))
    return {"comment": text, "ticket": problem}


def _write_file(run: Run, text: str) -> str:
    """Write the text into a file; return its path, empty if it cannot be written: the screen shows it anyway."""
    path = run.settings.file("comment.txt")
    try:
        remember(path, text, writes=True)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: the text for the ticket cannot be written to {path}: {error}.")
        return ""
    return path
