# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of the evidence, each taken over by name and by type. Pure."""

from __future__ import annotations

import datetime as dt
import math
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import CHECKS, OUTCOMES
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import OUTCOMES as REHEARSED
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import VERDICTS

PHASES: t.Final = ("reinstatable", "uncertain", "at_risk", "unknown")

_Read: t.TypeAlias = t.Callable[[object], t.Any]
_Fields: t.TypeAlias = t.Mapping[str, _Read]


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


def name_in_link(value: object) -> str:
    """Read a name that becomes part of a link."""
    name = text(value)
    return name if re.fullmatch(r"[0-9A-Za-z-]+", name) else ""


def taken(source: object, fields: _Fields) -> dict[str, t.Any]:
    """Take the named fields over, and nothing else; a missing one is read from None."""
    given = as_map(source)
    return {name: read(given.get(name)) for name, read in fields.items()}


def each(fields: _Fields) -> _Read:
    """Make a reader for a list of such objects."""
    return lambda value: [taken(item, fields) for item in as_items(value)]


def as_map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def as_items(value: object) -> list[t.Mapping[str, t.Any]]:
    given = value if isinstance(value, (list, tuple)) else []
    return [item for item in given if isinstance(item, t.Mapping)]


def _texts(value: object) -> list[str]:
    return [text(item) for item in value] if isinstance(value, (list, tuple)) else []


CONTROLLER: t.Final = {"user": text, "host": text, "job": text, "workflow_job": text}
VERSIONS: t.Final = {"ansible_core": text, "amazon_aws": text, "boto3": text, "botocore": text}
EARLIER: t.Final = {"run": name_in_link, "entry_point": name_in_link, "at": moment}
PREVIOUS: t.Final = {"run": name_in_link, "sha256": text}
CALL: t.Final = {"operation": text, "at": moment, "error": text, "request_id": text}
EVENT: t.Final = {
    "time": moment,
    "name": text,
    "user_arn": text,
    "source_ip": text,
    "event_id": text,
    "error_code": text,
    "region": text,
}
LOSS: t.Final = {
    "revoked_at": moment,
    "revoked_by": text,
    "revoked_how": text,
    "event_id": text,
    "automation": text,
}
REVOCATION: t.Final = {
    **LOSS,
    "restored_at": moment,
    "last_revocation": lambda value: taken(value, LOSS) if value else None,
    "events": each(EVENT),
    "suspects": each(EVENT),
    "reason": text,
}
KEY: t.Final = {
    "reference": text,
    "key_id": text,
    "arn": text,
    "account_id": text,
    "key_state_before": text,
    "key_state": text,
    "actions": _texts,
    "changed": flag,
    "waited": number,
    "calls": each(CALL),
    "error": text,
    "hint": text,
    "proof": lambda value: moment(as_map(value).get("at")),
}
TRUST: t.Final = {
    "role_name": text,
    "role_arn": text,
    "account_id": text,
    "effect_before": text,
    "effect": text,
    "actions": _texts,
    "changed": flag,
    "waited": number,
    "calls": each(CALL),
    "error": text,
    "hint": text,
}
ACCESS: t.Final = {"changed": flag, "diff": text, "note": text}
WINDOW: t.Final = {
    "known": flag,
    "revoked_at": moment,
    "days_elapsed": number,
    "reinstate_by": moment,
    "at_risk_after": moment,
    "hours_left": number,
    "phase": lambda value: value if value in PHASES else "unknown",
    "deletion_date": moment,
    "expiry_date": moment,
    "deadline": moment,
    "expected_completion": moment,
    "says": text,
    "error": text,
}
TICKET: t.Final = {
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


CHECK: t.Final = {
    "subject": text,
    "label": text,
    "outcome": lambda value: value if value in REHEARSED else "unknown",
    "says": text,
    "by": text,
}
USE: t.Final = {"time": moment, "name": text, "account_id": text, "source_ip": text, "event_id": text}
VERIFICATION: t.Final = {
    "verdict": lambda value: value if value in VERDICTS else "needs_attention",
    "reason": text,
    "looks": lambda value: int(number(value) or 0),
    "checks": lambda value: [
        {**taken(one, {"check": text, "outcome": lambda word: word if word in OUTCOMES else "unknown", "says": text})}
        for one in as_items(value)
        if one.get("check") in CHECKS
    ],
    "use": each(
        {
            "region": text,
            "arn": text,
            "since": moment,
            "looked_up": flag,
            "first_use": lambda value: taken(value, USE) if value else None,
            "is_first": flag,
            "reason": text,
        }
    ),
    "ticket_status": text,
    "reply": lambda value: taken(value, {"name": text, "at": moment, "text": text, "url": link}) if value else None,
    "sites": each({"site": text, "up": flag, "status": number, "says": text}),
}
