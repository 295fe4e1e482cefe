#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: decide
version_added: 1.0.0
short_description: Decide what a run of the role cmk is about, and show the plan
description:
  - Decides which restoration this is and what there is to announce, from the plan of the keys, from what is known of the
    revocation, and from what the controller remembers.
  - Shows the plan, before anything is changed, and remembers what there is to announce.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  run:
    description:
      - All that is known of the run, as the role's variable C(cmk_run) holds it.
    type: dict
    required: true
  journal:
    description:
      - The file in which the controller remembers the organization's last restoration. It need not exist.
    type: path
    required: true
  access:
    description:
      - The file with an earlier copy of policies and grants. It need not exist.
    type: path
    required: true
  revocation:
    description:
      - The file in which the controller remembers the organization's last revocation by a run of C(revoke). It need not
        exist.
    type: path
  stage:
    description:
      - V(begin) before the first key changes. Outside of check mode it keeps in O(journal) that a restoration begins.
      - V(settle) once it is known when access was lost; O(run) then has what V(begin) returned as C(decided).
      - V(both) where nothing is changed.
    type: str
    choices: [begin, settle, both]
    default: both
  lock:
    description:
      - The result of M(keyops.atlassian_cmk.controller_lock).
    type: dict
    default: {}
  brief:
    description:
      - Whether to leave out the plan on the screen, as among many organizations; the reports hold it.
    type: bool
    default: false
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: none
    details: What it keeps is shown on the screen.
"""

EXAMPLES = r"""
- name: Decide what there is to announce
  keyops.atlassian_cmk.decide:
    run:
      entry_point: restore
      check_mode: false
      settings: {org: acme, slug: acme, realm: Japan, ticket: CMK-1, ticket_told: '', revoked_at: ''}
      plan:
        keys:
          - region: ap-northeast-1
            reference: alias/atlassian-cmk
            arn: arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
            key_state_before: Disabled
            actions: [EnableKey]
            error: ''
            hint: ''
            calls: []
      change: {}
      revocation: {}
      decided: {}
      ticket: {}
      comment: ''
      error: ''
      user: ''
      started_at: "2026-11-24T03:00:00Z"
      now: "2026-11-24T03:00:01Z"
    journal: /tmp/cmk-reports/acme/restoration.json
    access: /tmp/cmk-reports/acme/access.json
    revocation: /tmp/cmk-reports/acme/revocation.json
"""

RETURN = r"""
announcement:
  description: What there is to announce; empty for C(revoke).
  returned: success
  type: dict
revoked:
  description: What is known of the last revocation.
  returned: success
  type: dict
  contains:
    revoked_at:
      description: When the first key was lost; V(null) if that is not known.
      returned: always
      type: str
    lost_at:
      description: When the last key was lost; V(null) if that is not known.
      returned: always
      type: str
    identity:
      description: A text that names this revocation and no other; V(null) if it is not known.
      returned: always
      type: str
    source:
      description: V(given), V(cloudtrail), V(controller) or V(null).
      returned: always
      type: str
    reason:
      description: Why it is not known, one sentence; empty if it is.
      returned: always
      type: str
other_run:
  description: The message about another run that comments on the ticket instead; empty if this one does.
  returned: when O(stage) is not V(begin), and not for C(revoke)
  type: dict
begun:
  description: The journal of the restoration that this run begins or continues; V(null) if nothing is remembered.
  returned: not for C(revoke)
  type: dict
earlier:
  description: The journal as it was before this run; V(null) if nothing was remembered.
  returned: not for C(revoke)
  type: dict
targets:
  description: The keys to change, each with the ARN that the plan has shown, as M(keyops.atlassian_cmk.kms_key_state) takes them.
  returned: success
  type: list
  elements: dict
changes:
  description: Whether this run is to change a key.
  returned: not for C(revoke)
  type: bool
refused:
  description: Why nothing may be changed; empty if it may.
  returned: success
  type: str
before:
  description: What was known of the loss of access before this run.
  returned: for C(revoke)
  type: dict
access:
  description: For each key, how its policy and grants differ from the earlier copy.
  returned: success
  type: list
  elements: dict
  contains:
    region:
      description: The region.
      returned: always
      type: str
    arn:
      description: The key's ARN.
      returned: always
      type: str
    changed:
      description: Whether they differ.
      returned: always
      type: bool
    diff:
      description: The difference; empty if there is none.
      returned: always
      type: str
    note:
      description: What a person should know of it; empty if nothing.
      returned: always
      type: str
"""
