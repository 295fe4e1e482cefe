"""What a run is about, what it changes, and what is remembered of it."""

from __future__ import annotations

import json
import typing as t
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided, Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import (
    access_to_keep,
    begin_run,
    decide_revocation,
    find_targets,
    journal_to_keep,
    revocation_to_keep,
    settle_run,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal, read_journal, write_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run

from .test_run import AT, DONE, LATER, LOST, NOW, PLANNED, SETTINGS, TRUST_PLAN, raw

ARN = str(PLANNED["arn"])
SAME = {**PLANNED, "key_state_before": "Enabled", "actions": [], "changed": False}
FAILED = {**DONE, "error": "AWS refused.", "hint": "Allow it.", "code": "denied"}
SILENT = {**PLANNED, "arn": None, "key_state_before": None, "actions": [], "code": "not_reached", "error": "No answer."}
REFERENCE = "cmk-restore/acme/0123456789ab"
TOLD = {"by": "api", "comment_id": "17", "at": NOW}


def run(*plan: dict[str, Any], command: str = "restore", **more: Any) -> Run:
    settings = {**SETTINGS, "problems": [], **more.pop("settings", {})}
    change = more.pop("change", ())
    parts = {"plan": {"keys": list(plan)}, "change": {"keys": list(change)} if change else {}, "settings": settings}
    return Run.from_json({**raw(**{**parts, **more}), "entry_point": command})


class TestBegin:
    @pytest.mark.parametrize(
        ("plan", "trust", "changes"),
        [
            ([PLANNED], {}, True),
            ([SAME], {}, False),
            ([SAME, PLANNED], {}, True),
            ([SAME, SILENT], {}, True),
            ([SAME], TRUST_PLAN, True),
            ([SAME], {**TRUST_PLAN, "actions": []}, False),
            ([SAME, FAILED | {"actions": []}], {}, False),
        ],
    )
    def test_whether_anything_is_to_be_changed(
        self, plan: list[dict[str, Any]], trust: dict[str, Any], changes: bool
    ) -> None:
        begun = begin_run(run(*plan, trust_plan=trust), Records())
        assert (begun.changes, begun.begun is not None, begun.earlier) == (changes, changes, None)
        assert begun.changes_trust is bool(trust.get("actions"))

    def test_the_journal_as_it_was(self) -> None:
        earlier = Journal(started_at=LOST, reference=REFERENCE)
        assert begin_run(run(SAME), Records(write_journal(earlier))).earlier == earlier

    @pytest.mark.parametrize(
        ("plan", "wanted", "target"),
        [
            (PLANNED, {}, {"region": "ap-northeast-1", "key_id": "alias/atlassian-cmk", "expected_arn": ARN}),
            (SILENT, {}, {"region": "ap-northeast-1", "key_id": "alias/atlassian-cmk"}),
            (SILENT, {"alias_prefix": "alias/cryptor"}, {"region": "ap-northeast-1", "alias_prefix": "alias/cryptor"}),
            (
                PLANNED,
                {"alias_prefix": "alias/cryptor"},
                {"region": "ap-northeast-1", "key_id": "alias/atlassian-cmk", "expected_arn": ARN},
            ),
        ],
    )
    def test_what_was_shown_is_what_is_changed(
        self, plan: dict[str, Any], wanted: dict[str, str], target: dict[str, str]
    ) -> None:
        keys = [{"region": "ap-northeast-1", **wanted}] if wanted else []
        assert find_targets(run(plan, settings={"keys": keys})) == (target,)


class TestSettle:
    def settled(self, *plan: dict[str, Any], journal: Journal | None = None, **more: Any) -> Decided:
        records, made = Records(write_journal(journal) if journal else ""), run(*plan, **more)
        return settle_run(replace(made, decided=begin_run(made, records)), records, "nonce")

    @pytest.mark.parametrize(
        ("plan", "change", "enables"),
        [
            ([PLANNED], (), True),
            ([SAME], (), False),
            ([PLANNED], (DONE,), True),
            ([SILENT], (DONE,), True),
            ([SILENT], (SAME,), False),
            ([SILENT], (FAILED | {"actions": []},), True),
            ([SAME, PLANNED], (SAME, DONE), True),
            ([SAME, SILENT], (SAME, FAILED | {"actions": []}), True),
        ],
    )
    def test_whether_access_is_restored(
        self, plan: list[dict[str, Any]], change: tuple[dict[str, Any], ...], enables: bool
    ) -> None:
        announcement = self.settled(*plan, change=change).announcement
        assert announcement
        assert announcement.enables is enables

    def test_no_restoration_has_begun_if_every_key_was_enabled(self) -> None:
        earlier = Journal(started_at=LOST, reference=REFERENCE, restored_at=LOST, ticket="CMK-1")
        for change, started_at in ((SAME, LOST), (DONE, AT)):
            announcement = self.settled(SILENT, change=(change,), journal=earlier).announcement
            assert announcement
            assert announcement.journal.started_at == started_at

    def test_the_trust_statement_alone_restores_it(self) -> None:
        announcement = self.settled(SAME, change=(SAME,), trust_plan=TRUST_PLAN).announcement
        assert announcement
        assert announcement.enables is True

    COMPLETE: t.ClassVar = {"keys": [{"arn": ARN, "region": "ap-northeast-1", "looked_up": True, "complete": True}]}

    @pytest.mark.parametrize(
        ("plan", "more", "announces"),
        [
            (SAME, {}, True),
            (PLANNED, {"change": (DONE,)}, True),
            (PLANNED, {"change": (FAILED,)}, False),
            (SAME, {"revocation": COMPLETE}, False),  # no key was lost
            (SAME, {"trust_plan": {**TRUST_PLAN, "error": "No statement.", "actions": []}}, False),
        ],
    )
    def test_whether_atlassian_can_be_notified(
        self, plan: dict[str, Any], more: dict[str, Any], announces: bool
    ) -> None:
        assert self.settled(plan, **more).announces is announces

    def test_what_the_journal_tells_of_the_ticket(self) -> None:
        journal = Journal(started_at=LOST, reference=REFERENCE, ticket="CMK-1", restored_at=AT, told=TOLD)
        ticket = self.settled(SAME, journal=journal).ticket
        assert (ticket.told, ticket.comment_id) == (True, "17")
        assert self.settled(SAME, journal=replace(journal, told=None)).ticket.told is False
        assert self.settled(SAME, FAILED | {"actions": []}, journal=journal).ticket.told is False

    @pytest.mark.parametrize(("confirm", "refused"), [("acme", False), ("", True), ("Acme", True)])
    def test_a_revocation_is_confirmed(self, confirm: str, refused: bool) -> None:
        decided = decide_revocation(run(SAME, command="revoke", settings={"confirm": confirm}), Records())
        assert ("so nothing was disabled" in decided.refused) is refused
        assert bool(decided.refused) is refused

    def test_a_revocation_keeps_a_copy_itself(self) -> None:
        trail = {"keys": [{"arn": ARN, "region": "ap-northeast-1", "policy": {}, "grants": []}]}
        decided = decide_revocation(run(SAME, command="revoke", revocation=trail), Records())
        assert [one.note for one in decided.access] == [""]


class TestAccess:
    TRAIL: t.ClassVar = {"keys": [{"arn": ARN, "region": "ap-northeast-1", "policy": {"a": 1}, "grants": []}]}
    CHANGED: t.ClassVar = [{"region": "ap-northeast-1", "arn": ARN, "changed": True}]

    @pytest.mark.parametrize(
        ("command", "plan", "more", "keeps"),
        [
            ("assess", [SAME], {}, True),
            ("revoke", [SAME], {}, True),
            ("restore", [SAME], {}, False),
            ("verify", [SAME], {}, False),
            ("assess", [], {}, False),
            ("assess", [PLANNED], {}, False),
            ("assess", [SAME, {**PLANNED, "region": "us-east-1"}], {}, False),
            ("assess", [SAME, {**SAME, "region": "us-east-1"}], {}, False),  # of one key nothing was read
            ("assess", [SAME], {"decided": {"access": CHANGED}}, False),
            ("assess", [SAME], {"decided": {"access": CHANGED}, "settings": {"access_accept": True}}, True),
            ("assess", [SAME], {"decided": {"access": [{**CHANGED[0], "changed": False}]}}, True),
            ("assess", [SAME, PLANNED], {"revocation": {"keys": TRAIL["keys"] * 2}}, False),
            ("revoke", [SAME], {"decided": {"refused": "Not confirmed."}}, False),
        ],
    )
    def test_a_copy_is_kept_of_keys_that_all_work_or_of_none(
        self, command: str, plan: list[dict[str, Any]], more: dict[str, Any], keeps: bool
    ) -> None:
        kept = access_to_keep(run(*plan, command=command, **{"revocation": self.TRAIL, **more}))
        assert (kept is not None) is keeps
        if kept is not None:
            assert json.loads(kept) == {ARN: {"policy": {"a": 1}, "grants": []}}


class TestJournal:
    def kept(self, announcement: Announcement | None, command: str = "restore", **decided: Any) -> str | None:
        made = run(SAME, command=command)
        return journal_to_keep(replace(made, decided=Decided(announcement=announcement, **decided)))

    JOURNAL: t.ClassVar = Journal(started_at=AT, reference=REFERENCE, restored_at=LATER)

    def test_it_is_kept_by_a_restore(self) -> None:
        kept = self.kept(Announcement(self.JOURNAL))
        assert kept
        assert read_journal(kept, "acme") == self.JOURNAL

    @pytest.mark.parametrize("command", ["assess", "verify", "revoke"])
    def test_and_by_no_other_command(self, command: str) -> None:
        assert self.kept(Announcement(self.JOURNAL), command) is None

    def test_nothing_was_settled_or_another_run_writes_it(self) -> None:
        assert self.kept(None) is None
        assert self.kept(Announcement(self.JOURNAL), lock={"holder": {"pid": 1}}) is None
        assert self.kept(Announcement(self.JOURNAL), lock={"holder": None, "held": True}) is not None

    @pytest.mark.parametrize(
        ("earlier", "changes", "kept"),
        [(None, False, None), (JOURNAL, False, None), (None, True, ""), (JOURNAL, True, write_journal(JOURNAL))],
    )
    def test_no_key_was_lost(self, earlier: Journal | None, changes: bool, kept: str | None) -> None:
        announcement = Announcement(self.JOURNAL, nothing_lost=True)
        assert self.kept(announcement, earlier=earlier, changes=changes) == kept

    def test_how_atlassian_was_notified(self) -> None:
        told = {**TOLD, "already_told": True}
        kept = self.kept(Announcement(replace(self.JOURNAL, told=told)))
        assert kept
        assert json.loads(kept)["told"] == TOLD

    def test_a_comment_that_is_relied_on_is_not_remembered(self) -> None:
        assert self.kept(Announcement(replace(self.JOURNAL, told={**TOLD, "relied_on": True}))) is None


class TestRevocation:
    GONE: t.ClassVar = {
        **PLANNED,
        "key_state_before": "Enabled",
        "key_state": "Disabled",
        "actions": ["DisableKey"],
        "calls": [{"operation": "DisableKey", "at": LATER, "error": ""}],
    }

    @pytest.mark.parametrize(
        ("command", "key", "remembers"),
        [
            ("revoke", GONE, True),
            ("revoke", {**GONE, "changed": False, "actions": []}, False),
            ("restore", DONE, False),
        ],
    )
    def test_what_this_run_disabled_is_remembered(self, command: str, key: dict[str, Any], remembers: bool) -> None:
        kept = revocation_to_keep(run(key, command=command, change=(key,)))
        assert (kept is not None) is remembers
        if kept is not None:
            assert json.loads(kept) == {"revoked_at": LATER, "lost_at": LATER}

    def test_one_key_is_enough(self) -> None:
        same = {**self.GONE, "region": "us-east-1", "key_state_before": "Disabled", "changed": False, "calls": []}
        assert revocation_to_keep(run(self.GONE, same, command="revoke", change=(self.GONE, same))) is not None
