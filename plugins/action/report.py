# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import platform
import typing as t
from pathlib import Path

import jinja2
import yaml
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.controller_lock import free
from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss, write_own_revocation
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render, report, warm
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES, next_step, result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember, write_file

# Ansible imports this file after the keys are enabled: compiling the templates for all organizations delays none of them.
warm()

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "folder": {"type": "str", "default": ""},
    "journal": {"type": "str", "default": ""},
    "revocation": {"type": "str", "default": ""},
    "lock": {"type": "str", "default": ""},
    "brief": {"type": "bool", "default": False},
    "hold": {"type": "bool", "default": False},
}


def write(folder: str, entry_point: str, about: dict[str, t.Any]) -> None:
    """Write the evidence of a run, and the reports that are printed from it."""
    texts = {
        "json": json.dumps(about, indent=2, ensure_ascii=False) + "\n",
        "md": report("report.md.j2", about) + "\n",
        "html": report("report.html.j2", about) + "\n",
    }
    for suffix, text in texts.items():
        write_file(os.path.join(folder, f"{entry_point}.{suffix}"), text)


def collection_version() -> str:
    """Return the version of this collection, installed or in a checkout; empty if it does not tell."""
    root = Path(__file__).resolve().parents[2]
    try:
        if (root / "MANIFEST.json").exists():
            found = json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
        else:
            found = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
        return str(found["version"])
    except (OSError, ValueError, KeyError, yaml.YAMLError):
        return ""


_VERSION: t.Final = collection_version()

_SUMMARIES: t.Final = {"verify": "verification", "revoke": "revoke_summary"}


class ActionModule(ActionBase):
    """End a run of the role: its result, its evidence, its summary."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        done: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        writes = not self._task.check_mode
        run, folder = about(args["run"]), args["folder"] if writes else ""
        try:
            if writes:
                _remember(args, run)
        except (OSError, UnicodeError) as error:
            # What was done is done, and what was notified is notified: this is told beside it.
            Display().warning(f"{run['settings']['org']}: this run could not be remembered: {error}.")
        found = result(run)
        proof = evidence({**run, **_surroundings(run), "result": found})
        try:
            if folder:
                write(folder, run["entry_point"], proof)
        except (OSError, UnicodeError, jinja2.TemplateError) as error:
            Display().warning(f"{found['org']}: the evidence could not be kept: {error}.")
        if args["lock"] and writes:
            free(args["lock"], str((task_vars or {}).get("inventory_hostname", "")))
        ended = {
            "cmk_result": found,
            "cmk_folder": folder,
            "cmk_entry_point": run["entry_point"],
            "cmk_verdict": proof["verdict"],
            "cmk_ending": _ending(proof["verdict"]["headline"]),
            "cmk_headline": proof["verdict"]["headline"].upper(),
            "cmk_next": next_step(found, run["entry_point"], check_mode=run["check_mode"]),
        }
        template = f"{_SUMMARIES.get(run['entry_point'], 'summary')}.txt.j2"
        summary = render(template, ansible_check_mode=run["check_mode"], **shown(run), **ended)
        timed_out = bool(found.get("verification", {}).get("timed_out"))
        good = found["status"] in ("restored", "already_restored", "nothing_to_restore", "waiting") and not timed_out
        # Among many organizations, a person needs to see those that are not well; the others are counted.
        lines = summary.splitlines()[0] if args["brief"] and good else summary
        if not args["hold"]:
            show(lines, warn=not good)
        # What ansible.builtin.set_stats returns.
        stats = {"data": {f"cmk_{run['entry_point']}": {found["org"]: found}}, "per_host": False, "aggregate": True}
        fails = timed_out or found["status"] not in OK_STATUSES
        failure = render("failure.txt.j2", **shown(run), **ended).strip() if fails else ""
        return {
            **done,
            # Records are no changes: what changed at AWS and at the desk, other tasks report.
            "changed": False,
            "result": found,
            "failure": failure,
            # What the end of the play shows, so that it is the last thing on the screen.
            "summary": lines if args["hold"] else "",
            "good": good,
            "ending": f"{found['org']}: {ended['cmk_ending']}. See the summary above." if fails else "",
            "folder": folder,
            "entry_point": run["entry_point"],
            "ansible_stats": stats,
        }


def _ending(headline: str) -> str:
    """Write a headline as a part of a sentence."""
    return headline.lower() if headline.isupper() else headline[:1].lower() + headline[1:]


def _remember(args: dict[str, t.Any], run: dict[str, t.Any]) -> None:
    announced = run["announcement"]
    if args["journal"] and announced and announced["nothing_lost"] and run["decided"]["changes"]:
        # A key did not answer the plan, and was enabled all along: no restoration has begun.
        earlier = run["decided"]["earlier"]
        journal = Journal(**{**earlier, "used_notes": tuple(earlier["used_notes"])}) if earlier else None
        remember(args["journal"], write_journal(journal) if journal else "", writes=True)
    # A comment that is relied on because nothing is known proves nothing once more is known.
    relies = bool((announced.get("told") or {}).get("relied_on"))
    if args["journal"] and announced and not announced["nothing_lost"] and not relies:
        kept = {name: announced[name] for name in Journal.__dataclass_fields__ if name in announced}
        remember(args["journal"], write_journal(Journal(**{**kept, "told": _without_news(kept["told"])})), writes=True)
    if args["revocation"] and any(key["changed"] for key in run["keys"]):
        remember(args["revocation"], write_own_revocation(AccessLoss.from_json(run["revoked"])), writes=True)


def _without_news(told: t.Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    return {name: value for name, value in told.items() if name != "already_told"} if told else None


def _surroundings(run: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    user = run.get("user") or os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    return {"collection_version": _VERSION, "controller": {"user": user, "host": platform.node()}}
