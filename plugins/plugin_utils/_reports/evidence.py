# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run leaves behind as proof. Pure.

Every field is taken over by name and by type. Whatever else a module or a desk returns beside them stays outside, so
that nothing secret can get in by accident. The format is described, field by field, in docs/evidence.schema.json.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import WITHOUT_ACCESS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.events import find_moments
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.fields import (
    ACCESS,
    CHECK,
    CONTROLLER,
    EARLIER,
    KEY,
    PREVIOUS,
    REVOCATION,
    TICKET,
    TRUST,
    VERIFICATION,
    VERSIONS,
    WINDOW,
    as_items,
    as_map,
    each,
    flag,
    moment,
    taken,
    text,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Evidence, Facts, Judged
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.headlines import judge_evidence, warnings

SCHEMA: t.Final = "keyops.atlassian_cmk/evidence"
VERSION: t.Final = 1

# Whatever a run hands over.
Given: t.TypeAlias = t.Mapping[str, t.Any]


def evidence(run: Given) -> Evidence:
    """Put the evidence of a run together.

    :param run: ``entry_point``, ``check_mode``, ``result`` (``cmk_result``), ``keys`` (of kms_key_state),
        ``revocation`` (of kms_key_revocation_info), ``revoked`` (what is known of it), ``window``, ``access`` (how
        policies and grants differ from an earlier copy), ``trust`` (of byok_trust_statement) and ``trust_diff``,
        ``announcement`` (the journal), ``comment`` (its text), ``verification`` (whether the vendor is back),
        ``collection_version``, ``versions``, ``controller``, ``previous`` and ``earlier_runs`` (the chain); any of them may be missing or empty
    :return: the evidence, as docs/evidence.schema.json describes it
    """
    result = as_map(run.get("result"))
    announced = as_map(run.get("announcement"))
    revocation = as_map(run.get("revocation"))
    revoked = taken(run.get("revoked"), {"identity": text, "source": text, "reason": text})
    command, check_mode = COMMANDS[run["entry_point"]], flag(run.get("check_mode"))
    # What CloudTrail names before a revocation is the one before it.
    last = "" if command.revokes else text(revocation.get("identity"))
    about: dict[str, t.Any] = {
        "schema": SCHEMA,
        "version": VERSION,
        "collection_version": text(run.get("collection_version")),
        "entry_point": command.name,
        "check_mode": check_mode,
        "predicted": check_mode or command.predicts,
        **taken(result, {"org": text, "programme": _programme, "realm": text, "status": text, "error": text}),
        "reference": text(announced.get("reference")),
        "revocation": {**revoked, "identity": revoked["identity"] or last},
        **taken(result, {"started_at": moment, "finished_at": moment}),
        "restored_at": moment(announced.get("restored_at")),
        "ran_by": {
            **taken(run.get("controller"), CONTROLLER),
            **taken(revocation.get("caller"), {"arn": text, "account_id": text}),
        },
        "versions": taken(run.get("versions"), VERSIONS),
        "previous": taken(run["previous"], PREVIOUS) if as_map(run.get("previous")) else None,
        "earlier_runs": each(EARLIER)(run.get("earlier_runs")),
        "regions": _regions(run),
        "trust": _trust(run),
        "window": taken(run.get("window"), WINDOW),
        "ticket": _ticket(run),
        "verification": taken(run.get("verification"), VERIFICATION) if run.get("verification") else None,
        "checks": each(CHECK)(result.get("checks")),
    }
    changes = [*(region["changed"] for region in about["regions"]), bool(about["trust"] and about["trust"]["changed"])]
    if about["predicted"] and any(changes):
        # Of a change that was not made there is no time, and the run that makes it may get another reference.
        about |= {"restored_at": None, "reference": ""}
    facts: Facts = t.cast("t.Any", about)
    judged: Judged = {**facts, "verdict": judge_evidence(facts), "warnings": warnings(facts)}
    return {**judged, "timeline": find_moments(judged)}


def _regions(run: Given) -> list[dict[str, t.Any]]:
    keys = _by_label(run.get("keys"))
    losses = _by_label(as_map(run.get("revocation")).get("keys"))
    access = _by_label(run.get("access"))
    before = _states_before(run)
    wished = WITHOUT_ACCESS if COMMANDS[run["entry_point"]].revokes else ("Enabled",)
    found = []
    for name in dict.fromkeys([*keys, *losses, *access]):
        key = taken(keys.get(name), KEY)
        found.append(
            {
                "region": text(next(one[name] for one in (keys, losses, access) if name in one).get("region")),
                "label": name,
                "reference": key["reference"],
                "key_id": key["key_id"],
                "proven_at": key["proof"],
                "arn": key["arn"] or text(losses.get(name, {}).get("arn")),
                "account_id": key["account_id"],
                "state_at_revocation": text(before.get(key["arn"])) or key["key_state_before"],
                "state_before": key["key_state_before"],
                "state_after": key["key_state"],
                "ok": key["key_state"] in wished and not key["error"],
                **{part: key[part] for part in ("changed", "actions", "waited", "error", "hint", "calls")},
                "revocation": taken(losses[name], REVOCATION) if name in losses else None,
                "access": taken(access[name], ACCESS) if name in access else None,
            }
        )
    return found


def _by_label(value: object) -> dict[str, t.Mapping[str, t.Any]]:
    return {text(item.get("label")) or text(item.get("region")): item for item in as_items(value)}


def _states_before(run: Given) -> t.Mapping[str, t.Any]:
    return as_map(as_map(run.get("announcement")).get("states_before"))


def _programme(value: object) -> str:
    return "byok" if value == "byok" else "cmk"


def _trust(run: Given) -> dict[str, t.Any] | None:
    if not as_map(run.get("trust")):
        return None
    trust = taken(run["trust"], TRUST)
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


def _ticket(run: Given) -> dict[str, t.Any]:
    ticket = taken(as_map(run.get("result")).get("ticket"), TICKET)
    told = as_map(as_map(run.get("announcement")).get("told"))
    return {
        **ticket,
        **{f"told_{name}": read(told.get(name)) for name, read in {"by": text, "at": moment, "note": text}.items()},
        "comment": text(run.get("comment")),
    }
