# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run leaves behind as proof. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import CHECKS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import WITHOUT_ACCESS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.events import find_moments
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.fields import as_items, as_map, take, text
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Evidence, Facts
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.headlines import judge_evidence, warnings

# What a run hands over; any part may be missing or empty.
Json: t.TypeAlias = t.Mapping[str, t.Any]


def evidence(run: Json) -> Evidence:
    command, check_mode = COMMANDS[run["entry_point"]], bool(run.get("check_mode"))
    result, revocation, announced, revoked = (
        as_map(run.get(name)) for name in ("result", "revocation", "announcement", "revoked")
    )
    caller = as_map(revocation.get("caller"))
    # What CloudTrail names before a revocation is the one before it.
    last = None if command.revokes else revocation.get("identity")
    source = {
        **result,
        "schema": "keyops.atlassian_cmk/evidence",
        "version": 1,
        "entry_point": command.name,
        "check_mode": check_mode,
        "predicted": check_mode or command.predicts,
        "reference": announced.get("reference"),
        "restored_at": announced.get("restored_at"),
        "revocation": {**revoked, "identity": text(revoked.get("identity")) or last},
        "ran_by": {**as_map(run.get("controller")), "arn": caller.get("arn"), "account_id": caller.get("account_id")},
        "regions": list(_regions(run, announced)),
        "trust": _trust(run, announced),
        "ticket": _ticket(run, result, announced),
        "verification": _verification(run),
        **{name: run.get(name) for name in ("collection_version", "versions", "previous", "earlier_runs", "window")},
    }
    facts = take(Facts, source)
    changes = [*(region["changed"] for region in facts["regions"]), bool(facts["trust"] and facts["trust"]["changed"])]
    if facts["predicted"] and any(changes):
        # Of a change that was not made there is no time, and the run that makes it may get another reference.
        facts["restored_at"], facts["reference"] = None, ""
    return {**facts, "verdict": judge_evidence(facts), "warnings": warnings(facts), "timeline": find_moments(facts)}


def _regions(run: Json, announced: Json) -> t.Iterator[Json]:
    keys, access = _by_label(run.get("keys")), _by_label(run.get("access"))
    losses = _by_label(as_map(run.get("revocation")).get("keys"))
    wished = WITHOUT_ACCESS if COMMANDS[run["entry_point"]].revokes else ("Enabled",)
    for label in dict.fromkeys([*keys, *losses, *access]):
        key, loss = keys.get(label, {}), losses.get(label)
        named = key or loss or access[label]
        state = text(key.get("key_state"))
        yield {
            **_part(key, "key_state", text(key.get("arn")), announced),
            "region": named.get("region"),
            "label": label,
            "arn": text(key.get("arn")) or as_map(loss).get("arn"),
            "proven_at": as_map(key.get("proof")).get("at"),
            "ok": state in wished and not text(key.get("error")),
            "revocation": loss,
            "access": access.get(label),
        }


def _by_label(value: object) -> dict[str, Json]:
    return {text(item.get("label")) or text(item.get("region")): item for item in as_items(value)}


def _part(part: Json, state: str, name: str, announced: Json) -> Json:
    """Name the states of a key or of the trust statement as the evidence does."""
    at_revocation = text(as_map(announced.get("states_before")).get(name))
    return {
        **part,
        "state_at_revocation": at_revocation or part.get(f"{state}_before"),
        "state_before": part.get(f"{state}_before"),
        "state_after": part.get(state),
    }


def _trust(run: Json, announced: Json) -> Json | None:
    trust = as_map(run.get("trust"))
    if not trust:
        return None
    return {
        **_part(trust, "effect", text(trust.get("role_name")), announced),
        "role": trust.get("role_name"),
        "arn": trust.get("role_arn"),
        "ok": trust.get("effect") == "Allow" and not text(trust.get("error")),
        "diff": run.get("trust_diff"),
    }


def _ticket(run: Json, result: Json, announced: Json) -> Json:
    told = as_map(announced.get("told"))
    return {
        **as_map(result.get("ticket")),
        **{f"told_{name}": told.get(name) for name in ("by", "at", "note")},
        "comment": run.get("comment"),
    }


def _verification(run: Json) -> Json | None:
    found = as_map(run.get("verification"))
    checks = [check for check in as_items(found.get("checks")) if check.get("check") in CHECKS]
    return {**found, "checks": checks} if found else None
