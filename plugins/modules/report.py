#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
version_added: 1.0.0
short_description: End a run of the role cmk with its result, evidence and summary (internal)
description: Internal to the role of this collection, and may change in any release. Runs on the controller.
author: The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  reads:
    description: The variables of earlier tasks that the report reads, besides the settings.
    type: list
    elements: str
    choices: [__cmk_plan, __cmk_decided, __cmk_trust_change, __cmk_change, __cmk_ticket, __cmk_seen, __cmk_error]
    required: true
attributes:
  action: {description: "Runs wholly on the controller, without a module process.", support: full}
  check_mode: {description: "Predicts in check mode what a real run would do, and changes nothing.", support: full}
  diff_mode: {description: What it writes are records., support: N/A}
  idempotent: {description: "When run twice in a row with the same arguments, the second run changes nothing.", support: full}
"""

EXAMPLES = r"""
- name: End a run that ended before it began
  keyops.atlassian_cmk.report:
    reads: []
  vars:
    __cmk_command: restore
    __cmk_settings: {org: acme, realm: Japan, problems: [No key is given.], started_at: "2026-11-24T03:00:00Z"}
    __cmk_aws: {}
    __cmk_fleet_from: 50
"""

RETURN = r"""
result: {description: "The result, as docs/results.md describes it.", returned: always, type: dict}
"""
