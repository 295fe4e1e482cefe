"""The end of a run for several organizations: its sum-up, its page, and the index of all runs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleUndefinedVariable
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import fleet as step
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.fleet import sum_up, write_index
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def keep(reports: Path, name: str) -> None:
    (reports / "runs").mkdir(exist_ok=True)
    run = {"page": f"runs/{name}.html", "entry_point": "restore", "at": name, "counts": {"failed": 1}, "attention": []}
    (reports / "runs" / f"{name}.json").write_text(json.dumps(run), encoding="utf-8")


def listed(reports: Path) -> list[str]:
    return re.findall(r'href="runs/(.*?)\.html"', (reports / "index.html").read_text(encoding="utf-8"))


def test_the_newest_comes_first(tmp_path: Path) -> None:
    for name in ("20261124T01-a", "20261124T03-c", "20261124T02-b"):
        keep(tmp_path, name)
    write_index(str(tmp_path))
    assert listed(tmp_path) == ["20261124T03-c", "20261124T02-b", "20261124T01-a"]


def test_a_run_that_ends_meanwhile_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run keeps its record and writes the index just before this one replaces it with what it has read before."""
    keep(tmp_path, "a")
    others = ["b", "c"]

    def write_late(path: str, content: str, **more: bool) -> None:
        if others:
            keep(tmp_path, others.pop())
        write_file(path, content, **more)

    monkeypatch.setattr(step, "write_file", write_late)
    write_index(str(tmp_path))
    assert sorted(listed(tmp_path)) == ["a", "b", "c"]


def test_an_index_that_nobody_changes_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, "a")
    (tmp_path / "runs/a.html").touch()
    written: list[tuple[str, bool]] = []
    monkeypatch.setattr(step, "write_file", lambda path, _text, is_top=False: written.append((path, is_top)))
    write_index(str(tmp_path))
    assert written == [(str(tmp_path / "index.html"), True)]


def test_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    keep(tmp_path, "a")
    (tmp_path / "runs/b.json").write_text("{", encoding="utf-8")
    write_index(str(tmp_path))
    assert listed(tmp_path) == ["a"]


def report(org: str, status: str, folder: Path | None = None, **more: Any) -> dict[str, Any]:
    """The variables of a host whose run has left a report."""
    result = {"org": org, "realm": "Japan", "status": status, "ticket": {"told": False}, "window": {}}
    made = {"entry_point": "restore", "result": {**result, "finished_at": "2026-11-24T03:01:08Z"}, "failure": ""}
    shown = {"folder": str(folder or ""), "next": f"restore {org}", "summary": f"{org}: {status}"}
    return {"cmk_org": org, "__cmk_report": {**made, **shown, "good": True, **more}}


class Undefined(dict[str, Any]):
    """Variables of which one refers to another that is not there."""

    def __getitem__(self, name: str) -> Any:
        raise AnsibleUndefinedVariable(name)


def end(hosts: dict[str, Any], *, check_mode: bool = False) -> dict[str, Any]:
    own = next(iter(hosts.values()))
    task = Task({"hosts": list(hosts), "command": "restore"}, {**own, "hostvars": hosts}, None, check_mode)
    return sum_up(task)


class TestSumUp:
    @pytest.fixture
    def fleet(self, tmp_path: Path) -> dict[str, Any]:
        """Two organizations, the second without the report of its own that it was to write."""
        folders = [tmp_path / org / "20261124T030000Z-restore" for org in ("acme", "globex")]
        folders[0].mkdir(parents=True)
        (folders[0] / "restore.html").touch()
        acme, globex = report("acme", "handover_pending", folders[0]), report("globex", "restored", folders[1])
        return {"one": acme, "two": globex}

    def test_each_that_left_a_report_is_counted(
        self, fleet: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert end(fleet) == {"without_result": []}
        (page,) = (tmp_path / "runs").glob("*.html")
        shown = capsys.readouterr().out
        assert shown.startswith("2 organizations: 1 handover pending, 1 restored\n  acme: restore acme\n")
        assert str(page) in shown
        assert re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-restore-[0-9a-f]{6}", page.stem)
        links = re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))
        assert links == ["../index.html", "../acme/20261124T030000Z-restore/restore.html"]
        kept = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
        assert (kept["page"], kept["attention"]) == (f"runs/{page.name}", ["acme"])
        assert page.with_suffix(".json").read_text(encoding="utf-8").startswith('{\n  "page"')
        assert listed(tmp_path) == [page.stem]

    def test_in_check_mode_no_page_is_written(self, fleet: dict[str, Any], tmp_path: Path) -> None:
        end(fleet, check_mode=True)
        assert not (tmp_path / "runs").exists()

    def test_a_name_is_kept_as_it_is(self, tmp_path: Path) -> None:
        zurich = {"one": report("Zürich", "failed", tmp_path / "z" / "run"), "two": report("acme", "restored")}
        end(zurich)
        assert "Zürich" in next((tmp_path / "runs").glob("*.json")).read_text(encoding="utf-8")

    def test_a_page_that_cannot_be_written_is_a_warning(
        self, fleet: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fail(*_args: object, **_more: object) -> None:
            raise OSError("No space left on device")

        warned: list[str] = []
        monkeypatch.setattr(step, "write_file", fail)
        monkeypatch.setattr(Display, "warning", lambda _self, text, *_more: warned.append(text))
        end(fleet)
        assert warned == ["The page of all organizations could not be written: No space left on device."]
        assert "all reports" not in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("lost", "org"),
        [
            ({"cmk_org": "hooli"}, "hooli"),
            ({"cmk_org": "hooli", "__cmk_report": {"entry_point": "restore"}}, "hooli"),
            # What another command has left is no report of this one.
            (report("hooli", "restored", entry_point="assess"), "hooli"),
            # Without its name, the organization is named as its host.
            ({}, "three"),
            (Undefined(), "three"),
        ],
    )
    def test_one_without_a_report_has_a_result_that_says_so(
        self, fleet: dict[str, Any], lost: dict[str, Any], org: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        done = end({**fleet, "three": lost})
        ((host, result),) = [(one["host"], one["result"]) for one in done["without_result"]]
        assert (host, result["org"], result["status"]) == ("three", org, "failed")
        assert done["ansible_stats"] == {"data": {"cmk_restore": {org: result}}, "per_host": False, "aggregate": True}
        assert f"{org}: no result. " in capsys.readouterr().out

    def test_without_any_report_there_is_no_page(self, capsys: pytest.CaptureFixture[str]) -> None:
        end({"one": {}, "two": {}})
        shown = capsys.readouterr().out
        assert "2 organizations: 2 failed" in shown
        assert "all reports" not in shown

    @pytest.mark.parametrize("good", [True, False])
    def test_of_one_organization_its_own_summary_is_shown(
        self, good: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        shown: list[tuple[str, bool]] = []
        monkeypatch.setattr(step, "show", lambda text, warn: shown.append((text, warn)))
        assert end({"one": report("acme", "restored", tmp_path / "acme" / "run", good=good)}) == {}
        assert shown == [("acme: restored", not good)]
        assert list(tmp_path.iterdir()) == []

    def test_of_one_without_a_report_the_error_has_said_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert end({"one": {}}) == {}
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(("status", "warn"), [("restored", False), ("failed", True)])
    def test_what_needs_a_person_is_shown_as_a_warning(
        self, status: str, warn: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown: list[bool] = []
        monkeypatch.setattr(step, "show", lambda _text, warn: shown.append(warn))
        end({"one": report("acme", "restored"), "two": report("globex", status)})
        assert shown == [warn]
