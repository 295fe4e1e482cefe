#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: comment
version_added: 1.0.0
short_description: Write the comment that notifies Atlassian
description:
  - Prints the comment from the role's own template, or from one of the user's, which knows all variables of the host.
  - Adds a line with the restoration's reference if the text has none, since nothing recognizes the comment later without it.
  - A template that cannot be used, a closed ticket and a text that is too long do not fail the task. RV(error) reports them.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  run:
    description:
      - All that is known of the run, as the role's variable C(cmk_run) holds it.
    type: dict
    required: true
  template:
    description:
      - The template. It is looked for as M(ansible.builtin.template) does.
    type: str
    default: restore_comment.txt.j2
  look:
    description:
      - The result of M(keyops.atlassian_cmk.desk_ticket); empty if nothing is to be posted.
    type: dict
    default: {}
  hand_over:
    description:
      - A file in which to keep the comment, for a person who pastes it into the ticket; it is also shown. In check mode nothing
        is kept. The default is to do neither.
    type: path
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: none
    details: What it keeps is shown on the screen.
"""

EXAMPLES = r"""
- name: Write the comment
  keyops.atlassian_cmk.comment:
    run:
      entry_point: restore
      check_mode: false
      settings: {org: acme, slug: acme, realm: Japan, ticket: CMK-1, sites: [], revoked_at: ''}
      plan:
        keys:
          - region: ap-northeast-1
            arn: arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
            account_id: "111122223333"
            key_state_before: Enabled
            key_state: Enabled
            calls: [{operation: DescribeKey, at: "2026-11-24T03:00:01Z"}]
      change: {}
      revocation: {}
      decided:
        announcement:
          reference: cmk-restore/acme/0123456789ab
          nothing_lost: false
          started_at: "2026-11-24T03:00:00Z"
          states_before: {}
      ticket: {}
      comment: ''
      error: ''
      user: ''
      started_at: "2026-11-24T03:00:00Z"
      now: "2026-11-24T03:00:02Z"
"""

RETURN = r"""
text:
  description: The comment; empty if the template cannot be used.
  returned: always
  type: str
code:
  description: A stable name of the reason for which the comment cannot be posted; empty if it can.
  returned: always
  type: str
error:
  description: What was seen and why it stops; empty if all is well.
  returned: always
  type: str
hint:
  description: What to do next; empty if all is well.
  returned: always
  type: str
"""
