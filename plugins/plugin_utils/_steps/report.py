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
    ABOVE,
    Result,
    is_good,
    list_hints,
    make_result,
    next_step,
    succeeds,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, evidence_parts, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import rewrite_public_file, write_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.chain import (
    claim_folder,
    find_earlier,
    find_previous,
    list_runs,
    write_sums,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.drill import keep_drill
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import (
    JOURNAL,
    LOCK,
    REVOCATION,
    keep,
    report_folder,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.surroundings import find_surroundings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]


def report(task: Task) -> Json:
    """Write what is to be remembered, the evidence and the reports.

    :return: ``result`` (``cmk_result``), ``folder`` (of the reports; empty without), ``summary`` (to be shown), ``failure`` (why the run
        fails; empty if it does not), ``ending`` (the error of a run that fails), ``next`` (what a person does next), ``good``,
        ``entry_point``, and for a drill ``headline`` and ``acted`` (whether AWS was asked to change a key)
    """
    run, writes = Run.from_json(task.args["run"]), not task.check_mode
    name, found = run.command.name, make_result(run)
    known = {**evidence_parts(run), **find_surroundings(run), "verification": found.get("verification")}
    folder, chain = _open_folder(run) if writes and run.settings.report_dir else ("", {})
    proof = evidence({**known, **chain, "result": found})
    if writes:
        _record(task, run, found, folder, proof)
    return {
        **_texts(task, run, found, proof, folder),
        "headline": proof["verdict"]["headline"],
        "acted": run.acted,
        "result": found,
        "good": is_good(found),
        "folder": folder,
        "entry_point": name,
        # What ansible.builtin.set_stats returns.
        "ansible_stats": {"data": {f"cmk_{name}": {found["org"]: found}}, "per_host": False, "aggregate": True},
    }


def _record(task: Task, run: Run, found: Result, folder: str, proof: Evidence) -> None:
    if folder:
        _write(run, folder, proof)
    if folder and run.settings.drill:
        keep_drill(run, found)
    if not run.settings.problems:
        release(run.settings.file(LOCK), identify(task.host, run.now))
    if run.settings.metrics_file:
        _write_metrics(run, found)


def end(task: Task) -> Json:
    """Fail unless the run ended well. The summary follows, so that it is the last thing on the screen."""
    ending = task.args["report"].get("ending")
    return {"failed": True, "msg": ending} if ending else {}


def _open_folder(run: Run) -> tuple[str, Json]:
    """Remember the run and create its folder; return the folder, and what the evidence says of the runs before it."""
    keep(run, JOURNAL, journal_to_keep(run), "this run")
    keep(run, REVOCATION, revocation_to_keep(run), "this run")
    folder = report_folder(run)
    begun = run.announcement.journal.started_at if run.announcement else run.started_at
    try:
        folder = claim_folder(folder)
    except OSError:
        return folder, {}  # Writing the report will say why.
    try:
        runs = list_runs(folder)
        return folder, {"previous": find_previous(folder, runs), "earlier_runs": find_earlier(runs, begun)}
    except (OSError, UnicodeError) as error:
        Display().warning(f"{run.settings.org}: the evidence could not be chained to that of earlier runs: {error}.")
        return folder, {}


def _write(run: Run, folder: str, proof: Evidence) -> None:
    """Write the evidence and the reports of a run.

    What was done is done, and what was notified is notified: what cannot be written is told beside it.
    """
    try:
        write_reports(folder, run.command.name, proof)
    except (OSError, UnicodeError, jinja2.TemplateError) as error:
        Display().warning(f"{run.settings.org}: the evidence could not be kept: {error}.")


def _write_metrics(run: Run, found: Result) -> None:
    path = run.settings.metrics_file
    try:
        rewrite_public_file(path, lambda text: update_metrics(text, found, run.command))
    except (OSError, ValueError) as error:
        Display().warning(
            f"{run.settings.org}: cmk_metrics_file ({path}) was not written: {error}. Its folder must exist, be writable, and "
            "belong to this user or to root."
        )


def write_reports(folder: str, name: str, proof: Evidence) -> None:
    """Write the evidence of a run, and the reports that are printed from it. Raises OSError and jinja2.TemplateError."""
    texts = {
        f"{name}.json": json.dumps(proof, indent=2, ensure_ascii=False) + "\n",
        f"{name}.md": print_report("report.md.j2", proof) + "\n",
        f"{name}.html": print_report("report.html.j2", proof) + "\n",
    }
    for file, text in texts.items():
        write_file(os.path.join(folder, file), text)
    write_sums(folder, texts, proof["previous"])


def _texts(task: Task, run: Run, found: Result, proof: Evidence, folder: str) -> dict[str, str]:
    """Print the texts with which the run ends."""
    headline = proof["verdict"]["headline"]
    ending = headline.lower() if headline.isupper() else headline[:1].lower() + headline[1:]
    known = {
        **shown(run),
        "cmk_result": found,
        "cmk_folder": folder,
        "cmk_entry_point": run.command.name,
        "cmk_repeats": [*find_repeats(proof), *find_unfit(proof)],
        "cmk_rows": summarize(check_rehearsal(run)),
        "cmk_verdict": proof["verdict"],
        "cmk_ending": ending,
        "cmk_hints": list_hints(found),
        "cmk_headline": headline.upper(),
        "cmk_next": next_step(found, run.command, check_mode=run.check_mode, **_surrounding_words(task, run)),
        "ansible_check_mode": run.check_mode,
    }
    fails = not succeeds(found)
    summary = render(run.command.summary, **known)
    return {
        # Among many organizations each is one line, and the sum-up names those that need a person. So it is with a drill's parts.
        "summary": summary.splitlines()[0] if run.organizations > 1 or (run.is_part and not fails) else summary,
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
