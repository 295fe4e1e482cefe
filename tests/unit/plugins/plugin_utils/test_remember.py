"""A text that is remembered: the old text or the new one, never a part, and nobody else reads it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember, write_file

TEXT = "Both keys were enabled.\nÄ, 鍵\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "acme" / "note.txt"


def test_a_new_file(path: Path) -> None:
    assert remember(str(path), TEXT, writes=True) is True
    assert path.read_text(encoding="utf-8") == TEXT
    assert os.listdir(path.parent) == ["note.txt"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_owner_reads_it(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        remember(str(path), TEXT, writes=True)
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_an_open_file_is_closed_to_others_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")
    path.chmod(0o644)
    assert remember(str(path), TEXT, writes=True) is True
    assert (path.read_text(encoding="utf-8"), mode(path)) == (TEXT, 0o600)


@pytest.mark.parametrize("content", [TEXT, "", "no newline", "a\r\nb\r\n", "a\rb", "\ufeffmark"], ids=ascii)
def test_a_second_time_changes_nothing(path: Path, content: str) -> None:
    assert remember(str(path), content, writes=True) is True
    assert path.read_bytes() == content.encode()
    before = path.stat()
    assert remember(str(path), content, writes=True) is False
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_check_mode_writes_nothing(tmp_path: Path, path: Path) -> None:
    assert remember(str(path), TEXT, writes=False) is True
    assert os.listdir(tmp_path) == []
    remember(str(path), TEXT, writes=True)
    assert remember(str(path), TEXT, writes=False) is False
    assert remember(str(path), "new", writes=False) is True
    assert path.read_text(encoding="utf-8") == TEXT


class TestFailure:
    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_it_leaves_the_old_text_and_nothing_else(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        remember(str(path), "old", writes=True)

        def full(*_args: Any, **_more: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, step, full)
        with pytest.raises(OSError, match="No space left on device"):
            remember(str(path), TEXT, writes=True)
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_an_interrupt_leaves_the_old_text_and_nothing_else(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_file(str(path), "old")

        def interrupted(_handle: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_file(str(path), TEXT)
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_text_that_cannot_be_encoded(self, path: Path) -> None:
        remember(str(path), "old", writes=True)
        with pytest.raises((OSError, UnicodeError)):
            remember(str(path), "half a character: \ud800", writes=True)
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_folder_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "reports").write_text("not a folder")
        path = tmp_path / "reports" / "note.txt"
        with pytest.raises((OSError, UnicodeError)):
            remember(str(path), TEXT, writes=True)

    def test_a_file_that_is_a_folder(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises((OSError, UnicodeError)):
            remember(str(path), TEXT, writes=True)
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_file_that_is_not_ours(self, path: Path) -> None:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises((OSError, UnicodeError)):
            remember(str(path), TEXT, writes=True)
        assert path.read_bytes() == b"\xff\xfe\x00"
