# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: desk_mentions
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Find the references to restorations in the comments of a ticket
description:
  - A reference is the line by which a later run recognizes that a restoration has been announced.
positional: slug
options:
  _input:
    description: Comments, as Jira Service Management returns them.
    type: list
    required: true
  slug:
    description: The organization's C(slug) of P(keyops.atlassian_cmk.settings#filter).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find references
  ansible.builtin.debug:
    msg: "{{ [{'id': '1', 'body': 'Reference: cmk-restore/acme/0123456789ab'}] | keyops.atlassian_cmk.desk_mentions('acme') }}"
"""

RETURN = r"""
_value:
  description: C(reference), C(comment_id), C(url) and C(at) of each reference found.
  type: list
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import mentions


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"desk_mentions": mentions}
