# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: template_fault
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Say what is wrong with the template of the comment
description:
  - Takes from Ansible's chain of messages the last one, on one line.
options:
  _input:
    description: Ansible's message.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ \"Task failed: Error while resolving value for 'cmk_comment_text': 'nope' is undefined\" | keyops.atlassian_cmk.template_fault }}"
"""

RETURN = r"""
_value:
  description: The reason, one sentence.
  type: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import template_fault


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"template_fault": template_fault}
