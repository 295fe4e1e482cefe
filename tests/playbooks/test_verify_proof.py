"""verify_cmk.yml: what counts as proof of this restoration, and what does not."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World
from tests.playbooks.test_verify import Story, ago, outcomes
from tests.tools.standins import USER

VENDOR_ACCOUNT: t.Final = "444455556666"
OFFICER: t.Final = "arn:aws:iam::111122223333:user/security-officer"
NO_TRAIL: t.Final = {"actions": ["kms:DescribeKey"]}
SERVER_INFO: t.Final = "/rest/api/3/serverInfo"
JIRA: t.Final = {"baseUrl": "https://acme.example.com", "version": "1001.0.0-SNAPSHOT", "deploymentType": "Cloud"}


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


def says(run: Run, name: str) -> str:
    (check,) = [check for check in run.result["verification"]["checks"] if check["check"] == name]
    return str(check["says"])


def utc(**span: float) -> str:
    return ago(**span).replace("+00:00", "Z")


def remember(world: World, name: str, **content: t.Any) -> None:
    """Write what this controller remembers, as an earlier run left it."""
    folder = Path(world.folder) / "reports/acme"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def remember_restoration(world: World, **span: float) -> None:
    remember(
        world,
        "restoration.json",
        reference="cmk-restore/acme/ffffffffffff",
        started_at=utc(**span),
        restored_at=utc(**span),
        ticket="CMK-1",
        states_before=dict.fromkeys(REGIONS, "Disabled"),
        told={
            "by": "api",
            "at": utc(**span),
            "comment_id": "1",
            "url": "",
            "reference": "cmk-restore/acme/ffffffffffff",
        },
    )


def quiet(world: World) -> Story:
    """An organization of which neither CloudTrail nor the ticket shows anything yet."""
    story = Story.__new__(Story)
    story.world, story.desk, story.aws = world, world.desk, world.aws
    world.keys("Enabled", "Enabled")
    story.site()
    return story


def announce(story: Story, given: str = "", **span: float) -> None:
    story.comment(f"Our keys are enabled.\nReference: {story.world.reference(given=given)}", USER, **span)


# --- Whose use is it?


def test_use_by_an_account_that_nobody_named_is_not_proof(story: Story) -> None:
    story.used()
    ran = story.run(cmk_context_tag="")
    assert ran.result["status"] == "waiting", ran.output
    assert f"used by account {VENDOR_ACCOUNT} (Decrypt, last at" in says(ran, "use")
    assert "no context tag is configured, so this is not proof" in says(ran, "use")
    # The exact next step, in the reason that is on the last screen.
    for name in ("cmk_context_tag", "cmk_atlassian_account_id"):
        assert name in ran.result["verification"]["reason"]
    assert outcomes(ran.result)["use"] == "open"


@pytest.mark.parametrize(
    ("named", "status"),
    [
        (VENDOR_ACCOUNT, "restored"),
        ([VENDOR_ACCOUNT, "555566667777"], "restored"),
        (f"555566667777, {VENDOR_ACCOUNT}", "restored"),
        ("555566667777", "waiting"),
    ],
    ids=["text", "list", "text with commas", "another one"],
)
def test_use_by_an_account_that_the_operator_named_is_proof(story: Story, named: t.Any, status: str) -> None:
    story.used()
    ran = story.run(cmk_context_tag="", cmk_atlassian_account_id=named)
    assert ran.result["status"] == status, ran.output


def test_an_account_id_that_is_none_is_refused(story: Story) -> None:
    ran = story.run(cmk_atlassian_account_id="4444-5555-6666")
    assert (ran.code, ran.result["status"]) == (2, "needs_attention"), ran.output
    assert "cmk_atlassian_account_id must be 12 digits" in ran.result["verification"]["reason"]
    assert story.world.calls() == []


def test_use_by_nobody_named_and_an_answer_and_sites_that_answer_are_restored_with_words(story: Story) -> None:
    story.used()
    story.comment("Your sites are back.", "Priya", minutes=5)
    ran = story.run(cmk_context_tag="")
    assert ran.result["status"] == "restored", ran.output
    reason = ran.result["verification"]["reason"]
    assert "Every site answers, and Priya answered on the ticket" in reason
    assert "not proven" in reason


def test_use_by_nobody_named_and_an_answer_are_not_restored_while_a_site_is_down(story: Story) -> None:
    story.used()
    story.site(status=503)
    story.comment("Your sites are back.", minutes=5)
    assert story.run(cmk_context_tag="").result["status"] == "waiting"


# --- Is the use younger than this restoration?


def test_decrypts_of_before_the_present_loss_with_the_folder_of_another_controller(world: World) -> None:
    story = quiet(world)
    # This controller remembers the restoration before; the present one is another controller's, and CloudTrail is late.
    remember_restoration(world, days=20)
    announce(story, minutes=10)
    story.used(days=3)
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert outcomes(ran.result)["use"] == "open"


def test_decrypts_of_before_our_own_revocation(world: World) -> None:
    story = quiet(world)
    for region in REGIONS:
        story.event(region, "DisableKey", days=21)
        story.event(region, "EnableKey", days=20)
    announce(story, days=20)
    # An hour ago, and CloudTrail does not show it yet. Somebody has enabled the keys by hand.
    remember(world, "revocation.json", revoked_at=utc(hours=1), lost_at=utc(hours=1))
    story.used(hours=5)
    ran = story.run()
    assert ran.result["status"] == "needs_attention", ran.output
    assert "not been notified" in ran.result["verification"]["reason"]
    assert not any(use["first_use"] for use in ran.result["verification"]["use"])


def test_decrypts_of_before_a_loss_by_policy_that_the_operator_dates(world: World) -> None:
    story = quiet(world)
    for region in REGIONS:
        story.event(region, "DisableKey", days=21)
        story.event(region, "EnableKey", days=20)
    lost_at = utc(days=1)
    announce(story, days=20)
    announce(story, hours=2, given=lost_at)
    story.used(days=2)
    ran = story.run(cmk_revoked_at=lost_at)
    assert ran.result["status"] == "waiting", ran.output
    story.used(minutes=30)
    assert story.run(cmk_revoked_at=lost_at).result["status"] == "restored"


def test_a_use_before_atlassian_was_notified_is_not_its_restoration(story: Story) -> None:
    # The keys were enabled three hours ago, and Atlassian was notified two hours ago.
    story.used(hours=2, minutes=30)
    assert story.run().result["status"] == "waiting"


def test_where_nothing_is_known_there_is_no_proof_and_verify_says_so(world: World) -> None:
    story = quiet(world)
    story.used()
    ran = story.run()
    assert ran.result["status"] == "needs_attention", ran.output
    assert "it is not known when access was lost, when the key was enabled or when Atlassian was notified" in says(
        ran, "use"
    )
    assert "cmk_revoked_at" in says(ran, "use")


# --- The ticket: the newest announcement, and answers to it


def _unreadable_trail(story: Story) -> None:
    story.aws.control("POST", "policy", NO_TRAIL)


def test_the_newest_announcement_counts_and_an_answer_to_an_older_one_does_not(world: World) -> None:
    story = quiet(world)
    _unreadable_trail(story)
    announce(story, days=30)
    story.comment("Your sites are back.", days=29)
    announce(story, hours=2)
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert ran.result["verification"]["reply"] is None
    story.comment("Your sites are back.", minutes=5)
    assert story.run().result["status"] == "restored"


def test_an_announcement_and_an_answer_of_last_month_prove_nothing_of_today(world: World) -> None:
    story = quiet(world)
    _unreadable_trail(story)
    announce(story, days=30)
    story.comment("Your sites are back.", days=29)
    ran = story.run()
    assert ran.result["status"] == "needs_attention", ran.output
    assert "cmk_revoked_at" in ran.result["verification"]["reason"]


def test_an_automatic_acknowledgement_is_no_answer(world: World) -> None:
    story = quiet(world)
    _unreadable_trail(story)
    announce(story, hours=2)
    story.comment("We have received your request.", "Robot", hours=1, minutes=58)
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert "Robot" in says(ran, "ticket")
    assert "may be automatic" in says(ran, "ticket")


# --- Is a site up?


def _site_answers(story: Story, **answer: t.Any) -> list[str]:
    """Let the desk's host be a site, which is asked at the default path."""
    story.desk.control("POST", "/faults", {"path": SERVER_INFO, "count": None, "status": 200, **answer})
    return [story.desk.url]


def test_a_suspension_page_with_status_200_is_not_up(story: Story) -> None:
    story.used()
    sites = _site_answers(story, html=True, body="<html><body>This site is suspended.</body></html>")
    ran = story.run(cmk_sites=sites)
    assert ran.result["status"] == "waiting", ran.output
    assert "answers 200, but not with Jira's server information" in says(ran, "sites")


def test_an_endless_answer_with_status_200_is_not_up(story: Story) -> None:
    story.used()
    assert story.run(cmk_sites=_site_answers(story, body="x" * 70_000)).result["status"] == "waiting"


def test_a_site_that_answers_as_documented_is_up(story: Story) -> None:
    story.used()
    ran = story.run(cmk_sites=_site_answers(story, body=json.dumps(JIRA)))
    assert ran.result["status"] == "restored", ran.output


# --- A key that was disabled again


def test_a_key_that_was_disabled_again_and_by_whom(story: Story) -> None:
    story.used()
    story.event("us-west-2", "DisableKey", minutes=20, user_arn=OFFICER)
    story.aws.control("PATCH", f"keys/us-west-2/{ALIAS}", {"state": "Disabled"})
    ran = story.run()
    assert (ran.code, ran.result["status"]) == (2, "needs_attention"), ran.output
    reason = ran.result["verification"]["reason"]
    assert "us-west-2: disabled again" in reason
    assert f"by {OFFICER} (DisableKey)" in reason


# --- Exit codes


def test_waiting_ends_well(story: Story) -> None:
    ran = story.run()
    assert (ran.code, ran.result["status"]) == (0, "waiting"), ran.output
    assert "WARNING" not in ran.output


def test_following_fails_when_its_limit_passes(story: Story) -> None:
    ran = story.run("-e", "follow=true", cmk_verify_limit="3s", cmk_verify_interval=1)
    assert (ran.code, ran.result["status"]) == (2, "waiting"), ran.output
    assert ran.result["verification"]["timed_out"] is True
    assert "cmk_verify_limit (3 s) passed" in ran.result["verification"]["reason"]


# --- The last use that AWS records


def test_the_last_use_is_proven_by_its_event_and_a_key_that_is_disabled_again_is_named(world: World) -> None:
    world.keys("Enabled", "Enabled", creation_date="2025-01-01")
    story = Story.__new__(Story)
    story.world, story.desk, story.aws = world, world.desk, world.aws
    for region in REGIONS:
        story.event(region, "DisableKey", days=3)
        story.event(region, "EnableKey", hours=3)
    announce(story, hours=2)
    story.site()
    for minutes in (70, 65, 61):
        story.used(hours=0, minutes=minutes)
    ran = story.run()
    assert ran.result["status"] == "restored", ran.output
    uses = ran.result["verification"]["use"]
    assert all(use["first_use"]["event_id"] == use["last_use"]["event_id"] for use in uses)
    assert "at the latest at" in says(ran, "use")
    assert "the last use that AWS records, by its event" in says(ran, "use")
    lookups = [
        call["params"]["LookupAttributes"][0]
        for call in story.aws.control("GET", "calls")
        if call["operation"] == "LookupEvents"
    ]
    assert [one["AttributeKey"] for one in lookups].count("EventId") == len(REGIONS)
    # Somebody takes a key away after the restoration.
    story.aws.control("PATCH", f"keys/us-west-2/{ALIAS}", {"state": "Disabled"})
    story.event("us-west-2", "DisableKey", minutes=20, user_arn=OFFICER)
    ran = story.run()
    assert ran.result["status"] == "needs_attention", ran.output
    assert re.search(
        rf"us-west-2: disabled again at \S+ \S+ UTC by {OFFICER} \(DisableKey\)", ran.result["verification"]["reason"]
    )
    assert "AWS records no use by anybody since then." in says(ran, "use")
    assert "AWS's record of the last use up to an hour" in says(ran, "use")


def test_a_last_use_by_our_own_account_proves_nothing(world: World) -> None:
    world.keys("Enabled", "Enabled", creation_date="2025-01-01")
    story = Story.__new__(Story)
    story.world, story.desk, story.aws = world, world.desk, world.aws
    for region in REGIONS:
        story.event(region, "DisableKey", days=3)
        story.event(region, "EnableKey", hours=3)
    announce(story, hours=2)
    story.site()
    story.used(hours=1, user_arn=OFFICER)
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert "without naming the account" in says(ran, "use")
