# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS KMS, for one key. What to call is decided in _key_states."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict

from .._aws_errors import AWS_ERRORS, aws_code, explain, not_found
from .._calls import Calls, ClosedError, clock_offset
from .._progress import Progress, report
from .._refusals import Refusal, RefusedError, refusal
from .._time import clock, current_time
from .._waiter import Waiting, wait_until
from .states import KeyMetadata, Plan, Wish, check_reference, plan

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
    """What becomes of one key. With a ``refusal``, ``actions`` still tells what had been done before it.

    ``expected_arn`` is the key that was planned for, None where any will do. ``clock_offset`` is how far AWS's clock is ahead
    of ours, in seconds. ``session_ends_at`` is when a person must log in to AWS again. ``proof``
    is the call that proves a permission, None if there is none. ``last_state`` is what AWS showed last.
    ``is_settling`` says that all changes are made, and ``is_done`` that nothing more will happen.
    """

    reference: str
    region: str
    expected_arn: str | None = None
    metadata: KeyMetadata | None = None
    before: str | None = None
    after: str | None = None
    actions: list[str] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    waited: float = 0.0
    refusal: Refusal | None = None
    clock_offset: float | None = None
    session_ends_at: str | None = None
    proof: dict[str, str | None] | None = None
    last_state: str | None = None
    is_settling: bool = False
    is_done: bool = False

    def as_result(self) -> dict[str, t.Any]:
        """Return it as a module returns it: snake_case, dates as ISO 8601 text in UTC."""
        metadata = camel_dict_to_snake_dict(_without_dates(dict(self.metadata.answer))) if self.metadata else {}
        metadata.pop("aws_account_id", None)
        return {
            **metadata,
            "reference": self.reference,
            "region": self.region,
            "key_id": metadata.get("key_id"),
            "arn": metadata.get("arn"),
            "account_id": self.metadata.account_id if self.metadata else None,
            "key_state": self.after,
            "key_state_before": self.before,
            "actions": self.actions,
            "calls": self.calls.listed(),
            "changed": bool(self.actions),
            **({"proof": self.proof} if self.proof else {}),
            "waited": round(self.waited, 1),
        }

    def as_found(self) -> dict[str, str]:
        """Name the key as ``kms_key_revocation_info`` takes it, with its state before; empty if it was not found."""
        if not self.metadata:
            return {}
        facts = {
            "region": self.region,
            "key_arn": self.metadata.arn,
            "key_state": self.before,
            "custom_key_store_id": self.metadata.answer.get("CustomKeyStoreId"),
            "origin": self.metadata.answer.get("Origin"),
        }
        return {name: fact for name, fact in facts.items() if fact}

    def as_diff(self) -> dict[str, t.Any]:
        """Return the key state before and after, for diff mode."""
        title = self.metadata.arn if self.metadata else self.reference
        return {
            "before_header": title,
            "after_header": title,
            "before": {"key_state": self.before},
            "after": {"key_state": self.after},
        }


def set_key_state(
    client: KmsClient, outcome: Outcome, wish: Wish, *, check_mode: bool, waiting: Waiting | None
) -> None:
    """Bring one key to the wished state with the fewest calls, and wait (unless ``waiting`` is None) until AWS agrees.

    Never raises for what AWS answers: the outcome then carries the refusal.

    :param outcome: names the key; it is filled in on the way, so that it can be read while AWS does not answer
    :param waiting: its timeout counts from now, for all calls together
    """
    try:
        _set_key_state(client, wish, outcome, check_mode=check_mode, waiting=waiting)
    except RefusedError as refused:
        outcome.refusal = refused.refusal
    except ClosedError:
        return
    outcome.is_done = True


def give_up(outcome: Outcome, wish: Wish, waiting: Waiting | None, reason: str) -> Outcome:
    """Return what is known of a key whose time is over, and have no further call made for it.

    :param reason: what AWS did not do, and for how long
    """
    outcome.calls.close()
    if outcome.is_done or outcome.refusal:
        return outcome
    if outcome.is_settling and waiting:
        why, after = _not_settled(outcome, wish.key_state, waiting), outcome.last_state
    else:
        operation = outcome.calls.unanswered() or "DescribeKey"
        why = refusal("not_reached", operation=operation, region=outcome.region, message=reason)
        after = outcome.after
    # The thread that was given up may still write into the outcome.
    return dataclasses.replace(outcome, actions=list(outcome.actions), after=after, refusal=why)


def _set_key_state(
    client: KmsClient, wish: Wish, outcome: Outcome, *, check_mode: bool, waiting: Waiting | None
) -> None:
    unfit = check_reference(outcome.reference, outcome.region, wish.account_id)
    if unfit:
        raise RefusedError(unfit)
    patient = waiting or Waiting()
    began = patient.monotonic()
    metadata = outcome.metadata = _describe(client, outcome, wish.account_id)
    outcome.before = outcome.after = metadata.key_state
    if outcome.expected_arn not in (None, metadata.arn):
        why = refusal(
            "alias_moved",
            reference=outcome.reference,
            region=outcome.region,
            expected=outcome.expected_arn,
            seen=metadata.arn,
        )
        raise RefusedError(why)
    decision = plan(metadata, wish)
    if isinstance(decision, Refusal):
        raise RefusedError(decision)
    if wish.proves and metadata.key_state == "Enabled":
        _prove(client, metadata.key_id, outcome, check_mode=check_mode)
    if check_mode or wish.proves:
        outcome.actions, outcome.after = list(decision.actions), decision.after
    elif decision.actions:
        _carry_out(client, metadata.key_id, decision, outcome, patient.since(began))
        if waiting:
            _settle(client, metadata.key_id, wish, outcome, (waiting, waiting.since(began)))


def _prove(client: KmsClient, key_id: str, outcome: Outcome, *, check_mode: bool) -> None:
    """Call EnableKey on a key that was Enabled a moment ago: AWS permits it in that state, and nothing changes."""
    outcome.proof = {"operation": "EnableKey", "at": None}
    if check_mode:
        return
    try:
        _call(client, "EnableKey", key_id, outcome)
    except AWS_ERRORS as error:
        raise RefusedError(explain(error, "EnableKey", outcome.region)) from error
    outcome.proof["at"] = clock()


def _carry_out(client: KmsClient, key_id: str, decision: Plan, outcome: Outcome, patient: Waiting) -> None:
    for action in decision.actions:
        # A cancelled deletion may not have spread to the part of AWS that answers the next call.
        _change(
            client, action, key_id, outcome, patient if outcome.actions else dataclasses.replace(patient, timeout=0)
        )
        outcome.actions.append(action)
        outcome.after = "Disabled" if action == "CancelKeyDeletion" else decision.after
    report(Progress(outcome.region, decision.after, sent=decision.actions[-1]))
    outcome.is_settling = True


def _settle(client: KmsClient, key_id: str, wish: Wish, outcome: Outcome, waitings: tuple[Waiting, Waiting]) -> None:
    """Wait with what is left (the second of ``waitings``) of what was asked for."""
    waiting, left = waitings
    ours = (wish.key_state, outcome.before, "Disabled")
    settled = wait_until(
        lambda: _read(client, key_id, outcome),
        lambda metadata: metadata.key_state == wish.key_state,
        left,
        # None of our own calls leads to another state: somebody else is at the key.
        lambda metadata: metadata.key_state not in ours,
    )
    outcome.waited = settled.waited
    outcome.metadata = settled.last or outcome.metadata
    if settled.done:
        return
    outcome.after = settled.last.key_state if settled.last else None
    decision = plan(settled.last, wish) if settled.last and settled.hopeless else None
    if isinstance(decision, Refusal):
        raise RefusedError(decision)
    raise RefusedError(_not_settled(outcome, wish.key_state, waiting))


def _not_settled(outcome: Outcome, wanted: str, waiting: Waiting) -> Refusal:
    return refusal(
        "not_settled",
        arn=outcome.metadata.arn if outcome.metadata else outcome.reference,
        wanted=wanted,
        reads=waiting.reads,
        timeout=f"{waiting.timeout:g}",
        seen=outcome.last_state or "no answer that shows the key",
    )


def _call(client: KmsClient, operation: str, key_id: str, outcome: Outcome) -> t.Any:
    return outcome.calls.make(operation, getattr(client, _METHODS[operation]), KeyId=key_id)


def _describe(client: KmsClient, outcome: Outcome, account_id: str | None) -> KeyMetadata:
    try:
        answer = _call(client, "DescribeKey", outcome.reference, outcome)
    except AWS_ERRORS as error:
        if aws_code(error) == "NotFoundException":
            raise RefusedError(not_found(error, outcome.reference, outcome.region, account_id)) from error
        raise RefusedError(explain(error, "DescribeKey", outcome.region)) from error
    outcome.clock_offset = clock_offset(answer, current_time())
    return KeyMetadata(answer["KeyMetadata"])


def _change(client: KmsClient, action: str, key_id: str, outcome: Outcome, waiting: Waiting) -> None:
    for gone in waiting.ticks():
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


def _read(client: KmsClient, key_id: str, outcome: Outcome) -> KeyMetadata | None:
    try:
        metadata = KeyMetadata(_call(client, "DescribeKey", key_id, outcome)["KeyMetadata"])
    except AWS_ERRORS as error:
        if aws_code(error) in _SPREADING:
            return None
        raise RefusedError(explain(error, "DescribeKey", outcome.region)) from error
    outcome.last_state = metadata.key_state
    return metadata


def _without_dates(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without_dates(inner) for key, inner in value.items() if key != "ResponseMetadata"}
    # boto3 gives dates in the machine's own time zone.
    return value.astimezone(dt.timezone.utc).isoformat() if isinstance(value, dt.datetime) else value
