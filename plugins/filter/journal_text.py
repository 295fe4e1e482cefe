# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: journal_text
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Write down what the controller has to remember of a restoration
description:
  - Turns the result of M(keyops.atlassian_cmk.decide) into the text that a later run reads.
options:
  _input:
    description: The journal.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show a journal
  ansible.builtin.debug:
    msg: "{{ {'reference': 'cmk-restore/acme/0123456789ab', 'started_at': '2026-11-24T03:00:00Z', 'restored_at': none,
              'ticket': 'ABC-1', 'states_before': {}, 'told': none} | keyops.atlassian_cmk.journal_text }}"
"""

RETURN = r"""
_value:
  description: The text to keep.
  type: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import journal_text


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"journal_text": journal_text}
