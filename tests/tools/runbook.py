"""Write docs/runbook.md and docs/runbook_screens.md by running their commands: ``python -m tests.tools.runbook``.

The runbook holds the text and the commands, and the screens are on a page of their own, so that the runbook stays short.

To add a step, add an entry to :data:`SITUATIONS`. tests/playbooks/test_runbook.py runs each situation again and compares
what is printed with the page, but for what differs from run to run (see :func:`masked`).
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
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
SCREENS: t.Final = ROOT / "docs/runbook_screens.md"
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
    ``on_page``: the summary is in the runbook as well.
    """

    text: str
    command: str
    code: int = 0
    before: Change = _nothing
    whole: bool = False
    on_page: bool = False


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
    world.lose()
    body = f"We have restored Atlassian's access.\nReference: {world.reference()}\n"
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
    """Another run holds the lock: in a container of the same controller, so that nobody can see whether it has ended."""
    lock = world.folder / "reports/acme/lock.json"
    lock.parent.mkdir(parents=True, mode=0o700)
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    run = {"pid": 4711, "start_time": "1", "machine": "b pid:[1]", "host": "controller"}
    holder = {**run, "inventory_host": "acme", "since": now, "refreshed_at": now}
    lock.write_text(json.dumps(holder), encoding="utf-8")


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
        "The sites show a suspension page, or a ticket of Atlassian reports that it lost access to the keys.",
        (
            Step(
                "Assess. This changes nothing. It reports the state of each key, who revoked access and when, and the deadline.",
                ASSESS,
                whole=True,
            ),
        ),
        _keys("Disabled", "Disabled"),
        after="**Was the revocation intentional? Confirm with the key owner before you restore.**",
        usual=True,
    ),
    Situation(
        "The keys are disabled",
        "The plan shows `Disabled` for each key, and `EnableKey` as the action.",
        (
            Step(
                "Optional: preview the restore. Check mode shows the plan and the comment, and writes nothing.",
                f"{RESTORE} --check",
            ),
            Step(
                "Restore. The run enables the keys of all regions at once, and then notifies Atlassian.",
                RESTORE,
                whole=True,
            ),
            Step("Not sure whether it succeeded? Run it again.", RESTORE),
        ),
        _keys("Disabled", "Disabled"),
        usual=True,
    ),
    Situation(
        "One region fails",
        "The other regions are restored all the same. Atlassian is not notified until every key is enabled.",
        (
            Step("In this example, the custom key store of one key is disconnected.", RESTORE, code=2),
            Step("Fix the problem that the error names, and run again.", RESTORE, before=_store_is_back),
        ),
        _keys("Disabled", "Unavailable", custom_key_store=True),
        after="If AWS itself fails in that region, wait and run again.",
    ),
    Situation(
        "Access denied",
        "The error begins with `AWS refused`, and names the action and the region.",
        (
            Step(
                "In this example, the identity may read the keys but not enable them.",
                RESTORE,
                code=2,
                before=_allowed(*_USE),
            ),
            Step(
                "Allow that action in IAM and in the key policy ([iam.md](iam.md)), and run again.",
                RESTORE,
                before=_allowed(*_USE, "kms:EnableKey"),
            ),
        ),
        _keys("Disabled", "Disabled"),
        after="If the credentials have expired or belong to another account, provide the right ones (`AWS_PROFILE`, "
        "`cmk_aws_profile`, `cmk_assume_role_arn`), and run again.",
    ),
    Situation(
        "A key is scheduled for deletion",
        "The error says `is scheduled for deletion`. **That date is the deadline.** After it, the key and all data that it encrypts "
        "are lost.",
        (
            Step("A restore does not cancel a deletion unless you allow it.", RESTORE, code=2),
            Step(
                "Confirm with the key owner, then allow it. This needs `kms:CancelKeyDeletion` ([iam.md](iam.md)).",
                f"{RESTORE} -e cmk_cancel_deletion=true",
            ),
        ),
        _keys("PendingDeletion", "PendingDeletion"),
    ),
    Situation(
        "The support desk is not reachable",
        "The keys are enabled, and the ticket line reports an error of the desk. Atlassian has not been notified.",
        (
            Step("The run prints the text for the ticket at once, and tries again.", RESTORE, code=2),
            Step(
                "When the desk works again, run the same command. It only posts the comment.",
                RESTORE,
                before=_desk_is_back,
            ),
        ),
        lambda world: (_keys("Disabled", "Disabled")(world), _desk({"status": 503, "retry_after": 0})(world)),
        after="If the desk stays unreachable, add `-e cmk_support_mode=manual`, and [notify Atlassian by "
        "hand](#notify-atlassian-by-hand).",
    ),
    Situation(
        "It is unknown whether Atlassian was notified",
        "The run posted the comment, received no answer, and could not read the ticket afterwards.",
        (
            Step("Do not comment on the ticket yet: the comment may have been stored.", RESTORE, code=2),
            Step(
                "Run again. The run reads the ticket first, and posts the comment only if it is missing.",
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
        "Notify Atlassian by hand",
        "`cmk_support_mode` is `manual`, the default, because Atlassian's own portal very probably accepts no comments by API.",
        (
            Step(
                "The run restores the keys, prints the comment, and ends like this:", RESTORE, whole=True, on_page=True
            ),
            Step(
                "Paste the whole text into the ticket. Its last line identifies the restoration. Then confirm with the URL of "
                "your comment, or with the time.",
                f"{RESTORE} -e cmk_ticket_told=https://support.example.com/CMK-1?comment=10042",
            ),
        ),
        _keys("Disabled", "Disabled"),
        variables={"cmk_support_mode": "manual"},
        usual=True,
    ),
    Situation(
        "Another run is in progress",
        "Two restores run at the same time. Both enable the keys, and one of them comments on the ticket.",
        (
            Step("", RESTORE, code=2, before=_colleague),
            Step(
                "Wait until the other run has ended, then run again. If it ended without a comment, this run posts it.",
                RESTORE,
                before=_colleague_is_done,
            ),
        ),
        _keys("Disabled", "Disabled"),
        after="If the other run no longer exists, add `-e cmk_break_lock=true`. Two controllers do not share a lock: run one "
        "after the other.",
        usual=True,
    ),
    Situation(
        "Verify the restore",
        "The run ended with exit code 0. A changed key policy or a revoked grant can still lock Atlassian out.",
        (
            Step(
                "`assess_cmk` compares policy and grants with its earlier copy. Make that copy while everything works.",
                ASSESS,
            ),
            Step(
                "A later run shows the difference. A person who may edit key policies must undo it, because this collection "
                "never does. If it is intended, add `-e cmk_access_accept=true`.",
                ASSESS,
                before=_policy_changed,
                whole=True,
            ),
        ),
        _was_told,
        after="Archive the report folder that the summary names: it is the evidence.",
    ),
    Situation(
        "Is Atlassian back?",
        "Atlassian has been notified. Its restoration generally takes two business days.",
        (
            Step(
                "Verify. This changes nothing. `waiting` needs no action and ends with exit code 0. With `-e follow=true` the "
                "run verifies again until Atlassian has restored the sites.",
                VERIFY,
            ),
            Step(
                "The strongest proof is that Atlassian uses every key again. The run recognizes it by `cmk_context_tag`. Open "
                "the sites in a browser as well.",
                VERIFY,
                before=_vendor_uses_the_keys,
            ),
        ),
        _was_told,
        variables={"cmk_sites": [], "cmk_context_tag": "AcmeCMK"},
    ),
    Situation(
        "Revoke access, for a drill or an emergency",
        "Atlassian then suspends the sites. For a drill, use an organization that exists for drills.",
        (
            Step(
                "Without the name of the organization, the run shows the plan and disables nothing.",
                REVOKE,
                code=2,
                whole=True,
            ),
            Step(
                "With it, the run disables the keys of all regions, and Atlassian's 10 and 20 days begin.",
                f"{REVOKE} -e confirm=acme",
            ),
            Step("A restore undoes it.", RESTORE),
        ),
        _keys_in_use,
    ),
)

_BEGIN: t.Final = """\
# Runbook

For the person who has to restore Atlassian's access, now.

| symptom | cause | fix |
|---|---|---|
| the sites show a suspension page | a key is disabled or scheduled for deletion | [Sites are down: is it the keys?](#sites-are-down-is-it-the-keys) |
| the plan shows `Disabled` | access was revoked | [The keys are disabled](#the-keys-are-disabled) |
| `ATLASSIAN HAS NOT BEEN NOTIFIED YET` | nobody has confirmed the comment | [Notify Atlassian by hand](#notify-atlassian-by-hand) |
| one region has an error | the key state, or AWS in that region | [One region fails](#one-region-fails) |
| `AWS refused` | a permission is missing, or credentials are wrong | [Access denied](#access-denied) |
| `is scheduled for deletion` | the key is about to be deleted | [A key is scheduled for deletion](#a-key-is-scheduled-for-deletion) |
| the keys are enabled, and the ticket line has an error | desk, token or network | [The support desk is not reachable](#the-support-desk-is-not-reachable) |
| `not known whether the comment was stored` | no answer | [It is unknown whether Atlassian was notified](#it-is-unknown-whether-atlassian-was-notified) |
| a warning names Terraform or CloudFormation | it disabled the key | restore, and correct its code: [The keys are disabled](#the-keys-are-disabled) |
| `Another run is in progress` | two restores at the same time | [Another run is in progress](#another-run-is-in-progress) |
| exit code 0, sites still down | Atlassian is restoring or locked out | [Is Atlassian back?](#is-atlassian-back), [Verify the restore](#verify-the-restore) |
| no ticket can be found | Atlassian's mails went to another person | [When the ticket cannot be found](getting_started.md#when-the-ticket-cannot-be-found) |
| any other message | see its entry | [messages.md](messages.md) |

## The five-minute version

1. **Was the revocation intentional?** Confirm with the key owner before you restore.
2. **Assess**: `{assess}`. It changes nothing.
3. **Restore**: `{restore}`.
4. **Read the last lines.** They state the status and the exact next command.
5. **Not notified yet?** Paste the printed comment into Atlassian's ticket, then confirm with the printed command.
6. **In doubt, run the same command again.** Completed steps are not repeated, and Atlassian is notified once. A restore
   never creates, deletes or disables a key, and never edits a key policy.

Deadlines: within **10 days** of the revocation Atlassian can reinstate the sites. Beyond **20 days** full recovery may be
impossible. A key that is scheduled for deletion may have an earlier deadline. Each run states it.

You need the inventory ([getting started](getting_started.md#3-describe-the-organization)) and AWS credentials in the
environment. A desk with an API also needs `CMK_SUPPORT_USER` and `CMK_SUPPORT_TOKEN`. Enrolment is in Atlassian
Administration, Security, Encryption: realm, key ARNs and context tag can be read there.

[runbook_screens.md](runbook_screens.md) shows what each command prints.
"""
_SCREENS_BEGIN: t.Final = """\
# Screens of the runbook

What each command of the [runbook](runbook.md) prints. `make docs` writes this page by running the commands against emulators of
AWS and of the support desk. Ansible's own lines are left out, and long lines are wrapped. Names, times and URLs are examples.
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
    text = lines_for_people(ran.output) if step.whole else summary(ran.output)
    return ran, _as_on_the_page(text, world, begun)


def lines_for_people(output: str) -> str:
    """Leave out Ansible's lines on tasks, and its error, which the summary below it repeats."""
    kept, skipping, pasted, quoted = [], False, False, False
    for line in output.splitlines():
        # Ansible shows where a task stands that fails, from this line to a mark below it.
        quoted = quoted or line.startswith("Origin: ")
        skipping = skipping or line.startswith(("fatal:", "[ERROR]", "[WARNING]"))
        # The summary follows the error without a blank line.
        skipping = skipping and bool(line.strip()) and not line.startswith("acme: ")
        pasted = line.startswith("----- ") != pasted  # from one such line to the next
        if not (skipping or quoted or _ANSIBLE.match(line)) and (line.strip() or pasted):
            kept.append(line.rstrip())
        quoted = quoted and not line.lstrip().startswith("^ column")
    return "\n".join(_by_region(kept))


def _by_region(lines: list[str]) -> list[str]:
    """Put the progress lines of regions that work at the same time into one order."""
    ordered: list[str] = []
    for is_progress, group in itertools.groupby(lines, lambda line: bool(re.match(r"acme [a-z]{2}-[a-z]+-\d: ", line))):
        block = list(group)
        ordered += sorted(block) if is_progress else block
    return ordered


def summary(output: str) -> str:
    """Keep the last lines only: how it ended."""
    found = re.findall(
        r"(?ms)^acme: [A-Z][A-Z0-9,;: ]+(?: \(check mode.*?\)|\. [^\n]*)?$.*?(?=^\S|\Z)", lines_for_people(output)
    )
    return found[-1].rstrip() if found else lines_for_people(output)


def _as_on_the_page(text: str, world: World, begun: dt.datetime) -> str:
    shift = _MONDAY + dt.timedelta(days=begun.weekday()) - begun.replace(microsecond=0)

    def moved(found: re.Match[str]) -> str:
        form = _FORMS[len(found[1])]
        return (dt.datetime.strptime(found[1], form).replace(tzinfo=dt.UTC) + shift).strftime(form)

    text = _TIME.sub(moved, text)
    text = text.replace(str(world.folder / "reports"), "~/cmk-reports").replace(
        world.desk.url, "https://support.example.com"
    )
    text = re.sub(r"\n {13}(?=\S)", " ", text)  # where the run itself wrapped a line
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
    text = re.sub(r"\d+ (min|s)( \d+ s)? (since|ago)", r"N s \3", text)
    # A run may begin within the second of the loss or of the run before.
    text = re.sub(r"\d+ days \d+ h left", "N days N h left", text)
    text = re.sub(r"(TIMEZ-[a-z]+)-\d", r"\1", text)
    text = re.sub(r"cmk-restore/acme/[0-9a-f]{12}", "cmk-restore/acme/REFERENCE", text)
    text = re.sub(r"(comment[ /]|request/)\d+", r"\1N", text)
    return re.sub(r"(?<!\n)\n ?(?!\n)", " ", re.sub(r" +", " ", text))


def section(world: World, situation: Situation) -> tuple[str, str]:
    """Write the parts of the runbook and of the page of screens for a situation, by playing it."""
    situation.begin(world)
    parts, screens = [f"## {situation.title}\n", f"{_filled(situation.seen)}\n"], [f"## {situation.title}\n"]
    for step in situation.steps:
        ran, text = run(world, situation, step)
        if ran.code != step.code:
            raise SystemExit(f"{situation.title}: {step.command} ended with {ran.code}:\n{ran.output}")
        ends = f"$ echo $?\n{step.code}\n" if step.code else ""
        screens.append(f"```console\n$ {step.command}\n{text}\n{ends}```\n")
        shown = f"{summary(text)}\n" if step.on_page else ""
        parts += [f"{_filled(step.text)}\n"] if step.text else []
        parts.append(f"```console\n$ {step.command}\n{shown}```\n")
    end = f"{situation.after} [Screens](runbook_screens.md#{anchor(situation.title)})".strip()
    return "\n".join([*parts, f"{_filled(end)}\n"]), "\n".join(screens)


def anchor(title: str) -> str:
    """Return the anchor of a section's title."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def page(sections: t.Iterable[str]) -> str:
    """Put the runbook together."""
    return "\n".join([_BEGIN.format(assess=ASSESS, restore=RESTORE), *sections])


def screens_page(sections: t.Iterable[str]) -> str:
    """Put the page of screens together."""
    return "\n".join([_SCREENS_BEGIN, *sections])


def kept_sections(path: Path = PAGE) -> dict[str, str]:
    """The sections of a page as it is, by their titles."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    parts = re.split(r"(?m)^(?=## )", text)[1:]
    sections = {part.splitlines()[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}
    return {title: section for title, section in sections.items() if title in {one.title for one in SITUATIONS}}


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
    """Play every situation; what prints the same as before stays as it stands on the pages."""
    paths = (PAGE, SCREENS)
    kept = [kept_sections(path) for path in paths]
    written: tuple[list[str], list[str]] = ([], [])
    with AwsStandin() as aws, Desk(DESK) as desk:
        for situation in SITUATIONS:
            aws.control("POST", "reset")
            desk.control("POST", "/reset")
            with tempfile.TemporaryDirectory() as folder:
                made = section(World(aws, desk, Path(folder), usual()), situation)
            for old, new, sections in zip((one.get(situation.title, "") for one in kept), made, written, strict=True):
                sections.append(old if masked(old) == masked(new) else new)
            print(f"{situation.title}: done", flush=True)
    PAGE.write_text(page(written[0]), encoding="utf-8")
    SCREENS.write_text(screens_page(written[1]), encoding="utf-8")


if __name__ == "__main__":
    main()
