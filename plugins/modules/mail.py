#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mail
version_added: 1.0.0
short_description: Mail the comment to the support desk, once
description:
  - Sends the comment that notifies Atlassian as a mail about the ticket, with C(community.general.mail), which must be installed.
  - Remembers it in the journal at once, and mails the same restoration to the same address about the same ticket no second time.
  - A mail server that takes a mail proves nothing about the ticket. A mail that could not be sent is no failure of the task;
    RV(ticket) reports it.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  run:
    description:
      - What is known of the run so far, as the role's C(cmk_run) has it, with its comment.
    type: dict
    required: true
  user:
    description:
      - The user at the mail server; without one, the module does not log in.
    type: str
    default: ''
  password:
    description:
      - The password at the mail server.
    type: str
    default: ''
  journal:
    description:
      - Where the controller remembers the restoration.
    type: path
    required: true
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
attributes:
  diff_mode:
    support: none
    details: In check mode the text is shown on the screen.
"""

EXAMPLES = r"""
- name: Show the mail that a restore would send
  keyops.atlassian_cmk.mail:
    run:
      entry_point: restore
      check_mode: true
      settings: {org: acme, slug: acme, ticket: CMK-1, revoked_at: '', mail: {to: desk@example.com}}
      comment: We have restored Atlassian's access to our encryption keys.
      plan: {}
      change: {}
      revocation: {}
      decided: {}
      ticket: {}
      error: ''
      started_at: "2026-11-24T03:00:00Z"
      now: "2026-11-24T03:00:00Z"
    user: "{{ lookup('ansible.builtin.env', 'CMK_MAIL_USER') }}"
    password: "{{ lookup('ansible.builtin.env', 'CMK_MAIL_PASSWORD') }}"
    journal: /tmp/restoration.json
  no_log: true
"""

RETURN = r"""
ticket:
  description: What became of the comment. Empty in check mode, where the text is shown.
  returned: always
  type: dict
  contains:
    mailed:
      description: That it was mailed, in this run or before.
      returned: when a mail server has taken it
      type: dict
      contains:
        to:
          description: The address.
          returned: always
          type: str
        ticket:
          description: The ticket's key.
          returned: always
          type: str
        at:
          description: When, in UTC, ISO 8601.
          returned: always
          type: str
    code:
      description: A stable name of the reason why it was not, or may not have been.
      returned: when no mail server is known to have taken it
      type: str
    error:
      description: What was seen and why it stops.
      returned: when no mail server is known to have taken it
      type: str
    hint:
      description: What to do next.
      returned: when no mail server is known to have taken it
      type: str
"""
