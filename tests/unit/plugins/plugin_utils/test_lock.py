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

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _state_dir
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import (
    STALE_AFTER,
    Holder,
    acquire,
    find_start_time,
    identify,
    is_held_by_another,
    parse,
    release,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import UnsafePathError
from tests.unit.plugins.conversation import Clock

NOW = "2026-11-24T03:00:00Z"
LATER = "2026-11-24T03:10:00Z"
MINE = Holder(4711, "100", "boot-1 pid:[1]", "acme", "ops1", NOW, NOW)
OTHER = replace(MINE, pid=4712, start_time="200")


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
        ("changes", "start_time", "held"),
        [
            ({}, "200", True),
            ({}, None, False),
            ({}, "201", False),  # the id was used again
            ({"start_time": ""}, "", True),  # without /proc
            ({"machine": "boot-2 pid:[1]"}, None, True),
            ({"host": "ops2"}, None, False),  # two containers of one namespace
            ({"pid": MINE.pid, "start_time": MINE.start_time, "inventory_host": "acme-eu"}, "100", True),
            ({"pid": MINE.pid, "start_time": MINE.start_time}, "100", False),
        ],
    )
    def test_who_holds_it(self, changes: dict[str, Any], start_time: str | None, held: bool) -> None:
        assert is_held_by_another(replace(OTHER, **changes), MINE, start_time) is held

    @pytest.mark.parametrize("field", ["pid", "machine", "start_time", "inventory_host"])
    def test_each_part_of_the_identity_counts(self, field: str) -> None:
        change: dict[str, Any] = {field: 1 if field == "pid" else "x"}
        other = replace(MINE, **change)
        assert is_held_by_another(other, MINE, other.start_time) is True

    @pytest.mark.parametrize("field", ["host", "since", "refreshed_at"])
    def test_nothing_else_does(self, field: str) -> None:
        change: dict[str, Any] = {field: "2026-11-24T02:59:00Z"}
        assert is_held_by_another(replace(MINE, **change), MINE, MINE.start_time) is False

    @pytest.mark.parametrize(
        ("refreshed_at", "held"),
        [
            ("2026-11-24T03:00:00Z", True),
            ("2026-11-24T02:45:00Z", True),
            ("2026-11-24T02:44:59Z", False),
            ("2026-11-23T03:00:00Z", False),
            ("2026-11-24T03:15:00Z", True),
            ("2026-11-24T03:15:01Z", False),
            ("2027-11-24T03:00:00Z", False),
            ("yesterday", False),
            ("", False),
        ],
    )
    def test_stale_after_15_minutes_either_way(self, refreshed_at: str, held: bool) -> None:
        assert is_held_by_another(replace(OTHER, refreshed_at=refreshed_at), MINE, "200") is held

    def test_the_documented_time(self) -> None:
        assert STALE_AFTER.total_seconds() == 900

    def test_a_holder_that_has_not_been_refreshed_is_taken_over_on_any_machine(self) -> None:
        holder = replace(OTHER, machine="elsewhere", refreshed_at="2026-11-24T02:00:00Z")
        assert is_held_by_another(holder, MINE, "200") is False


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
    @pytest.mark.parametrize("value", [None, [], {}, True, 1.5, "x", 1])
    def test_wrong_types(self, field: str, value: Any) -> None:
        holder = parse(json.dumps({**asdict(MINE), field: value}).encode())
        assert (holder is not None) is (type(value) is (int if field == "pid" else str))

    @pytest.mark.parametrize("pid", [0, -1, 2**31, 2**70])
    def test_an_impossible_process_has_ended(self, pid: int) -> None:
        assert is_held_by_another(replace(OTHER, pid=pid), MINE, find_start_time(pid)) is False

    @given(st.binary(max_size=300))
    def test_no_bytes_crash_it(self, data: bytes) -> None:
        assert parse(data) is None


class TestIdentify:
    def test_this_run(self) -> None:
        mine = identify("acme", NOW)
        assert mine.pid == os.getppid()
        assert (mine.host, mine.inventory_host, mine.since, mine.refreshed_at) == (platform.node(), "acme", NOW, NOW)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert mine.machine == f"{boot} {os.readlink('/proc/self/ns/pid')}"
        assert int(mine.start_time) > 0

    def test_another_process(self, child: subprocess.Popen[bytes]) -> None:
        assert identify("acme", NOW, child.pid) != identify("acme", NOW)
        assert identify("acme", NOW, child.pid) == identify("acme", NOW, child.pid)
        assert identify("acme", NOW, os.getpid()).pid == os.getpid()

    @pytest.mark.parametrize("where", [(Path, "read_text"), (os, "readlink")])
    def test_without_proc_the_machine_is_known_by_its_name(
        self, monkeypatch: pytest.MonkeyPatch, where: tuple[Any, str]
    ) -> None:
        def missing(*_args: Any, **_more: Any) -> str:
            raise FileNotFoundError

        monkeypatch.setattr(*where, missing)
        assert identify("acme", NOW).machine == platform.node()


class TestStartTime:
    """When a process started, and whether it runs at all."""

    @pytest.fixture
    def without_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(*_args: Any, **_more: Any) -> str:
            raise FileNotFoundError

        monkeypatch.setattr(Path, "read_text", missing)

    @pytest.mark.usefixtures("without_proc")
    def test_a_process_that_runs_is_asked_with_signal_0(
        self, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[tuple[int, int]] = []
        kill = os.kill

        def record(pid: int, number: int) -> None:
            asked.append((pid, number))
            kill(pid, number)

        monkeypatch.setattr(os, "kill", record)
        assert find_start_time(child.pid) == ""
        assert asked == [(child.pid, 0)]
        assert child.poll() is None

    def test_its_start_is_field_22(self, child: subprocess.Popen[bytes]) -> None:
        text = Path(f"/proc/{child.pid}/stat").read_text()
        assert find_start_time(child.pid) == text.split()[21]

    @pytest.mark.parametrize(
        ("name", "state", "start_time"),
        [("a", "S", "22"), ("a) b (c)", "S", "22"), ("a", "Z", None), ("a", "X", None), ("Z X", "R", "22")],
    )
    def test_after_the_name_comes_its_state(
        self, monkeypatch: pytest.MonkeyPatch, name: str, state: str, start_time: str | None
    ) -> None:
        text = " ".join(["1", f"({name})", state, *map(str, range(4, 53))])
        monkeypatch.setattr(Path, "read_text", lambda _path, **_more: text)
        assert find_start_time(os.getpid()) == start_time

    def test_one_that_has_ended(self) -> None:
        assert find_start_time(ended()) is None

    def test_one_that_nobody_has_waited_for(self, child: subprocess.Popen[bytes]) -> None:
        os.kill(child.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while find_start_time(child.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert find_start_time(child.pid) is None
        os.kill(child.pid, 0)  # it is still in the table

    @pytest.mark.usefixtures("without_proc")
    @pytest.mark.parametrize(
        ("error", "start_time"), [(PermissionError, ""), (ProcessLookupError, None), (OverflowError, None)]
    )
    def test_what_the_kernel_answers(
        self, monkeypatch: pytest.MonkeyPatch, error: type, start_time: str | None
    ) -> None:
        def answer(_pid: int, _number: int) -> None:
            raise error

        monkeypatch.setattr(os, "kill", answer)
        assert find_start_time(os.getpid()) == start_time


class TestAcquire:
    def test_taken_twice_by_one_run_and_freed(self, lock: str) -> None:
        mine = identify("acme", NOW)
        assert acquire(lock, mine) is None
        assert acquire(lock, replace(mine, since=LATER, refreshed_at=LATER)) is None
        assert parse(Path(lock).read_bytes()) == replace(mine, refreshed_at=LATER)
        assert oct(Path(lock).stat().st_mode & 0o777) == "0o600"
        release(lock, mine)
        assert Path(lock).read_bytes() == b""

    def test_another_run_that_lives_is_respected(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        other = identify("acme", NOW, child.pid)
        acquire(lock, other)
        mine = identify("acme", NOW)
        assert acquire(lock, replace(mine, refreshed_at=LATER)) == other
        assert acquire(lock, replace(mine, refreshed_at=LATER)) is not None
        release(lock, mine)
        assert parse(Path(lock).read_bytes()) == other

    def test_the_same_process_on_another_inventory_host_is_another_run(self, lock: str) -> None:
        first, second = identify("acme", NOW), identify("acme-eu", NOW)
        acquire(lock, first)
        assert acquire(lock, second) == first
        release(lock, second)
        assert acquire(lock, second) == first
        release(lock, first)
        assert acquire(lock, second) is None

    def test_a_run_that_died_is_replaced(self, lock: str) -> None:
        acquire(lock, identify("acme", NOW, ended()))
        mine = identify("acme", NOW)
        assert acquire(lock, mine) is None
        assert parse(Path(lock).read_bytes()) == mine

    def test_a_process_id_that_was_used_again(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        acquire(lock, replace(identify("acme", NOW, child.pid), start_time="1"))
        assert acquire(lock, identify("acme", NOW)) is None

    def test_nothing_is_known_of_a_run_elsewhere_until_its_lock_is_stale(self, lock: str) -> None:
        other = replace(identify("acme", NOW, ended()), machine="elsewhere")
        acquire(lock, other)
        mine = identify("acme", LATER)
        assert acquire(lock, mine) == other
        assert acquire(lock, replace(mine, refreshed_at="2026-11-24T03:15:01Z")) is None

    def test_it_can_be_broken(self, lock: str, child: subprocess.Popen[bytes]) -> None:
        other, mine = identify("acme", NOW, child.pid), identify("acme", LATER)
        acquire(lock, other)
        assert acquire(lock, replace(mine, refreshed_at=LATER), break_lock=False) == other
        assert acquire(lock, replace(mine, refreshed_at=LATER), break_lock=True) is None
        assert parse(Path(lock).read_bytes()) == mine
        assert acquire(lock, replace(other, refreshed_at=LATER)) is not None

    @pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", json.dumps({**asdict(MINE), "pid": "x"}).encode()])
    def test_a_damaged_lock_is_free(self, lock: str, data: bytes) -> None:
        Path(lock).parent.mkdir()
        Path(lock).write_bytes(data)
        mine = identify("acme", NOW)
        assert acquire(lock, mine) is None
        assert parse(Path(lock).read_bytes()) == mine

    def test_a_long_text_leaves_no_rest(self, lock: str) -> None:
        Path(lock).parent.mkdir()
        Path(lock).write_bytes(b"x" * 5000)
        acquire(lock, MINE)
        assert parse(Path(lock).read_bytes()) == MINE

    def test_a_symbolic_link_is_refused(self, lock: str, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.write_text("precious")
        Path(lock).parent.mkdir()
        Path(lock).symlink_to(victim)
        with pytest.raises(UnsafePathError):
            acquire(lock, MINE)
        release(lock, MINE)
        assert victim.read_text() == "precious"


class TestRefresh:
    def test_it_is_noted(self, lock: str) -> None:
        mine = identify("acme", NOW)
        acquire(lock, mine)
        assert acquire(lock, replace(mine, refreshed_at=LATER)) is None
        assert parse(Path(lock).read_bytes()) == replace(mine, refreshed_at=LATER)

    def test_a_lock_that_was_lost_and_that_nobody_holds_is_taken_again(self, lock: str) -> None:
        mine = identify("acme", NOW)
        assert acquire(lock, replace(mine, refreshed_at=LATER)) is None
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
        acquire(lock, MINE)
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
            acquire(lock, MINE)
        assert isinstance(error.value, OSError)
        assert clock.sleeps == [0.5] * 4

    def test_it_is_waited_for_meanwhile(self, lock: str, busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []

        def free_it(seconds: float) -> None:
            waits.append(seconds)
            fcntl.flock(busy, fcntl.LOCK_UN)

        monkeypatch.setattr(_state_dir, "time", SimpleNamespace(sleep=free_it, monotonic=time.monotonic))
        assert acquire(lock, replace(MINE, refreshed_at=LATER)) is None
        assert waits == [0.05]

    def test_two_that_come_at_once_are_one_after_the_other(self, lock: str) -> None:
        code = (
            "import sys, os\n"
            "from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify\n"
            f"sys.stdin.readline()\nprint(acquire({lock!r}, identify('acme', {NOW!r}, os.getpid())) is None)\n"
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
