# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: window
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Tell how much of Atlassian's window for a restoration is left
description:
  - Atlassian can reinstate suspended sites within 10 days of revocation, with up to one hour of data lost. Beyond 20
    days full recovery may be impossible; between the two nothing is promised.
  - Of its older programme BYOK it says only that access can be restored within 15 days of revocation.
  - Which moment starts the clock Atlassian leaves open. The earlier one, the loss of key access, is taken.
  - Times are ISO 8601. Without a zone they are UTC, and a date without a time is the start of that day in UTC.
positional: now, told_at, deletion_dates
options:
  _input:
    description: When access to the keys was lost; of several regions the earliest. Empty if that is not known.
    type: raw
    required: true
  now:
    description: The present time.
    type: str
    required: true
  told_at:
    description: When Atlassian was told. What is not a time counts as not told yet.
    type: str
  deletion_dates:
    description: When AWS deletes keys, as far as any is scheduled for deletion. What is not a time is left out.
    type: list
    elements: str
    default: []
  limit_days:
    description:
      - Within how many days Atlassian reinstates. The limit itself is still within.
      - The default is 10, or with O(programme=byok) 15.
    type: int
  risk_days:
    description:
      - Beyond how many days full recovery may be impossible. The limit itself is not yet beyond.
      - The default is 20, or with O(programme=byok) 15.
    type: int
  programme:
    description: V(cmk), or V(byok) for Atlassian's older programme.
    type: str
    default: cmk
"""

EXAMPLES = r"""
- name: Tell how long Atlassian can still reinstate the sites
  ansible.builtin.debug:
    msg: "{{ window.phase }}: {{ window.hours_left }} hours left until {{ window.deadline }}. {{ window.says }}"
  vars:
    window: "{{ '2026-11-20T08:15:00Z' | keyops.atlassian_cmk.window('2026-11-24T03:00:00Z') }}"

- name: Take the deletion of a key into account
  ansible.builtin.assert:
    that: window.deadline == '2026-11-27T08:15:00Z'
  vars:
    window: "{{ '2026-11-20T08:15:00Z' | keyops.atlassian_cmk.window('2026-11-24T03:00:00Z',
                deletion_dates=['2026-11-27T08:15:00+00:00']) }}"
"""

RETURN = r"""
_value:
  description: The window. All times are ISO 8601 in UTC.
  type: dict
  contains:
    revoked_at:
      description: When access was lost; V(null) if that is not known.
      type: str
    known:
      description: Whether it is known.
      type: bool
    error:
      description: Why the given time is of no use (malformed, or more than 5 minutes in the future), one sentence; V(null) if it is.
      type: str
    phase:
      description: V(reinstatable), V(uncertain), V(at_risk) or V(unknown).
      type: str
    days_elapsed:
      description: Days since access was lost, to one decimal; V(null) if unknown.
      type: float
    reinstate_by:
      description: Until when Atlassian reinstates; V(null) if unknown.
      type: str
    at_risk_after:
      description: After when full recovery may be impossible; V(null) if unknown.
      type: str
    deletion_date:
      description: The earliest date at which AWS deletes a key; V(null) if none is scheduled.
      type: str
    deadline:
      description: The earlier one of RV(_value.reinstate_by) and RV(_value.deletion_date).
      type: str
    hours_left:
      description: Whole hours to the end of the phase or to the deletion, whichever is earlier; V(0) once that is past; V(null) if neither is known.
      type: int
    limit_days:
      description: Within how many days Atlassian reinstates.
      type: int
    expected_completion:
      description:
        - V(null) with O(programme=byok), of which Atlassian tells none.
        - Two business days after Atlassian was told, or from now if it was not told yet. Atlassian calls that general, not certain.
        - Saturdays and Sundays (UTC) do not count. Holidays are not known.
      type: str
    says:
      description: What Atlassian says for this phase, one sentence.
      type: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import window


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"window": window}
