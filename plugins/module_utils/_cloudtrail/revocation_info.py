# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module kms_key_revocation_info: when, how and by whom access to keys was revoked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import typing as t
from dataclasses import dataclass, field

from .._argspec import INFO_PATIENCE, LOOKUP_OPTIONS, ArgumentSpec, Json
from .._calls import call
from .._connection import Connection
from .._deadline import Deadline, begin, wait_for
from .._kms.details import Details, access_details, health_details
from .._kms.states import read_region
from .._refusals import RefusedError, refusal
from .._time import current_time
from .lookup import EVENTS_A_PAGE, MOST_PAGES, Pace, Trail, read_history
from .revocation import AccessEvent, Revocation, find_last_loss, find_revocation, read_access_events, why_none
from .use import Marks, Use, refused_use

_KEY: t.Final = {
    "key_arn": {"type": "str", "required": True, "no_log": False},
    "region": {"type": "str"},
    "key_state": {"type": "str", "no_log": False},
    "custom_key_store_id": {"type": "str", "no_log": False},
    "origin": {"type": "str"},
}
SPEC: t.Final = ArgumentSpec(
    {
        "keys": {"type": "list", "elements": "dict", "required": True, "no_log": False, "options": _KEY},
        "read_access": {"type": "bool", "default": False},
        "read_health": {"type": "bool", "default": False},
        "lookback_days": {"type": "int", "default": 90},
        **LOOKUP_OPTIONS,
    }
)
_OLDER: t.Final = f"Older events were not read: CloudTrail has more than {MOST_PAGES * EVENTS_A_PAGE:,} events of one kind in this region."


@dataclass(frozen=True)
class _Key:
    """A key that is asked about."""

    key_arn: str
    region: str
    key_state: str | None
    custom_key_store_id: str | None
    origin: str | None


@dataclass(frozen=True)
class _Past:
    """What CloudTrail tells of one key; ``reason`` is why it names no current revocation, or is not complete."""

    revocation: Revocation = field(default_factory=Revocation)
    events: tuple[AccessEvent, ...] = ()
    refused_use: Use | None = None
    is_complete: bool = False
    is_known: bool = False
    reason: str | None = None


@dataclass
class _Answer:
    """What is known of one key so far."""

    key: _Key
    details: list[Details]
    past: _Past | None = None

    def as_result(self, no_past: str, no_answer: str) -> Json:
        """Return it as the module returns it, with what to say of a part that was not answered."""
        details = [detail.as_result(no_answer) for detail in self.details]
        past = self.past or _Past(reason=no_past)
        return {
            "region": self.key.region,
            "arn": self.key.key_arn,
            "looked_up": past.is_known,
            "complete": past.is_complete,
            "events": [dataclasses.asdict(event) for event in past.events],
            **past.revocation.as_result(),
            "reason": past.reason,
            "refused_use": vars(past.refused_use) if past.refused_use else None,
            **{name: fact for detail in details for name, fact in detail.items()},
        }


def run(params: Json, _check_mode: bool, _diff: bool) -> Json:
    """Ask AWS about all keys at the same time."""
    days, until = params["lookback_days"], Deadline(params["timeout"])
    marks = Marks(params["context_tag"], tuple(params["account_ids"]))
    answers = [_Answer(key, _read_details(key, params)) for key in _read_keys(params["keys"], days)]
    paces = {answer.key.region: Pace() for answer in answers}
    try:
        made = Connection(params).clients(["sts", "cloudtrail", "kms"], paces, INFO_PATIENCE, until)
    except RefusedError as refused:
        if refused.refusal.code == "aws_unusable":
            raise
        return _result(answers, None, refused.refusal.error, refused.refusal.error)
    first = answers[0].key.region
    caller = begin(lambda: _read_caller(made["sts"][first], first))
    futures = []
    for answer in answers:
        region = answer.key.region
        trail = Trail(made["cloudtrail"][region], paces[region], region)
        futures.append(begin(functools.partial(_fill, answer, trail, made["kms"][region], days, marks)))
    wait_for([caller, *futures], until)
    late = [f"{service} did not answer within {until.seconds:g} s." for service in ("CloudTrail", "AWS KMS")]
    return _result(answers, caller.result() if caller.done() else None, *late)


def _read_keys(keys: t.Sequence[t.Mapping[str, t.Any]], days: int) -> list[_Key]:
    if not keys:
        raise RefusedError(refusal("no_keys"))
    if not 1 <= days <= 90:
        raise RefusedError(refusal("invalid_lookback", days=days))
    return [_Key(**{**key, "region": read_region(key["key_arn"], key["region"])}) for key in keys]


def _read_details(key: _Key, params: Json) -> list[Details]:
    access = [access_details()] if params["read_access"] else []
    health = [health_details(is_imported=key.origin == "EXTERNAL")] if params["read_health"] else []
    return [*access, *health]


def _fill(answer: _Answer, trail: Trail, kms: t.Any, days: int, marks: Marks) -> None:
    # A CloudTrail that hangs does not keep the policy from being read.
    key = answer.key
    futures = [begin(functools.partial(detail.read, kms, key.key_arn, key.region)) for detail in answer.details]
    answer.past = _look_up(trail, key, days, marks)
    for future in futures:
        future.result()


def _look_up(trail: Trail, key: _Key, days: int, marks: Marks) -> _Past:
    since = current_time() - dt.timedelta(days=days)
    try:
        history, is_complete = read_history(trail, key.key_arn, since, key.custom_key_store_id)
    except RefusedError as refused:
        return _Past(reason=refused.brief)
    events = read_access_events(history, key.region)
    revocation = find_revocation(events)
    reasons = [] if revocation.is_current else [why_none(revocation, key.key_state, days)]
    reasons += [] if is_complete else [_OLDER]
    uses = (refused_use(event, key.key_arn, marks) for event in history)
    use = next(filter(None, uses), None)
    return _Past(revocation, tuple(events), use, is_complete, True, " ".join(reasons) or None)


def _read_caller(sts: t.Any, region: str) -> dict[str, str] | None:
    try:
        answer = call(sts, "GetCallerIdentity", region, "sts")
    except RefusedError:
        return None
    return {"arn": answer["Arn"], "account_id": answer["Account"]}


def _result(answers: list[_Answer], caller: dict[str, str] | None, no_past: str, no_answer: str) -> Json:
    # A thread that was given up may still fill in an answer.
    answers = list(map(dataclasses.replace, answers))
    pasts = [answer.past or _Past() for answer in answers]
    histories = [(answer.key.key_arn, past.events) for answer, past in zip(answers, pasts, strict=True)]
    return {
        "changed": False,
        "keys": [answer.as_result(no_past, no_answer) for answer in answers],
        "caller": caller,
        **summarize(histories, complete=all(past.is_complete for past in pasts)),
    }


def summarize(histories: t.Iterable[tuple[str, t.Sequence[AccessEvent]]], *, complete: bool) -> Json:
    """Return what is known over all keys, by each key's ARN and events, the oldest first."""
    loss = find_last_loss(histories)
    return {
        "revoked_at": loss.revoked_at if loss and not loss.restored_at else None,
        "last_loss": loss.as_result() if loss else None,
        # A name made of fewer events would be another.
        "identity": loss.identity if loss and complete else None,
        "complete": complete,
    }
