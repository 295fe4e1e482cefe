# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: evidence
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Put the evidence of a run together
description:
  - Makes the content of the JSON report, from which the other reports are printed as well.
  - Takes over only what it knows by name, so that no secret gets in by accident.
  - The format has a name and a version, and is described in C(docs/evidence.schema.json).
options:
  _input:
    description:
      - C(entry_point), C(check_mode), C(result) (of P(keyops.atlassian_cmk.result#filter)),
        C(keys) (of M(keyops.atlassian_cmk.kms_realm_keys)), C(revocation) (when, how and by whom access was lost),
        C(window) (the vendor's 10 and 20 days), C(access) (how policies and grants differ from an earlier copy),
        C(announcement) (of P(keyops.atlassian_cmk.announcement#filter)), C(comment) (the text for the ticket),
        C(collection_version), C(controller) (C(user) and C(host)).
      - What is missing or empty counts as not known.
    type: dict
    required: true
seealso:
  - plugin: keyops.atlassian_cmk.timeline
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Keep the evidence of a run
  ansible.builtin.set_fact:
    cmk_evidence: "{{ {'entry_point': 'restore', 'check_mode': false,
                       'result': {'org': 'acme', 'realm': 'Japan', 'status': 'failed', 'error': 'AWS was not reached.',
                                  'started_at': '2026-11-24T03:00:00Z', 'finished_at': '2026-11-24T03:00:09Z'}}
                      | keyops.atlassian_cmk.evidence }}"
"""

RETURN = r"""
_value:
  description: The evidence.
  type: dict
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._evidence import evidence


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"evidence": evidence}
