"""The ways to enable the keys of a fleet that are measured side by side."""

from __future__ import annotations

import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.bench.measure import Measured, measure
from tests.bench.world import World, fleet, scripts, world
from tests.tools.standins import ROOT

FORKS: t.Final = "25"
_PLAYBOOK: t.Final = ["ansible-playbook", "--forks", FORKS]

# What does the work, how, and where.
WAYS: t.Final[dict[str, t.Callable[[World], tuple[list[str], Path]]]] = {
    "kms_key": lambda _made: ([*_PLAYBOOK, "kms_key.yml"], scripts()),
    "restore, manual": lambda _made: (
        [*_PLAYBOOK, "restore_cmk.yml", "-e", "org=all", "-e", "cmk_support_mode=manual"],
        ROOT / "playbooks",
    ),
    "restore, api": lambda _made: ([*_PLAYBOOK, "restore_cmk.yml", "-e", "org=all"], ROOT / "playbooks"),
    "boto3": lambda made: ([sys.executable, "floor.py", str(made.folder / "inventory.json")], scripts()),
    "aws": lambda made: (["bash", "aws_cli.sh", str(made.folder / "inventory.json")], scripts()),
    "noop": lambda _made: ([*_PLAYBOOK, "noop.yml"], scripts()),
}

# One process after the other, each of which starts Python anew: nobody learns more from many than from fifty.
SLOW: t.Final = {"aws": 50}


@dataclass(frozen=True)
class Seen:
    """What a way cost, and what it reached."""

    cost: Measured
    calls: int
    enabled: int
    told: int


def once(way: str, size: int, *, log: Path | None = None) -> Seen:
    """Measure one way on a fresh fleet of ``size`` organizations."""
    with tempfile.TemporaryDirectory(prefix="bench") as name, world(Path(name), fleet(size)) as made:
        command, cwd = WAYS[way](made)
        cost = measure(command, cwd, made.env(), log or Path(name) / "log")
        return Seen(cost, len(made.calls()), made.enabled(), made.told())


def report(way: str, seen: Seen) -> str:
    """One line for the screen."""
    cost = seen.cost
    return (
        f"{way:<16} exit {cost.code}  wall {cost.wall:7.1f} s  CPU {cost.cpu:7.1f} s  parent {cost.memory:5.0f} MB  "
        f"child {cost.usual:4.0f} to {cost.child:4.0f} MB  calls {seen.calls:5}  enabled {seen.enabled:4}  told {seen.told:4}"
    )
