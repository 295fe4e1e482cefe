#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_state
version_added: 1.0.0
short_description: Enable or disable one existing AWS KMS key
description:
  - Brings one existing KMS key in one region to the wanted state with the fewest calls, and waits until AWS reports the change.
  - When the key is as wanted, C(DescribeKey) is the only call.
  - Every key state of AWS's table is either brought to the wanted state or refused with a sentence that says why and
    what to do next; check mode predicts both.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  key_id:
    description:
      - The key, as key id, key ARN, alias name (V(alias/atlassian-cmk)) or alias ARN.
      - An ARN of another region than O(region), or of another account than O(account_id), is refused before any call.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - keyops.atlassian_cmk.key_state
  - keyops.atlassian_cmk.waiting
  - keyops.atlassian_cmk.assume_role
  - keyops.atlassian_cmk.attributes
  - keyops.atlassian_cmk.attributes.aws_group
seealso:
  - module: keyops.atlassian_cmk.kms_realm_keys
  - module: amazon.aws.kms_key
"""

EXAMPLES = r"""
- name: Enable a key
  keyops.atlassian_cmk.kms_key_state:
    region: us-east-1
    key_id: alias/atlassian-cmk

- name: Enable a key of a certain account, even if it is scheduled for deletion
  keyops.atlassian_cmk.kms_key_state:
    region: us-west-2
    key_id: alias/atlassian-cmk
    account_id: "111122223333"
    cancel_deletion: true

- name: Disable a key
  keyops.atlassian_cmk.kms_key_state:
    region: us-east-1
    key_id: alias/atlassian-cmk
    state: disabled
"""

RETURN = r"""
key_id:
  description: The key's id.
  returned: when the key was found
  type: str
  sample: 1234abcd-12ab-34cd-56ef-1234567890ab
arn:
  description: The key's ARN.
  returned: when the key was found
  type: str
  sample: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
reference:
  description: The reference that was given as O(key_id).
  returned: always
  type: str
  sample: alias/atlassian-cmk
region:
  description: The region.
  returned: always
  type: str
  sample: us-east-1
account_id:
  description: The account that owns the key.
  returned: when the key was found
  type: str
  sample: "111122223333"
key_state:
  description: The key's state in AWS's words, after the change (in check mode the predicted one).
  returned: when the key was found
  type: str
  sample: Enabled
key_state_before:
  description: The key's state before.
  returned: when the key was found
  type: str
  sample: Disabled
actions:
  description: The changing calls that were made, in order (in check mode those that would be made).
  returned: always
  type: list
  elements: str
  sample: [EnableKey]
calls:
  description: All calls that were made, in order, for the evidence.
  returned: always
  type: list
  elements: dict
  contains:
    operation:
      description: The operation.
      type: str
      returned: always
      sample: EnableKey
    at:
      description: When it was called, in UTC.
      type: str
      returned: always
      sample: "2026-11-24T03:00:00Z"
    error:
      description: AWS's error code; empty if the call succeeded, V(NoAnswer) if AWS had not answered when the time was over.
      type: str
      returned: always
    request_id:
      description: AWS's id of the request; empty if AWS did not give one.
      type: str
      returned: always
waited:
  description: How long AWS took to agree, in seconds.
  returned: always
  type: float
  sample: 2.0
refusal:
  description: Why the key was not brought to the wanted state.
  returned: on failure
  type: dict
  contains:
    code:
      description: A stable name of the reason.
      type: str
      returned: on failure
      sample: pending_deletion
    error:
      description: What was seen and why it stops.
      type: str
      returned: on failure
    hint:
      description: What to do next.
      type: str
      returned: on failure
creation_date:
  description: When the key was created. This and the following are C(KeyMetadata) of C(DescribeKey) in snake_case, as far as AWS gives it.
  returned: when the key was found
  type: str
enabled:
  description: Whether AWS calls the key enabled.
  returned: when the key was found
  type: bool
description:
  description: The key's description.
  returned: when the key was found
  type: str
key_usage:
  description: What the key may be used for.
  returned: when the key was found
  type: str
  sample: ENCRYPT_DECRYPT
key_manager:
  description: Who manages the key.
  returned: when the key was found
  type: str
  sample: CUSTOMER
key_spec:
  description: The kind of key material.
  returned: when the key was found
  type: str
  sample: SYMMETRIC_DEFAULT
origin:
  description: Where the key material comes from.
  returned: when the key was found
  type: str
  sample: AWS_KMS
multi_region:
  description: Whether this is a multi-Region key. Its replicas are enabled and disabled on their own.
  returned: when the key was found
  type: bool
deletion_date:
  description: When the key is deleted.
  returned: when the key is scheduled for deletion
  type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import begin, wait_for
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import Outcome, give_up, set_key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._modules import (
    KEY_STATE_OPTIONS,
    clients,
    deadline,
    waiting,
    wish,
)


def _report(module: t.Any, outcome: Outcome) -> None:
    result = outcome.as_result()
    if module._diff and outcome.before:
        result["diff"] = outcome.as_diff()
    if outcome.refusal:
        module.fail_json(msg=str(outcome.refusal), refusal=vars(outcome.refusal), **result)
    module.exit_json(**result)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={"key_id": {"type": "str", "required": True, "no_log": False}, **KEY_STATE_OPTIONS},
        supports_check_mode=True,
    )
    if not module.region:
        module.fail_json(msg="No region is given. Set region, or AWS_REGION in the environment.")
    until, wanted, waits = deadline(module.params), wish(module.params), waiting(module.params)
    kms = clients(module, "kms", [module.region], until)[module.region]
    outcome = Outcome(module.params["key_id"], module.region)
    work = begin(lambda: set_key_state(kms, outcome, wanted, check_mode=module.check_mode, waiting=waits))
    wait_for([work], until)
    _report(module, give_up(outcome, wanted, waits, until.missed()))


if __name__ == "__main__":
    main()
