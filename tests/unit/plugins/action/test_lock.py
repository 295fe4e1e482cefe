"""The lock of a run: another run stops a revocation only, and a folder that cannot be written stops nothing."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _lock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import (
    Holder,
    acquire,
    identify,
    parse,
    release,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.settings import warn_of_kept_files

from .conftest import RunAction

NOW = "2026-11-24T03:00:00Z"
# The parent of the worker is ansible-playbook; here it is the parent of pytest.
ANSIBLE_PLAYBOOK = os.getppid()


class Locked:
    """The step that takes the lock, for an organization whose keys are all enabled."""

    def __init__(self, run_action: RunAction, folder: Path) -> None:
        self.run_action, self.folder = run_action, folder / "acme"
        self.file = self.folder / "lock.json"

    def begin(self, command: str = "restore", *, check: bool = False, breaks: bool = False) -> dict[str, Any]:
        settings = {"org": "acme", "slug": "acme", "report_dir": str(self.folder), "break_lock": breaks, "ticket": ""}
        nothing: dict[str, Any] = {
            name: {} for name in ("change", "trust_plan", "trust_change", "revocation", "decided")
        }
        run = {
            **nothing,
            "plan": {"keys": []},
            "entry_point": command,
            "check_mode": check,
            "settings": settings,
            "started_at": NOW,
            "brief": True,
        }
        return self.run_action(ActionModule, check=check, do="begin", run=run)

    def lock(self, *args: Any, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.begin(*args, **more)["lock"]
        return found

    @property
    def holder(self) -> Holder | None:
        return parse(self.file.read_bytes())


@pytest.fixture
def locked(run_action: RunAction, tmp_path: Path) -> Locked:
    return Locked(run_action, tmp_path)


@pytest.fixture
def other(locked: Locked) -> Iterator[Holder]:
    """Another run that lives and holds the lock."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        holder = identify("acme", _now(), process.pid)
        assert acquire(str(locked.file), holder) is None
        yield holder
        process.kill()


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_it_is_acquired_and_freed(locked: Locked) -> None:
    assert locked.lock() == {"held": True, "holder": None}
    holder = locked.holder
    assert holder
    assert (holder.pid, holder.host) == (ANSIBLE_PLAYBOOK, platform.node())
    assert locked.lock()["held"] is True
    release(str(locked.file), holder)
    assert locked.file.read_bytes() == b""


def test_another_run_is_named_and_nothing_fails(locked: Locked, other: Holder) -> None:
    began = locked.begin()
    assert (began["lock"], "failed" in began) == ({"held": False, "holder": asdict(other)}, False)
    assert locked.holder == other


def test_another_run_stops_a_revocation(locked: Locked, other: Holder) -> None:
    began = locked.begin("revoke")
    assert began["failed"] is True
    assert began["msg"] == (
        f"Another run is in progress for this organization (process {other.pid} on {platform.node()}, since "
        f"{other.since}), so this run stops: two runs must not change the keys in opposite directions. Wait until that run "
        "has ended, then run again. If it has ended for certain, run again with -e cmk_break_lock=true, which breaks the "
        f"lock {locked.file}."
    )


@pytest.mark.parametrize("command", ["restore", "revoke"])
def test_a_free_lock_satisfies_both(locked: Locked, command: str) -> None:
    assert locked.lock(command)["held"] is True


def test_it_can_be_broken(locked: Locked, other: Holder) -> None:
    assert locked.lock("revoke", breaks=True) == {"held": True, "holder": None}
    holder = locked.holder
    assert holder
    assert holder.pid == ANSIBLE_PLAYBOOK != other.pid


def test_only_its_own_is_freed(locked: Locked, other: Holder) -> None:
    release(str(locked.file), identify("acme", _now()))
    assert locked.holder == other


def test_the_name_of_a_holder_cannot_act_on_the_terminal(locked: Locked, other: Holder) -> None:
    locked.file.write_text(json.dumps(asdict(replace(other, host="a\x1b[2J\nacme: RESTORED"))))
    assert "on a [2J acme: RESTORED, since" in locked.begin("revoke")["msg"]


class TestCheckMode:
    @pytest.mark.parametrize("command", ["restore", "revoke"])
    def test_nothing_is_written_or_respected(self, locked: Locked, other: Holder, command: str) -> None:
        before = locked.file.read_bytes(), locked.file.stat().st_mtime_ns
        assert locked.lock(command, check=True) == {}
        assert (locked.file.read_bytes(), locked.file.stat().st_mtime_ns) == before
        assert locked.holder == other

    def test_no_folder_is_made(self, locked: Locked, tmp_path: Path) -> None:
        locked.begin(check=True)
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["restore", "revoke"])
class TestWhatCannotBeWritten:
    def test_a_folder_that_is_a_file(self, locked: Locked, tmp_path: Path, command: str) -> None:
        (tmp_path / "acme").write_text("a file")
        lock = locked.lock(command)
        assert (lock["held"], lock["holder"]) == (False, None)
        assert lock["error"] == f"The lock {locked.file} cannot be taken: {tmp_path}/acme is not a folder."

    def test_a_symbolic_link(self, locked: Locked, tmp_path: Path, command: str) -> None:
        (tmp_path / "acme").symlink_to(tmp_path)
        assert "is a symbolic link" in locked.lock(command)["error"]
        assert not (tmp_path / "lock.json").exists()

    def test_one_that_another_process_is_changing(
        self, locked: Locked, monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        def busy(*_args: Any) -> None:
            raise BlockingIOError

        monkeypatch.setattr(_lock, "_PATIENCE", 0)
        monkeypatch.setattr(fcntl, "flock", busy)
        began = locked.begin(command)
        assert "Another process is changing it" in began["lock"]["error"]
        assert "failed" not in began


@pytest.mark.parametrize(
    ("has_token", "keeps", "warns"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_token_that_stays_on_disk_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, has_token: bool, keeps: bool, warns: bool
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: warnings.append(text))
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", keeps)
    warn_of_kept_files(has_token=has_token)
    assert [text.split(",")[0] for text in warnings] == ["ANSIBLE_KEEP_REMOTE_FILES is set"] * warns
