#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_file
version_added: 1.0.0
short_description: Keep a text in a file on the controller
description:
  - Writes a text into a file on the controller, readable by its owner only. Folders are made as needed.
  - A crash at any moment leaves the old or the new text, never a part.
  - New folders have mode 0700, the file 0600. No symbolic link is followed, and a file of another user is refused.
  - Unlike M(ansible.builtin.copy) it needs no module process, so a run with hundreds of organizations stays fast.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  path:
    description:
      - The file.
    type: path
    required: true
  content:
    description:
      - Its whole text.
    type: str
    required: true
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
"""

EXAMPLES = r"""
- name: Keep a note
  keyops.atlassian_cmk.controller_file:
    path: /tmp/cmk-reports/acme/note.txt
    content: "Both keys were enabled.\n"
"""

RETURN = r"""
path:
  description: The file.
  returned: on success
  type: str
  sample: /tmp/cmk-reports/acme/note.txt
"""
