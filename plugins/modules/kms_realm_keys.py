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
  - A region that does not answer delays no other one. It is retried beside them until O(wait_timeout) is over; after that the
    module returns what it knows.
  - If any key fails, the module fails after all keys are processed. RV(keys) reports the outcome of each key.
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
          - At most 10,000 aliases are read. If there are more, the module deals with those and then fails.
        type: str
      expected_arn:
        description:
          - The ARN of the key that O(keys[].key_id) must resolve to, as RV(keys[].arn) of check mode named it. If it resolves to
            another key by now, neither is changed (RV(keys[].code) is V(alias_moved)).
          - Changes are always made on the key that C(DescribeKey) has just returned.
        type: str
  plan_timeout:
    description:
      - How long each region may take in check mode, in seconds. It has two attempts; one that does not answer is refused with
        RV(keys[].code) V(not_reached) and does not delay the others.
      - Outside of check mode O(wait_timeout) counts.
    type: float
    default: 5
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
  returned: unless AWS refused to let the role be assumed
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
found:
  description: The keys that were found, in the form in which M(keyops.atlassian_cmk.kms_key_revocation_info) takes them.
  returned: always
  type: list
  elements: dict
clock_offset:
  description:
    - How many seconds AWS's clock is ahead of this machine's, by the C(Date) header of C(DescribeKey)'s answers (the median of several),
      accurate to about half a second. V(null) if AWS did not answer.
  returned: unless AWS refused to let the role be assumed
  type: float
  sample: -0.3
refusal:
  description: Why no key could be looked at.
  returned: when AWS refused to let the role be assumed
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

import dataclasses
import functools
import re
import statistics
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aliases import find
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline, begin, wait_for
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._key_states import Wish, is_key_arn
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import Outcome, give_up, set_key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._modules import (
    KEY_STATE_OPTIONS,
    PLAN_OPTIONS,
    Patience,
    clients_of,
    deadline,
    plan_deadline,
    waiting,
    wish,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._progress import Progress, report
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._propagation import Waiting
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError

_KEY: t.Final = {
    "region": {"type": "str"},
    "key_id": {"type": "str", "no_log": False},
    "alias_prefix": {"type": "str"},
    "expected_arn": {"type": "str"},
}
_WAYS: t.Final = ("key_id", "alias_prefix")
_REPORT_EVERY: t.Final = 5  # seconds

Key = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class _Work:
    """What is to be done with all keys, and by when."""

    wish: Wish
    waiting: Waiting | None
    check_mode: bool
    until: Deadline
    patience: Patience


def _work(module: t.Any) -> _Work:
    params = module.params
    until, patience = plan_deadline(params) if module.check_mode else (deadline(params), Patience())
    return _Work(wish(params), waiting(params), module.check_mode, until, patience)


def _set_all(module: t.Any, keys: list[Key], work: _Work) -> list[Outcome]:
    entries = [[Outcome(_reference(key), key["region"], key["expected_arn"])] for key in keys]
    try:
        # boto3 makes clients safely in one thread only; the clients themselves may be used in any.
        kms = clients_of(module, ["kms"], [key["region"] for key in keys], work.patience, work.until)["kms"]
    except RefusedError as refused:
        if refused.refusal.code != "not_reached":
            module.fail_json(msg=str(refused), refusal=vars(refused.refusal))
        return [dataclasses.replace(outcome, refusal=refused.refusal) for (outcome,) in entries]
    if work.check_mode:
        # What a busy machine needs to make the clients is none of the regions' time.
        work = dataclasses.replace(work, until=Deadline(work.until.seconds))
    futures = [
        begin(functools.partial(_set_entry, kms[key["region"]], key, outcomes, work))
        for key, outcomes in zip(keys, entries, strict=True)
    ]
    every = 0 if work.check_mode else _REPORT_EVERY
    wait_for(futures, work.until, every, lambda: _report_waiting(entries, work))
    reason = f"not reachable yet, {work.until.missed()}" if work.check_mode else work.until.missed()
    return [give_up(outcome, work.wish, work.waiting, reason) for outcomes in entries for outcome in list(outcomes)]


def _reference(key: Key) -> str:
    return f"{key['alias_prefix']}*" if key["key_id"] is None else str(key["key_id"])


def _set_entry(client: t.Any, key: Key, outcomes: list[Outcome], work: _Work) -> None:
    """Deal with one entry of the option; the outcomes are those of its keys as soon as these are known."""
    if key["alias_prefix"] is not None:
        outcomes[:] = find(client, outcomes[0].calls, key["region"], key["alias_prefix"], work.wish.account_id)
    futures = [
        begin(
            functools.partial(
                set_key_state, client, outcome, work.wish, check_mode=work.check_mode, waiting=work.waiting
            )
        )
        for outcome in outcomes
        if not outcome.refusal
    ]
    for future in futures:
        future.result()


def _report_waiting(entries: list[list[Outcome]], work: _Work) -> None:
    """Report each region that is not done."""
    open_ = [outcome for outcomes in entries for outcome in list(outcomes) if not (outcome.is_done or outcome.refusal)]
    for region in dict.fromkeys(outcome.region for outcome in open_):
        states = {outcome.last_state or outcome.before for outcome in open_ if outcome.region == region}
        report(
            Progress(
                region,
                work.wish.key_state,
                states=tuple(sorted(state for state in states if state)),
                waited=work.until.elapsed(),
            )
        )


def _clock_offset(outcomes: list[Outcome]) -> float | None:
    offsets = [outcome.clock_offset for outcome in outcomes if outcome.clock_offset is not None]
    return round(statistics.median(offsets), 1) if offsets else None


def _report(module: t.Any, outcomes: list[Outcome]) -> None:
    nothing = {"code": "", "error": "", "hint": ""}
    keys = [{**outcome.as_result(), **(vars(outcome.refusal) if outcome.refusal else nothing)} for outcome in outcomes]
    result: dict[str, t.Any] = {"keys": keys, "changed": any(key["changed"] for key in keys)}
    result["clock_offset"] = _clock_offset(outcomes)
    names = {
        "region": "region",
        "key_arn": "arn",
        "key_state": "key_state_before",
        "custom_key_store_id": "custom_key_store_id",
    }
    result["found"] = [{o: k[t_] for o, t_ in names.items() if k.get(t_)} for k in result["keys"] if k.get("arn")]
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
                "mutually_exclusive": [_WAYS, ("alias_prefix", "expected_arn")],
                "required_one_of": [_WAYS],
            },
            **PLAN_OPTIONS,
            **KEY_STATE_OPTIONS,
        },
        supports_check_mode=True,
    )
    keys = [{**key, "region": key["region"] or module.region} for key in module.params["keys"]]
    problem = _problem(keys)
    if problem:
        module.fail_json(msg=problem)
    _report(module, _set_all(module, keys, _work(module)))


def _problem(keys: list[Key]) -> str:
    if not keys or not all(key["region"] for key in keys):
        return "A key without a region is given, or no key at all. Set region for each entry of keys."
    prefixes = [key["alias_prefix"] for key in keys if key["alias_prefix"] is not None]
    if not all(re.fullmatch(r"alias/[a-zA-Z0-9/_-]+", prefix) for prefix in prefixes):
        return "alias_prefix must be the beginning of an alias' name, such as alias/cryptor."
    arns = [key["expected_arn"] for key in keys if key["expected_arn"] is not None]
    if not all(is_key_arn(arn) for arn in arns):
        return "expected_arn must be the ARN of a key, as this module returns it in check mode."
    return ""


if __name__ == "__main__":
    main()
