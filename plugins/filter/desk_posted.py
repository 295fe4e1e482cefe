# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: desk_posted
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Find in the answer to a comment that it tells of this restoration
description:
  - An answer that was lost, or that does not show the comment's reference, is no proof that Atlassian has been told.
positional: org_slug, announcement
options:
  _input:
    description: The answer, as P(keyops.atlassian_cmk.desk_answer#filter) judges it.
    type: dict
    required: true
  org_slug:
    description: The organization's name as it stands in references.
    type: str
    required: true
  announcement:
    description: The announcement, as M(keyops.atlassian_cmk.decide) decides.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say whether Atlassian has been told
  ansible.builtin.debug:
    msg: "{{ ({'ok': false, 'data': {}} | keyops.atlassian_cmk.desk_posted('acme', {'reference': 'cmk-restore/acme/0123456789ab'})) is truthy }}"
"""

RETURN = r"""
_value:
  description: The announcement on the ticket, with C(told) and C(already_told); empty if the answer does not prove it.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import posted


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"desk_posted": posted}
