# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""From what a verification has read to its verdict and its checks. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import (
    CHECKS,
    OUTCOMES,
    check_clock,
    check_keys,
    check_sites,
    check_ticket,
    check_use,
    lost_again,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._proof import (
    answer_on_ticket,
    is_dated,
    notification,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import (
    VERDICTS,
    Facts,
    Keys,
    Sites,
    Use,
    verdict,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._time import parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._timeline import words

__all__ = ["CHECKS", "OUTCOMES", "VERDICTS", "progress", "seen_keys", "told", "verification"]

Parts = t.Mapping[str, t.Any]
# What may be over at the next look.
_PASSING: t.Final = (
    "throttled",
    "aws_trouble",
    "not_reached",
    "desk_throttled",
    "desk_trouble",
    "desk_not_reached",
)
_UNKNOWN_USE: t.Final[dict[str, t.Any]] = {
    "since": None,
    "looked_up": False,
    "first_use": None,
    "unattributed_use": None,
    "is_first": False,
    "reason": "CloudTrail was not asked, because it is not known when access was lost, when the key was enabled or when "
    "Atlassian was notified. Set cmk_revoked_at.",
}


def seen_keys(keys: t.Iterable[Parts]) -> list[dict[str, t.Any]]:
    """Take from a plan of ``kms_key_state`` what it read: nothing is changed, and a key that is not enabled is an error."""
    read = []
    for key in keys:
        state = key.get("key_state_before")
        as_read = {**key, "key_state": state, "actions": [], "changed": False}
        if not key["error"] and state != "Enabled":
            as_read |= vars(refusal("not_enabled", arn=key.get("arn"), key_state=state))
        read.append(as_read)
    return read


def told(announcement_: Parts, look: Parts) -> dict[str, t.Any]:
    """Return how Atlassian was notified, in the form of the run's ticket.

    :return: ``told``, ``already_told`` and what :func:`notification` knows; ``code``, ``error`` and ``hint`` if the ticket
        could not be read
    """
    known = notification(announcement_, look)
    ticket = {**known, "told": True, "already_told": True} if known else {}
    return {**ticket, **({} if look.get("ok", True) else {name: look[name] for name in ("code", "error", "hint")})}


def verification(run: Parts) -> dict[str, t.Any]:
    """Judge a look at everything.

    :param run: of :func:`about`, with ``seen``: ``use`` (of ``kms_key_use_info``), ``look`` (of ``desk_ticket``; empty in
        manual mode), ``sites`` (of :func:`look_at_sites`), ``looks``, ``timed_out``; all of them missing if nothing was read
    :return: ``verdict``, ``reason``, ``passing`` (whether what is wrong may be over at the next look), ``timed_out``,
        ``checks`` (of each ``check``, ``outcome`` and ``says``), ``use``, ``reply`` (None if there is none),
        ``ticket_status``, ``sites`` and ``looks``
    """
    seen, sites = run["seen"], run["seen"].get("sites") or []
    use = _uses(run["keys"], seen.get("use") or [])
    answer = answer_on_ticket(seen.get("look") or {}, run["ticket"])
    facts = _facts(run, use, answer)
    name, reason = verdict(facts)
    checks = [
        check_keys(run),
        check_use(use, _OUTCOME_OF_USE[facts.use]),
        check_ticket(run, answer),
        check_sites(sites),
        check_clock(run, is_overdue=facts.overdue),
    ]
    return {
        "verdict": name,
        "reason": reason,
        "passing": _is_passing(run, facts),
        "timed_out": bool(seen.get("timed_out")),
        "checks": [
            {"check": check, "outcome": outcome, "says": says}
            for check, (outcome, says) in zip(CHECKS, checks, strict=True)
        ],
        "use": use,
        "reply": answer,
        "ticket_status": str((seen.get("look") or {}).get("status") or ""),
        "sites": sites,
        "looks": seen.get("looks") or 0,
    }


_OUTCOME_OF_USE: t.Final = {
    "every": "good",
    "some": "open",
    "none": "open",
    "unattributed": "open",
    "undated": "unknown",
    "unread": "unknown",
}


def _facts(run: Parts, use: t.Sequence[Parts], answer: Parts | None) -> Facts:
    seen, is_notified = run["seen"], bool(run["ticket"].get("told"))
    limit = dt.timedelta(seconds=float(run["settings"].get("verify_limit") or 0))
    return Facts(
        error=" ".join([run["error"], str(seen.get("error") or ""), *run["settings"]["problems"]]).strip(),
        keys=_keys_as_a_whole(run["keys"]),
        lost=" ".join(lost_again(run).values()),
        notified=is_notified,
        overdue=is_notified and _is_over(run["window"]["expected_completion"], run["now"]),
        use=_use_as_a_whole(use),
        sites=_sites_as_a_whole(seen.get("sites") or []),
        answered_by=str(answer["name"] or "somebody") if answer and not answer["automatic"] else "",
        dated=is_dated(run),
        limit=words(limit) if seen.get("timed_out") else "",
    )


def _is_passing(run: Parts, facts: Facts) -> bool:
    codes = [key.get("code") for key in run["keys"] if key["error"]] if facts.keys == "unread" else []
    if not codes and not facts.notified:
        codes = [run["ticket"].get("code")]
    return not facts.error and bool(codes) and all(code in _PASSING for code in codes)


def _uses(keys: t.Iterable[Parts], results: t.Iterable[Parts]) -> list[dict[str, t.Any]]:
    by_arn = {result["arn"]: result for result in results}
    return [
        {
            "region": key["region"],
            "arn": key.get("arn"),
            **{name: by_arn.get(key.get("arn"), _UNKNOWN_USE)[name] for name in _UNKNOWN_USE},
        }
        for key in keys
    ]


def _keys_as_a_whole(keys: t.Sequence[Parts]) -> Keys:
    if any(key.get("key_state_before") not in (None, "Enabled") for key in keys):
        return "not_enabled"
    return "enabled" if keys and not any(key["error"] for key in keys) else "unread"


def _use_as_a_whole(use: t.Sequence[Parts]) -> Use:
    missing = [key for key in use if not key["first_use"]]
    if use and not missing:
        return "every"
    if any(not key["since"] for key in missing):
        return "undated"
    if not use or any(not key["looked_up"] for key in missing):
        return "unread"
    if all(key["unattributed_use"] for key in missing):
        return "unattributed"
    return "some" if len(missing) < len(use) else "none"


def _sites_as_a_whole(sites: t.Sequence[Parts]) -> Sites:
    return "none" if not sites else "up" if all(site["up"] for site in sites) else "down"


def _is_over(end: str | None, now: str) -> bool:
    first, last = parse_time(end), parse_time(now)
    return bool(first and last and last > first)


def progress(run: Parts) -> str:
    """Say on one short line how a look ended."""
    result = run["verification"]
    in_use = sum(bool(key["first_use"]) for key in result["use"])
    up = sum(bool(site["up"]) for site in result["sites"])
    parts = [
        f"keys enabled {sum(not key['error'] for key in run['keys'])}/{len(run['keys'])}",
        f"in use {in_use}/{len(result['use'])}",
        *([f"sites up {up}/{len(result['sites'])}"] if result["sites"] else []),
        *(["answered on the ticket"] if result["reply"] else []),
    ]
    return f"{run['now']}: {result['verdict'].replace('_', ' ')} ({', '.join(parts)})"
