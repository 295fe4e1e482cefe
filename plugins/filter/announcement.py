# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: announcement
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Decide what there is to tell Atlassian
description:
  - Combines the plan of the keys with what the controller remembers of the organization's last restoration.
positional: settings, kept_text, now, revocation
options:
  _input:
    description: The keys, as M(keyops.atlassian_cmk.kms_realm_keys) returns them in check mode.
    type: list
    required: true
  settings:
    description: C(slug), C(ticket) and C(ticket_told) of P(keyops.atlassian_cmk.settings#filter).
    type: dict
    required: true
  kept_text:
    description: The journal as it was kept; empty if there is none.
    type: str
    required: true
  now:
    description: The time in UTC, ISO 8601.
    type: str
    required: true
  revocation:
    description: C(identity), a text that names the last revocation, and C(lost_at), when the last key was lost; each may be null.
    type: dict
"""

EXAMPLES = r"""
- name: Decide what there is to announce
  ansible.builtin.set_fact:
    cmk_announcement: "{{ [{'region': 'us-east-1', 'actions': ['EnableKey'], 'key_state_before': 'Disabled'}]
                          | keyops.atlassian_cmk.announcement({'slug': 'acme', 'ticket': 'ABC-1', 'ticket_told': ''}, '',
                                                              '2026-11-24T03:00:00Z') }}"
"""

RETURN = r"""
_value:
  description: >-
    The journal to keep, with C(enables) (whether a key is to change), C(accepts) and C(accepts_since) (what on the ticket
    means that it has been told, for P(keyops.atlassian_cmk.announced#filter)).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announcement


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"announcement": announcement}
