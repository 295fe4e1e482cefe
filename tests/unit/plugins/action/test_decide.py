"""The steps begin and settle: what they remember and when, and what another run changes. What they decide is tested with the rules."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._lock import Holder, acquire, identify, parse
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import decide
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task
from tests.unit.plugins.plugin_utils.test_run import (
    CHANGE,
    DONE,
    NOW,
    PLAN,
    PLANNED,
    SETTINGS,
    TRUST_PLAN,
    raw,
)

from .conftest import RunAction

REFERENCE = re.compile(r"cmk-restore/acme/[0-9a-f]{12}")
ENABLED = {**PLANNED, "key_state_before": "Enabled", "actions": [], "changed": False}
REVOKES = {**PLANNED, "key_state_before": "Enabled", "key_state": "Disabled", "actions": ["DisableKey"]}
CLOUDTRAIL, TRUST = "kms_key_revocation_info", "byok_trust_statement"
KEYS = [{"region": PLANNED["region"], "key_id": PLANNED["arn"]}]
ACCESS = {"arn": PLANNED["arn"], "region": PLANNED["region"], "policy": {}, "grants": []}
TRAIL = {"keys": [{**ACCESS, "last_revocation": None, "revoked_at": None, "reason": "No loss."}]}


class Steps:
    """Runs the steps on an organization's folder, answers for AWS, and keeps what they show and ask."""

    def __init__(self, run_action: RunAction, folder: Path) -> None:
        self._run_action, self.folder = run_action, folder
        self.shown: list[str] = []
        self.asked: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, Any] = {}

    def read_aws(self, module: str, options: dict[str, Any]) -> dict[str, Any]:
        self.asked[module] = options
        answer = self.answers[module]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)

    def run(self, step: str, *, check: bool = False, command: str = "restore", **parts: Any) -> dict[str, Any]:
        args = {"keys": parts.pop("keys", []), "aws": {"profile": "acme"}}
        settings = {**SETTINGS, "problems": [], "report_dir": str(self.folder), **parts.pop("settings", {})}
        run = {**raw(**parts), "settings": settings, "entry_point": command, "check_mode": check, "brief": False}
        return self._run_action(ActionModule, check=check, do=step, run=run, **args)

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
    made = Steps(run_action, tmp_path / "acme")
    monkeypatch.setattr(decide, "show", lambda text, *, warn: made.shown.append(f"{text} warn={warn}"))
    monkeypatch.setattr(Task, "read_aws", made.read_aws)
    return made


@pytest.fixture
def other(steps: Steps) -> Holder:
    """Another run of the same process, on another inventory host, that holds the lock."""
    holder = replace(identify("acme-again", clock()), host="elsewhere")
    assert acquire(steps.lock, holder) is None
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

    def test_the_keys_are_planned_by_the_module_that_changes_them(self, steps: Steps) -> None:
        steps.answers["kms_key_state"] = PLAN
        assert steps.run("begin")["plan"] == PLAN
        assert steps.asked["kms_key_state"]["cancel_deletion"] is False
        steps.answers["kms_key_state"] = {"failed": True, "msg": "No region is given."}
        found = steps.run("begin")
        assert (found["failed"], found["msg"]) == (True, "No region is given.")

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
        steps.answers = {CLOUDTRAIL: TRAIL}
        settled = steps.run("settle", command="assess", check=check, plan={"keys": [ENABLED]}, keys=KEYS)
        assert settled["revocation"] == TRAIL
        assert (steps.folder / "access.json").exists() is not check

    def test_a_revocation_has_a_plan_of_its_own(self, steps: Steps) -> None:
        settled = steps.run("settle", command="revoke", plan={"keys": [REVOKES]}, settings={"confirm": "acme"})
        assert (settled["refused"], settled["notify"], settled["announcement"]) == ("", "", None)
        ((text, _sep, warn),) = (shown.rpartition(" warn=") for shown in steps.shown)
        assert text.startswith("acme: plan to revoke access")
        assert "to do: DisableKey" in text
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


class TestAws:
    """In check mode, which needs no lock."""

    @pytest.mark.parametrize(
        ("command", "more"),
        [
            ("restore", set()),
            ("assess", {"read_health", "context_tag", "account_ids"}),
        ],
    )
    def test_cloudtrail_is_asked_about_the_keys(self, steps: Steps, command: str, more: set[str]) -> None:
        steps.answers = {CLOUDTRAIL: TRAIL}
        settled = steps.run("settle", check=True, command=command, plan=PLAN, keys=KEYS)
        assert settled["revocation"] == TRAIL
        assert {"keys": KEYS, "read_access": True, "profile": "acme"}.items() <= steps.asked[CLOUDTRAIL].items()
        assert set(steps.asked[CLOUDTRAIL]) == {"keys", "read_access", "profile"} | more

    def test_without_a_key_it_is_not(self, steps: Steps) -> None:
        assert (steps.run("settle", check=True, plan=PLAN)["revocation"], steps.asked) == ({}, {})

    def test_a_cloudtrail_that_cannot_be_asked_stops_nothing(
        self, steps: Steps, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        warnings: list[str] = []
        monkeypatch.setattr(Display, "warning", lambda _self, text: warnings.append(text))
        steps.answers = {CLOUDTRAIL: AnsibleConnectionFailure("No network.")}
        settled = steps.run("settle", check=True, plan=PLAN, keys=KEYS)
        assert (settled["revocation"], settled["notify"]) == ({}, "api")
        assert warnings == ["acme: CloudTrail was not asked: No network."]

    @pytest.mark.parametrize("step", ["begin", "settle"])
    def test_the_trust_of_byok_is_planned_once(self, steps: Steps, step: str) -> None:
        byok = {"programme": "byok", "account_id": "111122223333"}
        steps.answers = {TRUST: TRUST_PLAN}
        found = steps.run(step, check=True, plan=PLAN, settings=byok)
        assert (found["trust_plan"], found["changes_trust"]) == (TRUST_PLAN, True)
        assert steps.asked.pop(TRUST) == {"account_id": "111122223333", "profile": "acme"}
        settled = steps.run(
            "settle", check=True, plan=PLAN, settings=byok, decided=found, trust_plan=found["trust_plan"]
        )
        assert (settled["trust_plan"], steps.asked) == (TRUST_PLAN, {})

    @pytest.mark.parametrize("step", ["begin", "settle"])
    def test_a_trust_that_cannot_be_planned_ends_the_run(self, steps: Steps, step: str) -> None:
        steps.answers = {TRUST: {"failed": True, "msg": "No role."}}
        found = steps.run(step, check=True, plan=PLAN, settings={"programme": "byok"})
        assert (found["failed"], found["msg"], steps.shown) == (True, "No role.", [])
        assert steps.asked[TRUST]["account_id"] is None
