#!/usr/bin/python
# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kms_realm_keys
version_added: 1.0.0
short_description: Enable or disable the AWS KMS keys of a whole realm at once
description:
  - Does what M(keyops.atlassian_cmk.kms_key_state) does for several keys, at the same time, in one process.
  - All changing calls are out before the first wait ends, and the failure of one key never stops the others.
  - If any key fails, the module fails, after all keys are dealt with; RV(keys) then tells each key's fate.
author:
  - The keyops.atlassian_cmk contributors (!UNKNOWN)
options:
  keys:
    description:
      - The keys, one per region as a rule. Each entry has either O(keys[].key_id) or O(keys[].alias_prefix).
    type: list
    elements: dict
    required: true
    suboptions:
      region:
        description:
          - The key's region. The default is O(region).
        type: str
      key_id:
        description:
          - The key, as key id, key ARN, alias name or alias ARN.
        type: str
      alias_prefix:
        description:
          - Stands for every key of the region that has an alias with this beginning (V(alias/cryptor)), each of them once.
            Upper and lower case count.
          - None at all is a failure, and so is an alias that belongs to no key.
          - Needs C(kms:ListAliases).
        type: str
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
  - module: keyops.atlassian_cmk.kms_key_state
"""

EXAMPLES = r"""
- name: Enable both keys of the realm United States
  keyops.atlassian_cmk.kms_realm_keys:
    keys:
      - region: us-east-1
        key_id: alias/atlassian-cmk
      - region: us-west-2
        key_id: alias/atlassian-cmk

- name: Enable all keys of Atlassian's BYOK in a region
  keyops.atlassian_cmk.kms_realm_keys:
    keys:
      - region: eu-central-1
        alias_prefix: alias/cryptor
"""

RETURN = r"""
keys:
  description:
    - One entry per key, in the given order, with all that M(keyops.atlassian_cmk.kms_key_state) returns. Keys that were found by
      O(keys[].alias_prefix) stand in the order of their aliases.
  returned: unless the role could not be assumed
  type: list
  elements: dict
  contains:
    region:
      description: The region.
      returned: always
      type: str
      sample: us-east-1
    reference:
      description: The reference that was given, or the alias that was found; O(keys[].alias_prefix) and a star if none was.
      returned: always
      type: str
      sample: alias/atlassian-cmk
    key_id:
      description: The key's id.
      returned: when the key was found
      type: str
    arn:
      description: The key's ARN.
      returned: when the key was found
      type: str
    account_id:
      description: The account that owns the key.
      returned: when the key was found
      type: str
    key_state:
      description: The key's state after the change (in check mode the predicted one).
      returned: when the key was found
      type: str
      sample: Enabled
    key_state_before:
      description: The key's state before.
      returned: when the key was found
      type: str
      sample: Disabled
    actions:
      description: The changing calls that were made (in check mode those that would be made).
      returned: always
      type: list
      elements: str
    changed:
      description: Whether any was made (or would be).
      returned: always
      type: bool
    calls:
      description: All calls that were made, in order, for the evidence. The first key of a region has its C(ListAliases) too.
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
          description: AWS's error code; empty if the call succeeded.
          type: str
          returned: always
    waited:
      description: How long AWS took to agree, in seconds.
      returned: always
      type: float
    code:
      description: A stable name of the reason for which the key was not brought to the wanted state; empty if it was.
      returned: always
      type: str
    error:
      description: What was seen and why it stops; empty if all is well.
      returned: always
      type: str
    hint:
      description: What to do next; empty if all is well.
      returned: always
      type: str
refusal:
  description: Why no key could be looked at.
  returned: when the role could not be assumed
  type: dict
  contains:
    code:
      description: A stable name of the reason.
      type: str
      returned: always
      sample: access_denied
    error:
      description: What was seen and why it stops.
      type: str
      returned: always
    hint:
      description: What to do next.
      type: str
      returned: always
"""

import re
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aliases import find
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import Outcome, set_key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._modules import (
    KEY_STATE_OPTIONS,
    clients,
    waiting,
    wish,
)

_KEY: t.Final = {
    "region": {"type": "str"},
    "key_id": {"type": "str", "no_log": False},
    "alias_prefix": {"type": "str"},
}
_WAYS: t.Final = ("key_id", "alias_prefix")

Key = dict[str, t.Any]


def _set_all(module: t.Any, keys: list[Key]) -> list[Outcome]:
    # boto3 makes clients safely in one thread only; the clients themselves may be used in any.
    kms = clients(module, "kms", [key["region"] for key in keys])

    def named(key: Key) -> list[Outcome]:
        if key["key_id"] is not None:
            return [Outcome(key["key_id"], key["region"])]
        return find(kms[key["region"]], key["region"], key["alias_prefix"], module.params["account_id"])

    def one(name: Outcome) -> Outcome:
        if name.refusal:
            return name
        outcome = set_key_state(
            kms[name.region],
            name.reference,
            name.region,
            wish(module.params),
            check_mode=module.check_mode,
            waiting=waiting(module.params),
        )
        outcome.calls[:0] = name.calls
        return outcome

    with ThreadPoolExecutor(max_workers=len(keys)) as pool:
        names = [name for found in pool.map(named, keys) for name in found]
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return list(pool.map(one, names))


def _report(module: t.Any, outcomes: list[Outcome]) -> None:
    nothing = {"code": "", "error": "", "hint": ""}
    keys = [{**outcome.as_result(), **(vars(outcome.refusal) if outcome.refusal else nothing)} for outcome in outcomes]
    result: dict[str, t.Any] = {"keys": keys, "changed": any(key["changed"] for key in keys)}
    if module._diff:
        result["diff"] = [outcome.as_diff() for outcome in outcomes if outcome.before]
    failed = [f"{outcome.region}: {outcome.refusal}" for outcome in outcomes if outcome.refusal]
    if failed:
        module.fail_json(msg=" ".join(failed), **result)
    module.exit_json(**result)


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "keys": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "no_log": False,
                "options": _KEY,
                "mutually_exclusive": [_WAYS],
                "required_one_of": [_WAYS],
            },
            **KEY_STATE_OPTIONS,
        },
        supports_check_mode=True,
    )
    keys = [{**key, "region": key["region"] or module.region} for key in module.params["keys"]]
    if not keys or not all(key["region"] for key in keys):
        module.fail_json(msg="A key without a region is given, or no key at all. Set region for each entry of keys.")
    if not all(
        re.fullmatch(r"alias/[a-zA-Z0-9/_-]+", "alias/x" if key["alias_prefix"] is None else key["alias_prefix"])
        for key in keys
    ):
        module.fail_json(msg="alias_prefix must be the beginning of an alias' name, such as alias/cryptor.")
    _report(module, _set_all(module, keys))


if __name__ == "__main__":
    main()
