#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: step
version_added: 1.0.0
short_description: Carry out one of the steps of the role cmk (internal)
description: Internal to the role and the playbooks of this collection, and may change in any release. Runs on the controller.
author: The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  do:
    description: The step.
    type: str
    required: true
    choices: [read_settings, begin, settle, notify, rehearse, verify, end, sum_up, sum_up_drill, show]
  command: {description: The command that the step belongs to., type: str, choices: [restore, assess, verify, revoke, drill]}
  reads:
    description: The variables of earlier tasks that the step reads, besides the settings.
    type: list
    elements: str
    choices: [__cmk_plan, __cmk_decided, __cmk_trust_change, __cmk_change, __cmk_ticket, __cmk_seen, __cmk_error]
  user: {description: The user at the support desk or at the mail server., type: str, default: ''}
  token: {description: The token or password that belongs to O(user)., type: str, default: ''}
  api_key: {description: The organization API key with which Atlassian is asked., type: str, default: ''}
  retries: {description: How many attempts may follow the first at the support desk., type: int, default: 6}
  follow: {description: Whether to verify until there is nothing to wait for., type: bool, default: false}
  ending: {description: "The error with which the run ends; empty if it ends well.", type: str, default: ''}
  drill: {description: "How a drill began, the result of each part, and whether it went on to the revocation.", type: dict, default: {}}
  hosts: {description: All hosts of the play., type: list, elements: str, default: []}
  text: {description: The text to print., type: str, default: ''}
  template: {description: The role's template to print instead., type: str, default: ''}
  variables: {description: The variables of O(template)., type: dict, default: {}}
  warn: {description: Whether to print in the colour of warnings., type: bool, default: false}
attributes:
  action: {description: "Runs wholly on the controller, without a module process.", support: full}
  check_mode: {description: "Predicts in check mode what a real run would do, and changes nothing.", support: full}
  diff_mode: {description: What it writes are records., support: N/A}
  idempotent: {description: "When run twice in a row with the same arguments, the second run changes nothing.", support: full}
"""

EXAMPLES = r"""
- name: Say hello
  keyops.atlassian_cmk.step:
    do: show
    text: Hello
"""

RETURN = r"""
text: {description: The text that was printed., returned: with O(do=show), type: str, sample: Hello}
"""
