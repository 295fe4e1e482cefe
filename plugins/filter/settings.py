# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: settings
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Normalise the variables of the role cmk
description:
  - Reads the variables as YAML, extra vars and AWX surveys hand them, and resolves the realm to regions and keys.
  - Holds no secrets.
positional: realms
options:
  _input:
    description: The variables without their prefix C(cmk_), with C(has_token) and C(unfit_credentials) in place of the credentials.
    type: dict
    required: true
  realms:
    description: Realm name as Atlassian writes it, to its list of regions.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the settings
  ansible.builtin.set_fact:
    cmk_settings: "{{ {'org': 'acme', 'realm': 'united_states', 'key': 'alias/atlassian-cmk', 'wait_timeout': 300,
                       'wait_reads': 3, 'wait_delay': 1, 'report_dir': '/tmp/reports'}
                      | keyops.atlassian_cmk.settings({'United States': ['us-east-1', 'us-west-2']}) }}"
"""

RETURN = r"""
_value:
  description: The settings; C(problems) lists in sentences what must be mended first.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import settings


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"settings": settings}
