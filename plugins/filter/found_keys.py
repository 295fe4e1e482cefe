# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: found_keys
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Pick the keys that were found
description:
  - Turns what M(keyops.atlassian_cmk.kms_key_state) returns into what M(keyops.atlassian_cmk.kms_key_revocation_info) takes.
options:
  _input:
    description: The keys, as M(keyops.atlassian_cmk.kms_key_state) returns them.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Pick the keys that were found
  ansible.builtin.debug:
    msg: "{{ [{'region': 'us-east-1', 'arn': none}] | keyops.atlassian_cmk.found_keys }}"
"""

RETURN = r"""
_value:
  description: C(region), C(key_arn), C(key_state) and C(custom_key_store_id) of each.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import found_keys


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"found_keys": found_keys}
