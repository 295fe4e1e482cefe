"""One run at a time for an organization on one controller."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_lock import change, holder

HERE = platform.node()


def run(pid: int, host: str = HERE) -> dict[str, Any]:
    return {"pid": pid, "host": host, "since": "2026-11-24T03:00:00Z"}


def gone() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "acme" / "lock.json")


def test_taken_twice_by_one_run_and_freed(lock: str) -> None:
    mine = run(os.getpid())
    assert change(lock, mine, "held") is None
    assert change(lock, mine, "held") is None
    assert holder(Path(lock).read_text()) == mine
    assert change(lock, mine, "free") is None
    assert Path(lock).read_text() == ""
    assert oct(Path(lock).stat().st_mode & 0o777) == "0o600"


@pytest.mark.parametrize("state", ["held", "free"])
def test_another_run_that_lives_is_respected(lock: str, state: str) -> None:
    other = run(os.getppid())
    change(lock, other, "held")
    assert change(lock, run(os.getpid()), state) == other
    assert holder(Path(lock).read_text()) == other


def test_a_run_that_died_is_replaced(lock: str) -> None:
    change(lock, run(gone()), "held")
    assert change(lock, run(os.getpid()), "held") is None
    assert holder(Path(lock).read_text())["pid"] == os.getpid()


def test_a_run_on_another_machine_is_respected_since_nothing_is_known_of_it(lock: str) -> None:
    other = run(gone(), "controller.example.com")
    change(lock, other, "held")
    assert change(lock, run(os.getpid()), "held") == other


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "1"}', json.dumps({"host": HERE})])
def test_a_damaged_lock_is_free(lock: str, text: str) -> None:
    Path(lock).parent.mkdir()
    Path(lock).write_text(text)
    assert change(lock, run(os.getpid()), "held") is None
