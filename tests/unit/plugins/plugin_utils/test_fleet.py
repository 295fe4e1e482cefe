"""Many organizations in one run: counts, and those that need a person."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._fleet import fleet
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render


def ended(org: str, status: str, failure: str = "", **more: Any) -> dict[str, Any]:
    result = {"org": org, "realm": "Japan", "status": status, "ticket": {"told": status == "restored"}}
    return {"result": result, "failure": failure, "folder": f"/reports/{org}/run", "changed": False, **more}


MANY = [
    ended("globex", "restored"),
    ended("acme", "restored"),
    ended("initech", "failed", "initech: not restored. AWS was not reached."),
    ended("hooli", "already_restored"),
    ended("umbrella", "partial", "umbrella: only partly restored. The desk was not reached."),
    ended("soylent", "handover_pending"),
]


def test_the_worst_first_then_by_name() -> None:
    found = fleet(MANY)
    assert found["total"] == 6
    assert list(found["counts"].items()) == [
        ("failed", 1),
        ("partial", 1),
        ("handover_pending", 1),
        ("restored", 2),
        ("already_restored", 1),
    ]
    assert [one["org"] for one in found["organizations"]] == [
        "initech",
        "umbrella",
        "soylent",
        "acme",
        "globex",
        "hooli",
    ]


def test_of_verifications_a_person_is_needed_only_where_nothing_goes_on_by_itself() -> None:
    found = fleet([ended("acme", "restored"), ended("globex", "waiting"), ended("hooli", "needs_attention")])
    assert list(found["counts"]) == ["needs_attention", "waiting", "restored"]
    assert [one["org"] for one in found["attention"]] == ["hooli"]


def test_a_person_is_needed_where_it_failed_or_must_be_told() -> None:
    assert [one["org"] for one in fleet(MANY)["attention"]] == ["initech", "umbrella", "soylent"]


def test_none() -> None:
    assert fleet([]) == {"total": 0, "counts": {}, "organizations": [], "attention": []}


def test_what_an_operator_reads() -> None:
    text = render("fleet.txt.j2", cmk_fleet=fleet(MANY), cmk_index="/reports/index.html")
    assert text.splitlines() == [
        "6 organizations: 1 failed, 1 partial, 1 handover pending, 2 restored, 1 already restored",
        "  initech: not restored. AWS was not reached.",
        "  umbrella: only partly restored. The desk was not reached.",
        "  soylent: the text has been handed over, and Atlassian has not been told yet.",
        "  all reports: /reports/index.html",
    ]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '" onload="x', "{{ 7*7 }}"])
def test_the_page_shows_names_as_they_are(name: str) -> None:
    page = render(
        "index.html.j2",
        cmk_fleet=fleet([ended(name, "failed", name)]),
        cmk_folder="/reports",
        cmk_entry_point="restore",
    )
    assert "<script>" not in page
    assert 'onload="x' not in page
    assert page.count("<tr>") == 2


def test_the_page_links_each_report_from_its_own_folder() -> None:
    about = fleet([ended("acme", "restored"), ended("globex", "failed", "no", folder="")])
    page = render("index.html.j2", cmk_fleet=about, cmk_folder="/reports", cmk_entry_point="restore")
    assert 'href="acme/run/restore.html"' in page
    assert page.count("href=") == 1
