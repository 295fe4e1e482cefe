"""Is Atlassian back? Every combination of what can be seen, and how it is read."""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import asdict, replace

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _window
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import AccessLoss
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import (
    CHECKS,
    OUTCOMES,
    Reply,
    is_dated,
    keys_to_prove,
    reply_on_ticket,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Decided
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Key, Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket, told_by_look
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import VERDICTS, Facts, judge_facts
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._seen import Seen, Use, seen_keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import (
    describe_progress,
    judge,
)

ARN: t.Final = "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOST, BACK, TOLD = "2026-11-20T08:15:00Z", "2026-11-24T03:00:05Z", "2026-11-24T03:00:09Z"
REFERENCE: t.Final = "cmk-restore/acme/0123456789ab"

_COMBINATIONS: t.Any = itertools.product(
    ("enabled", "not_enabled", "unread"),
    (True, False),
    (True, False),
    ("every", "some", "none", "unattributed", "undated", "unread"),
    ("none", "up", "down"),
    ("", "Support"),
    (True, False),
)
_NAMES: t.Final = ("keys", "notified", "overdue", "use", "sites", "answered_by", "dated")
EVERY: t.Final = [Facts(**dict(zip(_NAMES, combination, strict=True))) for combination in _COMBINATIONS]
UNPROVEN: t.Final = ("unattributed", "unread")


class TestVerdict:
    @pytest.mark.parametrize(
        ("facts", "name", "says"),
        [
            (Facts(sites="up"), "restored", "every site answers"),
            (Facts(sites="up", answered_by="Support"), "restored", "every site answers"),
            # A restoration that took longer, or of which no notification is known, is one all the same.
            (Facts(sites="up", overdue=True), "restored", "every site answers"),
            (Facts(sites="up", notified=False), "restored", "every site answers"),
            (Facts(sites="none"), "restored", "rests on the use of the keys alone"),
            (Facts(sites="none", overdue=True), "restored", "rests on the use of the keys alone"),
            (Facts(sites="none", notified=False), "needs_attention", "has not been notified"),
            (Facts(sites="down"), "waiting", "every key is in use again, but not every site answers"),
            (Facts(sites="down", overdue=True), "needs_attention", "but not every site answers"),
            (Facts(use="some"), "waiting", "not every key is in use again yet"),
            (Facts(use="none"), "waiting", "No action is needed."),
            (Facts(use="none", answered_by="Priya"), "waiting", "Priya answered on the ticket: read it."),
            (Facts(use="none", sites="up"), "waiting", "although every site answers"),
            (Facts(use="none", sites="up", answered_by="Support"), "waiting", "no key is in use again yet"),
            (Facts(use="none", overdue=True), "needs_attention", "Ask on the ticket."),
            (Facts(use="some", sites="up", overdue=True), "needs_attention", "not every key is in use again yet"),
            (Facts(use="none", notified=False), "needs_attention", "has not been notified"),
            (Facts(use="none", limit="8 h"), "waiting", "cmk_verify_limit (8 h) passed: run verify_cmk again"),
            (Facts(use="unread"), "waiting", "CloudTrail could not be read"),
            (Facts(use="unread", answered_by="Support"), "waiting", "CloudTrail could not be read"),
            (Facts(use="unread", sites="up"), "waiting", "although every site answers"),
            (Facts(use="unread", sites="up", answered_by="Priya"), "restored", "Priya answered on the ticket"),
            (
                Facts(use="unread", sites="up", answered_by="Support", notified=False),
                "needs_attention",
                "not been notified",
            ),
            (Facts(use="unread", sites="down", answered_by="Support"), "waiting", "not every site answers"),
            (Facts(use="unread", overdue=True), "needs_attention", "CloudTrail could not be read"),
            # An announcement of today is this restoration's even if nothing dates the loss; an old one may not be.
            (Facts(use="unread", sites="up", answered_by="Support", dated=False), "restored", "not proven"),
            (
                Facts(use="unread", sites="up", answered_by="Support", dated=False, overdue=True),
                "needs_attention",
                "Set cmk_revoked_at",
            ),
            (Facts(use="unattributed"), "waiting", "Set cmk_context_tag, or cmk_atlassian_account_id"),
            (Facts(use="unattributed", sites="up"), "waiting", "nothing identifies the account"),
            (Facts(use="unattributed", sites="up", answered_by="Priya"), "restored", "nothing identifies the account"),
            (Facts(use="unattributed", sites="up", overdue=True), "needs_attention", "Set cmk_context_tag"),
            (Facts(use="unattributed", sites="up", notified=False), "needs_attention", "has not been notified"),
            (Facts(use="undated", sites="up", answered_by="Support"), "waiting", "Set cmk_revoked_at"),
            (Facts(use="unread", sites="up", answered_by="Support", overdue=True), "restored", "not proven"),
            (Facts(keys="not_enabled", sites="up"), "needs_attention", "Not every key is enabled"),
            (
                Facts(keys="not_enabled", lost="us-west-2: disabled."),
                "needs_attention",
                "sites. us-west-2: disabled. If",
            ),
            (Facts(keys="unread", sites="up"), "needs_attention", "Not every key could be read"),
            (Facts(error="AWS was not reached.", sites="up"), "needs_attention", "AWS was not reached."),
        ],
    )
    def test_of_a_combination(self, facts: Facts, name: str, says: str) -> None:
        judged, reason = judge_facts(facts)
        assert judged == name
        assert says in reason

    def test_every_combination_has_one_with_a_reason(self) -> None:
        for facts in EVERY:
            name, reason = judge_facts(facts)
            assert name in VERDICTS
            assert reason.endswith(".")

    def test_restored_needs_enabled_keys_and_a_proof(self) -> None:
        for facts in EVERY:
            if judge_facts(facts)[0] == "restored":
                assert facts.keys == "enabled"
                assert facts.sites != "down"
                assert facts.use == "every" or (facts.use in UNPROVEN and facts.sites == "up" and facts.answered_by)

    def test_a_use_that_nothing_identifies_is_worth_no_more_than_none_that_is_read(self) -> None:
        for facts in EVERY:
            if facts.use == "unattributed":
                assert judge_facts(facts)[0] == judge_facts(replace(facts, use="unread"))[0]

    def test_nobody_waits_in_vain(self) -> None:
        for facts in EVERY:
            if judge_facts(facts)[0] == "waiting":
                assert facts.notified
                assert not facts.overdue
                assert facts.keys == "enabled"

    def test_more_evidence_never_makes_it_worse(self) -> None:
        better: dict[str, tuple[t.Any, ...]] = {
            "use": ("none", "some", "every"),
            "sites": ("down", "up"),
            "answered_by": ("", "Support"),
            "notified": (False, True),
            "dated": (False, True),
        }
        rank = {"needs_attention": 0, "waiting": 1, "restored": 2}
        for facts in EVERY:
            for name, scale in better.items():
                value = getattr(facts, name)
                if value in scale[:-1]:
                    more = replace(facts, **{name: scale[scale.index(value) + 1]})
                    assert rank[judge_facts(more)[0]] >= rank[judge_facts(facts)[0]], (facts, name)


def key(**more: t.Any) -> dict[str, t.Any]:
    usual = {"region": "ap-northeast-1", "reference": "alias/cmk", "arn": ARN, "key_state_before": "Enabled"}
    state = {"key_state": "Enabled", "actions": [], "changed": False, "code": "", "error": "", "hint": "", "calls": []}
    return {**usual, **state, **more}


def read_key(**more: t.Any) -> Key:
    return Keys.from_json({"keys": [key(**more)]}).keys[0]


class TestSeenKeys:
    def test_nothing_is_predicted(self) -> None:
        (seen,) = seen_keys([read_key(key_state_before="Disabled", actions=["EnableKey"], changed=True)])
        assert (seen.key_state, seen.actions, seen.changed) == ("Disabled", (), False)
        assert (seen.code, seen.error) == ("not_enabled", f"{ARN} is Disabled, so Atlassian cannot use it.")

    def test_an_error_stays_what_it_was(self) -> None:
        (seen,) = seen_keys(
            [read_key(key_state_before=None, arn=None, code="key_not_found", error="No key.", hint="Look.")]
        )
        assert (seen.code, seen.error, seen.key_state) == ("key_not_found", "No key.", None)


def run_of(trail: dict[str, t.Any] | None = None, **more: t.Any) -> Run:
    """A run that says when this restoration took place."""
    revocation = more.get("revocation") or {"keys": [{"arn": ARN, **trail}] if trail else []}
    journal = Journal(restored_at=more.get("announcement", {}).get("restored_at"))
    plan = {"keys": more.get("keys") or [key()], "clock_offset": more.get("clock_offset")}
    return Run(
        plan=Keys.from_json(plan),
        revocation=revocation,
        decided=Decided(loss=AccessLoss(**more.get("revoked", {})), announcement=Announcement(journal)),
        noted=Ticket.from_json(more.get("ticket", {})),
        started_at=BACK,
        now=BACK,
    )


def proven_at(time: str | None) -> Use:
    return Use("ap-northeast-1", ARN, first_use={"time": time} if time else None)


class TestKeysToProve:
    @pytest.mark.parametrize(
        ("trail", "more", "since"),
        [
            ({"restored_at": BACK}, {}, BACK),
            ({"revoked_at": LOST, "restored_at": None}, {}, LOST),
            # An undone loss of which only the last one is told.
            ({"last_revocation": {"revoked_at": LOST}}, {}, LOST),
            # The controller's journal knows what CloudTrail does not show yet, or not any more.
            ({"revoked_at": LOST}, {"announcement": {"restored_at": BACK}}, BACK),
            ({"restored_at": LOST}, {"announcement": {"restored_at": BACK}}, BACK),
            # Somebody revoked and enabled again by hand after what the journal remembers.
            ({"restored_at": TOLD}, {"announcement": {"restored_at": BACK}}, TOLD),
            # Atlassian restores nothing before it is notified.
            ({"restored_at": BACK}, {"ticket": {"at": TOLD}}, TOLD),
            ({}, {"ticket": {"at": TOLD}}, TOLD),
            ({}, {"ticket": {"at": "2026-11-24T14:00:09+1100"}}, TOLD),
            # A loss that only the operator, or only the controller, knows.
            ({"restored_at": LOST}, {"revoked": {"revoked_at": BACK, "lost_at": TOLD}}, TOLD),
            ({"restored_at": TOLD}, {"revoked": {"revoked_at": LOST, "lost_at": BACK}}, TOLD),
            ({}, {"revoked": {"revoked_at": LOST, "lost_at": None}}, LOST),
        ],
    )
    def test_a_use_counts_from_the_latest_that_is_known(
        self, trail: dict[str, t.Any], more: dict[str, t.Any], since: str
    ) -> None:
        run = run_of(trail, **more)
        assert keys_to_prove(run, []) == [{"region": "ap-northeast-1", "key_arn": ARN, "since": since}]

    def test_the_controllers_own_moments_are_moved_to_awss_clock(self) -> None:
        ahead, behind = (run_of({"restored_at": BACK}, ticket={"at": TOLD}, clock_offset=one) for one in (3600, -3600))
        assert keys_to_prove(ahead, [])[0]["since"] == "2026-11-24T04:00:09Z"
        assert keys_to_prove(behind, [])[0]["since"] == BACK

    def test_what_cloudtrail_knows_of_another_key_does_not_count(self) -> None:
        run = run_of(revocation={"keys": [{"arn": f"{ARN}0", "restored_at": TOLD}]}, ticket={"at": BACK})
        assert keys_to_prove(run, [])[0]["since"] == BACK

    def test_of_a_key_of_which_nothing_is_known_nothing_can_be_proven(self) -> None:
        assert keys_to_prove(run_of(ticket={"at": ""}, announcement={"restored_at": None}), []) == []

    def test_what_is_proven_is_not_asked_again(self) -> None:
        run = run_of({"restored_at": BACK})
        assert keys_to_prove(run, [proven_at(TOLD)]) == []
        assert keys_to_prove(run, [proven_at(None)]) != []

    def test_a_use_of_before_a_new_announcement_is_asked_again(self) -> None:
        run = run_of({"restored_at": BACK}, ticket={"at": "2026-11-24T05:00:00Z"})
        assert keys_to_prove(run, [proven_at(TOLD)]) != []
        assert keys_to_prove(run, [proven_at("2026-11-24T05:00:00Z")]) == []

    def test_a_key_that_was_not_reached(self) -> None:
        assert keys_to_prove(run_of({"restored_at": BACK}, keys=[key(arn=None)]), []) == []


class TestIsDated:
    @pytest.mark.parametrize(
        ("run", "dated"),
        [
            (run_of(ticket={"at": TOLD}), False),
            (run_of({"events": []}), False),
            (run_of({"restored_at": BACK}), True),
            (run_of(revoked={"lost_at": LOST}), True),
            (run_of(announcement={"restored_at": BACK}), True),
            # One key that was lost is enough.
            (run_of({"restored_at": BACK}, keys=[key(), key(arn=f"{ARN}0")]), True),
        ],
    )
    def test_by_anything_but_the_ticket(self, run: Run, dated: bool) -> None:
        assert is_dated(run) is dated


def author(name: str, at: str, *references: str, **more: t.Any) -> dict[str, t.Any]:
    facts = {"author": name, "name": name, "at": at, "text": f"by {name}", "url": "", "references": list(references)}
    facts["comment_id"] = "1"
    return {**facts, **more}


def reply_to(look: dict[str, t.Any], ticket: dict[str, t.Any]) -> Reply | None:
    noted, seen = Ticket.from_json(ticket), Seen(look=Look.from_json(look))
    return reply_on_ticket(Run(noted=noted, seen=seen, started_at=BACK, now=BACK))


class TestAnswer:
    LOOK: t.ClassVar = {
        "authors": [
            author("early", "2026-11-24T03:00:08+0000"),
            author("same second", "2026-11-24T03:00:09+0000"),
            author("us", "2026-11-26T00:00:00+0000", "cmk-restore/acme/ffffffffffff"),
            author("us without a reference", "2026-11-26T00:00:00+0000", by_us=True),
            author("first", "2026-11-24T08:00:00+0000"),
            author("last", "2026-11-24T20:00:00+1100"),
        ]
    }

    def test_the_newest_by_somebody_else_after_the_announcement(self) -> None:
        answer = reply_to(self.LOOK, {"at": TOLD, "reference": REFERENCE})
        assert answer == Reply("last", "by last", "", "2026-11-24T09:00:00Z", automatic=False)

    def test_a_comment_of_the_same_second_may_have_been_before(self) -> None:
        assert reply_to({"authors": [author("same", "2026-11-24T03:00:09+0000")]}, {"at": TOLD}) is None

    def test_a_comment_is_dated_by_the_controllers_clock(self) -> None:
        # The desk's clock is an hour ahead: the comment was written before the announcement.
        early = author("early", "2026-11-24T03:50:00+0000", noted_at="2026-11-24T02:50:00Z")
        assert reply_to({"authors": [early]}, {"at": TOLD}) is None
        late = author("late", "2026-11-24T02:50:00+0000", noted_at="2026-11-24T03:50:00Z")
        answer = reply_to({"authors": [late]}, {"at": TOLD})
        assert answer
        assert answer.at == "2026-11-24T03:50:00Z"

    @pytest.mark.parametrize(
        ("at", "automatic"),
        [("2026-11-24T03:00:10Z", True), ("2026-11-24T03:10:09Z", True), ("2026-11-24T03:10:10Z", False)],
    )
    def test_a_comment_at_once_may_be_automatic(self, at: str, automatic: bool) -> None:
        answer = reply_to({"authors": [author("Robot", at)]}, {"at": TOLD})
        assert answer
        assert answer.automatic is automatic

    @pytest.mark.parametrize("at", ["", None, "yesterday", "2027-01-01T00:00:00Z"])
    def test_none(self, at: str | None) -> None:
        assert reply_to(self.LOOK, {"at": at}) is None

    def test_of_a_ticket_that_was_not_read(self) -> None:
        assert reply_to({}, {"at": TOLD}) is None


MENTION: t.Final = {"reference": REFERENCE, "comment_id": "17", "url": "", "at": TOLD}
ANNOUNCEMENT: t.Final[dict[str, t.Any]] = {
    "reference": MENTION["reference"],
    "since": LOST,
    "accepts_ours": False,
    "told": None,
}
OTHER: t.Final = ARN.replace("ap-northeast-1", "ap-southeast-2")
FIRST: t.Final = {"time": "2026-11-24T05:00:00Z", "name": "Decrypt", "account_id": "444455556666", "event_id": "e"}
DOWN: t.Final[dict[str, t.Any]] = {
    "ok": False,
    "code": "desk_trouble",
    "error": "The support desk failed.",
    "hint": "Run again.",
}


def told(announcement: dict[str, t.Any], look: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the ticket and the controller tell, as far as it is known."""
    found = told_by_look(Announcement.from_json(announcement), Look.from_json(look))
    return {name: value for name, value in asdict(found).items() if value}


class TestTold:
    def test_by_the_ticket(self) -> None:
        found = told(ANNOUNCEMENT, {"ok": True, "mentions": [MENTION]})
        assert found == {
            **{name: value for name, value in MENTION.items() if value},
            "told": True,
            "already_told": True,
        }

    def test_a_mention_of_before_the_loss_tells_nothing(self) -> None:
        assert told(ANNOUNCEMENT, {"ok": True, "mentions": [{**MENTION, "at": "2026-11-01T00:00:00Z"}]}) == {}

    def test_by_the_journal_if_the_desk_is_down(self) -> None:
        found = told(
            {**ANNOUNCEMENT, "told": {"by": "person", "note": "by phone", "at": TOLD, "already_told": True}}, DOWN
        )
        assert (found["told"], found["at"], found["code"]) == (True, TOLD, "desk_trouble")

    def test_the_newest_mention_counts_in_whatever_order(self) -> None:
        older = {**MENTION, "comment_id": "16", "at": "2026-11-23T00:00:00Z"}
        newer = {**MENTION, "comment_id": "18", "at": "2026-11-24T03:30:00Z"}
        for mentions in ([older, MENTION, newer], [newer, older, MENTION]):
            ticket = told(ANNOUNCEMENT, {"ok": True, "mentions": mentions})
            assert (ticket["comment_id"], ticket["at"]) == ("18", "2026-11-24T03:30:00Z")

    def test_mentions_are_dated_by_the_controllers_clock(self) -> None:
        fast = {**MENTION, "comment_id": "16", "at": "2026-11-24T09:00:00Z", "noted_at": "2026-11-24T03:00:00Z"}
        right = {**MENTION, "comment_id": "17", "noted_at": TOLD}
        ticket = told(ANNOUNCEMENT, {"ok": True, "mentions": [right, fast]})
        assert (ticket["comment_id"], ticket["at"]) == ("17", TOLD)

    def test_the_recorded_comment_keeps_its_time_although_the_desks_clock_is_measured_anew(self) -> None:
        recorded = {**ANNOUNCEMENT, "told": {"by": "api", **MENTION}}
        measured = {**MENTION, "by_us": True, "noted_at": "2026-11-24T03:00:10Z"}
        another = {**measured, "comment_id": "18"}
        assert told(recorded, {"ok": True, "mentions": [measured]})["at"] == TOLD
        assert told(recorded, {"ok": True, "mentions": [another]})["at"] == "2026-11-24T03:00:10Z"

    def test_another_announcement_of_ours_counts_only_after_a_known_one(self) -> None:
        other = {**MENTION, "reference": "cmk-restore/acme/000000000000", "comment_id": "18", "by_us": True}
        other["at"] = "2026-11-24T05:00:00Z"
        assert told(ANNOUNCEMENT, {"ok": True, "mentions": [other]}) == {}
        recorded = told({**ANNOUNCEMENT, "told": {"by": "api", **MENTION}}, {"ok": True, "mentions": [other]})
        assert recorded["at"] == "2026-11-24T05:00:00Z"

    def test_what_the_controller_remembers_was_told_before(self) -> None:
        found = told({**ANNOUNCEMENT, "told": {"by": "api", **MENTION, "already_told": False}}, {})
        assert (found["told"], found["already_told"]) == (True, True)

    def test_a_mention_without_a_time_is_one_all_the_same(self) -> None:
        nothing_known = {**ANNOUNCEMENT, "since": None}
        ticket = told(nothing_known, {"ok": True, "mentions": [{**MENTION, "at": ""}]})
        assert (ticket["told"], ticket.get("at", "")) == (True, "")

    @pytest.mark.parametrize(
        ("record", "at"),
        [
            ({"by": "api", "at": BACK}, TOLD),
            ({"by": "api", "at": "2026-11-24T05:00:00Z"}, "2026-11-24T05:00:00Z"),
            ({"by": "person", "note": "2026-11-24T05:00:00Z", "at": BACK}, "2026-11-24T05:00:00Z"),
        ],
    )
    def test_the_later_of_ticket_and_record_counts(self, record: dict[str, t.Any], at: str) -> None:
        assert told({**ANNOUNCEMENT, "told": record}, {"ok": True, "mentions": [MENTION]})["at"] == at

    @pytest.mark.parametrize(
        ("record", "at"),
        [
            ({"note": "2026-11-24T02:00:00Z", "at": TOLD, "already_told": False}, "2026-11-24T02:00:00Z"),
            ({"note": "https://desk.example.com/CMK-1", "at": TOLD, "already_told": True}, TOLD),
            # The URL is given in this very run, whose time says nothing of the comment's.
            ({"note": "https://desk.example.com/CMK-1", "at": TOLD, "already_told": False}, ""),
        ],
    )
    def test_by_a_person(self, record: dict[str, t.Any], at: str) -> None:
        ticket = told({**ANNOUNCEMENT, "told": {"by": "person", **record}}, {})
        assert (ticket["told"], ticket.get("at", "")) == (True, at)

    def test_not_known(self) -> None:
        assert told(ANNOUNCEMENT, DOWN) == {name: DOWN[name] for name in ("code", "error", "hint")}
        assert told({}, {}) == {}


def judged(given: dict[str, t.Any]) -> dict[str, t.Any]:
    run = Run.from_json(given)
    return {"run": run, "verification": judge(run)}


def verified(now: str = "2026-11-24T09:00:00Z", **seen: t.Any) -> dict[str, t.Any]:
    """A run that has looked; by default at an organization that is back."""
    use = {
        "region": "ap-northeast-1",
        "arn": ARN,
        "since": BACK,
        "looked_up": True,
        "is_first": True,
        "unattributed_use": None,
        "code": "",
        "reason": None,
    }
    first = {
        "time": "2026-11-24T05:00:00Z",
        "name": "Decrypt",
        "account_id": "444455556666",
        "source_ip": "",
        "event_id": "e",
    }
    settings: dict[str, t.Any] = {
        "org": "acme",
        "slug": "acme",
        "realm": "Japan",
        "ticket": "CMK-1",
        "ticket_told": "",
        "revoked_at": "",
    }
    settings |= {"programme": "cmk", "verify_limit": 0.0, **seen.pop("settings", {})}
    revocation = seen.pop("revocation", {})
    decided = {"announcement": {**ANNOUNCEMENT, "reference": REFERENCE}}
    usual = {
        "keys": [key()],
        "use": [{**use, "first_use": first}],
        "look": {"ok": True, "status": "Open", "mentions": [MENTION], "authors": [author("us", TOLD, REFERENCE)]},
        "sites": [{"site": "https://acme.example.com", "up": True, "status": 200, "says": "answers 200"}],
        "looks": 1,
    }
    nothing = {"plan": {}, "change": {}, "revocation": revocation, "ticket": {}, "comment": "", "error": "", "user": ""}
    run = {"entry_point": "verify", "check_mode": False, "started_at": BACK, "now": now, "decided": decided}
    return judged({**run, **nothing, "settings": {**settings, "problems": []}, "seen": {**usual, **seen}})


ANSWERED: t.Final = {
    "ok": True,
    "status": "Open",
    "mentions": [MENTION],
    "authors": [author("Priya", "2026-11-24T08:00:00Z")],
}


def checks(run: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    return {check["check"]: (check["outcome"], check["says"]) for check in run["verification"]["checks"]}


class TestVerification:
    def test_of_an_organization_that_is_back(self) -> None:
        run = verified()
        assert run["verification"]["verdict"] == "restored"
        found = checks(run)
        # Atlassian was not asked.
        assert [*found, "atlassian"] == list(CHECKS)
        assert {name: outcome for name, (outcome, _says) in found.items()} == {
            "keys": "good",
            "use": "good",
            "ticket": "open",
            "sites": "good",
            "clock": "open",
        }
        assert found["use"][1] == "ap-northeast-1: Decrypt by account 444455556666, first at 2026-11-24 05:00 UTC."
        assert found["ticket"][1] == "Status Open. Atlassian was notified at 2026-11-24 03:00 UTC; no answer yet."
        assert found["clock"][1] == (
            "Atlassian was notified 5 h 59 min ago; its two business days end at 2026-11-26 03:00 UTC."
        )

    @pytest.mark.parametrize("outcome", OUTCOMES)
    def test_what_atlassian_reports_is_shown_and_changes_no_verdict(self, outcome: str) -> None:
        uses: list[dict[str, t.Any]] = [{}, {"use": []}]
        for use in uses:
            run = verified(**use, atlassian=[outcome, "Atlassian reports 1 of 2 apps online."])
            assert checks(run)["atlassian"] == (outcome, "Atlassian reports 1 of 2 apps online.")
            without = verified(**use)["verification"]
            assert {**run["verification"], "checks": run["verification"]["checks"][:-1]} == without

    @pytest.mark.parametrize(("now", "outcome"), [("2026-11-26T03:00:09Z", "open"), ("2026-11-26T03:00:10Z", "bad")])
    def test_the_two_business_days(self, now: str, outcome: str) -> None:
        run = verified(now, use=[])
        assert checks(run)["clock"][0] == outcome
        assert run["verification"]["verdict"] == {"open": "waiting", "bad": "needs_attention"}[outcome]

    def test_a_use_that_may_not_be_the_first(self) -> None:
        use = {**verified()["verification"]["use"][0], "is_first": False}
        assert "at the latest at" in checks(verified(use=[use]))["use"][1]

    def test_a_key_of_which_it_is_not_known_when_it_was_enabled(self) -> None:
        outcome, says = checks(verified(use=[]))["use"]
        assert (outcome, says) == (
            "unknown",
            "ap-northeast-1: CloudTrail was not asked, because it is not known when access was lost, when the key was enabled "
            "or when Atlassian was notified. Set cmk_revoked_at.",
        )

    @pytest.mark.parametrize(
        ("seen", "passing"),
        [
            ({}, False),
            ({"look": {**DOWN, "mentions": [], "authors": []}}, True),
            ({"look": {**DOWN, "code": "desk_unauthorized", "mentions": [], "authors": []}}, False),
            ({"keys": [key(key_state_before=None, code="not_reached", error="Not reached.", hint="Look.")]}, True),
            ({"keys": [key(key_state_before=None, code="access_denied", error="Denied.", hint="Allow it.")]}, False),
            ({"keys": [key(key_state_before="Disabled")]}, False),
            ({"error": "The role cannot be assumed."}, False),
        ],
    )
    def test_what_may_be_over_at_the_next_look(self, seen: dict[str, t.Any], passing: bool) -> None:
        assert verified(**seen)["verification"]["passing"] is passing

    @pytest.mark.parametrize("code", ["desk_throttled", "desk_trouble", "desk_not_reached"])
    def test_a_desk_that_may_answer_at_the_next_look(self, code: str) -> None:
        assert verified(look={**DOWN, "code": code, "mentions": []})["verification"]["passing"] is True

    @pytest.mark.parametrize("code", ["throttled", "aws_trouble", "not_reached"])
    def test_a_key_that_may_be_read_at_the_next_look(self, code: str) -> None:
        failed = key(key_state_before=None, code=code, error="Failed.", hint="Wait.")
        denied = {**failed, "code": "access_denied"}
        assert verified(keys=[failed, key()])["verification"]["passing"] is True
        assert verified(keys=[failed, denied])["verification"]["passing"] is False
        # Whether Atlassian is notified is judged when the keys are read.
        assert verified(keys=[failed], look={"ok": True, "status": "Open"})["verification"]["passing"] is True
        # What ended the run is not over at the next look.
        assert verified(keys=[failed], error="The role cannot be assumed.")["verification"]["passing"] is False

    def two_keys(self, *states: str, **uses: t.Any) -> dict[str, t.Any]:
        """Two keys of which the first is used again, and the other as told."""
        first = verified()["verification"]["use"][0]
        other = {**first, "arn": OTHER, "first_use": None, "since": BACK, "reason": "no use.", **uses}
        keys = [key(key_state_before=state) for state in states or ("Enabled", "Enabled")]
        return verified(keys=[keys[0], {**keys[1], "arn": OTHER}], use=[first, other])

    @pytest.mark.parametrize("states", [("Enabled", "Disabled"), ("Disabled", "Enabled")])
    def test_one_key_that_is_not_enabled_is_enough(self, states: tuple[str, str]) -> None:
        found = self.two_keys(*states)["verification"]
        assert (found["verdict"], "Not every key is enabled" in found["reason"]) == ("needs_attention", True)

    @pytest.mark.parametrize(
        ("uses", "outcome"),
        [({}, "open"), ({"since": None}, "unknown"), ({"looked_up": False}, "unknown"), ({"first_use": {}}, "open")],
    )
    def test_one_key_that_is_not_used_is_enough(self, uses: dict[str, t.Any], outcome: str) -> None:
        assert checks(self.two_keys(**uses))["use"][0] == outcome

    @pytest.mark.parametrize("missing", [{"since": None}, {"looked_up": False}], ids=str)
    def test_of_two_keys_that_are_not_used_one_is_not_known(self, missing: dict[str, t.Any]) -> None:
        use = {**verified()["verification"]["use"][0], "first_use": None, "reason": "no use."}
        keys = [key(), key(arn=OTHER)]
        found = verified(keys=keys, use=[use, {**use, "arn": OTHER, **missing}])
        assert checks(found)["use"][0] == "unknown"

    @pytest.mark.parametrize(("name", "by"), [("Priya", "Priya"), ("", "somebody")])
    def test_who_answered(self, name: str, by: str) -> None:
        look = {"ok": True, "status": "Open", "mentions": [MENTION], "authors": [author(name, "2026-11-24T08:00:00Z")]}
        use = {**verified()["verification"]["use"][0], "first_use": None, "reason": "no use."}
        found = verified(use=[use], look=look)["verification"]
        assert (found["verdict"], f"{by} answered on the ticket" in found["reason"]) == ("waiting", True)

    def test_without_sites_the_use_of_the_keys_counts_alone(self) -> None:
        found = verified(sites=[])["verification"]
        assert (found["verdict"], "rests on the use of the keys alone" in found["reason"]) == ("restored", True)

    def test_manual_mode(self) -> None:
        outcome, says = checks(verified(look={}))["ticket"]
        assert outcome == "bad"
        assert "The ticket cannot be read without an API" in says

    def test_mailed_and_not_confirmed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(ANNOUNCEMENT, "mailed", {"to": "desk@example.com", "ticket": "CMK-1", "at": TOLD})
        outcome, says = checks(verified(look={}))["ticket"]
        assert (outcome, says.split(".")[0]) == (
            "bad",
            "The comment was mailed at 2026-11-24 03:00 UTC, which does not prove that it is on the ticket",
        )

    def test_without_anything(self) -> None:
        nothing = {"plan": {}, "change": {}, "revocation": {}, "decided": {}, "ticket": {}, "comment": "", "seen": {}}
        settings = {"org": "acme", "realm": "", "revoked_at": "", "problems": ["No realm is given."]}
        run = judged({
            "entry_point": "verify", "check_mode": False, "settings": settings, "error": "", "user": "", "started_at": BACK,
            "now": BACK, **nothing,
        })  # fmt: skip
        assert (run["verification"]["verdict"], run["verification"]["reason"]) == (
            "needs_attention",
            "No realm is given.",
        )
        assert {check["outcome"] for check in run["verification"]["checks"]} <= set(OUTCOMES)

    @pytest.mark.parametrize(
        ("seen", "says"),
        [
            ({}, "restored (keys enabled 1/1, in use 1/1, sites up 1/1)"),
            ({"sites": []}, "restored (keys enabled 1/1, in use 1/1)"),
            (
                {"keys": [key(error="Not read."), key(arn=OTHER)]},
                "needs attention (keys enabled 1/2, in use 1/2, sites up 1/1)",
            ),
            (
                {"use": [], "look": ANSWERED},
                "waiting (keys enabled 1/1, in use 0/1, sites up 1/1, answered on the ticket)",
            ),
        ],
    )
    def test_progress_is_one_line(self, seen: dict[str, t.Any], says: str) -> None:
        assert describe_progress(verified(**seen)["run"]) == f"2026-11-24T09:00:00Z: {says}"

    def test_the_answer_and_the_state_of_the_ticket_are_in_the_result(self) -> None:
        found = verified(look=ANSWERED)["verification"]
        assert (found["reply"]["name"], found["ticket_status"]) == ("Priya", "Open")
        unread = verified(look={})["verification"]
        assert (unread["reply"], unread["ticket_status"]) == (None, "")

    @pytest.mark.parametrize(
        ("second", "says"),
        [
            ({"first_use": FIRST}, "Atlassian uses every key again"),
            ({}, "not every key is in use again yet"),
            ({"unattributed_use": FIRST}, "nothing identifies the account"),
        ],
    )
    def test_of_two_keys_one_is_in_use(self, second: dict[str, t.Any], says: str) -> None:
        assert says in self.two_keys(**second)["verification"]["reason"]

    @pytest.mark.parametrize(
        ("uses", "says"),
        [
            ([{}, {}], "no key is in use again yet"),
            ([{"unattributed_use": FIRST}, {}], "no key is in use again yet"),
            ([{"unattributed_use": FIRST}] * 2, "nothing identifies the account"),
        ],
    )
    def test_of_two_keys_none_is_in_use(self, uses: list[dict[str, t.Any]], says: str) -> None:
        usual = {"since": BACK, "looked_up": True, "reason": "no use."}
        seen = [{"region": "r", "arn": arn, **usual, **one} for arn, one in zip((ARN, OTHER), uses, strict=True)]
        found = verified(keys=[key(), key(arn=OTHER)], use=seen, sites=[])["verification"]
        assert says in found["reason"]

    def test_one_site_that_does_not_answer_is_enough(self) -> None:
        sites = [{"site": name, "up": name == "a", "status": 200, "says": "x"} for name in "ab"]
        found = verified(sites=sites)
        assert (checks(found)["sites"][0], "not every site answers" in found["verification"]["reason"]) == (
            "open",
            True,
        )

    def test_without_keys_nothing_is_read(self) -> None:
        assert checks(verified(keys=[], use=[]))["use"] == ("unknown", "No key was read.")


def lost_key(**more: t.Any) -> dict[str, t.Any]:
    facts = {
        "arn": ARN,
        "region": "ap-northeast-1",
        "looked_up": True,
        "events": [],
        "restored_at": None,
        "reason": None,
    }
    loss = {"revoked_at": "2026-11-24T06:00:00Z", "revoked_by": "arn:aws:iam::111122223333:user/officer"}
    return {**facts, **loss, "revoked_how": "DisableKey", "last_revocation": None, "suspects": [], **more}


class TestLostAgain:
    ENABLED: t.ClassVar = {"name": "EnableKey", "time": BACK, "error_code": None}

    @pytest.mark.parametrize(
        ("trail", "state", "says"),
        [
            ({"events": [ENABLED]}, "Disabled", "ap-northeast-1: disabled again at 2026-11-24 06:00 UTC by arn:"),
            ({}, "Disabled", "ap-northeast-1: disabled at 2026-11-24 06:00 UTC by arn:"),
            # An EnableKey that AWS refused, or one of after the loss, says nothing of a restoration before it.
            ({"events": [{**ENABLED, "error_code": "AccessDenied"}]}, "Disabled", "disabled at"),
            ({"events": [{**ENABLED, "time": "2026-11-24T07:00:00Z"}]}, "Disabled", "disabled at"),
            ({"revoked_how": "ScheduleKeyDeletion"}, "PendingDeletion", "scheduled for deletion at"),
            ({"revoked_how": "DeleteImportedKeyMaterial"}, "PendingImport", "lost at"),
            ({"revoked_by": None}, "Disabled", "by an unknown identity (DisableKey)."),
            ({"revoked_by": "arn\x1b[2J\nodd"}, "Disabled", "by arn [2J odd (DisableKey)."),
        ],
    )
    def test_by_whom(self, trail: dict[str, t.Any], state: str, says: str) -> None:
        run = verified(keys=[key(key_state_before=state)], revocation={"keys": [lost_key(**trail)]}, look={})
        assert says in run["verification"]["reason"]
        outcome, check = checks(run)["keys"]
        assert outcome == "bad"
        # The verdict says it, and once is enough.
        assert says not in check
        assert check == f"ap-northeast-1: {state}."

    @pytest.mark.parametrize("name", ["EnableKey", "CancelKeyDeletion", "ImportKeyMaterial", "ConnectCustomKeyStore"])
    @pytest.mark.parametrize(("time", "again"), [("2026-11-24T05:59:59Z", True), ("2026-11-24T06:00:00Z", False)])
    def test_whether_it_was_usable_before(self, name: str, time: str, again: bool) -> None:
        trail = lost_key(events=[{"name": name, "time": time, "error_code": None}])
        run = verified(keys=[key(key_state_before="Disabled")], revocation={"keys": [trail]}, look={})
        assert ("disabled again at" in run["verification"]["reason"]) is again

    @pytest.mark.parametrize(("restored_at", "again"), [(BACK, True), (None, False), ("2026-11-24T07:00:00Z", False)])
    def test_the_controller_knows_that_too(
        self, monkeypatch: pytest.MonkeyPatch, restored_at: str | None, again: bool
    ) -> None:
        monkeypatch.setitem(ANNOUNCEMENT, "restored_at", restored_at)
        run = verified(keys=[key(key_state_before="Disabled")], revocation={"keys": [lost_key()]}, look={})
        assert ("disabled again at" in run["verification"]["reason"]) is again

    def test_of_an_enabled_key_and_of_one_that_cloudtrail_does_not_show_nothing_is_said(self) -> None:
        nothing: tuple[dict[str, t.Any], ...] = (
            {"keys": [key()]},
            {"keys": [key(key_state_before="Disabled")], "revocation": {"keys": []}},
        )
        for more in nothing:
            run = verified(**{"revocation": {"keys": [lost_key()]}, "look": {}, **more})
            assert "officer" not in str(run["verification"])

    def test_of_two_keys_only_the_one_that_is_not_enabled_is_named(self) -> None:
        """CloudTrail may be late, and not show yet that the other one was enabled."""
        keys = [key(), key(arn=OTHER, region="ap-southeast-2", key_state_before="Disabled")]
        trails = [lost_key(), lost_key(arn=OTHER, region="ap-southeast-2")]
        reason = verified(keys=keys, revocation={"keys": trails}, look={})["verification"]["reason"]
        assert "sites. ap-southeast-2: disabled at" in reason


class TestClock:
    def clock(self, **more: t.Any) -> str:
        settings = {"revoked_at": LOST, **more}
        look = {"ok": True, "status": "Open", "mentions": []}
        return checks(verified(settings=settings, look=look))["clock"][1]

    def test_the_limits_of_cmk(self) -> None:
        assert self.clock().endswith(
            "Access was lost 4 days ago (2026-11-20 08:15 UTC); Atlassian can reinstate the sites until 2026-11-30 08:15 UTC "
            "(10 days), and full recovery may be impossible after 2026-12-10 08:15 UTC (20 days)."
        )

    def test_the_limit_of_byok(self) -> None:
        says = self.clock(programme="byok")
        assert (
            says
            == "Access was lost 4 days ago (2026-11-20 08:15 UTC); Atlassian's 15 days end at 2026-12-05 08:15 UTC."
        )

    def test_every_limit_is_the_windows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(_window.PROGRAMMES, "cmk", _window.Limits(7, 9))
        says = self.clock()
        assert "(7 days)" in says
        assert "(9 days)" in says


def test_a_followed_run_whose_limit_passed_says_so() -> None:
    run = verified(use=[], timed_out=True, settings={"verify_limit": 28800.0})
    assert run["verification"]["timed_out"] is True
    assert "cmk_verify_limit (8 h) passed" in run["verification"]["reason"]
    assert verified()["verification"]["timed_out"] is False


def test_a_comment_that_may_be_automatic_is_shown_and_not_counted() -> None:
    look = {"ok": True, "status": "Open", "mentions": [MENTION], "authors": [author("Robot", "2026-11-24T03:01:00Z")]}
    run = verified(use=[], look=look)
    outcome, says = checks(run)["ticket"]
    assert outcome == "open"
    assert "Robot commented at 2026-11-24 03:01 UTC, less than 10 min later, so it may be automatic" in says
    assert "Robot" not in run["verification"]["reason"]


def test_uses_that_nothing_identifies() -> None:
    use = verified()["verification"]["use"][0]
    other = {**use, "first_use": None, "unattributed_use": use["first_use"], "reason": "used by account 444455556666."}
    run = verified(use=[other], sites=[])
    assert run["verification"]["verdict"] == "waiting"
    assert checks(run)["use"] == (
        "open",
        "ap-northeast-1: used by account 444455556666. CloudTrail is up to 15 minutes late.",
    )
