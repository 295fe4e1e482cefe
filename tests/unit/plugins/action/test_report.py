"""The steps report and end: what is written, what is shown and when, and how the run ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.report import ActionModule as Report
from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule as Step
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify, parse
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import report
from tests.tools.standins import ROOT
from tests.unit.plugins.plugin_utils.test_run import CHANGE, COMMENT, DONE, PLAN, decided, raw

from .conftest import RunAction

FAILED = {"keys": [{**DONE, "error": "AWS refused.", "hint": "Allow it.", "code": "denied"}]}
End = Callable[..., dict[str, Any]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    texts: list[tuple[str, bool]] = []
    monkeypatch.setattr(report, "show", lambda text, *, warn: texts.append((text, warn)))
    return texts


@pytest.fixture
def end(run_action: RunAction, tmp_path: Path, shown: list[tuple[str, bool]]) -> End:
    """Report a run that enabled its key and notified Atlassian, unless a part says otherwise."""

    def report_run(*, check: bool = False, settings: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
        usual = {"plan": PLAN, "change": CHANGE, "decided": decided(), "ticket": {**COMMENT, "told": True}}
        run = raw(**{**usual, "organizations": 1, "brief": False, **parts})
        run["settings"] |= {"report_dir": str(tmp_path / "acme"), **(settings or {})}
        return run_action(Report, check=check, run={**run, "check_mode": check})

    return report_run


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_that_ends_well(end: End, tmp_path: Path, shown: list[tuple[str, bool]]) -> None:
    found = end()
    assert (found["result"]["status"], found["good"], found["failure"], found["ending"]) == ("restored", True, "", "")
    assert (found["changed"], found["entry_point"]) == (False, "restore")
    stats = {"data": {"cmk_restore": {"acme": found["result"]}}, "per_host": False, "aggregate": True}
    assert found["ansible_stats"] == stats
    assert found["folder"] == str(tmp_path / "acme/20261124T030001Z-restore")
    assert files(tmp_path / "acme") == [
        *(f"20261124T030001Z-restore/restore.{suffix}" for suffix in ("html", "json", "md")),
        "restoration.json",
    ]
    assert json.loads((tmp_path / "acme/restoration.json").read_text())["told"]["comment_id"] == "17"
    # The only organization's summary is held for the end of the play.
    assert (found["summary"].splitlines()[0], shown) == ("acme: KEYS RESTORED, AND ATLASSIAN HAS BEEN NOTIFIED", [])


def test_the_lock_is_freed(end: End, tmp_path: Path) -> None:
    path = tmp_path / "acme/lock.json"
    mine, theirs = identify("", clock()), replace(identify("", clock()), inventory_host="another")
    for holder, freed in ((mine, True), (theirs, False)):
        path.unlink(missing_ok=True)
        acquire(str(path), holder, clock())
        end(check=True)
        assert parse(path.read_bytes()) == holder
        end()
        assert (parse(path.read_bytes()) is None) == freed


def test_check_mode_writes_nothing(end: End, tmp_path: Path) -> None:
    found = end(check=True, change={}, ticket={})
    assert (found["folder"], list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    "settings", [{"report_dir": ""}, {"problems": ["No key is given."]}], ids=["no folder", "a problem"]
)
def test_without_a_folder_or_with_a_problem(end: End, tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "acme/lock.json"
    acquire(str(path), identify("", clock()), clock())
    found = end(settings=settings)
    assert bool(found["folder"]) == ("problems" in settings)
    assert found["result"]["org"] == "acme"
    # A run whose settings cannot be read has taken no lock.
    assert parse(path.read_bytes()) is not None or "report_dir" in settings


def test_what_cannot_be_written_is_one_warning(end: End, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: warnings.append(text))
    (tmp_path / "acme").write_text("a file")
    assert end()["result"]["status"] == "restored"
    assert [warning.split(":")[1] for warning in warnings] == [
        " this run cannot be remembered",
        " the evidence could not be kept",
    ]


def test_a_run_that_fails(end: End, run_action: RunAction, shown: list[tuple[str, bool]]) -> None:
    found = end(change=FAILED, ticket={})
    assert (found["result"]["status"], found["good"]) == ("partial", False)
    assert found["ending"] == "acme: only partly restored: 0 of 1 key enabled. See the summary above."
    assert found["failure"] == "acme: only partly restored: 0 of 1 key enabled. AWS refused."
    ended = run_action(Step, do="end", report=found)
    assert (ended["failed"], ended["msg"]) == (True, found["ending"])
    assert shown == [(found["summary"], True)]
    # Where the summary was shown before, the failure says it all.
    ended = run_action(Step, do="end", report={**found, "summary": ""})
    assert (ended["failed"], ended["msg"], len(shown)) == (True, found["failure"], 1)


def test_the_last_sentence_keeps_its_capitals(end: End) -> None:
    found = end(ticket={"code": "desk_trouble", "error": "The desk failed.", "hint": "Run again."})
    assert found["ending"] == "acme: keys restored, Atlassian could NOT be notified. See the summary above."


def test_the_end_of_a_run_that_ends_well(end: End, run_action: RunAction, shown: list[tuple[str, bool]]) -> None:
    found = end()
    assert "failed" not in run_action(Step, do="end", report=found)
    assert shown == [(found["summary"], False)]
    assert "failed" not in run_action(Step, do="end", report={"failure": ""})
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("brief", "change", "lines", "warn"),
    [(True, CHANGE, 1, False), (True, FAILED, 2, True), (False, CHANGE, 2, False)],
    ids=["well", "not well", "not brief"],
)
def test_among_many_organizations(
    end: End, shown: list[tuple[str, bool]], brief: bool, change: dict[str, Any], lines: int, warn: bool
) -> None:
    found = end(organizations=3, brief=brief, change=change)
    assert found["summary"] == ""
    ((text, warned),) = shown
    assert (min(len(text.splitlines()), 2), warned) == (lines, warn)
    assert text.startswith("acme: ")


def test_the_evidence_is_a_file_that_people_read(end: End) -> None:
    found = end(settings={"realm": "Zürich"})
    text = Path(found["folder"], "restore.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert "Zürich" in text


@pytest.mark.parametrize(
    ("environment", "given", "user"),
    [
        ({"USER": "root", "LOGNAME": "other"}, "awx", "awx"),
        ({"USER": "root", "LOGNAME": "other"}, "", "root"),
        ({"LOGNAME": "other"}, "", "other"),
        ({}, "", ""),
    ],
)
def test_who_ran_it(
    end: End, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], given: str, user: str
) -> None:
    for name in ("USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = end(user=given)
    proof = json.loads(Path(found["folder"], "restore.json").read_text(encoding="utf-8"))
    assert (proof["ran_by"]["user"] or "") == user


def test_the_version_of_this_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert report.collection_version() == galaxy["version"]
    monkeypatch.setattr(report, "__file__", str(tmp_path / "plugins/plugin_utils/_steps/report.py"))
    assert report.collection_version() == ""
    (tmp_path / "galaxy.yml").write_text("version: 2.0.0\n")
    assert report.collection_version() == "2.0.0"
    (tmp_path / "MANIFEST.json").write_text('{"collection_info": {"version": "3.0.0"}}')
    assert report.collection_version() == "3.0.0"
