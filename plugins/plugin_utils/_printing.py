# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Print the role's templates with Jinja alone. Ansible compiles a template anew for each host; here it is done once."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import typing as t
from pathlib import Path

import jinja2

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain, plain_lines
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.drawing import timeline
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Evidence

TEMPLATES: t.Final = Path(__file__).resolve().parents[2] / "roles/cmk/templates"


class Lines(str):
    """A text of several lines (a comment, a difference), whose line ends a text template keeps."""

    __slots__ = ()


def home(path: str) -> str:
    """Shorten a path of the user's home, as a shell would take it: that saves a row of the screen."""
    start = os.path.join(os.path.expanduser("~"), "")
    return f"~/{path.removeprefix(start)}" if path.startswith(start) and " " not in path else path


@functools.cache
def _environment(*, is_text: bool) -> jinja2.Environment:
    # HTML, Markdown and plain text are escaped each in its own way, by the templates; tests hold them to it.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        # A run prints all with what it began with.
        auto_reload=False,
        autoescape=False,  # noqa: S701 - see above
        finalize=_as_line if is_text else _as_lines,
    )
    environment.filters["lines"] = Lines
    environment.filters["minute"] = to_minute
    environment.filters["csp_hash"] = _csp_hash
    environment.filters["home"] = home
    return environment


def _csp_hash(script: str) -> str:
    """Name a script for a Content-Security-Policy that lets this script run and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _as_line(value: t.Any) -> t.Any:
    """Keep whatever is filled in on its line, so that a text of others cannot pass for a line of ours."""
    if isinstance(value, Lines):
        return plain_lines(value)
    return plain(value) if isinstance(value, str) else value


def _as_lines(value: t.Any) -> t.Any:
    return plain_lines(value) if isinstance(value, str) else value


def render(template: str, **variables: t.Any) -> str:
    """Print one of the role's templates (its file's name)."""
    return _environment(is_text=_is_text(template)).get_template(template).render(**variables)


def print_report(template: str, evidence: Evidence) -> str:
    """Print a report (``report.html.j2``, ``report.md.j2``) from the evidence of a run."""
    return render(template, cmk_evidence=evidence, cmk_timeline=timeline(evidence))


def warm() -> None:
    """Compile the templates, for all processes that are forked from this one."""
    for name in _environment(is_text=False).list_templates():
        # This one is printed in texts and in pages.
        for is_text in (True, False) if name == "revoke_ticket.j2" else (_is_text(name),):
            _environment(is_text=is_text).get_template(name)


def _is_text(template: str) -> bool:
    return template.endswith(".txt.j2")
