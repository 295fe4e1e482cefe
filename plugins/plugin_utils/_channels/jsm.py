# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``api``: the ticket in Jira Service Management. ansible.builtin.uri posts the comment."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, replace

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import posted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import show_comment, write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import (
    Answer,
    Look,
    not_told,
    read_answer,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get, utc_now
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import find_comment, find_standing
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import try_folder
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._ticket import Rehearsed, Ticket

Json = dict[str, t.Any]
_CREATED: t.Final = 201
_PROGRESS_EVERY: t.Final = 8.0  # seconds: an operator must see that the run goes on


def post(task: Task) -> Json:
    """Post the comment unless the ticket shows that Atlassian was notified; show it for a person where that fails.

    :return: ``ticket`` (what became of it), ``comment`` (its text)
    """
    run, changed = Run.from_json(task.args["run"]), False
    shown: list[str] = []

    def show_once() -> None:
        text = "" if shown or task.check_mode else write_comment(task, run)[0]
        shown.append(text)
        show_comment(run, text)

    found = _look(task, run, show_once)
    while found["comments"]:
        answer = _send(task, run, found["comment"])
        found = _confirm(task, replace(run, posted=found), answer)
        # The answer may be lost, and the comment stored.
        changed = changed or answer.get("status") == _CREATED or bool(found["ticket"].get("told"))
    if found["ticket"].get("error") and found["ticket"].get("code") != "desk_unconfirmed":
        show_once()
    return {**found, "changed": changed}


def _send(task: Task, run: Run, text: str) -> Json:
    """Send the comment; return the result of ansible.builtin.uri."""
    user, token = task.args["user"], task.args["token"]
    # Basic authentication; a token without a user is a personal access token.
    account = {"url_username": user, "url_password": token, "force_basic_auth": True}
    options = {
        "url": f"{run.settings.request_url}/comment",
        "method": "POST",
        **(account if user else {"headers": {"Authorization": f"Bearer {token}"}}),
        # The token goes to the configured host and nowhere else, and no other credentials are taken for it.
        "follow_redirects": "none",
        "use_netrc": False,
        "body_format": "json",
        "body": {"body": text, "public": True},
        "status_code": [_CREATED],
    }
    try:
        return dict(task.run_module("ansible.builtin.uri", options))
    except AnsibleError as error:
        # The comment may have been stored: the ticket tells.
        return {"status": -1, "url": options["url"], "msg": str(error)}


def _look(task: Task, run: Run, on_trouble: t.Callable[[], None]) -> Json:
    """Read the ticket, and write the comment unless the ticket shows that Atlassian was notified.

    :return: ``ticket`` (what became of it; empty if the comment is to be posted), ``comment`` (its text), ``comments`` (whether to
        post it), and for :func:`_confirm` ``attempt`` and ``clock_offset``
    """
    found = _read(task, run, on_trouble=on_trouble)
    ticket = find_comment(run.announcement, found, already_told=True)
    if ticket or not found.ok:
        return _result(ticket or Ticket().failed(found.why), found)
    text, problem = write_comment(task, run, found)
    if problem:
        return _result(Ticket().failed(problem), found, text)
    if task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=run.settings.as_json(), cmk_comment=text))
    return _result(Ticket(), found, text, comments=not task.check_mode)


def _confirm(task: Task, run: Run, response: Json) -> Json:
    """Tell from the desk's answer to the comment, or else from the ticket, whether Atlassian was notified.

    The answer may be lost, or not tell of the comment, and the comment stored.

    :return: as :func:`_look`; ``comments`` says whether to post it once more
    """
    attempt, offset, text = (run.posted[name] for name in ("attempt", "clock_offset", "comment"))
    sent = _with_best_clock(read_answer(response, attempt, utc_now()), offset)
    stored = posted(sent, run.settings.slug, run.announcement) if run.announcement else None
    if stored:
        return {**run.posted, "comments": False, "ticket": Ticket.from_mention(stored, already_told=False).as_json()}
    found = _read(task, run, attempt=attempt + 1, wait=sent.wait)
    ticket = find_comment(run.announcement, found, already_told=False)
    in_time = time.time() < run.settings.desk_until
    again = not ticket and sent.retry and found.ok and in_time and found.attempt <= task.args["retries"]
    return _result(ticket or Ticket().failed(not_told(sent, found)), found, text, comments=again)


def rehearse(task: Task) -> Json:
    """Look at the ticket, and try the comment, for a run that changes nothing.

    :return: ``ticket`` (what would stop an announcement, or how Atlassian was notified), ``comment``, ``rehearsed`` (as
        :class:`Rehearsed`)
    """
    run = Run.from_json(task.args["run"])
    found = _read(task, run) if run.settings.request_url else None
    ticket = find_standing(run.announcement, found, run.settings.ticket) if found else Ticket()
    tried = Rehearsed(
        bool(found and found.ok), found.status if found else "", None if task.check_mode else try_folder(run)
    )
    result = {"rehearsed": asdict(tried), "comment": ""}
    if any(part.error for part in run.parts):
        return {**result, "ticket": ticket.as_json()}
    text, problem = write_comment(task, run, found)
    ticket = ticket.failed(problem) if problem and not ticket.error else ticket
    return {**result, "ticket": ticket.as_json(), "comment": text}


def _result(ticket: Ticket, found: Look, text: str = "", *, comments: bool = False) -> Json:
    kept = {"attempt": found.attempt, "clock_offset": found.clock_offset}
    return {"ticket": asdict(ticket) if ticket != Ticket() else {}, "comment": text, "comments": comments, **kept}


def _with_best_clock(sent: Answer, offset: int | None) -> Answer:
    # What takes time on the way makes the desk's clock look late: the highest offset is the best.
    known = [one for one in (offset, sent.clock_offset) if one is not None]
    return replace(sent, clock_offset=max(known, default=None))


class _WaitRow:
    """Counts the seconds to the next attempt, for one organization in one row: more rows would hide the text above them."""

    def __init__(self, run: Run) -> None:
        self._org, self._is_single = run.settings.org, run.organizations == 1
        self._errors: set[str] = set()
        self._is_open = False

    def say(self, error: str) -> None:
        """Say once what the desk answered."""
        if error not in self._errors:
            self._errors.add(error)
            self.end()
            show(f"{self._org}: {error}")

    def count(self, seconds: float) -> None:
        """Show how long it still is."""
        if self._is_single:
            show(
                f" {seconds:g}" if self._is_open else f"{self._org}: seconds to the next attempt: {seconds:g}",
                newline=False,
            )
            self._is_open = True
        else:
            show(f"{self._org}: {seconds:g} seconds to the next attempt")

    def end(self) -> None:
        """End the row."""
        if self._is_open:
            show("")
        self._is_open = False


def _read(
    task: Task, run: Run, *, attempt: int = 1, wait: float = 0, on_trouble: t.Callable[[], None] | None = None
) -> Look:
    """Read the ticket and its comments, within the desk's time."""
    settings, args = run.settings, task.args
    wait_row = _WaitRow(run)

    def pause(seconds: float, why: Answer) -> None:
        wait_row.say(why.error)
        if on_trouble:
            on_trouble()
        while seconds > 0:
            wait_row.count(seconds)
            time.sleep(min(seconds, _PROGRESS_EVERY))
            seconds -= _PROGRESS_EVERY

    time.sleep(max(0, min(wait, settings.desk_until - time.time())))
    patience = settings.desk_until - time.time()
    reader = Reader(lambda url: get(url, args["user"], args["token"]), pause, attempt, args["retries"], patience)
    found = reader.ticket(settings.request_url, settings.slug, args["user"])
    wait_row.end()
    if found.bound:
        Display().warning(
            f"{settings.org}: {found.bound} An announcement in a comment that was not read does not count."
        )
    return found
