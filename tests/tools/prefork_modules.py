"""Run Ansible's modules in forks of a process that has imported what each of them imports.

Ansible starts a Python for each module, and gives it the module as a program on its input. That Python needs a third of a
second to import ``ansible.module_utils``. A fork of a process that has them runs the same program with the same
environment, folder, umask and output. It is no fork of Ansible itself, in which ``ansible.module_utils`` behave
differently.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import typing as t
from types import SimpleNamespace

_PACKET: t.Final = 1 << 17
_IMPORTED: t.Final = (
    "ansible.module_utils._internal._ansiballz._loader",
    "ansible.module_utils.basic",
    "ansible.module_utils.urls",
)


def start(caller: socket.socket) -> tuple[int, socket.socket]:
    """Start the process; return its id, and the socket that takes requests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        # Only Ansible's process may hold this open: its end is how the caller notices that it has ended.
        caller.close()
        ours.close()
        _serve(theirs)
    theirs.close()
    return pid, ours


def share(connection: socket.socket) -> None:
    """Let the local connection of Ansible run modules there, and start every other command as before."""
    # As Ansible's ``pipelining`` writes it: the module comes on the input.
    module = f"/bin/sh -c '{sys.executable} && sleep 0'"

    def start_process(command: str, cwd: bytes | None, **more: t.Any) -> _Module | subprocess.Popen[bytes]:
        return _Module(connection, cwd) if command == module else subprocess.Popen(command, cwd=cwd, **more)

    local = sys.modules["ansible.plugins.connection.local"]
    vars(local)["subprocess"] = SimpleNamespace(Popen=start_process, PIPE=subprocess.PIPE)


class _Module:
    """What the local connection uses of ``subprocess.Popen``."""

    def __init__(self, connection: socket.socket, cwd: bytes | None) -> None:
        self._connection = connection
        self._cwd = os.fsdecode(cwd) if cwd else os.getcwd()
        self.returncode = 0

    def communicate(self, program: bytes) -> tuple[bytes, bytes]:
        """Run the module; return its output and its errors."""
        umask = os.umask(0o077)
        os.umask(umask)
        request = json.dumps({"cwd": self._cwd, "env": dict(os.environ), "umask": umask})
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(program)
            given.seek(0)
            with theirs:
                files = [theirs.fileno(), given.fileno(), out.fileno(), err.fileno()]
                socket.send_fds(self._connection, [request.encode()], files)
            self.returncode = int(ours.recv(_PACKET))
            out.seek(0)
            err.seek(0)
            return out.read(), err.read()


def _serve(connection: socket.socket) -> t.NoReturn:
    """Fork for each request, until Ansible's process and its runs have ended."""
    for name in _IMPORTED:
        # Not every version of Ansible has each of them.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    while True:
        message, files, _flags, _address = socket.recv_fds(connection, _PACKET, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            connection.close()
            _run(json.loads(message), *files)
        for file in files:
            os.close(file)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def _run(request: dict[str, t.Any], answer: int, *files: int) -> t.NoReturn:
    """Run one module in a process of its own, and answer with its exit code."""
    pid = os.fork()
    if pid:
        _pid, status = os.waitpid(pid, 0)
        os.write(answer, str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    os.close(answer)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["env"])
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    sys.argv[:] = [""]
    # As in a Python that reads its program from its input.
    sys.path[0] = ""
    main = sys.modules["__main__"]
    del main.__file__
    exec(compile(sys.stdin.buffer.read(), "<stdin>", "exec"), {"__name__": "__main__"})
    sys.exit()
