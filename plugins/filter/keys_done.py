# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: keys_done
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Tell what has become of the keys so far
description:
  - Takes the plan until something was done, and then what was done; the calls of the plan stand before those of the change.
  - A change that ended without a result leaves the keys as the plan found them, as far as is known.
positional: change
options:
  _input:
    description: The result of M(keyops.atlassian_cmk.kms_key_state) in check mode; empty before it has run.
    type: dict
    required: true
  change:
    description: The result of M(keyops.atlassian_cmk.kms_key_state); empty before it has run.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Count the calls
  ansible.builtin.debug:
    msg: "{{ (plan | keyops.atlassian_cmk.keys_done(change))[0].calls | length }}"
  vars:
    plan: {keys: [{region: us-east-1, calls: [{operation: DescribeKey}]}]}
    change: {keys: [{region: us-east-1, calls: [{operation: DescribeKey}, {operation: EnableKey}]}]}
"""

RETURN = r"""
_value:
  description: The keys.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import keys_done


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"keys_done": keys_done}
