"""The history of an organization's drills: what a run adds to it, what it says, and how a drill ends from its parts."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import ASSESS, RESTORE, REVOKE, VERIFY
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._drills import (
    Drill,
    DrillRun,
    add_run,
    draw_drills,
    read_drills,
    sum_up_drills,
    write_drills,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Call, Key, Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

NOW: t.Final = "2026-11-24T12:00:00Z"


def at(second: int) -> str:
    """A second of the minute in which the drill is."""
    return f"2026-11-24T03:00:{second:02d}Z"


OLD: t.Final = Drill("2026-08-01T03:00:00Z", "2026-08-01T03:00:05Z", "2026-08-01T03:00:14Z", "2026-08-01T03:00:15Z", "")
BEGUN: t.Final = Drill(at(0))
JOURNAL: t.Final = Journal(started_at=at(5), changed_at=at(5), restored_at=at(14))
TOLD: t.Final = {"at": at(50), "noted_at": at(16)}


def revocation(*changes: bool) -> Run:
    """A revocation that has disabled some keys, and found the others disabled."""
    key = Key("us-east-1", key_state_before="Enabled", key_state="Disabled")
    calls = (Call("DisableKey", at(0)),)
    keys = [replace(key, changed=changed, calls=calls if changed else ()) for changed in changes]
    return Run(REVOKE, change=Keys(tuple(keys)), decided=Decided())


def restoration(journal: Journal | None = JOURNAL, **more: t.Any) -> Run:
    announcement = Announcement(journal=journal) if journal else None
    return Run(**{"command": RESTORE, "decided": Decided(announcement=announcement), **more})


class TestWhatARunAdds:
    @pytest.mark.parametrize(
        ("drills", "run", "expected"),
        [
            pytest.param((), revocation(True), (BEGUN,), id="the first drill"),
            pytest.param((OLD,), revocation(True, False), (OLD, BEGUN), id="another one"),
            pytest.param((OLD, BEGUN), revocation(True), (OLD, BEGUN), id="a second run for the rest of the keys"),
            pytest.param((OLD,), revocation(False, False), (OLD,), id="nothing was revoked"),
            pytest.param((), restoration(), (), id="a restore without a drill"),
            pytest.param((BEGUN,), restoration(None), (BEGUN,), id="a restore that ended early"),
            pytest.param(
                (OLD, BEGUN), restoration(), (OLD, replace(BEGUN, started_at=at(5), restored_at=at(14))), id="keys back"
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, restored_at=None)),
                (replace(BEGUN, started_at=at(5)),),
                id="keys not back",
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, changed_at=None)),
                (replace(BEGUN, started_at=at(5)),),
                id="keys enabled by hand",
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, told=TOLD)),
                (Drill(at(0), at(5), at(14), at(16)),),
                id="notified, by the controller's clock",
            ),
            pytest.param(
                (Drill(at(0), at(5), at(14), at(16)),),
                restoration(replace(JOURNAL, started_at=at(40), restored_at=at(41), told=None)),
                (Drill(at(0), at(5), at(14), at(16)),),
                id="another restoration, of a loss that is no drill",
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, started_at="2026-11-24T02:00:00Z")),
                (BEGUN,),
                id="the restoration before the drill",
            ),
            pytest.param(
                (Drill(at(0), at(5), at(14), at(16)),),
                restoration(replace(JOURNAL, restored_at=at(41), told={"at": at(42)})),
                (Drill(at(0), at(5), at(14), at(16)),),
                id="what is known stays as it is",
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, told={"at": at(50)})),
                (Drill(at(0), at(5), at(14), at(50)),),
                id="notified, by the ticket's clock alone",
            ),
            pytest.param(
                (BEGUN,),
                restoration(replace(JOURNAL, started_at=at(0))),
                (Drill(at(0), at(0), at(14)),),
                id="in the second of the revocation",
            ),
            pytest.param((BEGUN,), restoration(command=ASSESS), (BEGUN,), id="an assessment"),
            pytest.param((BEGUN,), restoration(check_mode=True), (BEGUN,), id="check mode"),
        ],
    )
    def test_it(self, drills: tuple[Drill, ...], run: Run, expected: tuple[Drill, ...]) -> None:
        assert add_run(drills, run) == expected

    @pytest.mark.parametrize(
        ("times", "used_at"), [([], ""), ([at(30)], at(30)), ([at(30), at(40)], at(40)), ([at(30), None], "")]
    )
    def test_a_use_counts_when_every_key_is_used(self, times: list[str | None], used_at: str) -> None:
        run = restoration(command=VERIFY)
        assert add_run((replace(BEGUN, started_at=at(5)),), run, times)[0].used_at == used_at
        # What is proven stays proven.
        known = replace(BEGUN, started_at=at(5), used_at=at(20))
        assert add_run((known,), run, times)[0].used_at == at(20)


def drilled(seconds: int | None, revoked_at: str = "2026-10-01T03:00:00Z", *, told: bool = True) -> Drill:
    """A drill whose keys were back after some seconds."""
    back = "" if seconds is None else f"2026-10-01T03:00:{seconds:02d}Z"
    return Drill(revoked_at, "2026-10-01T03:00:00Z", back, back if told else "")


@pytest.mark.parametrize(
    ("drills", "says"),
    [
        ([], "no drills in 12 months"),
        ([drilled(9)], "1 drill in 12 months, keys back in 9 s on median"),
        ([drilled(9), drilled(7), drilled(40), drilled(9)], "4 drills in 12 months, keys back in 9 s on median"),
        ([drilled(8), drilled(11)], "2 drills in 12 months, keys back in 9 s on median"),
        # A drill without its keys is no quick one, and no slow one either: it failed.
        ([drilled(9), drilled(None)], "2 drills in 12 months, keys back in 9 s on median; 1 failed"),
        ([drilled(None), drilled(None)], "2 drills in 12 months; 2 failed"),
        (
            [drilled(9, told=False), drilled(None, told=False)],
            "2 drills in 12 months, keys back in 9 s on median; 1 failed, 1 not notified",
        ),
        # Twelve months to the second.
        ([drilled(9, "2025-11-24T12:00:00Z")], "no drills in 12 months"),
        ([drilled(9, "2025-11-24T12:00:01Z")], "1 drill in 12 months, keys back in 9 s on median"),
        ([drilled(9, "last summer")], "no drills in 12 months"),
    ],
)
def test_what_an_auditor_reads(drills: list[Drill], says: str) -> None:
    assert sum_up_drills(drills, NOW)["says"] == says


def test_the_numbers_behind_it() -> None:
    found = sum_up_drills([drilled(8), drilled(11), drilled(None)], NOW)
    assert (found["drills"], found["failed"], found["median_seconds_to_keys"]) == (3, 1, 9.5)


def test_clocks_that_differ_make_no_negative_time() -> None:
    assert Drill(at(0), at(9), at(7)).seconds == {"keys": 0, "notification": None, "use": None}


class TestHistory:
    def test_it_is_read_as_it_was_written(self) -> None:
        assert read_drills(write_drills((OLD, BEGUN))) == (OLD, BEGUN)
        assert read_drills("") == ()
        assert write_drills((OLD,)).startswith('{\n  "drills": [\n')

    @pytest.mark.parametrize(
        "text", ["unreadable", "[]", "{}", '{"drills": 7}', '{"drills": [7]}', '{"drills": [{"more": ""}]}']
    )
    def test_a_damaged_one_is_none(self, text: str) -> None:
        assert read_drills(text) is None

    def test_it_fits_into_a_file_of_the_folder(self) -> None:
        text = write_drills([replace(OLD, used_at=at(59))] * 2000)
        assert len(json.loads(text)["drills"]) == 1000
        assert len(text) < 1024 * 1024

    def test_the_page_has_the_newest_first_and_bars_to_scale(self) -> None:
        rows = draw_drills([drilled(40), drilled(10), drilled(None), drilled(0)])
        assert [(row["took"]["keys"], row["width"]) for row in rows] == [
            ("0 s", 1),
            ("", 0),
            ("10 s", 25),
            ("40 s", 100),
        ]
        assert [row["width"] for row in draw_drills([drilled(1), drilled(None)])] == [0, 100]
        page = render("drills.html.j2", cmk_org="<b>", cmk_drills=rows, cmk_now=NOW, cmk_history="4 drills")
        assert "<b>" not in page
        assert page.count("not restored") == 1
        assert "{{" not in page


def part(status: str, *states: str | None, failure: str = "", told: bool = False, **more: t.Any) -> dict[str, t.Any]:
    """The report of one part."""
    keys = [{"label": f"r{n}", "state_after": state, "error": ""} for n, state in enumerate(states)]
    ticket = {"told": told, "error": "", "hint": "", "mailed_at": ""}
    found = {"org": "drill", "status": status, "keys": keys, "ticket": ticket, "error": ""}
    return {"result": found, "failure": failure, "headline": status, "acted": False, **more}


READY: t.Final = part("planned", "Enabled", "Enabled")
REVOKED: t.Final = part("revoked", "Disabled", "Disabled", acted=True)
RESTORED: t.Final = part("restored", "Enabled", "Enabled", told=True, acted=True)
HANDED_OVER: t.Final = part("handover_pending", "Enabled", "Enabled", acted=True)
WAITING: t.Final = part("waiting", "Enabled", "Enabled")
GOOD: t.Final = {"assess": READY, "revoke": REVOKED, "restore": RESTORED, "verify": WAITING}
LOST: t.Final = "Drill failed, the keys are NOT restored"
BACK: t.Final = "Drill failed, but the keys are restored"


@pytest.mark.parametrize(
    ("changes", "status", "headline"),
    [
        pytest.param({}, "restored", "Drill done: keys restored, Atlassian notified", id="good"),
        pytest.param(
            # Nobody confirms within the run, so that verify wants a person.
            {"restore": HANDED_OVER, "verify": part("needs_attention", "Enabled", "Enabled", failure="Not notified.")},
            "handover_pending",
            "Drill done: keys restored, Atlassian NOT notified yet",
            id="by hand",
        ),
        pytest.param(
            {"verify": part("waiting", "Enabled", "Enabled", failure="The limit has passed.")},
            "restored",
            "Drill done: keys restored, Atlassian notified",
            id="no proof of use within the limit",
        ),
        pytest.param(
            {"verify": part("needs_attention", "Enabled", "Enabled", failure="Bad.")},
            "partial",
            BACK,
            id="not verified",
        ),
        pytest.param(
            {"verify": part("needs_attention", "Enabled", "Disabled", failure="r1 is Disabled again.")},
            "partial",
            LOST,
            id="lost again",
        ),
        pytest.param(
            {"verify": part("waiting", "Enabled", None)},
            "restored",
            "Drill done: keys restored, Atlassian notified",
            id="verify could not read a key",
        ),
        pytest.param(
            {
                "restore": part("already_restored", "Enabled", told=True),
                "verify": part("needs_attention", failure="Bad."),
            },
            "partial",
            BACK,
            id="already restored and not verified",
        ),
        pytest.param({"assess": part("failed", failure="No.")}, "partial", BACK, id="the assessment fails"),
        pytest.param(
            {"revoke": part("partial", "Disabled", "Enabled", failure="r1.", acted=True)},
            "partial",
            BACK,
            id="partly revoked",
        ),
        pytest.param(
            {"restore": part("partial", "Enabled", "Disabled", failure="r1.", acted=True), "verify": None},
            "partial",
            LOST,
            id="one key",
        ),
        pytest.param(
            {"restore": part("partial", "Enabled", "Enabled", failure="The desk.", acted=True)},
            "partial",
            BACK,
            id="desk",
        ),
        pytest.param(
            {"restore": part("failed", failure="No AWS."), "verify": part("needs_attention", failure="No AWS.")},
            "partial",
            LOST,
            id="no key was read",
        ),
        pytest.param({"restore": None, "verify": None}, "partial", LOST, id="no report of the restore"),
        pytest.param({"revoke": None}, "partial", BACK, id="no report of the revocation"),
        pytest.param(
            {"revoke": part("failed", "Enabled", failure="Lock."), "restore": None, "verify": None},
            "failed",
            "No drill, nothing was revoked",
            id="not revoked",
        ),
    ],
)
def test_how_a_drill_ends(changes: dict[str, t.Any], status: str, headline: str) -> None:
    reports = {name: report for name, report in {**GOOD, **changes}.items() if report}
    ended = DrillRun("drill", reports, goes_on=True)
    assert (ended.status, ended.headline) == (status, headline)
    assert bool(ended.error) is (ended.status not in OK_STATUSES)
    command = "ansible-playbook keyops.atlassian_cmk.restore_cmk -e org=drill"
    assert ended.next_step.endswith(f"restore the access at once: {command}.") is (headline == LOST)


@pytest.mark.parametrize(
    ("reports", "more", "status"),
    [
        ({"assess": READY, "revoke": part("planned", acted=True)}, {"goes_on": True}, "planned"),
        ({"assess": READY, "revoke": part("failed", failure="No.")}, {"goes_on": True}, "failed"),
        ({"assess": READY}, {"goes_on": True}, "failed"),
        ({"assess": part("failed", failure="No.")}, {}, "failed"),
        ({}, {}, "failed"),
    ],
)
def test_check_mode(reports: dict[str, t.Any], more: dict[str, t.Any], status: str) -> None:
    ended = DrillRun("drill", reports, check_mode=True, **more)
    assert (ended.status, ended.lost) == (status, [])
    assert bool(ended.error) is (status == "failed")


def test_a_drill_whose_assessment_was_bad_goes_no_further() -> None:
    ended = DrillRun("drill", {"assess": part("failed", failure="No.")})
    assert (ended.status, ended.lost, ended.error) == ("failed", [], "No.")


@pytest.mark.parametrize(
    ("restored", "verified", "lost"),
    [
        (part("partial", "Enabled", "Disabled"), WAITING, []),
        (WAITING, part("needs_attention", "Disabled", "Enabled"), ["r0: Disabled"]),
        (part("partial", None, "Enabled"), part("waiting", None, "Enabled"), ["r0: not known"]),
        (part("failed"), part("failed"), ["no key was read after the revocation"]),
    ],
)
def test_which_keys_are_lost(restored: dict[str, t.Any], verified: dict[str, t.Any], lost: list[str]) -> None:
    assert DrillRun("drill", {**GOOD, "restore": restored, "verify": verified}, goes_on=True).lost == lost


@pytest.mark.parametrize(
    ("reports", "step"),
    [
        (GOOD, "ansible-playbook keyops.atlassian_cmk.verify_cmk -e org=drill"),
        ({**GOOD, "restore": HANDED_OVER}, "paste the text above into the ticket, then run: ansible-playbook "),
        ({"assess": READY}, ""),
    ],
)
def test_what_to_do_next(reports: dict[str, t.Any], step: str) -> None:
    found = DrillRun("drill", reports, goes_on="restore" in reports).next_step
    assert found.startswith(step)
    assert bool(found) is bool(step)


class TestResult:
    BLANK: t.ClassVar = {"org": "drill", "error": "", "started_at": at(0), "finished_at": NOW, "keys": [], "status": ""}
    REPORTS: t.ClassVar = {
        **GOOD,
        "revoke": {**REVOKED, "result": {**REVOKED["result"], "revoked_at": at(0)}},
        "restore": {**RESTORED, "result": {**RESTORED["result"], "error": "x", "started_at": "x", "finished_at": "x"}},
        "verify": {**WAITING, "result": {**WAITING["result"], "verification": {"verdict": "waiting"}}},
    }

    def test_it_is_that_of_the_restore_with_what_the_drill_took(self) -> None:
        made = DrillRun("drill", self.REPORTS, goes_on=True).make_result(self.BLANK, [OLD, Drill(at(0), at(5), at(15))])
        assert (made["status"], made["keys"], made["ticket"]["told"]) == ("restored", RESTORED["result"]["keys"], True)
        # Of the drill itself are the error and the times.
        assert (made["error"], made["started_at"], made["finished_at"]) == ("", at(0), NOW)
        assert made["verification"] == {"verdict": "waiting"}
        parts = {"assess": "planned", "revoke": "revoked", "restore": "restored", "verify": "waiting"}
        assert made["drill"]["parts"] == parts
        assert (made["drill"]["seconds_to_keys"], made["drill"]["history"]["drills"]) == (10, 2)

    def test_without_a_verification_there_is_none(self) -> None:
        reports = {name: report for name, report in self.REPORTS.items() if name != "verify"}
        assert "verification" not in DrillRun("drill", reports, goes_on=True).make_result(self.BLANK, [])

    @pytest.mark.parametrize(
        ("more", "drills"),
        [
            ({"goes_on": True}, []),
            ({"goes_on": True}, [OLD]),
            # A drill that was not begun by this run is not its own.
            ({}, [Drill(at(0), at(5), at(14))]),
            ({"goes_on": True, "check_mode": True}, [Drill(at(0), at(5), at(14))]),
        ],
    )
    def test_a_drill_of_another_run_is_not_told(self, more: dict[str, t.Any], drills: list[Drill]) -> None:
        made = DrillRun("drill", self.REPORTS, **more).make_result(self.BLANK, drills)
        assert made["drill"]["seconds_to_keys"] is None


def test_a_drill_that_is_refused_has_no_error_of_its_own() -> None:
    ended = DrillRun("drill", {}, is_refused=True)
    assert (ended.status, ended.error) == ("failed", "")


@pytest.mark.parametrize("is_drill", [True, False])
def test_the_comment_of_a_drill_says_so(is_drill: bool) -> None:
    text = render(
        "restore_comment.txt.j2", **shown(restoration(settings=Settings(org="acme", drill=is_drill), now=NOW))
    )
    assert text.startswith("This is a drill: " if is_drill else "We have restored Atlassian's access")
    assert "Please start the restoration of our suspended sites." in text
