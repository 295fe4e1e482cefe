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

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import (
    ASSUME_ROLE_OPTIONS,
    INFO_PATIENCE,
    MARK_OPTIONS,
    TIMEOUT_OPTION,
    ArgumentSpec,
    Json,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, explain_optional
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.lookup import (
    EVENTS_A_PAGE,
    MOST_PAGES,
    Pace,
    Trail,
    read_history,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import (
    AccessEvent,
    Revocation,
    find_last_loss,
    find_revocation,
    read_access_events,
    why_none,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.use import Marks, Use, refused_use
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._connection import Connection
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline, begin, wait_for
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.access import Access, read_access
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.health import Health, read_health
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import check_key_arn, region_of
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import current_time

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
        **MARK_OPTIONS,
        "lookback_days": {"type": "int", "default": 90},
        **TIMEOUT_OPTION,
        **ASSUME_ROLE_OPTIONS,
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
    past: _Past | None = None
    access: Access | None = None
    health: Health | None = None

    def as_result(self, no_past: str, no_answer: str) -> Json:
        """Return it as the module returns it, with what to say of a part that was not answered."""
        past = self.past or _Past(reason=no_past)
        return {
            "region": self.key.region,
            "arn": self.key.key_arn,
            "looked_up": past.is_known,
            "complete": past.is_complete,
            "events": [dataclasses.asdict(event) for event in past.events],
            **past.revocation.as_result(),
            "reason": past.reason,
            "refused_use": past.refused_use.as_result() if past.refused_use else None,
            **(self.access.as_result(no_answer) if self.access else {}),
            **(self.health.as_result(no_answer) if self.health else {}),
        }


def run(params: Json, _check_mode: bool, _diff: bool) -> Json:
    """Ask AWS about all keys at the same time."""
    answers = [
        _Answer(
            key,
            access=Access() if params["read_access"] else None,
            health=Health() if params["read_health"] else None,
        )
        for key in _read_keys(params["keys"], params["lookback_days"])
    ]
    marks = Marks(params["context_tag"], tuple(params["account_ids"]))
    until = Deadline(params["timeout"])
    paces = {answer.key.region: Pace() for answer in answers}
    try:
        made = Connection(params).clients(["sts", "cloudtrail", "kms"], paces, INFO_PATIENCE, until)
    except RefusedError as refused:
        if refused.refusal.code == "aws_unusable":
            raise
        return _result(answers, None, refused.refusal.error, refused.refusal.error)
    caller = begin(lambda: _ask_caller(made["sts"][answers[0].key.region]))
    futures = []
    for answer in answers:
        region = answer.key.region
        trail = Trail(made["cloudtrail"][region], paces[region], region)
        fill = functools.partial(_fill, answer, trail, made["kms"][region], params["lookback_days"], marks)
        futures.append(begin(fill))
    wait_for([caller, *futures], until)
    late = [f"{service} did not answer within {until.seconds:g} s." for service in ("CloudTrail", "AWS KMS")]
    return _result(answers, caller.result() if caller.done() else None, *late)


def _read_keys(keys: t.Sequence[t.Mapping[str, str | None]], days: int) -> list[_Key]:
    if not keys:
        raise RefusedError(refusal("no_keys"))
    if not 1 <= days <= 90:
        raise RefusedError(refusal("invalid_lookback", days=days))
    read = []
    for key in keys:
        arn = str(key["key_arn"])
        region = key["region"] or region_of(arn)
        check_key_arn(arn, region)
        read.append(_Key(arn, region, key["key_state"], key["custom_key_store_id"], key["origin"]))
    return read


def _fill(answer: _Answer, trail: Trail, kms: t.Any, days: int, marks: Marks) -> None:
    # A CloudTrail that hangs does not keep the policy from being read.
    key, futures = answer.key, []
    if answer.access:
        futures.append(begin(functools.partial(read_access, kms, key.key_arn, key.region, answer.access)))
    if answer.health:
        reading = functools.partial(read_health, kms, key.key_arn, key.region, answer.health)
        futures.append(begin(functools.partial(reading, is_imported=key.origin == "EXTERNAL")))
    answer.past = _look_up(trail, key, days, marks)
    for future in futures:
        future.result()


def _look_up(trail: Trail, key: _Key, days: int, marks: Marks) -> _Past:
    since = current_time() - dt.timedelta(days=days)
    try:
        history = read_history(trail, key.key_arn, since, key.custom_key_store_id)
    except RefusedError as refused:
        return _Past(reason=explain_optional(refused.refusal, "LookupEvents"))
    events = read_access_events(history.events, key.region)
    revocation = find_revocation(events)
    reasons = [] if revocation.is_current else [why_none(revocation, key.key_state, days)]
    reasons += [] if history.is_complete else [_OLDER]
    uses = (refused_use(event, key.key_arn, marks) for event in history.events)
    use = next(filter(None, uses), None)
    return _Past(revocation, tuple(events), use, history.is_complete, True, " ".join(reasons) or None)


def _ask_caller(sts: t.Any) -> dict[str, str] | None:
    try:
        answer = sts.get_caller_identity()
    except AWS_ERRORS:
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
    """Return what is known over all keys.

    :param histories: each key's ARN and its events, the oldest first
    :param complete: whether all events of all keys were read
    """
    loss = find_last_loss(histories)
    return {
        "revoked_at": loss.revoked_at if loss and not loss.restored_at else None,
        "last_loss": loss.as_result() if loss else None,
        # A name made of fewer events would be another.
        "identity": loss.identity if loss and complete else None,
        "complete": complete,
    }
