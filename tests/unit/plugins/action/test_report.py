"""The steps report and end: what is written, what is to be shown, and how the run ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.report import ActionModule as Report
from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule as Step
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify, parse
from tests.unit.plugins.plugin_utils.test_run import CHANGE, COMMENT, DONE, PLAN, decided, raw

from .conftest import RunAction

FAILED = {"keys": [{**DONE, "error": "AWS refused.", "hint": "Allow it.", "code": "denied"}]}
End = Callable[..., dict[str, Any]]


@pytest.fixture
def end(run_action: RunAction, tmp_path: Path) -> End:
    """Report a run that enabled its key and notified Atlassian, unless a part says otherwise."""

    def report_run(*, check: bool = False, settings: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:
        usual = {"plan": PLAN, "change": CHANGE, "decided": decided(), "ticket": {**COMMENT, "told": True}}
        run = raw(**{**usual, "organizations": 1, "brief": False, **parts})
        run["settings"] |= {"report_dir": str(tmp_path / "acme"), **(settings or {})}
        return run_action(Report, check=check, run={**run, "check_mode": check})

    return report_run


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_that_ends_well(end: End, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = end()
    assert (found["result"]["status"], found["good"], found["failure"], found["ending"]) == ("restored", True, "", "")
    assert (found["changed"], found["entry_point"]) == (False, "restore")
    stats = {"data": {"cmk_restore": {"acme": found["result"]}}, "per_host": False, "aggregate": True}
    assert found["ansible_stats"] == stats
    assert found["folder"] == str(tmp_path / "acme/20261124T030001Z-restore")
    assert files(tmp_path / "acme") == [
        "20261124T030001Z-restore/SHA256SUMS",
        *(f"20261124T030001Z-restore/restore.{suffix}" for suffix in ("html", "json", "md")),
        "restoration.json",
    ]
    sums = Path(found["folder"], "SHA256SUMS").read_text().splitlines()
    assert [line.rpartition(".")[2] for line in sums] == ["json", "md", "html"]
    assert json.loads((tmp_path / "acme/restoration.json").read_text())["told"]["comment_id"] == "17"
    # The step show shows it, after the error of a run that fails.
    assert found["summary"].splitlines()[0] == "acme: KEYS RESTORED, AND ATLASSIAN HAS BEEN NOTIFIED"
    assert capsys.readouterr().out == ""


def test_the_lock_is_freed(end: End, tmp_path: Path) -> None:
    path = tmp_path / "acme/lock.json"
    mine, theirs = identify("", clock()), replace(identify("", clock()), inventory_host="another")
    for holder, freed in ((mine, True), (theirs, False)):
        path.unlink(missing_ok=True)
        acquire(str(path), holder)
        end(check=True)
        assert parse(path.read_bytes()) == holder
        end()
        assert parse(path.read_bytes()) == (None if freed else holder)


def test_check_mode_writes_nothing(end: End, tmp_path: Path) -> None:
    found = end(check=True, change={}, ticket={})
    assert (found["folder"], list(tmp_path.iterdir())) == ("", [])


@pytest.mark.parametrize(
    "settings", [{"report_dir": ""}, {"problems": ["No key is given."]}], ids=["no folder", "a problem"]
)
def test_without_a_folder_or_with_a_problem(end: End, tmp_path: Path, settings: dict[str, Any]) -> None:
    path = tmp_path / "acme/lock.json"
    acquire(str(path), identify("", clock()))
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


def test_a_run_that_fails(end: End, run_action: RunAction) -> None:
    found = end(change=FAILED, ticket={})
    assert (found["result"]["status"], found["good"]) == ("partial", False)
    assert found["ending"] == "acme: only partly restored: 0 of 1 key enabled. See the summary below."
    assert found["failure"] == "acme: only partly restored: 0 of 1 key enabled. AWS refused. Allow it."
    assert "AWS refused." in found["summary"]
    ended = run_action(Step, do="end", ending=found["ending"])
    assert (ended["failed"], ended["msg"]) == (True, found["ending"])


def test_the_last_sentence_keeps_its_capitals(end: End) -> None:
    found = end(ticket={"code": "desk_trouble", "error": "The desk failed.", "hint": "Run again."})
    assert found["ending"] == "acme: keys restored, Atlassian could NOT be notified. See the summary below."


def test_the_end_of_a_run_that_ends_well(end: End, run_action: RunAction) -> None:
    for more in ({"ending": end()["ending"]}, {}):
        assert "failed" not in run_action(Step, do="end", **more)


@pytest.mark.parametrize(
    ("more", "is_line"),
    [
        ({"organizations": 3}, True),
        ({"organizations": 3, "change": FAILED}, True),
        ({"is_part": True}, True),
        ({"is_part": True, "change": FAILED}, False),
        ({}, False),
    ],
    ids=["many", "many, not well", "part of a drill", "part of a drill, not well", "one"],
)
def test_the_summary_is_one_line_where_others_have_the_last_word(end: End, more: dict[str, Any], is_line: bool) -> None:
    summary = end(**more)["summary"]
    assert summary.startswith("acme: ")
    assert (len(summary.splitlines()) == 1) == is_line


def test_the_evidence_is_a_file_that_people_read(end: End) -> None:
    found = end(settings={"realm": "Zürich"})
    text = Path(found["folder"], "restore.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert "Zürich" in text


def test_the_evidence_names_who_ran_it(end: End) -> None:
    found = end(user="operator")
    proof = json.loads(Path(found["folder"], "restore.json").read_text(encoding="utf-8"))
    assert proof["ran_by"]["user"] == "operator"
