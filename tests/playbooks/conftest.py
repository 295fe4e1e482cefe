"""Runs of the playbooks, as an operator starts them, against the strict emulators."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import signal
import subprocess
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import make_reference
from tests.standins.aws import AwsStandin
from tests.standins.desk import DEFAULT_BEARER, Desk
from tests.tools import prefork
from tests.tools.losses import over_all
from tests.tools.results_doc import SCHEMA
from tests.tools.standins import ACCOUNT, ROOT, TOKEN, USER, environment

ALIAS: t.Final = "alias/atlassian-cmk"
_LONGEST: t.Final = 900.0
REGIONS: t.Final = ("us-east-1", "us-west-2")
_DESK: t.Final = {
    "users": [{"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"}],
    "bearer": [{"token": DEFAULT_BEARER, "user": USER}],
    "tickets": [{"key": "CMK-1", "summary": "CMK access revoked", "status": "Waiting for customer"}],
}


@dataclass(frozen=True)
class Run:
    """How one ansible-playbook ended."""

    code: int
    output: str

    @property
    def result(self) -> dict[str, t.Any]:
        """The only organization's cmk_result, as set_stats published it."""
        found = re.search(r"\tRUN: (\{.*\})", self.output)
        assert found, self.output
        (published,) = json.loads(found[1]).values()
        (result,) = published.values()
        # docs/results.md promises this form.
        jsonschema.validate(result, SCHEMA)
        return t.cast("dict[str, t.Any]", result)

    @property
    def changed(self) -> int:
        """How many tasks changed something, over all hosts of the recap."""
        return sum(int(count) for count in re.findall(r"changed=(\d+)", self.output))


@dataclass
class World:
    """The stand-ins, and a folder for all that a run leaves."""

    aws: AwsStandin
    desk: Desk
    folder: Path
    variables: dict[str, t.Any] = field(default_factory=dict)

    def keys(self, *states: str, **more: t.Any) -> None:
        """Make the realm's keys, one for each region."""
        for region, state in zip(REGIONS, states, strict=True):
            self.aws.control(
                "POST", "keys", {"region": region, "account": ACCOUNT, "alias": ALIAS, "state": state, **more}
            )

    def lose(self, alias: str = ALIAS, days: float = 3) -> None:
        """Let CloudTrail show that the keys were disabled, some days ago."""
        time_ = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).isoformat(timespec="seconds")
        for region in REGIONS:
            event = {"region": region, "name": "DisableKey", "key": alias, "time": time_}
            self.aws.control("POST", "events", event)

    def states(self) -> list[str]:
        """The keys' real states, region by region."""
        keys = {key["region"]: key["KeyState"] for key in self.aws.control("GET", "keys")}
        return [keys[region] for region in REGIONS]

    def calls(self, operation: str = "") -> list[str]:
        """The operations (or, of one operation, the regions) that AWS was asked for, in order."""
        calls = self.aws.control("GET", "calls")
        return (
            [call["region"] for call in calls if call["operation"] == operation]
            if operation
            else [call["operation"] for call in calls]
        )

    def reference(self, org: str = "acme", alias: str = ALIAS, given: str = "") -> str:
        """The reference that any controller gives the last restoration, from the loss that is given or CloudTrail shows."""
        arns = {key["region"]: key["Arn"] for key in self.aws.control("GET", "keys") if alias in key["aliases"]}
        records = [record for record in self.aws.control("GET", "events") if not record.get("errorCode")]
        keys = [
            {"arn": arn, "complete": True, "events": [_event(record) for record in records if _names(record, arn)]}
            for arn in arns.values()
        ]
        loss = f"given {given}" if given else over_all(keys)["identity"]
        return make_reference(org, loss or "nothing that is known", arns.values())

    def told(self, ticket: str = "CMK-1") -> list[str]:
        """The references on the ticket."""
        comments = self.desk.control("GET", f"/tickets/{ticket}")["comments"]
        return [found for comment in comments for found in re.findall(r"cmk-restore/\S+", comment["body"])]

    def command(
        self,
        *arguments: str,
        playbook: str = "restore_cmk.yml",
        cwd: Path | None = None,
        env: t.Mapping[str, str] | None = None,
        variables: t.Mapping[str, t.Any] | None = None,
    ) -> tuple[list[str], Path, dict[str, str]]:
        """The command, folder and environment of a run for acme, whose inventory holds ``variables`` too."""
        inventory = self.folder / "inventory.yml"
        organization = {**self.variables, **(variables or {})}
        hosts = {"acme": {**organization, "ansible_connection": "local"}}
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        settings = {
            **environment(self.aws.url, self.desk.url, self.folder),
            "ANSIBLE_INVENTORY": str(inventory),
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            **(env or {}),
        }
        return ["ansible-playbook", playbook, *arguments], cwd or ROOT / "playbooks", settings

    def run(self, *arguments: str, **more: t.Any) -> Run:
        """Run a playbook to its end; the arguments are those of :meth:`command`."""
        return run_to_end(*self.command(*arguments, **more))


def _event(record: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "time": record["eventTime"],
        "name": record["eventName"],
        "region": record["awsRegion"],
        "event_id": record["eventID"],
        "error_code": None,
        "user_arn": None,
        "source_ip": None,
    }


def _names(record: dict[str, t.Any], arn: str) -> bool:
    return arn in [resource.get("ARN") for resource in record.get("resources") or []]


def run_to_end(command: list[str], cwd: Path, env: t.Mapping[str, str]) -> Run:
    """Run a command of :meth:`World.command` to its end."""
    forked = prefork.run(command, cwd, env, timeout=_LONGEST)
    if forked is not None:
        return Run(*forked)
    ran = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    return Run(ran.returncode, ran.stdout)


@contextlib.contextmanager
def under_way(
    command: list[str], cwd: Path, env: t.Mapping[str, str], stdout: t.IO[str] | int = subprocess.PIPE
) -> t.Iterator[subprocess.Popen[str]]:
    """Start a command of :meth:`World.command` as the head of a process group; what is left of it in the end is killed."""
    process = subprocess.Popen(
        command, cwd=cwd, env=env, text=True, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                end(process, signal.SIGKILL)


def wait_for(seen: t.Callable[[], bool], process: subprocess.Popen[t.Any] | None = None) -> None:
    """Wait for a moment, or for the end of the run in which it should come."""
    for _turn in range(1200):
        if seen() or (process and process.poll() is not None):
            return
        time.sleep(0.05)
    pytest.fail("the moment that was waited for did not come")


def end(process: subprocess.Popen[t.Any], how: signal.Signals) -> None:
    """End a run that leads a process group: by Ctrl-C, which reaches the group, or as a container that is lost does.

    Ansible's workers have left the group, and outlive a kill of it.
    """
    workers = below(process.pid) if how == signal.SIGKILL else []
    os.killpg(process.pid, how)
    for one in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, how)


def interrupt(process: subprocess.Popen[t.Any]) -> None:
    """Press Ctrl-C until the run ends: Python drops one that comes while it destroys an object."""
    for _press in range(3):
        end(process, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
            return
    pytest.fail("the run goes on after Ctrl-C")


def below(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before the state may hold anything, blanks and brackets included.
            parents.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found, open_ = [], [pid]
    while open_:
        children = parents.get(open_.pop(), [])
        found += children
        open_ += children
    return found


def is_alive(pid: int) -> bool:
    """Whether a process is there, and does not only wait to be noticed by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="session")
def aws_standin() -> t.Iterator[AwsStandin]:
    """One AWS for the session; moto's state is global."""
    with AwsStandin() as aws:
        yield aws


@pytest.fixture(scope="session")
def desk_standin() -> t.Iterator[Desk]:
    """One support desk for the session."""
    with Desk(_DESK) as desk:
        yield desk


@pytest.fixture
def world(aws_standin: AwsStandin, desk_standin: Desk, tmp_path: Path) -> World:
    """Fresh stand-ins, and the organization acme of the realm United States."""
    aws_standin.control("POST", "reset")
    desk_standin.control("POST", "/reset")
    usual = {
        "cmk_realm": "United States",
        "cmk_key": ALIAS,
        "cmk_account_id": ACCOUNT,
        "cmk_ticket": "CMK-1",
        "cmk_wait_delay": 0.1,
    }
    return World(aws_standin, desk_standin, tmp_path, usual)
