# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has Atlassian restored the sites? The rules. Pure.

An enabled key proves nothing: only Atlassian's use of the key does, and that shows in CloudTrail. A site that answers
proves that the site is up. An answer on the ticket proves nothing by itself.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Keys = t.Literal["enabled", "not_enabled", "unread"]
# every, some, none: in how many regions Atlassian is proven to use the key. Otherwise, why nothing can be proven.
Use = t.Literal["every", "some", "none", "unattributed", "undated", "unread"]
Sites = t.Literal["none", "up", "down"]

VERDICTS: t.Final = ("restored", "waiting", "needs_attention")
_UNPROVEN: t.Final = {
    "unattributed": "nothing identifies the account that uses them as Atlassian's",
    "unread": "CloudTrail could not be read",
}


@dataclass(frozen=True)
class Facts:
    """What the verdict rests on."""

    error: str = ""  # what ended the run early
    keys: Keys = "enabled"
    lost: str = ""  # which keys are not enabled, since when and by whom, as far as CloudTrail shows it
    notified: bool = True
    overdue: bool = False  # two business days have passed since Atlassian was notified
    use: Use = "every"
    sites: Sites = "none"  # none: none is named
    answered_by: str = ""  # who answered on the ticket after the notification; empty if nobody did
    dated: bool = True  # whether it is known when access was lost or when the keys were enabled
    limit: str = ""  # how long the run has followed, if that time is over


def judge_facts(facts: Facts) -> tuple[str, str]:
    """Return one of :data:`VERDICTS`, and the reason: on what evidence it rests."""
    if facts.error:
        return "needs_attention", facts.error
    if facts.keys == "not_enabled":
        lost = facts.lost or "The check of the keys names them."
        cause = f"Not every key is enabled, so Atlassian cannot restore the sites. {lost}"
        return "needs_attention", f"{cause} If that was not intended, run restore_cmk."
    if facts.keys == "unread":
        cause = "Not every key could be read, so nothing is certain."
        return "needs_attention", f"{cause} Fix what the check of the keys names, and run verify_cmk again."
    return _judge_enabled(facts)


def _judge_enabled(facts: Facts) -> tuple[str, str]:
    is_proven = facts.use == "every"
    if is_proven and facts.sites == "up":
        return "restored", "Atlassian uses every key again, and every site answers."
    if not facts.notified:
        cause = "As far as is known, Atlassian has not been notified of this restoration."
        return "needs_attention", f"{cause} Run restore_cmk, with cmk_ticket_told if a person has notified Atlassian."
    if is_proven and facts.sites == "none":
        basis = "cmk_sites names no site, so this rests on the use of the keys alone."
        return "restored", f"Atlassian uses every key again. {basis}"
    if _rests_on_sites(facts):
        basis = f"Every site answers, and {facts.answered_by} answered on the ticket after Atlassian was notified."
        return "restored", f"{basis} Its use of the keys is not proven: {_UNPROVEN[facts.use]}."
    missing = f"{_missing(facts)}.{_setting(facts)}"
    if facts.overdue:
        cause = "The two business days that a restoration generally takes are over"
        return "needs_attention", f"{cause}, and {missing} Ask on the ticket."
    return "waiting", f"Atlassian was notified, and {missing}{_later(facts)}"


def _rests_on_sites(facts: Facts) -> bool:
    """Decide whether sites and ticket together stand in for a use that cannot be proven.

    Without a date of the loss, an old announcement may belong to an earlier restoration, and so may its answer.
    """
    is_of_now = facts.dated or not facts.overdue
    return facts.use in _UNPROVEN and facts.sites == "up" and bool(facts.answered_by) and is_of_now


def _missing(facts: Facts) -> str:
    use = {
        "every": "every key is in use again",
        "some": "not every key is in use again yet",
        "none": "no key is in use again yet",
        "undated": "it is not known since when a use of the keys counts",
        **{name: f"its use of the keys is not proven: {why}" for name, why in _UNPROVEN.items()},
    }[facts.use]
    if facts.use == "every":
        return f"{use}, but not every site answers"
    sites = {"none": "", "up": ", although every site answers", "down": ", and not every site answers"}
    return use + sites[facts.sites]


def _setting(facts: Facts) -> str:
    """Name the variable that would make a proof possible."""
    if facts.use == "unattributed":
        return " Set cmk_context_tag, or cmk_atlassian_account_id if that account is Atlassian's."
    if facts.use == "undated" or (facts.answered_by and not facts.dated):
        return " Set cmk_revoked_at to the time when access was lost."
    return ""


def _later(facts: Facts) -> str:
    answer = f" {facts.answered_by} answered on the ticket: read it." if facts.answered_by else ""
    if facts.limit:
        return f"{answer} cmk_verify_limit ({facts.limit}) passed: run verify_cmk again to go on."
    return answer or " No action is needed."
