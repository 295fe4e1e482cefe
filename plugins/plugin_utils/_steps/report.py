# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a run of the role: its result, its evidence, its summary."""

from __future__ import annotations

import json
import os
import platform
import shlex
import typing as t
from pathlib import Path

import jinja2
import yaml
from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import journal_to_keep, revocation_to_keep
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import identify, release
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import home, print_report, render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.headlines import find_repeats
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import (
    ABOVE,
    Result,
    is_good,
    make_result,
    next_step,
    succeeds,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, evidence_parts, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import JOURNAL, LOCK, REVOCATION, keep
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def report(task: Task) -> Json:
    """Write what is to be remembered, the evidence and the reports.

    :return: ``result`` (``cmk_result``), ``folder`` (of the reports; empty without), ``summary`` (to be shown), ``failure`` (why the run
        fails; empty if it does not), ``ending`` (the error of a run that fails), ``next`` (what a person does next), ``good``,
        ``entry_point``
    """
    run, writes = Run.from_json(task.args["run"]), not task.check_mode
    name, found = run.command.name, make_result(run)
    known = {**evidence_parts(run), **_surroundings(run), "verification": found.get("verification")}
    proof = evidence({**known, "result": found})
    folder = _write(run, proof) if writes and run.settings.report_dir else ""
    if writes and not run.settings.problems:
        release(run.settings.file(LOCK), identify(task.host, run.now))
    texts = _texts(task, run, found, proof, folder)
    return {
        **texts,
        "result": found,
        "good": is_good(found),
        "folder": folder,
        "entry_point": name,
        # What ansible.builtin.set_stats returns.
        "ansible_stats": {"data": {f"cmk_{name}": {found["org"]: found}}, "per_host": False, "aggregate": True},
    }


def end(task: Task) -> Json:
    """Fail unless the run ended well. The summary follows, so that it is the last thing on the screen."""
    ending = task.args["report"].get("ending")
    return {"failed": True, "msg": ending} if ending else {}


def _write(run: Run, proof: Evidence) -> str:
    """Remember the run, and write its evidence and reports; return their folder.

    What was done is done, and what was notified is notified: what cannot be written is told beside it.
    """
    keep(run, JOURNAL, journal_to_keep(run), "this run")
    keep(run, REVOCATION, revocation_to_keep(run), "this run")
    begun = run.started_at.replace("-", "").replace(":", "")
    folder = run.settings.file(f"{begun}-{run.command.name}")
    try:
        write_reports(folder, run.command.name, proof)
    except (OSError, UnicodeError, jinja2.TemplateError) as error:
        Display().warning(f"{run.settings.org}: the evidence could not be kept: {error}.")
    return folder


def write_reports(folder: str, name: str, proof: Evidence) -> None:
    """Write the evidence of a run, and the reports that are printed from it. Raises OSError and jinja2.TemplateError."""
    texts = {
        "json": json.dumps(proof, indent=2, ensure_ascii=False) + "\n",
        "md": print_report("report.md.j2", proof) + "\n",
        "html": print_report("report.html.j2", proof) + "\n",
    }
    for suffix, text in texts.items():
        write_file(os.path.join(folder, f"{name}.{suffix}"), text)


def _texts(task: Task, run: Run, found: Result, proof: Evidence, folder: str) -> dict[str, str]:
    """Print the texts with which the run ends."""
    headline = proof["verdict"]["headline"]
    ending = headline.lower() if headline.isupper() else headline[:1].lower() + headline[1:]
    known = {
        **shown(run),
        "cmk_result": found,
        "cmk_folder": folder,
        "cmk_entry_point": run.command.name,
        "cmk_repeats": list(find_repeats(proof)),
        "cmk_verdict": proof["verdict"],
        "cmk_ending": ending,
        "cmk_headline": headline.upper(),
        "cmk_next": next_step(found, run.command, check_mode=run.check_mode, **_surrounding_words(task, run)),
        "ansible_check_mode": run.check_mode,
    }
    fails = not succeeds(found)
    summary = render(run.command.summary, **known)
    return {
        # Among many organizations each is one line, and the sum-up names those that need a person.
        "summary": summary if run.organizations == 1 else summary.splitlines()[0],
        "failure": render("failure.txt.j2", **known).strip() if fails else "",
        "ending": f"{found['org']}: {ending}. See the summary below." if fails else "",
        "next": known["cmk_next"],
    }


def _surrounding_words(task: Task, run: Run) -> dict[str, str]:
    """Say where the operator finds the comment (among many organizations: in its file), and which inventory this is."""
    file = run.settings.file("comment.txt")
    text = home(file) if run.organizations > 1 and os.path.isfile(file) else ABOVE
    sources = task.variables.get("ansible_inventory_sources") or []
    is_default = list(sources) == list(C.DEFAULT_HOST_LIST)
    names = (
        [] if is_default else [shlex.quote(home(os.path.relpath(one) if _is_below(one) else one)) for one in sources]
    )
    return {"text": text, "inventory": "".join(f"-i {name} " for name in names)}


def _is_below(path: str) -> bool:
    return "," not in path and path.startswith(os.path.join(os.getcwd(), ""))


def _surroundings(run: Run) -> Json:
    user = run.user or os.environ.get("USER") or os.environ.get("LOGNAME") or ""
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
