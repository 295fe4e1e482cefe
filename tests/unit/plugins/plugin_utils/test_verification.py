"""Is Atlassian back? Every combination of what can be seen, and how it is read."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._verification import (
    CHECKS,
    OUTCOMES,
    VERDICTS,
    Facts,
    progress,
    reply,
    seen_keys,
    to_prove,
    told,
    verdict,
)

ARN: t.Final = "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
LOST, BACK, TOLD = "2026-11-20T08:15:00Z", "2026-11-24T03:00:05Z", "2026-11-24T03:00:09Z"
REFERENCE: t.Final = "cmk-restore/acme/0123456789ab"

_COMBINATIONS: t.Any = itertools.product(
    ("enabled", "not_enabled", "unread"),
    (True, False),
    (True, False),
    ("every", "some", "none", "unread"),
    ("none", "up", "down"),
    (True, False),
)
EVERY: t.Final = [Facts("", *combination) for combination in _COMBINATIONS]


class TestVerdict:
    @pytest.mark.parametrize(
        ("facts", "found", "says"),
        [
            (Facts(sites="up"), "restored", "every site answers"),
            (Facts(sites="up", replied=True), "restored", "every site answers"),
            # A restoration that took longer, or was never announced as far as is known, is one all the same.
            (Facts(sites="up", overdue=True), "restored", "every site answers"),
            (Facts(sites="up", told=False), "restored", "every site answers"),
            (Facts(sites="none"), "restored", "rests on the use of the keys alone"),
            (Facts(sites="none", overdue=True), "restored", "rests on the use of the keys alone"),
            (Facts(sites="none", told=False), "needs_attention", "has not been told"),
            (Facts(sites="down"), "waiting", "every key is in use again, but not every site answers"),
            (Facts(sites="down", overdue=True), "needs_attention", "but not every site answers"),
            (Facts(use="some"), "waiting", "not every key is in use again yet"),
            (Facts(use="none"), "waiting", "no key is in use again yet"),
            (Facts(use="none", replied=True), "waiting", "There is an answer on the ticket: read it."),
            (Facts(use="none", sites="up"), "waiting", "though every site answers"),
            (
                Facts(use="none", overdue=True),
                "needs_attention",
                "two business days that a restoration generally takes",
            ),
            (Facts(use="some", sites="up", overdue=True), "needs_attention", "not every key is in use again yet"),
            (Facts(use="none", told=False), "needs_attention", "has not been told"),
            (Facts(use="unread"), "waiting", "CloudTrail could not be read"),
            (Facts(use="unread", replied=True), "waiting", "CloudTrail could not be read"),
            (Facts(use="unread", sites="up"), "waiting", "though every site answers"),
            (Facts(use="unread", sites="up", replied=True), "restored", "the use of the keys is not proven"),
            (Facts(use="unread", sites="up", replied=True, told=False), "needs_attention", "has not been told"),
            (Facts(use="unread", sites="down", replied=True), "waiting", "not every site answers"),
            (Facts(use="unread", overdue=True), "needs_attention", "CloudTrail could not be read"),
            (Facts(keys="not_enabled", sites="up"), "needs_attention", "Not every key is enabled"),
            (Facts(keys="unread", sites="up"), "needs_attention", "Not every key could be looked at"),
            (Facts(error="AWS was not reached.", sites="up"), "needs_attention", "AWS was not reached."),
        ],
    )
    def test_of_a_combination(self, facts: Facts, found: str, says: str) -> None:
        judged, reason = verdict(facts)
        assert judged == found
        assert says in reason

    def test_every_combination_has_one_with_a_reason(self) -> None:
        for facts in EVERY:
            found, reason = verdict(facts)
            assert found in VERDICTS
            assert reason.endswith(".")

    def test_restored_needs_enabled_keys_and_a_proof(self) -> None:
        for facts in EVERY:
            if verdict(facts)[0] == "restored":
                assert facts.keys == "enabled"
                assert facts.sites != "down"
                assert facts.use == "every" or (facts.use == "unread" and facts.sites == "up" and facts.replied)

    def test_nobody_waits_in_vain(self) -> None:
        for facts in EVERY:
            if verdict(facts)[0] == "waiting":
                assert facts.told
                assert not facts.overdue
                assert facts.keys == "enabled"

    def test_more_evidence_never_makes_it_worse(self) -> None:
        better: dict[str, tuple[t.Any, ...]] = {
            "use": ("none", "some", "every"),
            "sites": ("down", "up"),
            "replied": (False, True),
            "told": (False, True),
        }
        rank = {"needs_attention": 0, "waiting": 1, "restored": 2}
        for facts in EVERY:
            for name, scale in better.items():
                value = getattr(facts, name)
                if value in scale[:-1]:
                    more = Facts(**{**facts._asdict(), name: scale[scale.index(value) + 1]})
                    assert rank[verdict(more)[0]] >= rank[verdict(facts)[0]], (facts, name)


def key(**more: t.Any) -> dict[str, t.Any]:
    usual = {"region": "ap-northeast-1", "reference": "alias/cmk", "arn": ARN, "key_state_before": "Enabled"}
    state = {"key_state": "Enabled", "actions": [], "changed": False, "code": "", "error": "", "hint": "", "calls": []}
    return {**usual, **state, **more}


class TestSeenKeys:
    def test_nothing_is_predicted(self) -> None:
        (seen,) = seen_keys([key(key_state_before="Disabled", actions=["EnableKey"], changed=True)])
        assert (seen["key_state"], seen["actions"], seen["changed"]) == ("Disabled", [], False)
        assert (seen["code"], seen["error"]) == ("not_enabled", f"{ARN} is Disabled, so Atlassian cannot use it.")

    def test_an_error_stays_what_it_was(self) -> None:
        (seen,) = seen_keys([key(key_state_before=None, arn=None, code="key_not_found", error="No key.", hint="Look.")])
        assert (seen["code"], seen["error"], seen["key_state"]) == ("key_not_found", "No key.", None)


class TestToProve:
    @pytest.mark.parametrize(
        ("trail", "restored_at", "told_at", "since"),
        [
            ({"restored_at": BACK}, None, None, BACK),
            # The controller's journal knows what CloudTrail does not show yet, or not any more.
            ({"revoked_at": LOST, "restored_at": None}, BACK, TOLD, BACK),
            ({"restored_at": LOST}, BACK, TOLD, BACK),
            # Somebody revoked and enabled again by hand after what the journal remembers.
            ({"restored_at": TOLD}, BACK, TOLD, TOLD),
            ({}, None, TOLD, TOLD),
            ({}, None, "2026-11-24T14:00:09+1100", TOLD),
        ],
    )
    def test_a_use_counts_from_when_the_key_was_usable(
        self, trail: dict[str, t.Any], restored_at: str | None, told_at: str | None, since: str
    ) -> None:
        found = to_prove([key()], {"keys": [{"arn": ARN, **trail}]}, restored_at, told_at, [])
        assert found == [{"region": "ap-northeast-1", "key_arn": ARN, "since": since}]

    def test_of_a_key_of_which_nothing_is_known_nothing_can_be_proven(self) -> None:
        assert to_prove([key()], {}, None, "", []) == []

    def test_what_is_proven_is_not_asked_again(self) -> None:
        proven = {"arn": ARN, "first_use": {"time": TOLD}}
        assert to_prove([key()], {}, BACK, None, [proven]) == []
        assert to_prove([key()], {}, BACK, None, [{**proven, "first_use": None}]) != []

    def test_a_key_that_was_not_found(self) -> None:
        assert to_prove([key(arn=None)], {}, BACK, None, []) == []


def author(name: str, at: str, *references: str) -> dict[str, t.Any]:
    return {"author": name, "name": name, "at": at, "text": f"by {name}", "url": "", "references": list(references)}


class TestReply:
    LOOK: t.ClassVar = {
        "authors": [
            author("early", "2026-11-24T03:00:08+0000"),
            author("same second", "2026-11-24T03:00:09+0000"),
            author("us", "2026-11-26T00:00:00+0000", "cmk-restore/acme/ffffffffffff"),
            author("first", "2026-11-24T08:00:00+0000"),
            author("last", "2026-11-24T20:00:00+1100"),
        ]
    }

    def test_the_newest_by_somebody_else_after_the_announcement(self) -> None:
        found = reply(self.LOOK, {"at": TOLD, "reference": REFERENCE})
        assert found == {"name": "last", "at": "2026-11-24T09:00:00Z", "text": "by last", "url": ""}

    def test_a_comment_of_the_same_second_may_have_been_before(self) -> None:
        assert reply({"authors": [author("same second", "2026-11-24T03:00:09+0000")]}, {"at": TOLD}) is None

    @pytest.mark.parametrize("at", ["", None, "yesterday", "2027-01-01T00:00:00Z"])
    def test_none(self, at: str | None) -> None:
        assert reply(self.LOOK, {"at": at}) is None

    def test_of_a_ticket_that_was_not_read(self) -> None:
        assert reply({}, {"at": TOLD}) is None


ANNOUNCEMENT: t.Final[dict[str, t.Any]] = {"accepts": [], "accepts_since": LOST, "told": None}
MENTION: t.Final = {"reference": REFERENCE, "comment_id": "17", "url": "", "at": TOLD}
DOWN: t.Final[dict[str, t.Any]] = {
    "ok": False,
    "code": "desk_trouble",
    "error": "The support desk failed.",
    "hint": "Run again.",
}


class TestTold:
    def test_by_the_ticket(self) -> None:
        found = told(ANNOUNCEMENT, {"ok": True, "mentions": [MENTION]})
        assert found == {**MENTION, "told": True, "already_told": True}

    def test_a_mention_of_before_the_loss_tells_nothing(self) -> None:
        assert told(ANNOUNCEMENT, {"ok": True, "mentions": [{**MENTION, "at": "2026-11-01T00:00:00Z"}]}) == {}

    def test_by_the_journal_if_the_desk_is_down(self) -> None:
        found = told({**ANNOUNCEMENT, "told": {"by": "person", "note": "by phone", "at": TOLD}}, DOWN)
        assert (found["told"], found["at"], found["code"]) == (True, TOLD, "desk_trouble")

    def test_not_known(self) -> None:
        assert told(ANNOUNCEMENT, DOWN) == {name: DOWN[name] for name in ("code", "error", "hint")}
        assert told({}, {}) == {}


def looked(now: str = "2026-11-24T09:00:00Z", **seen: t.Any) -> dict[str, t.Any]:
    """A run that has looked; by default at an organization that is back."""
    use = {
        "region": "ap-northeast-1",
        "arn": ARN,
        "since": BACK,
        "looked_up": True,
        "is_first": True,
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
    settings = {"org": "acme", "slug": "acme", "realm": "Japan", "ticket": "CMK-1", "ticket_told": "", "revoked_at": ""}
    decided = {"announcement": {**ANNOUNCEMENT, "reference": REFERENCE}}
    usual = {
        "keys": [key()],
        "use": [{**use, "first_use": first}],
        "look": {"ok": True, "status": "Open", "mentions": [MENTION], "authors": [author("us", TOLD, REFERENCE)]},
        "sites": [{"site": "https://acme.example.com", "up": True, "status": 200, "says": "answers 200"}],
        "looks": 1,
    }
    nothing = {"plan": {}, "change": {}, "revocation": {}, "ticket": {}, "comment": "", "error": "", "user": ""}
    run = {"entry_point": "verify", "check_mode": False, "started_at": BACK, "now": now, "decided": decided}
    return about({**run, **nothing, "settings": {**settings, "problems": []}, "seen": {**usual, **seen}})


def checks(run: dict[str, t.Any]) -> dict[str, tuple[str, str]]:
    return {check["check"]: (check["outcome"], check["says"]) for check in run["verification"]["checks"]}


class TestVerification:
    def test_of_an_organization_that_is_back(self) -> None:
        run = looked()
        assert run["verification"]["verdict"] == "restored"
        found = checks(run)
        assert list(found) == list(CHECKS)
        assert {name: outcome for name, (outcome, _says) in found.items()} == {
            "keys": "good",
            "use": "good",
            "ticket": "open",
            "sites": "good",
            "clock": "open",
        }
        assert found["use"][1] == "ap-northeast-1: Decrypt by account 444455556666, first at 2026-11-24T05:00:00Z."
        assert (
            "5 h 59 min since Atlassian was told, whose two business days end at 2026-11-26T03:00:09Z"
            in found["clock"][1]
        )

    @pytest.mark.parametrize(("now", "outcome"), [("2026-11-26T03:00:09Z", "open"), ("2026-11-26T03:00:10Z", "bad")])
    def test_the_two_business_days(self, now: str, outcome: str) -> None:
        run = looked(now, use=[])
        assert checks(run)["clock"][0] == outcome
        assert run["verification"]["verdict"] == {"open": "waiting", "bad": "needs_attention"}[outcome]

    def test_a_use_that_may_not_be_the_first(self) -> None:
        use = {**looked()["verification"]["use"][0], "is_first": False}
        assert "at the latest at" in checks(looked(use=[use]))["use"][1]

    def test_a_key_of_which_it_is_not_known_when_it_was_enabled(self) -> None:
        outcome, says = checks(looked(use=[]))["use"]
        assert (outcome, says) == (
            "unknown", "ap-northeast-1: it was not looked for, since it is not known when the key was enabled.",
        )  # fmt: skip

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
        assert looked(**seen)["verification"]["passing"] is passing

    def test_manual_mode(self) -> None:
        outcome, says = checks(looked(look={}))["ticket"]
        assert outcome == "bad"
        assert "The ticket cannot be read without an API" in says

    def test_mailed_and_not_confirmed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(ANNOUNCEMENT, "mailed", {"to": "desk@example.com", "ticket": "CMK-1", "at": TOLD})
        outcome, says = checks(looked(look={}))["ticket"]
        assert (outcome, says.split(".")[0]) == ("bad", f"it was mailed at {TOLD}, which does not prove a comment")

    def test_without_anything(self) -> None:
        nothing = {"plan": {}, "change": {}, "revocation": {}, "decided": {}, "ticket": {}, "comment": "", "seen": {}}
        settings = {"org": "acme", "realm": "", "revoked_at": "", "problems": ["No realm is given."]}
        run = about({
            "entry_point": "verify", "check_mode": False, "settings": settings, "error": "", "user": "", "started_at": BACK,
            "now": BACK, **nothing,
        })  # fmt: skip
        assert (run["verification"]["verdict"], run["verification"]["reason"]) == (
            "needs_attention",
            "No realm is given.",
        )
        assert {check["outcome"] for check in run["verification"]["checks"]} <= set(OUTCOMES)

    def test_progress_is_one_line(self) -> None:
        assert progress(looked()) == "2026-11-24T09:00:00Z: restored (keys enabled 1/1, in use 1/1, sites up 1/1)"
