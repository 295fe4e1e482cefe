# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - The state that is wanted.
      - V(enabled) calls C(kms:EnableKey) if needed, V(disabled) calls C(kms:DisableKey) if needed.
    type: str
    choices: [enabled, disabled]
    default: enabled
  cancel_deletion:
    description:
      - Whether a scheduled deletion may be cancelled on the way (C(kms:CancelKeyDeletion)).
      - Without it, a key that is scheduled for deletion is refused, since the deletion may be meant.
    type: bool
    default: false
  account_id:
    description:
      - The AWS account (12 digits) that must own the key.
      - A key of another account is refused; without this option the owner is not checked.
    type: str
notes:
  - Nothing is ever created, deleted, tagged or given another policy. A reference that does not exist is an error.
  - Calls are retried by botocore (mode V(standard), 12 attempts in all, 5 seconds to connect, 20 seconds to answer).
    O(aws_config) overrides this.
"""
