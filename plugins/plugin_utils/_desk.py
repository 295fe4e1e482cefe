# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The support desk's answers (Jira Service Management REST), read strictly. Pure.

Source: Jira Service Management Cloud REST API, "Request"
(https://developer.atlassian.com/cloud/jira/service-desk/rest/api-group-request/).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import typing as t
from dataclasses import dataclass, field, fields

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._quoting import unquoted_lines

# The desk's own JSON, which is read field by field.
Comment: t.TypeAlias = t.Mapping[str, t.Any]
Why: t.TypeAlias = dict[str, str]  # code, error and hint of what went wrong; empty if nothing did

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

    def wrote(self, comment: Comment) -> bool:
        """Whether the comment's author is this account; false where that cannot be established."""
        email = _inside(comment, "author", "emailAddress").casefold()
        identities = {"accountId": self.account_id, "key": self.key, "name": self.name}
        return (bool(email) and email == self.email.casefold()) or any(
            own and own == _inside(comment, "author", name) for name, own in identities.items()
        )


UNKNOWN: t.Final = Account()


@dataclass(frozen=True)
class Answer:
    """One answer of the desk, as far as it is free of secrets."""

    ok: bool
    status: int  # of HTTP; -1 without an answer
    data: t.Mapping[str, t.Any] = field(default_factory=dict)  # the JSON object
    code: str = ""
    error: str = ""
    hint: str = ""
    retry: bool = False  # whether the same read may be tried again
    wait: float = 0  # seconds until then
    clock_offset: int | None = None  # seconds that the desk's clock is ahead of the controller's; None if not known
    size: int = 0  # bytes
    too_large: bool = False


class _Dated:
    """A comment with the desk's time, and the same by the controller's clock."""

    at: str
    noted_at: str

    @property
    def written_at(self) -> dt.datetime | None:
        """When the comment was written: by the controller's clock, or by the desk's where that is not known."""
        return parse_time(self.noted_at) or parse_time(self.at)


@dataclass(frozen=True)
class Mention(_Dated):
    """A reference to a restoration on the ticket, in a line that the comment's author wrote."""

    reference: str
    comment_id: str = ""
    url: str = ""
    at: str = ""  # when the comment was written, as the desk gave it
    noted_at: str = ""  # the same by the controller's clock, ISO 8601 in UTC; empty if unknown
    author: str = ""  # the display name
    by_us: bool = False  # false also where that cannot be established
    relied_on: bool = False  # it counts although its reference is another, because nothing is known


@dataclass(frozen=True)
class Author(_Dated):
    """Somebody who wrote public comments on the ticket."""

    author: str  # an id
    name: str
    references: tuple[str, ...]  # to restorations of the organization, in any of the author's comments
    comment_id: str  # of the newest comment, as all that follows
    url: str
    at: str
    text: str  # one short line
    noted_at: str = ""  # by the controller's clock, as of a mention
    by_us: bool = False


@dataclass(frozen=True)
class Look:
    """What was read of a ticket and of all its public comments."""

    ok: bool = True
    code: str = ""  # why it could not be read
    error: str = ""
    hint: str = ""
    status: str = ""  # of the ticket
    allowed: bool = True  # whether this user may comment
    mentions: tuple[Mention, ...] = ()
    authors: tuple[Author, ...] = ()
    attempt: int = 1
    clock_offset: int | None = None
    complete: bool = True  # every comment was read
    bound: str = ""  # a sentence on the bound that ended the reading; empty if none did

    @property
    def why(self) -> Why:
        """Why the ticket could not be read."""
        return {"code": self.code, "error": self.error, "hint": self.hint}

    @classmethod
    def from_json(cls, known: t.Mapping[str, t.Any]) -> Look | None:
        """Read what ``asdict`` returned; None for nothing."""
        if not known:
            return None
        values = {field_.name: known[field_.name] for field_ in fields(cls) if field_.name in known}
        values["mentions"] = tuple(Mention(**mention) for mention in known.get("mentions") or [])
        values["authors"] = tuple(
            Author(**{**author, "references": tuple(author["references"])}) for author in known.get("authors") or []
        )
        return cls(**values)


def read_answer(result: Comment, attempt: int = 1, now: dt.datetime | None = None) -> Answer:
    """Judge the result of ``ansible.builtin.uri``, which came at ``now``; the wait doubles with each attempt, from 1."""
    status = int(result.get("status") or -1)
    data = result.get("json")
    size = int(result.get("size") or 0)
    clock_offset = _clock_offset(result.get("date"), now)
    if status in (200, 201) and isinstance(data, dict) and _is_documented(str(result.get("url", "")), data):
        return Answer(ok=True, status=status, data=data, clock_offset=clock_offset, size=size)
    code = _code(status, result)
    why = refusal(code, url=str(result.get("url", "")), status=status, message=_message(result))
    retry = code in ("desk_throttled", "desk_trouble", "desk_not_reached")
    wait = _retry_after(result.get("retry_after"), now) if retry else 0
    return Answer(
        ok=False,
        status=status,
        **vars(why),
        retry=retry,
        wait=min(_LONGEST_WAIT, wait if wait is not None else 2**attempt),
        clock_offset=clock_offset,
        size=size,
        too_large=bool(result.get("too_large")),
    )


def not_told(post: Answer, look: Look) -> Why:
    """Say why a comment does not count: from the desk's answer to it, and the ticket as it was read afterwards."""
    sent = post.error or refusal("desk_not_json", status=post.status).error
    unread = look.error or look.bound
    if unread and post.code in _OUTCOME_UNKNOWN:
        # Who takes this for a comment that was not stored would post a second one.
        return vars(refusal("desk_unconfirmed", sent=sent, message=unread))
    if post.ok:
        return vars(refusal("desk_not_json", status=post.status))
    return {"code": post.code, "error": post.error, "hint": post.hint}


def unfit_comment(text: str, ticket: str, look: Look | None) -> Why:
    """Say why the ticket, as far as it was read, would not take the comment; empty if it would."""
    if look and not look.allowed:
        return vars(refusal("ticket_closed", ticket=ticket, status=look.status))
    if len(text) > _MOST_CHARACTERS:
        return vars(refusal("comment_too_long", length=len(text), most=_MOST_CHARACTERS))
    return {}


def _is_documented(url: str, data: Comment) -> bool:
    """Whether a page of comments is one; the other answers are read field by field."""
    is_page = isinstance(data.get("values"), list) and isinstance(data.get("isLastPage"), bool)
    return is_page or "/comment?" not in url


def _code(status: int, result: Comment) -> str:
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


def _message(result: Comment) -> str:
    data = result.get("json")
    said = data.get("errorMessage") or data.get("message") if isinstance(data, dict) else None
    # uri's own message repeats the status; after the last colon stands the reason.
    text = said or str(result.get("msg", "")).rpartition("Request failed: ")[2]
    # urllib puts its reason between the signs that a tag has, and the number of the error says no more than its text.
    text = re.sub(r"^\[Errno -?[0-9]+\] ", "", re.sub(r"(?s)^<\w+ error (.*)>$", r"\1", str(text)))
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


def _clock_offset(date: object, received: dt.datetime | None) -> int | None:
    """How many seconds the desk's clock is ahead; the header has whole seconds, so the controller's time is cut too."""
    sent = _http_date(date)
    if not (sent and received and received.tzinfo):
        return None
    ahead = int((sent - received.replace(microsecond=0)).total_seconds())
    # A second may begin while the answer is on its way: a comment must not look younger for that.
    return ahead if abs(ahead) > 1 else 0


def local_time(created: str, offset: int | None) -> str:
    """Convert a time of the desk (``created.iso8601``) to the controller's clock, by an ``Answer.clock_offset``; empty if unknown."""
    # Without a zone it is no time of the desk.
    when = parse_time(created) if re.search(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$", created) else None
    if when is None or offset is None:
        return ""
    try:
        return format_time(when - dt.timedelta(seconds=offset)) or ""
    except OverflowError:
        return ""


def best_offset(*offsets: int | None) -> int | None:
    """Choose the best of several ``clock_offset``: what takes time on the way makes the desk's clock look late."""
    return max((offset for offset in offsets if offset is not None), default=None)


def mentions(
    comments: t.Iterable[Comment], org_slug: str, clock_offset: int | None = None, ours: Account = UNKNOWN
) -> list[Mention]:
    """List the references to restorations of the organization that the comments' authors wrote, in the order of the page.

    A reference counts only if it is an unquoted line of its own, with or without ``Reference:`` before it.
    """
    return [
        Mention(reference, author=_author_name(comment), **_describe(comment, clock_offset, ours))
        for comment in comments
        for reference in _references(comment, org_slug)
    ]


def is_undecided(comments: t.Iterable[Comment], org_slug: str, ours: Account) -> bool:
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


def _author_name(comment: Comment) -> str:
    return quoted(_inside(comment, "author", "displayName") or _author_id(comment), 60)


def _author_id(comment: Comment) -> str:
    # Cloud identifies an account by its id, Data Center by key and name (UserDTO).
    names = [_inside(comment, "author", name) for name in ("accountId", "key", "name", "emailAddress")]
    return next(filter(None, names), "")


def authors(
    comments: t.Iterable[Comment], org_slug: str, clock_offset: int | None = None, ours: Account = UNKNOWN
) -> list[Author]:
    """List who wrote public comments, from all of them, the oldest first."""
    found: dict[str, Author] = {}
    for comment in comments:
        if not isinstance(comment, dict):
            continue
        author = _author_id(comment)
        earlier = found.pop(author, None)
        references = [*(earlier.references if earlier else ()), *_references(comment, org_slug)]
        found[author] = Author(
            author,
            _author_name(comment),
            tuple(dict.fromkeys(references)),
            text=quoted(str(comment.get("body", ""))),
            **_describe(comment, clock_offset, ours),
        )
    return list(found.values())


def quoted(text: str, most: int = 200) -> str:
    """Put a text that others wrote on one short line, without anything that a terminal or an editor would act on."""
    # Ten times as much leaves room for white space, and a text of megabytes costs nothing.
    part = text[: 10 * most]
    line = _one_line(part)
    return line if len(line) <= most and len(part) == len(text) else f"{line[: most - 1].rstrip()}…"


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _describe(comment: Comment, clock_offset: int | None, ours: Account) -> dict[str, t.Any]:
    at = quoted(_inside(comment, "created", "iso8601"), 100)
    return {
        "comment_id": quoted(str(comment.get("id", "")), 100),
        "url": quoted(_inside(comment, "_links", "self"), 1000),
        "at": at,
        "noted_at": local_time(at, clock_offset),
        "by_us": ours.wrote(comment),
    }


def _inside(comment: Comment, part: str, name: str) -> str:
    value = comment.get(part)
    # Cloud gives null for what an account's privacy settings hide.
    return str(value.get(name) or "") if isinstance(value, dict) else ""
