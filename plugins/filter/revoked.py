# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: revoked
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Bring together what is known of the last revocation
description:
  - What the operator gives as C(cmk_revoked_at) stands; otherwise CloudTrail's last loss of a key counts.
positional: given
options:
  _input:
    description: The result of M(keyops.atlassian_cmk.kms_key_revocation_info); empty if it was not asked.
    type: dict
    required: true
  given:
    description: C(cmk_revoked_at), ISO 8601; empty if it was not given.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Tell what is known
  ansible.builtin.debug:
    msg: "{{ ({} | keyops.atlassian_cmk.revoked('2026-11-20T08:00:00Z')).source }}"
"""

RETURN = r"""
_value:
  description: C(revoked_at), C(lost_at), C(identity), C(source) and C(reason).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._revoked import revoked


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"revoked": revoked}
