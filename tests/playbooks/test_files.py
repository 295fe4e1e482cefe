"""Files on the controller: private, never written through a symbolic link, and never a reason to leave a key disabled."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify
from tests.playbooks.conftest import World

ORG = ("-e", "org=acme")
WARNING = "ANSIBLE_KEEP_REMOTE_FILES is set, so Ansible leaves the support desk's token in files"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def on_one_line(output: str) -> str:
    """Ansible wraps a warning at the width of the terminal."""
    return " ".join(output.split())


def test_everything_is_private_whatever_the_umask(world: World) -> None:
    world.keys("Disabled", "Disabled")
    before = os.umask(0)
    try:
        ran = world.run(*ORG)
    finally:
        os.umask(before)
    assert ran.code == 0, ran.output
    left = [world.folder / "reports", *(world.folder / "reports").rglob("*")]
    assert {mode(path) for path in left if path.is_dir()} == {0o700}
    assert {mode(path) for path in left if path.is_file()} == {0o600}
    assert len([path for path in left if path.is_file()]) > 3


def test_a_file_behind_a_symbolic_link_stays_as_it_is(world: World) -> None:
    world.keys("Disabled", "Disabled")
    victim = world.folder / "victim"
    victim.write_text("precious")
    folder = world.folder / "reports" / "acme"
    folder.mkdir(parents=True)
    for name in ("lock.json", "restoration.json"):
        (folder / name).symlink_to(victim)
    ran = world.run(*ORG)
    assert "is a symbolic link, and this collection follows none" in on_one_line(ran.output)
    assert victim.read_text() == "precious"
    assert "Traceback" not in ran.output


def test_nothing_is_written_into_a_folder_behind_a_symbolic_link(world: World) -> None:
    world.keys("Disabled", "Disabled")
    (world.folder / "elsewhere").mkdir()
    (world.folder / "reports").mkdir()
    (world.folder / "reports" / "acme").symlink_to(world.folder / "elsewhere")
    assert "is a symbolic link" in world.run(*ORG).output
    assert os.listdir(world.folder / "elsewhere") == []


def test_a_lock_that_another_run_holds_leaves_no_key_disabled(world: World) -> None:
    world.keys("Disabled", "Disabled")
    lock = world.folder / "reports" / "acme" / "lock.json"
    acquire(str(lock), identify("acme", clock(), os.getpid()))
    before = lock.read_bytes()
    world.run(*ORG)
    assert world.states() == ["Enabled", "Enabled"]
    assert lock.read_bytes() == before


def test_a_token_that_ansible_keeps_on_disk_is_warned_of_once(world: World) -> None:
    world.keys("Disabled", "Disabled")
    keeps = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TEMP": str(world.folder / "remote")}
    ran = world.run(*ORG, env=keeps)
    assert ran.code == 0, ran.output
    assert on_one_line(ran.output).count(WARNING) == 1
    without = world.run(*ORG, env={**keeps, "CMK_SUPPORT_TOKEN": "", "CMK_SUPPORT_URL": ""})
    assert WARNING not in on_one_line(without.output)
    assert WARNING not in on_one_line(world.run(*ORG).output)
