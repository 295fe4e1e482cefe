"""The 10 and 20 days: every edge, every odd way to write a time."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import PROGRAMMES, find_window, read_loss

REVOKED = "2026-11-20T08:15:00Z"


def at(revoked_at: Any = REVOKED, now: Any = "2026-11-24T03:00:00Z", **more: Any) -> dict[str, Any]:
    result = asdict(find_window(revoked_at, now, **more))
    # It goes into facts, reports and templates.
    assert json.loads(json.dumps(result)) == result
    return result


def test_an_ordinary_window() -> None:
    result = at()
    assert result.pop("says").startswith(
        "Within 10 days of revocation Atlassian can reinstate the suspended sites, with"
    )
    assert result == {
        "revoked_at": REVOKED,
        "known": True,
        "days_elapsed": 3.8,
        "reinstate_by": "2026-11-30T08:15:00Z",
        "at_risk_after": "2026-12-10T08:15:00Z",
        "hours_left": 149,
        "phase": "reinstatable",
        "deletion_date": None,
        "expiry_date": None,
        "deadline": "2026-11-30T08:15:00Z",
        "limit_days": 10,
        "expected_completion": "2026-11-26T03:00:00Z",
        "error": None,
    }


@pytest.mark.parametrize(
    ("now", "phase", "hours_left", "days_elapsed"),
    [
        ("2026-11-20T08:15:00Z", "reinstatable", 240, 0.0),
        ("2026-11-20T08:15:01Z", "reinstatable", 239, 0.0),
        ("2026-11-30T07:15:00Z", "reinstatable", 1, 10.0),
        ("2026-11-30T07:15:01Z", "reinstatable", 0, 10.0),
        ("2026-11-30T08:15:00Z", "reinstatable", 0, 10.0),  # exactly 10 days
        ("2026-11-30T08:15:00.999Z", "reinstatable", 0, 10.0),  # less than a second is no time
        ("2026-11-30T08:15:01Z", "uncertain", 239, 10.0),
        ("2026-12-05T08:15:00Z", "uncertain", 120, 15.0),
        ("2026-12-10T08:15:00Z", "uncertain", 0, 20.0),  # exactly 20 days
        ("2026-12-10T08:15:01Z", "at_risk", 0, 20.0),
        ("2027-11-20T08:15:00Z", "at_risk", 0, 365.0),
    ],
)
def test_edges(now: str, phase: str, hours_left: int, days_elapsed: float) -> None:
    result = at(now=now)
    assert (result["phase"], result["hours_left"], result["days_elapsed"]) == (phase, hours_left, days_elapsed)
    assert result["known"] is True


@pytest.mark.parametrize(
    ("phase", "now", "words"),
    [
        (
            "reinstatable",
            "2026-11-24",
            ["Within 10 days", "up to one hour of data lost", "loss of key access, is taken"],
        ),
        ("uncertain", "2026-12-05", ["no longer promises", "beyond 20 days", "loss of key access, is taken"]),
        ("at_risk", "2027-01-01", ["More than 20 days", "may be impossible", "loss of key access, is taken"]),
    ],
)
def test_what_the_vendor_says(phase: str, now: str, words: list[str]) -> None:
    result = at(now=now)
    assert result["phase"] == phase
    assert all(word in result["says"] for word in words)
    assert result["says"].endswith(".")
    assert result["says"].count(". ") == 0


@pytest.mark.parametrize(
    "same",
    [
        "2026-11-20T08:15:00Z",
        "2026-11-20T08:15:00+00:00",
        "2026-11-20t08:15:00z",
        " 2026-11-20T08:15:00Z ",
        "2026-11-20 08:15:00Z",
        "2026-11-20T09:15:00+01:00",
        "2026-11-19T22:15:00-10:00",
        "2026-11-20T22:00:00+13:45",
        "2026-11-20T08:15:00",  # without a zone: UTC
        "2026-11-20T08:15",
        "20261120T081500Z",
        "2026-11-20T08:15:00.987654Z",
        dt.datetime(2026, 11, 20, 8, 15, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 20, 8, 15),  # noqa: DTZ001 - as YAML reads a time without a zone
        yaml.safe_load("2026-11-20T09:15:00+01:00"),
    ],
    ids=str,
)
def test_ways_to_write_the_same_moment(same: Any) -> None:
    assert at(same) == at()
    assert at(now=same)["days_elapsed"] == 0.0


@pytest.mark.parametrize("given_date", ["2026-11-20", dt.date(2026, 11, 20), yaml.safe_load("2026-11-20")], ids=repr)
def test_a_date_is_the_start_of_that_day_in_utc(given_date: Any) -> None:
    assert at(given_date)["revoked_at"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(
    ("revoked_at", "reinstate_by", "at_risk_after"),
    [
        ("2028-02-20T12:00:00Z", "2028-03-01T12:00:00Z", "2028-03-11T12:00:00Z"),  # a leap year
        ("2027-02-20T12:00:00Z", "2027-03-02T12:00:00Z", "2027-03-12T12:00:00Z"),
        ("2028-02-29T00:00:00Z", "2028-03-10T00:00:00Z", "2028-03-20T00:00:00Z"),
        ("2100-02-28T00:00:00Z", "2100-03-10T00:00:00Z", "2100-03-20T00:00:00Z"),  # divisible by 100: no leap year
        ("2026-12-25T23:59:59Z", "2027-01-04T23:59:59Z", "2027-01-14T23:59:59Z"),
        ("2026-12-31T23:30:00-01:00", "2027-01-11T00:30:00Z", "2027-01-21T00:30:00Z"),
        # Clocks that change on 25 October 2026 change no number of hours.
        ("2026-10-24T12:00:00+02:00", "2026-11-03T10:00:00Z", "2026-11-13T10:00:00Z"),
    ],
)
def test_calendar(revoked_at: str, reinstate_by: str, at_risk_after: str) -> None:
    result = at(revoked_at, now=revoked_at)
    assert (result["reinstate_by"], result["at_risk_after"]) == (reinstate_by, at_risk_after)
    assert result["hours_left"] == 240


@pytest.mark.parametrize("revoked_at", ["2026-11-24T03:00:01Z", "2026-11-24T03:05:00Z", "2026-11-24T04:05:00+01:00"])
def test_five_minutes_of_clock_skew_are_no_time(revoked_at: str) -> None:
    result = at(revoked_at)
    assert (result["known"], result["error"], result["days_elapsed"]) == (True, None, 0.0)
    assert (str(result["days_elapsed"]), result["phase"]) == ("0.0", "reinstatable")


@pytest.mark.parametrize(
    ("revoked_at", "error"),
    [
        (
            "2026-11-24T03:05:01Z",
            "revoked_at is 2026-11-24T03:05:01Z, which is in the future (it is 2026-11-24T03:00:00Z now).",
        ),
        ("9999-12-31", "revoked_at is 9999-12-31T00:00:00Z, which is in the future (it is 2026-11-24T03:00:00Z now)."),
        ("yesterday", "revoked_at is 'yesterday', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        ("2026-13-01", "revoked_at is '2026-13-01', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        ("2027-02-29", "revoked_at is '2027-02-29', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        ("20.11.2026", "revoked_at is '20.11.2026', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        (
            "1764576000.5",
            "revoked_at is '1764576000.5', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z).",
        ),
        (1764576000, "revoked_at is '1764576000', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        (True, "revoked_at is 'True', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        ("   ", "revoked_at is '   ', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
        # A moment before the calendar begins in UTC.
        (
            "0001-01-01T00:00:00+14:00",
            "revoked_at is '0001-01-01T00:00:00+14:00', which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z).",
        ),
    ],
)
def test_of_no_use(revoked_at: Any, error: str) -> None:
    result = at(revoked_at)
    assert result["error"] == error
    assert unknown(result)


def test_a_long_text_is_quoted_in_part() -> None:
    assert at("x" * 81)["error"].startswith(f"revoked_at is {'x' * 80!r}, which")


@pytest.mark.parametrize(
    ("text", "revoked_at", "error"),
    [
        ("2026-11-20 09:15+01:00", REVOKED, None),
        ("2026-01-01T00:05:00Z", "2026-01-01T00:05:00Z", None),
        ("2026-01-01T00:05:01Z", None, "which is in the future (it is 2026-01-01T00:00:00Z now)."),
        ("yesterday", None, "which is not a time in ISO 8601 (such as 2026-11-20T08:15:00Z)."),
    ],
)
def test_what_an_operator_gives(text: str, revoked_at: str | None, error: str | None) -> None:
    now = "2026-01-01T00:00:00Z" if "01-01" in text else "2026-11-24T03:00:00Z"
    read = read_loss(text, now)
    assert (read[0], read[1] and read[1].partition(", ")[2]) == (revoked_at, error)


@pytest.mark.parametrize(
    ("revoked_at", "now", "deleted", "line"),
    [
        (REVOKED, "2026-11-24T03:00:00Z", None, "2026-11-30 08:15 UTC (6 days 5 h left)"),
        (REVOKED, "2026-11-24T03:00:00Z", "2026-12-24", "2026-11-30 08:15 UTC (6 days 5 h left)"),
        (
            REVOKED,
            "2026-11-24T03:00:00Z",
            "2026-11-27",
            "2026-11-27 00:00 UTC (2 days 21 h left, then AWS deletes a key)",
        ),
        (None, "2026-11-24T03:00:00Z", "2026-11-27", "2026-11-27 00:00 UTC (2 days 21 h left, then AWS deletes a key)"),
        (REVOKED, "2026-11-30T07:16:00Z", None, "2026-11-30 08:15 UTC has passed. Within 10 days"),
        (REVOKED, "2026-12-01", None, "2026-11-30 08:15 UTC has passed. More than 10 days"),
        (None, "2026-11-24", None, "not known. CloudTrail was not asked. Set cmk_revoked_at if you know"),
    ],
)
def test_the_deadline_on_one_line(revoked_at: str | None, now: str, deleted: str | None, line: str) -> None:
    written = find_window(revoked_at, now, deletion_dates=[deleted]).deadline_line("CloudTrail was not asked.")
    assert written == line if line.endswith(")") else written.startswith(line)


def unknown(result: dict[str, Any]) -> bool:
    assert result["says"].startswith("When access was lost is not known: ")
    nothing = ("revoked_at", "days_elapsed", "reinstate_by", "at_risk_after", "hours_left", "deadline")
    return all(result[name] is None for name in nothing) and (result["known"], result["phase"]) == (False, "unknown")


@pytest.mark.parametrize("empty", [None, ""])
def test_not_known(empty: Any) -> None:
    result = at(empty)
    assert unknown(result)
    assert result["error"] is None
    assert result["expected_completion"] == "2026-11-26T03:00:00Z"


def test_the_deletion_of_a_key_may_come_first() -> None:
    result = at(deletion_dates=["2026-12-24T00:00:00Z", None, "", "2026-11-26T21:15:00+00:00", "soon"])
    assert result["deletion_date"] == result["deadline"] == "2026-11-26T21:15:00Z"
    assert result["hours_left"] == 66
    assert (result["phase"], result["reinstate_by"]) == ("reinstatable", "2026-11-30T08:15:00Z")


def test_a_later_deletion_changes_nothing() -> None:
    result = at(deletion_dates=["2026-12-24T00:00:00Z"])
    assert result == at() | {"deletion_date": "2026-12-24T00:00:00Z"}
    assert at(deletion_dates=()) == at()


def test_a_deletion_that_is_over() -> None:
    assert at(deletion_dates=["2026-11-24T02:59:00Z"])["hours_left"] == 0


def test_a_deletion_alone_is_a_deadline_too() -> None:
    result = at(None, deletion_dates=["2026-11-25T03:00:00Z"])
    assert (result["phase"], result["deadline"], result["hours_left"]) == ("unknown", "2026-11-25T03:00:00Z", 24)


@pytest.mark.parametrize(
    ("told_at", "expected"),
    [
        ("2026-11-23T10:00:00Z", "2026-11-25T10:00:00Z"),  # Monday: Wednesday
        ("2026-11-25T10:00:00Z", "2026-11-27T10:00:00Z"),  # Wednesday: Friday
        ("2026-11-26T10:00:00Z", "2026-11-30T10:00:00Z"),  # Thursday: Monday
        ("2026-11-27T18:30:00Z", "2026-12-01T18:30:00Z"),  # Friday evening: Tuesday
        ("2026-11-27T23:59:59Z", "2026-12-01T23:59:59Z"),
        ("2026-11-28T00:00:00Z", "2026-12-01T00:00:00Z"),  # Saturday: Tuesday
        ("2026-11-29T23:59:59Z", "2026-12-01T23:59:59Z"),  # Sunday: Tuesday
        ("2026-11-30T01:00:00+02:00", "2026-12-01T23:00:00Z"),  # Monday there, Sunday in UTC
        ("2026-12-31T12:00:00Z", "2027-01-04T12:00:00Z"),  # over the year's end; holidays are not known
        ("2028-02-28T12:00:00Z", "2028-03-01T12:00:00Z"),
        (None, "2026-11-26T03:00:00Z"),  # not told yet: from now
        ("", "2026-11-26T03:00:00Z"),
        ("https://support.example.com/browse/ABC-1?focusedId=7", "2026-11-26T03:00:00Z"),
    ],
)
def test_two_business_days(told_at: str | None, expected: str) -> None:
    assert at(told_at=told_at)["expected_completion"] == expected


@pytest.mark.parametrize("now", ["", None, "now", 0])
def test_now_must_be_a_time(now: Any) -> None:
    with pytest.raises(ValueError, match="which is not a time in ISO 8601"):
        find_window(REVOKED, now)


PHASES = ("reinstatable", "uncertain", "at_risk")
moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2200, 1, 1), timezones=st.timezones())  # noqa: DTZ001
spans = st.timedeltas(dt.timedelta(), dt.timedelta(days=45))


@given(moments, spans, spans)
def test_time_only_goes_on(revoked_at: dt.datetime, one: dt.timedelta, more: dt.timedelta) -> None:
    start = revoked_at.astimezone(dt.UTC)
    sooner, later = at(revoked_at, start + one), at(revoked_at, start + one + more)
    assert sooner["days_elapsed"] <= later["days_elapsed"]
    assert PHASES.index(sooner["phase"]) <= PHASES.index(later["phase"])
    if sooner["phase"] == later["phase"]:
        assert sooner["hours_left"] >= later["hours_left"]
    assert sooner["expected_completion"] <= later["expected_completion"]
    for name in ("revoked_at", "reinstate_by", "at_risk_after", "deadline"):
        assert sooner[name] == later[name]


@given(moments, spans, st.sampled_from(sorted(PROGRAMMES)))
def test_phase_agrees_with_days(revoked_at: dt.datetime, gone: dt.timedelta, programme: str) -> None:
    start, (limit, risk) = revoked_at.astimezone(dt.UTC), PROGRAMMES[programme]
    result = at(revoked_at, start + gone, programme=programme)
    phase, days = result["phase"], result["days_elapsed"]
    if days < limit:
        assert phase == "reinstatable"
    if limit < days < risk:
        assert phase == "uncertain"
    if days > risk:
        assert phase == "at_risk"
    assert result["known"] is True
    assert result["hours_left"] >= 0


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)))  # noqa: DTZ001
def test_completion_is_a_working_day_two_to_four_days_later(told_at: dt.datetime) -> None:
    expected = dt.datetime.fromisoformat(at(told_at=told_at)["expected_completion"])
    assert expected.weekday() < 5
    days = (expected - told_at.replace(tzinfo=dt.UTC, microsecond=0)) / dt.timedelta(days=1)
    assert days in (2, 3, 4)


@given(st.text(max_size=40) | st.integers() | st.floats() | st.none() | st.lists(st.text()))
def test_whatever_is_given_answers(anything: Any) -> None:
    assert at(anything)["phase"] in (*PHASES, "unknown")


class TestByok:
    @pytest.mark.parametrize(
        ("now", "phase", "hours", "says"),
        [
            ("2026-12-01T08:15:00Z", "reinstatable", 96, "can be restored within 15 days of revocation; which"),
            ("2026-12-05T08:15:00Z", "reinstatable", 0, "can be restored within 15 days of revocation; which"),
            ("2026-12-05T08:15:01Z", "at_risk", 0, "within 15 days of revocation, and promises nothing beyond"),
            ("2027-02-01T00:00:00Z", "at_risk", 0, "within 15 days of revocation, and promises nothing beyond"),
        ],
    )
    def test_fifteen_days_and_nothing_between(self, now: str, phase: str, hours: int, says: str) -> None:
        result = asdict(find_window("2026-11-20T08:15:00Z", now, programme="byok"))
        assert (result["phase"], result["hours_left"], result["limit_days"]) == (phase, hours, 15)
        assert says in result["says"]
        assert result["reinstate_by"] == result["at_risk_after"] == "2026-12-05T08:15:00Z"

    def test_nothing_is_told_that_atlassian_does_not(self) -> None:
        for moment in (None, "2026-11-20T08:15:00Z", "2026-01-01"):
            result = asdict(find_window(moment, "2026-11-24T03:00:00Z", programme="byok"))
            assert result["expected_completion"] is None
            assert "one hour" not in result["says"]
            assert "10 days" not in result["says"]


@pytest.mark.parametrize(
    ("revoked_at", "deletion", "expiry", "deadline", "hours_left", "says"),
    [
        (REVOKED, None, "2026-11-26T00:00:00+00:00", "2026-11-26T00:00:00Z", 45, "then imported key material expires"),
        (REVOKED, "2026-11-25", "2026-11-26", "2026-11-25T00:00:00Z", 21, "then AWS deletes a key"),
        (REVOKED, None, "2027-11-26", "2026-11-30T08:15:00Z", 149, "left)"),
        (None, None, "2026-11-26", "2026-11-26T00:00:00Z", 45, "not known. Why. Set cmk_revoked_at if you know when"),
    ],
)
def test_imported_material_that_expires_is_a_deadline(
    revoked_at: str | None, deletion: str | None, expiry: str, deadline: str, hours_left: int, says: str
) -> None:
    window = find_window(
        revoked_at, "2026-11-24T03:00:00Z", None, [deletion], expiry_dates=[None, expiry, "2028-01-01"]
    )
    assert (window.expiry_date, window.deadline, window.hours_left) == (
        expiry[:10] + "T00:00:00Z",
        deadline,
        hours_left,
    )
    assert says in window.deadline_line("Why.")
