#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet
version_added: 1.0.0
short_description: Sum up the runs of many organizations
description:
  - Shows how many organizations ended how, and then only those that need a person.
  - Writes one page that links the reports of all of them, beside their folders.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  hosts:
    description:
      - The organizations' inventory hosts. Those that the role has not reported on are left out.
    type: list
    elements: str
    required: true
  entry_point:
    description:
      - The role's entry point, which is the name of the reports.
    type: str
    required: true
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes.info
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
- name: Sum up
  keyops.atlassian_cmk.fleet:
    hosts: "{{ ansible_play_hosts_all }}"
    entry_point: restore
"""

RETURN = r"""
total:
  description: How many organizations the role has reported on.
  returned: always
  type: int
counts:
  description: How many of them ended with which status.
  returned: always
  type: dict
index:
  description: The page that links their reports; empty if there is none.
  returned: always
  type: str
"""
