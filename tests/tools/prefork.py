"""Run ansible-playbook in a fork of a process that has already imported Ansible.

Most of the CPU time of a test's run is the import of Ansible, boto3 and the collection's code, the compilation of the
role's templates, and the start of a Python for each module.
This file is both ends of a socket:

- As a command, it imports Ansible with the environment of a run, and then forks for each run with such an environment.
  The fork gets the run's environment, folder, umask and output, and calls the ``main`` of ansible-playbook.
- :func:`run` is the caller's end. It declines a run that a fork could change, and the caller starts the real command.

Why a fork behaves as the command does:

- Ansible reads its settings from the environment while it is imported. So each variable must have the value that it had
  then, except those that are read later (:data:`_READ_LATE`). ``ANSIBLE_HOME`` and the folder of
  ``ANSIBLE_INVENTORY``, where that is set, are different in each test. Both are links here, and each run points them at
  its own folders.
- No inventory and no playbook is loaded before the fork. Plugins are: Ansible's own and the collection's, which hold no
  state of a run. A playbook that has collections beside it may see other ones, and is refused.
- A log is opened by the import, and all runs with this setting append to it. Who wants another one empties the file.
- Output is a pipe and input is /dev/null, before and after the fork.
- What the import makes for one process is made again: the folder for temporary files, the seed of random numbers, and the
  session that has read the AWS profiles.
- Jinja's code of a template depends on its text and its environment's options, and a file's code on its source and its
  name. Each session compiles each template and each file of a collection anew (tests/tools/prefork_caches.py).
- What Ansible sends for a module depends on the module's source, not on its arguments. Each session packs each module anew.
  A module runs in a fork of a process that has not imported Ansible's controller (tests/tools/prefork_modules.py).
- When Python collects garbage, and how often Ansible looks for a task's result, decides nothing.

Tests that signal a process or look for its id start the real command. So do tests of other commands, and the first run
with each environment. ``CMK_PREFORK=0`` starts the real command for all.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import typing as t
from pathlib import Path

from tests.tools import prefork_modules
from tests.tools.prefork_caches import share
from tests.tools.standins import ROOT

# Read by the collection, boto3 and awx.awx during a run. No module reads them when it is imported here.
_READ_LATE: t.Final = ("AWS_", "CMK_", "CONTROLLER_", "PYTEST_")
# Different for each test, and therefore links.
_LINKED: t.Final = ("ANSIBLE_HOME", "ANSIBLE_INVENTORY")
# Few settings are used often, and each process takes 100 MB of memory.
_MOST: t.Final = 3
_PACKET: t.Final = 1 << 17
# New objects until the collector visits them; Python's own 700 take a tenth of a run's time.
_GARBAGE: t.Final = 100_000
_POLL: t.Final = 0.005  # seconds
# What every run imports, beside what these import themselves.
_IMPORTED: t.Final = (
    "ansible.cli.playbook",
    "ansible.executor.process.worker",
    "ansible.module_utils.urls",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.strategy.linear",
    "boto3.session",
    "statistics",
)
# Ansible's plugins and the collection's actions that the runs use.
_PLUGINS: t.Final = ("action", "become", "callback", "connection", "filter", "inventory", "shell", "test")
_ACTIONS: t.Final = ("byok_trust_statement", "kms_key_state", "report", "step")


class Server:
    """The caller's end of a process that waits to be forked."""

    def __init__(self, program: str, env: t.Mapping[str, str]) -> None:
        self.settings = _settings(env)
        self.lock = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="prefork-"))
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._point_links(env)
        for name in "templates", "modules":
            (self.folder / name).mkdir()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno()), program, str(self.folder / "templates")],
                env=self._env(env), cwd=ROOT, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        # What Ansible prints when it is imported would be missing from each run.
        ready = self._socket.recv(_PACKET)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self.is_usable = bool(ready) and not self._process.stdout.read()

    def _env(self, env: t.Mapping[str, str]) -> dict[str, str]:
        links = {"ANSIBLE_HOME": str(self.folder / "home")}
        if "ANSIBLE_INVENTORY" in env:
            links["ANSIBLE_INVENTORY"] = str(self.folder / "inventory" / Path(env["ANSIBLE_INVENTORY"]).name)
        return {**env, **links}

    def _point_links(self, env: t.Mapping[str, str]) -> None:
        Path(env["ANSIBLE_HOME"]).mkdir(mode=0o700, parents=True, exist_ok=True)
        links = {"home": Path(env["ANSIBLE_HOME"])}
        if "ANSIBLE_INVENTORY" in env:
            links["inventory"] = Path(env["ANSIBLE_INVENTORY"]).parent
        for name, target in links.items():
            (self.folder / name).unlink(missing_ok=True)
            (self.folder / name).symlink_to(target)

    def run(self, command: t.Sequence[str], cwd: Path, env: t.Mapping[str, str], timeout: float) -> tuple[int, str]:
        """Run a command whose settings are those of this process; return its exit code and its output."""
        self._point_links(env)
        request = {"command": list(command), "cwd": str(cwd), "env": self._env(env), "umask": _umask()}
        read, write = os.pipe()
        with open(read, encoding="utf-8", errors="strict") as output:
            try:
                socket.send_fds(self._socket, [json.dumps(request).encode()], [write])
            finally:
                os.close(write)
            pid = int(self._socket.recv(_PACKET))
            killer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
            killer.start()
            text = output.read()
            code = int(self._socket.recv(_PACKET))
            killer.cancel()
        if killer.finished.is_set() and code == -signal.SIGKILL:
            raise subprocess.TimeoutExpired(command, timeout, text)
        return code, text

    def close(self) -> None:
        """End the process."""
        self._socket.close()
        self._process.wait(timeout=20)
        assert self._process.stdout is not None
        self._process.stdout.close()


_servers: t.Final[list[Server]] = []
_seen: t.Final[list[dict[str, str]]] = []


def run(command: t.Sequence[str], cwd: Path, env: t.Mapping[str, str], timeout: float) -> tuple[int, str] | None:
    """Run ansible-playbook by a fork; None where only the real command is sure to be the same."""
    server = _find(command, cwd, env)
    if server is None or not server.is_usable or not server.lock.acquire(blocking=False):
        return None
    try:
        return server.run(command, cwd, env, timeout)
    finally:
        server.lock.release()


def _find(command: t.Sequence[str], cwd: Path, env: t.Mapping[str, str]) -> Server | None:
    program = shutil.which("ansible-playbook", path=env.get("PATH"))
    # Without it, the command names the inventory.
    inventory = Path(env.get("ANSIBLE_INVENTORY", __file__))
    if (
        os.environ.get("CMK_PREFORK") == "0"
        or command[0] != "ansible-playbook"
        or program != str(Path(sys.executable).parent / "ansible-playbook")
        or not inventory.is_file()
        or not inventory.is_absolute()
        or not Path(env.get("ANSIBLE_HOME", "")).is_absolute()
        # Without it, the folder says which settings are read.
        or not Path(env.get("ANSIBLE_CONFIG", "")).is_absolute()
    ):
        return None
    settings = _settings(env)
    for server in _servers:
        if server.settings == settings:
            return server
    # Settings of one test only are not worth a process.
    if settings not in _seen:
        _seen.append(settings)
        return None
    if len(_servers) == _MOST:
        return None
    if not _servers:
        atexit.register(close)
    _servers.append(Server(program, env))
    return _servers[-1]


def close() -> None:
    """End the processes that wait."""
    while _servers:
        _servers.pop().close()


def _settings(env: t.Mapping[str, str]) -> dict[str, str]:
    same = {name: value for name, value in env.items() if not name.startswith(_READ_LATE) and name not in _LINKED}
    return {**same, "ANSIBLE_INVENTORY": Path(env.get("ANSIBLE_INVENTORY", "")).name}


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


# The other end: the process that is forked.


def serve(connection: socket.socket, program: str, templates: Path) -> None:
    """Fork for each request; return in the fork, which is the run."""
    # Before Ansible is imported.
    modules_pid, modules = prefork_modules.start(connection)
    sys.argv = [program]
    sys.path[0] = str(Path(program).parent)
    for name in _IMPORTED:
        # Not every version of Ansible has each of them.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    _drop_local_folder()
    share(templates)
    _load_plugins()
    prefork_modules.share(modules)
    gc.collect()
    # Memory that the collector does not visit stays shared with the forks.
    gc.freeze()
    gc.set_threshold(_GARBAGE)
    # Ansible looks for a task's result each millisecond.
    vars(sys.modules["ansible.constants"])["DEFAULT_INTERNAL_POLL_INTERVAL"] = _POLL
    connection.send(b"ready")
    while True:
        message, files, _flags, _address = socket.recv_fds(connection, _PACKET, 1)
        if not message:
            # The caller has ended, in whatever way.
            os.kill(modules_pid, signal.SIGKILL)
            os.waitpid(modules_pid, 0)
            shutil.rmtree(templates.parent, ignore_errors=True)
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become(json.loads(message), files[0], templates.parent / "modules")
            return
        os.close(files[0])
        connection.send(str(pid).encode())
        _pid, status = os.waitpid(pid, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _load_plugins() -> None:
    loaders = sys.modules["ansible.plugins.loader"]
    for kind in _PLUGINS:
        list(getattr(loaders, f"{kind}_loader").all(class_only=True))
    # Ansible sets the import of collections up once in a process.
    loaders.init_plugin_loader()
    vars(sys.modules["ansible.cli"])["init_plugin_loader"] = lambda _paths: None
    for name in _ACTIONS:
        # Not every environment has the collection.
        with contextlib.suppress(ImportError):
            importlib.import_module(f"ansible_collections.keyops.atlassian_cmk.plugins.action.{name}")
    finder = sys.modules["ansible.utils.collection_loader._collection_finder"]._AnsibleCollectionFinder
    set_paths = finder.set_playbook_paths

    def set_playbook_paths(self: object, folders: t.Sequence[bytes]) -> None:
        for folder in folders:
            beside = Path(os.fsdecode(folder)) / "collections"
            assert not beside.exists(), f"{beside} may hold another copy of the collection: set CMK_PREFORK=0"
        set_paths(self, folders)

    finder.set_playbook_paths = set_playbook_paths


def _become(request: dict[str, t.Any], output: int, modules: Path) -> None:
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(request["env"])
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    sys.argv[1:] = request["command"][1:]
    random.seed()
    _open_session_again()
    constants = sys.modules["ansible.constants"]
    value = constants.config.get_config_value("DEFAULT_LOCAL_TMP", variables=vars(constants))
    vars(constants)["DEFAULT_LOCAL_TMP"] = value
    # Ansible removes this link with the folder, and what it leads to stays for the next run.
    (Path(value) / "ansiballz_cache").symlink_to(modules)


def _open_session_again() -> None:
    """Let the profiles be read with the environment of this run: the collection reads them when it is imported."""
    credentials = sys.modules.get("ansible_collections.keyops.atlassian_cmk.plugins.module_utils._credentials")
    if credentials:
        credentials._opened.clear()
        with contextlib.suppress(Exception):
            credentials.open_before()


def _drop_local_folder() -> None:
    """Drop the folder that the import made: it is named after the process, which removes it when it ends."""
    clean_up = sys.modules["ansible.utils.path"].cleanup_tmp_file
    atexit.unregister(clean_up)
    clean_up(sys.modules["ansible.constants"].DEFAULT_LOCAL_TMP)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], Path(sys.argv[3]))
    from ansible.cli.playbook import main

    try:
        main()
    except SystemExit as ended:
        # To destroy each object, as Python does at its end, would copy the memory that is shared: a tenth of a short run.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ended.code or 0))
