# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mode ``api``: the ticket in Jira Service Management. ansible.builtin.uri posts the comment."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import current_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import posted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.comment import show_comment, write_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import (
    Answer,
    Look,
    best_offset,
    not_told,
    read_answer,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import (
    Rehearsed,
    Ticket,
    find_comment,
    find_standing,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import try_folder
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

Json = dict[str, t.Any]
_CREATED: t.Final = 201
_PROGRESS_EVERY: t.Final = 8.0  # seconds: an operator must see that the run goes on


@dataclass(frozen=True)
class _Draft:
    """The comment, and what is known of the ticket."""

    ticket: Ticket  # what became of it; empty if the comment is to be posted
    text: str
    attempt: int  # at the desk
    clock_offset: int | None
    posts: bool  # whether the comment is to be posted


def post(task: Task) -> Json:
    """Post the comment unless the ticket shows that Atlassian was notified; show it for a person where that fails."""
    run, changed = Run.from_json(task.args["run"]), False
    shown: list[str] = []

    def show_once() -> None:
        text = "" if shown or task.check_mode else write_comment(task, run)[0]
        shown.append(text)
        show_comment(run, text)

    draft = _write(task, run, show_once)
    while draft.posts:
        answer = _send(task, run, draft.text)
        draft = _confirm(task, run, draft, answer)
        # The answer may be lost, and the comment stored.
        changed = changed or answer.get("status") == _CREATED or draft.ticket.told
    if draft.ticket.error and draft.ticket.code != "desk_unconfirmed":
        show_once()
    ticket = asdict(draft.ticket) if draft.ticket != Ticket() else {}
    return {"ticket": ticket, "comment": draft.text, "changed": changed}


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


def _write(task: Task, run: Run, on_trouble: t.Callable[[], None]) -> _Draft:
    """Read the ticket, and write the comment unless the ticket shows that Atlassian was notified."""
    look = _read(task, run, on_trouble=on_trouble)
    ticket, text = find_comment(run.announcement, look, already_told=True), ""
    if not ticket and not look.ok:
        ticket = Ticket().failed(look.why)
    if not ticket:
        text, problem = write_comment(task, run, look)
        ticket = Ticket().failed(problem) if problem else None
    if not ticket and task.check_mode:
        show(render("would_post.txt.j2", cmk_settings=run.settings.as_json(), cmk_comment=text))
    posts = not ticket and not task.check_mode
    return _Draft(ticket or Ticket(), text, look.attempt, look.clock_offset, posts)


def _confirm(task: Task, run: Run, draft: _Draft, response: Json) -> _Draft:
    """Find out from the desk's answer to the comment, or else from the ticket, whether Atlassian was notified.

    The answer may be lost, or not hold the comment, and the comment stored all the same.
    """
    sent = read_answer(response, draft.attempt, current_time())
    sent = replace(sent, clock_offset=best_offset(draft.clock_offset, sent.clock_offset))
    stored = posted(sent, run.settings.slug, run.announcement) if run.announcement else None
    if stored:
        return replace(draft, ticket=Ticket.from_mention(stored, already_told=False), posts=False)
    look = _read(task, run, attempt=draft.attempt + 1, wait=sent.wait)
    ticket = find_comment(run.announcement, look, already_told=False)
    in_time = time.time() < run.settings.desk_until
    again = not ticket and sent.retry and look.ok and in_time and look.attempt <= task.args["retries"]
    failed = Ticket().failed(not_told(sent, look))
    return _Draft(ticket or failed, draft.text, look.attempt, look.clock_offset, again)


def rehearse(task: Task) -> Json:
    """Read the ticket, and try the comment, for a run that changes nothing."""
    run = Run.from_json(task.args["run"])
    found = _read(task, run) if run.settings.request_url else None
    ticket = find_standing(run.announcement, found, run.settings.ticket) if found else Ticket()
    tried = Rehearsed(
        bool(found and found.ok), found.status if found else "", None if task.check_mode else try_folder(run)
    )
    text, problem = ("", {}) if any(part.error for part in run.parts) else write_comment(task, run, found)
    ticket = ticket.failed(problem) if problem and not ticket.error else ticket
    return {"rehearsed": asdict(tried), "comment": text, "ticket": asdict(ticket)}


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
    """Read the ticket and its comments, and warn where they are too many to read."""
    time.sleep(max(0, min(wait, run.settings.desk_until - time.time())))
    look = read_ticket(task, run, task.args["retries"], attempt, on_trouble)
    if look.bound:
        Display().warning(
            f"{run.settings.org}: {look.bound} An announcement in a comment that was not read does not count."
        )
    return look


def read_ticket(
    task: Task, run: Run, retries: int, attempt: int = 1, on_trouble: t.Callable[[], None] | None = None
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

    patience = settings.desk_until - time.time()
    reader = Reader(lambda url: get(url, args["user"], args["token"]), pause, attempt, retries, patience)
    look = reader.ticket(settings.request_url, settings.slug, args["user"])
    wait_row.end()
    return look
