"""When was access lost? One derivation."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import KEY_STATES
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import (
    AccessLoss,
    add_own_revocation,
    find_access_loss,
    read_own_revocation,
    write_own_revocation,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail

NOW: t.Final = "2026-11-24T03:00:00Z"
KEY: t.Final = {"looked_up": True, "complete": True, "reason": "CloudTrail shows no loss."}


def trail(lost: str | None = None, restored: str | None = None, **more: t.Any) -> Trail:
    loss = {"revoked_at": lost, "lost_at": lost, "restored_at": restored} if lost else None
    named = "us-east-1:e1" if lost else None
    return Trail.from_json({"keys": [KEY, KEY], "last_loss": loss, "identity": named, **more})


def test_what_cloudtrail_shows() -> None:
    loss = find_access_loss(trail("2026-11-20T03:00:00Z"), is_lost_now=True, started_at=NOW)
    assert (loss.revoked_at, loss.source, loss.identity) == ("2026-11-20T03:00:00Z", "cloudtrail", "us-east-1:e1")
    assert loss.since == loss.lost_at


def test_a_loss_that_was_undone_is_never_that_of_a_key_that_is_disabled_now() -> None:
    """A drill 25 days ago, the keys disabled a minute ago, and CloudTrail is late."""
    loss = find_access_loss(trail("2026-10-30T03:00:00Z", "2026-10-30T04:00:00Z"), is_lost_now=True, started_at=NOW)
    assert (loss.revoked_at, loss.source, loss.identity) == (None, None, None)
    assert loss.not_before == "2026-10-30T04:00:00Z"
    assert "too recent for CloudTrail" in loss.reason
    assert "at the earliest after 2026-10-30 04:00 UTC" in loss.reason
    assert not loss.is_ruled_out
    assert not loss.is_unknown


def test_a_loss_that_the_restoration_before_has_undone_is_over_whatever_cloudtrail_shows() -> None:
    """It was restored minutes ago, which CloudTrail does not show yet, and a key is lost again."""
    found = trail("2026-11-24T02:50:00Z")
    loss = find_access_loss(found, is_lost_now=True, started_at=NOW, restored_before="2026-11-24T02:55:00Z")
    assert (loss.revoked_at, loss.not_before, loss.since) == (None, "2026-11-24T02:55:00Z", "2026-11-24T02:55:00Z")
    same = find_access_loss(found, is_lost_now=True, started_at=NOW, restored_before="2026-11-24T02:45:00Z")
    assert same.revoked_at == "2026-11-24T02:50:00Z"


def test_of_keys_that_are_enabled_the_last_loss_is_meant() -> None:
    loss = find_access_loss(trail("2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z"), started_at=NOW)
    assert (loss.revoked_at, loss.restored_at) == ("2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z")


def test_what_this_run_itself_has_undone_is_its_loss() -> None:
    """CloudTrail is asked after the keys were enabled, and may show that already."""
    loss = find_access_loss(trail("2026-11-20T03:00:00Z", "2026-11-24T03:00:04Z"), is_lost_now=True, started_at=NOW)
    assert loss.revoked_at == "2026-11-20T03:00:00Z"


@pytest.mark.parametrize(("restored", "known"), [("2026-11-24T02:59:58Z", True), ("2026-11-24T02:59:57Z", False)])
def test_two_seconds_are_rounding(restored: str, known: bool) -> None:
    loss = find_access_loss(trail("2026-11-24T02:50:00Z", restored), is_lost_now=True, started_at=NOW)
    assert (loss.revoked_at is not None) is known


@pytest.mark.parametrize(("offset", "known"), [(0, False), (-300, True)])
def test_a_second_loss_minutes_after_the_first(offset: float, known: bool) -> None:
    """By AWS's clock the first one was undone at 02:58; with a clock that is 5 minutes slow that is after this run's start."""
    found = trail("2026-11-24T02:50:00Z", "2026-11-24T02:58:00Z")
    loss = find_access_loss(found, is_lost_now=True, started_at=NOW, clock_offset=offset)
    assert (loss.revoked_at is not None) is known


def test_times_are_compared_by_the_controllers_clock() -> None:
    loss = find_access_loss(trail("2026-11-24T03:04:00Z"), is_lost_now=True, started_at=NOW, clock_offset=300.0)
    assert (loss.lost_at, loss.since) == ("2026-11-24T03:04:00Z", "2026-11-24T02:59:00Z")


class TestGiven:
    GIVEN: t.Final = "2026-11-22T03:00:00Z"

    def test_it_counts_before_everything_else(self) -> None:
        remembered = {"revoked_at": "2026-11-21T03:00:00Z", "lost_at": "2026-11-21T03:00:00Z"}
        loss = find_access_loss(
            trail("2026-11-20T03:00:00Z"), given=self.GIVEN, remembered=remembered, is_lost_now=True, started_at=NOW
        )
        assert (loss.revoked_at, loss.source) == (self.GIVEN, "given")

    def test_the_loss_that_cloudtrail_shows_names_it(self) -> None:
        loss = find_access_loss(trail("2026-11-22T02:00:00Z"), given=self.GIVEN, is_lost_now=True, started_at=NOW)
        assert loss.identity == "us-east-1:e1"

    @pytest.mark.parametrize("found", [trail(), trail("2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z")])
    def test_a_loss_that_cloudtrail_does_not_show(self, found: Trail) -> None:
        """A policy that locks the vendor out, for example."""
        loss = find_access_loss(found, given=self.GIVEN, started_at=NOW)
        assert (loss.identity, loss.restored_at, loss.since) == (f"given {self.GIVEN}", None, self.GIVEN)

    @pytest.mark.parametrize(("given", "named"), [("2026-11-22T03:00:00Z", True), ("2026-11-22T03:00:01Z", False)])
    def test_a_time_after_the_loss_was_undone_is_another_loss(self, given: str, named: bool) -> None:
        found = trail("2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z")
        assert (find_access_loss(found, given=given, started_at=NOW).identity == "us-east-1:e1") is named

    def test_an_old_value_does_not_move_the_time_back_from_which_a_comment_counts(self) -> None:
        loss = find_access_loss(trail("2026-11-23T03:00:00Z"), given=self.GIVEN, is_lost_now=True, started_at=NOW)
        assert loss.since == "2026-11-23T03:00:00Z"


class TestRemembered:
    REMEMBERED: t.Final = {"revoked_at": "2026-11-23T03:00:00Z", "lost_at": "2026-11-23T03:00:05Z"}

    @pytest.mark.parametrize("found", [Trail(), trail(), trail("2026-11-20T03:00:00Z", "2026-11-20T04:00:00Z")])
    def test_it_counts_until_cloudtrail_shows_it(self, found: Trail) -> None:
        loss = find_access_loss(found, remembered=self.REMEMBERED, is_lost_now=True, started_at=NOW)
        assert (loss.revoked_at, loss.source, loss.identity) == ("2026-11-23T03:00:00Z", "controller", None)
        assert loss.since == "2026-11-23T03:00:05Z"

    def test_it_does_not_count_once_cloudtrail_shows_that_it_was_undone(self) -> None:
        found = trail("2026-11-23T03:00:04Z", "2026-11-23T04:00:00Z")
        loss = find_access_loss(found, remembered=self.REMEMBERED, is_lost_now=True, started_at=NOW)
        assert (loss.revoked_at, loss.source, loss.not_before) == (None, None, "2026-11-23T04:00:00Z")

    def test_then_cloudtrail_counts(self) -> None:
        found = trail("2026-11-23T03:00:04Z")
        loss = find_access_loss(found, remembered=self.REMEMBERED, is_lost_now=True, started_at=NOW)
        assert (loss.source, loss.identity) == ("cloudtrail", "us-east-1:e1")

    @pytest.mark.parametrize(
        ("restored_at", "counts"),
        [
            (None, True),
            ("2026-11-23T03:00:04Z", True),
            ("2026-11-23T03:00:05Z", False),
            ("2026-11-23T04:00:00Z", False),
        ],
    )
    def test_a_restoration_ends_it(self, restored_at: str | None, counts: bool) -> None:
        record = json.dumps(self.REMEMBERED)
        assert read_own_revocation(record, restored_at) == (self.REMEMBERED if counts else {})

    @pytest.mark.parametrize("record", ["", "{", "[]", "unreadable", '{"revoked_at": "x", "lost_at": 1}', "[" * 5000])
    def test_a_damaged_record_counts_as_none(self, record: str) -> None:
        assert read_own_revocation(record, None) == {}

    def test_it_is_read_as_it_was_written(self) -> None:
        text = write_own_revocation(AccessLoss.from_json(self.REMEMBERED))
        assert text == json.dumps(self.REMEMBERED, indent=2) + "\n"
        assert read_own_revocation(text, None) == self.REMEMBERED


class TestNothingKnown:
    def test_nobody_was_asked(self) -> None:
        assert AccessLoss.from_json({}).is_unknown

    def test_cloudtrail_was_read_completely_and_shows_nothing(self) -> None:
        loss = find_access_loss(trail(), started_at=NOW)
        assert (loss.is_ruled_out, loss.is_unknown) == (True, False)
        assert loss.reason == "CloudTrail shows no loss."

    @pytest.mark.parametrize(
        "found",
        [
            {},
            {"keys": []},
            {"keys": [KEY, {**KEY, "complete": False}], "last_loss": None, "identity": None},
            {"keys": [KEY, {"looked_up": False, "reason": "AWS refused LookupEvents."}]},
        ],
    )
    def test_it_could_not_be_read(self, found: dict[str, t.Any]) -> None:
        loss = find_access_loss(Trail.from_json(found), started_at=NOW)
        assert (loss.is_ruled_out, loss.is_unknown) == (False, True)

    def test_a_region_that_is_read_and_shows_a_loss_is_something(self) -> None:
        found = trail("2026-11-20T03:00:00Z", keys=[KEY, {**KEY, "complete": False}], identity=None)
        loss = find_access_loss(found, is_lost_now=True, started_at=NOW)
        assert (loss.is_unknown, loss.revoked_at, loss.identity) == (False, "2026-11-20T03:00:00Z", None)


class TestOwnRevocation:
    CALLS: t.Final = [{"operation": "DisableKey", "at": "2026-11-24T03:00:02Z", "error": ""}]

    def key(self, before: str, calls: t.Any = ()) -> Key:
        return Keys.from_json({"keys": [{"key_state_before": before, "calls": list(calls)}]}).keys[0]

    def test_what_this_run_disabled(self) -> None:
        loss = add_own_revocation(AccessLoss(), [self.key("Enabled", self.CALLS)])
        assert (loss.revoked_at, loss.lost_at, loss.source) == ("2026-11-24T03:00:02Z",) * 2 + ("controller",)

    def test_the_clock_starts_with_the_first_key(self) -> None:
        later = [{**self.CALLS[0], "at": "2026-11-24T03:00:07Z"}]
        loss = add_own_revocation(AccessLoss(), [self.key("Enabled", self.CALLS), self.key("Enabled", later)])
        assert loss.revoked_at == "2026-11-24T03:00:02Z"
        assert loss.lost_at == loss.since == "2026-11-24T03:00:07Z"

    @pytest.mark.parametrize("state", KEY_STATES)
    def test_what_is_known_before_counts_while_a_key_is_without_access(self, state: str) -> None:
        before = AccessLoss(revoked_at="2026-11-23T03:00:00Z", source="given")
        loss = add_own_revocation(before, [self.key(state), self.key("Enabled", self.CALLS)])
        # AWS KMS Developer Guide, "Key states of AWS KMS keys".
        is_away = state in ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport")
        assert loss.source == ("given" if is_away else "controller")
        assert loss.revoked_at == ("2026-11-23T03:00:00Z" if is_away else "2026-11-24T03:00:02Z")

    def test_an_earlier_loss_counts_if_access_was_away(self) -> None:
        before = AccessLoss(revoked_at="2026-11-23T03:00:00Z", lost_at="2026-11-23T03:00:00Z", source="cloudtrail")
        loss = add_own_revocation(before, [self.key("Disabled"), self.key("Enabled", self.CALLS)])
        assert (loss.revoked_at, loss.lost_at) == ("2026-11-23T03:00:00Z", "2026-11-24T03:00:02Z")

    def test_and_does_not_if_it_was_back(self) -> None:
        before = AccessLoss(revoked_at="2026-11-23T03:00:00Z", source="given")
        keys = [self.key("Enabled", self.CALLS), self.key("Enabled", self.CALLS)]
        assert add_own_revocation(before, keys).revoked_at == "2026-11-24T03:00:02Z"

    def test_nothing_was_disabled(self) -> None:
        before = AccessLoss(revoked_at="2026-11-23T03:00:00Z", source="given")
        assert add_own_revocation(before, [self.key("Disabled")]) == before
        failed = [{**self.CALLS[0], "error": "AccessDeniedException"}]
        assert add_own_revocation(before, [self.key("Enabled", failed)]).revoked_at is None


def test_it_passes_from_task_to_task() -> None:
    loss = find_access_loss(trail("2026-11-20T03:00:00Z"), is_lost_now=True, started_at=NOW)
    assert AccessLoss.from_json(json.loads(json.dumps({**asdict(loss), "more": 1}))) == loss
