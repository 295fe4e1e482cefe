# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module kms_key_state: one key, or the keys of several regions at the same time."""

from __future__ import annotations

import dataclasses
import functools
import re
import statistics
import typing as t
from dataclasses import dataclass

from .._argspec import CHANGE_OPTIONS, ArgumentSpec, Json, Patience, read_patience, read_waiting
from .._calls import Calls, read_pages
from .._connection import Connection
from .._deadline import Deadline, begin, wait_for
from .._progress import Progress, report
from .._refusals import RefusedError, refusal
from .._time import format_time
from .._waiter import Waiting
from .change import Outcome, give_up, set_key_state
from .states import Wish, account_of, is_key_arn

_WAYS: t.Final = ("key_id", "alias_prefix")
_KEYS: t.Final = {
    "type": "list",
    "elements": "dict",
    "no_log": False,
    "options": {
        "region": {"type": "str"},
        "key_id": {"type": "str", "no_log": False},
        "alias_prefix": {"type": "str"},
        "expected_arn": {"type": "str"},
    },
    "mutually_exclusive": [_WAYS, ("alias_prefix", "expected_arn")],
    "required_one_of": [_WAYS],
}
SPEC: t.Final = ArgumentSpec(
    {
        "key_id": {"type": "str", "no_log": False},
        "keys": _KEYS,
        "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
        "cancel_deletion": {"type": "bool", "default": False},
        "prove_permission": {"type": "bool", "default": False},
        **CHANGE_OPTIONS,
    },
    mutually_exclusive=(("key_id", "keys"),),
    required_one_of=(("key_id", "keys"),),
)
_REPORT_EVERY: t.Final = 5  # seconds
# Of 50 aliases (AWS KMS API Reference, ListAliases): far more than anybody has, and an end for an answer that has none.
_MOST_PAGES: t.Final = 200


@dataclass(frozen=True)
class Entry:
    """One key that is asked for, or all keys of a region whose aliases begin with ``alias_prefix``."""

    region: str
    key_id: str | None = None
    alias_prefix: str | None = None
    expected_arn: str | None = None

    @property
    def reference(self) -> str:
        """What the result calls it before its keys are known."""
        return self.key_id if self.key_id is not None else f"{self.alias_prefix}*"


@dataclass(frozen=True)
class _Request:
    """What is to be done with all keys, and by when."""

    wish: Wish
    waiting: Waiting | None
    is_plan: bool
    check_mode: bool
    until: Deadline
    patience: Patience


def run(params: Json, check_mode: bool, diff: bool) -> Json:
    """Bring the keys to the wanted state; RefusedError where none could be looked at."""
    connection = Connection(params)
    # The region of a profile takes a session of its own to find.
    needs_region = params["key_id"] is not None or not all(key["region"] for key in params["keys"])
    entries = _read_entries(params, connection.region if needs_region else None)
    wish = Wish(params["state"], params["cancel_deletion"], params["account_id"], params["prove_permission"])
    # One key alone has the patience of a change in check mode too: no other region waits for it.
    is_plan = (check_mode or wish.proves) and params["key_id"] is None
    until, patience = read_patience(params, is_plan=is_plan)
    outcomes = _set_all(connection, entries, _Request(wish, read_waiting(params), is_plan, check_mode, until, patience))
    result = _several(outcomes, diff) if params["key_id"] is None else _single(outcomes[0], diff)
    return {**result, "changed": False} if wish.proves else result


def _read_entries(params: Json, region: str | None) -> list[Entry]:
    if params["key_id"] is not None:
        if not region:
            raise RefusedError(refusal("no_region"))
        return [Entry(region, params["key_id"])]
    entries = [Entry(**{**key, "region": key["region"] or region}) for key in params["keys"]]
    if not entries or not all(entry.region for entry in entries):
        raise RefusedError(refusal("key_without_region"))
    for entry in entries:
        prefix, arn = entry.alias_prefix, entry.expected_arn
        if prefix is not None and not re.fullmatch(r"alias/[a-zA-Z0-9/_-]+", prefix):
            raise RefusedError(refusal("invalid_alias_prefix", seen=repr(prefix)))
        if arn is not None and not is_key_arn(arn):
            raise RefusedError(refusal("invalid_expected_arn", seen=repr(arn)))
    return entries


def _set_all(connection: Connection, entries: list[Entry], request: _Request) -> list[Outcome]:
    every = [[Outcome(entry.reference, entry.region, entry.expected_arn)] for entry in entries]
    try:
        regions = [entry.region for entry in entries]
        made = connection.clients(["kms"], regions, request.patience, request.until)
    except RefusedError as refused:
        if refused.refusal.code != "not_reached":
            raise
        return [dataclasses.replace(outcome, refusal=refused.refusal) for (outcome,) in every]
    if request.is_plan:
        # What a busy machine needs to make the clients is none of the regions' time.
        request = dataclasses.replace(request, until=Deadline(request.until.seconds))
    futures = [
        begin(functools.partial(_set_entry, made["kms"][entry.region], entry, outcomes, request))
        for entry, outcomes in zip(entries, every, strict=True)
    ]
    pause = 0 if request.check_mode else _REPORT_EVERY
    wait_for(futures, request.until, pause, lambda: _report_waiting(every, request))
    reason = f"not reachable yet, {request.until.missed()}" if request.is_plan else request.until.missed()
    ended = [
        give_up(outcome, request.wish, request.waiting, reason) for outcomes in every for outcome in list(outcomes)
    ]
    return [dataclasses.replace(outcome, session_ends_at=format_time(made.session_ends_at)) for outcome in ended]


def _set_entry(client: t.Any, entry: Entry, outcomes: list[Outcome], request: _Request) -> None:
    """Deal with one entry; the outcomes are those of its keys as soon as these are known."""
    if entry.alias_prefix is not None:
        outcomes[:] = find_keys(client, outcomes[0].calls, entry.region, entry.alias_prefix, request.wish.account_id)
    modes: t.Any = {"check_mode": request.check_mode, "waiting": request.waiting}
    futures = [
        begin(functools.partial(set_key_state, client, outcome, request.wish, **modes))
        for outcome in outcomes
        if not outcome.refusal
    ]
    for future in futures:
        future.result()


def find_keys(client: t.Any, calls: Calls, region: str, prefix: str, account_id: str | None) -> list[Outcome]:
    """Find the keys of a region that have an alias with ``prefix``, in the order of the aliases, each named by its first alias.

    The first outcome has ``calls``. If there are too many aliases to read, the last one says so.
    """
    everything = f"{prefix}*"
    try:
        pages, is_all = read_pages(functools.partial(calls.make, client, "ListAliases", region), _MOST_PAGES)
    except RefusedError as refused:
        return [Outcome(everything, region, calls=calls, refusal=refused.refusal)]
    aliases = [alias for page in pages for alias in page["Aliases"]]
    outcomes = _name_keys([alias for alias in aliases if alias["AliasName"].startswith(prefix)], region)
    if not is_all:
        why = refusal("too_many_aliases", prefix=prefix, region=region, most=_MOST_PAGES * 50)
        outcomes.append(Outcome(everything, region, refusal=why))
    if not outcomes:
        owners = [account_id, *(account_of(alias["AliasArn"]) for alias in aliases), "of the credentials in use"]
        why = refusal("no_such_alias", prefix=prefix, region=region, account_id=next(filter(None, owners)))
        outcomes.append(Outcome(everything, region, refusal=why))
    outcomes[0].calls = calls
    return outcomes


def _name_keys(aliases: list[dict[str, str]], region: str) -> list[Outcome]:
    outcomes: list[Outcome] = []
    known: set[str] = set()
    for alias in sorted(aliases, key=lambda alias: alias["AliasName"]):
        name, key_id = alias["AliasName"], alias.get("TargetKeyId")
        if not key_id:
            why = refusal("alias_without_key", alias=name, region=region)
            outcomes.append(Outcome(name, region, refusal=why))
        elif key_id not in known:
            known.add(key_id)
            outcomes.append(Outcome(name, region))
    return outcomes


def _report_waiting(every: list[list[Outcome]], request: _Request) -> None:
    open_ = [outcome for outcomes in every for outcome in list(outcomes) if not (outcome.is_done or outcome.refusal)]
    for region in dict.fromkeys(outcome.region for outcome in open_):
        states = {outcome.last_state or outcome.before for outcome in open_ if outcome.region == region}
        shown = tuple(sorted(state for state in states if state))
        report(Progress(region, request.wish.key_state, states=shown, waited=request.until.elapsed()))


def _single(outcome: Outcome, diff: bool) -> Json:
    result = outcome.as_result()
    if diff and outcome.before:
        result["diff"] = outcome.as_diff()
    if outcome.refusal:
        result |= {"failed": True, "msg": str(outcome.refusal), "refusal": vars(outcome.refusal)}
    return result


def _with_refusal(outcome: Outcome) -> Json:
    return {**outcome.as_result(), **outcome.describe_refusal()}


def _several(outcomes: list[Outcome], diff: bool) -> Json:
    offsets = [outcome.clock_offset for outcome in outcomes if outcome.clock_offset is not None]
    result: Json = {
        "keys": list(map(_with_refusal, outcomes)),
        "found": [found for outcome in outcomes if (found := outcome.as_found())],
        "changed": any(outcome.actions for outcome in outcomes),
        "clock_offset": round(statistics.median(offsets), 1) if offsets else None,
        "session_ends_at": outcomes[0].session_ends_at if outcomes else None,
    }
    if diff:
        result["diff"] = [outcome.as_diff() for outcome in outcomes if outcome.before]
    failed = [f"{outcome.region}: {outcome.refusal}" for outcome in outcomes if outcome.refusal]
    if failed:
        result |= {"failed": True, "msg": " ".join(failed)}
    return result
