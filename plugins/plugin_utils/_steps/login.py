# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in to AWS with a code of an MFA device."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._credentials import find_missing_code, log_in
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task


def find_code(task: Task) -> dict[str, t.Any]:
    """Find out whether an organization's profile needs a code, before the settings are read. Never fails."""
    # ansible-runner, and AWX by it, give a job a terminal at which nobody sits.
    if "AWX_ISOLATED_DATA_DIR" in os.environ:
        return {"prompt": ""}
    try:
        profile = str(task.variables["hostvars"][task.args["hosts"][0]].get("cmk_aws_profile") or "").strip()
        why = find_missing_code(profile)
    except (AnsibleError, NameError):  # the latter without boto3; the run itself explains both
        return {"prompt": ""}
    return {"profile": profile, "prompt": f"{why.error} Code" if why else ""}


def use_code(task: Task) -> dict[str, t.Any]:
    """Log in with what was typed. The run itself stops where that does not work."""
    problem = try_code(task.args["profile"], "us-east-1", task.args["code"])
    if problem:
        show(problem, warn=True)
    return {}


def try_code(profile: str, region: str, code: object) -> str:
    """Log in; return why not, empty if all is well. The code serves one login, however many steps and organizations use it."""
    # A number has lost its leading zeros.
    digits = f"{code:06d}" if isinstance(code, int) else str(code).strip()
    if not re.fullmatch(r"[0-9]{6}", digits):
        return "The code of an MFA device (cmk_aws_mfa_code) has 6 digits. Run again with the digits that the device shows."
    try:
        log_in(profile, region, digits)
    except RefusedError as refused:
        return str(refused)
    return ""
