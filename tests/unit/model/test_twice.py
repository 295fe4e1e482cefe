"""Each situation in which Atlassian may be notified twice, as docs/reliability.md names it; and what must not be one."""

from __future__ import annotations

import typing as t

import pytest

from tests.tools.reliability import PAGE

from .history import TWICE, History, new_history
from .runs import Setup
from .world import REGIONS


def _another_ticket(history: History) -> None:
    history.do("restore_cleanly", "one")
    history.do("open_ticket", "CMK-2")
    history.do("restore_cleanly", "one")


def _two_runs(history: History) -> None:
    history.do("restore", "one", Setup(), "ticket read", False)
    history.do("restore", "two", Setup())
    history.do("resume", "one")


def _a_late_desk(history: History) -> None:
    history.do("restore", "one", Setup(posts=("later",)))
    history.do("restore_cleanly", "one")


def _a_person(history: History) -> None:
    history.do("restore", "one", Setup(mode="manual"))
    history.do("notify")
    history.do("restore", "one", Setup())


def _another_name(history: History) -> None:
    history.do("restore", "one", Setup(unread=REGIONS))
    history.do("restore_cleanly", "two")


def _no_journal(history: History) -> None:
    history.do("restore_cleanly", "one")
    history.do("damage_journal", "one")
    history.do("restore_cleanly", "one")


_SITUATIONS: t.Final = dict(
    zip(TWICE, (_another_ticket, _two_runs, _a_late_desk, _a_person, _another_name, _no_journal), strict=True)
)


@pytest.mark.parametrize("name", TWICE)
def test_a_situation(name: str) -> None:
    history = new_history()
    history.do("lose", REGIONS)
    _SITUATIONS[name](history)
    assert history.twice == [name]


@pytest.mark.parametrize("name", TWICE)
def test_it_is_documented(name: str) -> None:
    assert f"- **{name}**: " in PAGE.read_text(encoding="utf-8")


def test_another_controller_does_not_announce_again() -> None:
    history = new_history(aws_offset=240, desk_offset=-600)
    history.do("lose", REGIONS)
    history.do("restore_cleanly", "one")
    history.do("restore_cleanly", "two")
    assert (history.twice, len(history.world.comments)) == ([], 1)


def test_a_lost_answer_is_not_announced_again() -> None:
    history = new_history(hides_emails=True)
    history.do("lose", REGIONS)
    history.do("restore", "one", Setup(posts=("answer lost",), reads="down later"))
    history.do("restore_cleanly", "one")
    assert (history.twice, len(history.world.comments)) == ([], 1)
