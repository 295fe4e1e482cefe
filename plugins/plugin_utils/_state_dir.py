# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller: private to the user, written atomically, and never reached through a symbolic link.

Every path is walked from ``/`` with O_NOFOLLOW, so that no other user can lead a write elsewhere: the settings resolve
``cmk_report_dir`` once, and after that no level of a path may be a symbolic link. A file must be a regular file of the
effective user. Its folder and the folder above must belong to the effective user or to root; higher levels are the
operator's choice. Of a file in the reports folder itself (``is_top``), so is the folder above.

All functions raise OSError if a file cannot be read or written or is unsafe (:class:`UnsafePathError`), and UnicodeError if
its text is not UTF-8.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
import typing as t

MAX_BYTES: t.Final = 1024 * 1024

# Seconds. Many runs may wait for a folder at the same time, each for as long as the others take to write a file.
_PATIENCE: t.Final = 10.0
_TURN_DELAY: t.Final = 0.05
# O_PATH needs no read permission on the levels above ours. It does not exist on macOS.
_READ: t.Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SEARCH: t.Final = _READ | getattr(os, "O_PATH", os.O_RDONLY)

Hold: t.TypeAlias = t.Callable[[str, int, int], int]  # opens a name in a folder, until the walk's result is closed


class UnsafePathError(OSError):
    """A path that another user could have prepared, or that is not what it should be."""


def read_file(path: str, *, is_top: bool = False) -> str | None:
    """Return the file's text; None if the file or its folder does not exist."""
    try:
        with open_file(path, os.O_RDONLY, is_top=is_top) as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MAX_BYTES:
        raise UnsafePathError(f"{path} is larger than {MAX_BYTES} bytes, so this collection did not write it")
    return data.decode("utf-8")


def write_file(path: str, text: str, *, is_top: bool = False, mode: int = 0o600) -> None:
    """Write the file so that a crash at any moment leaves the old or the new text, never a part; only its owner reads it."""
    data = text.encode("utf-8")
    folder, name = os.path.split(os.path.abspath(path))
    with _opened(folder, creates=True, is_top=is_top) as parent:
        with contextlib.suppress(FileNotFoundError):
            _check(os.stat(name, dir_fd=parent, follow_symlinks=False), path, is_folder=False)
        _replace(parent, name, data, mode)


def remember(path: str, text: str) -> None:
    """Write a text unless the file holds it already."""
    if read_file(path) != text:
        write_file(path, text)


def rewrite_public_file(path: str, rewrite: t.Callable[[str], str]) -> None:
    """Rewrite a file that every user may read, in a folder that exists; one run at a time, so that no run's text is lost.

    :param rewrite: takes the file's text (empty if there is no file) and returns the new one
    """
    folder = os.path.dirname(path)
    with _opened(folder, creates=False, is_top=True) as handle:
        take_turn(handle, folder, _PATIENCE)
        write_file(path, rewrite(read_file(path, is_top=True) or ""), is_top=True, mode=0o644)


def take_turn(handle: t.BinaryIO | int, path: str, patience: float) -> None:
    """Lock an open file or folder until it is closed, against other processes that do the same."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                message = "Another process is changing it and does not finish"
                raise TimeoutError(errno.ETIMEDOUT, message, path) from None
        time.sleep(_TURN_DELAY)


@contextlib.contextmanager
def open_file(path: str, flags: int, *, is_top: bool = False) -> t.Iterator[t.BinaryIO]:
    """Open a file in place.

    :param flags: ``os.O_RDONLY`` or ``os.O_RDWR``, with ``os.O_CREAT`` to create it and the folders above it
    """
    folder, name = os.path.split(os.path.abspath(path))
    with contextlib.ExitStack() as stack:
        parent = stack.enter_context(_opened(folder, creates=bool(flags & os.O_CREAT), is_top=is_top))

        def opener(_path: str, _flags: int) -> int:
            # O_NONBLOCK: opening a pipe must not wait for its other end.
            return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=parent)

        try:
            file = stack.enter_context(open(path, "r+b" if flags & os.O_RDWR else "rb", opener=opener))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                _check(os.stat(name, dir_fd=parent, follow_symlinks=False), path, is_folder=False)
            raise
        _check(os.fstat(file.fileno()), path, is_folder=False)
        yield file


def _replace(parent: int, name: str, data: bytes, mode: int) -> None:
    temporary = f".{secrets.token_hex(8)}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o600, dir_fd=parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)
    _sync(parent)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some file systems cannot do this for a folder; the new text is in place all the same.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextlib.contextmanager
def _opened(folder: str, *, creates: bool, is_top: bool) -> t.Iterator[int]:
    """Walk to a folder from ``/``, without following a symbolic link."""
    names = [name for name in folder.split(os.sep) if name]
    trusted = 1 if is_top else 2
    with contextlib.ExitStack() as stack:

        def hold(name: str, flags: int, parent: int | None = None) -> int:
            handle = os.open(name, flags, dir_fd=parent)
            stack.callback(os.close, handle)
            return handle

        handle, path = hold(os.sep, _SEARCH), ""
        for index, name in enumerate(names, start=1):
            path = f"{path}/{name}"
            handle = _enter(hold, handle, name, path, creates=creates, flags=_READ if index == len(names) else _SEARCH)
            if index > len(names) - trusted:
                _check(os.fstat(handle), path, is_folder=True)
        yield handle


def _enter(hold: Hold, parent: int, name: str, path: str, *, creates: bool, flags: int) -> int:
    try:
        return hold(name, flags, parent)
    except FileNotFoundError:
        if not creates:
            raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            _check(os.stat(name, dir_fd=parent, follow_symlinks=False), path, is_folder=True)
        raise
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        # Another process was quicker, so this level is not ours to change.
        return hold(name, flags, parent)
    handle = hold(name, _READ, parent)
    # The umask may have taken the owner's own rights away.
    os.fchmod(handle, 0o700)
    # The new level must outlast a crash. Its parent was opened with O_PATH, which cannot be flushed.
    with contextlib.suppress(PermissionError):
        _sync(hold(".", os.O_RDONLY, parent))
    return handle


def _check(status: os.stat_result, path: str, *, is_folder: bool) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise UnsafePathError(f"{path} is a symbolic link, and this collection follows none")
    is_kind, kind = (stat.S_ISDIR, "folder") if is_folder else (stat.S_ISREG, "regular file")
    if not is_kind(status.st_mode):
        raise UnsafePathError(f"{path} is not a {kind}")
    # Root can do everything anyway, and the folders of a container's volume often belong to root.
    if status.st_uid != os.geteuid() and not (is_folder and status.st_uid == 0):
        raise UnsafePathError(f"{path} belongs to another user (id {status.st_uid})")
