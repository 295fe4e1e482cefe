# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What a run leaves behind as proof. Pure.

Every field is taken over by name and by type. Whatever else a module or a desk returns beside them stays outside, so
that nothing secret can get in by accident. The format is described, field by field, in docs/evidence.schema.json.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import WITHOUT_ACCESS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verdict import verdict, warnings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import CHECKS, OUTCOMES, VERDICTS

SCHEMA: t.Final = "keyops.atlassian_cmk/evidence"
VERSION: t.Final = 1
PHASES: t.Final = ("reinstatable", "uncertain", "at_risk", "unknown")

_Read: t.TypeAlias = t.Callable[[object], t.Any]
_Fields: t.TypeAlias = t.Mapping[str, _Read]
Evidence: t.TypeAlias = dict[str, t.Any]

# Moments of the same second are told in this order.
KINDS: t.Final = (
    "revoked",
    "access_changed",
    "started",
    "cancelled",
    "enabled",
    "usable",
    "announced",
    "handed_over",
    "replied",
    "used",
    "finished",
    "expected",
    "mark",
    "deletion",
)


_Moment: t.TypeAlias = tuple[str, str | None, str, str]  # kind, time, region, label
_MOST: t.Final = 3  # changes of policy and grants that the timeline shows of each region
_CHANGES: t.Final = {
    "EnableKey": ("enabled", "Key enabled"),
    "DisableKey": ("revoked", "Key disabled"),
    "CancelKeyDeletion": ("cancelled", "Deletion cancelled"),
}


def text(value: object) -> str:
    """Read a text; anything that is neither a text nor a number is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    # What a terminal or an editor would act on, and what UTF-8 cannot hold.
    clean = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", str(value).replace("\r\n", "\n").replace("\r", "\n"))
    return clean.encode("utf-8", "replace").decode("utf-8")


def moment(value: object) -> str | None:
    """Read a time (ISO 8601 with any offset; none means UTC) as ISO 8601 in UTC, to the second."""
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, dt.datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
    try:
        return aware.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return None


def flag(value: object) -> bool:
    """Read a boolean, also as Ansible writes it into a text."""
    return str(value).lower() == "true"


def number(value: object) -> float | None:
    """Read a finite number, to two digits after the point."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return round(value, 2)


def link(value: object) -> str:
    """Read a URL that is safe to follow: http or https, without credentials in it."""
    url = text(value).strip()
    return url if re.fullmatch(r"https?://[^\s@/]+(?:/[^\s]*)?", url) else ""


def taken(source: object, fields: _Fields) -> dict[str, t.Any]:
    """Take the named fields over, and nothing else; a missing one is read from None."""
    given = _map(source)
    return {name: read(given.get(name)) for name, read in fields.items()}


def each(fields: _Fields) -> _Read:
    """Make a reader for a list of such objects."""
    return lambda value: [taken(item, fields) for item in _items(value)]


def _map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def _items(value: object) -> list[t.Mapping[str, t.Any]]:
    given = value if isinstance(value, (list, tuple)) else []
    return [item for item in given if isinstance(item, t.Mapping)]


def _texts(value: object) -> list[str]:
    return [text(item) for item in value] if isinstance(value, (list, tuple)) else []


_CALL: t.Final = {"operation": text, "at": moment, "error": text}
_EVENT: t.Final = {
    "time": moment,
    "name": text,
    "user_arn": text,
    "source_ip": text,
    "event_id": text,
    "error_code": text,
    "region": text,
}
_LOSS: t.Final = {"revoked_at": moment, "revoked_by": text, "revoked_how": text, "event_id": text}
_REVOCATION: t.Final = {
    **_LOSS,
    "restored_at": moment,
    "last_revocation": lambda value: taken(value, _LOSS) if value else None,
    "events": each(_EVENT),
    "suspects": each(_EVENT),
    "reason": text,
}
_KEY: t.Final = {
    "reference": text,
    "key_id": text,
    "arn": text,
    "account_id": text,
    "key_state_before": text,
    "key_state": text,
    "actions": _texts,
    "changed": flag,
    "waited": number,
    "calls": each(_CALL),
    "error": text,
    "hint": text,
}
_TRUST: t.Final = {
    "role_name": text,
    "role_arn": text,
    "account_id": text,
    "effect_before": text,
    "effect": text,
    "actions": _texts,
    "changed": flag,
    "waited": number,
    "calls": each(_CALL),
    "error": text,
    "hint": text,
}
_ACCESS: t.Final = {"changed": flag, "diff": text, "note": text}
_WINDOW: t.Final = {
    "known": flag,
    "revoked_at": moment,
    "days_elapsed": number,
    "reinstate_by": moment,
    "at_risk_after": moment,
    "hours_left": number,
    "phase": lambda value: value if value in PHASES else "unknown",
    "deletion_date": moment,
    "deadline": moment,
    "expected_completion": moment,
    "says": text,
    "error": text,
}
_TICKET: t.Final = {
    "key": text,
    "mode": text,
    "told": flag,
    "already_told": flag,
    "comment_id": text,
    "url": link,
    "mailed_to": text,
    "mailed_at": moment,
    "code": text,
    "error": text,
    "hint": text,
}


_USE: t.Final = {"time": moment, "name": text, "account_id": text, "source_ip": text, "event_id": text}
_VERIFICATION: t.Final = {
    "verdict": lambda value: value if value in VERDICTS else "needs_attention",
    "reason": text,
    "looks": lambda value: int(number(value) or 0),
    "checks": lambda value: [
        {**taken(one, {"check": text, "outcome": lambda word: word if word in OUTCOMES else "unknown", "says": text})}
        for one in _items(value)
        if one.get("check") in CHECKS
    ],
    "use": each(
        {
            "region": text,
            "arn": text,
            "since": moment,
            "looked_up": flag,
            "first_use": lambda value: taken(value, _USE) if value else None,
            "is_first": flag,
            "reason": text,
        }
    ),
    "ticket_status": text,
    "reply": lambda value: taken(value, {"name": text, "at": moment, "text": text, "url": link}) if value else None,
    "sites": each({"site": text, "up": flag, "status": number, "says": text}),
}


def evidence(run: t.Mapping[str, t.Any]) -> Evidence:
    """Put the evidence of a run together.

    :param run: ``entry_point``, ``check_mode``, ``result`` (``cmk_result``), ``keys`` (of kms_key_state),
        ``revocation`` (of kms_key_revocation_info), ``revoked`` (what is known of it), ``window``, ``access`` (how
        policies and grants differ from an earlier copy), ``trust`` (of byok_trust_statement) and ``trust_diff``,
        ``announcement`` (the journal), ``comment`` (its text), ``verification`` (whether the vendor is back),
        ``collection_version``, ``controller``; any of them may be missing or empty
    :return: the evidence, as docs/evidence.schema.json describes it
    """
    result = _map(run.get("result"))
    announced = _map(run.get("announcement"))
    revocation = _map(run.get("revocation"))
    revoked = taken(run.get("revoked"), {"identity": text, "source": text, "reason": text})
    entry_point, check_mode = text(run.get("entry_point")), flag(run.get("check_mode"))
    # What CloudTrail names before a revocation is the one before it.
    last = "" if entry_point == "revoke" else text(revocation.get("identity"))
    about = {
        "schema": SCHEMA,
        "version": VERSION,
        "collection_version": text(run.get("collection_version")),
        "entry_point": entry_point,
        "check_mode": check_mode,
        "predicted": check_mode or entry_point == "assess",
        **taken(result, {"org": text, "programme": _programme, "realm": text, "status": text, "error": text}),
        "reference": text(announced.get("reference")),
        "revocation": {**revoked, "identity": revoked["identity"] or last},
        **taken(result, {"started_at": moment, "finished_at": moment}),
        "restored_at": moment(announced.get("restored_at")),
        "ran_by": {
            **taken(run.get("controller"), {"user": text, "host": text}),
            **taken(revocation.get("caller"), {"arn": text, "account_id": text}),
        },
        "regions": _regions(run),
        "trust": _trust(run),
        "window": taken(run.get("window"), _WINDOW),
        "ticket": _ticket(run),
        "verification": taken(run.get("verification"), _VERIFICATION) if run.get("verification") else None,
    }
    changes = [*(region["changed"] for region in about["regions"]), bool(about["trust"] and about["trust"]["changed"])]
    if about["predicted"] and any(changes):
        # Of a change that was not made there is no time, and the run that makes it may get another reference.
        about |= {"restored_at": None, "reference": ""}
    judged = {**about, "verdict": verdict(about), "warnings": warnings(about)}
    return {**judged, "timeline": _timeline(judged)}


def _regions(run: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    keys = _by_label(run.get("keys"))
    losses = _by_label(_map(run.get("revocation")).get("keys"))
    access = _by_label(run.get("access"))
    before = _states_before(run)
    wished = WITHOUT_ACCESS if run.get("entry_point") == "revoke" else ("Enabled",)
    found = []
    for name in dict.fromkeys([*keys, *losses, *access]):
        key = taken(keys.get(name), _KEY)
        found.append(
            {
                "region": text(next(one[name] for one in (keys, losses, access) if name in one).get("region")),
                "label": name,
                "reference": key["reference"],
                "key_id": key["key_id"],
                "arn": key["arn"] or text(losses.get(name, {}).get("arn")),
                "account_id": key["account_id"],
                "state_at_revocation": text(before.get(key["arn"])) or key["key_state_before"],
                "state_before": key["key_state_before"],
                "state_after": key["key_state"],
                "ok": key["key_state"] in wished and not key["error"],
                **{part: key[part] for part in ("changed", "actions", "waited", "error", "hint", "calls")},
                "revocation": taken(losses[name], _REVOCATION) if name in losses else None,
                "access": taken(access[name], _ACCESS) if name in access else None,
            }
        )
    return found


def _by_label(value: object) -> dict[str, t.Mapping[str, t.Any]]:
    return {text(item.get("label")) or text(item.get("region")): item for item in _items(value)}


def _states_before(run: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    return _map(_map(run.get("announcement")).get("states_before"))


def _programme(value: object) -> str:
    return "byok" if value == "byok" else "cmk"


def _trust(run: t.Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    if not _map(run.get("trust")):
        return None
    trust = taken(run["trust"], _TRUST)
    return {
        "role": trust["role_name"],
        "arn": trust["role_arn"],
        "account_id": trust["account_id"],
        "state_at_revocation": text(_states_before(run).get(trust["role_name"])) or trust["effect_before"],
        "state_before": trust["effect_before"],
        "state_after": trust["effect"],
        "ok": trust["effect"] == "Allow" and not trust["error"],
        **{part: trust[part] for part in ("changed", "actions", "waited", "error", "hint", "calls")},
        "diff": text(run.get("trust_diff")),
    }


def _ticket(run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    ticket = taken(_map(run.get("result")).get("ticket"), _TICKET)
    told = _map(_map(run.get("announcement")).get("told"))
    return {
        **ticket,
        **{f"told_{name}": read(told.get(name)) for name, read in {"by": text, "at": moment, "note": text}.items()},
        "comment": text(run.get("comment")),
    }


def _timeline(about: Evidence) -> list[dict[str, str]]:
    moments = [*(one for region in about["regions"] for one in _of_region(about, region)), *_of_run(about)]
    start = about["window"]["revoked_at"]
    if start not in [at for kind, at, _region, _label in moments if kind == "revoked"]:
        moments.append(("revoked", start, "", "Access lost, as far as known"))
    moments += _of_window(about)
    known = [
        {"at": at, "kind": kind, "region": region, "label": label}
        for kind, at, region, label in moments
        if at is not None
    ]
    return sorted(known, key=lambda one: (one["at"], KINDS.index(one["kind"])))


def _of_region(about: Evidence, region: dict[str, t.Any]) -> t.Iterator[_Moment]:
    name = region["label"]
    loss = region["revocation"] or taken({}, _REVOCATION)
    # A revocation that was undone is no part of the story of the next one.
    over = taken({}, _REVOCATION) if about["entry_point"] == "revoke" else loss["last_revocation"] or loss
    now = loss if loss["revoked_at"] else over
    if now["revoked_at"]:
        yield "revoked", now["revoked_at"], name, _with("Access taken away", now["revoked_how"])
    # Changes of policy and grants are a daily affair: of those before the loss, the regions tell.
    for event in [event for event in loss["suspects"] if (event["time"] or "") >= (now["revoked_at"] or "")][-_MOST:]:
        yield "access_changed", event["time"], name, _with("Policy or grants changed", event["name"])
    done = [call for call in region["calls"] if call["operation"] in _CHANGES and not call["error"]]
    for call in done:
        kind, label = _CHANGES[call["operation"]]
        yield kind, call["at"], name, _with(label, call["operation"])
    if loss["restored_at"] and now["revoked_at"] and not done:
        yield "enabled", loss["restored_at"], name, "Access came back (CloudTrail)"


_HANDED_OVER: t.Final = {False: "Text handed over, not told yet", True: "Text mailed, no comment proven"}


def _of_run(about: Evidence) -> t.Iterator[_Moment]:
    ticket = about["ticket"]
    yield "started", about["started_at"], "", f"Run started ({about['entry_point']})"
    for call in about["trust"]["calls"] if about["trust"] else []:
        if call["operation"] == "UpdateAssumeRolePolicy" and not call["error"]:
            yield "access_changed", call["at"], "", "Role trusts Atlassian again (UpdateAssumeRolePolicy)"
    yield "usable", about["restored_at"], "", "Every key usable"
    if ticket["told"]:
        by = {"person": "by a person", "api": f"comment {ticket['comment_id']}".strip()}.get(ticket["told_by"], "")
        yield "announced", ticket["told_at"], "", _with("Atlassian told", by)
    if about["verdict"]["code"] == "handover_pending":
        yield "handed_over", ticket["mailed_at"] or about["finished_at"], "", _HANDED_OVER[bool(ticket["mailed_at"])]
    found = about["verification"] or taken({}, _VERIFICATION)
    for one in found["use"]:
        if one["first_use"]:
            label = f"Used by account {one['first_use']['account_id']}"
            yield "used", one["first_use"]["time"], one["region"], _with(label, one["first_use"]["name"])
    if found["reply"]:
        yield "replied", found["reply"]["at"], "", _with("Answer on the ticket", found["reply"]["name"])
    yield "finished", about["finished_at"], "", "Run ended"


def _of_window(about: Evidence) -> t.Iterator[_Moment]:
    window = about["window"]
    marks = {
        "reinstate_by": "Atlassian can reinstate until here",
        "at_risk_after": "full recovery may be impossible after this",
    }
    if about["programme"] == "byok":
        marks = {"reinstate_by": "Atlassian's limit for restoring access to BYOK keys"}
    for name, means in marks.items():
        days = days_between(window["revoked_at"], window[name])
        yield "mark", window[name], "", means if days is None else f"{days:.0f} days: {means}"
    if about["entry_point"] != "revoke":
        means = "two business days" if about["ticket"]["told"] else "if Atlassian is told now"
        yield "expected", window["expected_completion"], "", f"Completion expected ({means})"
    done = {call["operation"] for region in about["regions"] for call in region["calls"] if not call["error"]}
    means = "Deletion was due, but is cancelled" if "CancelKeyDeletion" in done else "AWS deletes the key"
    yield "deletion", window["deletion_date"], "", means


def days_between(start: str | None, end: str | None) -> float | None:
    """Count the days from one moment of the evidence to another; None if either is not known."""
    if start is None or end is None:
        return None
    return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)) / dt.timedelta(days=1)


def _with(label: str, detail: str) -> str:
    return f"{label} ({detail})" if detail else label
