# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: desk_answer
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Judge an answer of the support desk
description:
  - Reads the result of M(ansible.builtin.uri) and keeps only what is free of secrets.
  - Tells a login page, a proxy's error page and a missing permission from a real answer.
positional: attempt, now
options:
  _input:
    description: The result of M(ansible.builtin.uri).
    type: dict
    required: true
  attempt:
    description: The number of this attempt, from 1; the wait doubles with it.
    type: int
  now:
    description:
      - The controller's time when the answer came, ISO 8601 with a zone.
      - Without it, the desk's clock is not compared.
    type: raw
"""

EXAMPLES = r"""
- name: Judge an answer
  ansible.builtin.debug:
    msg: "{{ ({'status': 429, 'retry_after': '7', 'url': 'https://support.example.com'} | keyops.atlassian_cmk.desk_answer).wait }}"
"""

RETURN = r"""
_value:
  description: C(ok), C(status), C(data), C(code), C(error), C(hint), C(retry), C(wait) in seconds, and C(clock_offset), which
    is how many seconds the desk's clock is ahead of the controller's (V(none) if not known).
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import answer


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"desk_answer": answer}
