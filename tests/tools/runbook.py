"""Write docs/runbook.md by running what it says on the stand-ins: ``python -m tests.tools.runbook``.

To add a step, add an entry to :data:`SITUATIONS`. tests/playbooks/test_runbook.py runs each situation again and compares
what is printed with the page, but for what differs from run to run (see :func:`masked`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import shlex
import tempfile
import textwrap
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World, run_to_end
from tests.standins.aws import AwsStandin
from tests.standins.desk import Desk
from tests.tools.standins import ACCESS_KEY, ACCOUNT, ROOT, TOKEN, USER

PAGE: t.Final = ROOT / "docs/runbook.md"
EAST, WEST = REGIONS
OFFICER: t.Final = f"arn:aws:iam::{ACCOUNT}:user/security-officer"
KEY_IDS: t.Final = {EAST: "1234abcd-12ab-34cd-56ef-1234567890ab", WEST: "0987dcba-09fe-87dc-65ba-ab0987654321"}
DESK: t.Final = {
    "users": [{"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"}],
    "tickets": [{"key": "CMK-1", "summary": "CMK access revoked", "status": "Waiting for customer"}],
}

_PLAYBOOK: t.Final = "ansible-playbook keyops.atlassian_cmk.{}_cmk -i inventory -e org=acme"
ASSESS: t.Final = _PLAYBOOK.format("assess")
RESTORE: t.Final = _PLAYBOOK.format("restore")
VERIFY: t.Final = _PLAYBOOK.format("verify")
REVOKE: t.Final = _PLAYBOOK.format("revoke")

Change = t.Callable[[World], object]


def _nothing(world: World) -> None:
    """Nothing happens meanwhile."""


@dataclass(frozen=True)
class Step:
    """What the operator does next.

    ``text`` is Markdown; ``command`` is run as it stands. ``before`` is what happens in the world before that.
    ``code`` is the exit code; ``whole`` shows all that is printed for people, otherwise only the summary at the end.
    """

    text: str
    command: str
    code: int = 0
    before: Change = _nothing
    whole: bool = False


@dataclass(frozen=True)
class Situation:
    """A part of the page: how the operator recognizes it, and the steps; ``begin`` makes the world so.

    ``usual``: it is played in every run of the tests, not only in the slow one of all situations.
    """

    title: str
    seen: str
    steps: tuple[Step, ...]
    begin: Change = _nothing
    after: str = ""
    variables: dict[str, t.Any] = field(default_factory=dict)
    usual: bool = False


def _keys(*states: str, **more: t.Any) -> Change:
    """Make the keys, and let CloudTrail tell that the security officer took access away three days ago."""

    def change(world: World) -> None:
        now = dt.datetime.now(dt.UTC)
        principal = {"access_key": ACCESS_KEY, "account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/operator"}
        world.aws.control("POST", "principals", principal)
        for region, state in zip(REGIONS, states, strict=True):
            key = {"region": region, "account": ACCOUNT, "alias": ALIAS, "state": state, "key_id": KEY_IDS[region]}
            if state == "PendingDeletion":
                key["deletion_date"] = (now + dt.timedelta(days=4)).isoformat()
            world.aws.control("POST", "keys", {**key, "policy": _policy(), **(more if state != "Disabled" else {})})
            name = "ScheduleKeyDeletion" if state == "PendingDeletion" else "DisableKey"
            event = {"region": region, "time": (now - dt.timedelta(days=3)).isoformat(), "name": name, "key": ALIAS}
            world.aws.control("POST", "events", {**event, "user_arn": OFFICER})

    return change


def _policy(*more: dict[str, t.Any]) -> str:
    root = {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [root, *more]})


def _was_told(world: World) -> None:
    """Keys and ticket as after a restore, from another controller."""
    _keys("Enabled", "Enabled")(world)
    body = "We have restored Atlassian's access.\nReference: cmk-restore/acme/33f645bd1b83\n"
    world.desk.control("POST", "/tickets", {**DESK["tickets"][0], "reporter": USER, "comments": [{"body": body}]})


def _desk(*faults: dict[str, t.Any]) -> Change:
    body = json.dumps({"errorMessage": "The service is temporarily unavailable."})
    return lambda world: [
        world.desk.control("POST", "/faults", {"count": None, "body": body, **fault}) for fault in faults
    ]


def _desk_is_back(world: World) -> None:
    world.desk.control("DELETE", "/faults")


def _allowed(*actions: str) -> Change:
    return lambda world: world.aws.control("POST", "policy", {"actions": list(actions)})


def _store_is_back(world: World) -> None:
    world.aws.control("PATCH", f"keys/{WEST}/{ALIAS}", {"store_connected": True})


def _colleague(world: World) -> None:
    """Another run has the lock: that of this process, which certainly runs."""
    lock = world.folder / "reports/acme/lock.json"
    lock.parent.mkdir(parents=True)
    since = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lock.write_text(json.dumps({"pid": os.getpid(), "host": platform.node(), "since": since}), encoding="utf-8")


def _colleague_is_done(world: World) -> None:
    (world.folder / "reports/acme/lock.json").unlink()


def _vendor_uses_the_keys(world: World) -> None:
    now = dt.datetime.now(dt.UTC).isoformat()
    use = {
        "encryption_context": {"tenant": "AcmeCMK"},
        "name": "Decrypt",
        "key": ALIAS,
        "time": now,
        "user_arn": "arn:aws:sts::444455556666:assumed-role/vendor/service",
    }
    world.aws.control("POST", "events", [{**use, "region": region} for region in REGIONS])


def _keys_in_use(world: World) -> None:
    """Keys that nobody has revoked yet."""
    principal = {"access_key": ACCESS_KEY, "account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/operator"}
    world.aws.control("POST", "principals", principal)
    for region in REGIONS:
        key = {"region": region, "account": ACCOUNT, "alias": ALIAS, "state": "Enabled", "key_id": KEY_IDS[region]}
        world.aws.control("POST", "keys", {**key, "policy": _policy()})


def _policy_changed(world: World) -> None:
    vendor = {"AWS": "arn:aws:iam::444455556666:root"}
    deny = {"Sid": "stop", "Effect": "Deny", "Principal": vendor, "Action": "kms:Decrypt", "Resource": "*"}
    world.aws.control("PATCH", f"keys/{WEST}/{ALIAS}", {"policy": _policy(deny)})


_USE: t.Final = ("kms:DescribeKey", "cloudtrail:LookupEvents", "kms:GetKeyPolicy", "kms:ListGrants")

SITUATIONS: t.Final = (
    Situation(
        "Sites are down: is it the keys?",
        "Atlassian's sites answer with a suspension page, or a ticket of Atlassian says that it lost access to the keys.",
        (
            Step(
                "Look. This changes nothing at AWS and posts nothing. It says in which state each key is, when access was "
                "lost and by whom, how long is left, and whether a restore would succeed.",
                ASSESS,
                whole=True,
            ),
        ),
        _keys("Disabled", "Disabled"),
        after="**Stop here if the revocation was meant.** The line `access was lost at ... by ... of ...` says who did it: "
        "ask that person, or whoever decides in your organization. Restoring is a decision, never a reflex.",
        usual=True,
    ),
    Situation(
        "The keys are disabled",
        "The plan says `Disabled, to do: EnableKey`.",
        (
            Step(
                "Optional: the same command in check mode shows the plan and the text for the ticket, and writes nothing.",
                f"{RESTORE} --check",
            ),
            Step(
                "Restore. All regions at once; then the run waits until AWS agrees, and then tells Atlassian.",
                RESTORE,
                whole=True,
            ),
            Step("Not sure whether it went through? Run it again. It looks, and finds nothing to do.", RESTORE),
        ),
        _keys("Disabled", "Disabled"),
        after="Next: [Is it verified?](#is-it-verified)",
        usual=True,
    ),
    Situation(
        "One region fails",
        "The summary says `PARTIAL`, and one region is `NOT USABLE`. The others are restored all the same. Atlassian is not "
        "told before all regions are well.",
        (
            Step(
                "Here the key of one region lies in a custom key store that is disconnected.",
                RESTORE,
                code=2,
            ),
            Step(
                "Do what the line says (here: reconnect the key store), and run the same command again.",
                RESTORE,
                before=_store_is_back,
            ),
        ),
        _keys("Disabled", "Unavailable", custom_key_store=True),
        after="If AWS itself is in trouble in that region, wait and run again. What is done stays done.",
    ),
    Situation(
        "Access denied",
        "The summary says `AWS refused ...`. It names the action and the region.",
        (
            Step(
                "Here the identity may look at the keys, and not enable them.", RESTORE, code=2, before=_allowed(*_USE)
            ),
            Step(
                "Let somebody allow that action, in IAM and in the key's policy "
                "([docs/iam/restore.json](iam/restore.json)), or use credentials that have it. Then run again.",
                RESTORE,
                before=_allowed(*_USE, "kms:EnableKey"),
            ),
        ),
        _keys("Disabled", "Disabled"),
        after="`The AWS credentials have expired` and `belong to account ...` are of the same kind: get the right "
        "credentials (`AWS_PROFILE`, `cmk_aws_profile`, `cmk_assume_role_arn`), and run again.",
    ),
    Situation(
        "A key is scheduled for deletion",
        "The summary says `is scheduled for deletion on ...`. **That date is the deadline**: afterwards the key and all that "
        "it encrypts are lost. It is often nearer than Atlassian's 10 days.",
        (
            Step("A scheduled deletion is somebody's decision, so it is never cancelled unasked.", RESTORE, code=2),
            Step(
                "Make sure that it shall be cancelled, and say so. It needs one action more "
                "([docs/iam/restore_cancel_deletion.json](iam/restore_cancel_deletion.json)).",
                f"{RESTORE} -e cmk_cancel_deletion=true",
            ),
        ),
        _keys("PendingDeletion", "PendingDeletion"),
    ),
    Situation(
        "The support desk does not answer",
        "The keys are usable, and the summary says `NOT TOLD`.",
        (
            Step("The keys are restored in any case. The run says what the desk answered.", RESTORE, code=2),
            Step("Once the desk is back, run the same command again. It only tells.", RESTORE, before=_desk_is_back),
        ),
        lambda world: (_keys("Disabled", "Disabled")(world), _desk({"status": 503, "retry_after": 0})(world)),
        after="The desk stays away, and time runs? Tell Atlassian yourself: add `-e cmk_support_mode=manual`, and go on "
        "with [Atlassian is told by hand](#atlassian-is-told-by-hand).",
    ),
    Situation(
        "It is not known whether Atlassian was told",
        "The summary says `PERHAPS TOLD`: the comment was sent, its answer was lost, and then the desk could not be read.",
        (
            Step("Do not write on the ticket yourself yet: there may be a comment already.", RESTORE, code=2),
            Step(
                "Run the same command again. It reads the ticket first, and posts only what is not there. Here the comment "
                "had been stored.",
                RESTORE,
                before=_desk_is_back,
            ),
        ),
        lambda world: (
            _keys("Disabled", "Disabled")(world),
            _desk(
                {"method": "POST", "path": "/comment", "status": 500, "after": True},
                {"method": "GET", "skip": 2, "status": 503, "retry_after": 0},
            )(world),
        ),
    ),
    Situation(
        "Atlassian is told by hand",
        "`cmk_support_mode` is `manual`, which is the rule with Atlassian's own portal. The summary says `HANDOVER PENDING`.",
        (
            Step("The run restores the keys, and writes out the text for the ticket.", RESTORE, whole=True),
            Step(
                "Paste it into the ticket that Atlassian opened at revocation, all of it: the reference in the last line "
                "is how the restoration is recognized. Then let the run keep that you did, with the time or the "
                "comment's address.",
                f"{RESTORE} -e cmk_ticket_told=2026-11-24T03:20Z",
            ),
        ),
        _keys("Disabled", "Disabled"),
        variables={"cmk_support_mode": "manual"},
        usual=True,
    ),
    Situation(
        "Somebody else is at it",
        "Two people started at the same moment on one controller. The second run says so, and touches nothing.",
        (
            Step("", RESTORE, code=2, before=_colleague),
            Step(
                "Wait until the other run has ended, and run again: it does what is left.",
                RESTORE,
                before=_colleague_is_done,
            ),
        ),
        _keys("Enabled", "Enabled"),
        after="From two controllers it works as well: each reads the ticket before it writes, so run one after the other.",
        usual=True,
    ),
    Situation(
        "Is it verified?",
        "The run ended with exit code 0. Three things may still be wrong, and this is how to see them.",
        (
            Step(
                "*Enabled is not access*: a key policy or a grant may have been changed. `assess` compares them with the "
                "copy that an earlier `assess` kept; keep one now, while all is well.",
                ASSESS,
            ),
            Step(
                "A later run warns when they differ, and shows the difference. Somebody who may change key policies has to "
                "undo it; this collection never does. If the change is meant: `-e cmk_access_accept=true`.",
                ASSESS,
                before=_policy_changed,
                whole=True,
            ),
        ),
        _was_told,
        after="Keep the folder that the summary names: it is the evidence.",
    ),
    Situation(
        "Is Atlassian back?",
        "Atlassian has been notified. Its restoration generally takes two business days.",
        (
            Step(
                "Verify. It changes nothing and posts nothing. `waiting` needs no action and ends with exit code 0, as "
                "`restored` does. With `-e follow=true` it verifies again until Atlassian has restored the sites.",
                VERIFY,
            ),
            Step(
                "Atlassian uses the key of each region again: that is the strongest proof there is. It is recognized by "
                "`cmk_context_tag`, the context tag of your enrolment. Open the sites in a browser as well.",
                VERIFY,
                before=_vendor_uses_the_keys,
            ),
        ),
        _was_told,
        variables={"cmk_sites": [], "cmk_context_tag": "AcmeCMK"},
    ),
    Situation(
        "A drill, or an emergency: take the access away",
        "You mean to revoke. Atlassian then suspends the sites: for a drill, take an organization that exists for drills.",
        (
            Step("Without the organization's name typed out, it shows the plan and disables nothing.", REVOKE, code=2),
            Step(
                "With it, the keys of all regions are disabled, and the vendor's clock starts.",
                f"{REVOKE} -e confirm=acme",
            ),
            Step("The way back is the restore, as above.", RESTORE),
        ),
        _keys_in_use,
    ),
)

_BEGIN: t.Final = """\
# Runbook

For the person who has to give Atlassian its access back, now. Made by `make docs`, which runs each command on stand-ins
of AWS and of the support desk; below it stands what was printed, without Ansible's own lines on tasks, with long
lines wrapped. A test keeps the page in step. Names, times and addresses are examples.

## The five-minute version

1. **Is it meant?** Somebody may have revoked the access on purpose. Ask first.
2. **Look**: `{assess}`. It changes nothing.
3. **Restore**: `{restore}`.
4. **Read the last lines.**

   | it says | and that means |
   |---|---|
   | `RESTORED`, `ALREADY RESTORED` | done: [Is it verified?](#is-it-verified) |
   | `HANDOVER PENDING` | the keys are well: [Atlassian is told by hand](#atlassian-is-told-by-hand) |
   | `NOT USABLE` | [One region fails](#one-region-fails), [Access denied](#access-denied) |
   | `scheduled for deletion` | [A key is scheduled for deletion](#a-key-is-scheduled-for-deletion) |
   | `NOT TOLD` | the keys are well: [The support desk does not answer](#the-support-desk-does-not-answer) |
   | `PERHAPS TOLD` | [It is not known whether Atlassian was told](#it-is-not-known-whether-atlassian-was-told) |
   | `FAILED` | nothing was changed; the line below says why: [Access denied](#access-denied), or [messages.md](messages.md) |
   | `Another run is at work` | [Somebody else is at it](#somebody-else-is-at-it) |

5. **When in doubt, run the same command again.** It changes only what is not yet as it should be, and never tells
   Atlassian twice. A restore never creates, deletes or disables anything, and changes no key policy.

The clock: within **10 days** of the revocation Atlassian can reinstate the sites; beyond **20 days** data may be gone.
Each run says how much is left. A key that is scheduled for deletion has a nearer deadline.

What is needed: the inventory ([README](../README.md#a-real-run)), AWS credentials in the environment, and for a desk
with an API `CMK_SUPPORT_USER` and `CMK_SUPPORT_TOKEN`. Do the first step of this page once before you need it.
"""
# The page's own time: the story begins on this Monday, or later in that week, at three in the morning.
_MONDAY: t.Final = dt.datetime(2026, 11, 23, 3, tzinfo=dt.UTC)
_FORMS: t.Final = {19: "%Y-%m-%dT%H:%M:%S", 15: "%Y%m%dT%H%M%S", 16: "%Y-%m-%d %H:%M"}  # by their length
_TIME: t.Final = re.compile(
    r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=Z|\+0000)|\d{8}T\d{6}(?=Z)|\d{4}-\d\d-\d\d \d\d:\d\d(?= UTC))"
)
_ANSIBLE: t.Final = re.compile(r"^(PLAY|TASK|ok:|changed:|included:|skipping:|\w+ +: ok=)")


def run(world: World, situation: Situation, step: Step) -> tuple[Run, str]:
    """Run a step's command; return how it ended, and what of its output the page shows."""
    step.before(world)
    _command, _cwd, env = world.command()
    inventory = world.folder / "inventory/organizations.yml"
    inventory.parent.mkdir(exist_ok=True)
    organization = {**world.variables, **situation.variables}
    inventory.write_text(json.dumps({"all": {"hosts": {"acme": organization}}}), encoding="utf-8")
    # As an operator has it: nothing but what the command says.
    del env["ANSIBLE_INVENTORY"], env["ANSIBLE_SHOW_CUSTOM_STATS"], env["ANSIBLE_CALLBACK_RESULT_FORMAT"]
    begun = dt.datetime.now(dt.UTC)
    ran = run_to_end(shlex.split(step.command), world.folder, env)
    text = told(ran.output) if step.whole else summary(ran.output)
    return ran, _as_on_the_page(text, world, begun)


def told(output: str) -> str:
    """Keep what the run tells people; Ansible's lines on tasks, and its error at the end, say the same once more."""
    kept, skipping, pasted, quoted = [], False, False, False
    for line in output.splitlines():
        # Ansible shows where a task stands that fails, from this line to a mark below it.
        quoted = quoted or line.startswith("Origin: ")
        skipping = bool(line.strip()) and (skipping or line.startswith(("fatal:", "[ERROR]", "[WARNING]")))
        pasted = line.startswith("----- ") != pasted  # from one such line to the next
        if not (skipping or quoted or _ANSIBLE.match(line)) and (line.strip() or pasted):
            kept.append(line.rstrip())
        quoted = quoted and not line.lstrip().startswith("^ column")
    return "\n".join(kept)


def summary(output: str) -> str:
    """Keep the last lines only: how it ended."""
    found = re.findall(r"(?ms)^acme: [A-Z ]+(?: \(check mode.*?\)|\. [^\n]*)?$.*?(?=^\S|\Z)", told(output))
    return found[-1].rstrip() if found else told(output)


def _as_on_the_page(text: str, world: World, begun: dt.datetime) -> str:
    shift = _MONDAY + dt.timedelta(days=begun.weekday()) - begun.replace(microsecond=0)

    def moved(found: re.Match[str]) -> str:
        form = _FORMS[len(found[1])]
        return (dt.datetime.strptime(found[1], form).replace(tzinfo=dt.UTC) + shift).strftime(form)

    text = _TIME.sub(moved, text)
    text = text.replace(str(world.folder / "reports"), "~/cmk-reports").replace(
        world.desk.url, "https://support.example.com"
    )
    text = text.replace(f"process {os.getpid()} on {platform.node()}", "process 4711 on controller")
    return "\n".join(_wrapped(line) for line in text.splitlines())


def _wrapped(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    wrap = textwrap.TextWrapper(118, subsequent_indent=f"{indent}  ", break_long_words=False, break_on_hyphens=False)
    return wrap.fill(line) if len(line) > 118 else line


def masked(text: str) -> str:
    """Hide what differs from run to run: times, how long something took, references, numbers of comments; and where
    lines are wrapped."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?|\d{8}T\d{6}", "TIME", text)
    text = re.sub(r"after \d+\.\d s", "after N s", text)
    text = re.sub(r"(\d+ min )?\d+ s (since|ago)", r"N s \2", text)
    text = re.sub(r"cmk-restore/acme/[0-9a-f]{12}", "cmk-restore/acme/REFERENCE", text)
    text = re.sub(r"(comment[ /]|request/)\d+", r"\1N", text)
    return re.sub(r"(?<!\n)\n ?(?!\n)", " ", re.sub(r" +", " ", text))


def section(world: World, situation: Situation) -> str:
    """Write the part of the page for a situation, by playing it."""
    situation.begin(world)
    parts = [f"## {situation.title}\n", f"{_filled(situation.seen)}\n"]
    for step in situation.steps:
        ran, text = run(world, situation, step)
        if ran.code != step.code:
            raise SystemExit(f"{situation.title}: {step.command} ended with {ran.code}:\n{ran.output}")
        if step.text:
            parts.append(f"{_filled(step.text)}\n")
        ends = f"$ echo $?\n{step.code}\n" if step.code else ""
        parts.append(f"```console\n$ {step.command}\n{text}\n{ends}```\n")
    return "\n".join([*parts, *([f"{_filled(situation.after)}\n"] if situation.after else [])])


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def page(sections: t.Iterable[str]) -> str:
    """Put the page together."""
    return "\n".join([_BEGIN.format(assess=ASSESS, restore=RESTORE), *sections])


def kept_sections() -> dict[str, str]:
    """The sections of the page as it is, by their titles."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = re.split(r"(?m)^(?=## )", text)[2:]
    return {part.splitlines()[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}


def usual() -> dict[str, t.Any]:
    """The organization of the page."""
    return {
        "ansible_connection": "local",
        "cmk_realm": "United States",
        "cmk_key": ALIAS,
        "cmk_account_id": ACCOUNT,
        "cmk_ticket": "CMK-1",
        "cmk_sites": ["https://acme.example.com"],
        "cmk_wait_delay": 0.1,
    }


def main() -> None:
    """Play every situation; what prints the same as before stays as it stands on the page."""
    kept, sections = kept_sections(), []
    with AwsStandin() as aws, Desk(DESK) as desk:
        for situation in SITUATIONS:
            aws.control("POST", "reset")
            desk.control("POST", "/reset")
            with tempfile.TemporaryDirectory() as folder:
                new = section(World(aws, desk, Path(folder), usual()), situation)
            old = kept.get(situation.title, "")
            sections.append(old if masked(old) == masked(new) else new)
            print(f"{situation.title}: {'as it was' if sections[-1] == old else 'written'}", flush=True)
    PAGE.write_text(page(sections), encoding="utf-8")


if __name__ == "__main__":
    main()
