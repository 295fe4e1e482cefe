"""A run in a fork behaves as the real command does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.conftest import Run, World, run_to_end
from tests.tools import prefork

_PLAY: t.Final = """
- hosts: acme
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - ansible.builtin.debug:
        msg: >-
          {{ ansible_playbook_python }} {{ playbook_dir }} {{ lookup('env', 'CMK_WORD') }} {{ word | default('none') }}
          {{ lookup('env', 'PWD') }} {{ lookup('pipe', 'umask; pwd; readlink /proc/self/fd/0 | tr -d 0-9') }} {{ from_group }}
    - ansible.builtin.shell: umask; pwd; printenv CMK_WORD; cat; exit 3
      register: module
      ignore_errors: true
    - ansible.builtin.debug:
        var: module.stdout_lines
    - ansible.builtin.file:
        path: /nowhere/at/all
        state: touch
      ignore_errors: true
    - ansible.builtin.fail:
      when: word is defined
"""


@pytest.fixture(scope="module", autouse=True)
def _servers() -> Iterator[None]:
    """Processes of these tests only; to start one takes two seconds, so that they share it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefork, "_servers", [])
        patch.setattr(prefork, "_seen", [])
        patch.delenv("CMK_PREFORK", raising=False)
        yield
        prefork.close()


def _command(world: World, *arguments: str, word: str = "") -> tuple[list[str], Path, dict[str, str]]:
    (world.folder / "play.yml").write_text(_PLAY)
    (world.folder / "group_vars").mkdir(exist_ok=True)
    (world.folder / "group_vars/all.yml").write_text(f"from_group: beside {world.folder.name}")
    return world.command(*arguments, playbook="play.yml", cwd=world.folder, env={"CMK_WORD": word})


def _fork(command: list[str], cwd: Path, env: dict[str, str]) -> Run:
    # The first run with these settings starts the command.
    prefork._find(command, cwd, env)
    forked = prefork.run(command, cwd, env, 60)
    assert forked is not None
    return Run(*forked)


def _real(command: list[str], cwd: Path, env: dict[str, str]) -> Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CMK_PREFORK", "0")
        return run_to_end(command, cwd, env)


def _stable(output: str) -> str:
    return re.sub(r"\d+:\d\d:\d\d[.\d]*", "", output)


@pytest.mark.parametrize("arguments", [(), ("-e", "word=typed"), ("-v",), ("--no-such-option",)], ids=str)
def test_the_output_and_the_end_are_those_of_the_command(world: World, arguments: tuple[str, ...]) -> None:
    command = _command(world, *arguments, word="first")
    before = os.umask(0o027)
    try:
        forked, real = _fork(*command), _real(*command)
    finally:
        os.umask(before)
    assert _stable(forked.output) == _stable(real.output)
    assert forked.code == real.code
    assert ("beside" in forked.output) == (arguments != ("--no-such-option",))


def test_each_run_has_its_own_environment_and_folders(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert " first none" in _fork(*_command(world, word="first")).output
    elsewhere = World(world.aws, world.desk, tmp_path_factory.mktemp("elsewhere"))
    forked = _fork(*_command(elsewhere, word="second"))
    assert " second none" in forked.output
    assert f"beside {elsewhere.folder.name}" in forked.output
    # The folder for temporary files was made there, and removed.
    assert [list(path.iterdir()) for path in (elsewhere.folder / "ansible/tmp", world.folder / "ansible/tmp")] == [
        [],
        [],
    ]


@pytest.mark.parametrize(
    "setting",
    [
        {"ANSIBLE_FORKS": "3"},
        {"HOME": "/nowhere"},
        {"PYTHONPATH": "/nowhere"},
        {"ANSIBLE_LOG_PATH": "/dev/null"},
        {"ANSIBLE_CONFIG": "none.cfg"},
        {"ANSIBLE_HOME": "~/home"},
        {"ANSIBLE_INVENTORY": "acme,"},
        {"PATH": "/usr/bin"},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_other_settings_need_the_command(world: World, setting: dict[str, str]) -> None:
    command, cwd, env = _command(world)
    prefork._find(command, cwd, env)
    assert prefork._find(command, cwd, env) is not None
    assert prefork._find(command, cwd, {**env, **setting}) is None


def test_other_commands_are_not_forked(world: World) -> None:
    _command_line, cwd, env = _command(world)
    for name in ("ansible", "bash", "/usr/bin/ansible-playbook"):
        assert [prefork._find([name], cwd, env) for _turn in range(2)] == [None, None]


def test_a_run_that_takes_too_long_is_ended(world: World) -> None:
    command, cwd, env = _command(world)
    (world.folder / "play.yml").write_text(json.dumps([{"hosts": "acme", "tasks": [{"pause": {"seconds": 60}}]}]))
    prefork._find(command, cwd, env)
    with pytest.raises(subprocess.TimeoutExpired):
        prefork.run(command, cwd, env, 3)


def test_the_first_run_with_new_settings_starts_the_command(world: World) -> None:
    command, cwd, env = _command(world)
    assert prefork._find(command, cwd, {**env, "ANSIBLE_TIMEOUT": "7"}) is None


def test_a_module_is_a_fork_too(world: World) -> None:
    command, cwd, env = _command(world)
    shown = "tr '\\0' ' ' < /proc/$PPID/cmdline"
    play = {"hosts": "acme", "gather_facts": False, "tasks": [{"ansible.builtin.shell": shown}]}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (world.folder / "play.yml").write_text(json.dumps([play]))
    command.append("-v")
    forked, real = _fork(command, cwd, env), _real(command, cwd, env)
    assert [ran.code for ran in (forked, real)] == [0, 0]
    assert "-m tests.tools.prefork" in forked.output
    assert "-m tests.tools.prefork" not in real.output


def test_a_playbook_beside_collections_is_refused(world: World) -> None:
    """They may hold another copy of the collection than the one that was loaded."""
    command, cwd, env = _command(world)
    (world.folder / "collections").mkdir()
    forked = _fork(command, cwd, env)
    assert forked.code != 0
    assert "set CMK_PREFORK=0" in forked.output


def test_nothing_is_left_of_it(world: World) -> None:
    _fork(*_command(world))
    server = prefork._servers[0]
    prefork.close()
    assert server._process.returncode == 0
    assert not server.folder.exists()
