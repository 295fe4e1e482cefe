# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    ASSUME_ROLE = r"""
options:
  assume_role_arn:
    description: The ARN of an IAM role to assume for the calls to AWS. It is assumed once for each run of the module, for all regions.
    type: str
  assume_role_external_id: {description: The external id that the role's trust policy asks for., type: str}
  assume_role_session_name: {description: "The session's name, as CloudTrail shows it.", type: str, default: keyops.atlassian_cmk}
"""

    WAITING = r"""
options:
  wait: {description: "Whether to wait, after a change, until AWS shows it reliably.", type: bool, default: true}
  wait_timeout:
    description:
      - How long to wait in all, in seconds, from the first call to the last. At the end of that time the module returns, even if AWS does
        not answer at all.
      - The calls themselves have ten seconds in any case.
    type: float
    default: 300
  wait_reads:
    description: How many reads in a row must show the change. While it spreads, AWS may answer the old state once more after the new one.
    type: int
    default: 3
  wait_delay: {description: Seconds between two reads., type: float, default: 1}
"""
