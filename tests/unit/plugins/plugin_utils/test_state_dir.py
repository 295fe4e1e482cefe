"""Files on the controller: private, atomic, and never reached through what another user prepared."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _state_dir
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import (
    MAX_BYTES,
    UnsafePathError,
    open_file,
    read_file,
    remember,
    rewrite_public_file,
    write_file,
)

TEXT = "Both keys were enabled.\nÄ, 鍵\n"
STRANGER = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


def ensure_folder(path: str) -> None:
    """Create every missing level of a folder, as the writing of a file does."""
    write_file(f"{path}/made", "")
    os.unlink(f"{path}/made")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "acme" / "note.txt"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the user's own that must stay as it is."""
    file = tmp_path / "victim.txt"
    file.write_text("precious")
    return file


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o277])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def check_refused(path: Path, reason: str) -> None:
    """Reading, writing and remembering are all refused."""
    attempts: list[Callable[[], object]] = [
        lambda: read_file(str(path)),
        lambda: write_file(str(path), TEXT),
        lambda: remember(str(path), TEXT),
    ]
    for attempt in attempts:
        with pytest.raises(UnsafePathError, match=reason) as error:
            attempt()
        assert isinstance(error.value, OSError)
        assert error.value.errno is None


class TestRoundTrip:
    @pytest.mark.parametrize("text", [TEXT, "", "no newline", "a\r\nb\r\n", "a\rb", "\ufeffmark"], ids=ascii)
    def test_a_text_is_read_as_it_was_written(self, path: Path, text: str) -> None:
        write_file(str(path), text)
        assert read_file(str(path)) == text
        assert path.read_bytes() == text.encode()
        assert os.listdir(path.parent) == ["note.txt"]

    def test_it_replaces(self, path: Path) -> None:
        write_file(str(path), "old")
        write_file(str(path), TEXT)
        assert read_file(str(path)) == TEXT

    def test_no_file_and_no_folder_are_none(self, path: Path) -> None:
        assert read_file(str(path)) is None
        ensure_folder(str(path.parent))
        assert read_file(str(path)) is None
        assert os.listdir(path.parent) == []

    def test_reading_creates_nothing(self, tmp_path: Path, path: Path) -> None:
        read_file(str(path))
        assert os.listdir(tmp_path) == []

    def test_a_relative_path_starts_at_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        write_file("acme/note.txt", TEXT)
        assert (tmp_path / "acme" / "note.txt").read_text(encoding="utf-8") == TEXT


class TestRemember:
    @pytest.mark.parametrize("text", [TEXT, "", "a\r\nb\r\n", "\ufeffmark"], ids=ascii)
    def test_only_news_is_written(self, path: Path, text: str) -> None:
        remember(str(path), text)
        before = path.stat()
        remember(str(path), text)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        remember(str(path), "new")
        assert read_file(str(path)) == "new"


class TestModes:
    def test_only_the_owner_reads_it_whatever_the_umask(self, path: Path, umask: int) -> None:
        write_file(str(path), TEXT)
        assert (mode(path), mode(path.parent), mode(path.parent.parent)) == (0o600, 0o700, 0o700)

    def test_every_new_level_is_private_whatever_the_umask(self, tmp_path: Path, umask: int) -> None:
        ensure_folder(str(tmp_path / "a" / "b" / "c"))
        assert [mode(tmp_path / level) for level in ("a", "a/b", "a/b/c")] == [0o700] * 3

    def test_it_is_private_from_the_first_moment(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        modes: list[int] = []

        def noting(real: Any, place: int) -> Any:
            def call(*args: Any, **more: Any) -> Any:
                modes.extend(args[place : place + 1])
                return real(*args, **more)

            return call

        monkeypatch.setattr(os, "mkdir", noting(os.mkdir, 1))
        monkeypatch.setattr(os, "open", noting(os.open, 2))
        write_file(str(path), TEXT)
        assert modes == [0o700, 0o700, 0o600]

    def test_a_file_that_is_opened_in_place_is_private(self, path: Path, umask: int) -> None:
        with open_file(str(path), os.O_RDWR | os.O_CREAT) as file:
            file.write(b"x")
        assert mode(path) == 0o600 & ~umask

    def test_levels_that_exist_stay_as_they_are(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a").chmod(0o755)
        ensure_folder(str(tmp_path / "a" / "b"))
        ensure_folder(str(tmp_path / "a" / "b"))
        assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o755, 0o700)

    def test_an_open_file_is_closed_to_others_when_it_is_replaced(self, path: Path) -> None:
        write_file(str(path), "old")
        path.chmod(0o666)
        write_file(str(path), TEXT)
        assert mode(path) == 0o600


class TestSymbolicLinks:
    def test_a_file(self, path: Path, victim: Path) -> None:
        ensure_folder(str(path.parent))
        path.symlink_to(victim)
        check_refused(path, f"^{path} is a symbolic link, and this collection follows none$")
        assert (victim.read_text(), path.is_symlink()) == ("precious", True)
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_file_that_leads_nowhere(self, path: Path, tmp_path: Path) -> None:
        ensure_folder(str(path.parent))
        path.symlink_to(tmp_path / "new.txt")
        check_refused(path, "is a symbolic link")
        assert not (tmp_path / "new.txt").exists()

    @pytest.mark.parametrize("level", ["reports", "reports/acme"])
    def test_a_folder(self, tmp_path: Path, path: Path, level: str) -> None:
        (tmp_path / "elsewhere" / "acme").mkdir(parents=True)
        (tmp_path / level).parent.mkdir(exist_ok=True)
        (tmp_path / level).symlink_to(tmp_path / "elsewhere")
        check_refused(path, f"^{tmp_path / level} is a symbolic link")
        with pytest.raises(UnsafePathError, match="is a symbolic link"):
            ensure_folder(str(path.parent))
        assert [path for path in (tmp_path / "elsewhere").rglob("*") if path.is_file()] == []

    def test_a_folder_high_above(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        check_refused(tmp_path / "link" / "a" / "b" / "c" / "note.txt", "is a symbolic link")
        assert os.listdir(tmp_path) == ["link"]


class TestWhatIsNoFile:
    def test_a_folder(self, path: Path) -> None:
        path.mkdir(parents=True)
        check_refused(path, f"^{path} is not a regular file$")

    def test_a_pipe_does_not_block(self, path: Path) -> None:
        ensure_folder(str(path.parent))
        os.mkfifo(path)
        check_refused(path, "is not a regular file")

    def test_a_socket(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ensure_folder(str(path.parent))
        monkeypatch.chdir(path.parent)  # a socket's name is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
            check_refused(path, "is not a regular file")

    @pytest.mark.parametrize("level", ["reports", "reports/acme"])
    def test_a_file_in_place_of_a_folder(self, tmp_path: Path, path: Path, level: str) -> None:
        (tmp_path / level).parent.mkdir(exist_ok=True)
        (tmp_path / level).write_text("a file")
        check_refused(path, f"^{tmp_path / level} is not a folder$")
        assert (tmp_path / level).read_text() == "a file"


@needs_root
class TestForeignOwners:
    def test_a_file(self, path: Path) -> None:
        write_file(str(path), TEXT)
        os.chown(path, STRANGER, -1)
        check_refused(path, f"^{path} belongs to another user \\(id {STRANGER}\\)$")
        assert path.read_text(encoding="utf-8") == TEXT

    @pytest.mark.parametrize("level", ["reports", "reports/acme"])
    def test_a_folder(self, tmp_path: Path, path: Path, level: str) -> None:
        write_file(str(path), TEXT)
        os.chown(tmp_path / level, STRANGER, -1)
        check_refused(path, f"^{tmp_path / level} belongs to another user")
        with pytest.raises(UnsafePathError, match="belongs to another user"):
            ensure_folder(str(path.parent))

    def test_nothing_is_created_in_it(self, tmp_path: Path, path: Path) -> None:
        (tmp_path / "reports").mkdir()
        os.chown(tmp_path / "reports", STRANGER, -1)
        with pytest.raises(UnsafePathError, match="belongs to another user"):
            write_file(str(path), TEXT)
        assert os.listdir(tmp_path / "reports") == []

    def test_levels_above_are_the_operators_choice(self, tmp_path: Path, path: Path) -> None:
        os.chown(tmp_path, STRANGER, -1)
        write_file(str(path), TEXT)
        assert read_file(str(path)) == TEXT

    def test_a_file_in_the_reports_folder_itself(self, tmp_path: Path) -> None:
        os.chown(tmp_path, STRANGER, -1)
        index = str(tmp_path / "reports" / "index.html")
        write_file(index, TEXT, is_top=True)
        with pytest.raises(UnsafePathError, match="belongs to another user"):
            write_file(index, TEXT)
        os.chown(tmp_path / "reports", STRANGER, -1)
        with pytest.raises(UnsafePathError, match="belongs to another user"):
            write_file(index, TEXT, is_top=True)

    def test_folders_of_root_are_trusted_and_files_of_root_are_not(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_file(str(path), TEXT)
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        ensure_folder(str(path.parent))
        check_refused(path, "belongs to another user \\(id 0\\)")


class TestSizes:
    def test_the_largest_text_is_read(self, path: Path) -> None:
        assert MAX_BYTES == 1 << 20
        write_file(str(path), "x" * MAX_BYTES)
        assert read_file(str(path)) == "x" * MAX_BYTES

    def test_a_larger_one_is_refused(self, path: Path) -> None:
        write_file(str(path), "x" * (MAX_BYTES + 1))
        with pytest.raises(UnsafePathError, match=f"is larger than {MAX_BYTES} bytes"):
            read_file(str(path))

    def test_what_is_not_utf8(self, path: Path) -> None:
        ensure_folder(str(path.parent))
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UnicodeError):
            read_file(str(path))
        with pytest.raises(UnicodeError):
            remember(str(path), TEXT)
        assert path.read_bytes() == b"\xff\xfe\x00"

    def test_a_text_that_cannot_be_encoded(self, path: Path) -> None:
        write_file(str(path), "old")
        with pytest.raises(UnicodeError):
            write_file(str(path), "half a character: \ud800")
        assert (read_file(str(path)), os.listdir(path.parent)) == ("old", ["note.txt"])


class TestFailures:
    def test_a_full_disk_leaves_the_old_text(self, path: Path) -> None:
        write_file(str(path), "old")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        try:
            with pytest.raises(OSError, match="too large"):
                write_file(str(path), "x" * 20_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (read_file(str(path)), os.listdir(path.parent)) == ("old", ["note.txt"])

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    @pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()], ids=["OSError", "interrupt"])
    def test_every_step_leaves_the_old_text(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
    ) -> None:
        write_file(str(path), "old")

        def broken(*_args: Any, **_more: Any) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(os, step, broken)
            with pytest.raises(type(error)):
                write_file(str(path), TEXT)
        assert (read_file(str(path)), os.listdir(path.parent)) == ("old", ["note.txt"])

    def test_a_place_where_nothing_can_be_made(self) -> None:
        with pytest.raises(OSError, match="acme"):
            write_file("/proc/acme/note.txt", TEXT)
        assert read_file("/proc/acme/note.txt") is None

    def test_no_handle_is_left_open(self, tmp_path: Path, path: Path) -> None:
        def handles() -> int:
            return len(os.listdir("/proc/self/fd"))

        before = handles()
        write_file(str(path), TEXT)
        read_file(str(path))
        ensure_folder(str(tmp_path / "a" / "b"))
        for unsafe in (tmp_path / "reports", path / "inner"):
            with pytest.raises(OSError, match="is not a"):
                read_file(str(unsafe))
        assert handles() == before


class TestDurability:
    """What is flushed, in order: the file before the rename, its folder after it."""

    def test_the_file_before_the_rename_and_the_folder_after(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        ensure_folder(str(path.parent))
        steps: list[str] = []
        fsync, rename = os.fsync, os.replace

        def flush(handle: int) -> None:
            steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
            fsync(handle)

        def move(*args: Any, **more: Any) -> None:
            steps.append("rename")
            rename(*args, **more)

        monkeypatch.setattr(os, "fsync", flush)
        monkeypatch.setattr(os, "replace", move)
        write_file(str(path), TEXT)
        assert steps == ["file", "rename", "folder"]

    @pytest.mark.parametrize(("number", "fails"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
    def test_a_file_system_that_cannot_flush_folders(
        self, monkeypatch: pytest.MonkeyPatch, number: int, fails: bool
    ) -> None:
        def refuse(_handle: int) -> None:
            raise OSError(number, "no")

        monkeypatch.setattr(os, "fsync", refuse)
        if fails:
            with pytest.raises(OSError, match="no"):
                _state_dir._sync(0)
        else:
            _state_dir._sync(0)


class TestPublicFile:
    """A file that other users read, in a folder that is there already."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        (tmp_path / "textfile").mkdir()
        return tmp_path / "textfile" / "cmk.prom"

    def test_everybody_reads_it_whatever_the_umask(self, file: Path, umask: int) -> None:
        rewrite_public_file(str(file), lambda text: f"{text}one\n")
        rewrite_public_file(str(file), lambda text: f"{text}two\n")
        assert (file.read_text(), mode(file)) == ("one\ntwo\n", 0o644)
        assert os.listdir(file.parent) == ["cmk.prom"]

    def test_no_folder_is_created(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            rewrite_public_file(str(tmp_path / "missing" / "cmk.prom"), str.upper)
        assert os.listdir(tmp_path) == []

    def test_no_symbolic_link_is_followed(self, file: Path, victim: Path) -> None:
        file.symlink_to(victim)
        with pytest.raises(UnsafePathError, match="is a symbolic link"):
            rewrite_public_file(str(file), str.upper)
        assert (victim.read_text(), file.is_symlink()) == ("precious", True)

    def test_nothing_of_it_is_lost(self, file: Path) -> None:
        file.write_text("x" * (MAX_BYTES + 1))
        with pytest.raises(UnsafePathError, match="is larger than"):
            rewrite_public_file(str(file), str.upper)

        def refuse(text: str) -> str:
            raise ValueError(text)

        file.write_text("kept")
        with pytest.raises(ValueError, match="kept"):
            rewrite_public_file(str(file), refuse)
        assert (file.read_text(), os.listdir(file.parent)) == ("kept", ["cmk.prom"])

    @needs_root
    def test_folders_of_others_are_refused(self, file: Path) -> None:
        os.chown(file.parent.parent, STRANGER, -1)
        rewrite_public_file(str(file), str.upper)
        os.chown(file.parent, STRANGER, -1)
        with pytest.raises(UnsafePathError, match="belongs to another user"):
            rewrite_public_file(str(file), str.upper)

    def test_one_run_at_a_time(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another run writes while this one waits, and nothing of either is lost."""
        folder = os.open(file.parent, os.O_RDONLY)
        fcntl.flock(folder, fcntl.LOCK_EX)

        def write_and_release(_seconds: float) -> None:
            file.write_text("theirs ")
            fcntl.flock(folder, fcntl.LOCK_UN)

        # Not for all threads of this process: one that sleeps meanwhile would write as well.
        monkeypatch.setattr(_state_dir, "time", SimpleNamespace(sleep=write_and_release, monotonic=time.monotonic))
        rewrite_public_file(str(file), lambda text: f"{text}ours")
        assert file.read_text() == "theirs ours"
        fcntl.flock(folder, fcntl.LOCK_EX)
        monkeypatch.setattr(_state_dir, "_PATIENCE", 0)
        with pytest.raises(TimeoutError, match="Another process is changing it"):
            rewrite_public_file(str(file), str.upper)
        os.close(folder)


def test_two_processes_that_create_one_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir = os.mkdir

    def second(name: str, *args: Any, **more: Any) -> None:
        mkdir(name, *args, **more)
        os.chmod(name, 0o750, dir_fd=more["dir_fd"])
        mkdir(name, *args, **more)  # the other process was quicker

    monkeypatch.setattr(os, "mkdir", second)
    write_file(str(path), TEXT)
    assert (read_file(str(path)), mode(path.parent)) == (TEXT, 0o750)


def test_a_folder_that_another_process_makes_and_removes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def second(*_args: Any, **_more: Any) -> None:
        raise FileExistsError

    monkeypatch.setattr(os, "mkdir", second)
    with pytest.raises(FileNotFoundError):
        write_file(str(path), TEXT)


def test_a_new_folder_that_is_exchanged_for_a_link(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    mkdir = os.mkdir

    def exchanged(name: str, *args: Any, **more: Any) -> None:
        mkdir(name, *args, **more)
        os.rmdir(name, dir_fd=more["dir_fd"])
        os.symlink(elsewhere, name, dir_fd=more["dir_fd"])

    monkeypatch.setattr(os, "mkdir", exchanged)
    with pytest.raises(OSError, match="reports"):
        write_file(str(path), TEXT)
    assert (mode(elsewhere), os.listdir(elsewhere)) == (0o755, [])
