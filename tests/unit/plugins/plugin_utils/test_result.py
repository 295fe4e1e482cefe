"""How a run ended: the status of every combination, and the promised shape of cmk_result."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import ASSESS, RESTORE, VERIFY, Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import (
    OK_STATUSES,
    is_good,
    make_result,
    next_step,
    succeeds,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from tests.unit.plugins.conversation import ACCOUNT, ALIAS, KEY_ID, arn

SETTINGS = {
    "org": "acme",
    "realm": "United States",
    "ticket": "CMK-1",
    "ticket_url": "https://support.example.com/CMK-1",
    "mode": "api",
    "problems": [],
}
NOT_TOLD: dict[str, Any] = {}
TOLD = {"told": True, "already_told": False, "comment_id": "17", "url": "https://support.example.com/17"}
ALREADY = TOLD | {"already_told": True}
DESK_DOWN = {"error": "The support desk was not reached: timed out.", "hint": "Run again."}


def key(changed: bool, error: str = "", region: str = "us-east-1") -> dict[str, Any]:
    """A key as kms_key_state returns it."""
    return {
        "region": region,
        "reference": ALIAS,
        "key_id": KEY_ID,
        "arn": arn(region),
        "account_id": ACCOUNT,
        "key_state": "Enabled" if not error else "Disabled",
        "key_state_before": "Disabled" if changed or error else "Enabled",
        "actions": ["EnableKey"] if changed else [],
        "changed": changed,
        "waited": 2.0,
        "code": "throttled" if error else "",
        "error": error,
        "hint": "Run again." if error else "",
        "description": "not promised",
    }


DONE, SAME = key(True), key(False)
FAILED, FAILED_LATE = key(False, "AWS kept throttling."), key(True, "AWS did not report that.")


def run(
    keys: list[dict[str, Any]], ticket: dict[str, Any], *, error: str = "", check: bool = False, **more: Any
) -> dict[str, Any]:
    return {
        "settings": SETTINGS | more,
        "plan": {"keys": keys},
        # What was planned has happened.
        "change": {} if check else {"keys": keys},
        "ticket": ticket,
        "error": error,
        "entry_point": "restore",
        "check_mode": check,
        "started_at": "2026-11-24T03:00:00Z",
        "now": "2026-11-24T03:00:09Z",
    }


def result(given: dict[str, Any]) -> dict[str, Any]:
    return make_result(Run.from_json(given))


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param(run([DONE, DONE], TOLD), "restored", id="enabled and told"),
        pytest.param(run([DONE, SAME], TOLD), "restored", id="one enabled and told"),
        pytest.param(run([SAME, SAME], TOLD), "restored", id="enabled by hand, told now"),
        pytest.param(run([DONE, SAME], ALREADY), "restored", id="enabled now, the comment was there"),
        pytest.param(run([SAME, SAME], ALREADY), "already_restored", id="nothing to do"),
        pytest.param(run([DONE, DONE], NOT_TOLD), "handover_pending", id="enabled, to be told by a person"),
        pytest.param(run([SAME, SAME], NOT_TOLD), "handover_pending", id="enabled before, to be told by a person"),
        pytest.param(run([DONE, DONE], DESK_DOWN), "partial", id="enabled, desk down"),
        pytest.param(run([SAME, SAME], DESK_DOWN), "partial", id="enabled before, desk down"),
        pytest.param(run([DONE, FAILED], NOT_TOLD), "partial", id="one region fails"),
        pytest.param(run([SAME, FAILED], NOT_TOLD), "partial", id="one region fails, the other was enabled"),
        pytest.param(run([FAILED, FAILED], NOT_TOLD), "failed", id="all regions fail"),
        pytest.param(run([FAILED, FAILED_LATE], NOT_TOLD), "partial", id="all fail, one after its change"),
        pytest.param(run([], NOT_TOLD, error="AWS was not reached."), "failed", id="error before any key"),
        pytest.param(run([SAME], NOT_TOLD, error="Disk full."), "failed", id="error without a change"),
        pytest.param(run([DONE], NOT_TOLD, error="Disk full."), "partial", id="error after a change"),
        pytest.param(run([DONE], TOLD, error="Disk full."), "partial", id="error after all was done"),
        pytest.param(run([], NOT_TOLD, problems=["No realm is given."]), "failed", id="settings to be mended"),
        pytest.param(run([SAME], TOLD, problems=["No ticket."]), "failed", id="settings to be mended, keys or not"),
        pytest.param(run([], NOT_TOLD), "failed", id="no keys at all"),
        pytest.param(run([DONE, DONE], NOT_TOLD, check=True), "planned", id="check mode, to be enabled"),
        pytest.param(run([SAME, SAME], NOT_TOLD, check=True), "planned", id="check mode, to be told"),
        pytest.param(run([SAME, SAME], ALREADY, check=True), "already_restored", id="check mode, nothing to do"),
        pytest.param(run([DONE, FAILED], NOT_TOLD, check=True), "partial", id="check mode, one would fail"),
        pytest.param(run([FAILED, FAILED], NOT_TOLD, check=True), "failed", id="check mode, all would fail"),
        pytest.param(run([DONE, DONE], DESK_DOWN, check=True), "partial", id="check mode, desk down"),
        pytest.param(
            run([DONE], NOT_TOLD, error="Disk full.", check=True), "failed", id="check mode, error: no change"
        ),
    ],
)
def test_status(given: dict[str, Any], status: str) -> None:
    ended = result(given)
    assert ended["status"] == status
    # The exit code goes by these: no good status may carry an error.
    errors = [ended["error"], ended["ticket"]["error"], *[one["error"] for one in ended["keys"]]]
    assert (status in OK_STATUSES) is (not any(errors) and bool(ended["keys"]))


def test_the_promised_shape() -> None:
    ended = result(run([DONE, FAILED | {"region": "us-west-2", "arn": arn("us-west-2")}], NOT_TOLD))
    assert ended.pop("window")["phase"] == "unknown"
    assert ended == {
        "org": "acme",
        "programme": "cmk",
        "realm": "United States",
        "status": "partial",
        "keys": [
            {
                "region": region,
                "label": region,
                "key_id": KEY_ID,
                "arn": arn(region),
                "account_id": ACCOUNT,
                "state_before": "Disabled",
                "state_after": state,
                "changed": changed,
                "actions": actions,
                "error": error,
                "hint": hint,
            }
            for region, state, changed, actions, error, hint in (
                ("us-east-1", "Enabled", True, ["EnableKey"], "", ""),
                ("us-west-2", "Disabled", False, [], "AWS kept throttling.", "Run again."),
            )
        ],
        "ticket": {
            "key": "CMK-1",
            "mode": "api",
            "told": False,
            "comment_id": "",
            "url": "https://support.example.com/CMK-1",
            "already_told": False,
            "mailed_to": "",
            "mailed_at": "",
            "code": "",
            "error": "",
            "hint": "",
        },
        "error": "",
        "revoked_at": None,
        "started_at": "2026-11-24T03:00:00Z",
        "finished_at": "2026-11-24T03:00:09Z",
    }


def test_a_key_that_was_not_found_goes_by_its_reference() -> None:
    unknown = key(False, "There is no key.") | {
        "key_id": None,
        "arn": None,
        "key_state": None,
        "key_state_before": None,
    }
    found = result(run([unknown], NOT_TOLD))["keys"][0]
    assert (found["key_id"], found["arn"], found["state_before"], found["state_after"]) == (ALIAS, None, None, None)


def test_the_comments_url_goes_before_the_tickets() -> None:
    assert result(run([DONE], TOLD))["ticket"]["url"] == "https://support.example.com/17"
    assert result(run([DONE], TOLD | {"url": ""}))["ticket"]["url"] == "https://support.example.com/CMK-1"


def test_the_desks_error_is_kept() -> None:
    ticket = result(run([DONE], DESK_DOWN))["ticket"]
    assert (ticket["told"], ticket["error"], ticket["hint"]) == (False, DESK_DOWN["error"], "Run again.")


def test_all_problems_are_in_the_error() -> None:
    ended = result(run([], NOT_TOLD, problems=["No realm is given.", "No key is given."], error="Stopped."))
    assert ended["error"] == "Stopped. No realm is given. No key is given."


def test_settings_that_could_not_be_read_far() -> None:
    ended = result(run([], NOT_TOLD) | {"settings": {"org": "acme", "realm": "", "problems": ["No realm is given."]}})
    assert (ended["status"], ended["ticket"]["key"], ended["ticket"]["url"]) == ("failed", "", "")


# Of docs/results.md: whether a run ends well, and whether nobody has anything to do.
@pytest.mark.parametrize(
    ("status", "ends_well", "good"),
    [
        ("restored", True, True),
        ("already_restored", True, True),
        ("nothing_to_restore", True, True),
        ("waiting", True, True),
        ("handover_pending", True, False),
        ("planned", True, False),
        ("revoked", True, False),
        ("already_revoked", True, False),
        ("partial", False, False),
        ("failed", False, False),
        ("needs_attention", False, False),
    ],
)
def test_how_a_run_ends(status: str, ends_well: bool, good: bool) -> None:
    for more in ({}, {"verification": {"timed_out": False}}):
        assert (succeeds({"status": status, **more}), is_good({"status": status, **more})) == (ends_well, good)
    late = {"status": status, "verification": {"timed_out": True}}
    assert (succeeds(late), is_good(late)) == (False, False)


def test_the_trust_statement_is_told_with_byok_only() -> None:
    assert "trust" not in result(run([DONE], TOLD))
    assert result(run([DONE], TOLD, programme="byok"))["trust"]["role"] == "atlassian-key-management"


CLEAN: dict[str, Any] = {"org": "acme", "error": "", "keys": [], "ticket": {"error": "", "mailed_at": ""}}

WAITS = {"error": "It is scheduled for deletion.", "state_after": "PendingDeletion", "actions": []}


@pytest.mark.parametrize(
    ("command", "check", "more", "step"),
    [
        (
            RESTORE,
            False,
            {"error": "Stopped."},
            "fix the problem above, then run again: ansible-playbook {}restore_cmk",
        ),
        (ASSESS, False, {"error": "Stopped."}, "fix the problem above, then run again: ansible-playbook {}assess_cmk"),
        (RESTORE, False, {"trust": {"error": "No.", "actions": []}}, "fix the problem above, then run again"),
        (
            RESTORE,
            False,
            {"keys": [WAITS]},
            "if the key is to be kept, run: ansible-playbook {}restore_cmk -e org=acme -e cmk_cancel_deletion=true",
        ),
        (
            RESTORE,
            False,
            {"keys": [WAITS, {"error": "Denied.", "state_after": "Disabled", "actions": []}]},
            "fix the problem above, then run again: ansible-playbook {}restore_cmk -e org=acme -e cmk_cancel_deletion=true",
        ),
        (
            ASSESS,
            False,
            {"keys": [WAITS | {"state_after": "PendingReplicaDeletion"}]},
            "if the key is to be kept, run: ansible-playbook {}assess_cmk -e org=acme -e cmk_cancel_deletion=true",
        ),
        # It was allowed, and AWS refused it.
        (
            RESTORE,
            False,
            {"keys": [WAITS | {"actions": ["CancelKeyDeletion"]}]},
            "fix the problem above, then run again",
        ),
        (RESTORE, False, {"trust": {"error": ""}}, "ansible-playbook {}verify_cmk -e org=acme"),
        (VERIFY, False, {}, ""),
        (VERIFY, False, {"status": "waiting"}, "run again later: ansible-playbook {}verify_cmk -e org=acme"),
        # A key that was not read is no lost one.
        (VERIFY, False, {"keys": [{"state_after": state} for state in ("", None, "Enabled")]}, ""),
        (
            VERIFY,
            False,
            {"keys": [{"state_after": "Enabled"}, {"state_after": "Disabled"}]},
            "unless the revocation was intentional, run: ansible-playbook {}restore_cmk -e org=acme",
        ),
        (RESTORE, True, {}, ""),
        (ASSESS, False, {}, ""),
        (ASSESS, True, {}, ""),
    ],
)
def test_the_next_step(command: Command, check: bool, more: dict[str, Any], step: str) -> None:
    said = next_step({**CLEAN, "status": "restored", **more}, command, check_mode=check)
    assert said.startswith(step.format("keyops.atlassian_cmk.")) if step else said == ""
