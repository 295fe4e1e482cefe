# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: timeline
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Work out the drawings of a report
description:
  - Turns the evidence of a run into positions and words that a template only has to print.
  - The clock of the 10 and 20 days becomes a bar to scale. The moments of the run become rows with their true times,
    with a broken axis wherever more than an hour passes, since no scale shows 19 days and five seconds at once.
options:
  _input:
    description: The evidence, as P(keyops.atlassian_cmk.evidence#filter) returns it.
    type: dict
    required: true
seealso:
  - plugin: keyops.atlassian_cmk.evidence
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what happened, one line a moment
  ansible.builtin.debug:
    msg: "{{ (run | keyops.atlassian_cmk.evidence | keyops.atlassian_cmk.timeline).says }}"
  vars:
    run:
      entry_point: restore
      result:
        org: acme
        status: failed
        started_at: "2026-11-24T03:00:00Z"
        finished_at: "2026-11-24T03:00:09Z"
"""

RETURN = r"""
_value:
  description: >-
    C(rows), C(breaks), C(lanes), C(axis_x), C(text_x), C(height) and C(says) of the timeline, C(bar) (the clock to
    scale, or null), C(calls) (by region, equal ones in a row as one), and C(lost_for) and C(took) in words.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._timeline import timeline


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"timeline": timeline}
