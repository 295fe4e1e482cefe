# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log in to AWS with a code of an MFA device."""

from __future__ import annotations

import os
import re

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._credentials import find_missing_code, log_in
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError


def ask_for_code(profile: str) -> str:
    """Ask for the code that an organization's profile needs now; empty if it needs none, or nobody sits at a terminal."""
    # ansible-runner, and AWX by it, give a job a terminal at which nobody sits.
    if "AWX_ISOLATED_DATA_DIR" in os.environ:
        return ""
    try:
        why = find_missing_code(profile)
    except RefusedError:  # the plan explains it
        return ""
    if why is None:
        return ""
    try:
        return str(
            Display().prompt_until(f"{why.error} Code (output is hidden):", private=True), "utf-8", "replace"
        ).strip()
    except AnsibleError:
        return ""


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
