# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: after_plan
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Put the calls of the plan before those of the change
description:
  - The evidence shows all that was asked of AWS, in both runs of M(keyops.atlassian_cmk.kms_realm_keys).
positional: planned
options:
  _input:
    description: The keys, as M(keyops.atlassian_cmk.kms_realm_keys) returns them.
    type: list
    elements: dict
    required: true
  planned:
    description: The same keys, as an earlier run in check mode returned them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Count the calls
  ansible.builtin.debug:
    msg: "{{ ([{'calls': [2]}] | keyops.atlassian_cmk.after_plan([{'calls': [1]}]))[0].calls | length }}"
"""

RETURN = r"""
_value:
  description: The keys, with the calls of both.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import after_plan


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"after_plan": after_plan}
