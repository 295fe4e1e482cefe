#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: show
version_added: 1.0.0
short_description: Print text to the screen as it is
description:
  - Prints text without quotes or escapes, whatever the format of the callback, so that it can be read and pasted.
  - Callbacks whose output a machine reads (json, jsonl) get no bare lines; the text is in the result.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  text:
    description:
      - The text, of any number of lines. Either this or O(template) is needed.
    type: str
  template:
    description:
      - One of the role's templates, by its file's name, to print the text from. Only what stands in O(variables) is known to it.
    type: str
  variables:
    description:
      - The variables for O(template).
    type: dict
    default: {}
  warn:
    description:
      - Whether to print it in the colour of warnings.
    type: bool
    default: false
extends_documentation_fragment:
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.on_controller
attributes:
  diff_mode:
    support: N/A
    details: Nothing is changed.
"""

EXAMPLES = r"""
- name: Say hello
  keyops.atlassian_cmk.show:
    text: Hello
"""

RETURN = r"""
text:
  description: The text.
  returned: always
  type: str
  sample: Hello
"""
