# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comment that notifies Atlassian, whatever way it goes. In mode ``manual`` a person pastes it into the ticket."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import template_fault, with_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look, Why, unfit_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

OWN_TEMPLATE: t.Final = "restore_comment.txt.j2"


def write_comment(task: Task, run: Run, look: Look | None = None) -> tuple[str, Why]:
    """Return the text, and why it cannot be posted on the ticket, as far as that was read; empty if it can."""
    template = run.settings.comment_template
    is_ours = template in ("", OWN_TEMPLATE)
    try:
        text = render(OWN_TEMPLATE, **shown(run)) if is_ours else task.print_template(template, shown(run))
    # A template of the user's can fail in any way, and what is told of the run must not break on it.
    except Exception as error:
        said = template_fault(error.message if isinstance(error, AnsibleError) else str(error))
        return "", vars(refusal("comment_template", template=template, message=said))
    if run.announcement and not run.is_preview:
        text = with_reference(text, run.announcement.reference)
    return text, unfit_comment(text, run.settings.ticket, look)


def hand_over(task: Task) -> dict[str, t.Any]:
    """Show the comment, and write it into a file as well; return its ``comment`` and what became of the ``ticket``."""
    run = Run.from_json(task.args["run"])
    text, problem = write_comment(task, run)
    if not problem:
        show_comment(run, text)
    return {"comment": text, "ticket": problem}


def show_comment(run: Run, text: str) -> None:
    """Show the comment to the person who pastes it, and write it into a file; among many organizations the file is enough."""
    file = _write_file(run, text) if text and not run.check_mode else ""
    if text and not (file and run.organizations > 1):
        known = {"cmk_settings": run.settings.as_json(), "cmk_comment": text, "cmk_comment_file": file}
        show(render("paste.txt.j2", **known), wraps=False)


def _write_file(run: Run, text: str) -> str:
    """Write the text into a file; return its path, empty if it cannot be written: the screen shows it anyway."""
    path = run.settings.file("comment.txt")
    try:
        remember(path, text)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: the text for the ticket cannot be written to {path}: {error}.")
        return ""
    return path
