# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the comment that notifies Atlassian, and hand it over to a person."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import template_fault, with_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import unfit_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about, is_preview, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

OWN_TEMPLATE: t.Final = "restore_comment.txt.j2"

Json = dict[str, t.Any]


def write_comment(task: Task, run: Json, look: Json) -> tuple[str, Json]:
    """Write the comment.

    :param run: of :func:`about`
    :param look: the ticket as it was read; empty if it was not
    :return: the text, and why it cannot be posted (``code``, ``error``, ``hint``; empty if it can)
    """
    template = run["settings"]["comment_template"]
    try:
        text = _print(task, template, run)
    # A template of the user's can fail in any way, and what is told of the run must not break on it.
    except Exception as error:
        said = template_fault(error.message if isinstance(error, AnsibleError) else str(error))
        return "", dict(vars(refusal("comment_template", template=template, message=said)))
    if not is_preview(run):
        text = with_reference(text, run["announcement"]["reference"])
    return text, unfit_comment(text, run["settings"]["ticket"], look)


def hand_over(task: Task) -> Json:
    """Show the comment for a person to paste it into the ticket, and write it into a file as well."""
    run = about(task.args["run"])
    text, problem = write_comment(task, run, {})
    if not problem:
        file = "" if task.check_mode else _write_file(run, text)
        show(render("paste.txt.j2", cmk_settings=run["settings"], cmk_comment=text, cmk_comment_file=file))
    return {"comment": text, "ticket": problem}


def _write_file(run: Json, text: str) -> str:
    """Write the text into a file; return its path, empty if it cannot be written: the screen shows it anyway."""
    path = f"{run['settings']['report_dir']}/comment.txt"
    try:
        remember(path, text, writes=True)
    except (OSError, UnicodeError) as error:
        org = run["settings"]["org"]
        Display().warning(f"{org}: the text for the ticket cannot be written to {path}: {error}.")
        return ""
    return path


def _print(task: Task, template: str, run: Json) -> str:
    if template in ("", OWN_TEMPLATE):
        return render(OWN_TEMPLATE, **shown(run))
    return task.print_template(template, shown(run))
