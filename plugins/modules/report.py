#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
version_added: 1.0.0
short_description: End a run of the role cmk with its result, its evidence and its summary
description:
  - Puts together what the role publishes as C(cmk_result), and publishes it as M(ansible.builtin.set_stats) does.
  - Writes the evidence and the reports that are printed from it, and shows the summary.
  - Records on the controller what Atlassian was notified of.
  - In check mode nothing is written. Evidence that cannot be written is a warning and no failure.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  run:
    description:
      - All that is known of the run, as the role's variable C(cmk_run) holds it.
    type: dict
    required: true
  folder:
    description:
      - Where the reports go. Empty for none.
    type: str
    default: ''
  journal:
    description:
      - The file in which the controller remembers the organization's last restoration. Empty to remember nothing.
    type: str
    default: ''
  revocation:
    description:
      - The file in which the controller records a revocation by C(revoke). Empty to record nothing.
    type: str
    default: ''
  lock:
    description:
      - The lock of M(keyops.atlassian_cmk.controller_lock) to free, if this run holds it. Empty for none.
    type: str
    default: ''
  brief:
    description:
      - Whether to show one line only of an organization that is well, as among many.
    type: bool
    default: false
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: N/A
    details: Each run has evidence of its own, which is no change of what is managed.
"""

EXAMPLES = r"""
- name: Report
  keyops.atlassian_cmk.report:
    run:
      entry_point: restore
      check_mode: false
      settings: {org: acme, slug: acme, realm: Japan, ticket: CMK-1, mode: api, revoked_at: '', problems: []}
      plan: {}
      change: {}
      revocation: {}
      decided: {}
      ticket: {}
      comment: ''
      error: AWS was not reached.
      user: ''
      started_at: "2026-11-24T03:00:00Z"
      now: "2026-11-24T03:00:09Z"
    folder: /tmp/cmk-reports/acme/example
"""

RETURN = r"""
result:
  description: What the role publishes as C(cmk_result).
  returned: always
  type: dict
folder:
  description: Where the reports are; empty if there are none.
  returned: always
  type: str
failure:
  description: Why the run must end with an error, in one line; empty if all is well.
  returned: always
  type: str
  sample: "acme: not restored. AWS was not reached."
"""
