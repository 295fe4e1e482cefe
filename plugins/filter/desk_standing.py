# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: desk_standing
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Report the state of a ticket that is only read
description:
  - For a rehearsal, which reads the ticket and writes nothing.
  - A ticket that takes no comment is an error also where an announcement is on it, because the next one would fail.
positional: ticket, announced, enables
options:
  _input:
    description:
      - The result of M(keyops.atlassian_cmk.desk_ticket).
    type: dict
    required: true
  ticket:
    description:
      - The ticket's key.
    type: str
    required: true
  announced:
    description:
      - The announcements of this restoration, as P(keyops.atlassian_cmk.announced#filter) picks them.
    type: list
    elements: dict
    required: true
  enables:
    description:
      - Whether keys are still to be enabled, so that there is nothing to be told yet.
    type: bool
    required: true
"""

EXAMPLES = r"""
- name: Say why nobody could be told
  ansible.builtin.debug:
    msg: "{{ (look | keyops.atlassian_cmk.desk_standing('CMK-1', [], false)).error }}"
  vars:
    look: {ok: true, allowed: false, status: Closed}
"""

RETURN = r"""
_value:
  description: C(code), C(error) and C(hint) of what would stop an announcement, or C(told) with the one on the ticket.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import standing


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"desk_standing": standing}
