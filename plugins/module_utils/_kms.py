# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The calls to AWS KMS, for one key. What to call is decided in _key_states."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import (
    AWS_ERRORS,
    aws_code,
    explain,
    not_found,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._key_states import Plan, Wish, check_reference, plan
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._propagation import Waiting, wait_until
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._turns import wait_for_turn

_METHODS: t.Final = {
    "DescribeKey": "describe_key",
    "EnableKey": "enable_key",
    "DisableKey": "disable_key",
    "CancelKeyDeletion": "cancel_key_deletion",
}
# What AWS may answer while our own change is still spreading.
_SPREADING: t.Final = ("NotFoundException", "KMSInvalidStateException")


class KmsClient(t.Protocol):
    """The part of boto3's KMS client that is used."""

    def describe_key(self, **params: str) -> dict[str, t.Any]: ...
    def enable_key(self, **params: str) -> t.Any: ...
    def disable_key(self, **params: str) -> t.Any: ...
    def cancel_key_deletion(self, **params: str) -> t.Any: ...


@dataclass
class Outcome:
    """What became of one key. With a ``refusal``, ``actions`` still tells what had been done before it."""

    reference: str
    region: str
    metadata: dict[str, t.Any] = field(default_factory=dict)
    before: str | None = None
    after: str | None = None
    actions: list[str] = field(default_factory=list)
    calls: list[dict[str, str]] = field(default_factory=list)
    waited: float = 0.0
    refusal: Refusal | None = None

    def as_result(self) -> dict[str, t.Any]:
        """Return it as a module returns it: snake_case, dates as ISO 8601 text in UTC."""
        metadata = camel_dict_to_snake_dict(_without_dates(self.metadata))
        metadata.pop("aws_account_id", None)
        return {
            **metadata,
            "reference": self.reference,
            "region": self.region,
            "key_id": metadata.get("key_id"),
            "arn": metadata.get("arn"),
            "account_id": self.metadata.get("AWSAccountId"),
            "key_state": self.after,
            "key_state_before": self.before,
            "actions": self.actions,
            "calls": self.calls,
            "changed": bool(self.actions),
            "waited": round(self.waited, 1),
        }

    def as_diff(self) -> dict[str, t.Any]:
        """Return the key state before and after, for diff mode."""
        title = self.metadata.get("Arn", self.reference)
        return {
            "before_header": title,
            "after_header": title,
            "before": {"key_state": self.before},
            "after": {"key_state": self.after},
        }


def set_key_state(
    client: KmsClient, reference: str, region: str, wish: Wish, *, check_mode: bool, waiting: Waiting | None
) -> Outcome:
    """Bring one key to the wished state with the fewest calls, and wait (unless ``waiting`` is None) until AWS agrees.

    Never raises for what AWS answers: the outcome then carries the refusal.
    """
    outcome = Outcome(reference, region)
    try:
        _set_key_state(client, wish, outcome, check_mode=check_mode, waiting=waiting)
    except RefusedError as refused:
        outcome.refusal = refused.refusal
    return outcome


def _set_key_state(
    client: KmsClient, wish: Wish, outcome: Outcome, *, check_mode: bool, waiting: Waiting | None
) -> None:
    unfit = check_reference(outcome.reference, outcome.region, wish.account_id)
    if unfit:
        raise RefusedError(unfit)
    outcome.metadata = _describe(client, outcome, wish.account_id)
    outcome.before = outcome.after = outcome.metadata["KeyState"]
    decision = plan(outcome.metadata, wish)
    if isinstance(decision, Refusal):
        raise RefusedError(decision)
    if check_mode:
        outcome.actions, outcome.after = list(decision.actions), decision.after
    elif decision.actions:
        _carry_out(client, decision, outcome, waiting)


def _carry_out(client: KmsClient, decision: Plan, outcome: Outcome, waiting: Waiting | None) -> None:
    key_id = outcome.metadata["KeyId"]
    for action in decision.actions:
        # A cancelled deletion may not have spread to the part of AWS that answers the next call.
        patient = (waiting or Waiting()) if outcome.actions else Waiting(timeout=0)
        _change(client, action, key_id, outcome, patient)
        outcome.actions.append(action)
        outcome.after = "Disabled" if action == "CancelKeyDeletion" else decision.after
    if waiting is None:
        return
    settled = wait_until(
        lambda: _read(client, key_id, outcome),
        lambda metadata: bool(metadata["KeyState"] == decision.after),
        waiting,
    )
    outcome.waited = settled.waited
    outcome.metadata = settled.last or outcome.metadata
    if not settled.done:
        outcome.after = settled.last["KeyState"] if settled.last else None
        raise RefusedError(
            refusal(
                "not_settled",
                arn=outcome.metadata["Arn"],
                wanted=decision.after,
                reads=waiting.reads,
                timeout=f"{waiting.timeout:g}",
                seen=outcome.after or "no answer that shows the key",
            )
        )


def _call(client: KmsClient, operation: str, key_id: str, outcome: Outcome) -> t.Any:
    """Make one call and keep the evidence of it; AWS's errors pass through."""
    call = {"operation": operation, "at": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "error": ""}
    outcome.calls.append(call)
    try:
        return getattr(client, _METHODS[operation])(KeyId=key_id)
    except AWS_ERRORS as error:
        call["error"] = aws_code(error) or type(error).__name__
        raise


def _describe(client: KmsClient, outcome: Outcome, account_id: str | None) -> dict[str, t.Any]:
    try:
        return dict(_call(client, "DescribeKey", outcome.reference, outcome)["KeyMetadata"])
    except AWS_ERRORS as error:
        if aws_code(error) == "NotFoundException":
            raise RefusedError(not_found(error, outcome.reference, outcome.region, account_id)) from error
        raise RefusedError(explain(error, "DescribeKey", outcome.region)) from error


def _change(client: KmsClient, action: str, key_id: str, outcome: Outcome, waiting: Waiting) -> None:
    for gone in waiting.ticks():
        wait_for_turn(action, str(outcome.metadata.get("AWSAccountId")), outcome.region)
        try:
            _call(client, action, key_id, outcome)
        except AWS_ERRORS as error:
            if action == "CancelKeyDeletion" and aws_code(error) == "KMSInvalidStateException":
                # Its one meaning is "not pending deletion" (AWS KMS Developer Guide, "Key states"): the answer to our
                # own call was lost and botocore has repeated it, or somebody else was faster.
                return
            if aws_code(error) not in _SPREADING or gone >= waiting.timeout:
                raise RefusedError(explain(error, action, outcome.region)) from error
        else:
            return


def _read(client: KmsClient, key_id: str, outcome: Outcome) -> dict[str, t.Any] | None:
    try:
        return dict(_call(client, "DescribeKey", key_id, outcome)["KeyMetadata"])
    except AWS_ERRORS as error:
        if aws_code(error) in _SPREADING:
            return None
        raise RefusedError(explain(error, "DescribeKey", outcome.region)) from error


def _without_dates(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without_dates(inner) for key, inner in value.items() if key != "ResponseMetadata"}
    # boto3 gives dates in the machine's own time zone.
    return value.astimezone(dt.timezone.utc).isoformat() if isinstance(value, dt.datetime) else value
