# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unfit_credentials
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
version_added: 1.0.0
short_description: Name the credentials for desk and mail that are not one line of text
description:
  - A line end inside a token would end the header, and the error would show the token.
  - Returns names only, never values.
positional: token, mail_user, mail_password
options:
  _input:
    description: The user. Without one, the token is sent as a Bearer token, and must be ASCII.
    type: raw
    required: true
  token:
    description: The token.
    type: raw
    required: true
  mail_user:
    description: The user of the mail server.
    type: raw
  mail_password:
    description: The password of the mail server.
    type: raw
"""

EXAMPLES = r"""
- name: Tell whether the credentials can be sent
  ansible.builtin.debug:
    msg: "{{ 'operator@example.com' | keyops.atlassian_cmk.unfit_credentials(lookup('ansible.builtin.env', 'CMK_SUPPORT_TOKEN')) }}"
"""

RETURN = r"""
_value:
  description: Those of C(cmk_support_user), C(cmk_support_token), C(cmk_mail_user) and C(cmk_mail_password).
  type: list
  elements: str
"""

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import unfit_credentials


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"unfit_credentials": unfit_credentials}
