"""Work that may hang is ended in time."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import run_each_within, run_within


def test_results_come_in_order_whoever_ends_first() -> None:
    def slow() -> str:
        time.sleep(0.1)
        return "slow"

    assert run_each_within(10, [slow, lambda: "fast"]) == ["slow", "fast"]
    assert run_each_within(10, []) == []


def test_one_that_hangs_costs_no_more_than_the_bound_and_the_others_nothing() -> None:
    never = threading.Event()
    begun = time.monotonic()
    assert run_each_within(1, [never.wait, lambda: True, never.wait]) == [None, True, None]
    assert time.monotonic() - begun < 30
    never.set()


def test_what_comes_too_late_does_not_change_the_result() -> None:
    go = threading.Event()

    def late() -> str:
        go.wait(10)
        return "late"

    results = run_each_within(0.1, [late])
    go.set()
    time.sleep(0.1)
    assert results == [None]


def test_an_error_is_raised_to_who_asked() -> None:
    def fail() -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        run_within(10, fail)
