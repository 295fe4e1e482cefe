"""Print reports from evidence without starting Ansible: the role's templates, with Ansible's own Jinja settings."""

from __future__ import annotations

import functools
import typing as t
from pathlib import Path

import jinja2

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._timeline import timeline

TEMPLATES: t.Final = Path(__file__).resolve().parents[2] / "roles/cmk/templates"


@functools.cache
def _environment() -> jinja2.Environment:
    # Ansible does not escape either: that is what makes the templates' own escaping worth testing.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False
    )
    environment.filters["keyops.atlassian_cmk.timeline"] = timeline
    return environment


def render(template: str, evidence: dict[str, t.Any]) -> str:
    """Print one template (``report.html.j2``, ``report.md.j2``) from the evidence of a run."""
    return _environment().get_template(template).render(cmk_evidence=evidence)
