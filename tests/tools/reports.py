"""Print reports from evidence without starting Ansible, as the step report does."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _printing

TEMPLATES: t.Final = _printing.TEMPLATES


def render(template: str, evidence: t.Any) -> str:
    """Print one template (``report.html.j2``, ``report.md.j2``) from the evidence of a run."""
    return _printing.print_report(template, evidence)
