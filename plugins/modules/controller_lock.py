#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_lock
version_added: 1.0.0
short_description: Keep two runs from being at work at the same time on one controller
description:
  - Takes or frees a lock, which belongs to the running C(ansible-playbook).
  - A lock whose run has died on this machine is taken over. A lock of another machine (a shared folder) is respected.
  - In check mode nothing is written, and no lock is taken or respected.
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
      - V(held) takes the lock, and fails if another run holds it. Taking it twice in one run is fine.
      - V(free) frees it, unless another run holds it.
    type: str
    choices: [held, free]
    default: held
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: N/A
    details: A lock is no change.
"""

EXAMPLES = r"""
- name: Be the only one
  keyops.atlassian_cmk.controller_lock:
    path: /tmp/cmk-reports/acme/lock.json

- name: Let others in
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
"""
