# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: organizations
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Turn the name of an organization into a host pattern (internal)
description:
  - Internal to the playbooks, and may change in any release.
  - The host of exactly this name comes first, whatever characters it has. Everything else is a pattern already.
options:
  _terms:
    description: A host, a group or a pattern of the inventory. An empty text stands for no host.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show a pattern
  ansible.builtin.debug:
    msg: "{{ query('keyops.atlassian_cmk.organizations', 'Acme Deutschland GmbH') }}"
"""

RETURN = r"""
_list:
  description: The patterns.
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import host_pattern


class LookupModule(LookupBase):  # type: ignore[misc]
    """Make patterns that Ansible does not split."""

    def run(self, terms: list[t.Any], variables: t.Any = None, **_options: t.Any) -> list[str]:
        hosts = {str(host) for members in ((variables or {}).get("groups") or {}).values() for host in members}
        return [host_pattern(str(term), hosts) for term in terms if term]
