# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: desk_not_told
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Say why a comment that was sent does not count as told
description:
  - Tells a comment that was refused from one that may have been stored, although the support desk did not say so.
  - Both inputs are results of P(keyops.atlassian_cmk.desk_answer#filter).
positional: look
options:
  _input:
    description: The answer to the comment.
    type: dict
    required: true
  look:
    description: The answer to the last page of comments that was read afterwards.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Note why Atlassian could not be told
  ansible.builtin.set_fact:
    why: "{{ post | keyops.atlassian_cmk.desk_not_told(look) }}"
  vars:
    post: "{{ {'status': 401, 'url': 'https://support.example.com'} | keyops.atlassian_cmk.desk_answer }}"
    look: "{{ post }}"
"""

RETURN = r"""
_value:
  description: C(code), C(error), C(hint).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import not_told


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"desk_not_told": not_told}
