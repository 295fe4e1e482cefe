"""Waiting for a change to spread, on a clock that moves only when it is slept on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._waiter import Settled, Waiting, wait_until
from tests.unit.plugins.conversation import Clock

GOOD, STALE = "Enabled", "Disabled"


def settle(clock: Clock, answers: Iterable[str | None], costs: float = 0.0, **more: Any) -> tuple[Settled[str], int]:
    """Wait on scripted reads, the last one repeating; tell how it ended and how many reads were made."""
    script, made = list(answers), 0

    def read() -> str | None:
        nonlocal made
        clock.now += costs
        seen = script[min(made, len(script) - 1)]
        made += 1
        return seen

    # Asking None for its length would fail: what was not read must not be judged.
    return wait_until(read, lambda seen: len(seen) > 0 and seen == GOOD, clock.waiting(**more)), made


@pytest.mark.parametrize(
    ("reads", "made", "waited"),
    [
        pytest.param([GOOD], 3, 2.0, id="good at once"),
        pytest.param([STALE, GOOD], 4, 3.0, id="stale first"),
        pytest.param([GOOD, STALE, GOOD], 5, 4.0, id="one stale read breaks the row"),
        pytest.param([GOOD, GOOD, STALE, GOOD], 6, 5.0, id="a stale read just before the end"),
        pytest.param([GOOD, None, GOOD], 5, 4.0, id="no answer breaks the row"),
        pytest.param([None, None, GOOD], 5, 4.0, id="no answer at first"),
        pytest.param([GOOD, STALE, GOOD, STALE, GOOD], 7, 6.0, id="old and new in turns"),
    ],
)
def test_three_good_reads_in_a_row(clock: Clock, reads: list[str | None], made: int, waited: float) -> None:
    assert settle(clock, reads) == (Settled(True, GOOD, waited), made)
    assert clock.sleeps == [1.0] * (made - 1)


@pytest.mark.parametrize(("reads", "made"), [(1, 1), (2, 2), (15, 15)])
def test_as_many_reads_as_asked_for(clock: Clock, reads: int, made: int) -> None:
    settled, seen = settle(clock, [GOOD], reads=reads, delay=2.0)
    assert settled.done
    assert seen == made
    assert clock.sleeps == [2.0] * (made - 1)


def test_the_timeout_ends_it(clock: Clock) -> None:
    settled, made = settle(clock, [STALE], timeout=10.0, delay=4.0)
    assert settled == Settled(False, STALE, 10.0)
    # The last pause is cut, so that the last read falls on the timeout itself.
    assert clock.sleeps == [4.0, 4.0, 2.0]
    assert made == 4


def test_a_row_that_ends_on_the_timeout_counts(clock: Clock) -> None:
    settled, _made = settle(clock, [STALE, STALE, GOOD], timeout=4.0)
    assert settled == Settled(True, GOOD, 4.0)


def test_a_row_that_needs_one_second_more_does_not(clock: Clock) -> None:
    settled, made = settle(clock, [STALE, STALE, STALE, GOOD], timeout=4.0)
    assert settled == Settled(False, GOOD, 4.0)
    assert made == 5


@pytest.mark.parametrize("delay", [0.01, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("timeout", [300.0, 3600.0])
def test_the_number_of_reads_has_a_budget(clock: Clock, delay: float, timeout: float) -> None:
    settled, made = settle(clock, [STALE], delay=delay, timeout=timeout)
    assert (settled.done, settled.waited) == (False, timeout)
    assert made <= 1000


def test_the_first_reads_are_a_delay_apart(clock: Clock) -> None:
    settle(clock, [STALE], delay=1.0, timeout=60.0)
    assert clock.sleeps == [1.0] * 60


def test_later_pauses_are_a_sixtieth_of_the_time_gone_by(clock: Clock) -> None:
    clock.now = 1000.0
    settle(clock, [STALE], delay=1.0, timeout=66.0)
    assert clock.sleeps[59:63] == pytest.approx([1.0, 1.0, 61 / 60, (61 + 61 / 60) / 60])


@pytest.mark.parametrize(("start", "left"), [(1000.0, 10.0), (996.5, 6.5), (990.0, 0.0), (900.0, 0.0)])
def test_what_is_left_of_the_timeout(clock: Clock, start: float, left: float) -> None:
    clock.now = 1000.0
    waiting = clock.waiting(timeout=10.0, reads=2)
    assert waiting.since(start) == replace(waiting, timeout=left)


BAD = "PendingDeletion"


@pytest.mark.parametrize(
    ("reads", "made", "hopeless"),
    [
        pytest.param([BAD], 3, True, id="at once"),
        pytest.param([STALE, BAD, STALE, BAD], 6, True, id="a row that was broken"),
        pytest.param([BAD, BAD, GOOD], 5, False, id="good in the end"),
        pytest.param([BAD, None, BAD, None, GOOD], 7, False, id="no answer breaks the row"),
    ],
)
def test_three_hopeless_reads_in_a_row(clock: Clock, reads: list[str | None], made: int, hopeless: bool) -> None:
    script, count = list(reads), 0

    def read() -> str | None:
        nonlocal count
        count += 1
        return script[min(count, len(script)) - 1]

    settled = wait_until(read, lambda seen: seen == GOOD, clock.waiting(), lambda seen: seen == BAD)
    assert (settled.done, settled.hopeless, count) == (not hopeless, hopeless, made)


def test_no_timeout_at_all_is_one_read(clock: Clock) -> None:
    assert settle(clock, [GOOD], timeout=0.0) == (Settled(False, GOOD, 0.0), 1)
    assert settle(clock, [GOOD], timeout=0.0, reads=1) == (Settled(True, GOOD, 0.0), 1)
    assert clock.sleeps == []


def test_slow_reads_count_as_waiting(clock: Clock) -> None:
    settled, made = settle(clock, [STALE], costs=3.0, timeout=7.0)
    assert made == 3
    assert not settled.done
    assert settled.waited == 8.0
    assert clock.sleeps == [1.0, 1.0]


def test_no_pause_is_negative(clock: Clock) -> None:
    settled, _made = settle(clock, [STALE], costs=0.5, delay=-5.0, timeout=2.0)
    assert not settled.done
    assert min(clock.sleeps) >= 0


def test_the_last_thing_that_was_seen_is_kept(clock: Clock) -> None:
    settled, _made = settle(clock, [STALE, None], timeout=3.0)
    assert settled == Settled(False, STALE, 3.0)


def test_nothing_seen_is_none(clock: Clock) -> None:
    settled, _made = settle(clock, [None], timeout=3.0)
    assert settled == Settled(False, None, 3.0)


def test_an_error_ends_it(clock: Clock) -> None:
    def read() -> str:
        raise RuntimeError("denied")

    with pytest.raises(RuntimeError, match="denied"):
        wait_until(read, bool, clock.waiting())
    assert clock.sleeps == []


def test_the_defaults_are_those_of_the_modules() -> None:
    waiting = Waiting()
    assert (waiting.reads, waiting.delay, waiting.timeout) == (3, 1.0, 300.0)


@given(
    reads=st.lists(st.sampled_from([GOOD, STALE, None]), min_size=1, max_size=40),
    row=st.integers(1, 6),
    delay=st.floats(0.1, 5),
    timeout=st.floats(0, 60),
)
def test_done_means_a_whole_row(reads: list[str | None], row: int, delay: float, timeout: float) -> None:
    clock = Clock()
    settled, made = settle(clock, reads, reads=row, delay=delay, timeout=timeout)
    seen = [reads[min(n, len(reads) - 1)] for n in range(made)]
    assert settled.done == (seen[-row:] == [GOOD] * row)
    # Never longer than asked for, and it never ends in a row before its end.
    assert sum(clock.sleeps) <= timeout + 1e-6
    assert [GOOD] * row not in [seen[n : n + row] for n in range(made - row)]
