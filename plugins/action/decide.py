# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_lock import clock, refuse
from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import acquire, identify
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import (
    Records,
    about,
    begin_run,
    decide_revocation,
    settle_run,
    shown,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file, remember

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "stage": {"type": "str", "choices": ["begin", "settle", "both"], "default": "both"},
    "journal": {"type": "path", "required": True},
    "access": {"type": "path", "required": True},
    "revocation": {"type": "path"},
    "lock": {"type": "dict", "default": {}},
    "brief": {"type": "bool", "default": False},
}

Parts = dict[str, t.Any]


class ActionModule(ActionBase):
    """Decide what a run is about: before the first key changes (begin), and once it is known what was lost (settle)."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Parts:
        result: Parts = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        run, stage = args["run"], args["stage"]
        records = self._read(args)
        if run["entry_point"] == "revoke":
            decided: Parts = decide_revocation(run, records)
        else:
            decided = dict(run["decided"]) if stage == "settle" else begin_run(run, records)
            if stage == "begin" and decided["changes"] and not self._task.check_mode:
                self._remember(args["journal"], run, decided["begun"])
            if stage != "begin":
                decided |= settle_run({**run, "decided": decided}, records, secrets.token_hex(8))
                self._remember_reference(args["journal"], run, decided["announcement"])
                decided["other_run"] = _other_run(args["lock"], str((task_vars or {}).get("inventory_hostname", "")))
        if stage != "settle" and not args["brief"]:
            _show_plan({**run, "decided": {"announcement": {}, **decided, "refused": ""}})
        return {**result, "changed": False, **decided}

    def _read(self, args: Parts) -> Records:
        """Read what earlier runs have kept. What cannot be read must not keep a key from being enabled."""
        texts = {}
        for name in Records._fields:
            try:
                texts[name] = (read_file(args[name]) or "") if args[name] else ""
            except (OSError, UnicodeError) as error:
                Display().warning(f"{args['run']['settings']['org']}: {args[name]} cannot be read: {error}.")
                # As a damaged journal: a restoration that nobody was notified of.
                texts[name] = "unreadable"
        return Records(**texts)

    def _remember_reference(self, path: str, run: Parts, announcement: Parts) -> None:
        """Write the settled reference before the comment is sent: without it the next run cannot recognize the comment."""
        is_sure = announcement["told"] or announcement["nothing_lost"] or announcement["accepts_ours"]
        if run["entry_point"] == "restore" and not (self._task.check_mode or is_sure):
            known = {name: announcement[name] for name in Journal.__dataclass_fields__ if name in announcement}
            self._remember(path, run, known)

    def _remember(self, path: str, run: Parts, journal: Parts) -> None:
        """Write the journal, so that the next run knows what nobody was notified of."""
        kept = Journal(**{**journal, "used_notes": tuple(journal["used_notes"])})
        try:
            remember(path, write_journal(kept), writes=True)
        except (OSError, UnicodeError) as error:
            org = run["settings"]["org"]
            Display().warning(f"{org}: this restoration cannot be remembered: {path} cannot be written: {error}.")


def _show_plan(run: Parts) -> None:
    is_revocation = run["entry_point"] == "revoke"
    template = "revoke_plan.txt.j2" if is_revocation else "plan.txt.j2"
    show(render(template, is_settled="revoked" in run["decided"], **shown(about(run))), warn=is_revocation)


def _other_run(lock: Parts, inventory_host: str) -> Parts:
    """Return the message about another run that comments instead; empty if this run comments.

    The keys may have taken longer to settle than a lock lives, so that another run has taken it over.
    """
    if not lock.get("held"):
        return dict(lock.get("refusal") or {})
    mine = identify(inventory_host, clock())
    try:
        holder = acquire(lock["path"], mine, mine.since)
    except (OSError, UnicodeError):
        return {}
    return dict(refuse(holder, lock["path"], required=False)["refusal"]) if holder else {}
