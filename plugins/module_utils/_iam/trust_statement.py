# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module byok_trust_statement: the trust statement of Atlassian's BYOK."""

from __future__ import annotations

import typing as t

from .._argspec import (
    ASSUME_ROLE_OPTIONS,
    PLAN_OPTIONS,
    WAIT_OPTIONS,
    ArgumentSpec,
    Json,
    Patience,
    change_deadline,
    plan_patience,
    read_waiting,
)
from .._connection import Connection
from .._deadline import Deadline, begin, wait_for
from .role import REGION, TrustOutcome, TrustRequest, allow_trust, give_up

SPEC: t.Final = ArgumentSpec(
    {
        "account_id": {"type": "str"},
        "expected": {"type": "dict"},
        **PLAN_OPTIONS,
        **WAIT_OPTIONS,
        **ASSUME_ROLE_OPTIONS,
    }
)


def run(params: Json, check_mode: bool, diff: bool) -> Json:
    """Set the statement back; RefusedError where IAM could not be asked."""
    until = Deadline(params["plan_timeout"]) if check_mode else change_deadline(params["wait_timeout"])
    patience = plan_patience(params["plan_timeout"]) if check_mode else Patience()
    iam = Connection(params).clients(["iam"], [REGION], patience, until)["iam"][REGION]
    request = TrustRequest(params["account_id"], params["expected"], check_mode, read_waiting(params))
    outcome = TrustOutcome()
    wait_for([begin(lambda: allow_trust(iam, outcome, request))], until)
    outcome = give_up(outcome, until.missed())
    result = outcome.as_result()
    if diff and outcome.before:
        result["diff"] = outcome.as_diff()
    if outcome.refusal:
        result |= {"failed": True, "msg": str(outcome.refusal)}
    return result
