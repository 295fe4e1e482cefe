# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ticket_step
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Choose what to do with the support ticket
description:
  - Nothing is posted unless the ticket could be read, tells of nothing yet, and takes the comment.
positional: announced, comment, check_mode
options:
  _input:
    description: The ticket, as M(keyops.atlassian_cmk.desk_ticket) has read it.
    type: dict
    required: true
  announced:
    description: The comments that tell Atlassian, as P(keyops.atlassian_cmk.announced#filter) finds them.
    type: list
    elements: dict
    required: true
  comment:
    description: The comment, as M(keyops.atlassian_cmk.comment) has written it; empty if it was not.
    type: dict
    required: true
  check_mode:
    description: Whether nothing may be posted.
    type: bool
    required: true
"""

EXAMPLES = r"""
- name: Say what is next
  ansible.builtin.debug:
    msg: "{{ {'ok': true} | keyops.atlassian_cmk.ticket_step([], {'text': 'We are back.', 'error': ''}, false) }}"
"""

RETURN = r"""
_value:
  description: V(unread), V(announced), V(unfit), V(would_post) or V(comment).
  type: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import ticket_step


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ticket_step": ticket_step}
