"""The commands of docs/getting_started.md and docs/drills.md work in ``make sandbox``, which leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.playbooks.conftest import Run
from tests.tools.documents import blocks
from tests.tools.standins import ROOT

PAGE: t.Final = "docs/getting_started.md"


def commands(page: str) -> list[str]:
    """The playbooks that a page runs, in its order."""
    lines = [line for block in blocks(page) if block.language == "shell" for line in block.commands]
    return [line for line in lines if line.startswith(("ansible-playbook ", "export "))]


def sandbox(folder: Path, *lines: str, page: str = PAGE) -> Run:
    """Open the sandbox in a folder that holds the page's files, and run these lines in place of a shell."""
    for block in blocks(page):
        if block.path:
            (folder / block.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.path).write_text(block.text, encoding="utf-8")
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SANDBOX_FOLDER": str(folder / "sandbox"),
        "SANDBOX_COMMAND": "\n".join(["set -x", *lines]),
    }
    command = [sys.executable, "-m", "tests.tools.sandbox"]
    ran = subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    return Run(ran.returncode, ran.stdout)


def statuses(folder: Path) -> list[tuple[str, str]]:
    """Which playbooks have left evidence, in their order, and with which status."""
    found = sorted((folder / "sandbox/reports").glob("*/*-*/*.json"), key=lambda path: path.parent.name)
    ends = [json.loads(path.read_text(encoding="utf-8")) for path in found]
    return [(end["entry_point"], end["status"]) for end in ends]


def test_the_page_leads_to_a_verification(tmp_path: Path) -> None:
    lines = commands(PAGE)
    assert [re.findall("(assess|restore|verify)_cmk", line)[0] for line in lines] == [
        "assess", "restore", "restore", "restore", "verify",
    ]  # fmt: skip
    ran = sandbox(tmp_path, *lines)
    assert ran.code == 0, ran.output
    assert "Traceback" not in ran.output
    assert statuses(tmp_path) == [
        ("assess", "planned"),
        ("restore", "handover_pending"),
        ("restore", "restored"),
        ("verify", "waiting"),
    ]


def test_a_drill_works_as_its_page_says(tmp_path: Path) -> None:
    page = "docs/drills.md"
    predict, drill, restore, told, verify = commands(page)
    # The sandbox begins with keys that are disabled.
    ran = sandbox(tmp_path, restore, told, predict, drill, restore, told, verify, page=page)
    assert ran.code == 0, ran.output
    # The handover, and that it is done; the drill, what is pending after it, and its end.
    assert statuses(tmp_path) == [
        ("restore", "handover_pending"), ("restore", "restored"),
        ("assess", "planned"), ("revoke", "revoked"), ("assess", "planned"),
        ("restore", "handover_pending"), ("verify", "needs_attention"),
        ("restore", "handover_pending"), ("restore", "restored"), ("verify", "waiting"),
    ]  # fmt: skip
    assert "drill: DRILL DONE: KEYS RESTORED, ATLASSIAN NOT NOTIFIED YET\n" in ran.output
    history = json.loads((tmp_path / "sandbox/reports/drill/drills.json").read_text(encoding="utf-8"))["drills"]
    assert [[name for name, time in drill.items() if not time] for drill in history] == [["used_at"]]


def test_with_the_desk_the_run_posts_the_comment(tmp_path: Path) -> None:
    ran = sandbox(tmp_path, "export CMK_SUPPORT_URL=$SANDBOX_DESK", *commands(PAGE)[2:3])
    assert ran.code == 0, ran.output
    assert "To let the run post it on the emulated desk: export CMK_SUPPORT_URL=$SANDBOX_DESK" in ran.output
    assert statuses(tmp_path) == [("restore", "restored")]


def test_no_settings_of_the_caller_get_in_and_nothing_answers_when_the_shell_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMK_SUPPORT_URL", "http://127.0.0.1:9")
    ran = sandbox(tmp_path, 'echo "url=${CMK_SUPPORT_URL:-none} config=${ANSIBLE_CONFIG:-none}"', "exit 3")
    assert ran.code == 3
    assert "url=none config=none" in ran.output
    urls = set(re.findall(r"http://127\.0\.0\.1:\d+", ran.output))
    assert len(urls) == 2
    for url in urls:
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=5)
