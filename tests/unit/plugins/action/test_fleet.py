"""The index of runs: it lists all that are there, also those that end while it is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import fleet as step
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.fleet import write_index


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


def test_a_damaged_record_hides_no_other(tmp_path: Path) -> None:
    keep(tmp_path, "a")
    (tmp_path / "runs/b.json").write_text("{", encoding="utf-8")
    write_index(str(tmp_path))
    assert listed(tmp_path) == ["a"]
