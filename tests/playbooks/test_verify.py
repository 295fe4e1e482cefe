"""verify_cmk.yml: from waiting to restored, what needs attention, and how an organization is followed."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import (
    ALIAS,
    REGIONS,
    Run,
    World,
    below,
    interrupt,
    is_alive,
    run_to_end,
    under_way,
    wait_for,
)
from tests.standins.desk.workspaces import API_KEY, ORG_ID
from tests.tools.standins import ACCOUNT, USER

ORG: t.Final = ("-e", "org=acme")
VERIFY: t.Final = "verify_cmk.yml"
ONCE: t.Final = ("-e", "__cmk_desk_retries=0")
VENDOR: t.Final = "arn:aws:sts::444455556666:assumed-role/vendor/service"
TAG: t.Final = "AcmeCMK"
CHANGING: t.Final = {"EnableKey", "DisableKey", "CancelKeyDeletion", "PutKeyPolicy", "CreateGrant", "RevokeGrant"}


def ago(**span: float) -> str:
    return (dt.datetime.now(dt.UTC) - dt.timedelta(**span)).isoformat(timespec="seconds")


class Story:
    """An organization whose keys were enabled again three hours (and some days) ago, and whose ticket tells of it."""

    def __init__(self, world: World, days: int = 0) -> None:
        self.world = world
        self.desk, self.aws = world.desk, world.aws
        world.keys("Enabled", "Enabled")
        for region in REGIONS:
            self.event(region, "DisableKey", days=days + 3)
            self.event(region, "EnableKey", days=days, hours=3)
        self.comment(f"Our keys are enabled.\nReference: {world.reference()}", USER, days=days, hours=2)
        self.site()

    def event(self, region: str, name: str, *, key: str = ALIAS, **more: t.Any) -> None:
        span = {unit: more.pop(unit) for unit in ("days", "hours", "minutes", "seconds") if unit in more}
        self.aws.control("POST", "events", {"region": region, "name": name, "key": key, "time": ago(**span), **more})

    def used(self, *regions: str, name: str = "Decrypt", tag: str = TAG, **more: t.Any) -> None:
        """Let the vendor use the keys."""
        for region in regions or REGIONS:
            usual = {"user_arn": VENDOR, "encryption_context": {"tenant": tag}, "hours": 1}
            self.event(region, name, **{**usual, **more})

    def comment(self, body: str, author: str = "Support", **span: float) -> None:
        self.desk.control(
            "PATCH", "/tickets/CMK-1", {"reply": {"body": body, "author": author, "created": ago(**span)}}
        )

    def site(self, name: str = "acme", **answer: t.Any) -> None:
        self.desk.control("POST", "/sites", {"name": name, **answer})

    def sites(self, *names: str) -> list[str]:
        return [f"{self.desk.url}/_site/{name}/" for name in names or ("acme",)]

    def run(self, *arguments: str, **variables: t.Any) -> Run:
        usual = {"cmk_sites": self.sites(), "cmk_context_tag": TAG}
        return self.world.run(*ORG, *arguments, playbook=VERIFY, variables={**usual, **variables})

    def evidence(self) -> dict[str, t.Any]:
        newest = sorted(self.world.folder.glob("reports/acme/*-verify/verify.json"))[-1]
        kept = {path.name.removeprefix("verify") for path in newest.parent.iterdir()}
        assert kept == {".json", ".md", ".html", "SHA256SUMS"}
        return t.cast("dict[str, t.Any]", json.loads(newest.read_text(encoding="utf-8")))


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


def outcomes(result: dict[str, t.Any]) -> dict[str, str]:
    return {check["check"]: check["outcome"] for check in result["verification"]["checks"]}


def test_from_waiting_to_restored(story: Story) -> None:
    story.site(redirect="https://suspended.example.com/acme")
    story.desk.control("POST", "/workspaces", [{}, {"typeKey": "confluence"}])
    admin = {"cmk_atlassian_org_id": ORG_ID, "cmk_atlassian_api_key": API_KEY, "cmk_atlassian_api_url": story.desk.url}
    waiting = story.run(**admin)
    assert waiting.code == 0, waiting.output
    assert waiting.result["status"] == "waiting"
    assert outcomes(waiting.result) == {
        "keys": "good",
        "use": "open",
        "ticket": "open",
        "sites": "open",
        "clock": "open",
        "atlassian": "good",
    }
    assert "  atlassian  Atlassian reports 2 of 2 apps online.\n" in waiting.output
    assert (
        "acme: WAITING FOR ATLASSIAN. Atlassian was notified, and no key is in use again yet, and not every site"
        in waiting.output
    )
    assert "answers 302, a redirect to suspended.example.com where 200 is expected" in waiting.output
    before = {moment["kind"] for moment in story.evidence()["timeline"]}
    story.used()
    story.comment("Your sites are back.", minutes=5)
    story.site()
    # A folder is named after the second.
    time.sleep(1)
    restored = story.run(**{**admin, "cmk_atlassian_api_key": "wrong"})
    assert restored.code == 0, restored.output
    assert restored.result["status"] == "restored"
    assert restored.changed == waiting.changed == 0
    # What Atlassian reports, or does not, changes no verdict.
    assert outcomes(restored.result)["atlassian"] == "unknown"
    assert (
        "Atlassian's API did not report the apps: it does not accept the key (HTTP Error 401: Unauthorized)."
        in restored.output
    )
    assert "acme: VERIFIED: ACCESS IS BACK. Atlassian uses every key again, and every site answers." in restored.output
    assert re.search(
        r'ticket +Status Waiting for customer. .*; Support answered at \S+ \S+ UTC: "Your sites are back."',
        restored.output,
    )
    found = story.evidence()
    assert found["verdict"]["code"] == "verified"
    kinds = [moment["kind"] for moment in found["timeline"]]
    # The story of the restoration goes on: nothing of it is lost, and its end has come.
    assert before <= set(kinds)
    assert {"revoked", "enabled", "announced"} <= before
    assert set(kinds) - before == {"used", "replied"}
    assert kinds.count("used") == len(REGIONS)
    assert not CHANGING & set(story.world.calls())
    calls = story.desk.control("GET", "/calls")
    assert {call["method"] for call in calls if not call["path"].startswith("/admin/")} == {"GET"}
    assert {call["auth"] for call in calls if call["path"].startswith("/_site/")} == {"none"}


def _key_disabled(story: Story) -> None:
    story.used()
    story.aws.control("PATCH", f"keys/us-west-2/{ALIAS}", {"state": "Disabled"})


def _never_told(story: Story) -> None:
    story.used()
    story.site(status=503)
    story.desk.control("POST", "/tickets", {"key": "CMK-1"})


ATTENTION: t.Final[dict[str, tuple[int, t.Callable[[Story], None], str]]] = {
    "a key is disabled again": (0, _key_disabled, "Not every key is enabled, so Atlassian cannot restore the sites."),
    "Atlassian was never notified": (0, _never_told, "As far as is known, Atlassian has not been notified"),
    "two business days are over": (
        6,
        lambda story: story.used("us-east-1"),
        "generally takes are over, and not every key is in use again yet",
    ),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_what_needs_attention(world: World, name: str) -> None:
    days, happens, reason = ATTENTION[name]
    story = Story(world, days)
    happens(story)
    ran = story.run()
    assert ran.code == 2
    assert ran.result["status"] == "needs_attention", ran.output
    assert reason in ran.result["verification"]["reason"]
    assert f"acme: NEEDS ATTENTION. {ran.result['verification']['reason']}" in ran.output
    assert "acme: needs attention. See the summary below." in ran.output
    assert "still waiting" not in ran.output
    found = story.evidence()
    assert found["verdict"]["code"] == "needs_attention"
    # What was seen, and not what a restore would make of it.
    assert [region["state_after"] for region in found["regions"]] == world.states()
    assert not any(region["changed"] or region["actions"] for region in found["regions"])


def test_what_proves_nothing(story: Story) -> None:
    story.used(user_arn=f"arn:aws:iam::{ACCOUNT}:user/admin")
    story.used(error_code="DisabledException")
    story.used(name="DescribeKey", encryption_context=None)
    # Before the key was enabled again.
    story.used(hours=4)
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert [use["reason"][:25] for use in ran.result["verification"]["use"]] == ["no use by another account"] * 2
    assert "CloudTrail is up to 15 minutes late" in ran.output


def test_a_use_for_another_organization_proves_nothing_and_is_named(story: Story) -> None:
    story.used(tag="OtherCMK")
    ran = story.run()
    assert ran.result["status"] == "waiting", ran.output
    assert "used by account 444455556666 (Decrypt, last at" in ran.output
    assert "without AcmeCMK in the encryption context, so this is not proof" in ran.output


def test_cloudtrail_that_cannot_be_read_is_no_proof_and_that_is_said(story: Story) -> None:
    story.used()
    story.aws.control("POST", "policy", {"actions": ["kms:DescribeKey"]})
    story.comment("Your sites are back.", minutes=5)
    ran = story.run()
    assert ran.code == 0, ran.output
    reason = ran.result["verification"]["reason"]
    assert "Support answered on the ticket" in reason
    assert "Its use of the keys is not proven: CloudTrail could not be read." in reason
    assert "Allow cloudtrail:LookupEvents for this identity" in ran.output


def test_manual_mode_without_sites_rests_on_the_use_alone_and_says_so(story: Story) -> None:
    story.used("us-east-1", name="GenerateDataKeyWithoutPlaintext")
    story.used("us-west-2", name="ReEncrypt")
    told = {"cmk_support_mode": "manual", "cmk_ticket_told": ago(hours=2).replace("+00:00", "Z")}
    ran = story.run(**told, cmk_sites=[], cmk_context_tag="", cmk_atlassian_account_id="444455556666")
    assert ran.code == 0, ran.output
    assert "this rests on the use of the keys alone" in ran.output
    assert "The ticket cannot be read without an API: read it in the support portal." in ran.output
    assert story.desk.control("GET", "/calls") == []


def test_a_desk_that_is_down_leaves_open_whether_atlassian_was_notified(story: Story) -> None:
    story.desk.control("POST", "/faults", {"status": 503, "path": "/request/", "count": None})
    ran = story.run(*ONCE)
    assert ran.result["status"] == "needs_attention", ran.output
    assert "No notification of Atlassian is known. The support desk failed (HTTP 503)" in ran.output


def test_a_restoration_by_this_controller_is_verified_from_its_journal(world: World) -> None:
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/sites", {"name": "acme"})
    assert world.run(*ORG).code == 0
    world.desk.control("POST", "/faults", {"status": 503, "path": "/request/", "count": None})
    ran = world.run(*ORG, *ONCE, playbook=VERIFY)
    assert ran.result["status"] == "waiting", ran.output
    assert ran.result["ticket"]["told"]
    assert "Atlassian was notified at" in ran.output


def test_an_answer_is_quoted_on_one_line_and_cannot_act(story: Story) -> None:
    evil = "Hello\x1b[31m\r\n| <script>alert(1)</script> {{ 7*191 }} \u202e[x](javascript:y)" + " more" * 99
    story.comment(evil, minutes=5)
    ran = story.run()
    quoted = ran.result["verification"]["reply"]["text"]
    assert quoted.startswith("Hello [31m | <script>alert(1)</script> {{ 7*191 }} [x](javascript:y) more")
    assert quoted.endswith("…")
    assert len(quoted) <= 200
    folder = max(story.world.folder.glob("reports/acme/*-verify"))
    page, markdown = ((folder / f"verify.{suffix}").read_text() for suffix in ("html", "md"))
    assert "<script>" not in page + markdown
    assert "{{" not in page + markdown
    assert "\x1b" not in ran.output + page + markdown


def test_check_mode_verifies_once_and_writes_nothing(story: Story) -> None:
    metrics = story.world.folder / "cmk.prom"
    ran = story.run("--check", "-e", "follow=true", cmk_metrics_file=str(metrics))
    assert ran.result["status"] == "waiting", ran.output
    assert ran.result["verification"]["looks"] == 1
    assert not (story.world.folder / "reports").exists()
    assert not metrics.exists()


def test_followed_until_restored(story: Story) -> None:
    story.site(status=503)
    with _start(story, "-e", "follow=true") as process:
        wait_for(lambda: _asked_of_sites(story) >= 2, process)
        story.used("us-east-1")
        seen = _asked_of_sites(story)
        wait_for(lambda: _asked_of_sites(story) >= seen + 2, process)
        story.used("us-west-2")
        story.site()
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    looks = re.findall(
        r"(?m)^acme: \S+Z: (waiting|restored) \(keys enabled 2/2, in use (\d)/2, sites up (\d)/1", output
    )
    assert looks[0] == ("waiting", "0", "0")
    assert ("waiting", "1", "0") in looks
    assert looks[-1] == ("restored", "2", "1")
    assert output.count("next look in") == len(looks) - 1
    result = Run(process.returncode, output).result
    assert result["verification"]["looks"] == len(looks)
    # What is proven is not looked up again: one look for each region and look without proof, and one for the revocation.
    assert story.world.calls("LookupEvents").count("us-east-1") < story.world.calls("LookupEvents").count("us-west-2")


def test_following_ends_at_its_limit(story: Story) -> None:
    ran = story.run("-e", "follow=true", cmk_verify_limit="3s", cmk_verify_interval=1)
    assert ran.code == 2
    assert ran.result["status"] == "waiting"
    assert "acme: waiting for Atlassian. See the summary below." in ran.output
    assert 2 <= ran.result["verification"]["looks"] <= 4


def test_following_ends_when_a_key_is_disabled_and_outlasts_a_desk_that_is_down(story: Story) -> None:
    with _start(story, "-e", "follow=true") as process:
        wait_for(lambda: _asked_of_sites(story) >= 1, process)
        story.desk.control("POST", "/faults", {"status": 503, "path": "/request/", "count": 4})
        seen = _asked_of_sites(story)
        wait_for(lambda: _asked_of_sites(story) >= seen + 4, process)
        assert process.poll() is None
        story.aws.control("PATCH", f"keys/us-west-2/{ALIAS}", {"state": "Disabled"})
        output = process.communicate(timeout=60)[0]
    assert Run(process.returncode, output).result["status"] == "needs_attention", output
    assert "Not every key is enabled" in output
    assert story.world.states() == ["Enabled", "Disabled"]
    assert not CHANGING & set(story.world.calls())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_interrupted_run_leaves_nothing_behind_and_the_next_one_goes_on(story: Story, how: signal.Signals) -> None:
    with _start(story, "-e", "follow=true", cmk_verify_interval="1h") as process:
        wait_for(lambda: _asked_of_sites(story) >= 1, process)
        time.sleep(0.5)
        assert process.poll() is None, "the run did not wait"
        workers = below(process.pid)
        os.killpg(process.pid, how)
        output = process.communicate(timeout=30)[0]
    assert process.returncode != 0
    assert workers
    wait_for(lambda: not any(map(is_alive, workers)))
    assert "Traceback" not in output
    assert not list(story.world.folder.glob("reports/acme/*lock*"))
    story.used()
    ran = story.run("-e", "follow=true")
    assert (ran.code, ran.result["verification"]["looks"]) == (0, 1), ran.output


def test_many_organizations_at_once(story: Story) -> None:
    story.used()
    command, cwd, env = story.world.command("-e", "org=all", "-e", "follow=true", "--forks", "2", playbook=VERIFY)
    usual = {
        **story.world.variables,
        "ansible_connection": "local",
        "cmk_sites": story.sites(),
        "cmk_context_tag": TAG,
    }
    hosts = {
        "good": usual,
        "slow": {**usual, "cmk_context_tag": "Slow"},
        "worse": {**usual, "cmk_key": "alias/nothing"},
    }
    Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    # The references on the ticket are acme's.
    for name in ("good", "slow"):
        story.comment(f"Reference: {story.world.reference(name)}", USER, hours=2)
    ran = run_to_end(command, cwd, env)
    assert ran.code == 2
    assert "There are more organizations than forks: each is verified once" in ran.output
    (summary,) = re.findall(r"(?m)^3 organizations: 1 needs attention, 1 waiting, 1 restored\n(?:  .*\n)+", ran.output)
    assert [line.split(":")[0].strip() for line in summary.splitlines()[1:]] == ["worse", "all reports"]


def test_one_that_is_back_is_reported_while_another_is_followed(story: Story) -> None:
    story.used()
    usual = {
        **story.world.variables,
        "ansible_connection": "local",
        "cmk_context_tag": TAG,
        "cmk_verify_interval": "1s",
    }
    hosts = {"slow": {**usual, "cmk_context_tag": "Slow"}, "good": usual}
    inventory = story.world.folder / "fleet.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    for name in hosts:
        story.comment(f"Reference: {story.world.reference(name)}", USER, hours=2)
    command, cwd, env = story.world.command("-e", "org=all", "-e", "follow=true", playbook=VERIFY)
    env["ANSIBLE_INVENTORY"] = str(inventory)
    log = story.world.folder / "log"
    with log.open("w") as out, under_way(command, cwd, env, out) as process:
        wait_for(lambda: "good: VERIFIED" in log.read_text(), process)
        assert process.poll() is None
        interrupt(process)
    assert list(story.world.folder.glob("reports/good/*-verify/verify.json"))
    assert not list(story.world.folder.glob("reports/slow/*-verify/verify.json"))


def test_bad_settings_need_attention(story: Story) -> None:
    ran = story.run(cmk_verify_limit="soon", cmk_context_tag="too long a tag", cmk_site_path="status")
    assert (ran.code, ran.result["status"]) == (2, "needs_attention"), ran.output
    for name in ("cmk_verify_limit", "cmk_context_tag", "cmk_site_path"):
        assert f"{name} must be" in ran.result["verification"]["reason"]
    assert story.world.calls() == []


def _asked_of_sites(story: Story) -> int:
    return sum(call["path"].startswith("/_site/") for call in story.desk.control("GET", "/calls"))


def _start(story: Story, *arguments: str, **variables: t.Any) -> t.ContextManager[subprocess.Popen[str]]:
    usual = {"cmk_sites": story.sites(), "cmk_context_tag": TAG, "cmk_verify_interval": "1s"}
    command, cwd, env = story.world.command(*ORG, *arguments, playbook=VERIFY, variables={**usual, **variables})
    return under_way(command, cwd, env)
