"""Action controller_file: the old text or the new one, never a part, and nobody else reads it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.keyops.atlassian_cmk.plugins.action import controller_file
from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_file import ActionModule

from .conftest import RunAction

TEXT = "Both keys were enabled.\nÄ, 鍵\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports" / "acme" / "note.txt"


def test_a_new_file(run_action: RunAction, path: Path) -> None:
    assert run_action(ActionModule, path=str(path), content=TEXT) == {"changed": True, "path": str(path)}
    assert path.read_text(encoding="utf-8") == TEXT
    assert os.listdir(path.parent) == ["note.txt"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_owner_reads_it(run_action: RunAction, path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        run_action(ActionModule, path=str(path), content=TEXT)
    finally:
        os.umask(before)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_an_open_file_is_closed_to_others_when_it_is_replaced(run_action: RunAction, tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("old")
    path.chmod(0o644)
    assert run_action(ActionModule, path=str(path), content=TEXT)["changed"] is True
    assert (path.read_text(encoding="utf-8"), mode(path)) == (TEXT, 0o600)


@pytest.mark.parametrize("content", [TEXT, "", "no newline", "a\r\nb\r\n", "a\rb", "\ufeffmark"], ids=ascii)
def test_a_second_time_changes_nothing(run_action: RunAction, path: Path, content: str) -> None:
    assert run_action(ActionModule, path=str(path), content=content)["changed"] is True
    assert path.read_bytes() == content.encode()
    before = path.stat()
    assert run_action(ActionModule, path=str(path), content=content)["changed"] is False
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_check_mode_writes_nothing(run_action: RunAction, tmp_path: Path, path: Path) -> None:
    assert run_action(ActionModule, check=True, path=str(path), content=TEXT)["changed"] is True
    assert os.listdir(tmp_path) == []
    run_action(ActionModule, path=str(path), content=TEXT)
    assert run_action(ActionModule, check=True, path=str(path), content=TEXT)["changed"] is False
    assert run_action(ActionModule, check=True, path=str(path), content="new")["changed"] is True
    assert path.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_diff(run_action: RunAction, path: Path, check: bool) -> None:
    expected = {"before": "", "after": TEXT, "before_header": str(path), "after_header": str(path)}
    assert run_action(ActionModule, check=check, diff=True, path=str(path), content=TEXT)["diff"] == expected
    run_action(ActionModule, path=str(path), content=TEXT)
    changed = run_action(ActionModule, check=check, diff=True, path=str(path), content="new")["diff"]
    assert changed == expected | {"before": TEXT, "after": "new"}


class TestFailure:
    def check(self, result: dict[str, Any], path: Path) -> None:
        assert result["failed"] is True
        assert result["msg"].startswith(f"{path} cannot be written: ")
        assert result["msg"].endswith(". Choose another folder with cmk_report_dir, and run again.")
        assert "changed" not in result

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_it_leaves_the_old_text_and_nothing_else(
        self, run_action: RunAction, path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        run_action(ActionModule, path=str(path), content="old")

        def full(*_args: Any, **_more: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, step, full)
        result = run_action(ActionModule, path=str(path), content=TEXT)
        self.check(result, path)
        assert "No space left on device" in result["msg"]
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_an_interrupt_leaves_the_old_text_and_nothing_else(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        controller_file.replace(str(path), "old")

        def interrupted(_handle: int) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            controller_file.replace(str(path), TEXT)
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_text_that_cannot_be_encoded(self, run_action: RunAction, path: Path) -> None:
        run_action(ActionModule, path=str(path), content="old")
        self.check(run_action(ActionModule, path=str(path), content="half a character: \ud800"), path)
        assert path.read_text(encoding="utf-8") == "old"
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_folder_that_is_a_file(self, run_action: RunAction, tmp_path: Path) -> None:
        (tmp_path / "reports").write_text("not a folder")
        path = tmp_path / "reports" / "note.txt"
        self.check(run_action(ActionModule, path=str(path), content=TEXT), path)

    def test_a_file_that_is_a_folder(self, run_action: RunAction, path: Path) -> None:
        path.mkdir(parents=True)
        self.check(run_action(ActionModule, path=str(path), content=TEXT), path)
        assert os.listdir(path.parent) == ["note.txt"]

    def test_a_file_that_is_not_ours(self, run_action: RunAction, path: Path) -> None:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"\xff\xfe\x00")
        self.check(run_action(ActionModule, path=str(path), content=TEXT), path)
        assert path.read_bytes() == b"\xff\xfe\x00"


@pytest.mark.parametrize(
    "args", [{"path": "/nowhere"}, {"content": "x"}, {"path": "/nowhere", "content": "x", "mode": "0644"}], ids=str
)
def test_wrong_options(run_action: RunAction, args: dict[str, str]) -> None:
    with pytest.raises(AnsibleActionFail):
        run_action(ActionModule, **args)
