"""Print reports from evidence without starting Ansible, as the step report does."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _printing
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence as make_evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.fleet import End, count, record
from tests.tools.evidence_runs import RUNS

TEMPLATES: t.Final = _printing.TEMPLATES
_ENDED: t.Final = "2026-11-24T03:01:08Z"
_FAILURE: t.Final = (
    "umbrella: only partly restored: 1 of 2 keys enabled. AWS refused EnableKey in us-west-2: AccessDeniedException."
)


def render(template: str, evidence: t.Any) -> str:
    """Print one template (``report.html.j2``, ``report.md.j2``) from the evidence of a run."""
    return _printing.print_report(template, evidence)


def print_pages() -> dict[str, str]:
    """Print a page of each kind, by its name."""
    pages = {name: render("report.html.j2", make_evidence(run)) for name, run in RUNS.items()}
    kinds = {"umbrella": "partial", "initech": "failed", "soylent": "handover_pending", "acme": "restored"}
    kinds |= {"globex": "already_restored", "a-subsidiary-with-a-long-name-and-no-break": "desk_down"}
    ends = [
        End(
            {**RUNS[kind]["result"], "org": org, "finished_at": _ENDED},
            _FAILURE.replace("umbrella", org) if kind in ("partial", "failed", "desk_down") else "",
            f"/reports/{org}/run",
        )
        for org, kind in kinds.items()
    ]
    fleet = count(ends)
    links = {f"/reports/{org}/run": f"../{org}/20261124T030000Z-restore/restore.html" for org in kinds}
    pages["fleet"] = _printing.render(
        "fleet.html.j2", cmk_fleet=fleet, cmk_links=links, cmk_entry_point="restore", cmk_at=_ENDED
    )
    runs = [
        record(fleet, entry_point, at, f"runs/{entry_point}.html")
        for entry_point, at in (
            ("verify", "2026-11-25T09:30:00Z"),
            ("restore", _ENDED),
            ("assess", "2026-11-23T06:00:00Z"),
        )
    ]
    pages["runs"] = _printing.render("index.html.j2", cmk_runs=runs)
    return pages
