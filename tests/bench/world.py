"""An AWS, a support desk and an inventory of organizations, each with an account and a profile of its own."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.tools.standins import ROOT, TOKEN, USER, control, environment, standin

ALIAS: t.Final = "alias/atlassian-cmk"
REALMS: t.Final[dict[str, tuple[str, ...]]] = {
    "United States": ("us-east-1", "us-west-2"),
    "Europe": ("eu-west-1", "eu-central-1"),
    "Germany": ("eu-central-1",),
    "Japan": ("ap-northeast-1",),
}


@dataclass(frozen=True)
class Org:
    """An organization of the fleet. The keys of a failing one wait for their key material."""

    name: str
    number: int
    realm: str
    state: str

    @property
    def regions(self) -> tuple[str, ...]:
        return REALMS[self.realm]

    @property
    def account(self) -> str:
        return f"{100000000000 + self.number}"


def fleet(size: int) -> list[Org]:
    """Mixed realms; of twenty organizations, two are enabled already and one cannot be restored."""
    states = {3: "Enabled", 13: "Enabled", 17: "PendingImport"}
    return [
        Org(f"org{number:03d}", number, list(REALMS)[number % len(REALMS)], states.get(number % 20, "Disabled"))
        for number in range(size)
    ]


@dataclass
class World:
    """The stand-ins and the folder of one measurement."""

    aws: str
    desk: str
    folder: Path
    orgs: list[Org]
    arns: dict[tuple[str, str], str]

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a run for this world."""
        found = environment(self.aws, self.desk, self.folder)
        # Nor the place where make keeps byte code: what is measured first would fill it for the others.
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PYTHONPYCACHEPREFIX"):
            found.pop(name, None)
        return {
            **found,
            "ANSIBLE_INVENTORY": str(self.folder / "inventory.json"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "credentials"),
            "AWS_CONFIG_FILE": str(self.folder / "no-config"),
            "AWS_ENDPOINT_URL": self.aws,
            "ANSIBLE_NOCOLOR": "true",
            **more,
        }

    def calls(self) -> list[dict[str, t.Any]]:
        """The calls that AWS was asked for, in order."""
        return t.cast("list[dict[str, t.Any]]", control(self.aws, "calls"))

    def enabled(self) -> int:
        """How many keys are enabled."""
        return sum(key["KeyState"] == "Enabled" for key in control(self.aws, "keys"))

    def told(self) -> int:
        """How many tickets hold exactly one announcement."""
        bodies = [
            "\n".join(comment["body"] for comment in control(self.desk, f"tickets/CMK-{org.number + 1}")["comments"])
            for org in self.orgs
        ]
        return sum(body.count("cmk-restore/") == 1 for body in bodies)


@contextlib.contextmanager
def world(folder: Path, orgs: list[Org], *, latency: float = 0.0, propagation: float = 0.0) -> t.Iterator[World]:
    """Start the stand-ins for the organizations. ``latency`` (of each call to AWS) and ``propagation`` in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = [
        {"region": region, "account": org.account, "alias": ALIAS, "state": org.state}
        for org in orgs
        for region in org.regions
    ]
    user = {"user": USER, "token": TOKEN, "name": "Operator", "email": USER, "kind": "customer", "tickets": "*"}
    tickets = [{"key": f"CMK-{org.number + 1}", "summary": "CMK access revoked"} for org in orgs]
    (folder / "aws.json").write_text(json.dumps(keys), encoding="utf-8")
    (folder / "desk.json").write_text(json.dumps({"users": [user], "tickets": tickets}), encoding="utf-8")
    (folder / "credentials").write_text(
        "".join(
            f"[{org.name}]\naws_access_key_id = {_access_key(org)}\naws_secret_access_key = bench-{org.name}-0123456789\n"
            for org in orgs
        ),
        encoding="utf-8",
    )
    with standin("aws", folder / "aws.json") as aws, standin("desk", folder / "desk.json") as desk:
        for org in orgs:
            control(aws, "principals", "POST", {"access_key": _access_key(org), "account": org.account})
        control(aws, "config", "POST", {"latency": latency, "propagation": propagation})
        arns = {(key["AWSAccountId"], key["region"]): key["Arn"] for key in control(aws, "keys")}
        made = World(aws, desk, folder, orgs, arns)
        _inventory(made)
        yield made


def _access_key(org: Org) -> str:
    return f"AKIABENCHEXAMPLE{org.number:04d}"


def _inventory(made: World) -> None:
    hosts = {
        org.name: {
            "cmk_realm": org.realm,
            "cmk_key": ALIAS,
            "cmk_ticket": f"CMK-{org.number + 1}",
            "cmk_account_id": org.account,
            "cmk_aws_profile": org.name,
            "arns": [{"region": region, "arn": made.arns[org.account, region]} for region in org.regions],
        }
        for org in made.orgs
    }
    (made.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")


def scripts() -> Path:
    """The folder of the peers' playbooks."""
    return ROOT / "tests/bench"


def cpus() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0))
