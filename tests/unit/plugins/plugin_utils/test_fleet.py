"""Many organizations in one run: counts, and those that need a person."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import VERIFY
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.fleet import (
    End,
    count,
    read_record,
    record,
    without_result,
)


def ended(org: str, status: str, failure: str = "", *, folder: str | None = None, deadline: str | None = None) -> End:
    result = {"org": org, "realm": "Japan", "status": status, "ticket": {"told": status == "restored"}}
    result |= {"finished_at": "2026-11-24T03:01:08Z", "window": {"deadline": deadline}}
    return End(result, failure, f"/reports/{org}/run" if folder is None else folder, f"restore {org}")


MANY = [
    ended("globex", "restored"),
    ended("acme", "restored"),
    ended("initech", "failed", "initech: not restored. AWS was not reached."),
    ended("hooli", "already_restored"),
    ended("umbrella", "partial", "umbrella: only partly restored. The desk was not reached."),
    ended("soylent", "handover_pending"),
]


def test_the_worst_first_then_by_name() -> None:
    found = count(MANY)
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


def test_of_those_that_ended_alike_the_first_deadline_is_first() -> None:
    found = count(
        [
            ended("a", "failed"),
            ended("b", "failed", deadline="2026-12-04T17:39:00Z"),
            ended("c", "failed", deadline="2026-12-03T17:39:00Z"),
            ended("d", "restored", deadline="2026-12-01T17:39:00Z"),
        ]
    )
    assert [(one["org"], one["deadline"]) for one in found["organizations"]] == [
        ("c", "2026-12-03T17:39:00Z"),
        ("b", "2026-12-04T17:39:00Z"),
        ("a", ""),
        ("d", ""),
    ]


def test_the_page_shows_deadline_and_time_of_each() -> None:
    late = ended("late", "failed", "no", deadline="2026-11-23T17:39:00Z")
    page = page_of(
        [late, ended("acme", "failed", "no", deadline="2026-12-04T17:39:00Z"), ended("hooli", "restored")], {}
    )
    text = " ".join(re.sub(r"<[^>]*>", " ", page.partition("<tbody>")[2]).split())
    assert "acme Japan failed 2026-12-04 17:39 UTC no 2026-11-24 03:01 UTC no" in text
    assert "late Japan failed 2026-11-23 17:39 UTC has passed no" in text
    assert "hooli Japan restored none yes 2026-11-24 03:01 UTC" in text


def test_of_verifications_a_person_is_needed_only_where_nothing_goes_on_by_itself() -> None:
    found = count([ended("acme", "restored"), ended("globex", "waiting"), ended("hooli", "needs_attention")])
    assert list(found["counts"]) == ["needs_attention", "waiting", "restored"]
    assert [one["org"] for one in found["attention"]] == ["hooli"]


def test_a_person_is_needed_where_it_failed_or_must_be_told() -> None:
    assert [one["org"] for one in count(MANY)["attention"]] == ["initech", "umbrella", "soylent"]


STATUSES = ["failed", "partial", "needs_attention", "handover_pending", "waiting", "planned"]
STATUSES += ["restored", "already_restored", "nothing_to_restore", "revoked", "already_revoked"]


def test_every_status_has_its_place() -> None:
    found = count([ended(status, status) for status in reversed(STATUSES)])
    assert [one["status"] for one in found["organizations"]] == STATUSES
    assert list(found["counts"]) == STATUSES
    assert [one["org"] for one in found["attention"]] == STATUSES[:4]
    assert [one["org"] for one in found["organizations"] if not one["ok"]] == STATUSES[:3]


def test_what_is_told_of_one() -> None:
    end = ended("acme", "handover_pending", "Why.", deadline="2026-12-04T17:39:00Z")
    (found,) = count([end])["organizations"]
    told = {"told": False, "mailed": False, "failure": "Why.", "folder": "/reports/acme/run", "next": "restore acme"}
    about = {"org": "acme", "realm": "Japan", "status": "handover_pending", "finished_at": "2026-11-24T03:01:08Z"}
    assert found == {**about, **told, "ok": True, "deadline": "2026-12-04T17:39:00Z"}
    ticket = {"told": True, "mailed_at": "2026-11-24T03:01:00Z"}
    (notified,) = count([end._replace(result={**end.result, "ticket": ticket})])["organizations"]
    # As soon as Atlassian is notified, no clock runs.
    assert (notified["told"], notified["mailed"], notified["deadline"]) == (True, True, "")


def test_none() -> None:
    assert count([]) == {"total": 0, "counts": {}, "organizations": [], "attention": [], "ends_all": False}


def test_what_an_operator_reads() -> None:
    text = render("fleet.txt.j2", cmk_fleet=count(MANY), cmk_page="/reports/runs/a.html")
    assert text.splitlines() == [
        "6 organizations: 1 failed, 1 partial, 1 handover pending, 2 restored, 1 already restored",
        "  initech: not restored. AWS was not reached.",
        "  umbrella: only partly restored. The desk was not reached.",
        "  soylent: restore soylent",
        "  next       confirm each with restore_cmk -e org=NAME -e cmk_ticket_told=<time, or URL of the comment>",
        "  all reports: /reports/runs/a.html",
    ]


BAD_NAMES: list[str] = ["<script>alert(1)</script>", '" onload="x', "{{ 7*7 }}"]


def page_of(ended: list[End], links: dict[str, str]) -> str:
    about = count(ended)
    return render(
        "fleet.html.j2", cmk_fleet=about, cmk_links=links, cmk_entry_point="restore", cmk_at="2026-11-24T03:01:08Z"
    )


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_page_shows_names_as_they_are(name: str) -> None:
    page = page_of([ended(name, "failed", name)], {})
    assert "<script>" not in page
    assert 'onload="x' not in page
    assert page.count("<tr>") == 2


@pytest.mark.parametrize("name", BAD_NAMES)
def test_the_index_shows_names_as_they_are(name: str) -> None:
    run = {"page": name, "entry_point": name, "at": name, "counts": {name: name}, "attention": [name]}
    page = render("index.html.j2", cmk_runs=[run])
    assert "<script>" not in page
    assert 'onload="x' not in page
    assert page.count("<tr>") == 2


def test_the_page_links_each_report_that_is_there() -> None:
    page = page_of(
        [ended("acme", "restored"), ended("globex", "failed", "no"), ended("hooli", "failed", "no", folder="")],
        {"/reports/acme/run": "../acme/run/restore.html", "/reports/globex/run": ""},
    )
    assert re.findall(r'href="([^"]+)"', page) == ["../index.html", "../acme/run/restore.html"]


class TestWithoutAResult:
    LOST = without_result("acme", "2026-11-24T03:01:08Z", VERIFY, check_mode=False)

    def test_it_counts_as_failed_and_needs_a_person(self) -> None:
        about = count([self.LOST, ended("globex", "restored")])
        assert about["counts"] == {"failed": 1, "restored": 1}
        assert [organization["org"] for organization in about["attention"]] == ["acme"]
        assert self.LOST.failure.startswith("acme: no result. ")

    def test_its_result_says_why(self) -> None:
        result = self.LOST.result
        assert (result["org"], result["status"], result["keys"]) == ("acme", "failed", [])
        assert result["error"].startswith("no result. ")


@pytest.mark.parametrize(
    ("failures", "ends_all"), [([], False), (["a", "b"], True), (["a", ""], False), (["", ""], False)]
)
def test_ansible_goes_no_further_only_if_all_have_failed(failures: list[str], ends_all: bool) -> None:
    assert count([ended("acme", "failed", failure) for failure in failures])["ends_all"] is ends_all


class TestRecords:
    def test_a_record_is_read_as_it_was_written(self) -> None:
        kept = record(count(MANY), "restore", "2026-11-24T03:01:08Z", "runs/a.html")
        assert read_record(json.dumps(kept)) == kept
        assert kept["attention"] == ["initech", "umbrella", "soylent"]

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "{}", "7", '{"counts": {}, "page": 1, "entry_point": "", "at": ""}']
    )
    def test_what_is_no_record_is_left_out(self, text: str) -> None:
        assert read_record(text) is None
