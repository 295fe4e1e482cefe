# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a run of the role: its result, its evidence, its summary."""

from __future__ import annotations

import json
import os
import platform
import typing as t
from pathlib import Path

import jinja2
import yaml
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import identify, release
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import print_report, render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import is_good, next_step, result, succeeds
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import (
    about,
    file_of,
    journal_to_keep,
    revocation_to_keep,
    shown,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember, write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def report(task: Task) -> Json:
    """Write what is to be remembered, the evidence and the reports; print the summary, or hold it for :func:`end`.

    :return: ``result`` (``cmk_result``), ``folder`` (of the reports; empty without), ``failure`` (why the run fails; empty if it
        does not), ``summary`` (held for the end; empty if it was printed), ``good``, ``ending`` (the last sentence of a run that
        fails), ``entry_point``
    """
    run, writes = about(task.args["run"]), not task.check_mode
    name, found = run["entry_point"], result(run)
    proof = evidence({**run, **_surroundings(run), "result": found})
    folder = _write(run, proof) if writes and run["settings"]["report_dir"] else ""
    if writes and not run["settings"]["problems"]:
        release(file_of(run, "lock"), identify(task.host, run["now"]))
    texts = _texts(run, found, proof, folder)
    good = is_good(found)
    # Among many organizations, a person needs to see those that are not well; the others are counted.
    lines = texts["summary"].splitlines()[0] if run["brief"] and good else texts["summary"]
    # The only organization's is shown at the end of the play, so that it is the last thing on the screen.
    holds = run["organizations"] == 1
    if not holds:
        show(lines, warn=not good)
    return {
        **texts,
        "summary": lines if holds else "",
        "result": found,
        "good": good,
        "folder": folder,
        "entry_point": name,
        # What ansible.builtin.set_stats returns.
        "ansible_stats": {"data": {f"cmk_{name}": {found["org"]: found}}, "per_host": False, "aggregate": True},
    }


def end(task: Task) -> Json:
    """Show the summary that was held, and fail unless the run ended well."""
    known = task.args["report"]
    if known.get("summary"):
        show(known["summary"], warn=not known["good"])
    if not known.get("failure"):
        return {}
    return {"failed": True, "msg": known["ending"] if known["summary"] else known["failure"]}


def _write(run: Json, proof: Json) -> str:
    """Remember the run, and write its evidence and reports; return their folder.

    What was done is done, and what was notified is notified: what cannot be written is told beside it.
    """
    org = run["settings"]["org"]
    try:
        for name, text in (("journal", journal_to_keep(run)), ("revocation", revocation_to_keep(run))):
            if text is not None:
                remember(file_of(run, name), text, writes=True)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{org}: this run could not be remembered: {error}.")
    begun = run["started_at"].replace("-", "").replace(":", "")
    folder = f"{run['settings']['report_dir']}/{begun}-{run['entry_point']}"
    try:
        write_reports(folder, run["entry_point"], proof)
    except (OSError, UnicodeError, jinja2.TemplateError) as error:
        Display().warning(f"{org}: the evidence could not be kept: {error}.")
    return folder


def write_reports(folder: str, name: str, proof: Json) -> None:
    """Write the evidence of a run, and the reports that are printed from it. Raises OSError and jinja2.TemplateError."""
    texts = {
        "json": json.dumps(proof, indent=2, ensure_ascii=False) + "\n",
        "md": print_report("report.md.j2", proof) + "\n",
        "html": print_report("report.html.j2", proof) + "\n",
    }
    for suffix, text in texts.items():
        write_file(os.path.join(folder, f"{name}.{suffix}"), text)


def _texts(run: Json, found: Json, proof: Json, folder: str) -> Json:
    """Print the texts with which the run ends."""
    headline = proof["verdict"]["headline"]
    ending = headline.lower() if headline.isupper() else headline[:1].lower() + headline[1:]
    known = {
        **shown(run),
        "cmk_result": found,
        "cmk_folder": folder,
        "cmk_entry_point": run["entry_point"],
        "cmk_verdict": proof["verdict"],
        "cmk_ending": ending,
        "cmk_headline": headline.upper(),
        "cmk_next": next_step(found, run["entry_point"], check_mode=run["check_mode"]),
        "ansible_check_mode": run["check_mode"],
    }
    fails = not succeeds(found)
    return {
        "summary": render(COMMANDS[run["entry_point"]].summary, **known),
        "failure": render("failure.txt.j2", **known).strip() if fails else "",
        "ending": f"{found['org']}: {ending}. See the summary above." if fails else "",
    }


def _surroundings(run: Json) -> Json:
    user = run.get("user") or os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    return {"collection_version": _VERSION, "controller": {"user": user, "host": platform.node()}}


def collection_version() -> str:
    """Return the version of this collection, installed or in a checkout; empty if it does not tell."""
    root = Path(__file__).resolve().parents[3]
    try:
        if (root / "MANIFEST.json").exists():
            found = json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
        else:
            found = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
        return str(found["version"])
    except (OSError, ValueError, KeyError, yaml.YAMLError):
        return ""


_VERSION: t.Final = collection_version()
