# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Modules that change something.
    CHANGE = r"""
options:
  account_id:
    description:
      - The AWS account (12 digits) that must own what is changed.
      - What belongs to another account is refused; without this option the owner is not checked.
    type: str
  plan_timeout:
    description: How long check mode may take, in seconds. Outside of check mode O(wait_timeout) counts.
    type: float
    default: 5
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
attributes:
  check_mode:
    description: Can run in check mode and return the changed status and the refusals that a real run would bring, without changing anything.
    support: full
  diff_mode: {description: "Will return details on what has changed (or would change in check mode), when in diff mode.", support: full}
  idempotent: {description: "When run twice in a row with the same arguments, the second run changes nothing.", support: full}
notes:
  - Calls are retried by botocore (mode V(standard), 12 attempts in all, 5 seconds to connect, 20 seconds to answer). O(aws_config)
    overrides this.
"""

    # Modules that ask CloudTrail.
    LOOKUP = r"""
options:
  context_tag:
    description: A call is by the vendor if its encryption context holds this word, as a name or value or as a part of one.
    type: str
    default: ''
  account_ids: {description: A call is by the vendor also if one of these accounts made it., type: list, elements: str, default: []}
  timeout:
    description: How long the module may take, in seconds. What AWS has not answered by then is returned as not looked up, with a reason.
    type: float
    default: 30
attributes:
  check_mode: {description: "Changes nothing, so it does the same in check mode.", support: full}
  diff_mode: {description: "Changes nothing, so there is no difference to show.", support: N/A}
  idempotent: {description: "Changes nothing, however often it runs.", support: full}
notes:
  - CloudTrail shows an event only after up to 15 minutes.
  - CloudTrail takes two requests a second, and the module keeps to that in each region. A key with few events takes one request.
  - Calls are retried by botocore (mode V(standard), 5 attempts in all, 5 seconds to connect, 20 seconds to answer). O(aws_config)
    overrides this.
"""

    # All of them.
    DOCUMENTATION = r"""
options:
  assume_role_arn:
    description: The ARN of an IAM role to assume for the calls to AWS. It is assumed once for each run of the module, for all regions.
    type: str
  assume_role_external_id: {description: The external id that the role's trust policy asks for., type: str}
  assume_role_session_name: {description: "The session's name, as CloudTrail shows it.", type: str, default: keyops.atlassian_cmk}
attributes:
  action_group:
    description: Use C(group/keyops.atlassian_cmk.aws) in C(module_defaults) to set defaults for this module and for those of amazon.aws.
    support: full
    membership: [keyops.atlassian_cmk.aws]
"""
