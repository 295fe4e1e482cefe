"""The steps begin and settle: what they remember and when, and what another run changes. What they decide is tested with the rules."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import Holder, acquire, identify, parse
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import decide
from tests.unit.plugins.plugin_utils.test_run import CHANGE, DONE, NOW, PLAN, PLANNED, SETTINGS, raw

from .conftest import RunAction

REFERENCE = re.compile(r"cmk-restore/acme/[0-9a-f]{12}")
ENABLED = {**PLANNED, "key_state_before": "Enabled", "actions": [], "changed": False}


class Steps:
    """Runs the steps on an organization's folder, and keeps what they show."""

    def __init__(self, run_action: RunAction, folder: Path, shown: list[str]) -> None:
        self._run_action, self.folder, self.shown = run_action, folder, shown

    def run(self, step: str, *, check: bool = False, command: str = "restore", **parts: Any) -> dict[str, Any]:
        settings = {**SETTINGS, "problems": [], "report_dir": str(self.folder), **parts.pop("settings", {})}
        run = {**raw(**parts), "settings": settings, "entry_point": command, "check_mode": check, "brief": False}
        return self._run_action(ActionModule, check=check, do=step, run=run)

    @property
    def journal(self) -> dict[str, Any] | None:
        """What is remembered, if anything is."""
        path = self.folder / "restoration.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def lock(self) -> str:
        """The path of the lock."""
        return str(self.folder / "lock.json")


@pytest.fixture
def steps(run_action: RunAction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    shown: list[str] = []
    monkeypatch.setattr(decide, "show", lambda text, *, warn: shown.append(f"{text} warn={warn}"))
    return Steps(run_action, tmp_path / "acme", shown)


@pytest.fixture
def other(steps: Steps) -> Holder:
    """Another run of the same process, on another inventory host, that holds the lock."""
    holder = replace(identify("acme-again", clock()), host="elsewhere")
    assert acquire(steps.lock, holder, clock()) is None
    return holder


class TestBegin:
    def test_a_change_is_remembered_and_shown(self, steps: Steps) -> None:
        began = steps.run("begin", plan=PLAN)
        assert (began["lock"], began["changes"]) == ({"held": True, "holder": None}, True)
        assert steps.journal is not None
        assert steps.journal["states_before"] == {PLANNED["arn"]: "Disabled"}
        assert len(steps.shown) == 1

    @pytest.mark.parametrize(
        ("more", "count"),
        [
            pytest.param({"plan": {"keys": [ENABLED]}}, 1, id="nothing to change"),
            pytest.param({"plan": PLAN, "check": True}, 0, id="check mode"),
            pytest.param({"plan": PLAN, "command": "assess"}, 0, id="a command that changes nothing"),
        ],
    )
    def test_otherwise_nothing_is_remembered(self, steps: Steps, more: dict[str, Any], count: int) -> None:
        steps.run("begin", **more)
        assert (steps.journal, len(steps.shown)) == (None, count)

    def test_a_damaged_journal_is_left_for_the_next_decision(self, steps: Steps) -> None:
        path = steps.folder / "restoration.json"
        steps.folder.mkdir()
        path.write_text("{")
        steps.run("begin", plan={"keys": [ENABLED]})
        assert path.read_text() == "{"

    def test_a_folder_that_cannot_be_used_stops_nothing(self, steps: Steps) -> None:
        steps.folder.write_text("a file")
        began = steps.run("begin", plan=PLAN)
        assert (began["changes"], "failed" in began) == (True, False)


class TestSettle:
    def begun(self, steps: Steps) -> dict[str, Any]:
        return {"plan": PLAN, "change": CHANGE, "decided": steps.run("begin", plan=PLAN)}

    def test_the_reference_is_remembered_before_the_comment_is_sent(self, steps: Steps) -> None:
        settled = steps.run("settle", **self.begun(steps))
        assert (settled["announces"], settled["notify"], settled["ticket"]["told"]) == (True, "api", False)
        assert steps.journal is not None
        assert REFERENCE.fullmatch(steps.journal["reference"])
        assert steps.journal["reference"] == settled["announcement"]["reference"]
        assert len(steps.shown) == 1

    def test_it_decides_without_begin_too(self, steps: Steps) -> None:
        settled = steps.run("settle", command="assess", plan=PLAN)
        assert (settled["changes"], settled["announcement"]["enables"]) == (True, True)
        assert (steps.journal, len(steps.shown)) == (None, 1)

    def test_check_mode_shows_the_plan_and_writes_nothing(self, steps: Steps) -> None:
        settled = steps.run("settle", check=True, plan=PLAN)
        assert settled["notify"] == "api"
        assert (steps.folder.exists(), len(steps.shown)) == (False, 1)
        assert steps.shown[0].endswith("warn=False")

    @pytest.mark.parametrize("check", [False, True])
    def test_an_assessment_keeps_a_copy_of_policies_and_grants(self, steps: Steps, check: bool) -> None:
        access = {"arn": PLANNED["arn"], "region": "ap-northeast-1", "policy": {}, "grants": []}
        trail = {"keys": [{**access, "last_revocation": None, "revoked_at": None, "reason": "No loss."}]}
        steps.run("settle", command="assess", check=check, plan={"keys": [ENABLED]}, revocation=trail)
        assert (steps.folder / "access.json").exists() is not check

    def test_a_revocation_has_a_plan_of_its_own(self, steps: Steps) -> None:
        settled = steps.run("settle", command="revoke", plan={"keys": [ENABLED]}, settings={"confirm": "acme"})
        assert (settled["refused"], settled["notify"], settled["announcement"]) == ("", "", None)
        ((text, _sep, warn),) = (shown.rpartition(" warn=") for shown in steps.shown)
        assert "away" in text
        assert warn == "True"

    def test_a_failed_key_is_not_announced(self, steps: Steps) -> None:
        failed = {"keys": [{**DONE, "error": "AWS refused."}]}
        settled = steps.run("settle", **{**self.begun(steps), "change": failed})
        assert (settled["announces"], settled["notify"]) == (False, "")

    def test_a_person_who_notified_ends_it(self, steps: Steps) -> None:
        settled = steps.run("settle", plan={"keys": [ENABLED]}, settings={"ticket_told": NOW})
        assert (settled["ticket"]["told"], settled["notify"]) == (True, "")
        # The journal is written with the result: there is no comment to be recognized later.
        assert steps.journal is None

    def test_another_run_comments_on_the_ticket(self, steps: Steps, other: Holder) -> None:
        settled = steps.run("settle", **self.begun(steps))
        ticket = settled["ticket"]
        assert (settled["announces"], settled["notify"], ticket["code"]) == (True, "", "other_run_notifies")
        assert f"(process {other.pid} on elsewhere, since {other.since})" in ticket["error"]

    def test_another_run_took_the_lock_over_meanwhile(self, steps: Steps) -> None:
        begun = self.begun(steps)
        mine = parse(Path(steps.lock).read_bytes())
        assert mine
        Path(steps.lock).write_text(json.dumps(asdict(replace(mine, inventory_host="acme-again"))))
        assert steps.run("settle", **begun)["ticket"]["code"] == "other_run_notifies"

    def test_the_lock_is_refreshed(self, steps: Steps) -> None:
        begun = self.begun(steps)
        mine = parse(Path(steps.lock).read_bytes())
        assert mine
        Path(steps.lock).write_text(json.dumps(asdict(replace(mine, refreshed_at="2026-01-01T00:00:00Z"))))
        assert steps.run("settle", **begun)["ticket"]["code"] == ""
        refreshed = parse(Path(steps.lock).read_bytes())
        assert refreshed
        assert refreshed.refreshed_at > "2026-01-01T00:00:00Z"
