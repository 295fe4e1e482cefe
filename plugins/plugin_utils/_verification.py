# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a verification has read to its verdict and its checks. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t
from dataclasses import asdict, replace

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import TRANSIENT
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import (
    CHECKS,
    Reply,
    by_text,
    check_clock,
    check_keys,
    check_sites,
    check_ticket,
    check_use,
    is_dated,
    lost_again,
    reply_on_ticket,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import (
    Facts,
    Keys,
    judge_facts,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import Use as UseOfAll
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Use

# What may be over at the next look.
_PASSING: t.Final = (*TRANSIENT, "desk_throttled", "desk_trouble", "desk_not_reached")
_OUTCOME_OF_USE: t.Final = {
    "every": "good",
    "some": "open",
    "none": "open",
    "unattributed": "open",
    "undated": "unknown",
    "unread": "unknown",
}


def judge(run: Run) -> dict[str, t.Any]:
    """Judge a look at everything: ``verification`` of ``cmk_result``, and ``passing``: what is wrong may be over at the next look."""
    seen, use, reply = run.seen, _uses(run), reply_on_ticket(run)
    facts = _facts(run, use, reply)
    name, reason = judge_facts(facts)
    checks = [
        check_keys(run),
        check_use(use, _OUTCOME_OF_USE[facts.use]),
        check_ticket(run, reply),
        check_sites(seen.sites),
        check_clock(run, is_overdue=facts.overdue),
        # Shown as the vendor's own word, and no part of the verdict.
        *([seen.atlassian] if seen.atlassian else []),
    ]
    return {
        "verdict": name,
        "reason": reason,
        "passing": _is_passing(run, facts),
        "timed_out": seen.timed_out,
        "checks": [
            {"check": check, "outcome": outcome, "says": says}
            for check, (outcome, says) in zip(CHECKS, checks, strict=False)
        ],
        "use": list(map(asdict, use)),
        "reply": asdict(reply) if reply else None,
        "ticket_status": seen.look.status if seen.look else "",
        "sites": list(map(asdict, seen.sites)),
        "looks": seen.looks,
    }


def _facts(run: Run, use: t.Sequence[Use], reply: Reply | None) -> Facts:
    lost = lost_again(run)
    is_notified, due = run.ticket.told, parse_time(run.window.expected_completion)
    now, limit = parse_time(run.now), words(dt.timedelta(seconds=run.settings.verify_limit))
    return Facts(
        error=" ".join(filter(None, [run.error, run.seen.error, *run.settings.problems])),
        keys=_keys_as_a_whole(run),
        lost=by_text((key.region, lost[key.arn]) for key in run.keys if key.arn in lost),
        notified=is_notified,
        overdue=is_notified and bool(due and now and now > due),
        use=_use_as_a_whole(use),
        sites="none" if not run.seen.sites else "up" if all(site.up for site in run.seen.sites) else "down",
        answered_by=reply.name or "somebody" if reply and not reply.automatic else "",
        dated=is_dated(run),
        limit=limit if run.seen.timed_out else "",
    )


def _is_passing(run: Run, facts: Facts) -> bool:
    codes = [key.code for key in run.keys if key.error] if facts.keys == "unread" else []
    if not codes and not facts.notified:
        codes = [run.ticket.code]
    return not facts.error and bool(codes) and all(code in _PASSING for code in codes)


def _uses(run: Run) -> list[Use]:
    by_arn = {use.arn: use for use in run.seen.use}
    return [replace(by_arn.get(key.arn, Use(key.region, key.arn)), region=key.region, arn=key.arn) for key in run.keys]


def _keys_as_a_whole(run: Run) -> Keys:
    if any(key.key_state_before not in (None, "Enabled") for key in run.keys):
        return "not_enabled"
    return "enabled" if run.keys and not any(key.error for key in run.keys) else "unread"


def _use_as_a_whole(use: t.Sequence[Use]) -> UseOfAll:
    missing = [key for key in use if not key.first_use]
    if use and not missing:
        return "every"
    if any(not key.since for key in missing):
        return "undated"
    if not use or any(not key.looked_up for key in missing):
        return "unread"
    if all(key.unattributed_use for key in missing):
        return "unattributed"
    return "some" if len(missing) < len(use) else "none"


def describe_progress(run: Run) -> str:
    """Say on one short line how a look ended."""
    use, sites, judged = _uses(run), run.seen.sites, judge(run)
    parts = [
        f"keys enabled {sum(not key.error for key in run.keys)}/{len(run.keys)}",
        f"in use {sum(bool(one.first_use) for one in use)}/{len(use)}",
        *([f"sites up {sum(site.up for site in sites)}/{len(sites)}"] if sites else []),
        *(["answered on the ticket"] if judged["reply"] else []),
    ]
    return f"{run.now}: {judged['verdict'].replace('_', ' ')} ({', '.join(parts)})"
