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
import functools
import gc
import importlib
import os
import sys
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import ArgumentSpec, Json
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._plain import mask, to_plain

# An import that fails here would end Ansible itself with a traceback.
try:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

    from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._connection import warm
    from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._run import run_to_result
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
# A collection visits each object of Ansible's main process, and the fork would get a copy of all that memory.
os.register_at_fork(after_in_child=functools.partial(gc.set_threshold, 100_000))


class Implementation(t.Protocol):
    """What a module consists of: a Python file in module_utils."""

    SPEC: ArgumentSpec

    def run(self, params: Json, check_mode: bool, diff: bool, /) -> Json: ...


def _load(name: str) -> t.Any:
    """Return the implementation of a module; None without amazon.aws, which it imports."""
    if not _HAS_AMAZON_AWS:
        return None
    return importlib.import_module(f"ansible_collections.keyops.atlassian_cmk.plugins.module_utils.{name}")


# Imported here, in Ansible's main process.
MODULES: t.Final = {
    "kms_key_state": _load("_kms.key_state"),
    "kms_key_revocation_info": _load("_cloudtrail.revocation_info"),
    "kms_key_use_info": _load("_cloudtrail.use_info"),
    "byok_trust_statement": _load("_iam.trust_statement"),
}


class NotHereError(Exception):
    """The module needs a process of its own."""


def run_here(module: Implementation, action: str, args: Json, *, check_mode: bool, diff: bool) -> Json:
    """Run a module in this process; return its result.

    :param action: the module's name, for messages
    :param args: the options of the task
    """
    spec = module.SPEC
    options = {**aws_argument_spec(), **spec.options}
    validator = ArgumentSpecValidator(
        options, mutually_exclusive=spec.mutually_exclusive, required_one_of=spec.required_one_of
    )
    # As a process of its own would get them.
    checked = validator.validate(to_plain(args))
    params = checked.validated_parameters
    if checked.error_messages:
        unknown = f"Unsupported parameters for ({action}) module: "
        is_unknown = isinstance(checked.errors[0], UnsupportedError)
        result = {"failed": True, "msg": (unknown if is_unknown else "") + checked.error_messages[0]}
    elif params["debug_botocore_endpoint_logs"]:
        # AnsibleAWSModule gathers what was logged.
        raise NotHereError
    else:
        result = run_to_result(module.run, params, check_mode=check_mode, diff=diff)
    # Results are written to files as well, and ansible-core masks only what it prints.
    secrets = [str(params[name]) for name, option in options.items() if option.get("no_log") and params.get(name)]
    return t.cast("Json", mask({"changed": False, **result}, secrets))


class InProcessAction(NormalAction):  # type: ignore[misc]
    """Run the module here, or as any other module where the task asks for more than this process can give."""

    module: t.ClassVar[t.Any]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if not _HAS_AMAZON_AWS:
            return {"failed": True, "msg": str(refusal("collection_missing", collection="amazon.aws"))}
        if not is_at_home(self, task_vars or {}):
            return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
        self._supports_check_mode = True
        result: dict[str, t.Any] = ActionBase.run(self, tmp, task_vars)
        task = self._task
        try:
            made = run_here(self.module, task.action, task.args, check_mode=task.check_mode, diff=task.diff)
        except NotHereError:
            return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
        return {**result, **made}


def is_at_home(action: ActionBase, task_vars: t.Mapping[str, t.Any]) -> bool:
    """Whether a module that a task runs gives the same result in this process."""
    task = action._task
    return (
        _HAS_BOTO3
        and action._connection.transport == "local"
        and not (task.async_val or task.delegate_to or action._play_context.become)
        and not any(task.environment or [])
        and action._templar.template(task_vars.get("ansible_python_interpreter")) == sys.executable
    )
