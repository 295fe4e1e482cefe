# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unfit_comment
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Say why a ticket would not take a comment
description:
  - A closed ticket takes none from this user, and one that is too long is refused by the desk.
positional: ticket, look
options:
  _input:
    description:
      - The comment's text.
    type: str
    required: true
  ticket:
    description:
      - The ticket's key.
    type: str
    required: true
  look:
    description:
      - The result of M(keyops.atlassian_cmk.desk_ticket).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say why the ticket would not take the comment
  ansible.builtin.debug:
    msg: "{{ ('Both keys are enabled.' | keyops.atlassian_cmk.unfit_comment('CMK-1', look)).error }}"
  vars:
    look: {allowed: false, status: Closed}
"""

RETURN = r"""
_value:
  description: C(code), C(error) and C(hint); empty if it would.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import unfit_comment


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"unfit_comment": unfit_comment}
