# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The support desk's answers (Jira Service Management REST), read strictly. Pure.

Source: Jira Service Management Cloud REST API, "Request"
(https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._quoting import unquoted_lines

_LONGEST_WAIT: t.Final = 120
_PREFIX: t.Final = "Reference: "
# The documented limit of a comment in Jira.
_MOST_CHARACTERS: t.Final = 32767
# After these errors the comment may have been stored; after any other one it was not.
_OUTCOME_UNKNOWN: t.Final = ("", "desk_trouble", "desk_not_reached", "desk_not_json", "desk_login_page")
_BY_STATUS: t.Final = {
    401: "desk_unauthorized",
    403: "desk_forbidden",
    404: "desk_not_found",
    409: "desk_conflict",
    429: "desk_throttled",
}


@dataclass(frozen=True)
class Account:
    """The account that we use, as far as it is known; what is empty is not known.

    ``email`` is the user of basic authentication. The rest identifies an account on Cloud (``account_id``) and on Data
    Center (``key``, ``name``).
    """

    email: str = ""
    account_id: str = ""
    key: str = ""
    name: str = ""

    def wrote(self, comment: t.Mapping[str, t.Any]) -> bool:
        """Whether the comment's author is this account; false where that cannot be established."""
        email = _inside(comment, "author", "emailAddress").casefold()
        identities = {"accountId": self.account_id, "key": self.key, "name": self.name}
        return (bool(email) and email == self.email.casefold()) or any(
            own and own == _inside(comment, "author", name) for name, own in identities.items()
        )


def answer(result: t.Mapping[str, t.Any], attempt: int = 1, now: dt.datetime | str | None = None) -> dict[str, t.Any]:
    """Judge the result of ``ansible.builtin.uri`` and keep what is free of secrets.

    :param attempt: the number of this attempt, from 1; the wait doubles with it
    :param now: the controller's time when the answer came, ISO 8601 with a zone if it is a text
    :return: ``ok``, ``status``, ``data`` (the JSON object), ``code``, ``error``, ``hint``, ``retry`` (whether the same
        read may be tried again), ``wait`` (seconds until then), ``clock_offset`` (how many seconds the desk's clock is
        ahead of the controller's; None without a valid ``Date`` header or without ``now``)
    """
    status = int(result.get("status") or -1)
    data = result.get("json")
    received = _moment(now)
    clock_offset = _clock_offset(result.get("date"), received)
    if status in (200, 201) and isinstance(data, dict) and _is_documented(str(result.get("url", "")), data):
        return {
            "ok": True,
            "status": status,
            "data": data,
            "code": "",
            "error": "",
            "hint": "",
            "retry": False,
            "wait": 0,
            "clock_offset": clock_offset,
        }
    code = _code(status, result)
    why = refusal(code, url=str(result.get("url", "")), status=status, message=_message(result))
    retry = code in ("desk_throttled", "desk_trouble", "desk_not_reached")
    wait = _retry_after(result.get("retry_after"), received) if retry else 0
    return {
        "ok": False,
        "status": status,
        "data": {},
        **vars(why),
        "retry": retry,
        "wait": min(_LONGEST_WAIT, wait if wait is not None else 2**attempt),
        "clock_offset": clock_offset,
    }


def not_told(post: t.Mapping[str, t.Any], look: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Say why a comment that was sent does not count as told.

    :param post: :func:`answer` to the comment
    :param look: the result of ``desk_ticket`` that read the ticket afterwards
    :return: ``code``, ``error``, ``hint``
    """
    sent = str(post["error"]) or str(refusal("desk_not_json", status=post["status"]).error)
    unread = look.get("error") or look.get("bound")
    if unread and post["code"] in _OUTCOME_UNKNOWN:
        # Who takes this for a comment that was not stored would post a second one.
        return dict(vars(refusal("desk_unconfirmed", sent=sent, message=unread)))
    if post["ok"]:
        return dict(vars(refusal("desk_not_json", status=post["status"])))
    return {name: str(post[name]) for name in ("code", "error", "hint")}


def standing(
    look: t.Mapping[str, t.Any], ticket: str, announced: t.Sequence[t.Mapping[str, t.Any]], enables: bool
) -> dict[str, t.Any]:
    """Report the state of a ticket that is only read, for a rehearsal.

    :param look: the result of ``desk_ticket``
    :param ticket: the ticket's key
    :param announced: the announcements of this restoration among its mentions
    :param enables: whether keys are still to be enabled, so that there is nothing to announce yet
    :return: ``code``, ``error`` and ``hint`` of what would stop an announcement; else ``told`` with the one that the ticket
        holds; else empty
    """
    if not look["ok"]:
        return {name: look[name] for name in ("code", "error", "hint")}
    # An old announcement does not help at the next loss, which a rehearsal is for.
    if unfit := unfit_comment("", ticket, look):
        return unfit
    return {**announced[0], "told": True, "already_told": True} if announced and not enables else {}


def unfit_comment(text: str, ticket: str, look: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Say why the ticket would not take the comment (``code``, ``error``, ``hint``); empty if it would.

    :param look: the result of ``desk_ticket``
    """
    if not look.get("allowed", True):
        return dict(vars(refusal("ticket_closed", ticket=ticket, status=look["status"])))
    if len(text) > _MOST_CHARACTERS:
        return dict(vars(refusal("comment_too_long", length=len(text), most=_MOST_CHARACTERS)))
    return {}


def _is_documented(url: str, data: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a page of comments is one; the other answers are read field by field."""
    if "/comment?" not in url:
        return True
    return isinstance(data.get("values"), list) and isinstance(data.get("isLastPage"), bool)


def _code(status: int, result: t.Mapping[str, t.Any]) -> str:
    if status < 0:
        return "desk_tls" if "CERTIFICATE_VERIFY_FAILED" in str(result.get("msg", "")) else "desk_not_reached"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "desk_trouble"
    if 200 <= status < 400:
        # A suspended session redirects to a login page, or shows one with status 200.
        html = "html" in str(result.get("content_type", "")) or status >= 300
        return "desk_login_page" if html else "desk_not_json"
    return "desk_refused"


def _message(result: t.Mapping[str, t.Any]) -> str:
    data = result.get("json")
    said = data.get("errorMessage") or data.get("message") if isinstance(data, dict) else None
    # uri's own message repeats the status; after the last colon stands the reason.
    text = said or str(result.get("msg", "")).rpartition("Request failed: ")[2]
    # urllib puts its reason between the signs that a tag has.
    text = re.sub(r"(?s)^<\w+ error (.*)>$", r"\1", str(text))
    return _one_line(re.sub(r"<[^>]{0,500}>", " ", text[:5000]))[:300].rstrip(".") + "."


def _retry_after(value: object, now: dt.datetime | None) -> float | None:
    """Read ``Retry-After``: seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    text = str(value or "").strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    when = _http_date(text)
    return max(0.0, (when - (now or dt.datetime.now(dt.timezone.utc))).total_seconds()) if when else None


def _http_date(value: object) -> dt.datetime | None:
    """Read a date of a header (RFC 9110, 5.6.7); None if it is none or lacks a zone."""
    try:
        when = email.utils.parsedate_to_datetime(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, TypeError):
        return None
    return when if when and when.tzinfo else None


def _moment(value: dt.datetime | str | None) -> dt.datetime | None:
    """Read a time in ISO 8601 or take one; None without a zone."""
    if isinstance(value, str):
        # Before Python 3.11, fromisoformat knows neither Z nor an offset without a colon, which Jira sends.
        text = re.sub(r"(?:Z|([+-][0-9]{2})([0-9]{2}))$", lambda zone: f"{zone[1] or '+00'}:{zone[2] or '00'}", value)
        try:
            value = dt.datetime.fromisoformat(text)
        except ValueError:
            return None
    return value if value and value.tzinfo else None


def _clock_offset(date: object, received: dt.datetime | None) -> int | None:
    """How many seconds the desk's clock is ahead; the header has whole seconds, so the controller's time is cut too."""
    sent = _http_date(date)
    return int((sent - received.replace(microsecond=0)).total_seconds()) if sent and received else None


def local_time(created: str, offset: int | None) -> str:
    """Convert a time of the desk to the controller's clock: UTC, ISO 8601 with ``Z``; empty if it is not known.

    :param created: ISO 8601 with a zone, as ``created.iso8601`` has it
    :param offset: the ``clock_offset`` of :func:`answer`
    """
    when = _moment(created)
    if when is None or offset is None:
        return ""
    try:
        local = (when - dt.timedelta(seconds=offset)).astimezone(dt.timezone.utc)
    except OverflowError:
        return ""
    return local.strftime("%Y-%m-%dT%H:%M:%SZ")


def mentions(
    comments: t.Iterable[t.Mapping[str, t.Any]],
    org_slug: str,
    clock_offset: int | None = None,
    ours: Account | None = None,
) -> list[dict[str, t.Any]]:
    """List the references to restorations of the organization that the comments' authors wrote.

    A reference counts only if it is an unquoted line of its own, with or without ``Reference:`` before it.

    :param clock_offset: the ``clock_offset`` of the answer that holds the comments
    :param ours: the account that we use
    :return: of each, in the order of the page: ``reference``, ``comment_id``, ``url``, ``at`` (as the desk gave it),
        ``noted_at`` (by the controller's clock; empty if unknown), ``author`` (the display name), ``by_us`` (false also
        where that cannot be established)
    """
    return [
        {
            "reference": reference,
            **(facts := comment_facts(comment)),
            "noted_at": local_time(facts["at"], clock_offset),
            "author": _author_name(comment),
            "by_us": (ours or Account()).wrote(comment),
        }
        for comment in comments
        for reference in _references(comment, org_slug)
    ]


def is_undecided(comments: t.Iterable[t.Mapping[str, t.Any]], org_slug: str, ours: Account) -> bool:
    """Whether a reference stands in a comment of which the e-mail addresses do not tell whether we wrote it."""
    return any(
        not ("@" in ours.email and _inside(comment, "author", "emailAddress"))
        for comment in comments
        if _references(comment, org_slug)
    )


def states(text: str, reference: str) -> bool:
    """Whether a comment of this text counts as the announcement of the restoration."""
    return bool({reference, _PREFIX + reference} & set(unquoted_lines(text)))


def _references(comment: object, org_slug: str) -> list[str]:
    body = comment.get("body") if isinstance(comment, dict) else None
    if not isinstance(body, str):
        return []
    pattern = re.compile(rf"(?:{_PREFIX})?(cmk-restore/{re.escape(org_slug)}/[0-9a-f]{{12}})")
    return list(dict.fromkeys(line[1] for line in map(pattern.fullmatch, unquoted_lines(body)) if line))


def _author_name(comment: t.Mapping[str, t.Any]) -> str:
    return quoted(_inside(comment, "author", "displayName") or _author_id(comment), 60)


def _author_id(comment: t.Mapping[str, t.Any]) -> str:
    # Cloud identifies an account by its id, Data Center by key and name (UserDTO).
    names = [_inside(comment, "author", name) for name in ("accountId", "key", "name", "emailAddress")]
    return next(filter(None, names), "")


def authors(comments: t.Iterable[t.Mapping[str, t.Any]], org_slug: str) -> list[dict[str, t.Any]]:
    """Tell who wrote public comments.

    :param comments: all of them, the oldest first
    :return: for each author ``author`` (an id), ``name``, ``references`` (to restorations of the organization, in any of
        the author's comments), and ``comment_id``, ``url``, ``at`` and ``text`` (one short line) of the newest comment
    """
    found: dict[str, dict[str, t.Any]] = {}
    for comment in comments:
        if not isinstance(comment, dict):
            continue
        author = _author_id(comment)
        earlier = found.pop(author, {"references": []})
        found[author] = {
            "author": author,
            "name": _author_name(comment),
            "references": list(dict.fromkeys([*earlier["references"], *_references(comment, org_slug)])),
            **comment_facts(comment),
            "text": quoted(str(comment.get("body", ""))),
        }
    return list(found.values())


def quoted(text: str, most: int = 200) -> str:
    """Put a text that others wrote on one short line, without anything that a terminal or an editor would act on."""
    # Ten times as much leaves room for white space, and a text of megabytes costs nothing.
    part = text[: 10 * most]
    line = _one_line(part)
    return line if len(line) <= most and len(part) == len(text) else f"{line[: most - 1].rstrip()}…"


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def comment_facts(comment: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Keep of a comment what evidence needs."""
    return {
        "comment_id": quoted(str(comment.get("id", "")), 100),
        "url": quoted(_inside(comment, "_links", "self"), 1000),
        "at": quoted(_inside(comment, "created", "iso8601"), 100),
    }


def _inside(comment: t.Mapping[str, t.Any], part: str, name: str) -> str:
    value = comment.get(part)
    # Cloud gives null for what an account's privacy settings hide.
    return str(value.get(name) or "") if isinstance(value, dict) else ""


def ticket_step(
    look: t.Mapping[str, t.Any], announced: t.Sequence[object], comment: t.Mapping[str, t.Any], check_mode: bool
) -> str:
    """Choose what to do with the ticket: the name of the role's task file.

    :param look: the result of ``desk_ticket``
    :param announced: the comments on the ticket that tell Atlassian
    :param comment: the result of ``comment``; empty if it was not written
    """
    if not look["ok"]:
        return "unread"
    if announced:
        return "announced"
    if comment["error"]:
        return "unfit"
    return "would_post" if check_mode else "comment"
