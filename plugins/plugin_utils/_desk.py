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

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain

_LONGEST_WAIT: t.Final = 120
# The documented limit of a comment in Jira.
_MOST_CHARACTERS: t.Final = 32767
# What leaves open whether a comment was stored; all else refuses it for certain.
_MAY_BE_STORED: t.Final = ("", "desk_trouble", "desk_not_reached", "desk_not_json", "desk_login_page")
_BY_STATUS: t.Final = {
    401: "desk_unauthorized",
    403: "desk_forbidden",
    404: "desk_not_found",
    409: "desk_conflict",
    429: "desk_throttled",
}


def answer(result: t.Mapping[str, t.Any], attempt: int = 1, now: dt.datetime | None = None) -> dict[str, t.Any]:
    """Judge the result of ``ansible.builtin.uri`` and keep what is free of secrets.

    :param attempt: the number of this attempt, from 1; the wait doubles with it
    :return: ``ok``, ``status``, ``data`` (the JSON object), ``code``, ``error``, ``hint``, ``retry`` (whether the same
        read may be tried again), ``wait`` (seconds until then)
    """
    status = int(result.get("status") or -1)
    data = result.get("json")
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
        }
    code = _code(status, result)
    why = refusal(code, url=str(result.get("url", "")), status=status, message=_message(result))
    retry = code in ("desk_throttled", "desk_trouble", "desk_not_reached")
    wait = _retry_after(result.get("retry_after"), now) if retry else 0
    return {
        "ok": False,
        "status": status,
        "data": {},
        **vars(why),
        "retry": retry,
        "wait": min(_LONGEST_WAIT, wait if wait is not None else 2**attempt),
    }


def not_told(post: t.Mapping[str, t.Any], look: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Say why a comment that was sent does not count as told.

    :param post: :func:`answer` to the comment
    :param look: :func:`answer` to the last page of comments that was read afterwards
    :return: ``code``, ``error``, ``hint``
    """
    sent = str(post["error"]) or str(refusal("desk_not_json", status=post["status"]).error)
    if not look["ok"] and post["code"] in _MAY_BE_STORED:
        # A person who takes this for "not told" would tell Atlassian a second time.
        return dict(vars(refusal("desk_unconfirmed", sent=sent, message=look["error"])))
    if post["ok"]:
        return dict(vars(refusal("desk_not_json", status=post["status"])))
    return {name: str(post[name]) for name in ("code", "error", "hint")}


def standing(
    look: t.Mapping[str, t.Any], ticket: str, announced: t.Sequence[t.Mapping[str, str]], enables: bool
) -> dict[str, t.Any]:
    """Say what stands on a ticket that is only looked at.

    :param look: the result of ``desk_ticket``
    :param ticket: the ticket's key
    :param announced: the announcements of this restoration among its mentions
    :param enables: whether keys are still to be enabled, so that there is nothing to be told yet
    :return: ``told`` with the announcement, or ``code``, ``error`` and ``hint`` of what would stop one; else empty
    """
    if not look["ok"]:
        return {name: look[name] for name in ("code", "error", "hint")}
    if announced and not enables:
        return {**announced[0], "told": True, "already_told": True}
    return unfit_comment("", ticket, look)


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
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)).strip()[:300].rstrip(".") + "."


def _retry_after(value: object, now: dt.datetime | None) -> float | None:
    """Read ``Retry-After``: seconds, or an HTTP date (RFC 9110, 10.2.3)."""
    text = str(value or "").strip()
    if not text:
        return None
    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if when.tzinfo is None:
        return None
    return max(0.0, (when - (now or dt.datetime.now(dt.timezone.utc))).total_seconds())


def mentions(comments: t.Iterable[t.Mapping[str, t.Any]], org_slug: str) -> list[dict[str, str]]:
    """Find the references to restorations of the organization in a page of comments.

    :return: ``reference``, ``comment_id``, ``url`` and ``at`` (ISO 8601) of each, in the order of the page
    """
    pattern = re.compile(rf"\bcmk-restore/{re.escape(org_slug)}/[0-9a-f]{{12}}\b")
    return [
        {"reference": reference, **comment_facts(comment)}
        for comment in comments
        if isinstance(comment, dict)
        for reference in dict.fromkeys(pattern.findall(str(comment.get("body", ""))))
    ]


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
        # Cloud tells an account by its id, Data Center by key and name (UserDTO).
        names = [_inside(comment, "author", name) for name in ("accountId", "key", "name", "emailAddress")]
        author = next(filter(None, names), "")
        earlier = found.pop(author, {"references": []})
        own = [mention["reference"] for mention in mentions([comment], org_slug)]
        found[author] = {
            "author": author,
            "name": quoted(_inside(comment, "author", "displayName") or author, 60),
            "references": list(dict.fromkeys([*earlier["references"], *own])),
            **comment_facts(comment),
            "text": quoted(str(comment.get("body", ""))),
        }
    return list(found.values())


def quoted(text: str, most: int = 200) -> str:
    """Put a text that others wrote on one short line, without anything that a terminal or an editor would act on."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def comment_facts(comment: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Keep of a comment what evidence needs."""
    return {
        "comment_id": str(comment.get("id", "")),
        "url": _inside(comment, "_links", "self"),
        "at": _inside(comment, "created", "iso8601"),
    }


def _inside(comment: t.Mapping[str, t.Any], part: str, name: str) -> str:
    found = comment.get(part)
    return str(found.get(name, "")) if isinstance(found, dict) else ""


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
