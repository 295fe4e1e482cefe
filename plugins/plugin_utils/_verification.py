# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Is Atlassian really back? Pure.

An enabled key proves nothing of the vendor: only its use of the key does, and that shows in CloudTrail. A site that
answers proves that the site is up, and a reply on the ticket that somebody is at work.
"""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announced
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._timeline import words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._time import parse_time as as_moment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import window

Parts = t.Mapping[str, t.Any]

VERDICTS: t.Final = ("restored", "waiting", "needs_attention")
OUTCOMES: t.Final = ("good", "open", "bad", "unknown")
CHECKS: t.Final = ("keys", "use", "ticket", "sites", "clock")
# What may be over at the next look.
_PASSING: t.Final = (
    "throttled",
    "aws_trouble",
    "not_reached",
    "desk_throttled",
    "desk_trouble",
    "desk_not_reached",
)


class Facts(t.NamedTuple):
    """What the verdict rests on."""

    error: str = ""  # what ended the run early
    keys: t.Literal["enabled", "not_enabled", "unread"] = "enabled"
    told: bool = True
    overdue: bool = False  # two business days have passed since Atlassian was told
    use: t.Literal["every", "some", "none", "unread"] = "every"  # in how many regions another account uses the key
    sites: t.Literal["none", "up", "down"] = "none"  # none: none is named
    replied: bool = False  # on the ticket, after Atlassian was told


def verdict(facts: Facts) -> tuple[str, str]:
    """Judge what was seen, strictly; the reason says on what evidence the verdict rests.

    :return: one of :data:`VERDICTS`, and the reason in a few sentences
    """
    return next((found, reason) for applies, found, reason in _rules(facts) if applies)


def _rules(facts: Facts) -> list[tuple[bool, str, str]]:
    """List when which verdict applies, and why; the first one that applies counts."""
    proof, missing = facts.use == "every", _missing(facts)
    reply = " There is an answer on the ticket: read it." if facts.replied else ""
    return [
        (bool(facts.error), "needs_attention", facts.error),
        (
            facts.keys == "not_enabled",
            "needs_attention",
            "Not every key is enabled, so Atlassian cannot come back. See the keys below.",
        ),
        (
            facts.keys == "unread",
            "needs_attention",
            "Not every key could be looked at, so nothing is certain. See the keys below.",
        ),
        (
            proof and facts.sites == "up",
            "restored",
            "Another account uses every key again, and every site answers.",
        ),
        (
            not facts.told,
            "needs_attention",
            "As far as is known, Atlassian has not been told, so it has no reason to begin. Run restore_cmk.yml, with "
            "cmk_ticket_told if a person has told it.",
        ),
        (
            proof and facts.sites == "none",
            "restored",
            "Another account uses every key again. No site is named in cmk_sites, so this rests on the use of the keys alone.",
        ),
        (
            facts.use == "unread" and facts.sites == "up" and facts.replied,
            "restored",
            "Every site answers, and the ticket was answered after Atlassian had been told. CloudTrail could not be read, "
            "so the use of the keys is not proven.",
        ),
        (
            facts.overdue,
            "needs_attention",
            f"The two business days that a restoration generally takes are over, and {missing}. Ask on the ticket.",
        ),
        (True, "waiting", f"Atlassian has been told, and {missing}.{reply}"),
    ]


def _missing(facts: Facts) -> str:
    use = {
        "every": "every key is in use again",
        "some": "not every key is in use again yet",
        "none": "no key is in use again yet",
        "unread": "CloudTrail could not be read, so that the use of the keys is not proven",
    }[facts.use]
    sites = {"none": "", "up": ", though every site answers", "down": ", and not every site answers"}[facts.sites]
    return use + (", but not every site answers" if facts.use == "every" else sites)


def seen_keys(keys: t.Iterable[Parts]) -> list[dict[str, t.Any]]:
    """Take a plan of ``kms_realm_keys`` for what it saw: nothing is changed, and a key that is not enabled is an error."""
    found = []
    for key in keys:
        state = key.get("key_state_before")
        as_seen = {**key, "key_state": state, "actions": [], "changed": False}
        if not key["error"] and state != "Enabled":
            as_seen |= vars(refusal("not_enabled", arn=key.get("arn"), key_state=state))
        found.append(as_seen)
    return found


def told(announcement_: Parts, look: Parts) -> dict[str, t.Any]:
    """Tell how Atlassian was told, by the ticket, or else by what the controller remembers.

    :param announcement_: as ``announcement`` decided; empty before it has
    :param look: the result of ``desk_ticket``; empty if the ticket is not read
    :return: ``told``, ``already_told`` and what is known of the comment; ``code``, ``error`` and ``hint`` if the ticket
        could not be read
    """
    on_ticket = announced(look.get("mentions") or [], announcement_) if announcement_ else []
    known: Parts | None = on_ticket[0] if on_ticket else announcement_.get("told")
    found = {**known, "told": True, "already_told": True} if known else {}
    return {**found, **({} if look.get("ok", True) else {name: look[name] for name in ("code", "error", "hint")})}


def to_prove(
    keys: t.Iterable[Parts], revocation: Parts, restored_at: str | None, told_at: str | None, proven: t.Iterable[Parts]
) -> list[dict[str, str]]:
    """Pick the keys whose use is still to be proven, as ``kms_key_use_info`` takes them.

    A use counts from when the key was usable again: the latest of what CloudTrail and the controller know of that. If
    neither knows, from when Atlassian was told; a key of which nothing at all is known is left out.

    :param keys: of ``kms_realm_keys``
    :param revocation: the result of ``kms_key_revocation_info``
    :param restored_at: since when all keys have been usable, as the controller remembers it
    :param proven: the results of earlier looks
    """
    done = {one["arn"] for one in proven if one.get("first_use")}
    trail = {key["arn"]: key for key in revocation.get("keys") or []}
    found = []
    for key in keys:
        arn = key.get("arn")
        if not arn or arn in done:
            continue
        known = trail.get(arn, {})
        moments = [known.get("restored_at"), known.get("revoked_at"), restored_at]
        since = max((moment for moment in map(as_moment, moments) if moment), default=as_moment(told_at))
        if since:
            found.append({"region": key["region"], "key_arn": arn, "since": _text(since)})
    return found


def reply(look: Parts, told_: Parts) -> dict[str, str] | None:
    """Find the newest comment by somebody else after Atlassian was told; None if there is none.

    Whoever has announced a restoration of the organization is one of us.

    :param look: the result of ``desk_ticket``
    :param told_: as :func:`told` returns it
    :return: ``name``, ``at``, ``text``, ``url``
    """
    since = as_moment(told_.get("at"))
    if since is None:
        return None
    later = [
        (moment, one)
        for one in look.get("authors") or []
        if not one["references"] and (moment := as_moment(one["at"])) and moment > since
    ]
    if not later:
        return None
    moment, newest = max(later, key=lambda pair: pair[0])
    return {**{name: newest[name] for name in ("name", "text", "url")}, "at": _text(moment)}


def verification(run: Parts) -> dict[str, t.Any]:
    """Judge a look at everything.

    :param run: of :func:`about`, with ``seen``: ``use`` (of ``kms_key_use_info``), ``look`` (of ``desk_ticket``; empty in
        manual mode), ``sites`` (of :func:`look_at_sites`), ``looks``; all of them missing if nothing was looked at
    :return: ``verdict``, ``reason``, ``passing`` (whether what is wrong may be over at the next look), ``checks`` (of each
        ``check``, ``outcome`` and ``says``), ``use``, ``reply`` (None if there is none), ``ticket_status``, ``sites`` and
        ``looks``
    """
    seen, ticket = run["seen"], run["ticket"]
    use = _uses(run["keys"], seen.get("use") or [])
    answered = reply(seen.get("look") or {}, {**ticket, "at": run["told_at"]})
    facts = Facts(
        error=" ".join([run["error"], str(seen.get("error") or ""), *run["settings"]["problems"]]).strip(),
        keys=_keys_as_a_whole(run["keys"]),
        told=bool(ticket.get("told")),
        overdue=bool(ticket.get("told")) and _is_over(run["window"]["expected_completion"], run["now"]),
        use=_use_as_a_whole(use),
        sites=_sites_as_a_whole(seen.get("sites") or []),
        replied=answered is not None,
    )
    found, reason = verdict(facts)
    checks = [
        ("keys", *_check_keys(run["keys"])),
        ("use", *_check_use(use)),
        ("ticket", *_check_ticket(run, facts.told, answered)),
        ("sites", *_check_sites(seen.get("sites") or [])),
        ("clock", *_check_clock(run, facts)),
    ]
    unread = [key.get("code") for key in run["keys"] if key["error"]] if facts.keys == "unread" else []
    codes = unread or ([] if facts.told else [ticket.get("code")])
    return {
        "verdict": found,
        "reason": reason,
        "passing": not facts.error and bool(codes) and all(code in _PASSING for code in codes),
        "checks": [dict(zip(("check", "outcome", "says"), check, strict=True)) for check in checks],
        "use": use,
        "reply": answered,
        "ticket_status": str((seen.get("look") or {}).get("status") or ""),
        "sites": seen.get("sites") or [],
        "looks": seen.get("looks") or 0,
    }


def _uses(keys: t.Iterable[Parts], found: t.Iterable[Parts]) -> list[dict[str, t.Any]]:
    by_arn = {one["arn"]: one for one in found}
    nothing = {
        "since": None,
        "looked_up": False,
        "first_use": None,
        "is_first": False,
        "reason": "it was not looked for, since it is not known when the key was enabled.",
    }
    names = ("since", "looked_up", "first_use", "is_first", "reason")
    return [
        {
            "region": key["region"],
            "arn": key.get("arn"),
            **{name: by_arn.get(key.get("arn"), nothing)[name] for name in names},
        }
        for key in keys
    ]


def _keys_as_a_whole(keys: t.Sequence[Parts]) -> t.Literal["enabled", "not_enabled", "unread"]:
    if any(key.get("key_state_before") not in (None, "Enabled") for key in keys):
        return "not_enabled"
    return "enabled" if keys and not any(key["error"] for key in keys) else "unread"


def _use_as_a_whole(use: t.Sequence[Parts]) -> t.Literal["every", "some", "none", "unread"]:
    missing = [one for one in use if not one["first_use"]]
    if use and not missing:
        return "every"
    if not use or any(not one["looked_up"] for one in missing):
        return "unread"
    return "some" if len(missing) < len(use) else "none"


def _sites_as_a_whole(sites: t.Sequence[Parts]) -> t.Literal["none", "up", "down"]:
    return "none" if not sites else "up" if all(site["up"] for site in sites) else "down"


def _check_keys(keys: t.Sequence[Parts]) -> tuple[str, str]:
    bad = [f"{key['region']}: {key['error']} {key['hint']}" for key in keys if key["error"]]
    if bad:
        return "bad", " ".join(bad)
    return ("good", f"{_all(keys)} enabled: {_regions(keys)}") if keys else ("unknown", "No key was looked at.")


def _check_use(use: t.Sequence[Parts]) -> tuple[str, str]:
    outcome = {"every": "good", "some": "open", "none": "open", "unread": "unknown"}[_use_as_a_whole(use)]
    late = " CloudTrail is up to 15 minutes late." if outcome == "open" else ""
    return outcome, (" ".join(f"{one['region']}: {_used(one)}" for one in use) or "No key was looked at.") + late


def _used(one: Parts) -> str:
    first = one["first_use"]
    if not first:
        return str(one["reason"])
    when = "first" if one["is_first"] else "at the latest"
    return f"{first['name']} by account {first['account_id']}, {when} at {first['time']}."


def _check_ticket(run: Parts, is_told: bool, answered: Parts | None) -> tuple[str, str]:
    seen, ticket = run["seen"], run["ticket"]
    at = as_moment(run["told_at"])
    when = f"Atlassian was told at {_text(at) if at else 'an unknown time'}" if is_told else "no announcement is known"
    mailed = run["announcement"].get("mailed")
    if mailed and not is_told:
        when = f"it was mailed at {mailed['at']}, which does not prove a comment"
    look = seen.get("look") or {}
    if not look:
        return (
            "unknown" if is_told else "bad"
        ), f"{when}. The ticket cannot be read without an API: look at it yourself."
    if not look["ok"]:
        return "unknown", f"{when}. {ticket.get('error')} {ticket.get('hint')}"
    status = f"Status {look['status']}; {when}"
    if answered:
        return "good", f'{status}; {answered["name"]} answered at {answered["at"]}: "{answered["text"]}"'
    return ("open" if is_told else "bad"), f"{status}{'; no answer yet' if is_told else ''}."


def _check_sites(sites: t.Sequence[Parts]) -> tuple[str, str]:
    if not sites:
        return "unknown", "No site is named (cmk_sites)."
    says = ", ".join(f"{site['site']} {site['says']}" for site in sites)
    return ("good" if all(site["up"] for site in sites) else "open"), f"{says}."


def _check_clock(run: Parts, facts: Facts) -> tuple[str, str]:
    now = window(run["revoked"]["revoked_at"], run["now"])
    parts = []
    if facts.told:
        due = run["window"]["expected_completion"]
        parts.append(
            f"{_elapsed(run['told_at'], run['now'])} since Atlassian was told, whose two business days end at {due}"
        )
    if now["known"]:
        parts.append(
            f"{now['days_elapsed']} days since access was lost; 10 days end at {now['reinstate_by']}, 20 days at "
            f"{now['at_risk_after']}"
        )
    else:
        parts.append("when access was lost is not known")
    outcome = "bad" if facts.overdue else "open" if facts.told else "unknown"
    return outcome, f"{'; '.join(parts)}."


def _all(items: t.Sequence[t.Any]) -> str:
    return f"{len(items)} of {len(items)}"


def _regions(keys: t.Iterable[Parts]) -> str:
    return f"{', '.join(str(key['region']) for key in keys)}."


def _elapsed(start: str, end: str) -> str:
    first, last = as_moment(start), as_moment(end)
    return words(max(dt.timedelta(), last - first)) if first and last else "an unknown time"


def _text(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_over(end: str | None, now: str) -> bool:
    first, last = as_moment(end), as_moment(now)
    return bool(first and last and last > first)


def progress(run: Parts) -> str:
    """Say on one short line how a look went."""
    found = run["verification"]
    used = sum(bool(one["first_use"]) for one in found["use"])
    up = sum(bool(site["up"]) for site in found["sites"])
    parts = [
        f"keys enabled {sum(not key['error'] for key in run['keys'])}/{len(run['keys'])}",
        f"in use {used}/{len(found['use'])}",
        *([f"sites up {up}/{len(found['sites'])}"] if found["sites"] else []),
        *(["answered on the ticket"] if found["reply"] else []),
    ]
    return f"{run['now']}: {found['verdict'].replace('_', ' ')} ({', '.join(parts)})"
