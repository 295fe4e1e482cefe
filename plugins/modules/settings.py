#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settings
version_added: 1.0.0
short_description: Read the variables of the role cmk (internal)
description:
  - Internal to the role C(cmk), and may change in any release.
  - Templates each variable of the role by itself, checks all of them, and reports in sentences what must be corrected. It never fails.
  - Warns of a variable that looks like a misspelt one.
  - Returns no credentials.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  entry_point:
    description:
      - The role's entry point.
    type: str
    required: true
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes.info
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
- name: Read the settings
  keyops.atlassian_cmk.settings:
    entry_point: restore
  vars:
    cmk_org: acme
    cmk_realm: united_states
    cmk_key: alias/atlassian-cmk
    cmk_report_dir: /tmp/cmk-reports
  register: read
"""

RETURN = r"""
settings:
  description: The settings; C(problems) lists in sentences what must be corrected first.
  returned: always
  type: dict
desk_until:
  description: Until when the support desk is tried again, in seconds since the epoch.
  returned: always
  type: float
started_at:
  description: The time at which they were read, in UTC.
  returned: always
  type: str
"""
