# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The support ticket: read it, write the comment, and make sure that the desk has it. ansible.builtin.uri posts it in between."""

from __future__ import annotations

import datetime as dt
import time
import typing as t

from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import announced, posted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import answer, not_told, standing
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.comment import write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]
_WHY: t.Final = ("code", "error", "hint")


def look(task: Task) -> Json:
    """Read the ticket, and write the comment unless the ticket shows that Atlassian was notified.

    :return: ``ticket`` (what became of it; empty if the comment is to be posted), ``comment`` (its text), ``comments`` (whether to
        post it), and for :func:`confirm` ``attempt`` and ``clock_offset``
    """
    run = about(task.args["run"])
    found = _read(task, run)
    result = {"comments": False, "comment": "", "ticket": {}, **_kept(found)}
    if not found["ok"]:
        return {**result, "ticket": _why(found)}
    if known := announced(found["mentions"], run["announcement"]):
        return {**result, "ticket": {**known[0], "told": True, "already_told": True}}
    text, problem = write_comment(task, run, found)
    if problem:
        return {**result, "comment": text, "ticket": problem}
    if task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=run["settings"], cmk_comment=text))
    return {**result, "comment": text, "comments": not task.check_mode}


def confirm(task: Task) -> Json:
    """Tell from the desk's answer to the comment, or else from the ticket, whether Atlassian was notified.

    The answer may be lost, or not tell of the comment, and the comment stored.

    :return: as :func:`look`; ``comments`` says whether to post it once more
    """
    run, last, response = about(task.args["run"]), task.args["run"]["look"], task.args["response"]
    slug, offset = run["settings"]["slug"], last["clock_offset"]
    sent = answer(response, last["attempt"], dt.datetime.now(dt.timezone.utc))
    # What takes time on the way makes the desk's clock look late: the highest offset is the best.
    sent["clock_offset"] = max((one for one in (offset, sent["clock_offset"]) if one is not None), default=None)
    result = {**last, "comments": False}
    if told := posted(sent, slug, run["announcement"]):
        return {**result, "ticket": told}
    found = _read(task, run, attempt=last["attempt"] + 1, wait=sent["wait"])
    if known := announced(found["mentions"], run["announcement"]):
        return {**result, **_kept(found), "ticket": {**known[0], "told": True, "already_told": False}}
    again = sent["retry"] and found["ok"] and found["in_time"] and found["attempt"] <= task.args["retries"]
    return {**result, **_kept(found), "comments": again, "ticket": not_told(sent, found)}


def rehearse(task: Task) -> Json:
    """Look at the ticket, and try the comment, for a run that changes nothing.

    :return: ``ticket`` (what would stop an announcement, or how Atlassian was notified), ``comment``
    """
    run = about(task.args["run"])
    settings, ticket, found = run["settings"], {}, {}
    if settings["mode"] == "api":
        found = _read(task, run)
        known = announced(found["mentions"], run["announcement"])
        ticket = standing(found, settings["ticket"], known, run["announcement"]["enables"])
    if any(part.get("error") for part in (*run["keys"], run["trust"])):
        return {"ticket": ticket, "comment": ""}
    text, problem = write_comment(task, run, found)
    return {"ticket": ticket if ticket.get("error") else problem or ticket, "comment": text}


def _why(found: Json) -> Json:
    return {name: found[name] for name in _WHY}


def _kept(found: Json) -> Json:
    return {name: found[name] for name in ("attempt", "clock_offset")}


def _read(task: Task, run: Json, *, attempt: int = 1, wait: float = 0) -> Json:
    """Read the ticket and its comments; ``in_time``: there is time for another attempt."""
    settings, args = run["settings"], task.args

    def pause(seconds: float, why: t.Mapping[str, t.Any]) -> None:
        Display().display(f"{settings['org']}: {why['error']} Trying again in {seconds:g} s.")
        time.sleep(seconds)

    patience = settings["desk_until"] - time.time()
    time.sleep(max(0, min(wait, patience)))
    reader = Reader(lambda url: get(url, args["user"], args["token"]), pause, attempt, args["retries"], patience)
    found = reader.ticket(settings["request_url"], settings["slug"], args["user"])
    if found["bound"]:
        Display().warning(
            f"{settings['org']}: {found['bound']} An announcement in a comment that was not read does not count."
        )
    return {**found, "in_time": time.time() < settings["desk_until"]}
