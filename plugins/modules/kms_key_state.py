#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_state
version_added: 1.0.0
short_description: Enable or disable existing AWS KMS keys
description:
  - Brings one existing KMS key (O(key_id)), or the keys of several regions at the same time (O(keys)), to the wanted state with the fewest
    calls, and waits until AWS reports the change.
  - When a key is as wanted, C(DescribeKey) is the only call.
  - Every key state of AWS's table is either brought to the wanted state or refused with a sentence that says why and what to do next; check
    mode predicts both.
  - With O(keys), all changing calls are out before the first wait ends, and the failure of one key never stops the others. A region that
    does not answer delays no other one. It is retried beside them until O(wait_timeout) is over; after that the module returns what it
    knows. If any key fails, the module fails after all keys are processed.
author: The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  key_id:
    description:
      - The key, as key id, key ARN, alias name (V(alias/atlassian-cmk)) or alias ARN.
      - An ARN of another region than O(region), or of another account than O(account_id), is refused before any call.
      - Exactly one of O(key_id) and O(keys) is required.
    type: str
  keys:
    description: The keys, one per region as a rule. Each entry has either O(keys[].key_id) or O(keys[].alias_prefix).
    type: list
    elements: dict
    suboptions:
      region: {description: The key's region. The default is O(region)., type: str}
      key_id: {description: "The key, as O(key_id) takes it.", type: str}
      alias_prefix:
        description:
          - Stands for every key of the region that has an alias with this beginning (V(alias/cryptor)), each of them once. Upper and lower
            case count.
          - None at all is a failure, and so is an alias that belongs to no key.
          - Needs C(kms:ListAliases).
          - At most 10,000 aliases are read. If there are more, the module deals with those and then fails.
        type: str
      expected_arn:
        description:
          - The ARN of the key that O(keys[].key_id) must resolve to, as RV(arn) of check mode named it. If it resolves to another key by
            now, neither is changed (RV(keys[].code) is V(alias_moved)).
          - Changes are always made on the key that C(DescribeKey) has just returned.
        type: str
  state:
    description:
      - The state that is wanted.
      - V(enabled) calls C(kms:EnableKey) if needed, V(disabled) calls C(kms:DisableKey) if needed.
    type: str
    choices: [enabled, disabled]
    default: enabled
  cancel_deletion:
    description:
      - Whether a scheduled deletion may be cancelled on the way (C(kms:CancelKeyDeletion)).
      - Without it, a key that is scheduled for deletion is refused, since the deletion may be meant.
    type: bool
    default: false
  prove_permission:
    description:
      - Whether to prove that C(kms:EnableKey) is permitted, for a rehearsal. The module then changes no key. It predicts, as in check mode,
        and calls C(EnableKey) on each key that is Enabled.
      - AWS permits the call in that state, and nothing changes. It is a write all the same, which CloudTrail records.
      - A key in another state gets no call. C(DescribeKey) reads the state immediately before. In check mode nothing is called, and
        RV(proof) announces it.
      - The module fails if AWS refuses the call.
    type: bool
    default: false
  plan_timeout:
    description:
      - With O(keys), how long each region may take in check mode, in seconds. It has two attempts; one that does not answer is refused with
        RV(keys[].code) V(not_reached) and does not delay the others.
      - Outside of check mode, and with O(key_id), O(wait_timeout) counts.
    type: float
    default: 5
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - keyops.atlassian_cmk.aws
  - keyops.atlassian_cmk.aws.change
notes:
  - Nothing is ever created, deleted, tagged or given another policy. A reference that does not exist is an error.
seealso:
  - module: keyops.atlassian_cmk.kms_key_revocation_info
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

- name: Enable both keys of the realm United States
  keyops.atlassian_cmk.kms_key_state:
    keys:
      - region: us-east-1
        key_id: alias/atlassian-cmk
      - region: us-west-2
        key_id: alias/atlassian-cmk

- name: Enable all keys of Atlassian's BYOK in a region
  keyops.atlassian_cmk.kms_key_state:
    keys:
      - region: eu-central-1
        alias_prefix: alias/cryptor
"""

RETURN = r"""
keys:
  description: One entry per key, in the given order, with all that is returned for one key, apart from RV(refusal). Keys that were found by
    O(keys[].alias_prefix) stand in the order of their aliases.
  returned: with O(keys), unless nothing was looked at
  type: list
  elements: dict
  contains:
    changed: {description: Whether any changing call was made (or would be)., returned: always, type: bool}
    code: {description: A stable name of the reason for which the key was not brought to the wanted state; empty if it was., returned: always, type: str}
    error: {description: What was seen and why it stops; empty if all is well., returned: always, type: str}
    hint: {description: What to do next; empty if all is well., returned: always, type: str}
found:
  description: The keys that were found, with their state before, in the form in which M(keyops.atlassian_cmk.kms_key_revocation_info) takes
    its O(keyops.atlassian_cmk.kms_key_revocation_info#module:keys).
  returned: with O(keys), unless nothing was looked at
  type: list
  elements: dict
  contains:
    region: {description: The region., returned: always, type: str, sample: us-east-1}
    key_arn: {description: The key's ARN., returned: always, type: str}
    key_state: {description: The key's state before., returned: always, type: str, sample: Disabled}
    custom_key_store_id: {description: The custom key store that holds the key., returned: when one does, type: str}
    origin: {description: Where the key material comes from., returned: when AWS gives it, type: str, sample: AWS_KMS}
clock_offset:
  description: How many seconds AWS's clock is ahead of this machine's, by the C(Date) header of C(DescribeKey)'s answers (the median of
    several), accurate to about half a second. V(null) if AWS did not answer.
  returned: with O(keys), unless nothing was looked at
  type: float
  sample: -0.3
session_ends_at:
  description: When the session with AWS ends and a person must log in again, in ISO 8601 and UTC. V(null) if it does not end, is renewed
    without a person, or names no end.
  returned: with O(keys), unless nothing was looked at
  type: str
  sample: "2026-11-28T06:07:06Z"
key_id:
  description: The key's id. This and the following are returned with O(key_id), and stand in the entries of RV(keys).
  returned: when the key was found
  type: str
  sample: 1234abcd-12ab-34cd-56ef-1234567890ab
arn:
  description: The key's ARN.
  returned: when the key was found
  type: str
  sample: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
reference:
  description: The reference that was given, or the alias that was found; O(keys[].alias_prefix) and a star if none was.
  returned: always
  type: str
  sample: alias/atlassian-cmk
region: {description: The region., returned: always, type: str, sample: us-east-1}
account_id: {description: The account that owns the key., returned: when the key was found, type: str, sample: "111122223333"}
key_state:
  description: The key's state in AWS's words, after the change (in check mode the predicted one).
  returned: when the key was found
  type: str
  sample: Enabled
key_state_before: {description: The key's state before., returned: when the key was found, type: str, sample: Disabled}
actions:
  description: The changing calls that were made, in order (in check mode those that would be made).
  returned: always
  type: list
  elements: str
  sample: [EnableKey]
calls:
  description: All calls that were made, in order, for the evidence. The first key of a region has its C(ListAliases) too.
  returned: always
  type: list
  elements: dict
  contains:
    operation: {description: The operation., returned: always, type: str, sample: EnableKey}
    at: {description: "When it was called, in UTC.", returned: always, type: str, sample: "2026-11-24T03:00:00Z"}
    error:
      description: AWS's error code; empty if the call succeeded, V(NoAnswer) if AWS had not answered when the time was over.
      type: str
      returned: always
    request_id: {description: AWS's id of the request; empty if AWS did not give one., returned: always, type: str}
waited: {description: "How long AWS took to agree, in seconds.", returned: always, type: float, sample: 2.0}
proof:
  description: The call that proves a permission.
  returned: with O(prove_permission), if the key is Enabled
  type: dict
  contains:
    operation: {description: The operation., returned: always, type: str, sample: EnableKey}
    at: {description: "When AWS permitted it, in UTC; V(null) in check mode and if AWS refused it.", returned: always, type: str}
refusal:
  description: Why the key was not brought to the wanted state, or why no key could be looked at.
  returned: on failure
  type: dict
  contains:
    code: {description: A stable name of the reason., returned: on failure, type: str, sample: pending_deletion}
    error: {description: What was seen and why it stops., returned: on failure, type: str}
    hint: {description: What to do next., returned: on failure, type: str}
creation_date:
  description: When the key was created. This and the following are C(KeyMetadata) of C(DescribeKey) in snake_case, as far as AWS gives it.
  returned: when the key was found
  type: str
enabled: {description: Whether AWS calls the key enabled., returned: when the key was found, type: bool}
description: {description: The key's description., returned: when the key was found, type: str}
key_usage: {description: What the key may be used for., returned: when the key was found, type: str, sample: ENCRYPT_DECRYPT}
key_manager: {description: Who manages the key., returned: when the key was found, type: str, sample: CUSTOMER}
key_spec: {description: The kind of key material., returned: when the key was found, type: str, sample: SYMMETRIC_DEFAULT}
origin: {description: Where the key material comes from., returned: when the key was found, type: str, sample: AWS_KMS}
multi_region:
  description: Whether this is a multi-Region key. Its replicas are enabled and disabled on their own.
  returned: when the key was found
  type: bool
valid_to: {description: When imported key material expires., returned: when imported key material expires, type: str}
deletion_date: {description: When the key is deleted., returned: when the key is scheduled for deletion, type: str}
"""

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.key_state import SPEC, run
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._run import run_module


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
