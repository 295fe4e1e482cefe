# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: access
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Compare policies and grants of keys with a kept copy
description:
  - An enabled key proves no access, since its policy or a grant may have changed.
positional: kept_text
options:
  _input:
    description: The result of M(keyops.atlassian_cmk.kms_key_revocation_info) with C(read_access).
    type: dict
    required: true
  kept_text:
    description: The copy, as P(keyops.atlassian_cmk.access_text#filter) wrote it; empty if there is none.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Compare
  ansible.builtin.debug:
    msg: "{{ {'keys': []} | keyops.atlassian_cmk.access('') }}"
"""

RETURN = r"""
_value:
  description: C(region), C(changed), C(diff) and C(note) for each key.
  type: list
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"access": access}
