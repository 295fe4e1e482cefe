# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Where the moments of a run stand in a drawing. Pure.

Two drawings, since no single scale serves both questions:

- *How far is the clock?* is a matter of proportion: a bar, days to scale, with the vendor's limits.
- *What happened, in which order?* spans 19 days and then five seconds. No linear or logarithmic axis shows both, so the
  timeline runs downwards, one row a moment, with its true time; where more than an hour passes it breaks the axis and
  says how much. One lane a region shows from when to when access was missing. Rows cannot overlap, and a phone's width
  is enough for all texts, so the drawing is never scaled down until it cannot be read.

Lengths are CSS pixels, and per cent where a drawing stretches with the page.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import textwrap
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Call, Evidence, Moment, Region

# What is left of a phone of 360 pixels beside the margins of page and card.
WIDTH: t.Final = 300
# A generous guess at the width of a character: the fonts differ from reader to reader, and none is shipped.
CHARACTER: t.Final = 8.7
SMALL_CHARACTER: t.Final = 7.2
LINE: t.Final = 18
_LANE: t.Final = 16
_LEFT: t.Final = 12
_ROW_GAP: t.Final = 16
_BREAK: t.Final = 40
# Days.
_NEAR: t.Final = 0.1
_BREAK_FROM: t.Final = dt.timedelta(hours=1)

# The outline of each kind's mark around its place, so that no kind is told by its colour alone.
SHAPES: t.Final = {
    "revoked": "M-5-5 5 5M-5 5 5-5",
    "access_changed": "M0-6 6 5H-6Z",
    "started": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "cancelled": "M-5 0 5 0M0-5 0 5",
    "enabled": "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0-6 0ZM-3 0-1 3 3-2",
    "proven": "M-5 0-2 3 5-4",
    "usable": "M-6 0A6 6 0 1 0 6 0A6 6 0 1 0-6 0Z",
    "announced": "M-6-5H6V3H0L-3 7V3H-6Z",
    "handed_over": "M-6-5H6V3H0L-3 7V3H-6Z",
    "replied": "M-6-5H6V3H3L0 7V3H-6Z",
    "used": "M0-6 6 0 0 6-6 0ZM-3 0 0 3 3-2",
    "finished": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "mark": "M-7 0H7",
    "expected": "M0-6 6 0 0 6-6 0Z",
    "deletion": "M-5-5H5V5H-5ZM-5-5 5 5M-5 5 5-5",
    "expiry": "M-5-5H5V5H-5ZM-5-5 5 5M-5 5 5-5",
}


def timeline(evidence: Evidence) -> dict[str, t.Any]:
    """Work out what the templates draw and print of the evidence beyond its own fields.

    :return:
        - ``rows``, ``breaks``, ``lanes``, ``height``, ``text_x``, ``says``: the timeline and its description in words
        - ``bar``: the clock to scale; None if it is not known when it started
        - ``calls``: region to its calls, equal ones in a row as one
        - ``lost_at``: when access was lost, as far as known
        - ``lost_for``, ``took``: how long access was missing and how long the run took, in words; empty if not known
        - ``left``: how much of the vendor's time was left when Atlassian was told, or else at the end of the run
    """
    moments = evidence["timeline"]
    now = evidence["finished_at"] or ""
    regions = [region["label"] for region in evidence["regions"]]
    lanes = {region: _LEFT + _LANE * (place + 1) for place, region in enumerate(regions)}
    text_x = _LEFT + _LANE * (len(regions) + 1)
    rows, breaks = _rows(moments, lanes, text_x, now)
    lost = min((one["at"] for one in moments if one["kind"] == "revoked"), default=None)
    return {
        "rows": rows,
        "breaks": breaks,
        "lanes": [_lane(region, lanes[region["label"]], rows, evidence) for region in evidence["regions"]],
        "axis_x": _LEFT,
        "text_x": text_x,
        "height": rows[-1]["end"] if rows else 0,
        "says": " ".join(_told(one) for one in moments),
        "bar": _bar(evidence),
        "calls": {region["label"]: _grouped(region["calls"]) for region in evidence["regions"]},
        "lost_at": lost,
        "left": _left(evidence),
        "lost_for": _between(lost, evidence["restored_at"]),
        "took": _between(evidence["started_at"], evidence["finished_at"]),
    }


def _rows(
    moments: t.Sequence[Moment], lanes: t.Mapping[str, int], text_x: int, now: str
) -> tuple[list[dict[str, t.Any]], list[dict[str, t.Any]]]:
    rows: list[dict[str, t.Any]] = []
    breaks = []
    top = 0
    for before, moment in zip([*moments[:1], *moments], moments, strict=False):
        gap = _time(moment["at"]) - _time(before["at"])
        if gap >= _BREAK_FROM:
            breaks.append({"y": top + _BREAK // 2 - 6, "text": f"{words(gap)} later"})
            top += _BREAK
        lines = wrapped(moment["label"], int((WIDTH - text_x) / CHARACTER))
        small = _about(moment, int((WIDTH - text_x) / SMALL_CHARACTER))
        end = top + LINE * (len(lines) + len(small)) + _ROW_GAP
        rows.append(
            {
                **moment,
                "lines": lines,
                "small": small,
                "x": lanes.get(moment["region"], _LEFT),
                "y": top + LINE // 2,
                "end": end,
                "shape": SHAPES[moment["kind"]],
                "ahead": bool(now) and moment["at"] > now,
            }
        )
        top = end
    return rows, breaks


def _about(moment: Moment, most: int) -> list[str]:
    """Write region and time on one line if they fit, otherwise on one each."""
    parts = [part for part in (moment["region"], to_minute(moment["at"])) if part]
    line = " · ".join(parts)
    return [line] if len(line) <= most else [line for part in parts for line in wrapped(part, most)]


def _lane(region: Region, x: int, rows: t.Sequence[t.Mapping[str, t.Any]], evidence: Evidence) -> dict[str, t.Any]:
    """Follow one region's access down the rows: ``usable``, ``lost`` or ``unknown``."""
    mine = [row for row in rows if row["region"] in ("", region["label"])]
    unless_lost = {"Enabled": "usable", "": "unknown"}.get(region["state_before"], "lost")
    state = "usable" if any(row["kind"] == "revoked" for row in mine) else unless_lost
    segments: list[dict[str, t.Any]] = []
    for row, following in itertools.pairwise(rows):
        if row in mine:
            state = _state(row, state, region, evidence)
        ahead = following["ahead"]
        if segments and (segments[-1]["state"], segments[-1]["ahead"]) == (state, ahead):
            segments[-1]["y2"] = following["y"]
        else:
            segments.append({"y1": row["y"], "y2": following["y"], "state": state, "ahead": ahead})
    return {"region": region["label"], "x": x, "segments": segments}


def _state(row: t.Mapping[str, t.Any], state: str, region: Region, evidence: Evidence) -> str:
    if row["kind"] == "started" and region["state_before"]:
        return "usable" if region["state_before"] == "Enabled" else "lost"
    if row["kind"] == "finished" and not COMMANDS[evidence["entry_point"]].revokes and not evidence["predicted"]:
        return "usable" if region["ok"] else "lost"
    return {"revoked": "lost", "enabled": "usable", "usable": "usable", "used": "usable"}.get(row["kind"], state)


def _bar(evidence: Evidence) -> dict[str, t.Any] | None:
    start, limits = evidence["window"]["revoked_at"], _limits(evidence)
    if not start or not limits:
        return None
    pins, (*_first, last) = _pins(evidence, start), limits.values()
    # So much that the last zone has room for its label.
    span = max(last * 1.22, *(days * 1.04 for days in pins.values()))

    def place(days: float) -> float:
        return round(days / span * 100, 2)

    ends = [0.0, next(iter(limits.values())), last, span]
    zones = [
        {"x": place(begin), "width": place(end - begin), "phase": phase, "label": _fitting(label, place(end - begin))}
        for (begin, end), (phase, label) in zip(itertools.pairwise(ends), _ZONES, strict=True)
        if begin < end
    ]
    marks = [(0.0, f"lost {start[:10]}"), *((days, f"{days:.0f} days, {at[:10]}") for at, days in limits.items())]
    above = _placed([(place(days), f"{name}, day {days:.1f}") for name, days in pins.items()])
    below = _placed([(place(days), label) for days, label in marks])
    return {
        "zones": zones,
        "above": above,
        "below": below,
        "lanes_above": max(pin["lane"] for pin in above) + 1,
        "lanes_below": max(pin["lane"] for pin in below) + 1,
        "says": _bar_in_words(start, pins, limits),
    }


def _limits(evidence: Evidence) -> dict[str, float]:
    """Return Atlassian's limits and on which day they are; empty if they cannot be drawn."""
    window, now = evidence["window"], evidence["finished_at"]
    start, first, second = window["revoked_at"], window["reinstate_by"], window["at_risk_after"]
    if not (start and first and second and now and start <= now and start < first <= second):
        return {}
    return {at: _days(start, at) for at in (first, second)}


def _days(start: str, at: str) -> float:
    return (_time(at) - _time(start)) / dt.timedelta(days=1)


def _pins(evidence: Evidence, start: str) -> dict[str, float]:
    """Return what stands above the bar and on which day, in order; what is too near to be told apart is left out."""
    window, ticket = evidence["window"], evidence["ticket"]
    moments = {
        "usable": evidence["restored_at"],
        "notified": ticket["told_at"] if ticket["told"] else None,
        "now": evidence["finished_at"],
        "key deleted": window["deletion_date"],
        "expected": None if COMMANDS[evidence["entry_point"]].revokes else window["expected_completion"],
    }
    known = {name: _days(start, at) for name, at in moments.items() if at and at >= start}
    for name, earlier in (("notified", "usable"), ("now", "notified"), ("now", "usable")):
        if abs(known.get(name, math.inf) - known.get(earlier, -math.inf)) < _NEAR:
            del known[name]
    return dict(sorted(known.items(), key=_second))


def _bar_in_words(start: str, pins: t.Mapping[str, float], limits: t.Mapping[str, float]) -> str:
    says = ", ".join(f"{name} on day {days:.1f}" for name, days in pins.items())
    named = " and ".join(f"day {days:.0f} ({to_minute(at)})" for at, days in limits.items())
    return f"The clock began at {to_minute(start)}. {says}. {'The limits are' if len(limits) > 1 else 'The limit is'} {named}."


_ZONES: t.Final = (("reinstatable", "can reinstate"), ("uncertain", "no promise"), ("at_risk", "at risk"))


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _fitting(label: str, width: float) -> str:
    return label if len(label) * SMALL_CHARACTER < width / 100 * WIDTH else ""


def _placed(labels: t.Sequence[tuple[float, str]]) -> list[dict[str, t.Any]]:
    """Give each label the lane nearest to the bar in which it touches no other label and no other's pin.

    It is reckoned for a phone: on a wider page there is only more room.
    """
    placed: list[dict[str, t.Any]] = []
    for x, label in labels:
        width = len(label) * SMALL_CHARACTER / WIDTH * 100
        others = [pin for pin, _label in labels if pin != x]
        lane, (anchor, left) = next(
            (lane, spot)
            for lane in range(len(labels) + 1)  # the nearest one may stay empty, for all the pins
            for spot in (("middle", x - width / 2), ("end", x - width), ("start", x))
            if _free(spot[1], width, [one for one in placed if one["lane"] == lane], others if lane == 0 else [])
        )
        placed.append({"x": x, "text": label, "anchor": anchor, "lane": lane, "left": left, "right": left + width})
    return placed


def _free(left: float, width: float, placed: t.Sequence[t.Mapping[str, t.Any]], pins: t.Sequence[float]) -> bool:
    right = left + width
    return (
        left >= -0.01
        and right <= 100.01
        and all(right + 2 < one["left"] or one["right"] + 2 < left for one in placed)
        and not any(left - 1 < pin < right + 1 for pin in pins)
    )


def _left(evidence: Evidence) -> str:
    window, ticket = evidence["window"], evidence["ticket"]
    now = ticket["told_at"] if ticket["told"] and ticket["told_at"] else evidence["finished_at"]
    limits = {"reinstatable": window["reinstate_by"], "uncertain": window["at_risk_after"]}
    ends = {
        "the key is deleted": window["deletion_date"],
        "full recovery may be impossible" if window["phase"] == "uncertain" else "": limits.get(window["phase"]),
    }
    known = [(at, why) for why, at in ends.items() if at and now and at > now]
    if not known:
        return "none" if window["phase"] == "at_risk" else "not known"
    at, why = min(known)
    return f"{_between(now, at)}, until {why or 'the limit'} ({to_minute(at)})"


def _grouped(calls: t.Sequence[Call]) -> list[dict[str, t.Any]]:
    groups = []
    for (operation, error), calls_alike in itertools.groupby(
        calls, key=lambda call: (call["operation"], call["error"])
    ):
        same = list(calls_alike)
        groups.append(
            {
                "operation": operation,
                "error": error,
                "count": len(same),
                "first": same[0]["at"],
                "over": _between(same[0]["at"], same[-1]["at"]) if len(same) > 1 else "",
                "request_id": same[-1]["request_id"],
            }
        )
    return groups


def _told(moment: Moment) -> str:
    where = f"{moment['region']}: " if moment["region"] else ""
    return f"{to_minute(moment['at'])}: {where}{moment['label']}."


def wrapped(label: str, most: int) -> list[str]:
    """Break a label into lines of at most that many characters."""
    return textwrap.wrap(label, max(most, 12)) or [""]


def _time(moment: str) -> dt.datetime:
    return dt.datetime.fromisoformat(moment)


def _between(start: str | None, end: str | None) -> str:
    return words(_time(end) - _time(start)) if start and end and start <= end else ""
