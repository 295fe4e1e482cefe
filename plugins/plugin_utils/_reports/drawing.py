# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the reports draw and print of the evidence beyond its own fields. Pure.

- The clock: a bar with the days to scale, and the vendor's limits.
- The timeline: one row a moment, downwards. It spans weeks and then seconds, which no axis shows to scale, so a gap of more
  than an hour is a break that names its length. One lane a region shows when access was missing.

Places on the clock are per cent, since it stretches with the page. Its texts fit the width of a phone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute, words
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.events import KINDS, count_days, measure
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.format import Call, Evidence, Moment, Region

# What is left of a phone of 360 pixels beside the margins of page and card.
_WIDTH: t.Final = 300
# A generous guess at the width of a character: the fonts differ from reader to reader, and none is shipped.
_CHARACTER: t.Final = 7.2
_BREAK_FROM: t.Final = dt.timedelta(hours=1)
_NEAR: t.Final = 0.1  # days
_ZONES: t.Final = (("reinstatable", "can reinstate"), ("uncertain", "no promise"), ("at_risk", "at risk"))

Shape: t.TypeAlias = dict[str, t.Any]


def timeline(evidence: Evidence) -> Shape:
    moments, regions = evidence["timeline"], evidence["regions"]
    lost_at = min((moment["at"] for moment in moments if moment["kind"] == "revoked"), default=None)
    return {
        "rows": _draw_rows(evidence),
        "regions": [region["label"] for region in regions],
        "bar": _draw_bar(evidence),
        "calls": {region["label"]: _group_calls(region["calls"]) for region in regions},
        "lost_at": lost_at,
        "left": _describe_time_left(evidence),
        "lost_for": _spell_span(lost_at, evidence["restored_at"]),
        "took": _spell_span(evidence["started_at"], evidence["finished_at"]),
    }


def _draw_rows(evidence: Evidence) -> list[Shape]:
    """Draw each moment, and the lanes from there to the next moment."""
    moments, regions, now = evidence["timeline"], evidence["regions"], evidence["finished_at"] or ""
    lanes = ["", *(region["label"] for region in regions)]
    states = {region["label"]: _find_first_state(region, moments) for region in regions}
    rows = []
    for moment, following in itertools.zip_longest(moments, moments[1:]):
        for region in regions:
            if moment["region"] in ("", region["label"]):
                states[region["label"]] = _follow(moment, states[region["label"]], region, evidence)
        gap = measure(moment["at"], following["at"]) if following else dt.timedelta()
        rows.append(
            {
                **moment,
                "lane": lanes.index(moment["region"]) if moment["region"] in lanes else 0,
                "shape": KINDS[moment["kind"]],
                "is_ahead": bool(now) and moment["at"] > now,
                "states": list(states.values()) if following else [],
                "leads_ahead": bool(following and now) and following["at"] > now,
                "gap": words(gap) if gap >= _BREAK_FROM else "",
            }
        )
    return rows


def _find_first_state(region: Region, moments: t.Sequence[Moment]) -> str:
    is_revoked = any(moment["kind"] == "revoked" and moment["region"] in ("", region["label"]) for moment in moments)
    return "usable" if is_revoked else _name_state(region)


def _name_state(region: Region) -> str:
    return {"Enabled": "usable", "": "unknown"}.get(region["state_before"], "lost")


def _follow(moment: Moment, state: str, region: Region, evidence: Evidence) -> str:
    """Return the state of a region's access after a moment."""
    if moment["kind"] == "started" and region["state_before"]:
        return _name_state(region)
    if moment["kind"] == "finished" and not COMMANDS[evidence["entry_point"]].revokes and not evidence["predicted"]:
        return "usable" if region["ok"] else "lost"
    return {"revoked": "lost", "enabled": "usable", "usable": "usable", "used": "usable"}.get(moment["kind"], state)


def _draw_bar(evidence: Evidence) -> Shape | None:
    start, limits = evidence["window"]["revoked_at"], _find_limits(evidence)
    if not start or not limits:
        return None
    pins = _find_pins(evidence, start)
    first, last = min(limits.values()), max(limits.values())
    # So much that the last zone has room for its label.
    span = max(last * 1.22, *(days * 1.04 for days in pins.values()))

    def place(days: float) -> float:
        return round(days / span * 100, 2)

    zones = []
    for (begin, end), (phase, label) in zip(itertools.pairwise([0.0, first, last, span]), _ZONES, strict=True):
        width = place(end - begin)
        fits = len(label) * _CHARACTER < width / 100 * _WIDTH
        if begin < end:
            zones.append({"x": place(begin), "width": width, "phase": phase, "label": label if fits else ""})
    marks = [(0.0, f"lost {start[:10]}"), *((days, f"{days:.0f} days, {at[:10]}") for at, days in limits.items())]
    return {
        "zones": zones,
        "above": _place_labels((place(days), f"{name}, day {days:.1f}") for name, days in pins.items()),
        "below": _place_labels((place(days), label) for days, label in marks),
        "says": _describe_bar(start, pins, limits),
    }


def _find_limits(evidence: Evidence) -> dict[str, float]:
    """Return Atlassian's limits and on which day they are; empty if they cannot be drawn."""
    window, now = evidence["window"], evidence["finished_at"]
    start, first, second = window["revoked_at"], window["reinstate_by"], window["at_risk_after"]
    if not (start and first and second and now and start <= now and start < first <= second):
        return {}
    return {at: count_days(start, at) for at in (first, second)}


def _find_pins(evidence: Evidence, start: str) -> dict[str, float]:
    """Return what is marked above the bar and on which day, in order; of those that would touch, the earlier alone."""
    window, ticket = evidence["window"], evidence["ticket"]
    moments = {
        "usable": evidence["restored_at"],
        "notified": ticket["told_at"] if ticket["told"] else None,
        "now": evidence["finished_at"],
        "key deleted": window["deletion_date"],
        "expected": None if COMMANDS[evidence["entry_point"]].revokes else window["expected_completion"],
    }
    days = {name: count_days(start, at) for name, at in moments.items() if at and at >= start}
    for name, earlier in (("notified", "usable"), ("now", "notified"), ("now", "usable")):
        if abs(days.get(name, math.inf) - days.get(earlier, -math.inf)) < _NEAR:
            del days[name]
    return dict(sorted(days.items(), key=lambda pin: pin[1]))


def _describe_bar(start: str, pins: t.Mapping[str, float], limits: t.Mapping[str, float]) -> str:
    on_days = ", ".join(f"{name} on day {days:.1f}" for name, days in pins.items())
    named = " and ".join(f"day {days:.0f} ({to_minute(at)})" for at, days in limits.items())
    return f"The clock began at {to_minute(start)}. {on_days}. {'The limits are' if len(limits) > 1 else 'The limit is'} {named}."


def _place_labels(labels: t.Iterable[tuple[float, str]]) -> list[Shape]:
    """Write each label towards the middle, in a lane of its own: the nearer to the middle, the nearer to the bar."""
    ordered = sorted(labels, key=lambda label: abs(label[0] - 50))
    return [
        {"x": x, "text": text, "anchor": "start" if x <= 50 else "end", "lane": lane}
        for lane, (x, text) in enumerate(ordered)
    ]


def _describe_time_left(evidence: Evidence) -> str:
    """Say how much of the time was left when Atlassian was notified, or else at the end of the run."""
    window, ticket = evidence["window"], evidence["ticket"]
    now = (ticket["told_at"] if ticket["told"] else None) or evidence["finished_at"]
    ends = {"the key is deleted": window["deletion_date"]}
    if window["phase"] == "reinstatable":
        ends["the limit"] = window["reinstate_by"]
    if window["phase"] == "uncertain":
        ends["full recovery may be impossible"] = window["at_risk_after"]
    ahead = [(at, end) for end, at in ends.items() if at and now and at > now]
    if not ahead:
        return "none" if window["phase"] == "at_risk" else "not known"
    at, end = min(ahead)
    return f"{_spell_span(now, at)}, until {end} ({to_minute(at)})"


def _group_calls(calls: t.Sequence[Call]) -> list[Shape]:
    """Make equal calls in a row one."""
    groups = []
    for (operation, error), equal in itertools.groupby(calls, lambda call: (call["operation"], call["error"])):
        first, *others = equal
        last = others[-1] if others else first
        groups.append(
            {
                "operation": operation,
                "error": error,
                "count": 1 + len(others),
                "first": first["at"],
                "over": _spell_span(first["at"], last["at"]) if others else "",
                "request_id": last["request_id"],
            }
        )
    return groups


def _spell_span(start: str | None, end: str | None) -> str:
    return words(measure(start, end)) if start and end and start <= end else ""
