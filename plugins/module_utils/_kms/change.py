# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS KMS that change one key. What to call is decided in states."""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t
from dataclasses import dataclass

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict

from .._aws_errors import aws_code, not_found
from .._calls import Work, clock_offset, write_diff
from .._progress import Progress, report
from .._refusals import Refusal, RefusedError, refusal
from .._time import clock, current_time
from .._waiter import Waiting, wait_until
from .states import KeyMetadata, Plan, Wish, check_reference, plan

# What AWS may answer while our own change is still spreading.
_SPREADING: t.Final = ("NotFoundException", "KMSInvalidStateException")


@dataclass
class Outcome(Work):
    """What becomes of one key."""

    reference: str
    region: str
    expected_arn: str | None = None  # the key that was planned for; None where any will do
    metadata: KeyMetadata | None = None
    before: str | None = None
    after: str | None = None
    clock_offset: float | None = None  # how many seconds AWS's clock is ahead of ours
    session_ends_at: str | None = None  # when a person must log in to AWS again
    proof: dict[str, str | None] | None = None  # the call that proves a permission
    last_state: str | None = None  # what AWS showed last
    is_settling: bool = False  # all changes are made

    @property
    def name(self) -> str:
        """The key's ARN, or its reference as long as it was not found."""
        return self.metadata.arn if self.metadata else self.reference

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
            **self.describe(),
            **({"proof": self.proof} if self.proof else {}),
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
        return write_diff(self.name, {"key_state": self.before}, {"key_state": self.after})


def set_key_state(client: t.Any, outcome: Outcome, wish: Wish, *, check_mode: bool, waiting: Waiting | None) -> None:
    """Bring one key to the wished state with the fewest calls, and wait (unless ``waiting`` is None) until AWS agrees.

    The timeout of ``waiting`` counts from now, for all calls together.
    """
    change = _Change(client, outcome, wish, waiting)
    outcome.carry_out(lambda: change.carry_out(check_mode=check_mode))


def give_up(outcome: Outcome, wish: Wish, waiting: Waiting | None, reason: str) -> Outcome:
    """Return what is known of a key whose time is over, and have no further call made for it."""
    if not outcome.give_up():
        return outcome
    if outcome.is_settling and waiting:
        why, after = _not_settled(outcome, wish, waiting), outcome.last_state
    else:
        why, after = outcome.not_reached("DescribeKey", outcome.region, reason), outcome.after
    # The thread that was given up may still write into the outcome.
    return dataclasses.replace(outcome, actions=list(outcome.actions), after=after, refusal=why)


def _not_settled(outcome: Outcome, wish: Wish, waiting: Waiting) -> Refusal:
    return refusal(
        "not_settled",
        arn=outcome.name,
        wanted=wish.key_state,
        reads=waiting.reads,
        timeout=f"{waiting.timeout:g}",
        seen=outcome.last_state or "no answer that shows the key",
    )


@dataclass(frozen=True)
class _Change:
    """One key on its way to the wished state. RefusedError where the way ends."""

    client: t.Any
    outcome: Outcome
    wish: Wish
    waiting: Waiting | None

    def carry_out(self, *, check_mode: bool) -> None:
        outcome, wish = self.outcome, self.wish
        unfit = check_reference(outcome.reference, outcome.region, wish.account_id)
        if unfit:
            raise RefusedError(unfit)
        patient = self.waiting or Waiting()
        began = patient.monotonic()
        metadata = outcome.metadata = self._describe()
        outcome.before = outcome.after = metadata.key_state
        expected, seen = outcome.expected_arn, metadata.arn
        if expected not in (None, seen):
            reference, region = outcome.reference, outcome.region
            raise RefusedError(refusal("alias_moved", reference=reference, region=region, expected=expected, seen=seen))
        decision = plan(metadata, wish)
        if isinstance(decision, Refusal):
            raise RefusedError(decision)
        if wish.proves and metadata.key_state == "Enabled":
            self._prove(metadata.key_id, check_mode=check_mode)
        if check_mode or wish.proves:
            outcome.actions, outcome.after = list(decision.actions), decision.after
        elif decision.actions:
            self._change(metadata.key_id, decision, patient.since(began))
            if self.waiting:
                self._settle(metadata.key_id, self.waiting, self.waiting.since(began))

    def _call(self, operation: str, key_id: str) -> t.Any:
        return self.outcome.calls.make(self.client, operation, self.outcome.region, KeyId=key_id)

    def _describe(self) -> KeyMetadata:
        outcome = self.outcome
        try:
            answer = self._call("DescribeKey", outcome.reference)
        except RefusedError as refused:
            error = refused.__cause__
            if aws_code(error) != "NotFoundException":
                raise
            why = not_found(str(error), outcome.reference, outcome.region, self.wish.account_id)
            raise RefusedError(why) from error
        outcome.clock_offset = clock_offset(answer, current_time())
        return KeyMetadata(answer["KeyMetadata"])

    def _prove(self, key_id: str, *, check_mode: bool) -> None:
        """Call EnableKey on a key that was Enabled a moment ago: AWS permits it in that state, and nothing changes."""
        self.outcome.proof = {"operation": "EnableKey", "at": None}
        if not check_mode:
            self._call("EnableKey", key_id)
            self.outcome.proof["at"] = clock()

    def _change(self, key_id: str, decision: Plan, patient: Waiting) -> None:
        outcome = self.outcome
        for action in decision.actions:
            # A cancelled deletion may not have spread to the part of AWS that answers the next call.
            timeout = patient.timeout if outcome.actions else 0
            self._take(action, key_id, dataclasses.replace(patient, timeout=timeout))
            outcome.actions.append(action)
            outcome.after = "Disabled" if action == "CancelKeyDeletion" else decision.after
        report(Progress(outcome.region, decision.after, sent=decision.actions[-1]))
        outcome.is_settling = True

    def _take(self, action: str, key_id: str, waiting: Waiting) -> None:
        for gone in waiting.ticks():
            try:
                self._call(action, key_id)
            except RefusedError as refused:
                code = aws_code(refused.__cause__)
                if action == "CancelKeyDeletion" and code == "KMSInvalidStateException":
                    # Its one meaning is "not pending deletion" (AWS KMS Developer Guide, "Key states"): the answer to
                    # our own call was lost and botocore has repeated it, or somebody else was faster.
                    return
                if code not in _SPREADING or gone >= waiting.timeout:
                    raise
            else:
                return

    def _settle(self, key_id: str, waiting: Waiting, left: Waiting) -> None:
        outcome, wish = self.outcome, self.wish
        ours = (wish.key_state, outcome.before, "Disabled")
        settled = wait_until(
            lambda: self._read(key_id),
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
        raise RefusedError(decision if isinstance(decision, Refusal) else _not_settled(outcome, wish, waiting))

    def _read(self, key_id: str) -> KeyMetadata | None:
        try:
            metadata = KeyMetadata(self._call("DescribeKey", key_id)["KeyMetadata"])
        except RefusedError as refused:
            if aws_code(refused.__cause__) in _SPREADING:
                return None
            raise
        self.outcome.last_state = metadata.key_state
        return metadata


def _without_dates(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _without_dates(inner) for key, inner in value.items() if key != "ResponseMetadata"}
    # boto3 gives dates in the machine's own time zone.
    return value.astimezone(dt.timezone.utc).isoformat() if isinstance(value, dt.datetime) else value
