# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Which restoration is this, and has Atlassian heard of it? Pure.

The journal is what the controller remembers of an organization's last restoration: its reference, the states that its
keys had, and how Atlassian was told. It is written before the first key is changed, so that a restoration that was
done but not told is remembered whatever happens in between.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._trust import ROLE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import mentions, states

# The states that nothing has to be done about.
_WELL: t.Final = ("Enabled", "Allow")


def announcement(
    keys: t.Sequence[t.Mapping[str, t.Any]],
    settings: t.Mapping[str, t.Any],
    kept_text: str,
    now: str,
    revocation: t.Mapping[str, t.Any] | None = None,
    trust: t.Mapping[str, t.Any] | None = None,
) -> dict[str, t.Any]:
    """Decide what there is to announce.

    :param keys: the plan of each key, as ``kms_realm_keys`` returns it in check mode, with its ``label``
    :param settings: ``slug``, ``ticket``, ``ticket_told``
    :param kept_text: the journal as it was kept; empty if there is none
    :param now: the time in UTC, ISO 8601
    :param revocation: ``identity`` (a text that names the last revocation) and ``lost_at`` (when the last key was lost,
        ISO 8601), each None if not known
    :param trust: the plan of BYOK's trust statement, as ``byok_trust_statement`` returns it in check mode; empty without
    :return: the journal to keep (``reference``, ``started_at``, ``restored_at``, ``ticket``, ``states_before``,
        ``told``, and ``mailed``, how it was mailed and not yet confirmed) and

        - ``enables``: whether this run is to change a key, or the trust statement
        - ``accepts``, ``accepts_since``: what on the ticket means that it has been told, see :func:`announced`
    """
    slug, journal = str(settings["slug"]), _read(kept_text, str(settings["slug"]))
    identity, lost_at = (revocation or {}).get("identity"), (revocation or {}).get("lost_at")
    trust = trust or {}
    enables = any(one["actions"] for one in [*keys, *([trust] if trust else [])])
    # What was mailed has very probably been told, and what is enabled after that is another restoration.
    continued = bool(journal) and not journal.get("told") and not (enables and journal.get("mailed"))
    told = None if enables else _told(settings, journal, now, lost_at)
    kept = journal if told or continued else {}
    states = {key.get("label", key["region"]): key["key_state_before"] for key in keys if key.get("key_state_before")}
    if trust.get("effect_before"):
        states[ROLE] = trust["effect_before"]
    earlier = kept.get("states_before", {})
    states |= {name: earlier[name] for name in states if earlier.get(name, "Enabled") not in _WELL}
    started_at = str(kept.get("started_at") or now)
    fresh = reference(slug, identity or started_at, states)
    if fresh == journal.get("reference") and not kept:
        # CloudTrail is minutes late and still names the revocation before this one, which has been told.
        fresh = reference(slug, started_at, states)
    name = str(kept.get("reference") or fresh)
    return {
        "reference": name,
        "started_at": started_at,
        "restored_at": None if enables else kept.get("restored_at"),
        "ticket": settings["ticket"],
        "states_before": states,
        "told": told,
        "mailed": None if enables else kept.get("mailed"),
        "enables": enables,
        "accepts": [name] if enables or continued or lost_at else [],
        "accepts_since": None if enables else lost_at,
    }


def announced(
    mentions: t.Sequence[t.Mapping[str, str]], announcement_: t.Mapping[str, t.Any]
) -> list[t.Mapping[str, str]]:
    """Pick from the references on the ticket those that mean that this restoration has been told.

    That is its own reference, or any one of the organization that is younger than the last loss of a key. Where nothing
    is known of the revocation, any of the organization counts.
    """
    accepts, since = announcement_["accepts"], announcement_["accepts_since"]
    if not accepts and not since:
        return list(mentions)
    return [mention for mention in mentions if mention["reference"] in accepts or _later(mention["at"], since)]


def posted(answer: t.Mapping[str, t.Any], slug: str, announcement_: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Find in the desk's answer to a comment that it tells of this restoration; empty if the answer does not prove it."""
    found = announced(mentions([answer["data"]], slug), announcement_) if answer["ok"] else []
    return {**found[0], "told": True, "already_told": False} if found else {}


def _later(moment: str, since: str | None) -> bool:
    try:
        return bool(since) and dt.datetime.fromisoformat(moment) > dt.datetime.fromisoformat(str(since))
    except (ValueError, TypeError):  # no time, or one of the two without a zone
        return False


def reference(slug: str, identity: str, regions: t.Iterable[str]) -> str:
    """Name a restoration on one short line: the same for the same organization, identity and set of regions."""
    seed = json.dumps([slug, identity, sorted(regions)])
    return f"cmk-restore/{slug}/{hashlib.sha256(seed.encode()).hexdigest()[:12]}"


def _told(
    settings: t.Mapping[str, t.Any], journal: t.Mapping[str, t.Any], now: str, lost_at: str | None
) -> dict[str, t.Any] | None:
    """How Atlassian was told of the last loss, as far as the controller knows: by a person, or by an earlier run."""
    kept, by_person = journal.get("told"), str(settings["ticket_told"])
    if kept and _later(str(lost_at), str(kept.get("at"))):
        # It speaks of an earlier revocation, and so does the note of a person who gives the same one again.
        return None if by_person in ("", kept.get("note")) else _by_person(by_person, now)
    if by_person and not (kept and kept.get("note") == by_person):
        return _by_person(by_person, now)
    same_ticket = by_person or journal.get("ticket") == settings["ticket"]
    return {**kept, "already_told": True} if kept and same_ticket else None


def _by_person(note: str, now: str) -> dict[str, t.Any]:
    return {"by": "person", "note": note, "at": now, "already_told": False}


def usable(
    announcement_: t.Mapping[str, t.Any], keys: t.Sequence[t.Mapping[str, t.Any]], entry_point: str
) -> dict[str, t.Any]:
    """Add to the announcement since when all keys have been usable (``restored_at``), as soon as they are.

    :param announcement_: as :func:`announcement` decided; empty before it has
    :param keys: what has become of the keys so far
    :param entry_point: a run of ``assess`` or ``verify`` only looks, so that its own time means nothing
    """
    known = announcement_.get("restored_at") or entry_point in ("assess", "verify")
    if not announcement_ or known or not keys or any(key.get("error") for key in keys):
        return dict(announcement_)
    return {**announcement_, "restored_at": max((call["at"] for key in keys for call in key["calls"]), default=None)}


def with_reference(text: str, reference_: str) -> str:
    """Add the reference to a comment that does not state it: no later run recognizes the restoration without it."""
    return text if states(text, reference_) else f"{text.rstrip()}\n\n{reference_line(reference_)}\n"


def reference_line(reference_: str) -> str:
    """The line of the comment that holds the reference."""
    return f"Reference: {reference_}"


def template_fault(message: str) -> str:
    """Take from Ansible's chain of messages the last one, which says what is wrong with the template; one line."""
    reason = re.sub(r"(?s)^.*(?: failed|Error while resolving value for '\w+'): ", "", message)
    return " ".join(reason.split()).rstrip(".") + "."


def journal_text(journal: t.Mapping[str, t.Any]) -> str:
    """Write the journal as it is kept."""
    kept = {name: journal[name] for name in ("reference", "started_at", "restored_at", "ticket", "states_before")}
    told = journal["told"] and {name: value for name, value in journal["told"].items() if name != "already_told"}
    mailed = {"mailed": journal["mailed"]} if journal.get("mailed") else {}
    return json.dumps({**kept, "told": told, **mailed}, indent=2, sort_keys=True) + "\n"


def _read(text: str, slug: str) -> dict[str, t.Any]:
    """Read a journal; a damaged one counts as a restoration that was not told, since silence would be worse."""
    if not text.strip():
        return {}
    try:
        journal = json.loads(text)
    except (ValueError, RecursionError):
        return {"damaged": True}
    return journal if _is_whole(journal, slug) else {"damaged": True}


def _is_whole(journal: t.Any, slug: str) -> bool:
    return (
        isinstance(journal, dict)
        # By another reference the comment would not be recognized once it is posted, and would be posted again.
        and bool(re.fullmatch(rf"cmk-restore/{re.escape(slug)}/[0-9a-f]{{12}}", str(journal.get("reference"))))
        and all(isinstance(journal.get(name), (dict, type(None))) for name in ("told", "mailed"))
        and isinstance(journal.get("states_before"), dict)
    )
