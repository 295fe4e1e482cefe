# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: refusal
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Fill in a message of the collection's list
description:
  - Takes the message from the one list of refusals that code and documentation share.
  - What was seen is given as keywords, which differ from message to message.
options:
  _input:
    description: The message's code.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say that a ticket is closed
  ansible.builtin.debug:
    msg: "{{ ('ticket_closed' | keyops.atlassian_cmk.refusal(ticket='ABC-1', status='Closed')).error }}"
"""

RETURN = r"""
_value:
  description: C(code), C(error) and C(hint).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal


def as_dict(code: str, **seen: object) -> dict[str, str]:
    """Return the refusal as a dict, for templates."""
    return dict(vars(refusal(code, **seen)))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"refusal": as_dict}
