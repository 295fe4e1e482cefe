# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""From what the steps of a run have found to what the result, the evidence and the texts are made of. Pure."""

from __future__ import annotations

import difflib
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import TRANSIENT
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust import ROLE, written
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import (
    AccessLoss,
    add_own_revocation,
    find_access_loss,
    read_own_revocation,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    begin,
    reference_line,
    settle,
    usable,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, read_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import keys_done, trust_done
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._revoking import still_open, unconfirmed, withdrawn
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import seen_keys, told, verification
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import deadline, window

Parts = t.Mapping[str, t.Any]

# Instead of the reference, wherever nothing was restored: whoever pastes it somewhere must not silence the announcement.
NO_REFERENCE: t.Final = "(made when the comment is posted)"


class Records(t.NamedTuple):
    """What the controller has kept of an organization, each as it was written; empty if there is none."""

    journal: str = ""
    access: str = ""
    revocation: str = ""


def begin_run(run: Parts, records: Records) -> dict[str, t.Any]:
    """Decide, once the plan is made and before anything is changed, what to remember of this restoration.

    :param run: as :func:`about` takes it
    :return: ``begun`` (the journal, None if there is none), ``earlier`` (the journal as it was), ``changes`` (whether this run is
        to change a key), ``targets``
    """
    states, changes = states_before(run), _changes(run)
    journal = read_journal(records.journal, run["settings"]["slug"])
    begun = begin(journal, states, changes=changes, ticket=run["settings"]["ticket"], now=run["started_at"])
    return {"begun": _as_json(begun), "earlier": _as_json(journal), "changes": changes, "targets": targets(run)}


def settle_run(run: Parts, records: Records, nonce: str) -> dict[str, t.Any]:
    """Decide, once it is known when access was lost, what there is to announce.

    :param run: as :func:`about` takes it; ``decided`` is what :func:`begin_run` returned
    :param nonce: a random text
    :return: the same, with ``announcement``, ``revoked`` and ``access``, as the functions of these names tell, and ``refused``
    """
    enables = _restores(run)
    # No restoration has begun if every key turned out to be enabled.
    journal = _from_json(run["decided"]["begun" if enables else "earlier"])
    loss = _loss(run, records, journal)
    announcement = settle(
        journal,
        loss,
        states_before(run),
        run["settings"],
        enables=enables,
        now=run["started_at"],
        nonce=nonce,
    )
    return {
        **{name: run["decided"][name] for name in ("begun", "earlier", "changes", "targets")},
        "announcement": announcement.as_json(),
        "revoked": loss.as_json(),
        "access": access(run["revocation"], records.access),
        "refused": "",
    }


def decide_revocation(run: Parts, records: Records) -> dict[str, t.Any]:
    """Decide for ``revoke`` what :func:`settle_run` does for the other commands: there is nothing to announce.

    :param run: as :func:`about` takes it, and ``organizations``: how many this run has
    """
    settings = run["settings"]
    loss = _loss(run, records, read_journal(records.journal, settings["slug"]))
    why = unconfirmed(settings["confirm"], settings["org"], int(run["organizations"]))
    return {
        "announcement": {},
        "targets": targets(run),
        "revoked": add_own_revocation(loss, keys_done(run["plan"], {})).as_json(),
        "before": loss.as_json(),
        "access": access(run["revocation"], records.access, keeps=True),
        "refused": str(why or ""),
    }


def _loss(run: Parts, records: Records, journal: Journal | None) -> AccessLoss:
    journal = journal or Journal()
    keys = keys_done(run["plan"], {})
    offsets = (run["plan"].get("clock_offset"), run["change"].get("clock_offset"))
    return find_access_loss(
        _trail(run, len(keys)),
        given=str(run["settings"].get("revoked_at") or ""),
        remembered=read_own_revocation(records.revocation, journal.restored_at or journal.previous_restored_at),
        is_lost_now=any(key.get("key_state_before") not in (None, "Enabled") for key in keys),
        started_at=run["started_at"],
        changed_at=journal.changed_at or "",
        restored_before=journal.previous_restored_at,
        # Where no region answered the plan, the change knows it.
        clock_offset=next((known for known in offsets if known is not None), None),
    )


def _trail(run: Parts, keys: int) -> Parts:
    """Return what CloudTrail tells; of a key that was not asked about, it tells nothing."""
    trail = run["revocation"]
    asked = trail.get("keys") or []
    return (
        trail
        if len(asked) >= keys
        else {**trail, "keys": [{**key, "complete": False} for key in asked], "identity": None}
    )


def states_before(run: Parts) -> dict[str, str]:
    """Return the state of each key (by its ARN) before this run, and of BYOK's trust statement (by the role's name)."""
    keys = keys_done(run["plan"], run["change"])
    states = {key["arn"]: key["key_state_before"] for key in keys if key.get("arn") and key.get("key_state_before")}
    trust = (run.get("trust_plan") or {}).get("effect_before")
    return {**states, ROLE: trust} if trust else states


def targets(run: Parts) -> list[dict[str, str]]:
    """Return the keys to change, as ``kms_key_state`` takes them: those that the plan has shown, and no others."""
    wanted = {key["region"]: key for key in run["settings"].get("keys") or []}
    return [_target(key, wanted.get(key["region"], {})) for key in run["plan"].get("keys") or []]


def _target(key: Parts, wanted: Parts) -> dict[str, str]:
    if key.get("arn"):
        return {"region": key["region"], "key_id": key["reference"], "expected_arn": key["arn"]}
    # The keys of a region that could not be listed are not known yet.
    return dict(wanted) if "alias_prefix" in wanted else {"region": key["region"], "key_id": key["reference"]}


def _changes(run: Parts) -> bool:
    keys, trust = run["plan"].get("keys") or [], run.get("trust_plan") or {}
    # A key that did not answer yet is planned, and perhaps changed, beside the others.
    return bool(trust.get("actions")) or any(key["actions"] or key.get("code") in TRANSIENT for key in keys)


def _restores(run: Parts) -> bool:
    """Decide whether this run restores access. A key that did not answer the plan may turn out to be enabled."""
    planned, changed = run["plan"].get("keys") or [], run["change"].get("keys") or []
    if not changed:
        return bool(run["decided"]["changes"])
    trust = run.get("trust_plan") or {}
    return any(part.get("actions") for part in [*planned, *changed, trust]) or any(key["error"] for key in changed)


def _as_json(journal: Journal | None) -> dict[str, t.Any] | None:
    return None if journal is None else {**journal.as_json(), "is_damaged": journal.is_damaged}


def _from_json(journal: Parts | None) -> Journal | None:
    return None if journal is None else Journal(**{**journal, "used_notes": tuple(journal["used_notes"])})


def about(run: Parts) -> dict[str, t.Any]:
    """Bring together what is known of a run so far.

    :param run: ``entry_point``, ``check_mode``, ``settings``, ``plan`` and ``change`` (of ``kms_key_state``),
        ``revocation``, ``decided`` (of :func:`settle_run`), ``ticket`` (what became of it), ``comment`` (its text),
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
    keys, trust = _what_became(run, bool(refused))
    announced = _announced(run, keys, trust)
    run = {**run, "ticket": _with_note_problem(run["ticket"], announced)}
    loss = _what_was_lost(run, keys)
    # The vendor's clock stops when Atlassian is notified.
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


def _only_reads(run: Parts) -> bool:
    return bool(run["check_mode"]) or run["entry_point"] in ("assess", "verify")


def _what_became(run: Parts, is_refused: bool) -> tuple[list[dict[str, t.Any]], dict[str, t.Any]]:
    """Return what has become of the keys and of BYOK's trust statement."""
    # What was planned has not happened in a run that ended before it.
    ended_early = is_refused or (bool(run["error"]) and not _only_reads(run))
    change = {"failed": True} if ended_early and not run["change"].get("keys") else run["change"]
    keys = keys_done(run["plan"], change)
    if run["entry_point"] == "revoke":
        keys = withdrawn(keys)
    return keys, trust_done(run.get("trust_plan") or {}, run.get("trust_change") or {})


def _announced(run: Parts, keys: list[dict[str, t.Any]], trust: Parts) -> dict[str, t.Any]:
    only_reads = run["entry_point"] in ("assess", "verify")
    parts = [*keys, *([trust] if trust else [])]
    announced = usable(run["decided"].get("announcement") or {}, parts, only_reads=only_reads)
    if run["ticket"].get("reference"):
        announced["told"] = _comment(run["ticket"])
        # The reference of the comment counts, also where another controller has chosen it.
        announced["reference"] = run["ticket"]["reference"]
    if run["ticket"].get("mailed"):
        announced["mailed"] = run["ticket"]["mailed"]
    return announced


def _with_note_problem(ticket: Parts, announced: Parts) -> Parts:
    """Add why the operator's note does not count, where nothing else notified Atlassian."""
    problem = announced.get("note_problem")
    if not problem or ticket.get("told") or ticket.get("error"):
        return ticket
    return {**ticket, **vars(refusal("note_refused", message=problem))}


def _what_was_lost(run: Parts, keys: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    if run["entry_point"] == "revoke":
        return add_own_revocation(AccessLoss.from_json(run["decided"].get("before") or {}), keys).as_json()
    return run["decided"].get("revoked") or _loss(run, Records(), None).as_json()


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
    names = ("reference", "comment_id", "url", "at", "noted_at", "author", "relied_on")
    return {"by": "api", **{name: ticket[name] for name in names if name in ticket}}


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
    announcement = about_["announcement"]
    if _only_reads(about_) and announcement:
        found["cmk_announcement"] = announcement = {**announcement, "reference": NO_REFERENCE}
    line = reference_line(announcement.get("reference", ""))
    return {
        **found,
        "cmk_keys_done": about_["keys"],
        "cmk_reference_line": line,
        "cmk_deadline": deadline(about_["window"], about_["revoked"], about_["told_at"]),
        "cmk_told_relied_on": _relied_on(announcement),
        "cmk_open": still_open(about_["keys"]),
        "cmk_window_from_now": window(about_["now"], about_["now"]),
    }


def _relied_on(announcement: Parts) -> Parts | None:
    """Return the comment that this run takes for the announcement although its reference is another; None if there is none."""
    comment = announcement.get("told") or {}
    return comment if comment.get("relied_on") else None
