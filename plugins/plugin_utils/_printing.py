# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Print the role's templates with Jinja alone. Ansible compiles a template anew for each host; here it is done once."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import jinja2

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._timeline import timeline

TEMPLATES: t.Final = Path(__file__).resolve().parents[2] / "roles/cmk/templates"


@functools.cache
def _environment() -> jinja2.Environment:
    # HTML, Markdown and plain text are escaped each in its own way, by the templates; tests hold them to it.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        # A run prints all with what it began with.
        auto_reload=False,
        autoescape=False,  # noqa: S701 - see above
    )


def render(template: str, **variables: t.Any) -> str:
    """Print one of the role's templates (its file's name)."""
    return _environment().get_template(template).render(**variables)


def report(template: str, evidence: dict[str, t.Any]) -> str:
    """Print a report (``report.html.j2``, ``report.md.j2``) from the evidence of a run."""
    return render(template, cmk_evidence=evidence, cmk_timeline=timeline(evidence))


def warm() -> None:
    """Compile the templates, for all processes that are forked from this one."""
    for name in _environment().list_templates():
        _environment().get_template(name)
