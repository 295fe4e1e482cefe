# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module byok_trust_statement: the trust statement of Atlassian's BYOK. What to write is decided in trust."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from .._argspec import CHANGE_OPTIONS, ArgumentSpec, Json, read_patience, read_waiting
from .._aws_errors import aws_code
from .._calls import Work, write_diff
from .._connection import Connection
from .._deadline import begin, wait_for
from .._refusals import Refusal, RefusedError, refusal
from .._waiter import Waiting, wait_until
from .trust import ROLE, TrustPlan, is_same, plan, quote, written

SPEC: t.Final = ArgumentSpec({"expected": {"type": "dict"}, **CHANGE_OPTIONS})
# IAM is one service for all regions; it is signed for, and logged in, this one (IAM User Guide, "Logging IAM and AWS STS
# API calls with AWS CloudTrail").
_REGION: t.Final = "us-east-1"
_WHERE: t.Final = "IAM"


@dataclass
class TrustOutcome(Work):
    """What becomes of the statement."""

    arn: str | None = None
    before: str | None = None
    after: str | None = None
    policy_before: t.Any = None
    policy: t.Any = None

    def as_result(self) -> Json:
        return {
            "role_name": ROLE,
            "role_arn": self.arn,
            "account_id": self.arn.split(":")[4] if self.arn else None,
            "effect_before": self.before,
            "effect": self.after,
            "policy_before": self.policy_before,
            "policy": self.policy,
            **self.describe(),
            **self.describe_refusal(),
        }


def run(params: Json, check_mode: bool, diff: bool) -> Json:
    """Set the statement back; RefusedError where IAM could not be asked."""
    until, patience = read_patience(params, is_plan=check_mode)
    iam = Connection(params).clients(["iam"], [_REGION], patience, until)["iam"][_REGION]
    outcome = TrustOutcome()
    change = _Change(iam, outcome, params["account_id"], params["expected"])
    waiting = read_waiting(params)
    wait_for([begin(lambda: outcome.carry_out(lambda: change.carry_out(check_mode, waiting)))], until)
    if outcome.give_up():
        # The thread that was given up may still write into the outcome.
        why = outcome.not_reached("GetRole", _WHERE, until.missed())
        outcome = dataclasses.replace(outcome, actions=list(outcome.actions), refusal=why)
    result = outcome.as_result()
    if diff and outcome.before:
        before, after = (f"{written(policy)}\n" for policy in (outcome.policy_before, outcome.policy))
        result["diff"] = write_diff(f"trust policy of {outcome.arn}", before, after)
    if outcome.refusal:
        result |= {"failed": True, "msg": str(outcome.refusal)}
    return result


@dataclass(frozen=True)
class _Change:
    """Sets the documented statement back to Allow. RefusedError where that ends."""

    client: t.Any
    outcome: TrustOutcome
    account_id: str | None  # must own the role; None if any may
    expected: object  # the policy that was planned with; None if any may be found

    def carry_out(self, check_mode: bool, waiting: Waiting | None) -> None:
        """Plan, write and (unless ``waiting`` is None) wait until AWS shows it."""
        outcome, role = self.outcome, self._get_role()
        outcome.arn, outcome.policy_before = role["Arn"], role.get("AssumeRolePolicyDocument")
        outcome.policy = outcome.policy_before
        owner = role["Arn"].split(":")[4]
        if self.account_id and owner != self.account_id:
            why = refusal("role_of_other_account", arn=role["Arn"], seen=owner, account_id=self.account_id)
            raise RefusedError(why)
        decision = plan(outcome.policy_before)
        if isinstance(decision, Refusal):
            raise RefusedError(decision)
        outcome.before = outcome.after = decision.before
        if not decision.changes:
            return
        # IAM takes no condition for a write, so this read is as near to it as it can be.
        if self.expected is not None and not is_same(self.expected, outcome.policy_before):
            raise RefusedError(refusal("trust_changed_meanwhile", role=ROLE))
        if not check_mode:
            self._call("UpdateAssumeRolePolicy", PolicyDocument=written(decision.after))
        outcome.actions.append("UpdateAssumeRolePolicy")
        outcome.after, outcome.policy = "Allow", decision.after
        if waiting and not check_mode:
            self._settle(decision, waiting)

    def _settle(self, decision: TrustPlan, waiting: Waiting) -> None:
        settled = wait_until(
            lambda: self._get_role().get("AssumeRolePolicyDocument"),
            lambda document: is_same(document, decision.after),
            waiting,
        )
        self.outcome.waited = settled.waited
        if settled.done:
            return
        seen = plan(settled.last)
        self.outcome.after = None if isinstance(seen, Refusal) else seen.before
        self.outcome.policy = settled.last
        timeout, last = f"{waiting.timeout:g}", quote(settled.last)
        raise RefusedError(refusal("trust_not_settled", role=ROLE, reads=waiting.reads, timeout=timeout, seen=last))

    def _get_role(self) -> dict[str, t.Any]:
        return dict(self._call("GetRole")["Role"])

    def _call(self, operation: str, **params: str) -> t.Any:
        try:
            return self.outcome.calls.make(self.client, operation, _WHERE, "iam", RoleName=ROLE, **params)
        except RefusedError as refused:
            if aws_code(refused.__cause__) == "NoSuchEntity":
                raise RefusedError(refusal("role_not_found", role=ROLE)) from refused.__cause__
            raise
