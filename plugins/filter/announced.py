# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: announced
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Pick the references that mean that Atlassian has been told
description:
  - Of the references on a ticket, a restoration's own counts if its comment is not older than the restoration.
  - Where nothing is known of the revocation, any reference counts that our own account has written.
positional: announcement
options:
  _input:
    description: The references on the ticket, of M(keyops.atlassian_cmk.desk_ticket).
    type: list
    elements: dict
    required: true
  announcement:
    description: The result of M(keyops.atlassian_cmk.decide).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Tell whether Atlassian has been told
  ansible.builtin.debug:
    msg: >-
      {{ [{'reference': 'cmk-restore/acme/0123456789ab', 'at': '2026-11-24T03:00:09+0000'}]
         | keyops.atlassian_cmk.announced({'reference': 'cmk-restore/acme/0123456789ab', 'since': none, 'accepts_ours': false}) }}
"""

RETURN = r"""
_value:
  description: Those of the given references that count, in their order.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announced


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"announced": announced}
