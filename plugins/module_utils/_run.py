# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module is a ``run`` with its argument spec; here it becomes a process of its own, or a result."""

from __future__ import annotations

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ._argspec import ArgumentSpec, Json
from ._refusals import RefusedError

Run = t.Callable[[Json, bool, bool], Json]


def run_module(spec: ArgumentSpec, run: Run) -> None:
    """Be the ``main`` of a module.

    :param run: takes the validated options, whether in check mode and whether with a diff; returns the result, with
        ``failed`` and ``msg`` if a part of the work failed. RefusedError if it did nothing
    """
    module = AnsibleAWSModule(
        argument_spec=spec.options,
        mutually_exclusive=spec.mutually_exclusive,
        required_one_of=spec.required_one_of,
        supports_check_mode=True,
    )
    result = run_to_result(run, module.params, check_mode=module.check_mode, diff=module._diff)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def run_to_result(run: Run, params: Json, *, check_mode: bool, diff: bool) -> Json:
    """Run it; return its result, also of a refusal."""
    try:
        return run(params, check_mode, diff)
    except RefusedError as refused:
        return {"failed": True, "msg": str(refused), "refusal": vars(refused.refusal)}
