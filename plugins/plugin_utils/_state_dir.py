# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller: private to the user, written atomically, and never reached through a symbolic link.

Every path is walked from ``/`` with O_NOFOLLOW, so that no other user can lead a write elsewhere: the settings resolve
``cmk_report_dir`` once, and after that no level of a path may be a symbolic link. A file must be a regular file of the
effective user. Its folder and the folder above must belong to the effective user or to root; higher levels are the
operator's choice.
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

_TRUSTED_LEVELS: t.Final = 2
# Seconds. Many runs may wait for a folder at the same time, each for as long as the others take to write a file.
_PATIENCE: t.Final = 10.0
_TURN_DELAY: t.Final = 0.05
# O_PATH needs no read permission on the levels above ours. It does not exist on macOS.
_FOLDER: t.Final = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SEARCH: t.Final = _FOLDER | getattr(os, "O_PATH", os.O_RDONLY)


class UnsafePathError(OSError):
    """A path that another user could have prepared, or that is not what it should be."""


def read_file(path: str) -> str | None:
    """Return the file's text; None if the file or its folder does not exist.

    :raises OSError: if the file cannot be read, or is unsafe (:class:`UnsafePathError`)
    :raises UnicodeError: if the file is not UTF-8
    """
    try:
        with open_file(path, os.O_RDONLY) as file:
            return _read_text(file, path)
    except FileNotFoundError:
        return None


def _read_text(file: t.BinaryIO, path: str) -> str:
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnsafePathError(f"{path} is larger than {MAX_BYTES} bytes, so this collection did not write it")
    return data.decode("utf-8")


def write_file(path: str, text: str, *, is_top: bool = False) -> None:
    """Write the file so that a crash at any moment leaves the old or the new text, never a part; only its owner reads it.

    :param is_top: the file lies in the reports folder itself, so the folder above is not ours to check
    :raises OSError: if the file cannot be written, or is unsafe (:class:`UnsafePathError`)
    :raises UnicodeError: if the text cannot be encoded
    """
    data = text.encode("utf-8")
    folder, name = os.path.split(os.path.abspath(path))
    with _opened(folder, creates=True, trusted=1 if is_top else _TRUSTED_LEVELS) as parent:
        with contextlib.suppress(FileNotFoundError):
            _check(os.stat(name, dir_fd=parent, follow_symlinks=False), path, is_folder=False)
        _replace(parent, name, data)


def remember(path: str, text: str) -> None:
    """Write a text unless the file holds it already. Raises as :func:`read_file` and :func:`write_file` do."""
    if read_file(path) != text:
        write_file(path, text)


def rewrite_public_file(path: str, rewrite: t.Callable[[str], str]) -> None:
    """Rewrite a file that every user may read, in a folder that exists; one run at a time, so that no run's text is lost.

    :param rewrite: takes the file's text (empty if there is no file) and returns the new one
    :raises OSError: if the file cannot be written, or is unsafe (:class:`UnsafePathError`)
    :raises UnicodeError: if the file is not UTF-8
    """
    folder, name = os.path.split(path)
    with _opened(folder, creates=False, trusted=1) as parent:
        take_turn(parent, folder, _PATIENCE)
        try:
            with _opened_file(parent, name, path, os.O_RDONLY) as file:
                text = _read_text(file, path)
        except FileNotFoundError:
            text = ""
        _replace(parent, name, rewrite(text).encode("utf-8"), mode=0o644)


def take_turn(handle: t.BinaryIO | int, path: str, patience: float) -> None:
    """Lock an open file or folder until it is closed, against other processes that do the same."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(
                    errno.ETIMEDOUT, "Another process is changing it and does not finish", path
                ) from None
        time.sleep(_TURN_DELAY)


@contextlib.contextmanager
def open_file(path: str, flags: int) -> t.Iterator[t.BinaryIO]:
    """Open a file of the user's own in place, without following a symbolic link.

    :param flags: ``os.O_RDONLY`` or ``os.O_RDWR``, with ``os.O_CREAT`` to create it and the folders above it
    """
    folder, name = os.path.split(os.path.abspath(path))
    with (
        _opened(folder, creates=bool(flags & os.O_CREAT), trusted=_TRUSTED_LEVELS) as parent,
        _opened_file(parent, name, path, flags) as file,
    ):
        yield file


@contextlib.contextmanager
def _opened_file(parent: int, name: str, path: str, flags: int) -> t.Iterator[t.BinaryIO]:
    def opener(_path: str, _flags: int) -> int:
        # O_NONBLOCK: opening a pipe must not wait for its other end.
        return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=parent)

    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "r+b" if flags & os.O_RDWR else "rb", opener=opener))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
                _check(os.stat(name, dir_fd=parent, follow_symlinks=False), path, is_folder=False)
            raise
        _check(os.fstat(file.fileno()), path, is_folder=False)
        yield file


def _replace(parent: int, name: str, data: bytes, mode: int = 0o600) -> None:
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
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)
        raise
    _sync(parent)


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some file systems cannot do this for a folder; the new text is in place all the same.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


@contextlib.contextmanager
def _opened(folder: str, *, creates: bool, trusted: int) -> t.Iterator[int]:
    """Walk to a folder from ``/``, without following a symbolic link; the last ``trusted`` levels are checked."""
    names = [name for name in folder.split(os.sep) if name]
    handle, path = os.open(os.sep, _SEARCH), ""
    try:
        for index, name in enumerate(names, start=1):
            path = f"{path}/{name}"
            is_last = index == len(names)
            inner = _enter(handle, name, path, creates=creates, flags=_FOLDER | os.O_RDONLY if is_last else _SEARCH)
            os.close(handle)
            handle = inner
            if index > len(names) - trusted:
                _check(os.fstat(handle), path, is_folder=True)
        yield handle
    finally:
        os.close(handle)


def _enter(parent: int, name: str, path: str, *, creates: bool, flags: int) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
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
        return _enter(parent, name, path, creates=False, flags=flags)
    handle = os.open(name, _FOLDER | os.O_RDONLY, dir_fd=parent)
    try:
        # The umask may have taken the owner's own rights away.
        os.fchmod(handle, 0o700)
        _sync_new_level(parent)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _sync_new_level(parent: int) -> None:
    """Make a new level outlast a crash, where its parent may be read: the walk has opened that with O_PATH."""
    with contextlib.suppress(PermissionError):
        handle = os.open(".", os.O_RDONLY, dir_fd=parent)
        try:
            _sync(handle)
        finally:
            os.close(handle)


def _check(status: os.stat_result, path: str, *, is_folder: bool) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise UnsafePathError(f"{path} is a symbolic link, and this collection follows none")
    is_kind, kind = (stat.S_ISDIR, "folder") if is_folder else (stat.S_ISREG, "regular file")
    if not is_kind(status.st_mode):
        raise UnsafePathError(f"{path} is not a {kind}")
    # Root can do everything anyway, and the folders of a container's volume often belong to root.
    if status.st_uid != os.geteuid() and not (is_folder and status.st_uid == 0):
        raise UnsafePathError(f"{path} belongs to another user (id {status.st_uid})")
