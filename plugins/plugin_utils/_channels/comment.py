# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comment that notifies Atlassian, whatever way it goes."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import template_fault, with_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look, Why, unfit_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

OWN_TEMPLATE: t.Final = "restore_comment.txt.j2"


def write_comment(task: Task, run: Run, look: Look | None = None) -> tuple[str, Why]:
    """Write the comment.

    :param look: the ticket as it was read; None if it was not
    :return: the text, and why it cannot be posted; empty if it can
    """
    template = run.settings.comment_template
    try:
        text = _print(task, template, run)
    # A template of the user's can fail in any way, and what is told of the run must not break on it.
    except Exception as error:
        said = template_fault(error.message if isinstance(error, AnsibleError) else str(error))
        return "", vars(refusal("comment_template", template=template, message=said))
    if run.announcement and not run.is_preview:
        text = with_reference(text, run.announcement.reference)
    return text, unfit_comment(text, run.settings.ticket, look)


def _print(task: Task, template: str, run: Run) -> str:
    if template in ("", OWN_TEMPLATE):
        return render(OWN_TEMPLATE, **shown(run))
    return task.print_template(template, shown(run))
