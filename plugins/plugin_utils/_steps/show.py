# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Print text for people."""

from __future__ import annotations

import textwrap
import typing as t

from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain_lines
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

# No line is longer: it would hide what is above it on a small screen.
_LONGEST: t.Final = 240


def show(text: str, *, warn: bool = False, wraps: bool = True, newline: bool = True) -> None:
    """Print lines, unless a machine reads the output of this callback: bare lines would break it.

    Control characters never reach the terminal; text of others is put on one line before, where it is filled in.
    """
    if not C.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2].startswith("json"):
        lines = plain_lines(text).rstrip("\n").split("\n")
        shown = "\n".join(map(_wrap, lines) if wraps else lines)
        Display().display(shown, color=C.COLOR_WARN if warn else None, newline=newline)


def _wrap(line: str) -> str:
    if len(line) <= _LONGEST:
        return line
    wrapper = textwrap.TextWrapper(_LONGEST, subsequent_indent=" " * 13, break_long_words=False, break_on_hyphens=False)
    return wrapper.fill(line)


def show_text(task: Task) -> dict[str, t.Any]:
    """Print a text, or one of the role's templates."""
    template = task.args["template"]
    text = render(template, **task.args["variables"]) if template else task.args["text"]
    show(text, warn=task.args["warn"])
    return {"text": plain_lines(text).rstrip("\n")}
