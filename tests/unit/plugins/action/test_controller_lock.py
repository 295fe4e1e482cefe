"""Action controller_lock: it never fails because of another run unless that is asked for, and never because of a folder."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_lock import ActionModule, clock, free
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _lock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import Holder, acquire, identify, parse

from .conftest import RunAction

HOST = {"inventory_host": "acme"}
# The parent of the worker is ansible-playbook; here it is the parent of pytest.
ANSIBLE_PLAYBOOK = os.getppid()


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "acme" / "lock.json")


@pytest.fixture
def other(lock: str) -> Iterator[Holder]:
    """Another run that lives and holds the lock."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        # Once, since a second may end between two readings of the clock.
        now = clock()
        holder = identify("acme", now, process.pid)
        assert acquire(lock, holder, now) is None
        yield holder
        process.kill()


def held_by(lock: str) -> Holder | None:
    return parse(Path(lock).read_bytes())


def test_it_is_acquired_and_freed(run_action: RunAction, lock: str) -> None:
    result = run_action(ActionModule, path=lock, **HOST)
    assert result == {"changed": False, "path": lock, "held": True, "holder": None, "refusal": {}, "error": ""}
    holder = held_by(lock)
    assert holder
    assert (holder.pid, holder.host, holder.inventory_host) == (ANSIBLE_PLAYBOOK, platform.node(), "acme")
    assert run_action(ActionModule, path=lock, **HOST)["held"] is True
    freed = run_action(ActionModule, path=lock, state="free", **HOST)
    assert freed == {"changed": False, "path": lock, "held": False, "holder": None, "refusal": {}, "error": ""}
    assert Path(lock).read_bytes() == b""


def test_the_host_of_the_task_is_the_default(lock: str) -> None:
    task = SimpleNamespace(args={"path": lock}, check_mode=False, diff=False, async_val=0, action="controller_lock")
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    ActionModule(task, connection, None, None, None, None).run(task_vars={"inventory_hostname": "globex"})
    holder = held_by(lock)
    assert holder
    assert holder.inventory_host == "globex"


def test_another_run_is_named_and_nothing_fails(run_action: RunAction, lock: str, other: Holder) -> None:
    result = run_action(ActionModule, path=lock, **HOST)
    why = result.pop("refusal")
    assert result == {"changed": False, "path": lock, "held": False, "holder": asdict(other), "error": ""}
    assert why["error"] == (
        f"Another run is in progress for this organization (process {other.pid} on {platform.node()}, since {other.since}), and "
        "comments on the ticket, so this run does not."
    )
    assert "-e cmk_break_lock=true" in why["hint"]
    assert held_by(lock) == other


def test_where_the_lock_is_required_another_run_is_a_failure(run_action: RunAction, lock: str, other: Holder) -> None:
    result = run_action(ActionModule, path=lock, required=True, **HOST)
    assert (result["failed"], result["held"], result["holder"]) == (True, False, asdict(other))
    assert result["msg"] == (
        f"Another run is in progress for this organization (process {other.pid} on {platform.node()}, since "
        f"{other.since}), so this run stops: two runs must not change the keys in opposite directions. Wait until that run "
        "has ended, then run again. If it has ended for certain, run again with -e cmk_break_lock=true, which breaks the "
        f"lock {lock}."
    )


@pytest.mark.parametrize("required", [False, True])
def test_a_free_lock_satisfies_both(run_action: RunAction, lock: str, required: bool) -> None:
    result = run_action(ActionModule, path=lock, required=required, **HOST)
    assert (result.get("failed", False), result["held"]) == (False, True)


def test_it_can_be_broken(run_action: RunAction, lock: str, other: Holder) -> None:
    result = run_action(ActionModule, path=lock, required=True, **{"break": "yes"}, **HOST)
    assert (result["held"], result["holder"]) == (True, None)
    assert "failed" not in result
    holder = held_by(lock)
    assert holder
    assert holder.pid == ANSIBLE_PLAYBOOK != other.pid


def test_only_its_own_is_freed(run_action: RunAction, lock: str, other: Holder) -> None:
    run_action(ActionModule, path=lock, state="free", **HOST)
    free(lock, "acme")
    assert held_by(lock) == other


def test_the_name_of_a_holder_cannot_act_on_the_terminal(run_action: RunAction, lock: str, other: Holder) -> None:
    Path(lock).write_text(json.dumps(asdict(replace(other, host="a\x1b[2J\nacme: RESTORED"))))
    msg = run_action(ActionModule, path=lock, required=True, **HOST)["msg"]
    assert "on a [2J acme: RESTORED, since" in msg


class TestCheckMode:
    @pytest.mark.parametrize("args", [{}, {"state": "free"}, {"break": True}, {"required": True}])
    def test_nothing_is_written_or_respected(
        self, run_action: RunAction, lock: str, other: Holder, args: dict[str, Any]
    ) -> None:
        before = Path(lock).read_bytes(), Path(lock).stat().st_mtime_ns
        result = run_action(ActionModule, check=True, path=lock, **args, **HOST)
        assert result == {"changed": False, "path": lock, "held": False, "holder": None, "refusal": {}, "error": ""}
        assert (Path(lock).read_bytes(), Path(lock).stat().st_mtime_ns) == before
        assert held_by(lock) == other

    @pytest.mark.parametrize("state", ["held", "free"])
    def test_no_folder_is_made(self, run_action: RunAction, lock: str, tmp_path: Path, state: str) -> None:
        run_action(ActionModule, check=True, path=lock, state=state, **HOST)
        assert os.listdir(tmp_path) == []

    def test_its_own_lock_stays(self, run_action: RunAction, lock: str) -> None:
        run_action(ActionModule, path=lock, **HOST)
        before = Path(lock).read_bytes()
        run_action(ActionModule, check=True, path=lock, state="free", **HOST)
        assert Path(lock).read_bytes() == before


@pytest.mark.parametrize("required", [False, True])
class TestWhatCannotBeWritten:
    def test_a_folder_that_is_a_file(self, run_action: RunAction, lock: str, tmp_path: Path, required: bool) -> None:
        (tmp_path / "acme").write_text("a file")
        result = run_action(ActionModule, path=lock, required=required, **HOST)
        assert result == {
            "changed": False,
            "path": lock,
            "held": False,
            "holder": None,
            "refusal": {},
            "error": f"The lock {lock} cannot be taken: {tmp_path}/acme is not a folder.",
        }

    def test_a_symbolic_link(self, run_action: RunAction, lock: str, tmp_path: Path, required: bool) -> None:
        (tmp_path / "acme").symlink_to(tmp_path)
        assert "is a symbolic link" in run_action(ActionModule, path=lock, required=required, **HOST)["error"]
        assert not (tmp_path / "lock.json").exists()

    def test_one_that_another_process_is_changing(
        self, run_action: RunAction, lock: str, monkeypatch: pytest.MonkeyPatch, required: bool
    ) -> None:
        def busy(*_args: Any) -> None:
            raise BlockingIOError

        monkeypatch.setattr(_lock, "_FLOCK_PATIENCE", 0)
        monkeypatch.setattr(fcntl, "flock", busy)
        result = run_action(ActionModule, path=lock, required=required, **HOST)
        assert "Another process is changing the lock" in result["error"]
        assert (result["held"], "failed" in result) == (False, False)


@pytest.mark.parametrize(
    "args", [{}, {"path": "/nowhere/lock.json", "state": "open"}, {"path": "/x", "wait": 3}], ids=str
)
def test_wrong_options(run_action: RunAction, args: dict[str, Any]) -> None:
    with pytest.raises(AnsibleActionFail):
        run_action(ActionModule, **args)


class TestKeptFiles:
    @pytest.mark.parametrize(
        ("has_token", "keeps", "warns"), [(True, True, True), (True, False, False), (False, True, False)]
    )
    @pytest.mark.parametrize("check", [False, True])
    def test_a_token_that_stays_on_disk_is_warned_of(
        self,
        run_action: RunAction,
        lock: str,
        monkeypatch: pytest.MonkeyPatch,
        has_token: bool,
        keeps: bool,
        warns: bool,
        check: bool,
    ) -> None:
        warnings: list[str] = []
        monkeypatch.setattr(Display, "warning", lambda _self, text: warnings.append(text))
        monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", keeps)
        run_action(ActionModule, check=check, path=lock, has_token=has_token, **HOST)
        assert [text.split(",")[0] for text in warnings] == ["ANSIBLE_KEEP_REMOTE_FILES is set"] * warns
