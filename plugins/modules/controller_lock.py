#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_lock
version_added: 1.0.0
short_description: Decide which of two simultaneous runs comments on the ticket
description:
  - Acquires or frees a lock, which belongs to the running C(ansible-playbook) and the inventory host.
  - A task never fails because another run holds the lock, unless O(required=true), nor because the lock cannot be written.
  - A lock is taken over when its run has ended on this machine, or has not refreshed the lock for 15 minutes. A damaged
    lock counts as free.
  - A run refreshes its lock when it acquires it again.
  - In check mode nothing is written, and no lock is acquired or respected.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  path:
    description:
      - The file that holds the lock.
    type: path
    required: true
  state:
    description:
      - V(held) acquires the lock, or refreshes it if this run holds it.
      - V(free) frees it, unless another run holds it.
    type: str
    choices: [held, free]
    default: held
  break:
    description:
      - Acquire the lock even if another run holds it.
    type: bool
    default: false
  inventory_host:
    description:
      - The inventory host, since two hosts with one C(cmk_org) share a lock.
      - The default is the host of the task.
    type: str
  required:
    description:
      - Fail if another run holds the lock.
    type: bool
    default: false
  has_token:
    description:
      - Whether the run uses a token of the support desk. If so, the task warns when Ansible is set to keep module files.
    type: bool
    default: false
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: N/A
    details: A lock is no change.
"""

EXAMPLES = r"""
- name: Acquire the lock
  keyops.atlassian_cmk.controller_lock:
    path: /tmp/cmk-reports/acme/lock.json

- name: Refuse to race another run
  keyops.atlassian_cmk.controller_lock:
    path: /tmp/cmk-reports/acme/lock.json
    required: true

- name: Free the lock
  keyops.atlassian_cmk.controller_lock:
    path: /tmp/cmk-reports/acme/lock.json
    state: free
"""

RETURN = r"""
path:
  description: The file that holds the lock.
  returned: always
  type: str
  sample: /tmp/cmk-reports/acme/lock.json
held:
  description: Whether this run holds the lock now.
  returned: always
  type: bool
  sample: true
holder:
  description: The other run that holds the lock; V(null) if none does.
  returned: always
  type: dict
  contains:
    pid:
      description: The process id of C(ansible-playbook).
      type: int
    boot_id:
      description: The boot of the machine; empty where it is unknown.
      type: str
    start_time:
      description: The start of the process in clock ticks since boot; empty where it is unknown.
      type: str
    pid_namespace:
      description: The namespace of the process id; empty where it is unknown.
      type: str
    host:
      description: The name of the machine.
      type: str
    inventory_host:
      description: The inventory host.
      type: str
    since:
      description: When the lock was acquired (UTC).
      type: str
    refreshed_at:
      description: When the lock was refreshed last (UTC).
      type: str
refusal:
  description: The message (C(code), C(error), C(hint)) for a run that goes on without the lock; empty if no other run holds it.
  returned: always
  type: dict
error:
  description: Why the lock could not be acquired, if the reason is not another run; empty otherwise.
  returned: always
  type: str
  sample: ""
"""
