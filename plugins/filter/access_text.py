# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: access_text
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Write a copy of policies and grants of keys
description:
  - A later run compares with it.
options:
  _input:
    description: The result of M(keyops.atlassian_cmk.kms_key_revocation_info) with C(read_access).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the copy
  ansible.builtin.debug:
    msg: "{{ {'keys': []} | keyops.atlassian_cmk.access_text }}"
"""

RETURN = r"""
_value:
  description: The text to keep.
  type: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access_text


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"access_text": access_text}
