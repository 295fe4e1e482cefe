"""The fault matrix, with the playbook: many organizations in one run, each with its own fault.

After the run in which something breaks, the faults are cleared and the same is run again.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import socket
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.playbooks.conftest import REGIONS, World, run_to_end
from tests.playbooks.faults import CASES, DESK, OTHER_ACCESS_KEY, REFUSED, SELF_SIGNED, STRANGER, Case, Group, Spec
from tests.standins.aws import AwsStandin
from tests.standins.desk import Desk
from tests.tools.reliability import PAGE, page
from tests.tools.standins import ACCESS_KEY, ACCOUNT, SECRET_KEY, TOKEN, USER

_USERS: t.Final = {
    "users": [
        {"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"},
        {"user": STRANGER, "token": TOKEN, "name": "Stranger", "kind": "customer", "tickets": []},
    ]
}
OTHER: t.Final = "444455556666"
# Fewer attempts, so that what does not end is given up soon.
_IMPATIENT: t.Final = {
    "__cmk_desk_retries": 1,
    "__cmk_aws": {
        "aws_config": {"retries": {"mode": "standard", "total_max_attempts": 2}},
        "endpoint_url": "{{ case_endpoint }}",
        "access_key": "{{ case_access_key }}",
        "secret_key": SECRET_KEY,
    },
}


@dataclass(frozen=True)
class Ended:
    """How a run ended for each organization."""

    output: str
    results: dict[str, dict[str, t.Any]]

    def failed(self, org: str) -> bool:
        """Whether the recap counts a failure."""
        recap = re.search(rf"(?m)^{re.escape(org)} +: .*failed=(\d+)", self.output)
        assert recap, self.output[-3000:]
        return recap[1] != "0"

    def summary(self, org: str) -> str:
        """What the operator reads at the end."""
        (headline,) = re.findall(rf"(?m)^{re.escape(org)}: [A-Z,: 0-9]+$", self.output)
        found = re.findall(rf"(?m)^  {re.escape(org)}: .*(?:\n {{13}}.*)*", self.output)
        return " ".join(" ".join([headline, *found[-1:]]).split())


class Matrix:
    """The cases of one group, on stand-ins of their own."""

    def __init__(self, world: World, cases: t.Iterable[Case], self_signed: str) -> None:
        self.world = world
        # Numbers of one width: no ticket's key is the beginning of another's.
        self.tickets = {case: f"CASE-{number}" for number, case in enumerate(cases, 1001)}
        # Bound and never listening: nobody else gets the port, and a connection to it is refused.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{self._closed.getsockname()[1]}"
        self.addresses = {REFUSED: refused, SELF_SIGNED: self_signed, DESK: world.desk.url, "": world.aws.url}

    def begin(self) -> None:
        """Make keys and tickets, with the loss of access in CloudTrail, and let things break."""
        other = {"access_key": OTHER_ACCESS_KEY, "account": OTHER, "arn": f"arn:aws:iam::{OTHER}:user/operator"}
        self.world.aws.control("POST", "principals", other)
        self.world.aws.control("POST", "roles", {"arn": f"arn:aws:iam::{ACCOUNT}:role/cmk-operator"})
        lost = (dt.datetime.now(dt.UTC) - dt.timedelta(days=3)).isoformat()
        for case, ticket in self.tickets.items():
            alias = _alias(case)
            for region, state in zip(REGIONS, case.before, strict=True):
                key = {"region": region, "account": ACCOUNT, "alias": alias, "state": state, **case.key}
                self.world.aws.control("POST", "keys", key)
                name = "ScheduleKeyDeletion" if state == "PendingDeletion" else "DisableKey"
                event = {"region": region, "time": lost, "name": name, "key": alias}
                self.world.aws.control("POST", "events", event)
            self.world.desk.control("POST", "/tickets", {"key": ticket, "reporter": USER, **case.ticket})
            for fault in case.aws:
                self.world.aws.control("POST", "faults", {"key_id": alias, **fault})
            for fault in case.desk:
                path = f"/request/{ticket}{fault.get('path', '')}"
                self.world.desk.control("POST", "/faults", {**fault, "path": path})

    def mend(self) -> None:
        """What broke is well again."""
        self.world.aws.control("DELETE", "faults")
        self.world.desk.control("DELETE", "/faults")
        for case, ticket in self.tickets.items():
            if case.mend:
                self.world.desk.control("PATCH", f"/tickets/{ticket}", case.mend)

    def run(self, *arguments: str, broken: bool) -> Ended:
        """Restore all organizations at once."""
        command, cwd, env = self.world.command("-e", "org=all", "--forks", "6", *arguments)
        hosts = {case.name: self.variables(case, broken=broken) for case in self.tickets}
        Path(env["ANSIBLE_INVENTORY"]).write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        ran = run_to_end(command, cwd, env)
        (self.world.folder / f"output-{'first' if broken else 'next'}.txt").write_text(ran.output, encoding="utf-8")
        published = re.search(r"\tRUN: (\{.*\})", ran.output)
        assert published, ran.output
        ended = Ended(ran.output, json.loads(published[1])["cmk_restore"])
        assert (ran.code != 0) is any(ended.failed(case.name) for case in self.tickets)
        assert "Traceback" not in ran.output
        return ended

    def variables(self, case: Case, *, broken: bool) -> Spec:
        """The organization in the inventory."""
        usual = {
            **self.world.variables,
            "ansible_connection": "local",
            "cmk_key": _alias(case),
            "cmk_ticket": self.tickets[case],
            **case.lasting,
        }
        if not broken:
            return usual
        given = {name: self.addresses.get(value, value) for name, value in case.variables.items()}
        endpoint = self.addresses.get(case.endpoint, case.endpoint)
        return {**usual, "case_endpoint": endpoint, "case_access_key": ACCESS_KEY, **given}

    def states(self, case: Case) -> tuple[str, ...]:
        """The real states of the organization's keys, region by region."""
        keys = self.world.aws.control("GET", "keys")
        states = {key["region"]: key["KeyState"] for key in keys if _alias(case) in key["aliases"]}
        return tuple(states[region] for region in REGIONS)

    def evidence(self, case: Case) -> list[dict[str, t.Any]]:
        """The evidence of the organization's runs, the oldest first."""
        kept = sorted(self.world.folder.glob(f"reports/{case.name}/*-restore/restore.json"))
        return [json.loads(path.read_text(encoding="utf-8")) for path in kept]


def _alias(case: Case) -> str:
    return f"alias/{case.name}"


@pytest.fixture
def matrix(aws_standin: AwsStandin, tmp_path: Path, group: Group, which: str) -> t.Iterator[Matrix]:
    """Fresh stand-ins for one group of cases."""
    aws_standin.control("POST", "reset")
    usual = {"cmk_realm": "United States", "cmk_account_id": ACCOUNT, "cmk_wait_delay": 0.1}
    with Desk(_USERS) as desk, Desk(_USERS, tls=True) as self_signed:
        cases = [case for case in CASES if case.group == group and (which == "all" or case.usual)]
        yield Matrix(World(aws_standin, desk, tmp_path, usual), cases, self_signed.url)


def _problems_after_the_first_run(matrix: Matrix, ended: Ended, case: Case) -> t.Iterator[str]:
    result, summary = ended.results[case.name], ended.summary(case.name)
    failed = [key for key in result["keys"] if key["error"]]
    refused = [*failed, *[result["ticket"]][: bool(result["ticket"]["error"])]]
    seen: dict[str, tuple[object, object]] = {
        "status": (result["status"], case.status),
        "a failure in the recap": (ended.failed(case.name), case.status != "restored"),
        "states": (matrix.states(case), case.after),
        "announcements": (len(matrix.world.told(matrix.tickets[case])), case.told),
        "message": (case.message in summary, True),
        "an end that nobody foresaw": (bool(result["error"]), case.early),
        "reasons": (bool(refused), case.status != "restored" and not case.early),
        "hints": (
            [" ".join(item["hint"].split()) in summary and bool(item["hint"]) for item in refused],
            [True] * len(refused),
        ),
        "markup": (bool(re.search(r"<[a-z/!]", summary)), False),
        "evidence": ([item["status"] for item in matrix.evidence(case)], [case.status]),
    }
    yield from (f"{case.name}: {what}: {got}, wanted {wanted}" for what, (got, wanted) in seen.items() if got != wanted)


def _problems_after_the_next_run(matrix: Matrix, ended: Ended, case: Case) -> t.Iterator[str]:
    result = ended.results[case.name]
    seen: dict[str, tuple[object, object]] = {
        "status": (result["status"], case.then),
        "a failure in the recap": (ended.failed(case.name), False),
        "states": (matrix.states(case), ("Enabled", "Enabled")),
        "announcements": (len(matrix.world.told(matrix.tickets[case])), 1),
        "evidence": ([item["status"] for item in matrix.evidence(case)], [case.status, case.then]),
    }
    yield from (f"{case.name}: {what}: {got}, wanted {wanted}" for what, (got, wanted) in seen.items() if got != wanted)


@pytest.mark.parametrize(
    ("group", "which"),
    [
        *[(group, "usual") for group in ("aws", "desk", "pairs", "endings")],
        *[pytest.param(group, "all", marks=pytest.mark.slow) for group in ("aws", "desk", "pairs", "endings", "slow")],
    ],
)
def test_every_key_is_restored_and_atlassian_is_notified_once(matrix: Matrix, group: Group, which: str) -> None:
    matrix.begin()
    # In a file: a command line is seen by everybody, and by the test of secrets beside this one.
    impatient = matrix.world.folder / "impatient.json"
    impatient.write_text(json.dumps(_IMPATIENT), encoding="utf-8")
    shortened = ("-e", f"@{impatient}") if group == "endings" else ()
    first = matrix.run(*shortened, broken=True)
    problems = [text for case in matrix.tickets for text in _problems_after_the_first_run(matrix, first, case)]
    matrix.mend()
    second = matrix.run(broken=False)
    problems += [text for case in matrix.tickets for text in _problems_after_the_next_run(matrix, second, case)]
    assert problems == [], "\n".join([*problems, str(matrix.world.folder)])


def test_the_page_is_in_step_with_the_cases() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.tools.reliability"


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
