#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: byok_trust_statement
version_added: 1.0.0
short_description: Set the trust statement of Atlassian's BYOK back to Allow
description:
  - In the trust policy of IAM role C(atlassian-key-management), sets the one statement whose principal is
    C(arn:aws:iam::279766244153:role/Cryptor-OSB-Provider) back from C(Deny) to C(Allow), as Atlassian documents it for restoring access to
    BYOK encryption keys, and waits until AWS shows it.
  - Role and principal are Atlassian's and cannot be chosen. Nothing else of the policy is changed.
  - A statement that is not exactly as documented, a second one for the same principal, or another C(Deny) that may reach it, is refused
    with what was seen, and nothing is written. Check mode predicts that.
  - When the statement allows already, C(GetRole) is the only call.
author: The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  expected:
    description:
      - The trust policy that the change was planned with, as RV(policy_before) of a run in check mode.
      - If the policy has changed since, nothing is written.
    type: dict
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - keyops.atlassian_cmk.aws
  - keyops.atlassian_cmk.aws.change
notes:
  - Needs C(iam:GetRole), and C(iam:UpdateAssumeRolePolicy) where something is to be changed.
  - IAM is one service for all regions, so O(region) has no effect.
  - IAM takes no condition for a write. The policy is read right before it, and what somebody else writes in the moment between would be
    lost.
seealso:
  - module: keyops.atlassian_cmk.kms_key_state
  - name: Restore access to your BYOK encryption keys
    description: Atlassian's own page.
    link: https://support.atlassian.com/security-and-access-policies/docs/restore-your-byok-encryption-keys/
"""

EXAMPLES = r"""
- name: Let Atlassian's BYOK assume its role again
  keyops.atlassian_cmk.byok_trust_statement:
    account_id: "111122223333"
"""

RETURN = r"""
role_name: {description: The role., returned: unless no role could be assumed, type: str, sample: atlassian-key-management}
role_arn: {description: The role's ARN., returned: when the role was found, type: str, sample: arn:aws:iam::111122223333:role/atlassian-key-management}
account_id: {description: The account that owns the role., returned: when the role was found, type: str, sample: "111122223333"}
effect_before: {description: The statement's effect before., returned: when the policy is as documented, type: str, sample: Deny}
effect:
  description: The statement's effect after the change (in check mode the predicted one).
  returned: when the policy is as documented
  type: str
  sample: Allow
policy_before: {description: The trust policy before., returned: when the role was found, type: dict}
policy: {description: The trust policy after the change (in check mode the predicted one)., returned: when the role was found, type: dict}
actions:
  description: The changing calls that were made (in check mode those that would be made).
  returned: unless no role could be assumed
  type: list
  elements: str
  sample: [UpdateAssumeRolePolicy]
calls:
  description: All calls that were made, in order, for the evidence.
  returned: unless no role could be assumed
  type: list
  elements: dict
  contains:
    operation: {description: The operation., returned: always, type: str, sample: GetRole}
    at: {description: "When it was called, in UTC.", returned: always, type: str, sample: "2026-11-24T03:00:00Z"}
    error:
      description: AWS's error code; empty if the call succeeded, V(NoAnswer) if AWS had not answered when the time was over.
      type: str
      returned: always
    request_id: {description: AWS's id of the request; empty if AWS did not give one., returned: always, type: str}
waited: {description: "How long AWS took to show the change, in seconds.", returned: unless no role could be assumed, type: float, sample: 2.0}
code:
  description: A stable name of the reason for which the statement was not set; empty if all is well.
  returned: unless no role could be assumed
  type: str
error: {description: What was seen and why it stops; empty if all is well., returned: unless no role could be assumed, type: str}
hint: {description: What to do next; empty if all is well., returned: unless no role could be assumed, type: str}
refusal:
  description: "Why IAM could not be asked: C(code), a stable name of the reason; C(error), what was seen; C(hint), what to do next."
  returned: when O(assume_role_arn) could not be assumed
  type: dict
"""

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust_statement import SPEC, run
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._run import run_module


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
