"""Drawings of the evidence: no label of the clock overlaps another, every state is drawn as it was."""

from __future__ import annotations

import datetime as dt
import itertools
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports import drawing as _timeline
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.drawing import timeline
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from tests.tools.evidence_runs import RUNS, run

LATER: t.Final = "2026-11-24T03:00:09Z"


def drawn(name: str) -> dict[str, t.Any]:
    return timeline(evidence(RUNS[name]))


def clock(**window: t.Any) -> dict[str, t.Any] | None:
    found = evidence({**RUNS["restored"], "window": {**RUNS["restored"]["window"], **window}})
    return t.cast("dict[str, t.Any] | None", timeline(found)["bar"])


@pytest.mark.parametrize("name", RUNS)
class TestRows:
    def test_every_moment_has_one_in_order_of_time(self, name: str) -> None:
        rows = drawn(name)["rows"]
        assert [row["at"] for row in rows] == sorted(moment["at"] for moment in evidence(RUNS[name])["timeline"])


def test_breaks_say_how_much_time_passes() -> None:
    assert [row["gap"] for row in drawn("restored")["rows"] if row["gap"]] == [
        "8 days 12 h",
        "1 day 11 h",
        "12 h 39 min",
        "9 days 11 h",
    ]


def test_what_lies_after_the_end_of_the_run_is_ahead() -> None:
    ahead = [row["kind"] for row in drawn("restored")["rows"] if row["is_ahead"]]
    assert ahead == ["mark", "expected", "mark"]


def states(name: str) -> list[list[tuple[str, bool]]]:
    """Follow each region's lane down the rows; stretches that look alike are one."""
    view = drawn(name)
    lanes = [
        [(row["states"][place], row["leads_ahead"]) for row in view["rows"][:-1]]
        for place in range(len(view["regions"]))
    ]
    return [[stretch for stretch, _rows in itertools.groupby(lane)] for lane in lanes]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("restored", ["lost", "usable", "usable"], ["usable", "lost", "usable", "usable"]),
        ("already_restored", ["lost", "usable", "usable"], ["usable", "lost", "usable", "usable"]),
        ("check_mode", ["lost", "lost"], ["usable", "lost", "lost"]),
        ("revoke", ["usable", "lost", "lost"], ["usable", "lost", "lost"]),
        ("revoke_partial", ["usable", "lost", "lost"], ["usable", "usable"]),
    ],
)
def test_lanes_follow_the_access(name: str, first: list[str], second: list[str]) -> None:
    assert [[state for state, _ahead in lane] for lane in states(name)] == [first, second]


def test_a_key_that_was_not_restored_stays_lost() -> None:
    one, other = states("partial")
    assert (one[-1], other[-1]) == (("usable", True), ("lost", True))


def test_without_a_known_loss_the_key_was_lost_from_the_beginning() -> None:
    assert states("clock_unknown") == [[("lost", False), ("usable", False), ("usable", True)]]


def test_an_enabled_key_that_does_not_settle_is_not_drawn_as_usable() -> None:
    unsettled = {**RUNS["restored"]["keys"][0], "error": "AWS does not show the change.", "key_state": "Disabled"}
    view = timeline(evidence(run([unsettled], told=False)))
    assert view["rows"][-2]["states"][0] == "lost"


class TestBar:
    def test_zones_fill_it(self) -> None:
        drawing = clock()
        assert drawing
        assert sum(zone["width"] for zone in drawing["zones"]) == pytest.approx(100, abs=0.05)

    def test_says_the_days(self) -> None:
        drawing = clock()
        assert drawing
        assert "usable on day 8.5, expected on day 10.5" in drawing["says"]

    @pytest.mark.parametrize("phase", ["reinstatable", "uncertain", "at_risk"])
    def test_each_phase_has_its_zone(self, phase: str) -> None:
        drawing = clock()
        assert drawing
        assert phase in [zone["phase"] for zone in drawing["zones"]]

    @pytest.mark.parametrize("name", [name for name in RUNS if drawn(name)["bar"]])
    def test_the_part_at_risk_is_always_labelled(self, name: str) -> None:
        assert [zone["label"] for zone in drawn(name)["bar"]["zones"] if zone["phase"] == "at_risk"] == ["at risk"]

    @pytest.mark.parametrize(
        "window",
        [
            {"revoked_at": None},
            {"reinstate_by": None},
            {"at_risk_after": None},
            {"revoked_at": "2027-01-01T00:00:00Z"},
            {"reinstate_by": "2026-11-15T14:20:31Z"},
        ],
    )
    def test_without_a_clock_there_is_none(self, window: dict[str, t.Any]) -> None:
        assert clock(**window) is None

    def test_a_deletion_before_the_limits_is_shown(self) -> None:
        drawing = clock(deletion_date="2026-11-22T14:20:31Z")
        assert drawing
        assert "key deleted, day 7.0" in [label["text"] for label in drawing["above"]]

    @given(
        elapsed=st.floats(0, 400),
        expected=st.one_of(st.none(), st.floats(0, 400)),
        deletion=st.one_of(st.none(), st.floats(0, 60)),
        usable=st.floats(0, 1),
    )
    def test_each_label_has_its_own_lane_and_fits_a_phone(
        self, elapsed: float, expected: float | None, deletion: float | None, usable: float
    ) -> None:
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

        def after(days: float | None) -> str | None:
            return None if days is None else (begin + dt.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

        found = evidence(RUNS["restored"]) | {"finished_at": after(elapsed), "restored_at": after(elapsed * usable)}
        found["window"] |= {"revoked_at": after(0), "reinstate_by": after(10), "at_risk_after": after(20)}
        found["window"] |= {"expected_completion": after(expected), "deletion_date": after(deletion)}
        drawing = _timeline._draw_bar(found)
        assert drawing
        for labels in (drawing["above"], drawing["below"]):
            assert sorted(label["lane"] for label in labels) == list(range(len(labels)))
            for label in labels:
                width = len(label["text"]) * _timeline._CHARACTER / _timeline._WIDTH * 100
                end = label["x"] + width if label["anchor"] == "start" else label["x"] - width
                assert -1 <= end <= 101


def test_equal_calls_in_a_row_are_one() -> None:
    calls = drawn("restored")["calls"]["us-east-1"]
    assert [(call["operation"], call["count"]) for call in calls] == [
        ("DescribeKey", 1),
        ("EnableKey", 1),
        ("DescribeKey", 6),
    ]


def test_calls_that_failed_stand_alone() -> None:
    calls = drawn("partial")["calls"]["us-west-2"]
    assert [(call["operation"], call["error"]) for call in calls] == [
        ("DescribeKey", ""),
        ("EnableKey", "AccessDeniedException"),
    ]


def test_spans_are_told_from_the_first_loss() -> None:
    view = drawn("restored")
    assert (view["lost_for"], view["took"]) == ("8 days 12 h", "11 s")
    assert drawn("failed")["lost_for"] == ""


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("restored", "1 day 11 h, until the limit (2026-11-25 14:20 UTC)"),
        ("verify", "1 day 11 h, until the limit (2026-11-25 14:20 UTC)"),
        ("handover_pending", "1 day 11 h, until the limit (2026-11-25 14:20 UTC)"),
        ("desk_down", "7 days 4 h, until full recovery may be impossible (2026-12-05 14:20 UTC)"),
        ("partial", "none"),
        ("assess_not_ready", "14 h 59 min, until the key is deleted (2026-11-24 18:00 UTC)"),
        ("failed", "not known"),
    ],
)
def test_time_left_stops_when_atlassian_is_told(name: str, left: str) -> None:
    assert drawn(name)["left"] == left


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (1, "1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (3660, "1 h 1 min"),
        (86400, "1 day"),
        (90000, "1 day 1 h"),
        (86460, "1 day"),
        (172800, "2 days"),
        (19 * 86400 + 7200, "19 days 2 h"),
    ],
)
def test_words(seconds: float, said: str) -> None:
    assert words(dt.timedelta(seconds=seconds)) == said
