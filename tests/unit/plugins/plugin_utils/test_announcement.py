"""Which restoration is this, and was Atlassian notified of it?"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    Announcement,
    announced,
    begin,
    posted,
    settle,
    template_fault,
    with_reference,
    with_usable,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Answer, Mention
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Call, Key
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings

NOW: t.Final = "2026-11-24T03:00:00Z"
EARLIER: t.Final = "2026-11-20T08:00:00Z"
EAST, WEST = "arn:aws:kms:us-east-1:111122223333:key/e", "arn:aws:kms:us-west-2:111122223333:key/w"
DISABLED: t.Final = {EAST: "Disabled", WEST: "Disabled"}
ENABLED: t.Final = {EAST: "Enabled", WEST: "Enabled"}
SETTINGS: t.Final = Settings(slug="acme", ticket="CMK-1")
LOSS: t.Final = AccessLoss(
    revoked_at="2026-11-21T03:00:00Z",
    lost_at="2026-11-21T03:00:05Z",
    identity="us-east-1:e1,us-west-2:w1",
    source="cloudtrail",
    complete=True,
    since="2026-11-21T03:00:05Z",
)
UNKNOWN: t.Final = AccessLoss(reason="CloudTrail was not asked.")
RULED_OUT: t.Final = AccessLoss(complete=True)


def settled(
    journal: Journal | None, loss: AccessLoss, *, enables: bool = False, now: str = NOW, **settings: t.Any
) -> Announcement:
    states = DISABLED if enables else ENABLED
    return settle(journal, loss, states, dataclasses.replace(SETTINGS, **settings), enables=enables, now=now, nonce="n")


def restored(loss: AccessLoss = LOSS, now: str = NOW, **told: t.Any) -> Journal:
    """The journal of a restoration that is complete; notified if told how."""
    begun = begin(None, DISABLED, changes=True, ticket="CMK-1", now=now)
    journal = settled(begun, loss, enables=True, now=now).journal
    return dataclasses.replace(journal, restored_at=_later(now, 9), told=told or None)


def _later(moment: str, seconds: int) -> str:
    return f"{moment[:17]}{int(moment[17:19]) + seconds:02d}Z"


def mention(reference: str, noted_at: str = "2026-11-24T03:00:10Z", **more: t.Any) -> Mention:
    return Mention(reference, "1", **{"at": noted_at, "noted_at": noted_at, **more})


class TestBegin:
    def test_nothing_is_remembered_of_a_run_that_changes_nothing(self) -> None:
        assert begin(None, ENABLED, changes=False, ticket="CMK-1", now=NOW) is None

    def test_a_first_restoration(self) -> None:
        journal = begin(None, DISABLED, changes=True, ticket="CMK-1", now=NOW)
        assert journal == Journal(started_at=NOW, changed_at=NOW, ticket="CMK-1", states_before=DISABLED)

    def test_a_restoration_that_misses_keys_goes_on(self) -> None:
        begun = begin(None, DISABLED, changes=True, ticket="CMK-1", now=EARLIER)
        journal = begin(begun, {EAST: "Enabled", WEST: "Disabled"}, changes=True, ticket="CMK-1", now=NOW)
        assert journal
        assert (journal.started_at, journal.changed_at, journal.states_before) == (EARLIER, NOW, DISABLED)

    @pytest.mark.parametrize(
        "earlier",
        [
            restored(now=EARLIER),
            restored(now=EARLIER, by="api", at=_later(EARLIER, 10)),
            dataclasses.replace(restored(now=EARLIER), restored_at=None, mailed={"to": "desk@example.com"}),
            Journal(is_damaged=True),
        ],
        ids=["complete, not notified", "notified", "mailed", "damaged"],
    )
    def test_whatever_was_complete_before_this_is_another_restoration(self, earlier: Journal) -> None:
        journal = begin(earlier, DISABLED, changes=True, ticket="CMK-1", now=NOW)
        assert journal
        assert (journal.started_at, journal.reference, journal.told, journal.mailed) == (NOW, "", None, None)
        assert journal.previous_reference == earlier.reference

    @pytest.mark.parametrize("usable", ["Enabled", "Allow"])
    def test_the_state_before_is_never_one_in_which_access_was_there(self, usable: str) -> None:
        """A region came back, and its key was lost again before the other region came back."""
        begun = begin(None, {EAST: usable, WEST: "Disabled"}, changes=True, ticket="", now=EARLIER)
        journal = begin(begun, {EAST: "Disabled", WEST: "Enabled"}, changes=True, ticket="", now=NOW)
        assert journal
        assert journal.states_before == DISABLED

    @pytest.mark.parametrize(
        ("restored_at", "before"), [(EARLIER, EARLIER), (None, "2026-11-19T08:00:00Z")], ids=["complete", "mailed"]
    )
    def test_when_the_restoration_before_was_complete(self, restored_at: str | None, before: str) -> None:
        earlier = Journal(
            started_at=EARLIER,
            reference="" if restored_at is None else "cmk-restore/acme/0123456789ab",
            restored_at=restored_at,
            mailed={"to": "desk@example.com"},
            previous_reference="cmk-restore/acme/ba9876543210",
            previous_restored_at="2026-11-19T08:00:00Z",
        )
        journal = begin(earlier, DISABLED, changes=True, ticket="", now=NOW)
        assert journal
        assert journal.previous_restored_at == before
        assert journal.previous_reference == (earlier.reference or earlier.previous_reference)

    def test_states_are_remembered_by_key(self) -> None:
        """After a re-encryption the new key of a region never had the state of the old one."""
        begun = begin(None, {EAST: "Disabled"}, changes=True, ticket="", now=EARLIER)
        journal = begin(begun, {WEST: "Enabled", "arn:new": "PendingImport"}, changes=True, ticket="", now=NOW)
        assert journal
        assert journal.states_before == {WEST: "Enabled", "arn:new": "PendingImport"}


class TestReference:
    def test_it_is_the_same_for_the_same_loss_on_any_controller(self) -> None:
        ours = settled(begin(None, DISABLED, changes=True, ticket="", now=NOW), LOSS, enables=True)
        theirs = settled(None, LOSS, now="2026-11-25T03:00:00Z")
        assert ours.journal.reference == theirs.journal.reference

    def test_it_is_settled_once(self) -> None:
        journal = restored(UNKNOWN)
        assert settled(journal, LOSS).journal.reference == journal.reference

    def test_no_restoration_has_the_name_of_the_one_before_it(self) -> None:
        """CloudTrail is late, and still names the loss before this one."""
        earlier = restored(now=EARLIER, by="api", at=_later(EARLIER, 10))
        begun = begin(earlier, DISABLED, changes=True, ticket="CMK-1", now=NOW)
        assert settled(begun, LOSS, enables=True).journal.reference != earlier.reference

    def test_without_a_known_loss_nobody_can_foretell_it(self) -> None:
        begun = begin(None, DISABLED, changes=True, ticket="", now=NOW)
        names = {
            settle(begun, UNKNOWN, DISABLED, SETTINGS, enables=True, now=NOW, nonce=nonce).journal.reference
            for nonce in ("a", "b")
        }
        assert len(names) == 2


class TestNotified:
    def test_by_the_journal(self) -> None:
        journal = restored(by="api", at=_later(NOW, 10), noted_at=_later(NOW, 10))
        told = settled(journal, LOSS, now="2026-11-24T04:00:00Z").journal.told
        assert told
        assert told["already_told"] is True

    def test_not_on_another_ticket(self) -> None:
        journal = restored(by="api", at=_later(NOW, 10))
        assert settled(journal, LOSS, ticket="CMK-2").journal.told is None

    @pytest.mark.parametrize(("then", "now"), [("", "CMK-2"), ("CMK-1", ""), ("", "")])
    def test_where_the_ticket_is_not_known_it_counts(self, then: str, now: str) -> None:
        journal = dataclasses.replace(restored(by="api", at=_later(NOW, 10)), ticket=then)
        found = settled(journal, LOSS, ticket=now)
        assert found.is_sure
        assert found.note_problem == ""

    def test_a_run_that_changes_nothing_forgets_nothing(self) -> None:
        journal = settled(restored(), LOSS).journal
        assert (journal.restored_at, journal.states_before) == (_later(NOW, 9), DISABLED)

    @pytest.mark.parametrize(
        ("journal", "loss", "enables", "in_doubt"),
        [
            (None, UNKNOWN, False, True),
            (None, RULED_OUT, False, True),
            (None, LOSS, False, False),
            (None, UNKNOWN, True, False),
            (restored(), UNKNOWN, False, False),
        ],
    )
    def test_the_doubt_is_remembered(
        self, journal: Journal | None, loss: AccessLoss, enables: bool, in_doubt: bool
    ) -> None:
        assert settled(journal, loss, enables=enables).journal.in_doubt is in_doubt

    def test_not_once_access_was_lost_again(self) -> None:
        journal = restored(by="api", at=_later(NOW, 10), noted_at=_later(NOW, 10))
        again = dataclasses.replace(LOSS, identity="us-east-1:e2", since="2026-11-24T05:00:00Z")
        found = settled(journal, again, now="2026-11-24T06:00:00Z")
        assert found.journal.told is None
        assert found.journal.reference not in ("", journal.reference)
        assert found.since == "2026-11-24T05:00:00Z"

    def test_not_if_access_was_lost_between_the_restoration_and_the_notice(self) -> None:
        journal = restored(by="person", at="2026-11-24T05:00:00Z", noted_at="2026-11-24T05:00:00Z")
        again = dataclasses.replace(LOSS, identity="us-east-1:e2", since="2026-11-24T04:00:00Z")
        assert settled(journal, again, now="2026-11-24T06:00:00Z").journal.told is None

    def test_not_by_a_run_that_enables_a_key(self) -> None:
        journal = restored(by="api", at=_later(NOW, 10))
        found = settled(begin(journal, DISABLED, changes=True, ticket="", now=NOW), LOSS, enables=True, ticket_told=NOW)
        assert (found.journal.told, found.note_problem) == (None, "")

    def test_a_damaged_journal_is_a_restoration_that_nobody_was_notified_of(self) -> None:
        found = settled(Journal(is_damaged=True), RULED_OUT)
        assert (found.journal.told, found.nothing_lost, found.accepts_ours) == (None, False, False)


class TestNote:
    AT: t.Final = "2026-11-24T03:30:00Z"
    NOW: t.Final = "2026-11-24T04:00:00Z"

    def test_a_time(self) -> None:
        found = settled(restored(), LOSS, now=self.NOW, ticket_told=self.AT)
        assert found.journal.told == {
            "by": "person", "note": self.AT, "url": "", "at": self.AT, "noted_at": self.AT, "recorded_at": self.NOW,
            "already_told": False,
        }  # fmt: skip
        assert (found.note_problem, found.is_sure) == ("", True)

    def test_a_url_is_recorded_with_the_time_of_recording(self) -> None:
        url = "https://support.example.com/browse/CMK-1?focusedCommentId=7"
        told = settled(restored(), LOSS, now=self.NOW, ticket_told=url).journal.told
        assert told
        assert (told["url"], told["at"], told["recorded_at"]) == (url, self.NOW, self.NOW)

    def test_a_later_value_moves_nothing(self) -> None:
        first = settled(restored(), LOSS, now=self.NOW, ticket_told=self.AT)
        second = settled(first.journal, LOSS, now="2026-11-25T04:00:00Z", ticket_told="2026-11-25T03:00:00Z")
        assert second.journal.told == {**(first.journal.told or {}), "already_told": True}

    @pytest.mark.parametrize(
        "note",
        ["no", "false", "not yet", "2099-01-01T00:00:00Z", "2026", "ftp://x.example.com/1", "https://", "20261124"],
    )
    def test_what_is_neither_a_time_nor_a_url(self, note: str) -> None:
        found = settled(restored(), LOSS, now=self.NOW, ticket_told=note)
        assert found.journal.told is None
        assert "in ISO 8601" in found.note_problem
        assert "URL of the comment" in found.note_problem

    def test_a_time_before_the_keys_were_usable(self) -> None:
        found = settled(restored(), LOSS, now=self.NOW, ticket_told="2026-11-24T02:59:00Z")
        assert found.journal.told is None
        assert "usable only since 2026-11-24T03:00:09Z" in found.note_problem

    def test_a_time_before_the_loss_that_cloudtrail_shows(self) -> None:
        found = settled(None, LOSS, now=self.NOW, ticket_told="2026-11-21T02:00:00Z")
        assert found.journal.told is None

    def test_what_ended_an_earlier_restoration_never_ends_the_next(self) -> None:
        url = "https://support.example.com/browse/CMK-1?focusedCommentId=7"
        first = restored(now=EARLIER, by="person", note=url, at=_later(EARLIER, 20))
        second = begin(first, DISABLED, changes=True, ticket="CMK-1", now=NOW)
        assert second
        third = begin(
            dataclasses.replace(second, restored_at=_later(NOW, 9)),
            DISABLED,
            changes=True,
            ticket="CMK-1",
            now=_later(NOW, 30),
        )
        for journal in (second, third):
            found = settled(journal, LOSS, now=self.NOW, ticket_told=url)
            assert found.journal.told is None
            assert "ended an earlier restoration" in found.note_problem


class TestOnTheTicket:
    def accepted(self, announcement: Announcement, *mentions_: Mention) -> list[str]:
        return [found.noted_at for found in announced(mentions_, announcement)]

    def test_the_exact_reference(self) -> None:
        found = settled(None, LOSS)
        assert self.accepted(found, mention(found.journal.reference)) == ["2026-11-24T03:00:10Z"]

    def test_the_newest_first(self) -> None:
        found = settled(None, LOSS)
        times = ["2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"]
        assert self.accepted(found, *(mention(found.journal.reference, at) for at in times)) == times[::-1]

    def test_no_comment_older_than_the_loss(self) -> None:
        found = settled(None, LOSS)
        assert self.accepted(found, mention(found.journal.reference, "2026-11-21T03:00:00Z")) == []

    def test_no_comment_older_than_a_run_that_changes_a_key(self) -> None:
        found = settled(begin(None, DISABLED, changes=True, ticket="", now=NOW), LOSS, enables=True)
        assert self.accepted(found, mention(found.journal.reference, "2026-11-24T02:59:00Z")) == []
        assert self.accepted(found, mention(found.journal.reference, NOW)) == [NOW]

    def test_no_comment_older_than_the_last_run_that_changed_a_key(self) -> None:
        """It was lost a second time; the comment of the first restoration was stored, and its answer lost."""
        first = settled(begin(None, DISABLED, changes=True, ticket="", now=EARLIER), UNKNOWN, enables=True, now=EARLIER)
        partial = dataclasses.replace(first.journal, restored_at=None)
        second = begin(partial, DISABLED, changes=True, ticket="", now=NOW)
        found = settled(second, UNKNOWN, now="2026-11-24T04:00:00Z")
        assert self.accepted(found, mention(first.journal.reference, _later(EARLIER, 20))) == []

    def test_no_comment_without_a_time(self) -> None:
        found = settled(None, LOSS)
        assert self.accepted(found, mention(found.journal.reference, "")) == []

    def test_rounding_silences_nothing_and_repeats_nothing(self) -> None:
        found = settled(begin(None, DISABLED, changes=True, ticket="", now=NOW), LOSS, enables=True)
        assert self.accepted(found, mention(found.journal.reference, "2026-11-24T02:59:59Z")) == [
            "2026-11-24T02:59:59Z"
        ]

    @pytest.mark.parametrize(
        ("journal", "loss", "enables"),
        [(None, LOSS, False), (None, RULED_OUT, False), (restored(), UNKNOWN, False), (None, UNKNOWN, True)],
        ids=["CloudTrail knows", "CloudTrail was read", "the journal knows", "a key was changed"],
    )
    def test_another_reference_counts_only_when_nothing_is_known(
        self, journal: Journal | None, loss: AccessLoss, enables: bool
    ) -> None:
        found = settled(journal, loss, enables=enables)
        assert self.accepted(found, mention("cmk-restore/acme/000000000000", by_us=True)) == []

    def test_and_then_only_by_our_own_account(self) -> None:
        found = settled(None, UNKNOWN)
        assert self.accepted(found, mention("cmk-restore/acme/000000000000")) == []
        (relied,) = announced([mention("cmk-restore/acme/000000000000", by_us=True)], found)
        assert relied.relied_on is True

    def test_the_answer_to_our_own_comment(self) -> None:
        found = settled(None, LOSS)
        answer = Answer(ok=True, status=201, data={"id": "7", "body": f"We are back.\nReference: {found.reference}"})
        stored = posted(answer, "acme", found)
        assert stored
        assert stored.comment_id == "7"
        assert posted(dataclasses.replace(answer, data={"id": "7", "body": "cut"}), "acme", found) is None
        assert posted(Answer(ok=False, status=500), "acme", found) is None


class TestNothingLost:
    def test_cloudtrail_was_read_completely_and_shows_no_loss(self) -> None:
        assert settled(None, RULED_OUT).nothing_lost

    @pytest.mark.parametrize(
        ("journal", "loss", "enables"),
        [(None, UNKNOWN, False), (None, LOSS, False), (restored(), RULED_OUT, False), (None, RULED_OUT, True)],
        ids=["not read", "a loss", "a restoration is remembered", "a key was changed"],
    )
    def test_otherwise_atlassian_is_notified(self, journal: Journal | None, loss: AccessLoss, enables: bool) -> None:
        assert not settled(journal, loss, enables=enables).nothing_lost


KEYS: t.Final = [Key(calls=tuple(Call("DescribeKey", f"2026-11-24T03:00:0{second}Z") for second in (5, 9)))]


@pytest.mark.parametrize(
    ("before", "keys", "only_reads", "restored_at"),
    [
        (None, KEYS, False, "2026-11-24T03:00:09Z"),
        (EARLIER, KEYS, False, EARLIER),
        (None, KEYS, True, None),
        (None, [], False, None),
        (None, [*KEYS, Key(error="no")], False, None),
    ],
)
def test_since_when_all_keys_are_usable(
    before: str | None, keys: list[Key], only_reads: bool, restored_at: str | None
) -> None:
    announcement = Announcement(Journal(restored_at=before))
    assert with_usable(announcement, keys, only_reads=only_reads).journal.restored_at == restored_at


def test_a_restore_notes_since_when_they_are() -> None:
    assert with_usable(Announcement(), KEYS).journal.restored_at == "2026-11-24T03:00:09Z"


@pytest.mark.parametrize(
    ("announcement", "is_sure"),
    [
        (Announcement(), False),
        (Announcement(Journal(told={"by": "api"})), True),
        (Announcement(nothing_lost=True), True),
        (Announcement(accepts_ours=True), True),
    ],
)
def test_what_is_sure(announcement: Announcement, is_sure: bool) -> None:
    assert (announcement.enables, announcement.is_sure) == (False, is_sure)


def test_it_passes_from_task_to_task() -> None:
    announcement = Announcement(restored(), enables=True, since=NOW, accepts_ours=True, note_problem="No.")
    json = announcement.as_json()
    assert "journal" not in json
    assert (json["reference"], json["enables"]) == (announcement.reference, True)
    assert Announcement.from_json({**json, "more": 1}) == announcement
    assert Announcement.from_json({}) is None


def test_the_comment_always_has_the_reference_in_a_line_of_its_own() -> None:
    line = "Reference: cmk-restore/acme/0123456789ab"
    assert with_reference("Back.", "cmk-restore/acme/0123456789ab") == f"Back.\n\n{line}\n"
    assert with_reference(f"Back.\n{line}\nBye", "cmk-restore/acme/0123456789ab") == f"Back.\n{line}\nBye"
    assert with_reference(f"See {line}", "cmk-restore/acme/0123456789ab").endswith(f"\n{line}\n")


def test_what_is_wrong_with_a_template() -> None:
    assert template_fault("Task failed: Error while resolving value for 'x': 'y' is undefined") == "'y' is undefined."
