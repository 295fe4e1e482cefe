# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module kms_key_use_info: since when another account uses the keys again."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import typing as t
from dataclasses import dataclass

from .._argspec import INFO_PATIENCE, LOOKUP_OPTIONS, ArgumentSpec, Json
from .._connection import Connection
from .._deadline import Deadline, begin, wait_for
from .._kms.details import LastUse, read_last_use
from .._kms.states import read_region
from .._refusals import Refusal, RefusedError, refusal
from .._time import current_time, parse_time, write_time
from .events import TrailEvent
from .lookup import Pace, Trail, read_earliest
from .use import Marks, Use, foreign_use, proven_use, why_unused

_KEY: t.Final = {
    "key_arn": {"type": "str", "required": True, "no_log": False},
    "region": {"type": "str"},
    "since": {"type": "str", "required": True},
}
SPEC: t.Final = ArgumentSpec(
    {
        "keys": {"type": "list", "elements": "dict", "required": True, "no_log": False, "options": _KEY},
        "ask_last_use": {"type": "bool", "default": False},
        **LOOKUP_OPTIONS,
    }
)


@dataclass(frozen=True)
class _Key:
    """A key, and since when its use is looked for."""

    arn: str
    region: str
    since: dt.datetime

    @classmethod
    def from_option(cls, key_arn: str, region: str | None, since: str) -> _Key:
        region = read_region(key_arn, region)
        moment = parse_time(since)
        if moment is None:
            raise RefusedError(refusal("invalid_since", seen=repr(since)))
        return cls(key_arn, region, moment)

    def as_result(self, **known: object) -> Json:
        nothing = dict.fromkeys(("first_use", "unattributed_use", "last_use"))
        about = {"region": self.region, "arn": self.arn, "since": write_time(self.since)}
        return {**about, "looked_up": True, "is_first": False, "code": "", **nothing, **known}

    def as_unknown(self, why: Refusal) -> Json:
        return self.as_result(looked_up=False, code=why.code, reason=str(why))


def run(params: Json, _check_mode: bool, _diff: bool) -> Json:
    """Ask CloudTrail about all keys at the same time."""
    keys = [_Key.from_option(**key) for key in params["keys"]]
    if not keys:
        raise RefusedError(refusal("no_keys"))
    until, marks = Deadline(params["timeout"]), Marks(params["context_tag"], tuple(params["account_ids"]))
    paces = {key.region: Pace() for key in keys}
    try:
        services = ["cloudtrail", *(["kms"] if params["ask_last_use"] else [])]
        clients = Connection(params).clients(services, paces, INFO_PATIENCE, until)
    except RefusedError as refused:
        if refused.refusal.code == "aws_unusable":
            raise
        return {"changed": False, "keys": [key.as_unknown(refused.refusal) for key in keys]}
    trails = {region: Trail(clients["cloudtrail"][region], paces[region], region) for region in paces}
    kms = clients.get("kms", {})
    futures = [begin(functools.partial(_look_up, trails[key.region], kms.get(key.region), key, marks)) for key in keys]
    wait_for(futures, until)
    results = []
    for key, future in zip(keys, futures, strict=True):
        late = refusal("not_reached", operation="LookupEvents", region=key.region, message=until.missed())
        results.append(future.result() if future.done() else key.as_unknown(late))
    return {"changed": False, "keys": results}


def _look_up(trail: Trail, kms: t.Any, key: _Key, marks: Marks) -> Json:
    last = known = None
    if kms:
        # If AWS does not answer, CloudTrail is searched.
        with contextlib.suppress(RefusedError):
            last = read_last_use(kms, key.arn, key.region)
            known = _find_last_use(trail, key, marks, last)
    # One request, however much the key is used. The first use may have been earlier.
    result = key.as_result(first_use=vars(known), reason=None) if known else _search(trail, key, marks)
    return {**result, "last_use": vars(last) if last else None}


def _find_last_use(trail: Trail, key: _Key, marks: Marks, last: LastUse) -> Use | None:
    """Prove the use by the event that AWS KMS names; None if there is none since then, or it proves nothing."""
    if not last.event_id or not last.time or last.time < write_time(key.since):
        return None
    events, _token = trail.page("EventId", last.event_id, (key.since, None))
    uses = (proven_use(event, key.arn, marks) for event in events if key.arn in event.resources)
    return next(filter(None, uses), None)


def _search(trail: Trail, key: _Key, marks: Marks) -> Json:
    def ends_search(event: TrailEvent) -> bool:
        # Without a mark nothing can be proven, and the first foreign use says all there is to know.
        return (proven_use(event, key.arn, marks) if marks else foreign_use(event, key.arn)) is not None

    try:
        events, is_all = read_earliest(trail, key.arn, (key.since, max(key.since, current_time())), ends_search)
    except RefusedError as refused:
        return key.as_unknown(refused.refusal)
    proven = (proven_use(event, key.arn, marks) for event in events)
    first = next(filter(None, proven), None)
    if first:
        return key.as_result(first_use=vars(first), is_first=is_all, reason=None)
    others = [use for event in events if (use := foreign_use(event, key.arn))]
    reason = why_unused(others, write_time(key.since), marks, is_all=is_all)
    return key.as_result(unattributed_use=vars(others[-1]) if others else None, reason=reason)
