# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  assume_role_arn:
    description:
      - The ARN of an IAM role to assume for the calls to AWS. It is assumed once for each run of the module, for all regions.
    type: str
  assume_role_external_id:
    description:
      - The external id that the role's trust policy asks for.
    type: str
  assume_role_session_name:
    description:
      - The session's name, as CloudTrail shows it.
    type: str
    default: keyops.atlassian_cmk
"""
