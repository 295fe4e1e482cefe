# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible.plugins.action import ActionBase

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True},
}


def read(path: str) -> str | None:
    """Return the file's text, or None if there is no such file."""
    try:
        # Line ends are part of the text: turned into \n, a text with \r\n would never equal itself.
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def replace(path: str, content: str) -> None:
    """Write the file so that a crash at any moment leaves the old or the new text, never a part; only its owner reads it."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def unwritable(path: str, error: Exception) -> str:
    """Say that a file cannot be written, and what to do."""
    return f"{path} cannot be written: {error}. Choose another folder with cmk_report_dir, and run again."


def remember(path: str, text: str, *, writes: bool) -> bool:
    """Keep a text; return whether it is news."""
    changed = read(path) != text
    if changed and writes:
        replace(path, text)
    return changed


class ActionModule(ActionBase):
    """Keep a text in a file on the controller, without a module process."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        path, content = args["path"], args["content"]
        try:
            before = read(path)
            if before != content and not self._task.check_mode:
                replace(path, content)
        except (OSError, UnicodeError) as error:
            return {**result, "failed": True, "msg": unwritable(path, error)}
        result |= {"changed": before != content, "path": path}
        if self._task.diff:
            result["diff"] = {"before": before or "", "after": content, "before_header": path, "after_header": path}
        return result
