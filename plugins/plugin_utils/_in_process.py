# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Modules that run inside Ansible's own process for the task, where that is the same as a process of their own.

A module process spends a second of CPU on starting Python and importing boto3, for a call of some milliseconds. Ansible
imports an action plugin in its main process, before it forks the process for a task: what is imported and read by then
costs nothing more, for any number of hosts.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._kept import Kept
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._plain import mask, to_plain

# An import that fails here would end Ansible itself with a traceback.
try:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

    from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._modules import keep_credentials_in, warm
except ImportError:
    _HAS_AMAZON_AWS = False
else:
    _HAS_AMAZON_AWS = True

# Without boto3 here, the module runs in its own process and reports what is missing.
_HAS_BOTO3: t.Final = _HAS_AMAZON_AWS and "boto3" in sys.modules
# AWS's descriptions of the services may be unreadable here; then the module itself tells why.
if _HAS_BOTO3:
    with contextlib.suppress(Exception):
        warm()
    # Without memory to share, each module assumes a role for itself.
    with contextlib.suppress(OSError):
        keep_credentials_in(Kept())
    # What is here stays: no process of a task needs to look through it, which would copy the memory it shares.
    gc.collect()
    gc.freeze()


def load_main(module: str) -> t.Any:
    """Return the ``main`` of a module of this collection; None without amazon.aws, which it imports."""
    if not _HAS_AMAZON_AWS:
        return None
    return staticmethod(
        importlib.import_module(f"ansible_collections.keyops.atlassian_cmk.plugins.modules.{module}").main
    )


class _EndedError(SystemExit):
    """The module's end, and its result. Modules expect that nothing goes on after it, whatever they catch."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(int(bool(result.get("failed"))))
        self.result = result


def run_here(main: t.Callable[[], None], args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Run the ``main`` of a module made of an AnsibleAWSModule in this process; return its result.

    :param args: the module's arguments, and Ansible's own (``_ansible_check_mode``)
    """

    class Here(AnsibleModule):  # type: ignore[misc]
        def _load_params(self) -> None:
            # As a process of its own would get them.
            self.params = to_plain(dict(args))

        def exit_json(self, **result: t.Any) -> t.NoReturn:
            # ansible-core 2.22 masks only what it prints, and results are written to files as well.
            raise _EndedError(mask({"changed": False, **result}, self.no_log_values))

        def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
            self.exit_json(failed=True, msg=msg, **result)

    before = AnsibleAWSModule.default_settings
    AnsibleAWSModule.default_settings = {**before, "module_class": Here}
    try:
        main()
    except _EndedError as ended:
        return ended.result
    finally:
        AnsibleAWSModule.default_settings = before
    raise RuntimeError("The module ended without a result.")


class InProcessAction(NormalAction):  # type: ignore[misc]
    """Run the module here, or as any other module where the task asks for more than this process can give."""

    main: t.ClassVar[t.Callable[[], None]]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if not _HAS_AMAZON_AWS:
            return {"failed": True, "msg": str(refusal("collection_missing", collection="amazon.aws"))}
        if not self._is_at_home(task_vars or {}):
            return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
        self._supports_check_mode = True
        result: dict[str, t.Any] = ActionBase.run(self, tmp, task_vars)
        given = {
            **self._task.args,
            "_ansible_check_mode": self._task.check_mode,
            "_ansible_diff": self._task.diff,
            "_ansible_no_log": self._task.no_log,
            "_ansible_module_name": self._task.action,
        }
        return {**result, **run_here(type(self).main, given)}

    def _is_at_home(self, task_vars: t.Mapping[str, t.Any]) -> bool:
        task = self._task
        return (
            _HAS_BOTO3
            and self._connection.transport == "local"
            and not (task.async_val or task.delegate_to or self._play_context.become)
            and not any(task.environment or [])
            and self._templar.template(task_vars.get("ansible_python_interpreter")) == sys.executable
        )
