# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls to AWS IAM, for the one trust policy of BYOK. What to write is decided in trust."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from .._aws_errors import AWS_ERRORS, aws_code, explain
from .._calls import Calls, ClosedError
from .._refusals import Refusal, RefusedError, refusal
from .._waiter import Waiting, wait_until
from .trust import ROLE, TrustPlan, is_same, plan, quote, written

# IAM is one service for all regions; it is signed for, and logged in, this one (IAM User Guide, "Logging IAM and AWS STS
# API calls with AWS CloudTrail").
REGION: t.Final = "us-east-1"
_WHERE: t.Final = "IAM"
_NOTHING_WRONG: t.Final = {"code": "", "error": "", "hint": ""}


class IamClient(t.Protocol):
    """The part of boto3's IAM client that is used."""

    def get_role(self, **params: str) -> dict[str, t.Any]: ...
    def update_assume_role_policy(self, **params: str) -> t.Any: ...


@dataclass
class TrustOutcome:
    """What became of the statement. With a ``refusal``, ``actions`` still tells what had been done before it."""

    arn: str | None = None
    before: str | None = None
    after: str | None = None
    policy_before: t.Any = None
    policy: t.Any = None
    actions: list[str] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    waited: float = 0.0
    refusal: Refusal | None = None
    is_done: bool = False

    def as_result(self) -> dict[str, t.Any]:
        """Return it as the module returns it."""
        return {
            "role_name": ROLE,
            "role_arn": self.arn,
            "account_id": self.arn.split(":")[4] if self.arn else None,
            "effect_before": self.before,
            "effect": self.after,
            "policy_before": self.policy_before,
            "policy": self.policy,
            "actions": self.actions,
            "calls": self.calls.listed(),
            "changed": bool(self.actions),
            "waited": round(self.waited, 1),
            **(vars(self.refusal) if self.refusal else _NOTHING_WRONG),
        }

    def as_diff(self) -> dict[str, str]:
        """Return the policy before and after, for diff mode."""
        title = f"trust policy of {self.arn}"
        return {
            "before_header": title,
            "after_header": title,
            "before": f"{written(self.policy_before)}\n",
            "after": f"{written(self.policy)}\n",
        }


@dataclass(frozen=True)
class TrustRequest:
    """How to set the statement back.

    ``account_id`` must own the role, None if any may. ``expected`` is the policy that was planned with, None if any may
    be found. ``waiting`` is None for not waiting until AWS shows the change.
    """

    account_id: str | None
    expected: object
    check_mode: bool
    waiting: Waiting | None


def allow_trust(client: IamClient, outcome: TrustOutcome, request: TrustRequest) -> None:
    """Set the documented statement back to Allow.

    Never raises for what AWS answers: the outcome then carries the refusal.

    :param outcome: it is filled in on the way, so that it can be read while AWS does not answer
    """
    try:
        _allow(client, outcome, request)
    except RefusedError as refused:
        outcome.refusal = refused.refusal
    except ClosedError:
        return
    outcome.is_done = True


def give_up(outcome: TrustOutcome, reason: str) -> TrustOutcome:
    """Return what is known when the time is over, and have no further call made.

    :param reason: what AWS did not do, and for how long
    """
    outcome.calls.close()
    if outcome.is_done or outcome.refusal:
        return outcome
    operation = outcome.calls.unanswered() or "GetRole"
    why = refusal("not_reached", operation=operation, region=_WHERE, message=reason)
    # The thread that was given up may still write into the outcome.
    return dataclasses.replace(outcome, actions=list(outcome.actions), refusal=why)


def _allow(client: IamClient, outcome: TrustOutcome, request: TrustRequest) -> None:
    role = _get_role(client, outcome)
    outcome.arn, outcome.policy_before = role["Arn"], role.get("AssumeRolePolicyDocument")
    outcome.policy = outcome.policy_before
    owner = role["Arn"].split(":")[4]
    if request.account_id and owner != request.account_id:
        why = refusal("role_of_other_account", arn=role["Arn"], seen=owner, account_id=request.account_id)
        raise RefusedError(why)
    decision = plan(outcome.policy_before)
    if isinstance(decision, Refusal):
        raise RefusedError(decision)
    outcome.before = outcome.after = decision.before
    if not decision.changes:
        return
    # IAM takes no condition for a write, so this read is as near to it as it can be.
    if request.expected is not None and not is_same(request.expected, outcome.policy_before):
        raise RefusedError(refusal("trust_changed_meanwhile", role=ROLE))
    if not request.check_mode:
        _call(client.update_assume_role_policy, outcome, RoleName=ROLE, PolicyDocument=written(decision.after))
    outcome.actions.append("UpdateAssumeRolePolicy")
    outcome.after, outcome.policy = "Allow", decision.after
    if request.waiting and not request.check_mode:
        _settle(client, decision, outcome, request.waiting)


def _settle(client: IamClient, decision: TrustPlan, outcome: TrustOutcome, waiting: Waiting) -> None:
    settled = wait_until(
        lambda: _get_role(client, outcome).get("AssumeRolePolicyDocument"),
        lambda document: is_same(document, decision.after),
        waiting,
    )
    outcome.waited = settled.waited
    if settled.done:
        return
    seen = plan(settled.last)
    outcome.after, outcome.policy = None if isinstance(seen, Refusal) else seen.before, settled.last
    timeout = f"{waiting.timeout:g}"
    raise RefusedError(
        refusal("trust_not_settled", role=ROLE, reads=waiting.reads, timeout=timeout, seen=quote(settled.last))
    )


def _get_role(client: IamClient, outcome: TrustOutcome) -> dict[str, t.Any]:
    return dict(_call(client.get_role, outcome, RoleName=ROLE)["Role"])


def _call(method: t.Callable[..., t.Any], outcome: TrustOutcome, **params: str) -> t.Any:
    """Make one call; RefusedError for what AWS answers."""
    operation = "UpdateAssumeRolePolicy" if "PolicyDocument" in params else "GetRole"
    try:
        return outcome.calls.make(operation, method, **params)
    except AWS_ERRORS as error:
        if aws_code(error) == "NoSuchEntity":
            raise RefusedError(refusal("role_not_found", role=ROLE)) from error
        raise RefusedError(explain(error, operation, _WHERE, "iam")) from error
