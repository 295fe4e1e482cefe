#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_use_info
version_added: 1.0.0
short_description: Find out since when another account uses AWS KMS keys again
description:
  - Reads CloudTrail's event history of each key and finds the first cryptographic operation by the account that you wait for. That proves
    that this account has access to the key, which its state V(Enabled) does not.
  - Any other account may use the key as well. O(context_tag) or O(account_ids) identifies the vendor that you wait for. Without either, no
    use is proof, and RV(keys[].unattributed_use) names the last one.
  - Counts C(Decrypt), C(Encrypt), C(ReEncrypt) and the C(GenerateDataKey) operations. Calls that failed, calls by the key's own account,
    and calls that work in every key state (C(DescribeKey)) prove nothing.
  - Never fails for what AWS answers or does not answer. What could not be found out is V(null), with a reason.
author: The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  keys:
    description: The keys, one per region as a rule. All are looked up at the same time.
    type: list
    elements: dict
    required: true
    suboptions:
      key_arn: {description: "The key's ARN, not an alias.", type: str, required: true}
      region: {description: "The key's region. The default is the region in O(keys[].key_arn).", type: str}
      since:
        description:
          - Since when to look, ISO 8601; without a time zone, in UTC. As a rule, this is when the key was enabled.
          - CloudTrail keeps 90 days.
        type: str
        required: true
  ask_last_use:
    description:
      - Whether to ask AWS KMS first when each key was last used (C(GetKeyLastUsage)), and to fetch that one event from CloudTrail. If the
        event is proof, no other is searched, and RV(keys[].is_first) is false.
      - If AWS KMS cannot tell (an old boto3, no permission) or the event is no proof, CloudTrail is searched.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - keyops.atlassian_cmk.aws
  - keyops.atlassian_cmk.aws.lookup
notes:
  - Needs C(cloudtrail:LookupEvents). O(ask_last_use) needs C(kms:GetKeyLastUsage).
  - AWS KMS records the last use of a key after up to an hour.
  - A key in use takes up to 24 requests, which is about twelve seconds.
  - Calls by another account that are denied are logged in that account only.
seealso:
  - module: keyops.atlassian_cmk.kms_key_revocation_info
"""

EXAMPLES = r"""
- name: Find out whether Atlassian uses the keys again
  keyops.atlassian_cmk.kms_key_use_info:
    keys:
      - key_arn: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
        since: "2026-11-24T03:00:09Z"
      - key_arn: arn:aws:kms:us-west-2:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321
        since: "2026-11-24T03:00:09Z"
    context_tag: AcmeCMK
  register: use

- name: Show it
  ansible.builtin.debug:
    msg: "{{ use['keys'] | map(attribute='first_use') | list }}"
"""

RETURN = r"""
keys:
  description: One entry per given key, in the given order.
  returned: always
  type: list
  elements: dict
  contains:
    region: {description: The region., returned: always, type: str, sample: us-east-1}
    arn: {description: The ARN that was given., returned: always, type: str}
    since: {description: "The beginning of the time that was looked at, ISO 8601 in UTC.", returned: always, type: str, sample: "2026-11-24T03:00:09Z"}
    looked_up: {description: Whether CloudTrail answered., returned: always, type: bool}
    first_use:
      description: The first use that proves access; V(null) if there is none or it is not known.
      returned: always
      type: dict
      contains:
        time: {description: ISO 8601 in UTC., returned: always, type: str, sample: "2026-11-24T09:12:40Z"}
        name: {description: The operation., returned: always, type: str, sample: Decrypt}
        account_id: {description: The account that called., returned: always, type: str, sample: "444455556666"}
        source_ip: {description: "The address, or the AWS service, that the call came from.", returned: always, type: str}
        event_id: {description: The event's id., returned: always, type: str}
    unattributed_use:
      description: The last use by another account that neither O(context_tag) nor O(account_ids) identifies, with the same fields; V(null)
        if there is none, or if RV(keys[].first_use) is known.
      returned: always
      type: dict
    is_first:
      description: Whether no earlier use can exist. If not, there were too many events to read, or it is the last use. The key was used by
        RV(keys[].first_use) at the latest.
      returned: always
      type: bool
    last_use:
      description: The last use by any account, as AWS KMS records it, up to an hour late; V(null) without O(ask_last_use), or if AWS KMS does not tell.
      returned: always
      type: dict
      contains:
        time: {description: ISO 8601 in UTC; V(null) if the key was not used., returned: always, type: str}
        operation: {description: The operation., returned: always, type: str, sample: Decrypt}
        event_id: {description: The id of CloudTrail's event., returned: always, type: str}
        tracked_since: {description: Since when AWS has recorded it for this key., returned: always, type: str}
        created_at: {description: When the key was created., returned: always, type: str}
    code: {description: A stable name of the reason why CloudTrail did not answer; empty if it did., returned: always, type: str}
    reason: {description: "Why there is no RV(keys[].first_use); else V(null).", returned: always, type: str}
refusal:
  description: "Why nothing was looked at: C(code), a stable name of the reason; C(error), what was seen; C(hint), what to do next."
  returned: when the options cannot be used
  type: dict
"""

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.use_info import SPEC, run
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._run import run_module


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
