"""The verdict of a report and its warnings: what a person reads first, for each way in which a run ends."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.headlines import judge_evidence, warnings
from tests.tools.evidence_runs import RUNS, event

AGAIN: t.Final = "Fix the problem below and run again. Completed steps are not repeated."
SILENT: t.Final = "Atlassian has not been notified."
UNCONFIRMED: t.Final = "Keys restored, Atlassian has PERHAPS been notified"
NOTHING: t.Final = "Every key is enabled. CloudTrail, which is up to 15 minutes late, shows no key that was disabled"
TOLD: t.Final = {"told": True}


def facts(name: str, regions: t.Mapping[str, t.Any] | None = None, **parts: t.Any) -> t.Any:
    """The facts of a run, with some fields changed: of each region, or of one part."""
    found: t.Any = evidence(RUNS[name])
    found["regions"] = [{**region, **(regions or {})} for region in found["regions"]]
    changed = {part: {**found[part], **new} if isinstance(new, dict) else new for part, new in parts.items()}
    return {**found, **changed}


def one_ok(name: str, **parts: t.Any) -> t.Any:
    """The same, with the first region as it should be and the second not."""
    found = facts(name, {"ok": False}, **parts)
    found["regions"][0]["ok"] = True
    return found


@pytest.mark.parametrize(
    ("given", "code", "tone", "headline", "detail"),
    [
        # restore
        (facts("check_mode"), "planned", "plan",
         "This is a plan: nothing was changed", "would enable 2 of 2 keys, and then notify Atlassian on ticket CMK-1."),
        (facts("check_mode", {"changed": False}), "planned", "plan", "This is a plan", "would change no key, and"),
        (facts("assess_not_ready", entry_point="restore", status="planned"), "planned", "plan",
         "This is a plan", "would enable 1 of 2 keys, and"),
        (facts("byok", status="planned"), "planned", "plan",
         "This is a plan", "would enable 3 of 3 keys and set the trust statement to Allow, and"),
        (facts("byok", status="planned", trust={"changed": False}), "planned", "plan",
         "This is a plan", "would enable 3 of 3 keys, and"),
        (facts("restored"), "restored", "good",
         "Keys restored, and Atlassian has been notified", "asked on ticket CMK-1 to"),
        (facts("restored", ticket={"key": ""}), "restored", "good", "Keys restored", "asked on the ticket to"),
        (facts("on_a_persons_word"), "restored", "good",
         "Keys restored, Atlassian notified according to a person", "Every key is enabled."),
        (facts("on_a_persons_word", status="already_restored"), "already_restored", "good",
         "Access was already restored, Atlassian notified according to a person", "This run changed nothing."),
        (facts("clock_unknown"), "restored", "good", "Keys restored, and Atlassian has been notified", "Every key"),
        (facts("already_restored"), "already_restored", "good",
         "Access was already restored", "This run changed nothing."),
        (facts("nothing_to_restore"), "nothing_to_restore", "good",
         "Nothing to restore, and nothing announced", NOTHING),
        (facts("handover_pending"), "handover_pending", "attention",
         "Keys restored, Atlassian has NOT been notified yet", "Now paste the text below into ticket CMK-1, then run"),
        (facts("handover_pending", ticket={"mailed_at": "2026-11-24T03:00:10Z"}), "handover_pending", "attention",
         "Keys restored and comment mailed, but not confirmed on the ticket", "Open ticket CMK-1. When it shows"),
        # restore that failed
        (facts("failed"), "failed", "bad", "Not restored", f"No key enabled. {SILENT} {AGAIN}"),
        (facts("partial"), "partial", "bad", "Only partly restored: 1 of 2 keys enabled", f"{SILENT} {AGAIN}"),
        (facts("partial", ticket=TOLD), "partial", "bad", "Only partly restored: 1 of 2 keys enabled", AGAIN),
        (facts("partial", status="failed", ticket=TOLD), "failed", "bad",
         "Not restored", f"1 of 2 keys enabled. {AGAIN}"),
        (facts("clock_unknown", {"ok": False}, status="failed", ticket=TOLD), "failed", "bad",
         "Not restored", f"0 of 1 key enabled. {AGAIN}"),
        (facts("desk_down"), "partial", "attention",
         "Keys restored, Atlassian could NOT be notified", f"Every key is enabled. {SILENT} {AGAIN}"),
        (facts("desk_down", ticket=TOLD), "partial", "attention",
         "Keys restored, but the run ended early", f"Every key is enabled. {AGAIN}"),
        (facts("desk_down", ticket={"code": "desk_unconfirmed"}), "partial", "attention",
         UNCONFIRMED, "on ticket CMK-1 already. Run again: it reads the ticket before it comments."),
        (facts("desk_down", ticket={"code": "mail_unconfirmed"}), "partial", "attention",
         UNCONFIRMED, "already. Read the ticket before you run again."),
        (facts("byok_refused"), "partial", "bad",
         "Only partly restored: keys enabled, trust not set", f"but role atlassian-key-management does not trust Atlassian. {SILENT} {AGAIN}"),
        (facts("byok_refused", {"ok": False}), "partial", "bad", "Only partly restored: 0 of 3 keys enabled", AGAIN),
        (facts("byok_refused", trust={"ok": True}), "partial", "attention",
         "Keys restored, Atlassian could NOT be notified", AGAIN),
        # assess
        (facts("assess"), "ready", "good",
         "A restore should succeed; kms:EnableKey is not proven", "It would enable 2 of 2 keys. This rehearsal changed nothing."),
        (facts("assess", {"changed": False, "proven_at": "2026-11-24T03:00:01Z"}), "ready", "good",
         "Ready: a restore would succeed", "Every key is enabled already. This rehearsal"),
        (facts("assess", status="nothing_to_restore"), "nothing_to_restore", "good",
         "A restore should succeed; kms:EnableKey is not proven", NOTHING),
        (facts("assess", {"proven_at": "2026-11-24T03:00:01Z"}, status="nothing_to_restore"), "nothing_to_restore", "good",
         "Ready: nothing to restore, and kms:EnableKey is proven", NOTHING),
        (facts("assess_not_ready"), "not_ready", "bad",
         "Not ready: a restore would not succeed", "1 of 2 keys could be restored. Fix the problem below, and assess again."),
        # verify
        (facts("verify"), "verified", "good",
         "Verified: access is back", "Atlassian uses every key again, and every site answers."),
        (facts("verify", verification=None), "verified", "good", "Verified: access is back", "2 of 2 keys enabled."),
        (facts("verify", verification={"reason": ""}), "verified", "good",
         "Verified: access is back", "2 of 2 keys enabled."),
        (facts("verify_waiting"), "waiting",
         "waiting", "Waiting for Atlassian", "Atlassian does not use every key yet."),
        (facts("verify_needs_attention"), "needs_attention", "bad", "Needs attention", "does not use every key yet."),
        (facts("verify", status="failed"), "needs_attention", "bad", "Needs attention", "Atlassian uses"),
        (one_ok("verify"), "needs_attention", "bad", "Needs attention", "Atlassian uses"),
        (facts("verify", {"ok": False}), "needs_attention", "bad", "Needs attention", "Atlassian uses"),
        (facts("failed", entry_point="verify", status="restored"), "needs_attention", "bad",
         "Needs attention", "No key enabled."),
        # revoke
        (facts("revoke", status="planned"), "planned", "plan",
         "This is a plan: nothing was changed", "A run would disable 2 of 2 keys."),
        (facts("revoke"), "revoked", "attention",
         "Access is revoked", "begun: 2026-12-04 03:00 UTC and 2026-12-14 03:00 UTC. To restore"),
        (facts("revoke", window={"reinstate_by": None}), "revoked", "attention",
         "Access is revoked", "begun: 2026-12-14 03:00 UTC. To restore"),
        (facts("revoke", window={"reinstate_by": None, "at_risk_after": None}), "revoked", "attention",
         "Access is revoked", "deadlines have begun. To restore"),
        (facts("revoke", status="already_revoked"), "revoked", "attention",
         "Access was already revoked", "Nobody can use a key."),
        (facts("revoke", status="failed"), "revoked", "attention",
         "Access is revoked, but the run ended early", "Run again."),
        (one_ok("revoke", status="failed"), "partly_revoked", "bad",
         "ONLY PARTLY REVOKED", "Only 1 of 2 keys cannot be used any more. Fix"),
        (facts("revoke_partial"), "partly_revoked", "bad", "ONLY PARTLY REVOKED", "Only 1 of 2 keys"),
        (facts("revoke", {"ok": False}, status="partial"), "partly_revoked", "bad",
         "ONLY PARTLY REVOKED", "Only 0 of 2 keys"),
        (facts("revoke", {"ok": False}, status="failed"), "not_revoked", "bad", "Not revoked", "No key was disabled."),
        # check mode
        (facts("already_restored", check_mode=True), "already_restored", "good",
         "Access was already restored", "This run changed nothing. This was check mode: nothing was changed."),
    ],
)  # fmt: skip
def test_the_verdict(given: t.Any, code: str, tone: str, headline: str, detail: str) -> None:
    found = judge_evidence(given)
    assert (found["code"], found["tone"]) == (code, tone)
    assert found["headline"].startswith(headline)
    assert detail in found["detail"]


def test_a_rehearsal_is_ready_only_if_every_key_is_proven() -> None:
    given = facts("assess")
    given["regions"][0]["proven_at"] = "2026-11-24T03:00:01Z"
    assert judge_evidence(given)["headline"] == "A restore should succeed; kms:EnableKey is not proven"


@pytest.mark.parametrize("name", ["restored", "already_restored", "assess"])
def test_nobody_is_named_who_did_not_say_so(name: str) -> None:
    assert "according to a person" not in judge_evidence(facts(name))["headline"]


def test_the_trust_statement_of_an_assessment_is_named_only_if_it_cannot_be_set() -> None:
    says = [
        "could not be set" in judge_evidence(facts("byok_refused", entry_point="assess", trust=trust))["detail"]
        for trust in ({"ok": False}, {"ok": True}, None)
    ]
    assert says == [True, False, False]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (facts("check_mode", check_mode=True), False),
        (facts("assess", check_mode=True), False),
        (facts("restored"), False),
        (facts("restored", check_mode=True), True),
        (facts("revoke", check_mode=True), True),
    ],
)
def test_check_mode_is_named_where_nothing_else_says_it(given: t.Any, says: bool) -> None:
    assert ("check mode: nothing was changed" in judge_evidence(given)["detail"]) is says


AUTOMATED: t.Final = {"automation": "Terraform", "revoked_at": "2026-11-15T14:20:31Z"}
POLICY: t.Final = event("us-east-1", "PutKeyPolicy", "2026-11-15T14:20:31Z")


def of_key(access: t.Any = None, **loss: t.Any) -> list[str]:
    """The warnings of a run whose first key was lost so."""
    given = facts("restored")
    given["regions"] = [
        {**given["regions"][0], "access": access, "revocation": {**given["regions"][0]["revocation"], **loss}},
        {**given["regions"][1], "revocation": None},
    ]
    return warnings(given)


CHANGES: t.Final = (
    "Since access to the key in us-east-1 was lost, CloudTrail shows {} of its policy or grants, the last one {} by"
)
ADVICE: t.Final = "Terraform revoked access in us-east-1: set is_enabled of the key in its code as well"


@pytest.mark.parametrize(
    ("found", "starts"),
    [
        (of_key(), []),
        (of_key(last_revocation=AUTOMATED), [ADVICE]),
        (of_key(last_revocation=None, **AUTOMATED), [ADVICE]),
        # What it did last counts.
        (of_key(automation="Pulumi", last_revocation={**AUTOMATED, "automation": ""}), []),
        (of_key(suspects=[POLICY]), [CHANGES.format("1 change", "PutKeyPolicy at 2026-11-15 14:20 UTC")]),
        (
            of_key(suspects=[POLICY, {**POLICY, "name": "RevokeGrant"}]),
            [CHANGES.format("2 changes", "RevokeGrant at 2026-11-15 14:20 UTC")],
        ),
        (of_key(suspects=[{**POLICY, "time": "2026-11-15T14:20:30Z"}]), []),
        # Since a loss whose time is not known, every change counts, and is told without its time.
        (
            of_key(suspects=[{**POLICY, "time": None}], last_revocation=None, revoked_at=None),
            [CHANGES.format("1 change", "PutKeyPolicy at an unknown time")],
        ),
        (of_key({"changed": False, "note": "Not compared."}, suspects=[POLICY]), [CHANGES.format("1 change", "PutKey")[:40]]),
        (of_key({"changed": False, "note": ""}, suspects=[POLICY]), []),
        (of_key({"changed": True, "note": "x"}, suspects=[POLICY]), ["Key policy or grants in us-east-1 differ from"]),
    ],
)  # fmt: skip
def test_the_warnings_of_a_key(found: list[str], starts: list[str]) -> None:
    assert len(found) == len(starts)
    for warning, start in zip(found, starts, strict=True):
        assert warning.startswith(start)


@pytest.mark.parametrize(
    ("subject", "outcome", "says"),
    [
        ("last use", "failed", ["us-east-1: It is unfit."]),
        ("key material", "failed", ["us-east-1: It is unfit."]),
        ("last use", "unknown", []),
        ("kms:EnableKey", "failed", []),
    ],
)
def test_an_unfit_key_is_a_warning(subject: str, outcome: str, says: list[str]) -> None:
    check = {"subject": subject, "label": "us-east-1", "outcome": outcome, "says": "It is unfit", "by": ""}
    assert warnings(facts("restored", checks=[check])) == says


LATE: t.Final = "The vendor's limit has passed since access was lost."


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ({"phase": "reinstatable", "says": "Days."}, []),
        ({"phase": "uncertain", "says": "Days."}, ["Days."]),
        ({"phase": "at_risk", "says": ""}, [LATE]),
        ({"phase": "unknown", "error": "Unreadable."}, ["Unreadable."]),
    ],
)
def test_a_limit_is_a_warning(window: dict[str, str], says: list[str]) -> None:
    assert warnings(facts("restored", window=window)) == says


@pytest.mark.parametrize(
    ("given", "starts"),
    [
        (facts("revoke"), ["If a re-enc"]),
        (facts("revoke", {"changed": False}), []),
        (facts("revoke_partial"), ["Atlassian may still use the key in us-west-2:", "If a re-enc"]),
        # Where nothing was revoked, nothing is left over.
        (facts("revoke", {"ok": False, "changed": False}), []),
    ],
)
def test_the_warnings_of_a_revocation(given: t.Any, starts: list[str]) -> None:
    found = warnings(given)
    assert len(found) == len(starts)
    assert all(warning.startswith(start) for warning, start in zip(found, starts, strict=True))
