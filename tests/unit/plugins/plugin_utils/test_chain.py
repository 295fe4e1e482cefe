"""The chain of an organization's runs, checked by the command of docs/evidence.md."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import files
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.report import write_reports
from tests.tools.evidence_runs import RUNS

DOCS: t.Final = Path(__file__).resolve().parents[4] / "docs"
COMMAND: t.Final = re.findall(r"^cat .*sha256sum.*$", (DOCS / "evidence.md").read_text(encoding="utf-8"), re.MULTILINE)[
    0
]
NAMES: t.Final = ("20261124T025000Z-assess", "20261124T030000Z-restore", "20261126T093000Z-verify")


def keep_run(folder: Path, name: str) -> Path:
    """Write a run as the role does."""
    path = files.claim_folder(str(folder / name))
    previous = files.find_chain(path, "")["previous"]
    write_reports(path, name.split("-")[1], evidence({**RUNS["restored"], "previous": previous}))
    return Path(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An organization's folder with three runs and what else lies there."""
    for name in NAMES:
        keep_run(tmp_path, name)
    (tmp_path / "restoration.json").write_text("{}")
    return tmp_path


def check(folder: Path) -> tuple[int, list[str]]:
    """Check the chain; return the command's exit status and which files it names."""
    ran = subprocess.run(
        ["bash", "-c", COMMAND],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return ran.returncode, ran.stdout.splitlines()


def test_an_unaltered_chain_is_silent(folder: Path) -> None:
    assert check(folder) == (0, [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", ["json", "md", "html"])
def test_an_altered_file_names_its_run(folder: Path, name: str, suffix: str) -> None:
    file = folder / name / f"{name.split('-')[1]}.{suffix}"
    file.write_text(file.read_text(encoding="utf-8").replace("acme", "Acme", 1), encoding="utf-8")
    assert check(folder) == (1, [f"{name}/{file.name}: FAILED"])


def test_an_altered_file_with_an_altered_list_names_its_run(folder: Path) -> None:
    file, sums = folder / NAMES[1] / "restore.json", folder / NAMES[1] / "SHA256SUMS"
    digest = files._digest(file.read_text(encoding="utf-8"))
    file.write_text("{}", encoding="utf-8")
    sums.write_text(sums.read_text(encoding="utf-8").replace(digest, files._digest("{}")), encoding="utf-8")
    assert check(folder) == (1, [f"{NAMES[1]}/SHA256SUMS: FAILED"])


def test_a_run_that_was_removed_is_named(folder: Path) -> None:
    for file in (folder / NAMES[0]).iterdir():
        file.unlink()
    (folder / NAMES[0]).rmdir()
    assert check(folder) == (1, [f"{NAMES[0]}/SHA256SUMS: FAILED open or read"])


def test_a_list_that_was_spoiled_is_an_error(folder: Path) -> None:
    with (folder / NAMES[2] / "SHA256SUMS").open("a") as file:
        file.write("nonsense\n")
    assert check(folder)[0] == 1


def test_a_run_links_to_the_one_before(folder: Path) -> None:
    path = str(folder / "20261127T000000Z-verify")
    previous = files.find_chain(path, "")["previous"]
    sums = (folder / NAMES[2] / "SHA256SUMS").read_text(encoding="utf-8")
    assert previous == {"run": NAMES[2], "sha256": files._digest(sums)}
    assert "previous" not in sums
    assert [line.split("  ")[1] for line in sums.splitlines()] == [
        f"{NAMES[2]}/verify.json",
        f"{NAMES[2]}/verify.md",
        f"{NAMES[2]}/verify.html",
        f"{NAMES[1]}/SHA256SUMS",
    ]


def test_a_run_that_has_not_ended_is_no_link(folder: Path) -> None:
    """Its list is empty and changes later, which would count as damage."""
    begun = files.claim_folder(str(folder / "20261127T000000Z-restore"))
    ended = keep_run(folder, "20261127T000001Z-restore")
    write_reports(begun, "restore", evidence(RUNS["restored"]))
    assert f"{NAMES[2]}/SHA256SUMS" in (ended / "SHA256SUMS").read_text()
    assert check(folder) == (0, [])


def test_two_runs_of_the_same_second_overwrite_nothing(folder: Path) -> None:
    again = keep_run(folder, NAMES[2])
    assert again.name == f"{NAMES[2]}-2"
    assert check(folder) == (0, [])


def test_the_first_run_has_none_before(tmp_path: Path) -> None:
    path = files.claim_folder(str(tmp_path / NAMES[0]))
    assert files.find_chain(path, "")["previous"] is None


@pytest.mark.parametrize(
    ("since", "found"),
    [
        ("2026-11-24T02:50:00Z", [("assess", "20261124T025000Z"), ("restore", "20261124T030000Z")]),
        ("2026-11-24T02:50:01Z", [("restore", "20261124T030000Z")]),
        ("2026-11-24T03:00:01Z", []),
    ],
)
def test_earlier_runs_are_those_since_the_restoration_began(
    folder: Path, since: str, found: list[tuple[str, str]]
) -> None:
    for name in ("runs", "20261124T030000Z-other", "20261124T030000Z", "access.json"):
        (folder / name).mkdir()
    earlier = files.find_chain(str(folder / NAMES[2]), since)["earlier_runs"]
    assert [(run["entry_point"], run["at"]) for run in earlier] == found
    assert [run["run"] for run in earlier] == [name for name in NAMES[:2] if name.split("-")[1] in dict(found)]
