"""The rules, each broken on purpose: the model must notice.

``python -m tests.unit.model.breaks`` says after how many histories it notices each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
from unittest import mock

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import (
    _access_loss,
    _announcement,
    _deciding,
    _desk,
    _desk_read,
    _journal,
    _keys,
    _note,
    _notified,
    _run,
)

from .explore import search

Patch = t.ContextManager[t.Any]
_announced = _announcement.announced
_settle = _announcement.settle
_find = _access_loss.find_access_loss


def _with_since_ignored(on_ticket: t.Any, announcement: t.Any) -> t.Any:
    return _announced(on_ticket, dataclasses.replace(announcement, since=None))


def _any_reference(on_ticket: t.Any, announcement: t.Any) -> t.Any:
    return [item for item in on_ticket if not _announcement._is_older(item, announcement.since)]


def _anybody_is_us(on_ticket: t.Any, announcement: t.Any) -> t.Any:
    return _announced([dataclasses.replace(item, by_us=True) for item in on_ticket], announcement)


def _settled_with(**changed: t.Any) -> t.Callable[..., t.Any]:
    def settle(*values: t.Any, enables: bool, now: str, nonce: str) -> t.Any:
        return dataclasses.replace(_settle(*values, enables=enables, now=now, nonce=nonce), **changed)

    return settle


def _as_if_not_enabling(*values: t.Any, **named: t.Any) -> t.Any:
    return _settle(*values, **{**named, "enables": False})


def _found_with(**changed: t.Any) -> t.Callable[..., t.Any]:
    return lambda *values, **named: _find(*values, **{**named, **changed})


def _read_damaged(text: str, slug: str) -> t.Any:
    journal = _journal.read_journal(text, slug)
    return None if journal and journal.is_damaged else journal


def _without_used_notes(journal: t.Any, *values: t.Any) -> t.Any:
    return _notified_before(dataclasses.replace(journal, used_notes=()), *values)


_notified_before = _announcement._notified


def _same_key(run: t.Any) -> t.Any:
    return tuple({name: target[name] for name in ("region", "key_id")} for target in _targets(run)[:1])


_targets = _deciding.find_targets


def _every_line(text: str) -> list[str]:
    return [line.strip("> ") for line in text.splitlines()]


def _no_offset(comments: t.Any, slug: str, _offset: object = None, ours: t.Any = _desk.UNKNOWN) -> t.Any:
    return _mentions(comments, slug, 0, ours)


_mentions = _desk.mentions


def _both(name: str, new: t.Any, *modules: t.Any) -> list[Patch]:
    return [mock.patch.object(module, name, new) for module in modules]


# The name of each break, and what does it.
BREAKS: t.Final[dict[str, t.Callable[[], list[Patch]]]] = {
    "a comment of any age counts": lambda: _both("announced", _with_since_ignored, _announcement, _notified),
    "any reference counts": lambda: _both("announced", _any_reference, _announcement, _notified),
    "a comment of anybody counts where nothing is known": lambda: _both("announced", _anybody_is_us, _announcement),
    "our own comments count always": lambda: _both("settle", _settled_with(accepts_ours=True), _deciding),
    "nothing was lost, whatever is known": lambda: _both("settle", _settled_with(nothing_lost=True), _deciding),
    "something was lost, whatever is known": lambda: _both("settle", _settled_with(nothing_lost=False), _deciding),
    "a run that enables is as any other": lambda: _both("settle", _as_if_not_enabling, _deciding),
    "no loss is newer than the journal": lambda: _both("_is_newer", lambda *values: False, _announcement),
    "a note counts again": lambda: _both("_notified", _without_used_notes, _announcement),
    "a note of any time counts": lambda: _both("why_too_early", lambda *values: "", _announcement, _note),
    "a damaged journal is none": lambda: _both("read_journal", _read_damaged, _deciding),
    "a loss that was undone counts": lambda: _both(
        "find_access_loss", _found_with(is_lost_now=False, changed_at=""), _run
    ),
    "our own revocation is forgotten": lambda: _both("find_access_loss", _found_with(remembered=None), _run),
    "AWS's clock is ours": lambda: _both("find_access_loss", _found_with(clock_offset=0), _run),
    "the desk's clock is ours": lambda: _both("mentions", _no_offset, _desk, _desk_read, _announcement),
    "a quoted line counts": lambda: _both("unquoted_lines", _every_line, _desk),
    "a preview has the reference": lambda: _both("_hides_reference", lambda run: False, _run),
    "a plan without an answer changes nothing": lambda: _both("TRANSIENT", (), _keys),
    "only the first key is enabled": lambda: _both("find_targets", _same_key, _deciding),
    "each run has a name of its own": lambda: _both(
        "_reference", lambda journal, loss, states, slug, nonce: f"cmk-restore/{slug}/{nonce[-12:]}", _announcement
    ),
}


def notice(name: str, count: int, seed: int = 7) -> int:
    """Break a rule, and return after how many histories the model notices; 0 if it does not."""
    with contextlib.ExitStack() as stack:
        for patch in BREAKS[name]():
            stack.enter_context(patch)
        tries, broken, _twice = search(count, seed)
        return tries if broken else 0


if __name__ == "__main__":
    for title in BREAKS:
        tries = notice(title, 3000)
        print(f"{title}: {f'noticed after {tries}' if tries else 'NOT NOTICED'}", flush=True)
