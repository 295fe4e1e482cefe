#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_key_revocation_info
version_added: 1.0.0
short_description: Find out when, how and by whom access to AWS KMS keys was revoked
description:
  - Reads CloudTrail's event history of each key and finds the current revocation, that is the loss of access that nothing has undone since.
  - A loss is undone only by what really undoes it. C(DisableKey) is undone by C(EnableKey), C(ScheduleKeyDeletion) by C(CancelKeyDeletion)
    and then C(EnableKey), C(DeleteImportedKeyMaterial) by C(ImportKeyMaterial), C(DisconnectCustomKeyStore) by C(ConnectCustomKeyStore).
    Calls that failed changed nothing.
  - A revocation begins with the first loss. Disabling a disabled key again, or scheduling its deletion, begins no new one.
  - C(PutKeyPolicy), C(RevokeGrant) and C(RetireGrant) may lock the vendor out of an enabled key, but are daily business as well. They are
    returned as RV(keys[].suspects) and never taken for the revocation.
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
      key_state: {description: "The key's state as C(DescribeKey) names it, for example V(Disabled). It only makes RV(keys[].reason) clearer.", type: str}
      custom_key_store_id:
        description: The id of the custom key store that holds the key, if one does. CloudTrail's events of a store name no key, so without
          this option the loss of the store is not found.
        type: str
      origin:
        description: Where the key material comes from, as C(DescribeKey) names it. With V(EXTERNAL), O(read_health) reads which of it is missing.
        type: str
  read_access: {description: "Whether to read each key's policy and grants as well (C(kms:GetKeyPolicy), C(kms:ListGrants)).", type: bool, default: false}
  read_health:
    description: Whether to read as well when each key was last used (C(kms:GetKeyLastUsage)), and which imported key material is missing
      (C(kms:ListKeyRotations)).
    type: bool
    default: false
  lookback_days: {description: "How many days to look back, from 1 to 90. CloudTrail keeps 90 days.", type: int, default: 90}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - keyops.atlassian_cmk.aws
  - keyops.atlassian_cmk.aws.lookup
notes:
  - Needs C(cloudtrail:LookupEvents), and with O(read_access) C(kms:GetKeyPolicy) and C(kms:ListGrants), with O(read_health)
    C(kms:GetKeyLastUsage) and for imported material C(kms:ListKeyRotations). C(sts:GetCallerIdentity) needs no permission.
  - A key that was enabled just now may still count as revoked.
  - A key with more than 500 events (a key in use) takes about ten seconds, since then each kind of event is looked up by its name. Of each
    kind, 500 events are read.
  - CloudTrail's times are whole seconds. Of a loss and a restoration in the same second, the order is the one that CloudTrail answers.
seealso:
  - module: keyops.atlassian_cmk.kms_key_state
"""

EXAMPLES = r"""
- name: Find out since when Atlassian has had no access
  keyops.atlassian_cmk.kms_key_revocation_info:
    keys:
      - key_arn: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
      - key_arn: arn:aws:kms:us-west-2:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321
  register: revocation

- name: Show it
  ansible.builtin.debug:
    msg: "Revoked at {{ revocation.revoked_at }} by {{ revocation['keys'] | map(attribute='revoked_by') | list }}"

- name: Read policies and grants as well
  keyops.atlassian_cmk.kms_key_revocation_info:
    keys:
      - region: us-east-1
        key_arn: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
        key_state: Enabled
    read_access: true
    lookback_days: 30
"""

RETURN = r"""
revoked_at:
  description:
    - When the organization lost the access that it is still without, ISO 8601 in UTC. Atlassian needs every key, so this is the loss of the
      first one.
    - V(null) if CloudTrail shows access to every key, or does not tell.
  returned: always
  type: str
  sample: "2026-11-20T08:15:00Z"
last_loss:
  description:
    - The last time that the organization was without access to a key, whether or not it is over.
    - V(null) if the events that were read show none.
  returned: always
  type: dict
  contains:
    revoked_at: {description: When the first key was lost., returned: always, type: str}
    lost_at: {description: When the last key was lost., returned: always, type: str}
    restored_at: {description: When every key was back; V(null) if one is still missing., returned: always, type: str}
identity:
  description:
    - Names RV(last_loss) by the ids of its events. It is the same before and after the restoration, and another one for another loss.
    - V(null) if there is no such loss, and also if the events of a key could not all be read, since a name made of fewer events would be
      another.
  returned: always
  type: str
  sample: us-east-1:6f0b2c1e-3a55-4d0e-9c3f-5f0e6a1b2c3d,us-west-2:0f9e8d7c-6b5a-4c3d-2e1f-0a9b8c7d6e5f
complete: {description: "Whether all events of the looked-back days were read, of every key.", returned: always, type: bool}
caller:
  description: Who made the calls (C(sts:GetCallerIdentity)); V(null) if AWS did not tell.
  returned: always
  type: dict
  contains:
    arn: {description: The ARN of the user or role session., returned: always, type: str}
    account_id: {description: The account., returned: always, type: str}
keys:
  description: One entry per given key, in the given order.
  returned: always
  type: list
  elements: dict
  contains:
    region: {description: The region., returned: always, type: str, sample: us-east-1}
    arn: {description: The ARN that was given., returned: always, type: str}
    looked_up: {description: Whether CloudTrail answered., returned: always, type: bool}
    complete:
      description: Whether all events were read that tell of access within O(lookback_days). If not, there were too many, or CloudTrail did
        not answer, and older events were not read.
      returned: always
      type: bool
    events:
      description: The events that tell of access to the key, the oldest first, failed calls included.
      returned: always
      type: list
      elements: dict
      contains:
        time: {description: ISO 8601 in UTC., returned: always, type: str, sample: "2026-11-20T08:15:00Z"}
        name: {description: The operation., returned: always, type: str, sample: DisableKey}
        user_arn:
          description: The ARN of the user or role session; where CloudTrail gives none, the AWS service or the user's name.
          returned: always
          type: str
          sample: arn:aws:sts::111122223333:assumed-role/security/operator
        source_ip: {description: The address that the call came from., returned: always, type: str, sample: 192.0.2.7}
        event_id: {description: The event's id., returned: always, type: str}
        error_code: {description: "AWS's error code if the call failed, else V(null).", returned: always, type: str}
        region: {description: The region., returned: always, type: str}
        automation:
          description: The automation that made the call, such as Terraform or AWS CloudFormation; empty if none is known.
          returned: always
          type: str
    revoked_at: {description: "When access was lost, ISO 8601 in UTC; V(null) if it is not, or if that is not known.", returned: always, type: str}
    revoked_by: {description: "Who took it away, as C(user_arn) of the event.", returned: always, type: str}
    revoked_how: {description: The operation that did it., returned: always, type: str, sample: DisableKey}
    event_id: {description: The id of that event., returned: always, type: str}
    automation: {description: "The automation that did it, such as Terraform, which will do it again.", returned: always, type: str}
    last_revocation: {description: "The same five facts of the latest loss, undone or not; V(null) if there is none.", returned: always, type: dict}
    restored_at: {description: When the latest loss was undone; V(null) if it is not., returned: always, type: str}
    suspects: {description: Those of the events that may have locked the vendor out of a key that is enabled., returned: always, type: list, elements: dict}
    reason:
      description: Why there is no RV(keys[].revoked_at), and whether older events were not read; V(null) if there is nothing to say.
      returned: always
      type: str
    refused_use:
      description: The last call by the vendor (O(context_tag), O(account_ids)) that failed because the key is disabled; V(null) if there is
        none. It is a sign, and no proof, that the key policy still admits the vendor. That there is none means nothing.
      returned: always
      type: dict
      contains:
        time: {description: ISO 8601 in UTC., returned: always, type: str}
        name: {description: The operation., returned: always, type: str, sample: Decrypt}
        account_id: {description: The account that called., returned: always, type: str}
        source_ip: {description: "The address, or the AWS service, that the call came from.", returned: always, type: str}
        event_id: {description: The event's id., returned: always, type: str}
    last_use:
      description: The last successful cryptographic operation, by any account, as AWS KMS records it. It is up to an hour late. V(null) if
        it could not be read.
      returned: when O(read_health) is set
      type: dict
      contains:
        time: {description: "ISO 8601 in UTC; V(null) if the key was not used since RV(keys[].last_use.tracked_since).", returned: always, type: str}
        operation: {description: The operation., returned: always, type: str, sample: Decrypt}
        event_id: {description: The id of CloudTrail's event., returned: always, type: str}
        tracked_since: {description: Since when AWS has recorded it for this key., returned: always, type: str}
        created_at: {description: When the key was created., returned: always, type: str}
    missing_material:
      description: The ids of the key material that must be imported again; V(null) if that could not be read.
      returned: when O(read_health) is set
      type: list
      elements: str
    health_reason: {description: Why a part of it could not be read; else V(null)., returned: when O(read_health) is set, type: str}
    policy:
      description: The key's policy, with all its lists sorted, so that two of them can be compared.
      returned: when O(read_access) is set
      type: dict
    grants:
      description: The key's grants, sorted by id; V(null) if not all of them could be read.
      returned: when O(read_access) is set
      type: list
      elements: dict
      contains:
        grant_id: {description: The grant's id., returned: always, type: str}
        grantee_principal: {description: "Who may use the key; for a grant to an AWS service, the service.", returned: always, type: str}
        operations: {description: "The operations, sorted.", returned: always, type: list, elements: str}
        name: {description: "The grant's name, if it has one.", returned: always, type: str}
        constraints: {description: "The encryption context that is required, in AWS's words.", returned: always, type: dict}
        retiring_principal: {description: "Who may retire the grant, if anybody is named.", returned: always, type: str}
    access_reason: {description: Why policy or grants could not be read; else V(null)., returned: when O(read_access) is set, type: str}
refusal:
  description: "Why nothing was looked at: C(code), a stable name of the reason; C(error), what was seen; C(hint), what to do next."
  returned: when the options cannot be used
  type: dict
"""

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation_info import SPEC, run
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._run import run_module


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
