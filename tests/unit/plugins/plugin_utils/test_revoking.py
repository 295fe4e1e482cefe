"""Taking access away: the confirmation, what became of the keys, and what an operator reads."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import (
    KEY_STATES,
    KeyMetadata,
    Wish,
    plan,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access import compare_access
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._decided import Records
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import (
    check_confirmation,
    check_drill,
    check_no_loss,
    decide_revocation,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import (
    Key,
    Keys,
    find_open_regions,
    judge_revoked,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import make_result, next_step
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run, evidence_parts, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail
from tests.unit.plugins.conversation import ACCOUNT, ALIAS, arn, metadata

EAST, WEST = "us-east-1", "us-west-2"
EARLIER, FIRST, LATER, NOW = (f"2026-11-24T03:00:0{second}Z" for second in (0, 2, 4, 9))
OLD: t.Final = "2026-11-03T08:00:00Z"


@pytest.mark.parametrize(
    ("confirm", "org"), [("acme", "acme"), ("Acme & Co. KG", "Acme & Co. KG"), ("0042", "0042"), ("all", "all")]
)
def test_the_name_typed_out_confirms(confirm: str, org: str) -> None:
    assert check_confirmation(confirm, org, 1) is None


@pytest.mark.parametrize(
    ("confirm", "code"),
    [
        pytest.param("", "revoke_not_confirmed", id="nothing"),
        pytest.param(None, "revoke_not_confirmed", id="null"),
        pytest.param("globex", "revoke_confirmed_other", id="another name"),
        pytest.param("Acme", "revoke_confirmed_other", id="another case"),
        pytest.param(" acme", "revoke_confirmed_other", id="a space before"),
        pytest.param("acme\n", "revoke_confirmed_other", id="a newline behind"),
        pytest.param("   ", "revoke_confirmed_other", id="spaces"),
        pytest.param("acm", "revoke_confirmed_other", id="a part of it"),
        pytest.param("acme,globex", "revoke_confirmed_other", id="two names"),
        pytest.param("a*", "revoke_confirmed_other", id="a pattern"),
        pytest.param("all", "revoke_confirmed_other", id="all"),
        pytest.param("yes", "revoke_confirmed_other", id="yes"),
        pytest.param(True, "revoke_confirmed_other", id="true"),
        pytest.param(False, "revoke_confirmed_other", id="false"),
        pytest.param(["acme"], "revoke_confirmed_other", id="a list"),
        pytest.param([], "revoke_confirmed_other", id="an empty list"),
        pytest.param({"acme": "acme"}, "revoke_confirmed_other", id="a map"),
        pytest.param(7, "revoke_confirmed_other", id="a number"),
    ],
)
def test_nothing_else_confirms(confirm: object, code: str) -> None:
    why = check_confirmation(confirm, "acme", 1)
    assert isinstance(why, Refusal)
    assert why.code == code
    assert "nothing was disabled" in why.error
    assert "-e confirm='acme'" in why.hint


@pytest.mark.parametrize("confirm", ["acme", "all", ""])
def test_no_name_speaks_for_several_organizations(confirm: str) -> None:
    why = check_confirmation(confirm, "acme", 2)
    assert why is not None
    assert why.code == "revoke_several"
    assert why.error.startswith("This run has 2 organizations")


@pytest.mark.parametrize(
    ("drill", "confirm", "organizations", "code"),
    [
        (True, "acme", 1, ""),
        (False, "acme", 1, "drill_not_marked"),
        (False, "", 2, "drill_not_marked"),
        (True, "", 1, "revoke_not_confirmed"),
        (True, "Acme", 1, "revoke_confirmed_other"),
        (True, "acme", 2, "revoke_several"),
    ],
)
def test_a_drill_needs_the_mark_and_the_name(drill: bool, confirm: str, organizations: int, code: str) -> None:
    why = check_drill(Settings(org="acme", drill=drill, confirm=confirm), organizations)
    assert (why.code if why else "") == code


@pytest.mark.parametrize(
    ("states", "named"),
    [
        (["Enabled", "Enabled"], ""),
        (["Enabled", "Disabled"], "(us-west-2: Disabled)"),
        (["PendingDeletion", None], "(us-east-1: PendingDeletion, us-west-2: not read)"),
    ],
)
def test_a_drill_revokes_only_what_it_can_give_back(states: list[str | None], named: str) -> None:
    keys = [key(state, region) for state, region in zip(states, (EAST, WEST), strict=True)]
    why = check_no_loss(read_keys(*keys), "acme")
    assert named in str(why or "")
    assert bool(why) is bool(named)
    # Without a drill, the rest of the keys is disabled all the same.
    settled = run(keys)
    assert not decide_revocation(settled, Records()).refused
    assert bool(decide_revocation(replace(settled, is_part=True), Records()).refused) is bool(named)


def test_a_secret_that_was_typed_by_mistake_is_not_repeated() -> None:
    assert "hunter2" not in str(check_confirmation("operator:hunter2@example.com", "acme", 1))


def key(before: str | None, region: str = EAST, *, changed: bool = False, **more: t.Any) -> dict[str, t.Any]:
    """A key as kms_key_state with state=disabled returns it."""
    done = [{"operation": "DisableKey", "at": FIRST, "error": ""}] if changed else []
    return {
        "region": region,
        "reference": ALIAS,
        "key_id": "1",
        "arn": arn(region) if before else None,
        "account_id": ACCOUNT,
        "key_state_before": before,
        "key_state": "Disabled" if changed else before,
        "actions": ["DisableKey"] if changed else [],
        "changed": changed,
        "waited": 0.0,
        "calls": [{"operation": "DescribeKey", "at": EARLIER, "error": ""}, *done],
        "code": "",
        "error": "",
        "hint": "",
        **more,
    }


def planned(state: str) -> dict[str, t.Any]:
    """What the planner decides for a key that is to be disabled, as the module returns it in check mode."""
    decision = plan(KeyMetadata(metadata(state)), Wish("disabled"))
    if isinstance(decision, Refusal):
        return key(state, **vars(decision))
    return key(state) | {
        "actions": list(decision.actions),
        "key_state": decision.after,
        "changed": bool(decision.actions),
    }


def read_keys(*keys: dict[str, t.Any]) -> tuple[Key, ...]:
    return Keys.from_json({"keys": list(keys)}).keys


# AWS KMS Developer Guide, "Key states": who can still decrypt, and what the run does about it.
@pytest.mark.parametrize(
    ("state", "actions", "code", "is_open"),
    [
        ("Enabled", ["DisableKey"], "", False),
        ("Disabled", [], "", False),
        ("PendingDeletion", [], "", False),
        ("PendingReplicaDeletion", [], "", False),
        ("PendingImport", [], "", False),
        ("Unavailable", [], "revoke_unavailable", True),
        ("Creating", [], "creating", True),
        ("Updating", [], "updating", True),
        ("Melting", [], "unknown_state", True),
    ],
)
def test_every_key_state(state: str, actions: list[str], code: str, is_open: bool) -> None:
    (found,) = map(judge_revoked, read_keys(planned(state)))
    assert (list(found.actions), found.code) == (actions, code)
    assert bool(found.error) is bool(found.hint) is bool(code)
    assert find_open_regions([found]) == ([EAST] if is_open else [])


def test_the_table_is_whole() -> None:
    assert {planned(state)["key_state_before"] for state in KEY_STATES} == set(KEY_STATES)


def test_the_way_back_of_a_key_store_is_not_a_hint_for_a_revocation() -> None:
    (found,) = map(judge_revoked, read_keys(planned("Unavailable")))
    assert "Reconnect" not in found.hint


def test_a_key_that_could_not_be_read_counts_as_open() -> None:
    assert find_open_regions(read_keys(key(None, error="AWS refused DescribeKey.", code="access_denied"))) == [EAST]
    assert find_open_regions(read_keys(key("Enabled"))) == [EAST]


SETTINGS: t.Final[dict[str, t.Any]] = {
    "org": "acme",
    "slug": "acme",
    "realm": "United States",
    "ticket": "",
    "mode": "",
    "ticket_told": "",
    "revoked_at": "",
    "sites": [],
    "confirm": "acme",
    "problems": [],
}


def run(keys: list[dict[str, t.Any]], *, plan: list[dict[str, t.Any]] | None = None, **more: t.Any) -> Run:
    """A run of revoke: after its plan, or (with ``plan``) after its change."""
    given = {
        "entry_point": "revoke",
        "check_mode": False,
        "settings": {**SETTINGS, **more.pop("settings", {})},
        "plan": {"keys": keys if plan is None else plan},
        "change": {} if plan is None else {"keys": keys},
        "revocation": {},
        "ticket": {},
        "comment": "",
        "error": "",
        "user": "",
        "organizations": 1,
        "started_at": EARLIER,
        "now": NOW,
        **more,
    }
    begun = Run.from_json(given)
    return replace(begun, decided=decide_revocation(begun, Records()))


ENABLED: t.Final = [planned("Enabled"), planned("Enabled") | {"region": WEST}]
DONE: t.Final = [key("Enabled", changed=True), key("Enabled", WEST, changed=True)]
DENIED: t.Final = key("Enabled", WEST, code="access_denied", error="AWS refused DisableKey.", hint="Allow it.")
GONE: t.Final = [key("Disabled"), key("Disabled", WEST)]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        pytest.param(run(DONE, plan=ENABLED), "revoked", "Access is revoked", id="both disabled"),
        pytest.param(run([DONE[0], GONE[1]], plan=ENABLED), "revoked", "Access is revoked", id="the other one"),
        pytest.param(run(GONE), "already_revoked", "Access was already revoked", id="nothing to do"),
        pytest.param(
            run([planned("PendingDeletion"), planned("PendingImport")]),
            "already_revoked",
            "Access was already revoked",
            id="gone",
        ),
        pytest.param(run([DONE[0], DENIED], plan=ENABLED), "partial", "ONLY PARTLY REVOKED", id="one denied"),
        pytest.param(run([GONE[0], DENIED], plan=ENABLED), "partial", "ONLY PARTLY REVOKED", id="one denied again"),
        pytest.param(run([DENIED, DENIED], plan=ENABLED), "failed", "Not revoked", id="both denied"),
        pytest.param(
            run([DENIED, DONE[0] | {"error": "AWS did not report that."}], plan=ENABLED),
            "partial",
            "ONLY PARTLY REVOKED",
            id="both fail, one after its change",
        ),
        pytest.param(run(ENABLED, check_mode=True), "planned", "This is a plan: nothing was changed", id="check mode"),
        pytest.param(
            run(GONE, check_mode=True), "already_revoked", "Access was already revoked", id="check mode, nothing to do"
        ),
        pytest.param(
            run([ENABLED[0], DENIED], check_mode=True), "partial", "ONLY PARTLY REVOKED", id="check mode, one"
        ),
        pytest.param(run(ENABLED, settings={"confirm": ""}), "failed", "Not revoked", id="not confirmed"),
        pytest.param(
            run(GONE, settings={"confirm": ""}),
            "failed",
            "Access is revoked, but the run ended early",
            id="not confirmed, nothing to do",
        ),
        pytest.param(run(ENABLED, settings={"confirm": ""}, check_mode=True), "failed", "Not revoked", id="check, no"),
        pytest.param(run(ENABLED, organizations=2), "failed", "Not revoked", id="several"),
        pytest.param(run(ENABLED, error="Disk full."), "failed", "Not revoked", id="ended before the change"),
        pytest.param(
            run(DONE, plan=ENABLED, error="Disk full."),
            "partial",
            "Access is revoked, but the run ended early",
            id="ended after it",
        ),
    ],
)
def test_the_verdict(given: Run, status: str, said: str) -> None:
    ended = make_result(given)
    assert ended["status"] == status
    assert evidence({**evidence_parts(given), "result": ended})["verdict"]["headline"] == said


@pytest.mark.parametrize("given", [run(ENABLED, settings={"confirm": "no"}), run(ENABLED, error="Disk full.")])
def test_what_was_planned_and_stopped_has_not_happened(given: Run) -> None:
    for one in make_result(given)["keys"]:
        assert (one["state_after"], one["changed"], one["actions"]) == ("Enabled", False, [])


def summary(given: Run) -> str:
    ended: dict[str, t.Any] = {"cmk_result": make_result(given), "cmk_folder": "/reports", "cmk_entry_point": "revoke"}
    judged = evidence({**evidence_parts(given), "result": ended["cmk_result"]})["verdict"]
    ended |= {
        "cmk_verdict": judged,
        "cmk_ending": judged["headline"].lower(),
        "cmk_hints": "",
        "cmk_next": next_step(ended["cmk_result"], given.command, check_mode=given.check_mode),
        "cmk_headline": judged["headline"].upper(),
    }
    failure = render("failure.txt.j2", **shown(given), **ended)
    return render("revoke_summary.txt.j2", ansible_check_mode=given.check_mode, **shown(given), **ended) + failure


class TestWhatAnOperatorReads:
    def test_a_partial_revocation_is_shouted(self) -> None:
        text = summary(run([DONE[0], DENIED], plan=ENABLED))
        assert "  ATLASSIAN MAY STILL USE THE KEY IN us-west-2: what that key protects can still be read." in text
        assert (
            "acme: only partly revoked: Atlassian may still use the key in us-west-2. AWS refused DisableKey." in text
        )

    def test_a_refusal_in_a_half_revoked_world_is_shouted_as_well(self) -> None:
        text = summary(run([GONE[0], ENABLED[1]], settings={"confirm": ""}))
        assert "ATLASSIAN MAY STILL USE THE KEY IN us-west-2" in text
        assert (
            "acme: only partly revoked: Atlassian may still use the key in us-west-2. Revoking Atlassian's access to the keys of acme was not confirmed"
            in text
        )

    @pytest.mark.parametrize("given", [run(DONE, plan=ENABLED), run(ENABLED, check_mode=True), run(ENABLED, error="x")])
    def test_nothing_is_shouted_otherwise(self, given: Run) -> None:
        assert "ATLASSIAN MAY STILL" not in summary(given)

    def test_a_run_that_ended_early_with_all_keys_disabled_says_both(self) -> None:
        text = summary(run(DONE, plan=ENABLED, error="What was done could not be remembered."))
        assert text.startswith("acme: ACCESS IS REVOKED, BUT THE RUN ENDED EARLY\n")
        assert "acme: access is revoked, but the run ended early. What was done could not be remembered." in text

    def test_the_clock_the_ticket_and_the_way_back(self) -> None:
        text = summary(run(DONE, plan=ENABLED))
        assert "  deadline   2026-12-04 03:00 UTC (9 days 23 h left)" in text
        assert "This run commented on no ticket. Atlassian opens one" in text
        assert "put its key into the inventory as cmk_ticket" in text
        assert "to restore access, run: ansible-playbook keyops.atlassian_cmk.restore_cmk -e org=acme" in text

    def test_the_plan_warns(self) -> None:
        sites = {"sites": ["https://acme.example.com"]}
        text = render("revoke_plan.txt.j2", **shown(run(ENABLED, settings=sites)))
        assert "re-encryption" in text
        assert "Until 2026-12-04 03:00 UTC (10 days)" in text
        assert "After 2026-12-14 03:00 UTC (20 days)" in text
        assert "suspends the sites (https://acme.example.com)" in text
        assert "WARNING" not in render("revoke_plan.txt.j2", **shown(run(GONE)))


@pytest.mark.parametrize(("keeps", "note"), [(False, "There is no earlier copy"), (True, "")])
def test_a_missing_copy_is_nothing_to_tell_where_one_is_kept(keeps: bool, note: str) -> None:
    one: dict[str, t.Any] = {
        "region": EAST,
        "arn": arn(),
        "policy": {},
        "grants": [],
        "suspects": [],
        "last_revocation": None,
    }
    unread = one | {"region": WEST, "policy": None, "access_reason": "AWS refused GetKeyPolicy."}
    found = compare_access(Trail.from_json({"keys": [one, unread]}), "", keeps=keeps)
    assert found[0].note.startswith(note)
    assert bool(found[0].note) is bool(note)
    assert "AWS refused GetKeyPolicy." in found[1].note
