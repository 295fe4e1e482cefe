"""Which restoration is it, and has Atlassian heard of it? The life of a journal, run after run."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import (
    announced,
    announcement,
    journal_text,
    posted,
    reference,
    template_fault,
    usable,
    with_reference,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import mentions

FIRST, LATER, LATEST = "2026-11-24T03:00:00Z", "2026-11-24T05:00:00Z", "2026-11-25T09:00:00Z"
ACME = {"slug": "acme", "ticket": "CMK-1", "ticket_told": ""}
A_REFERENCE = "cmk-restore/acme/0123456789ab"
BY_API = {
    "by": "api",
    "reference": A_REFERENCE,
    "comment_id": "17",
    "url": "https://support.example.com/17",
    "at": FIRST,
}
REFERENCE = re.compile(r"cmk-restore/acme/[0-9a-f]{12}")


def keys(**states: str | None) -> list[dict[str, Any]]:
    """Plans as kms_realm_keys predicts them; a region's name has underscores here."""
    return [
        {
            "region": region.replace("_", "-"),
            "key_state_before": state,
            "actions": ["EnableKey"] if state == "Disabled" else [],
        }
        for region, state in states.items()
    ]


DISABLED = keys(us_east_1="Disabled", us_west_2="Disabled")
PARTLY = keys(us_east_1="Enabled", us_west_2="Disabled")
ENABLED = keys(us_east_1="Enabled", us_west_2="Enabled")


def kept(journal: dict[str, Any], **more: Any) -> str:
    return journal_text(journal | more)


def test_the_first_restoration() -> None:
    journal = announcement(DISABLED, ACME, "", FIRST)
    assert REFERENCE.fullmatch(journal["reference"])
    assert journal == {
        "reference": reference("acme", FIRST, ["us-east-1", "us-west-2"]),
        "started_at": FIRST,
        "restored_at": None,
        "ticket": "CMK-1",
        "states_before": {"us-east-1": "Disabled", "us-west-2": "Disabled"},
        "told": None,
        "mailed": None,
        "accepts": [journal["reference"]],
        "accepts_since": None,
        "enables": True,
    }


def test_enabled_by_hand_and_nothing_remembered() -> None:
    # Any announcement on the ticket counts then; without one, it is told.
    journal = announcement(ENABLED, ACME, "", FIRST)
    assert (journal["enables"], journal["accepts"], journal["told"]) == (False, [], None)
    assert REFERENCE.fullmatch(journal["reference"])


def mention(name: str, at: str) -> dict[str, str]:
    return {"reference": name, "at": at, "comment_id": "1", "url": ""}


class TestWhatCountsOnTheTicket:
    LOSS = {"identity": "event-1", "lost_at": LATER}  # noqa: RUF012 - never changed

    def test_anything_of_the_organization_where_nothing_is_known(self) -> None:
        old = mention(A_REFERENCE, FIRST)
        assert announced([old], announcement(ENABLED, ACME, "", LATEST)) == [old]

    def test_only_its_own_where_this_run_restores(self) -> None:
        journal = announcement(DISABLED, ACME, "", LATEST, self.LOSS)
        own = mention(journal["reference"], FIRST)
        assert announced([mention(A_REFERENCE, LATEST), own], journal) == [own]

    @pytest.mark.parametrize(("at", "counts"), [(FIRST, False), (LATER, False), ("2026-11-24T05:00:01Z", True)])
    def test_only_what_is_younger_than_the_loss(self, at: str, counts: bool) -> None:
        journal = announcement(ENABLED, ACME, "", LATEST, self.LOSS)
        assert bool(announced([mention(A_REFERENCE, at)], journal)) is counts

    def test_its_own_whatever_the_clocks_say(self) -> None:
        journal = announcement(ENABLED, ACME, "", LATEST, self.LOSS)
        assert journal["accepts"] == [reference("acme", "event-1", ["us-west-2", "us-east-1"])]
        own = mention(journal["reference"], FIRST)
        assert announced([own], journal) == [own]


class TestNotTold:
    """The desk was down, or the run died between the keys and the ticket."""

    def test_the_next_run_tells_the_same_restoration(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        again = announcement(ENABLED, ACME, kept(first, restored_at=LATER), LATEST)
        assert again["reference"] == first["reference"]
        assert (again["started_at"], again["restored_at"]) == (FIRST, LATER)
        assert again["states_before"] == first["states_before"]
        # An older announcement on the same ticket does not count for this one.
        assert again["accepts"] == [first["reference"]]
        assert (again["told"], again["enables"]) == (None, False)

    def test_a_second_revocation_before_it_was_told(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        again = announcement(DISABLED, ACME, kept(first, restored_at=FIRST), LATER)
        assert (again["reference"], again["started_at"]) == (first["reference"], FIRST)
        assert again["restored_at"] is None
        assert again["accepts"] == [first["reference"]]

    def test_partial_then_complete_keeps_the_first_states(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        second = announcement(PARTLY, ACME, kept(first), LATER)
        third = announcement(ENABLED, ACME, kept(second), LATEST)
        for journal in (second, third):
            assert journal["reference"] == first["reference"]
            assert journal["states_before"] == {"us-east-1": "Disabled", "us-west-2": "Disabled"}

    def test_a_key_that_was_enabled_first_and_disabled_later(self) -> None:
        first = announcement(PARTLY, ACME, "", FIRST)
        second = announcement(keys(us_east_1="Disabled", us_west_2="Enabled"), ACME, kept(first), LATER)
        assert second["states_before"] == {"us-east-1": "Disabled", "us-west-2": "Disabled"}

    def test_a_region_that_is_no_longer_used_is_forgotten(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        second = announcement(keys(us_west_2="Enabled"), ACME, kept(first), LATER)
        assert second["states_before"] == {"us-west-2": "Disabled"}

    def test_a_key_that_could_not_be_read_is_left_out(self) -> None:
        journal = announcement(keys(us_east_1=None, us_west_2="Disabled"), ACME, "", FIRST)
        assert journal["states_before"] == {"us-west-2": "Disabled"}

    def test_on_another_ticket(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        again = announcement(ENABLED, ACME | {"ticket": "CMK-2"}, kept(first), LATER)
        assert (again["ticket"], again["reference"]) == ("CMK-2", first["reference"])
        assert again["accepts"] == [first["reference"]]

    def test_told_by_a_person_at_last(self) -> None:
        first = announcement(DISABLED, ACME, "", FIRST)
        again = announcement(ENABLED, ACME | {"ticket_told": "04:10 UTC"}, kept(first), LATER)
        assert again["told"] == {"by": "person", "note": "04:10 UTC", "at": LATER, "already_told": False}
        assert again["reference"] == first["reference"]


class TestTold:
    """Atlassian knows of the last restoration."""

    def told(self, **more: Any) -> str:
        return kept(announcement(DISABLED, ACME, "", FIRST), restored_at=FIRST, told=BY_API, **more)

    def test_nothing_to_do_stays_told(self) -> None:
        first = json.loads(self.told())
        again = announcement(ENABLED, ACME, self.told(), LATER)
        assert again["told"] == {**BY_API, "already_told": True}
        assert json.loads(journal_text(again)) == first

    def test_a_new_revocation_is_a_new_restoration(self) -> None:
        again = announcement(DISABLED, ACME, self.told(), LATER)
        assert again["reference"] != json.loads(self.told())["reference"]
        assert (again["started_at"], again["restored_at"], again["told"]) == (LATER, None, None)
        assert again["accepts"] == [again["reference"]]

    def test_a_new_revocation_takes_no_state_from_the_old_one(self) -> None:
        assert announcement(PARTLY, ACME, self.told(), LATER)["states_before"] == {
            "us-east-1": "Enabled",
            "us-west-2": "Disabled",
        }

    def test_another_ticket_has_not_been_told(self) -> None:
        again = announcement(ENABLED, ACME | {"ticket": "CMK-2"}, self.told(), LATER)
        assert (again["told"], again["ticket"], again["accepts"]) == (None, "CMK-2", [])
        assert again["reference"] != json.loads(self.told())["reference"]

    def test_a_person_who_tells_the_same_twice(self) -> None:
        settings = ACME | {"ticket_told": "04:10 UTC"}
        first = announcement(ENABLED, settings, kept(announcement(DISABLED, ACME, "", FIRST)), LATER)
        again = announcement(ENABLED, settings, kept(first), LATEST)
        # The second run changes nothing, the time of the first one included.
        assert journal_text(again) == journal_text(first)
        assert (first["told"]["already_told"], again["told"]["already_told"]) == (False, True)

    def test_a_person_who_corrects_it(self) -> None:
        first = announcement(ENABLED, ACME | {"ticket_told": "04:10 UTC"}, self.told(), LATER)
        again = announcement(ENABLED, ACME | {"ticket_told": "04:15 UTC"}, kept(first), LATEST)
        assert again["told"] == {"by": "person", "note": "04:15 UTC", "at": LATEST, "already_told": False}
        assert again["reference"] == first["reference"]

    @pytest.mark.parametrize("remembered", ["", "told"])
    def test_a_person_cannot_speak_of_what_this_run_does(self, remembered: str) -> None:
        text = self.told() if remembered else ""
        journal = announcement(DISABLED, ACME | {"ticket_told": "04:10 UTC"}, text, LATER)
        assert journal["told"] is None
        assert journal["accepts"] == [journal["reference"]]


def whole_but(**more: Any) -> str:
    """A journal of a restoration that was told, with something wrong in it; an ellipsis is left out."""
    journal = {"reference": A_REFERENCE, "started_at": FIRST, "restored_at": FIRST, "ticket": "CMK-1"}
    told = journal | {"states_before": {"us-east-1": "Disabled"}, "told": BY_API} | more
    return json.dumps({name: value for name, value in told.items() if value is not ...})


def test_nothing_else_is_wrong_with_the_damaged_ones() -> None:
    assert announcement(ENABLED, ACME, whole_but(), LATER)["told"] == {**BY_API, "already_told": True}


DAMAGED = {
    "half a journal": whole_but()[:60],
    "not JSON": "restored!",
    "a list": "[]",
    "a text": '"told"',
    "a number": "1",
    "null": "null",
    "nothing in it": "{}",
    "told is a text": whole_but(told="yes"),
    "told is a list": whole_but(told=[1]),
    "told is true": whole_but(told=True),
    "states are null": whole_but(states_before=None),
    "states are a list": whole_but(states_before=["Disabled"]),
    "no states": whole_but(states_before=...),
    "no reference": whole_but(reference=...),
    "another organization's": whole_but(reference="cmk-restore/globex/0123456789ab"),
    "reference is a list": whole_but(reference=[A_REFERENCE]),
    "reference is cut": whole_but(reference=A_REFERENCE[:-1]),
    "reference and more": whole_but(reference=A_REFERENCE + "\n"),
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("told", ["", "04:10 UTC"], ids=["not told", "told by a person"])
@pytest.mark.parametrize("plan", [DISABLED, ENABLED], ids=["disabled", "enabled"])
@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_journal_counts_as_not_told(text: str, plan: list[dict[str, Any]], told: str) -> None:
    journal = announcement(plan, ACME | {"ticket_told": told}, text, LATER)
    by_person = told and plan is ENABLED
    assert journal["told"] == (
        {"by": "person", "note": told, "at": LATER, "already_told": False} if by_person else None
    )
    # Nothing that is on the ticket already counts, since silence would be worse than a second comment.
    assert journal["accepts"] == [journal["reference"]]
    assert REFERENCE.fullmatch(journal["reference"])
    assert set(journal["states_before"]) == {"us-east-1", "us-west-2"}


@pytest.mark.parametrize("text", ["", "\n", "  \n\t"], ids=["none", "newline", "blank"])
def test_an_empty_journal_is_none(text: str) -> None:
    assert announcement(ENABLED, ACME, text, FIRST)["accepts"] == []


def test_the_kept_text_is_stable_and_holds_no_more_than_it_must() -> None:
    journal = announcement(DISABLED, ACME, "", FIRST)
    text = journal_text(journal)
    assert text.endswith("}\n")
    assert list(json.loads(text)) == ["reference", "restored_at", "started_at", "states_before", "ticket", "told"]
    assert journal_text(dict(reversed(journal.items()))) == text


regions = st.lists(st.sampled_from(["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"]), unique=True)


@given(regions.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))), st.text(min_size=1))
def test_a_reference_does_not_depend_on_the_order_of_regions(orders: tuple[list[str], list[str]], when: str) -> None:
    assert reference("acme", when, orders[0]) == reference("acme", when, orders[1])


@given(st.lists(st.tuples(st.sampled_from(["acme", "acme-2", "ac"]), st.text(max_size=5), regions), max_size=6))
def test_different_restorations_have_different_references(seeds: list[tuple[str, str, list[str]]]) -> None:
    different = {(slug, when, tuple(sorted(found))) for slug, when, found in seeds}
    assert len({reference(slug, when, found) for slug, when, found in seeds}) == len(different)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["reference", "told", "states_before", "started_at", "us-east-1", "note"])
    return st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(names, st.text()), inner, max_size=5))


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(["Disabled", LATER]))
journals = st.recursive(leaves, nested, max_leaves=8)


@given(st.one_of(st.text(), journals.map(json.dumps)), st.sampled_from([DISABLED, PARTLY, ENABLED]))
def test_no_journal_breaks_a_run(text: str, plan: list[dict[str, Any]]) -> None:
    journal = announcement(plan, ACME, text, LATEST)
    assert REFERENCE.fullmatch(journal["reference"])
    assert journal["told"] is None or isinstance(journal["told"], dict)
    # What is kept can be read again, and means the same.
    again = announcement(ENABLED, ACME, journal_text(journal), LATEST)
    assert again["reference"] == journal["reference"]
    assert journal["told"] == again["told"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "The lookup plugin 'ansible.builtin.template' failed: The file 'a.j2' was not found.",
            "The file 'a.j2' was not found.",
        ),
        (
            "The lookup plugin 'ansible.builtin.template' failed: Syntax error in template:\n  unexpected '}'",
            "Syntax error in template: unexpected '}'.",
        ),
        ("'nothing' is undefined", "'nothing' is undefined."),
        ("", "."),
    ],
)
def test_of_ansibles_chain_the_reason_is_left(message: str, said: str) -> None:
    assert template_fault(message) == said


class TestUsable:
    DECIDED: ClassVar[dict[str, Any]] = {"reference": A_REFERENCE, "restored_at": None}
    KEYS: ClassVar[list[dict[str, Any]]] = [
        {"error": "", "calls": [{"at": "2026-11-24T03:00:01Z"}, {"at": "2026-11-24T03:00:07Z"}]},
        {"error": "", "calls": [{"at": "2026-11-24T03:00:01Z"}, {"at": "2026-11-24T03:00:05Z"}]},
    ]

    def test_since_the_last_key_was_seen_to_be(self) -> None:
        assert usable(self.DECIDED, self.KEYS, "restore")["restored_at"] == "2026-11-24T03:00:07Z"

    def test_an_earlier_run_has_seen_it(self) -> None:
        assert usable({"restored_at": FIRST}, self.KEYS, "restore")["restored_at"] == FIRST

    @pytest.mark.parametrize(
        ("keys", "entry_point"),
        [
            (KEYS, "assess"),
            ([], "restore"),
            ([KEYS[0], {"error": "AWS refused.", "calls": [{"at": LATER}]}], "restore"),
        ],
        ids=["only looked", "no keys", "one failed"],
    )
    def test_not_yet(self, keys: list[dict[str, Any]], entry_point: str) -> None:
        assert usable(self.DECIDED, keys, entry_point) == self.DECIDED

    def test_nothing_decided(self) -> None:
        assert usable({}, self.KEYS, "restore") == {}


class TestPosted:
    DECIDED: ClassVar[dict[str, Any]] = {"accepts": [A_REFERENCE], "accepts_since": None}
    COMMENT: ClassVar[dict[str, Any]] = {"id": "17", "body": f"Reference: {A_REFERENCE}", "created": {"iso8601": FIRST}}

    def test_the_answer_shows_the_comment(self) -> None:
        assert posted({"ok": True, "data": self.COMMENT}, "acme", self.DECIDED) == {
            "reference": A_REFERENCE,
            "comment_id": "17",
            "url": "",
            "at": FIRST,
            "noted_at": "",
            "author": "",
            "by_us": False,
            "told": True,
            "already_told": False,
        }

    @pytest.mark.parametrize(
        "answer",
        [
            {"ok": False, "data": {}},
            {"ok": True, "data": {}},
            {"ok": True, "data": {"id": "17", "body": "Reference: cmk-restore/acme/ffffffffffff"}},
            {"ok": True, "data": {"id": "17", "body": "Reference: cmk-restore/globex/0123456789ab"}},
        ],
    )
    def test_the_answer_proves_nothing(self, answer: dict[str, Any]) -> None:
        assert posted(answer, "acme", self.DECIDED) == {}


def test_a_comment_without_the_reference_gets_it() -> None:
    assert with_reference("Done.\n", A_REFERENCE) == f"Done.\n\nReference: {A_REFERENCE}\n"
    assert with_reference("", A_REFERENCE) == f"\n\nReference: {A_REFERENCE}\n"


@pytest.mark.parametrize(
    "text", [A_REFERENCE, f"Done.\nReference: {A_REFERENCE}\n", f"{A_REFERENCE}\n\n> Please tell us."]
)
def test_a_comment_with_the_reference_stays_as_it_is(text: str) -> None:
    assert with_reference(text, A_REFERENCE) == text


@pytest.mark.parametrize(
    "text", [f"Done ({A_REFERENCE}).", f"> {A_REFERENCE}", "> Please tell us.", "bq. Please tell us."]
)
def test_a_reference_that_would_not_be_recognized_is_added(text: str) -> None:
    (found,) = mentions([{"body": with_reference(text, A_REFERENCE)}], "acme")
    assert found["reference"] == A_REFERENCE
