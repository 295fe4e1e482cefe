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
  - Counts an organization that has no report of this entry point as failed, and publishes a result for it.
  - Writes a page of its own for each run, which links the reports of all organizations, and an index of all runs.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  hosts:
    description:
      - The organizations' inventory hosts, all that the play began with.
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
    hosts: "{{ groups['all'] | difference(['localhost']) }}"
    entry_point: restore
"""

RETURN = r"""
total:
  description: How many organizations there are.
  returned: always
  type: int
counts:
  description: How many of them ended with which status.
  returned: always
  type: dict
page:
  description: The page of this run, which links their reports; empty if there is none.
  returned: always
  type: str
without_result:
  description: The inventory hosts without a report of this entry point, each with the C(cmk_result) that says so.
  returned: always
  type: list
  elements: dict
"""
