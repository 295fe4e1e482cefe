"""Restore the organization acme against emulators of AWS and of a support desk.

``python -m tests.tools.demo [SCENARIO] [--check [--collections PATH]]``

Without a scenario the demo shows manual mode, step by step: the run restores the keys and prints the comment, the demo
pastes it into the ticket as an operator would, and a second run confirms it. The state is kept in .demo/, so another demo
finds nothing to do. With a scenario (see :data:`SCENARIOS`) it begins anew, and the problem is fixed after the first run.
With ``--check`` the demo runs twice in a temporary folder, and its outcome is checked. With ``--collections`` it runs the
collection that is installed in that folder instead of this checkout.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.standins.desk.client import basic, send
from tests.tools.standins import ACCESS_KEY, ACCOUNT, ROOT, TOKEN, USER, control, environment, standin

TICKET: t.Final = "CMK-1"
ORG: t.Final = "acme"
REGIONS: t.Final = ("us-east-1", "us-west-2")
ALIAS: t.Final = "alias/atlassian-cmk"
_TICKET_OPENED: t.Final = {"key": TICKET, "summary": f"CMK access revoked: {ORG}", "status": "Waiting for customer"}
# What an assessment and a second run may call: they read and change nothing.
_READS: t.Final = {"DescribeKey", "LookupEvents", "GetCallerIdentity", "GetKeyLastUsage", "GetKeyPolicy", "ListGrants"}
_OPTIONAL: t.Final = ("cloudtrail:LookupEvents", "kms:GetKeyPolicy", "kms:ListGrants", "sts:GetCallerIdentity")

Change = t.Callable[[str], object]


def _nothing(_aws: str) -> None:
    """Change nothing."""


def _region_down(aws: str) -> None:
    fault = {"region": "us-west-2", "status": 503, "error": "ServiceUnavailableException", "count": None}
    control(aws, "faults", "POST", fault)


def _region_up(aws: str) -> None:
    control(aws, "faults", "DELETE")


def _allow(*actions: str) -> Change:
    return lambda aws: control(aws, "policy", "POST", {"actions": list(actions)})


@dataclass(frozen=True)
class Scenario:
    """What the first run meets, how it ends (``code``), and what changes before the next one."""

    text: str
    code: int = 0
    begin: Change = _nothing
    fix: Change = _nothing
    state: str = "Disabled"
    arguments: tuple[str, ...] = ()
    then: tuple[str, ...] = ()


SCENARIOS: t.Final = {
    "manual": Scenario("Both keys are disabled. A person posts the comment (manual mode)."),
    "region-down": Scenario(
        "AWS fails in us-west-2. Before the next run, it works again.",
        2,
        _region_down,
        _region_up,
        arguments=("-e", "cmk_wait_timeout=15"),
    ),
    "denied": Scenario(
        "The identity may read the keys but not enable them. Before the next run, kms:EnableKey is allowed.",
        2,
        _allow(*_OPTIONAL, "kms:DescribeKey"),
        _allow(*_OPTIONAL, "kms:DescribeKey", "kms:EnableKey"),
    ),
    "deletion": Scenario(
        "Both keys are scheduled for deletion. The operator allows the next run to cancel that.",
        2,
        state="PendingDeletion",
        then=("-e", "cmk_cancel_deletion=true"),
    ),
}


@dataclass(frozen=True)
class Demo:
    """The stand-ins of a demo, and the folder that keeps its state."""

    aws: str
    desk: str
    folder: Path
    collections: Path | None = None

    def restore(self, *arguments: str) -> int:
        """Run restore_cmk as an operator types it; return its exit code."""
        playbook, cwd = "restore_cmk.yml", ROOT / "playbooks"
        env = {**environment(self.aws, self.desk, self.folder), "CMK_SUPPORT_URL": ""}
        if self.collections:
            playbook, cwd = "keyops.atlassian_cmk.restore_cmk", self.folder
            env |= _installed(self.collections, self.folder)
        command = ["ansible-playbook", playbook, "-e", f"org={ORG}", *arguments]
        print(f"== in {cwd.name}/: {' '.join(command)}", flush=True)
        return subprocess.run(command, cwd=cwd, env=env, check=False).returncode

    def comment(self) -> str:
        """Paste the comment into the ticket unless it is there; return its URL, or nothing if it was there."""
        text = (self.folder / "reports" / ORG / "comment.txt").read_text(encoding="utf-8")
        if any(comment["body"].strip() == text.strip() for comment in self.ticket()["comments"]):
            return ""
        print(f"== the operator pastes the text into ticket {TICKET}")
        url = f"{self.desk}/rest/servicedeskapi/request/{TICKET}/comment"
        answer = send("POST", url, {"body": text, "public": True}, authorization=basic(USER, TOKEN))
        return str(answer.json["_links"]["self"])

    def ticket(self) -> dict[str, t.Any]:
        """Return the ticket as the desk holds it."""
        return t.cast("dict[str, t.Any]", control(self.desk, f"tickets/{TICKET}"))


def seed(folder: Path, state: str = "Disabled") -> None:
    """Write what the stand-ins begin with: acme's keys, the revocation of three days ago, and the ticket."""
    folder.mkdir(parents=True, exist_ok=True)
    _keep(
        folder / "aws.json",
        [{"region": region, "account": ACCOUNT, "alias": ALIAS, "state": state} for region in REGIONS],
    )
    _keep(folder / "trail.json", _revocation("ScheduleKeyDeletion" if state == "PendingDeletion" else "DisableKey"))
    _keep_ticket(folder / "desk.json", _TICKET_OPENED)


def begin(aws: str, folder: Path) -> None:
    """Give CloudTrail its events, and let the caller be a user of the account."""
    control(aws, "events", "POST", json.loads((folder / "trail.json").read_text(encoding="utf-8")))
    principal = {"access_key": ACCESS_KEY, "account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/operator"}
    control(aws, "principals", "POST", principal)


def main(
    folder: Path, collections: Path | None = None, scenario: Scenario = SCENARIOS["manual"]
) -> tuple[int, str, list[dict[str, t.Any]]]:
    """Run the demo once on the state in ``folder``; return exit code, ticket text and the AWS calls."""
    if not (folder / "aws.json").exists():
        seed(folder, scenario.state)
    print(f"== {scenario.text}\n== emulators of AWS and of a support desk start on loopback")
    with standin("aws", folder / "aws.json") as aws, standin("desk", folder / "desk.json") as desk:
        begin(aws, folder)
        demo = Demo(aws, desk, folder, collections)
        code = _play(demo, scenario)
        calls = control(aws, "calls")
        _keep(folder / "aws.json", [_seed(key) for key in control(aws, "keys")])
        changes = [event for event in control(aws, "events") if event["readOnly"] is False and event.get("resources")]
        _keep(folder / "trail.json", [_event(change) for change in changes if not change.get("errorCode")])
        ticket = demo.ticket()
        _keep_ticket(folder / "desk.json", ticket)
    reports = sorted((folder / "reports" / ORG).glob("*-restore/restore.html"))
    print(f"== the report of the last run: {reports[-1] if reports else 'none'}")
    return code, "\n".join(comment["body"] for comment in ticket["comments"]), calls


def _play(demo: Demo, scenario: Scenario) -> int:
    scenario.begin(demo.aws)
    code = demo.restore(*scenario.arguments)
    if code != scenario.code:
        print(f"== the run ended with exit code {code}, and {scenario.code} was expected", file=sys.stderr)
        return code or 1
    if scenario.code:
        print(f"== exit code {code}, as expected. The cause is fixed now.")
        scenario.fix(demo.aws)
        if code := demo.restore(*scenario.then):
            return code
    url = demo.comment()
    return demo.restore("-e", f"cmk_ticket_told={url}") if url else 0


def _installed(collections: Path, folder: Path) -> dict[str, str]:
    """Return the environment in which the collection is found in ``collections``, with the inventory that came with it."""
    settings = folder / "ansible.cfg"
    settings.touch()  # so that the user's own does not count
    inventory = collections / "ansible_collections/keyops/atlassian_cmk/examples/inventory"
    return {
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_INVENTORY": str(inventory),
    }


def _seed(key: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "region": key["region"],
        "account": key["AWSAccountId"],
        "key_id": key["KeyId"],
        "alias": key["aliases"][0],
        "state": key["KeyState"],
    }


def _revocation(operation: str) -> list[dict[str, t.Any]]:
    """Return the events of a security officer who revoked access three days ago."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    officer = f"arn:aws:iam::{ACCOUNT}:user/security-officer"
    return [
        {
            "region": region,
            "time": (moment + dt.timedelta(seconds=40 * number)).isoformat(),
            "name": operation,
            "key": ALIAS,
            "user_arn": officer,
        }
        for number, region in enumerate(REGIONS)
    ]


def _event(record: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "region": record["awsRegion"],
        "time": record["eventTime"],
        "name": record["eventName"],
        "key": record["resources"][0]["ARN"],
        "user_arn": record["userIdentity"]["arn"],
    }


def _keep_ticket(path: Path, ticket: dict[str, t.Any]) -> None:
    fields = {name: ticket[name] for name in ("key", "summary", "status") if name in ticket}
    comments = [{name: comment[name] for name in ("body", "created")} for comment in ticket.get("comments", [])]
    user = {"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"}
    _keep(path, {"users": [user], "tickets": [{**fields, "comments": comments}]})


def _keep(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def check(run: t.Callable[[Path], tuple[int, str, list[dict[str, t.Any]]]]) -> None:
    """Run the demo twice from its beginning, and stop with an error unless it did what it promises."""
    with tempfile.TemporaryDirectory() as name:
        first, comments, calls = run(Path(name))
        again, comments_again, calls_again = run(Path(name))
    print("== the calls of the first run")
    for call in calls:
        print(f"   {call['region']:<12}{call['operation']}")
    enabled = sorted(call["region"] for call in calls if call["operation"] == "EnableKey")
    assert (first, again) == (0, 0), f"exit codes {first}, {again}"
    assert enabled == sorted(REGIONS), f"EnableKey was called in {enabled}"
    assert {call["operation"] for call in calls_again} <= _READS, "the second run did more than read"
    references = [text.count("cmk-restore/acme/") for text in (comments, comments_again)]
    assert references == [1, 1], f"the ticket holds {references} references"
    print("== the demo did what it promises, twice")


def _must_run_from(collections: Path, folder: Path) -> None:
    """Stop with an error if Ansible would take another copy than the one in ``collections``."""
    command = ["ansible-doc", "--json", "--type", "module", "keyops.atlassian_cmk.step"]
    env = {**os.environ, **_installed(collections, folder)}
    ran = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    path = Path(json.loads(ran.stdout)["keyops.atlassian_cmk.step"]["doc"]["filename"])
    assert path.is_relative_to(collections), f"{path} is not in {collections}"
    print(f"== the collection is taken from {path.parents[2]}")


def _from_command_line() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("scenario", nargs="?", choices=SCENARIOS)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--collections", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    if options.check:
        if options.collections:
            with tempfile.TemporaryDirectory() as name:
                _must_run_from(options.collections, Path(name))
        check(functools.partial(main, collections=options.collections))
        return 0
    folder = ROOT / ".demo" / (options.scenario or "plain")
    if options.scenario:
        shutil.rmtree(folder, ignore_errors=True)
    if not options.scenario:
        print("== again: make demo    from the beginning: make demo-reset demo    others: make demo SCENARIO=denied")
    code, _comments, _calls = main(folder, options.collections, SCENARIOS[options.scenario or "manual"])
    return code


if __name__ == "__main__":
    sys.exit(_from_command_line())
