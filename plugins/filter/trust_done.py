# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: trust_done
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Tell what has become of BYOK's trust statement so far
description:
  - Takes the plan until something was done, and then what was done; the calls of the plan stand before those of the change.
positional: change
options:
  _input:
    description: The result of M(keyops.atlassian_cmk.byok_trust_statement) in check mode; empty before it has run.
    type: dict
    required: true
  change:
    description: The result of M(keyops.atlassian_cmk.byok_trust_statement); empty before it has run.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the effect
  ansible.builtin.debug:
    msg: "{{ (plan | keyops.atlassian_cmk.trust_done({})).effect }}"
  vars:
    plan: {effect: Allow, actions: [], calls: []}
"""

RETURN = r"""
_value:
  description: The statement, as M(keyops.atlassian_cmk.byok_trust_statement) returns it; empty if it was not looked at.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import trust_done


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"trust_done": trust_done}
