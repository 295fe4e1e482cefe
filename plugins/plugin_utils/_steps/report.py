# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""End a run of the role: its result, its evidence, its summary."""

from __future__ import annotations

import json
import os
import shlex
import typing as t

import jinja2
from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import journal_to_keep, revocation_to_keep
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import identify, release
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import home, print_report, render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import check_rehearsal, summarize
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.headlines import find_repeats, find_unfit
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.metrics import update_metrics
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import (
    Result,
    is_good,
    list_hints,
    make_result,
    next_step,
    succeeds,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, evidence_parts, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import rewrite_public_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import files
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.drill import keep_drill
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.surroundings import find_surroundings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def report(task: Task) -> Json:
    """Write what is to be remembered, the evidence and the reports; return the result and the texts with which the run ends."""
    run, writes = Run.from_json(task.args["run"]), not task.check_mode
    name, result = run.command.name, make_result(run)
    parts = {
        **evidence_parts(run),
        **find_surroundings(run),
        "result": result,
        "verification": result.get("verification"),
    }
    folder, chain = _open_folder(run) if writes and run.settings.report_dir else ("", {})
    proof = evidence({**parts, **chain})
    if writes:
        _record(task, run, result, folder, proof)
    texts = _print_texts(task, run, result, proof, folder)
    if run.organizations > 1 or run.is_part:
        # A run for one shows it after the error, at its very end.
        show(texts["summary"], warn=not is_good(result))
    return {
        **texts,
        "headline": proof["verdict"]["headline"],
        "acted": run.acted,
        "result": result,
        "good": is_good(result),
        "folder": folder,
        "entry_point": name,
        # What ansible.builtin.set_stats returns.
        "ansible_stats": {"data": {f"cmk_{name}": {result["org"]: result}}, "per_host": False, "aggregate": True},
    }


def end(task: Task) -> Json:
    """Fail unless the run ended well. The summary follows, so that it is the last thing on the screen."""
    ending = task.args["ending"]
    return {"failed": True, "msg": ending} if ending else {}


def _open_folder(run: Run) -> tuple[str, Json]:
    """Remember the run and create its folder; return the folder, and what the evidence says of the runs before it."""
    files.keep(run, files.JOURNAL, journal_to_keep(run), "this run")
    files.keep(run, files.REVOCATION, revocation_to_keep(run), "this run")
    folder = files.report_folder(run)
    begun = run.announcement.journal.started_at if run.announcement else run.started_at
    try:
        folder = files.claim_folder(folder)
    except OSError:
        return folder, {}  # Writing the report will say why.
    try:
        return folder, files.find_chain(folder, begun)
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: the evidence could not be chained to that of earlier runs: {error}.")
        return folder, {}


def _record(task: Task, run: Run, result: Result, folder: str, proof: Evidence) -> None:
    """Write the files of a run. One that cannot be written is a warning: the keys and the notification are done."""
    settings = run.settings
    if folder:
        try:
            write_reports(folder, run.command.name, proof)
        except (OSError, UnicodeError, jinja2.TemplateError) as error:
            Display().warning(f"{settings.org}: the evidence could not be kept: {error}.")
        if settings.drill:
            keep_drill(run, result)
    if not settings.problems:
        release(settings.file(files.LOCK), identify(task.host, run.now))
    if path := settings.metrics_file:
        try:
            rewrite_public_file(path, lambda text: update_metrics(text, result, run.command))
        except (OSError, ValueError) as error:
            Display().warning(
                f"{settings.org}: cmk_metrics_file ({path}) was not written: {error}. Its folder must exist, be writable, and "
                "belong to this user or to root."
            )


def write_reports(folder: str, name: str, proof: Evidence) -> None:
    """Write the evidence of a run, and the reports that are printed from it. Raises OSError and jinja2.TemplateError."""
    texts = {
        f"{name}.json": json.dumps(proof, indent=2, ensure_ascii=False) + "\n",
        f"{name}.md": print_report("report.md.j2", proof) + "\n",
        f"{name}.html": print_report("report.html.j2", proof) + "\n",
    }
    files.write_run(folder, texts, proof["previous"])


def _print_texts(task: Task, run: Run, result: Result, proof: Evidence, folder: str) -> dict[str, str]:
    """Print the summary, why the run fails, the error of a run that fails, and the next step; each may be empty."""
    headline = proof["verdict"]["headline"]
    ending = headline.lower() if headline.isupper() else headline[:1].lower() + headline[1:]
    comment = run.settings.file("comment.txt")
    # Among many organizations the comment is not printed.
    file = home(comment) if run.organizations > 1 and os.path.isfile(comment) else ""
    step = next_step(result, run.command, check_mode=run.check_mode, file=file, inventory=_name_inventory(task))
    known = {
        **shown(run),
        "cmk_result": result,
        "cmk_folder": folder,
        "cmk_entry_point": run.command.name,
        "cmk_repeats": [*find_repeats(proof), *find_unfit(proof)],
        "cmk_rows": summarize(check_rehearsal(run)),
        "cmk_verdict": proof["verdict"],
        "cmk_ending": ending,
        "cmk_hints": list_hints(result),
        "cmk_headline": headline.upper(),
        "cmk_next": step,
        "ansible_check_mode": run.check_mode,
    }
    fails = not succeeds(result)
    summary = render(run.command.summary, **known)
    # Among many organizations each is one line, and the sum-up names those that need a person. So it is with a drill's parts.
    is_line = run.organizations > 1 or (run.is_part and not fails)
    return {
        "summary": summary.splitlines()[0] if is_line else summary,
        "failure": render("failure.txt.j2", **known).strip() if fails else "",
        "ending": f"{result['org']}: {ending}. See the summary below." if fails else "",
        "next": step,
    }


def _name_inventory(task: Task) -> str:
    """Return the options that name the inventory, as short as they can be; empty for Ansible's default."""
    sources = list(task.variables.get("ansible_inventory_sources") or [])
    if sources == list(C.DEFAULT_HOST_LIST):
        return ""
    below = os.path.join(os.getcwd(), "")
    names = [
        os.path.relpath(source) if source.startswith(below) and "," not in source else source for source in sources
    ]
    return "".join(f"-i {shlex.quote(home(name))} " for name in names)
