"""Restore the organization acme on an embedded AWS and support desk.

``python -m tests.tools.demo [--check [--collections PATH]]``

What the run changes is kept in .demo/, so a second run finds the keys enabled and the ticket told. With ``--check`` the
demo runs twice in a temporary folder, and its outcome is checked. With ``--collections`` it is not this checkout that
runs, but the collection that is installed in that folder.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from tests.tools.standins import ACCOUNT, ROOT, TOKEN, USER, control, environment, standin

TICKET: t.Final = "CMK-1"
ORG: t.Final = "acme"
REGIONS: t.Final = ("us-east-1", "us-west-2")
_DISABLED: t.Final = [
    {"region": region, "account": ACCOUNT, "alias": "alias/atlassian-cmk", "state": "Disabled"} for region in REGIONS
]
_REVOKED: t.Final = {"key": TICKET, "summary": f"CMK access revoked: {ORG}", "status": "Waiting for customer"}


def main(folder: Path, collections: Path | None = None) -> tuple[int, str, list[dict[str, t.Any]]]:
    """Run the demo once on the state in ``folder``; return exit code, ticket text and the AWS calls."""
    folder.mkdir(exist_ok=True)
    keys, desk_state, trail = folder / "aws.json", folder / "desk.json", folder / "trail.json"
    if not keys.exists():
        _keep(keys, _DISABLED)
        _keep(trail, _revocation())
        _keep_ticket(desk_state, _REVOKED)
    print("== the embedded AWS and support desk start on loopback")
    with standin("aws", keys) as aws, standin("desk", desk_state) as desk:
        control(aws, "events", "POST", json.loads(trail.read_text(encoding="utf-8")))
        playbook, cwd, env = "restore_cmk.yml", ROOT / "playbooks", environment(aws, desk, folder)
        if collections:
            playbook, cwd, env = "keyops.atlassian_cmk.restore_cmk", folder, env | _installed(collections, folder)
        command = ["ansible-playbook", playbook, "-e", f"org={ORG}"]
        print(f"== in {cwd.name}/: {' '.join(command)}", flush=True)
        ran = subprocess.run(command, cwd=cwd, env=env, check=False)
        ticket = control(desk, f"tickets/{TICKET}")
        _keep(keys, [_seed(key) for key in control(aws, "keys")])
        _keep_ticket(desk_state, ticket)
        calls = control(aws, "calls")
        _keep(trail, [_event(record) for record in control(aws, "events") if record["readOnly"] is False])
    return ran.returncode, "\n".join(comment["body"] for comment in ticket["comments"]), calls


def _installed(collections: Path, folder: Path) -> dict[str, str]:
    """The environment in which the collection is found in ``collections``, with the inventory that came with it."""
    settings = folder / "ansible.cfg"
    settings.touch()  # so that the user's own does not count
    there = collections / "ansible_collections/keyops/atlassian_cmk"
    return {
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_INVENTORY": str(there / "examples/inventory"),
    }


def _seed(key: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "region": key["region"],
        "account": key["AWSAccountId"],
        "key_id": key["KeyId"],
        "alias": key["aliases"][0],
        "state": key["KeyState"],
    }


def _revocation() -> list[dict[str, t.Any]]:
    """The security officer disabled the keys three days ago."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=3)
    officer = f"arn:aws:iam::{ACCOUNT}:user/security-officer"
    return [
        {
            "region": region,
            "time": (moment + dt.timedelta(seconds=40 * number)).isoformat(),
            "name": "DisableKey",
            "key": "alias/atlassian-cmk",
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
    kept = {name: ticket[name] for name in ("key", "summary", "status") if name in ticket}
    comments = [{name: comment[name] for name in ("body", "created")} for comment in ticket.get("comments", [])]
    user = {"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"}
    _keep(path, {"users": [user], "tickets": [{**kept, "comments": comments}]})


def _keep(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")


def check(collections: Path | None = None) -> None:
    """Run the demo twice from its beginning, and stop with an error unless it did what it promises."""
    with tempfile.TemporaryDirectory() as name:
        if collections:
            _must_run_from(collections, Path(name))
        first, told, calls = main(Path(name), collections)
        again, told_again, calls_again = main(Path(name), collections)
    print("== the calls of the first run")
    for call in calls:
        print(f"   {call['region']:<12}{call['operation']}")
    enabled = sorted(call["region"] for call in calls if call["operation"] == "EnableKey")
    assert (first, again) == (0, 0), f"exit codes {first}, {again}"
    assert enabled == sorted(REGIONS), f"EnableKey was called in {enabled}"
    looks = {"DescribeKey", "LookupEvents", "GetCallerIdentity", "GetKeyPolicy", "ListGrants"}
    assert {call["operation"] for call in calls_again} <= looks, "the second run did more than look"
    assert told.count("cmk-restore/acme/") == told_again.count("cmk-restore/acme/") == 1, "not told exactly once"
    print("== the demo did what it promises, twice")


def _must_run_from(collections: Path, folder: Path) -> None:
    """Stop with an error if Ansible would take another copy than the one in ``collections``."""
    command = ["ansible-doc", "--json", "--type", "module", "keyops.atlassian_cmk.report"]
    env = {**os.environ, **_installed(collections, folder)}
    ran = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    found = Path(json.loads(ran.stdout)["keyops.atlassian_cmk.report"]["doc"]["filename"])
    assert found.is_relative_to(collections), f"{found} is not in {collections}"
    print(f"== the collection is taken from {found.parents[2]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--collections", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    if options.check:
        check(options.collections)
    else:
        code, _told, _calls = main(ROOT / ".demo", options.collections)
        print("== again: make demo    from the beginning: make demo-reset demo")
        sys.exit(code)
