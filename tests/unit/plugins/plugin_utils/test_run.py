"""From what the steps have found to what the result, the evidence and the texts are made of."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, replace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import RESTORE
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import begin_run, settle_run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Keys, Trust, keys_done, trust_done
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import make_result, next_step
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import (
    NO_REFERENCE,
    Run,
    evidence_parts,
    find_loss,
    shown,
)

AT, LATER, NOW = "2026-11-24T03:00:01Z", "2026-11-24T03:00:05Z", "2026-11-24T03:00:09Z"
LOST = "2026-11-20T08:15:00Z"
SETTINGS = {"org": "acme", "slug": "acme", "realm": "Japan", "ticket": "CMK-1", "ticket_told": "", "revoked_at": ""}
SETTINGS |= {"mode": "api", "ticket_url": ""}
PLANNED = {
    "region": "ap-northeast-1",
    "reference": "alias/atlassian-cmk",
    "arn": "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "key_state_before": "Disabled",
    "key_state": "Enabled",
    "actions": ["EnableKey"],
    "changed": True,
    "error": "",
    "hint": "",
    "calls": [{"operation": "DescribeKey", "at": AT, "error": ""}],
}
DONE = {**PLANNED, "calls": [{"operation": "EnableKey", "at": LATER, "error": ""}]}
PLAN, CHANGE = {"keys": [PLANNED]}, {"keys": [DONE]}
COMMENT = {"reference": "cmk-restore/acme/0123456789ab", "comment_id": "17", "url": "", "at": NOW}


def raw(**more: Any) -> dict[str, Any]:
    nothing = {
        "plan": {},
        "change": {},
        "trust_plan": {},
        "trust_change": {},
        "revocation": {},
        "decided": {},
        "ticket": {},
        "comment": "",
        "error": "",
    }
    times = {"started_at": AT, "now": NOW}
    return {"entry_point": "restore", "check_mode": False, "settings": {**SETTINGS, "problems": []}, "user": ""} | (
        nothing | times | more
    )


def decide(
    plan: dict[str, Any],
    settings: dict[str, Any],
    journal: str = "",
    now: str = AT,
    trust: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Decide as a run does that changes nothing, or once it has changed all that it planned."""
    run = Run.from_json(raw(plan=plan, settings=settings, trust_plan=trust or {}, started_at=now))
    records = Records(journal=journal)
    return settle_run(replace(run, decided=begin_run(run, records)), records, "nonce").as_json()


def decided(**more: Any) -> dict[str, Any]:
    return decide(PLAN, SETTINGS | more)


def done(plan: dict[str, Any], change: dict[str, Any]) -> list[dict[str, Any]]:
    return [as_dict(key) for key in keys_done(Keys.from_json(plan), Keys.from_json(change))]


def as_dict(part: Any) -> dict[str, Any]:
    """The part as JSON has it."""
    read: dict[str, Any] = json.loads(json.dumps(asdict(part)))
    return read


def test_what_a_module_does_not_tell_has_not_happened() -> None:
    key, trust = Keys.from_json({"keys": [{}]}).keys[0], Trust.from_json({"calls": []})
    assert trust
    assert (key.changed, key.waited, key.actions) == (trust.changed, trust.waited, trust.actions) == (False, 0, ())
    assert Keys().failed is False


class TestKeysDone:
    def test_before_anything(self) -> None:
        assert done({}, {}) == []

    def test_the_plan(self) -> None:
        assert done(PLAN, {}) == done(PLAN, {"skipped": True, "changed": False})
        assert PLANNED.items() <= {**done(PLAN, {})[0], "calls": PLANNED["calls"]}.items()

    def test_the_change_after_the_plan(self) -> None:
        (key,) = done(PLAN, CHANGE)
        assert [call["operation"] for call in key["calls"]] == ["DescribeKey", "EnableKey"]

    def test_what_was_predicted_did_not_happen_in_a_change_without_a_result(self) -> None:
        (key,) = done(PLAN, {"failed": True, "msg": "The role cannot be assumed."})
        assert (key["key_state"], key["actions"], key["changed"]) == ("Disabled", [], False)

    def test_keys_of_one_region_are_told_apart(self) -> None:
        plan = {"keys": [{**PLANNED, "reference": name} for name in ("alias/cryptor-a", "alias/cryptor-b")]}
        labels = [key["label"] for key in done({"keys": [*plan["keys"], {**PLANNED, "region": "us-east-1"}]}, {})]
        assert labels == ["ap-northeast-1 alias/cryptor-a", "ap-northeast-1 alias/cryptor-b", "us-east-1"]

    def test_a_key_more_than_planned_with_is_told_too(self) -> None:
        more = {**DONE, "reference": "alias/cryptor-new"}
        first, second = done(PLAN, {"keys": [DONE, more]})
        assert [call["operation"] for call in first["calls"]] == ["DescribeKey", "EnableKey"]
        assert (second["reference"], len(second["calls"])) == ("alias/cryptor-new", 1)


POLICY = {"Statement": [{"Effect": "Deny"}]}
ALLOWS = {"Statement": [{"Effect": "Allow"}]}
TRUST_PLAN = {
    "role_name": "atlassian-key-management",
    "role_arn": "arn:aws:iam::111122223333:role/atlassian-key-management",
    "effect_before": "Deny",
    "effect": "Allow",
    "policy_before": POLICY,
    "policy": ALLOWS,
    "actions": ["UpdateAssumeRolePolicy"],
    "calls": [{"operation": "GetRole", "at": AT, "error": ""}],
    "changed": True,
    "error": "",
    "hint": "",
}
TRUST_DONE = {**TRUST_PLAN, "calls": [{"operation": "UpdateAssumeRolePolicy", "at": NOW, "error": ""}]}


class TestTrustDone:
    PLAN: t.ClassVar = Trust.from_json(TRUST_PLAN)

    def test_without_byok_there_is_none(self) -> None:
        assert trust_done(Trust.from_json({}), None) is None
        assert Trust.from_json({"skipped": True, "changed": False}) is None

    def test_the_plan(self) -> None:
        # A task of its own has overwritten what it says of itself.
        assert trust_done(Trust.from_json({**TRUST_PLAN, "changed": False}), None) == self.PLAN

    def test_the_change_after_the_plan(self) -> None:
        found = trust_done(self.PLAN, Trust.from_json(TRUST_DONE))
        assert found
        assert [call.operation for call in found.calls] == ["GetRole", "UpdateAssumeRolePolicy"]

    @pytest.mark.parametrize(("changed", "before"), [(None, "Deny"), ("Allow", "Allow"), ("Deny", "Deny")])
    def test_the_effect_before_is_the_changes_where_it_was_read(self, changed: str | None, before: str) -> None:
        policies = {"policy_before": ALLOWS, "calls": [], "actions": []}
        found = trust_done(self.PLAN, Trust.from_json({**TRUST_DONE, **policies, "effect_before": changed}))
        assert found
        assert (found.effect_before, found.policy_before, found.changed) == (before, POLICY, False)

    def test_what_was_predicted_did_not_happen_in_a_change_without_a_result(self) -> None:
        found = trust_done(self.PLAN, None, has_failed=True)
        assert found
        assert (found.effect, found.policy, found.actions, found.changed) == ("Deny", POLICY, (), False)


class TestByok:
    SETTINGS: t.ClassVar = {**SETTINGS, "programme": "byok", "problems": []}

    def about(self, trust: dict[str, Any], **more: Any) -> Run:
        known = decide(PLAN, self.SETTINGS | {"revoked_at": LOST}, trust=TRUST_PLAN)
        parts = {"plan": PLAN, "change": CHANGE, "trust_plan": TRUST_PLAN, "trust_change": trust, "decided": known}
        return Run.from_json(raw(settings=self.SETTINGS, **parts, **more))

    def test_the_trust_statement_alone_is_something_to_do(self) -> None:
        plan = {"keys": [{**PLANNED, "actions": [], "key_state_before": "Enabled"}]}
        decided_ = decide(plan, self.SETTINGS, trust=TRUST_PLAN)["announcement"]
        assert decided_["enables"] is True
        assert decided_["states_before"] == {PLANNED["arn"]: "Enabled", "atlassian-key-management": "Deny"}
        assert decide(plan, self.SETTINGS)["announcement"]["enables"] is False

    def test_the_first_state_of_a_restoration_is_kept(self) -> None:
        first = decide(PLAN, self.SETTINGS, trust=TRUST_PLAN)["announcement"]
        kept = {name: first[name] for name in Journal.__dataclass_fields__ if name in first}
        journal = write_journal(Journal.from_json({**kept, "restored_at": None}))
        later = decide(PLAN, self.SETTINGS, journal, NOW, trust={**TRUST_PLAN, "effect_before": "Allow"})
        assert later["announcement"]["states_before"]["atlassian-key-management"] == "Deny"

    def test_restored_when_keys_and_trust_are_well(self) -> None:
        found = self.about(TRUST_DONE, ticket={**COMMENT, "told": True})
        assert restored_at(found) == NOW
        assert '-      "Effect": "Deny"' in found.trust_diff
        assert found.window.reinstate_by == "2026-12-05T08:15:00Z"
        ended = make_result(found)
        assert (ended["status"], ended["programme"]) == ("restored", "byok")
        assert ended["trust"] == {
            "role": "atlassian-key-management",
            "state_before": "Deny",
            "state_after": "Allow",
            "changed": True,
            "error": "",
            "hint": "",
        }

    def test_a_refused_statement_is_partial_and_never_usable(self) -> None:
        refused = {**TRUST_DONE, "error": "No statement.", "hint": "Add it.", "effect": None, "actions": []}
        found = self.about(refused, comment="Text")
        assert (restored_at(found), found.comment) == (None, "")
        assert make_result(found)["status"] == "partial"

    def test_a_run_that_ended_before_the_role_was_read(self) -> None:
        ended = make_result(Run.from_json(raw(settings=self.SETTINGS, error="AWS was not reached.")))
        assert (ended["status"], ended["trust"]["state_before"], ended["trust"]["changed"]) == ("failed", None, False)


def test_what_is_not_told_of_a_run() -> None:
    for found in (Run(), Run.from_json(raw())):
        assert (found.organizations, found.brief, found.check_mode) == (1, False, False)
    assert (
        Run.from_json({name: raw()[name] for name in ("entry_point", "check_mode", "settings", "started_at")}).now == AT
    )


@pytest.mark.parametrize(
    ("more", "state"),
    [
        pytest.param({}, "Enabled", id="as planned"),
        pytest.param({"error": "Stopped."}, "Disabled", id="ended before the change"),
        pytest.param({"error": "Stopped.", "change": CHANGE}, "Enabled", id="ended after the change"),
        pytest.param({"error": "Stopped.", "check_mode": True}, "Enabled", id="check mode predicts"),
        pytest.param({"error": "Stopped.", "entry_point": "assess"}, "Enabled", id="assess predicts"),
        pytest.param({"decided": {"refused": "No."}, "check_mode": True}, "Disabled", id="refused"),
    ],
)
def test_what_was_planned_has_not_happened_in_a_run_that_ended_before_it(more: dict[str, Any], state: str) -> None:
    (key,) = Run.from_json({**raw(plan=PLAN), **more}).keys
    assert key.key_state == state


def test_the_labels_of_what_cloudtrail_tells() -> None:
    told = {
        "keys": [{"arn": PLANNED["arn"], "region": "x"}, {"arn": "arn:of-another", "region": "y"}],
        "last_loss": None,
    }
    found = Run.from_json(raw(plan=PLAN, revocation=told)).labelled_revocation
    assert [key["label"] for key in found["keys"]] == ["ap-northeast-1", "y"]
    assert Run.from_json(raw(plan=PLAN, revocation={"failed": True})).labelled_revocation == {"failed": True}


def test_a_loss_that_the_controller_remembers_ends_with_a_restoration() -> None:
    own = json.dumps({"revoked_at": LOST, "lost_at": LOST})
    two = Run.from_json(raw(plan={"keys": [{**PLANNED, "key_state_before": "Enabled"}, PLANNED]}))
    for restored, before, source in ((None, None, "controller"), (AT, None, None), (None, AT, None), (AT, LOST, None)):
        journal = Journal(started_at=AT, restored_at=restored, previous_restored_at=before)
        assert find_loss(two, Records(revocation=own), journal).source == source


def test_one_key_without_access_is_enough() -> None:
    """CloudTrail shows a loss that was undone: it is not that of the key that is disabled."""
    keys = [{**PLANNED, "key_state_before": "Enabled"}, PLANNED]
    trail = {
        "keys": [{"arn": PLANNED["arn"], "region": "x", "looked_up": True}] * 2,
        "last_loss": {"revoked_at": LOST, "lost_at": LOST, "restored_at": LOST},
    }
    assert find_loss(Run.from_json(raw(plan={"keys": keys}, revocation=trail)), Records(), None).revoked_at is None
    enabled = Run.from_json(raw(plan={"keys": [keys[0], keys[0]]}, revocation=trail))
    assert find_loss(enabled, Records(), None).revoked_at == LOST


def test_the_reference_is_shown_by_a_restore_alone() -> None:
    reference = decided()["announcement"]["reference"]
    for command, check, text in (
        ("restore", False, reference),
        ("restore", True, NO_REFERENCE),
        ("assess", False, NO_REFERENCE),
        ("verify", False, NO_REFERENCE),
    ):
        run = Run.from_json({**raw(plan=PLAN, decided=decided()), "entry_point": command, "check_mode": check})
        assert shown(run)["cmk_announcement"]["reference"] == text
        assert shown(run)["cmk_reference_line"] == f"Reference: {text}"
        assert (evidence_parts(run)["trust"], shown(run)["cmk_trust"]) == ({}, {})
    assert shown(Run.from_json(raw()))["cmk_announcement"] == {}


def test_nothing_is_known() -> None:
    found = Run.from_json(raw())
    assert (found.keys, found.announcement, found.access, found.told_at) == ((), None, (), "")
    assert found.window.phase == "unknown"
    assert (found.loss.revoked_at, found.now) == (None, NOW)


def test_a_given_time_counts_before_anything_is_decided() -> None:
    found = Run.from_json(raw(settings={**SETTINGS, "revoked_at": LOST, "problems": []}))
    assert found.window.revoked_at == LOST


def test_usable_since_the_last_call() -> None:
    found = Run.from_json(raw(plan=PLAN, change=CHANGE, decided=decided(), comment="Text"))
    assert restored_at(found) == LATER
    assert found.comment == "Text"


def test_what_was_not_sent_is_no_comment() -> None:
    failed = {"keys": [{**DONE, "error": "AWS refused."}]}
    assert Run.from_json(raw(plan=PLAN, change=failed, decided=decided(), comment="Text")).comment == ""


def test_the_clock_stops_when_atlassian_is_told() -> None:
    told = Run.from_json(
        raw(plan=PLAN, change=CHANGE, decided=decided(revoked_at=LOST), ticket={**COMMENT, "told": True})
    )
    assert told.told_at == NOW
    assert told.announcement
    assert told.announcement.reference == COMMENT["reference"]
    record = {"by": "api", **COMMENT, "noted_at": "", "author": "", "relied_on": False}
    assert told.announcement.journal.told == record
    assert told.window.days_elapsed == 3.8


def test_told_before_by_a_person() -> None:
    journal = decided(revoked_at=LOST)
    journal["announcement"]["told"] = {"by": "person", "note": "by phone", "at": LATER}
    assert Run.from_json(raw(plan=PLAN, decided=journal)).told_at == LATER


def test_an_earlier_deletion_counts() -> None:
    plan = {"keys": [{**PLANNED, "deletion_date": "2026-11-25T00:00:00+00:00"}]}
    assert Run.from_json(raw(plan=plan, decided=decided())).window.deletion_date == "2026-11-25T00:00:00Z"


def test_the_result_of_it() -> None:
    found = make_result(
        Run.from_json(raw(plan=PLAN, change=CHANGE, decided=decided(), ticket={**COMMENT, "told": True}))
    )
    assert (found["status"], found["finished_at"]) == ("restored", NOW)


def restored_at(run: Run) -> str | None:
    return run.announcement.journal.restored_at if run.announcement else None


NEXT: t.Final = "ansible-playbook keyops.atlassian_cmk."


@pytest.mark.parametrize(
    ("status", "more", "step"),
    [
        ("restored", {}, f"{NEXT}verify_cmk -e org=acme"),
        (
            "handover_pending",
            {},
            f"paste the text above into the ticket, then run: {NEXT}restore_cmk -e org=acme -e cmk_ticket_told=",
        ),
        ("handover_pending", {"mailed_at": NOW}, "open the ticket"),
        ("partial", {"error": "The desk failed.", "hint": "Run again."}, "Run again."),
        ("nothing_to_restore", {}, "if access was lost all the same"),
    ],
)
def test_the_next_step(status: str, more: dict[str, str], step: str) -> None:
    ticket = {"error": "", "hint": "", "mailed_at": "", **more}
    ended = {"org": "acme", "status": status, "error": "", "keys": [], "ticket": ticket}
    assert next_step(ended, RESTORE, check_mode=False).startswith(step)


def test_a_problem_is_fixed_first() -> None:
    ended = {"org": "A B", "status": "partial", "error": "", "keys": [{"error": "denied"}], "ticket": {"error": ""}}
    assert f"run again: {NEXT}restore_cmk -e org='A B'" in next_step(ended, RESTORE, check_mode=False)


class TestSession:
    """When a person must log in to AWS again."""

    @pytest.mark.parametrize(
        ("entry_point", "ends_at", "note"),
        [
            ("assess", None, ""),
            ("assess", "2026-11-24T03:52:09Z", "AWS session ends at 2026-11-24 03:52 UTC (in 52 min)."),
            (
                "assess",
                "2026-11-24T03:04:09Z",
                "WARNING: AWS session ends at 2026-11-24 03:04 UTC (in 4 min). A run may take longer (cmk_wait_timeout), so log "
                "in again before it.",
            ),
            ("assess", "2026-11-24T03:05:09Z", "AWS session ends at 2026-11-24 03:05 UTC (in 5 min)."),
            ("restore", "2026-11-24T03:52:09Z", ""),
            ("restore", "2026-11-24T03:04:09Z", "WARNING: AWS session ends"),
            ("restore", "2026-11-24T02:00:00Z", "WARNING: AWS session ends at 2026-11-24 02:00 UTC (in 0 s)."),
        ],
    )
    def test_a_rehearsal_says_it_and_every_run_warns(self, entry_point: str, ends_at: str | None, note: str) -> None:
        run = Run.from_json(raw(entry_point=entry_point, plan={**PLAN, "session_ends_at": ends_at}))
        assert run.session_note.startswith(note) if note.startswith("WARNING") else run.session_note == note


def run_of(**more: Any) -> Run:
    return Run.from_json({**raw(), **more})


@pytest.mark.parametrize(
    ("change", "acted"),
    [({}, False), ({"keys": [DONE]}, True), ({"failed": True, "msg": "The module ended without a result."}, True)],
)
def test_a_change_without_a_result_may_have_changed_a_key(change: dict[str, Any], acted: bool) -> None:
    assert run_of(change=change).acted is acted


def test_what_a_run_that_reached_nothing_takes_for_granted() -> None:
    assert (Run().trust_failed, Run().is_part) == (False, False)


def test_the_numbers_of_the_jobs_are_kept() -> None:
    assert run_of(job=12, workflow_job="7").awx == {"job": "12", "workflow_job": "7"}
    assert run_of().awx == {"job": "", "workflow_job": ""}


def test_a_mailed_comment_is_remembered_in_the_journal() -> None:
    mailed = {"to": "desk@example.com", "at": NOW, "message_id": "<1@example.com>"}
    found = run_of(plan=PLAN, decided=decided(), ticket={"mailed": mailed}).announcement
    assert found
    assert found.journal.mailed == mailed
    before = decided()
    before["announcement"]["mailed"] = mailed
    kept = run_of(plan=PLAN, decided=before).announcement
    assert kept
    assert kept.journal.mailed == mailed, "a run that mails nothing forgets nothing"


def test_a_revocation_of_its_own_is_added_to_an_earlier_loss() -> None:
    earlier = {"revoked_at": LOST, "lost_at": LOST, "source": "cloudtrail"}
    revoking = {"entry_point": "revoke", "plan": {"keys": [{**PLANNED, "actions": []}]}}
    assert run_of(**revoking, decided={"loss": earlier}).loss.revoked_at == LOST
    assert run_of(**revoking).loss.revoked_at is None


def test_the_diff_of_a_trust_policy_has_two_lines_around_a_change() -> None:
    run = run_of(trust_plan=TRUST_PLAN, trust_change=TRUST_DONE)
    assert [line[:1] for line in run.trust_diff.splitlines()[3:]] == [" ", " ", "-", "+", " ", " "]


def test_a_key_whose_state_is_not_known_has_none_before() -> None:
    unread = {**PLANNED, "key_state_before": None}
    unnamed = {**PLANNED, "arn": None}
    assert run_of(plan={"keys": [unread, unnamed]}).states_before == {}
    assert run_of(plan=PLAN).states_before == {PLANNED["arn"]: "Disabled"}


UNDONE = {"revoked_at": LOST, "lost_at": LOST, "restored_at": "2026-11-24T03:00:03Z"}


def trail(*complete: bool, loss: dict[str, Any] = UNDONE) -> dict[str, Any]:
    keys = [{"arn": PLANNED["arn"], "region": "x", "looked_up": True, "complete": whole} for whole in complete]
    return {"keys": keys, "last_loss": loss, "identity": "ap-northeast-1:1"}


@pytest.mark.parametrize(("changed_at", "revoked_at"), [(None, LOST), ("2026-11-24T03:00:30Z", None)])
def test_a_loss_that_was_undone_before_the_last_change_is_not_the_present_one(
    changed_at: str | None, revoked_at: str | None
) -> None:
    run = run_of(plan={"keys": [{**PLANNED, "key_state_before": "Enabled"}]}, revocation=trail(True))
    assert find_loss(run, Records(), Journal(changed_at=changed_at)).revoked_at == revoked_at


@pytest.mark.parametrize(
    ("plan", "change", "revoked_at"),
    [(None, None, LOST), (10, None, None), (None, 10, None), (0, 10, LOST)],
    ids=["not known", "by the plan", "by the change", "the plan's first"],
)
def test_clocks_are_compared_by_what_the_plan_or_else_the_change_has_measured(
    plan: float | None, change: float | None, revoked_at: str | None
) -> None:
    """AWS's clock is ahead, so the loss was undone before the run began: it is not that of the disabled key."""
    run = run_of(plan={**PLAN, "clock_offset": plan}, change={**CHANGE, "clock_offset": change}, revocation=trail(True))
    assert find_loss(run, Records(), None).revoked_at == revoked_at


@pytest.mark.parametrize(("asked", "complete", "identity"), [(2, True, "ap-northeast-1:1"), (1, False, None)])
def test_of_a_key_that_was_not_asked_about_nothing_is_known(asked: int, complete: bool, identity: str | None) -> None:
    enabled = {**PLANNED, "key_state_before": "Enabled"}
    loss = find_loss(run_of(plan={"keys": [enabled] * 2}, revocation=trail(*[True] * asked)), Records(), None)
    assert (loss.complete, loss.identity) == (complete, identity)


@pytest.mark.parametrize("relied_on", [True, False])
def test_a_comment_that_is_relied_on_is_named(relied_on: bool) -> None:
    known = decided()
    known["announcement"]["told"] = told = {"by": "api", **COMMENT, "relied_on": relied_on}
    assert shown(run_of(plan=PLAN, decided=known))["cmk_told_relied_on"] == (told if relied_on else None)
