# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""From what the steps of a run have found to what the result, the evidence and the texts are made of. Pure."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._trust import written
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    announcement,
    reference_line,
    usable,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import keys_done, trust_done
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._revoked import revoked
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._revoking import (
    begun,
    remembered,
    still_open,
    unconfirmed,
    withdrawn,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import seen_keys, told, verification
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import window

Parts = t.Mapping[str, t.Any]


def decide(
    plan: Parts,
    revocation: Parts,
    settings: Parts,
    journal: str,
    kept_access: str,
    now: str,
    kept_revocation: str = "",
    trust: Parts | None = None,
) -> dict[str, t.Any]:
    """Decide, before anything is changed, what this run is about.

    :param plan: the result of ``kms_realm_keys`` in check mode
    :param revocation: the result of ``kms_key_revocation_info``
    :param settings: the normalised variables
    :param journal: what the controller remembers of the organization's last restoration; empty if nothing
    :param kept_access: the earlier copy of policies and grants; empty if there is none
    :param now: the time in UTC, ISO 8601
    :param kept_revocation: what it remembers of a revocation of its own; empty if nothing
    :param trust: the result of ``byok_trust_statement`` in check mode; empty without BYOK
    :return: ``announcement``, ``revoked`` and ``access``, as the functions of these names tell, and ``refused``: why
        nothing may be changed (empty if it may)
    """
    loss = revoked(revocation, settings["revoked_at"], remembered(kept_revocation, journal))
    return {
        "announcement": announcement(keys_done(plan, {}), settings, journal, now, loss, trust_done(trust or {}, {})),
        "revoked": loss,
        "access": access(revocation, kept_access),
        "refused": "",
    }


def decide_revocation(run: Parts, journal: str, kept_access: str, kept_revocation: str) -> dict[str, t.Any]:
    """Decide for ``revoke`` what :func:`decide` does for the other entry points: there is nothing to announce.

    :param run: as :func:`about` takes it, and ``organizations``: how many this run has
    """
    settings = run["settings"]
    why = unconfirmed(settings["confirm"], settings["org"], int(run["organizations"]))
    earlier = remembered(kept_revocation, journal)
    return {
        "announcement": {},
        "revoked": begun(keys_done(run["plan"], {}), run["revocation"], earlier, settings["revoked_at"]),
        "remembered": earlier,
        "access": access(run["revocation"], kept_access, keeps=True),
        "refused": str(why or ""),
    }


def about(run: Parts) -> dict[str, t.Any]:
    """Bring together what is known of a run so far.

    :param run: ``entry_point``, ``check_mode``, ``settings``, ``plan`` and ``change`` (of ``kms_realm_keys``),
        ``revocation``, ``decided`` (of :func:`decide`), ``ticket`` (what became of it), ``comment`` (its text),
        ``error`` (what ended the run early; empty if nothing did), ``user``, ``started_at``, ``now``; those that were
        not reached are empty; of ``verify`` also ``seen``, the result of the action ``verify``, and with BYOK
        ``trust_plan`` and ``trust_change`` (of ``byok_trust_statement``)
    :return: the same, with ``keys``, ``trust`` (empty without BYOK), ``announcement``, ``revoked``, ``access``, ``told_at``,
        ``window``, ``finished_at`` and, of ``verify``, ``verification``
    """
    verifies = run["entry_point"] == "verify"
    if verifies:
        run = _looked(run)
    refused = str(run["decided"].get("refused") or "")
    only_looks = run["check_mode"] or run["entry_point"] in ("assess", "verify")
    # What was planned has not happened in a run that ended before it.
    ended_early = bool(refused) or (bool(run["error"]) and not only_looks)
    keys = keys_done(run["plan"], {"failed": True} if ended_early and not run["change"].get("keys") else run["change"])
    trust = trust_done(run.get("trust_plan") or {}, run.get("trust_change") or {})
    announced = usable(
        run["decided"].get("announcement") or {}, [*keys, *([trust] if trust else [])], run["entry_point"]
    )
    if run["ticket"].get("reference"):
        # The reference of the comment counts, also where another controller has chosen it.
        announced |= {"reference": run["ticket"]["reference"], "told": _comment(run["ticket"])}
    if run["ticket"].get("mailed"):
        announced["mailed"] = run["ticket"]["mailed"]
    loss = run["decided"].get("revoked") or revoked(run["revocation"], run["settings"]["revoked_at"])
    if run["entry_point"] == "revoke":
        keys = withdrawn(keys)
        loss = begun(
            keys, run["revocation"], run["decided"].get("remembered") or {}, run["settings"].get("revoked_at", "")
        )
    # The vendor's clock stops when Atlassian is told.
    told_at = str(run["ticket"].get("at") or (announced.get("told") or {}).get("at") or "")
    labels = {key["arn"]: key["label"] for key in keys if key.get("arn")}
    programme = run["settings"].get("programme", "cmk")
    dates = [key["deletion_date"] for key in keys if key.get("deletion_date")]
    found = {
        **run,
        "settings": {"programme": programme, **run["settings"]},
        "keys": seen_keys(keys) if verifies else keys,
        "trust": trust,
        "trust_diff": _diff(trust),
        "announcement": announced,
        "revoked": loss,
        "revocation": {**run["revocation"], **_labelled(run["revocation"], labels)},
        "access": [_with_label(one, labels) for one in run["decided"].get("access") or []],
        "told_at": told_at,
        "window": window(loss["revoked_at"], told_at or run["now"], told_at, dates, programme=programme),
        "comment": run["comment"] if announced.get("restored_at") else "",
        "finished_at": run["now"],
        "error": " ".join(filter(None, [run["error"], refused])),
    }
    return {**found, "verification": verification(found)} if verifies else found


def _looked(run: Parts) -> Parts:
    """Put what the last look has seen in the place of what was known before it."""
    seen = run.get("seen") or {}
    plan = {"keys": seen["keys"]} if seen.get("keys") else run["plan"]
    return {
        **run,
        "seen": seen,
        "plan": plan,
        "ticket": told(run["decided"].get("announcement") or {}, seen.get("look") or {}),
    }


def _comment(ticket: Parts) -> dict[str, t.Any]:
    return {"by": "api", **{name: ticket[name] for name in ("reference", "comment_id", "url", "at")}}


def _labelled(revocation: Parts, labels: t.Mapping[str, str]) -> dict[str, t.Any]:
    keys = revocation.get("keys")
    return {"keys": [_with_label(key, labels) for key in keys]} if keys else {}


def _with_label(one: Parts, labels: t.Mapping[str, str]) -> dict[str, t.Any]:
    return {**one, "label": labels.get(str(one.get("arn")), one["region"])}


def _diff(trust: Parts) -> str:
    """Show what is changed of the trust policy; empty if nothing is."""
    if not trust.get("changed"):
        return ""
    before, after = (written(trust[name]).splitlines() for name in ("policy_before", "policy"))
    return "\n".join(difflib.unified_diff(before, after, "before", "after", lineterm="", n=2))


def shown(about_: Parts) -> dict[str, t.Any]:
    """Name the parts of a run as the templates do."""
    names = ("trust", "trust_diff", "settings", "revocation", "revoked", "window", "access", "told_at", "announcement")
    found = {f"cmk_{name}": about_[name] for name in names}
    line = reference_line(about_["announcement"].get("reference", ""))
    return {
        **found,
        "cmk_keys_done": about_["keys"],
        "cmk_reference_line": line,
        "cmk_open": still_open(about_["keys"]),
        "cmk_window_from_now": window(about_["now"], about_["now"]),
    }
