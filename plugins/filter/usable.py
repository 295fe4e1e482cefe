# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: usable
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Add to an announcement since when all keys have been usable
description:
  - That is the time of the last call that showed it.
positional: keys
options:
  _input:
    description: The announcement, as M(keyops.atlassian_cmk.decide) decides; empty before it has.
    type: dict
    required: true
  keys:
    description: What has become of the keys, as P(keyops.atlassian_cmk.keys_done#filter) tells.
    type: list
    elements: dict
    required: true
  only_reads:
    description: Whether the run changes nothing in any case, as C(assess) and C(verify), so that its own time means nothing.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say since when all keys are usable
  ansible.builtin.debug:
    msg: "{{ ({'restored_at': none} | keyops.atlassian_cmk.usable(keys, only_reads=false)).restored_at }}"
  vars:
    keys: [{calls: [{operation: DescribeKey, at: "2026-11-24T03:00:05Z"}]}]
"""

RETURN = r"""
_value:
  description: The announcement.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import usable


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"usable": usable}
