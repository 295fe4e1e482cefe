"""The lock: who holds it, when it is free, and that it never crashes or blocks a run."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _lock, _state_dir
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import (
    STALE_AFTER,
    Holder,
    Process,
    acquire,
    identify,
    is_gone,
    is_held_by_another,
    is_stale,
    parse,
    probe,
    release,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import UnsafePathError
from tests.unit.plugins.conversation import Clock

NOW = "2026-11-24T03:00:00Z"
LATER = "2026-11-24T03:10:00Z"
MINE = Holder(4711, "boot-1", "100", "pid:[1]", "ops1", "acme", NOW, NOW)
OTHER = replace(MINE, pid=4712, start_time="200")
RUNNING, ENDED = Process(True, "200"), Process(False, "")


@pytest.fixture
def lock(tmp_path: Path) -> str:
    return str(tmp_path / "acme" / "lock.json")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that lives as long as the test."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def ended() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


class TestDecision:
    @pytest.mark.parametrize(
        ("changes", "process", "held"),
        [
            ({}, RUNNING, True),
            ({}, ENDED, False),
            ({}, Process(True, "201"), False),  # the id was used again
            ({}, Process(True, ""), True),
            ({"start_time": ""}, RUNNING, True),
            ({"boot_id": "boot-2"}, ENDED, True),
            ({"pid_namespace": "pid:[2]"}, ENDED, True),
            ({"host": "ops2"}, ENDED, False),  # two containers of one namespace
            ({"pid": MINE.pid, "start_time": MINE.start_time, "inventory_host": "acme-eu"}, Process(True, "100"), True),
            ({"pid": MINE.pid, "start_time": MINE.start_time}, RUNNING, False),
        ],
    )
    def test_who_holds_it(self, changes: dict[str, Any], process: Process, held: bool) -> None:
        assert is_held_by_another(replace(OTHER, **changes), MINE, LATER, process) is held

    @pytest.mark.parametrize("field", ["pid", "boot_id", "start_time", "pid_namespace", "inventory_host"])
    def test_each_part_of_the_identity_counts(self, field: str) -> None:
        change: dict[str, Any] = {field: 1 if field == "pid" else "x"}
        other = replace(MINE, **change)
        assert is_held_by_another(other, MINE, NOW, Process(True, other.start_time)) is True

    @pytest.mark.parametrize("field", ["host", "since", "refreshed_at"])
    def test_nothing_else_does(self, field: str) -> None:
        change: dict[str, Any] = {field: "2026-11-24T02:59:00Z"}
        assert is_held_by_another(replace(MINE, **change), MINE, NOW, ENDED) is False

    @pytest.mark.parametrize(
        ("refreshed_at", "stale"),
        [
            ("2026-11-24T03:00:00Z", False),
            ("2026-11-24T02:45:00Z", False),
            ("2026-11-24T02:44:59Z", True),
            ("2026-11-23T03:00:00Z", True),
            ("2026-11-24T03:15:00Z", False),
            ("2026-11-24T03:15:01Z", True),
            ("2027-11-24T03:00:00Z", True),
        ],
    )
    def test_stale_after_15_minutes_either_way(self, refreshed_at: str, stale: bool) -> None:
        holder = replace(OTHER, refreshed_at=refreshed_at)
        assert is_stale(holder, NOW) is stale
        assert is_held_by_another(holder, MINE, NOW, RUNNING) is not stale

    def test_the_documented_time(self) -> None:
        assert STALE_AFTER.total_seconds() == 900

    def test_a_holder_that_has_not_been_refreshed_is_taken_over_in_any_namespace(self) -> None:
        holder = replace(OTHER, boot_id="boot-2", pid_namespace="pid:[2]", refreshed_at="2026-11-24T02:00:00Z")
        assert is_held_by_another(holder, MINE, NOW, RUNNING) is False

    @pytest.mark.parametrize(
        ("host", "process", "gone"), [("ops1", ENDED, True), ("ops1", Process(True, ""), False), ("ops2", ENDED, False)]
    )
    def test_without_proc_the_machine_is_known_by_its_name(self, host: str, process: Process, gone: bool) -> None:
        mine = replace(MINE, boot_id="", start_time="", pid_namespace="")
        assert is_gone(replace(mine, pid=1, host=host), mine, process) is gone


class TestParse:
    def test_round_trip(self) -> None:
        assert parse(json.dumps(asdict(MINE)).encode()) == MINE
        assert parse(json.dumps({**asdict(MINE), "more": 1}).encode()) == MINE

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"pid": 1, "host": "ops1", "since": "x"}',
            b"1" * 5000,
        ],
        ids=lambda data: ascii(data[:20]),
    )
    def test_damaged(self, data: bytes) -> None:
        assert parse(data) is None

    @pytest.mark.parametrize("field", list(asdict(MINE)))
    def test_each_field_is_needed(self, field: str) -> None:
        assert (
            parse(json.dumps({name: value for name, value in asdict(MINE).items() if name != field}).encode()) is None
        )

    @pytest.mark.parametrize("field", list(asdict(MINE)))
    @pytest.mark.parametrize("value", [None, [], {}, True, 1.5, "x", 10**30])
    def test_wrong_types(self, field: str, value: Any) -> None:
        is_text = isinstance(value, str) and field not in ("pid", "since", "refreshed_at")
        holder = parse(json.dumps({**asdict(MINE), field: value}).encode())
        assert (holder is not None) is is_text

    @pytest.mark.parametrize(
        ("pid", "fit"), [(0, False), (-1, False), (1, True), (2**31 - 1, True), (2**31, False), (2**70, False)]
    )
    def test_process_ids(self, pid: int, fit: bool) -> None:
        assert (parse(json.dumps({**asdict(MINE), "pid": pid}).encode()) is not None) is fit

    @pytest.mark.parametrize("time_", ["yesterday", "2026-11-24", "2026-13-24T03:00:00Z", "2026-11-24T03:00:00+00:00"])
    @pytest.mark.parametrize("field", ["since", "refreshed_at"])
    def test_times(self, field: str, time_: str) -> None:
        assert parse(json.dumps({**asdict(MINE), field: time_}).encode()) is None

    @given(st.binary(max_size=300))
    def test_no_bytes_crash_it(self, data: bytes) -> None:
        assert parse(data) is None


class TestIdentify:
    def test_this_run(self) -> None:
        mine = identify("acme", NOW)
        assert mine.pid == os.getppid()
        assert (mine.host, mine.inventory_host, mine.since, mine.refreshed_at) == (platform.node(), "acme", NOW, NOW)
        assert mine.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert mine.pid_namespace == os.readlink("/proc/self/ns/pid")
        assert int(mine.start_time) > 0

    def test_another_process(self, child: subprocess.Popen[bytes]) -> None:
        assert identify("acme", NOW, child.pid) != identify("acme", NOW)
        assert identify("acme", NOW, child.pid) == identify("acme", NOW, child.pid)
        assert identify("acme", NOW, os.getpid()).pid == os.getpid()

    def test_without_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*_args: Any, **_more: Any) -> str:
            raise FileNotFoundError

        monkeypatch.setattr(Path, "read_text", missing)
        monkeypatch.setattr(os, "readlink", missing)
        mine = identify("acme", NOW)
        assert (mine.boot_id, mine.start_time, mine.pid_namespace, mine.pid) == ("", "", "", os.getppid())


class TestProbe:
    def test_a_process_that_runs_is_asked_with_signal_0(
        self, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[int, int]] = []
        kill = os.kill

        def record(pid: int, number: int) -> None:
            asked.append((pid, number))
            kill(pid, number)

        monkeypatch.setattr(os, "kill", record)
        process = probe(child.pid)
        assert (process.is_running, int(process.start_time) > 0) == (True, True)
        assert asked == [(child.pid, 0)]
        assert child.poll() is None

    def test_its_start_is_field_22(self, child: subprocess.Popen[bytes]) -> None:
        text = Path(f"/proc/{child.pid}/stat").read_text()
        assert probe(child.pid).start_time == text.split()[21]

    def test_a_name_with_parentheses_and_spaces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fields = ["S", *map(str, range(4, 53))]
        monkeypatch.setattr(_lock, "_read_line", lambda _path: f"{os.getpid()} (a) b (c)) {' '.join(fields)}")
        assert probe(os.getpid()) == Process(True, "22")

    @pytest.mark.parametrize(
        ("fields", "process"),
        [
            pytest.param(["Z", *range(4, 53)], Process(False, "22"), id="a zombie"),
            pytest.param(["X", *range(4, 53)], Process(False, "22"), id="dead"),
            pytest.param(["S", *range(4, 23)], Process(True, "22"), id="nothing after the start"),
            pytest.param(["S", *range(4, 22)], Process(True, ""), id="no start"),
        ],
    )
    def test_its_state_is_field_3(
        self, monkeypatch: pytest.MonkeyPatch, fields: list[object], process: Process
    ) -> None:
        monkeypatch.setattr(_lock, "_read_line", lambda _path: f"1 (a) {' '.join(map(str, fields))}")
        assert probe(os.getpid()) == process

    def test_one_that_has_ended(self) -> None:
        assert probe(ended()) == Process(False, "")

    def test_one_that_nobody_has_waited_for(self, child: subprocess.Popen[bytes]) -> None:
        os.kill(child.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while probe(child.pid).is_running and time.monotonic() < deadline:
            time.sleep(0.01)
        assert probe(child.pid).is_running is False
        os.kill(child.pid, 0)  # it is still in the table

    @pytest.mark.parametrize(
        ("error", "running"), [(PermissionError, True), (ProcessLookupError, False), (OverflowError, False)]
    )
    def test_what_the_kernel_answers(self, monkeypatch: pytest.MonkeyPatch, error: type, running: bool) -> None:
        def answer(_pid: int, _number: int) -> None:
            raise error

        monkeypatch.setattr(os, "kill", answer)
        assert probe(os.getpid()).is_running is running


class TestAcquire:
    def test_taken_twice_by_one_run_and_freed(self, lock: str) -> None:
        mine = identify("acme", NOW)
        assert acquire(lock, mine, NOW) is None
        assert acquire(lock, replace(mine, since=LATER), LATER) is None
        assert parse(Path(lock).read_bytes()) == replace(mine, refreshed_at=LATER)
        assert oct(Path(lock).stat().st_mode & 0o777) == "0o600"
        release(lock, mine)
        assert Path(lock).read_bytes() == b""

    def test_another_run_that_lives_is_respected(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        other = identify("acme", NOW, child.pid)
        acquire(lock, other, NOW)
        mine = identify("acme", NOW)
        assert acquire(lock, mine, LATER) == other
        assert acquire(lock, mine, LATER) is not None
        release(lock, mine)
        assert parse(Path(lock).read_bytes()) == other

    def test_the_same_process_on_another_inventory_host_is_another_run(self, lock: str) -> None:
        first, second = identify("acme", NOW), identify("acme-eu", NOW)
        acquire(lock, first, NOW)
        assert acquire(lock, second, NOW) == first
        release(lock, second)
        assert acquire(lock, second, NOW) == first
        release(lock, first)
        assert acquire(lock, second, NOW) is None

    def test_a_run_that_died_is_replaced(self, lock: str) -> None:
        acquire(lock, identify("acme", NOW, ended()), NOW)
        mine = identify("acme", NOW)
        assert acquire(lock, mine, NOW) is None
        assert parse(Path(lock).read_bytes()) == mine

    def test_a_process_id_that_was_used_again(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        acquire(lock, replace(identify("acme", NOW, child.pid), start_time="1"), NOW)
        assert acquire(lock, identify("acme", NOW), NOW) is None

    @pytest.mark.parametrize("field", ["boot_id", "pid_namespace"])
    def test_nothing_is_known_of_a_run_elsewhere_until_its_lock_is_stale(self, lock: str, field: str) -> None:
        change: dict[str, Any] = {field: "elsewhere"}
        other = replace(identify("acme", NOW, ended()), **change)
        acquire(lock, other, NOW)
        mine = identify("acme", LATER)
        assert acquire(lock, mine, LATER) == other
        assert acquire(lock, mine, "2026-11-24T03:15:01Z") is None

    def test_it_can_be_broken(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        other, mine = identify("acme", NOW, child.pid), identify("acme", LATER)
        acquire(lock, other, NOW)
        assert acquire(lock, mine, LATER, break_lock=False) == other
        assert acquire(lock, mine, LATER, break_lock=True) is None
        assert parse(Path(lock).read_bytes()) == mine
        assert acquire(lock, other, LATER) is not None

    @pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", json.dumps({**asdict(MINE), "pid": 2**70}).encode()])
    def test_a_damaged_lock_is_free(self, lock: str, data: bytes) -> None:
        Path(lock).parent.mkdir()
        Path(lock).write_bytes(data)
        mine = identify("acme", NOW)
        assert acquire(lock, mine, NOW) is None
        assert parse(Path(lock).read_bytes()) == mine

    def test_a_long_text_leaves_no_rest(self, lock: str) -> None:
        Path(lock).parent.mkdir()
        Path(lock).write_bytes(b"x" * 5000)
        acquire(lock, MINE, NOW)
        assert parse(Path(lock).read_bytes()) == MINE

    def test_a_symbolic_link_is_refused(self, lock: str, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        Path(lock).parent.mkdir()
        Path(lock).symlink_to(victim)
        with pytest.raises(UnsafePathError):
            acquire(lock, MINE, NOW)
        release(lock, MINE)
        assert victim.read_text() == "precious"


class TestRefresh:
    def test_it_is_noted(self, lock: str) -> None:
        mine = identify("acme", NOW)
        acquire(lock, mine, NOW)
        assert acquire(lock, mine, LATER) is None
        assert parse(Path(lock).read_bytes()) == replace(mine, refreshed_at=LATER)

    def test_a_lock_that_was_lost_and_that_nobody_holds_is_taken_again(self, lock: str) -> None:
        mine = identify("acme", NOW)
        assert acquire(lock, mine, LATER) is None
        assert parse(Path(lock).read_bytes()) == replace(mine, refreshed_at=LATER)


class TestRelease:
    def test_it_creates_nothing(self, lock: str, tmp_path: Path) -> None:
        release(lock, MINE)
        assert os.listdir(tmp_path) == []

    def test_what_cannot_be_freed_is_left(self, tmp_path: Path) -> None:
        (tmp_path / "acme").write_text("a file")
        release(str(tmp_path / "acme" / "lock.json"), MINE)
        assert (tmp_path / "acme").read_text() == "a file"

    def test_a_damaged_one_is_left(self, lock: str) -> None:
        Path(lock).parent.mkdir()
        Path(lock).write_bytes(b"{")
        release(lock, MINE)
        assert Path(lock).read_bytes() == b"{"


class TestKernelLock:
    @pytest.fixture
    def busy(self, lock: str) -> Iterator[int]:
        """Another open file of the same lock that holds the kernel's lock."""
        acquire(lock, MINE, NOW)
        handle = os.open(lock, os.O_RDWR)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
        os.close(handle)

    @pytest.mark.usefixtures("busy")
    def test_it_blocks_for_two_seconds_at_most(self, lock: str, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock()
        monkeypatch.setattr(_state_dir, "_TURN_DELAY", 0.5)
        monkeypatch.setattr(_state_dir, "time", clock)
        with pytest.raises(TimeoutError, match="Another process is changing it") as error:
            acquire(lock, MINE, NOW)
        assert isinstance(error.value, OSError)
        assert clock.sleeps == [0.5] * 4

    def test_it_is_waited_for_meanwhile(self, lock: str, busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []

        def free_it(seconds: float) -> None:
            waits.append(seconds)
            fcntl.flock(busy, fcntl.LOCK_UN)

        monkeypatch.setattr(_state_dir, "time", SimpleNamespace(sleep=free_it, monotonic=time.monotonic))
        assert acquire(lock, MINE, LATER) is None
        assert waits == [0.05]

    def test_two_that_come_at_once_are_one_after_the_other(self, lock: str) -> None:
        code = (
            "import sys, os\n"
            "from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify\n"
            f"sys.stdin.readline()\nprint(acquire({lock!r}, identify('acme', {NOW!r}, os.getpid()), {NOW!r}) is None)\n"
            "sys.stdout.flush()\nsys.stdin.readline()\n"
        )
        command = [sys.executable, "-c", code]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        processes: list[subprocess.Popen[str]] = [subprocess.Popen(command, **pipes) for _number in range(4)]  # type: ignore[call-overload]
        try:
            for process in processes:
                assert process.stdin
                process.stdin.write("go\n")
                process.stdin.flush()
            answers = [process.stdout.readline().strip() for process in processes if process.stdout]
        finally:
            for process in processes:
                process.communicate("end\n", timeout=60)
        assert sorted(answers) == ["False", "False", "False", "True"]
