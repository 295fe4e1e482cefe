"""Reading and writing times."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import (
    format_time,
    is_before,
    latest,
    parse_time,
    shift,
    to_minute,
)

MOMENT: t.Final = dt.datetime(2026, 11, 24, 3, 0, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T03:00:09Z",
        "2026-11-24t03:00:09z",
        " 2026-11-24 03:00:09 ",
        "2026-11-24T10:00:09+0700",
        "2026-11-24T10:00:09+07:00",
        "2026-11-24T03:00:09.900Z",
        MOMENT,
    ],
)
def test_a_time(text: object) -> None:
    assert parse_time(text) == MOMENT


@pytest.mark.parametrize("value", ["", "soon", "2026-13-01T00:00:00Z", None, 5, True, "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time(value: object) -> None:
    assert parse_time(value) is None


def test_a_date_is_its_beginning() -> None:
    assert format_time(parse_time(dt.date(2026, 11, 24))) == "2026-11-24T00:00:00Z"


def test_times_are_compared_beyond_rounding() -> None:
    assert not is_before(MOMENT - dt.timedelta(seconds=2), MOMENT)
    assert is_before(MOMENT - dt.timedelta(seconds=3), MOMENT)


def test_the_latest() -> None:
    assert latest(None, "2026-11-24T03:00:08Z", MOMENT, "never") == MOMENT
    assert latest(None, "") is None


def test_shifting() -> None:
    assert shift(MOMENT, -9.0) == dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)
    assert (shift(MOMENT, None), shift(None, 5)) == (MOMENT, None)


def test_a_time_as_people_read_it() -> None:
    assert to_minute("2026-11-24T03:00:09Z") == "2026-11-24 03:00 UTC"
