# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: result
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Put together the result of a run
description:
  - Makes C(cmk_result) from the settings, the keys and what became of the ticket.
options:
  _input:
    description: C(settings), C(keys), C(ticket), C(error), C(check_mode), C(started_at) and C(finished_at).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Put the result together
  ansible.builtin.set_fact:
    cmk_result: "{{ {'settings': {'org': 'acme', 'realm': 'Japan', 'problems': []}, 'keys': [], 'ticket': {},
                     'error': 'AWS was not reached.', 'check_mode': false, 'started_at': '2026-11-24T03:00:00Z',
                     'finished_at': '2026-11-24T03:00:09Z'} | keyops.atlassian_cmk.result }}"
"""

RETURN = r"""
_value:
  description: The result that is promised as C(cmk_result).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import result


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"result": result}
