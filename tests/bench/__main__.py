"""Measure a restoration beside other ways to enable the same keys: ``python -m tests.bench [--sizes 50,200] [--runs 2]``.

Writes docs/benchmarks.md. Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import tempfile
import typing as t
from pathlib import Path

import ansible

from tests.bench.fleet import FORKS, SLOW, WAYS, Seen, once, report
from tests.bench.measure import measure, middle
from tests.bench.world import Org, cpus, world
from tests.tools.standins import ROOT, control

PAGE: t.Final = ROOT / "docs/benchmarks.md"
_LATENCY, _PROPAGATION = 0.15, 6.0
_PEER: t.Final = "kms_key"


def one(way: str, folder: Path) -> tuple[float, float | None]:
    """Restore one organization of two regions; return when the last EnableKey was sent and the ticket was commented."""
    org = Org("acme", 0, "United States", "Disabled")
    with world(folder, [org], latency=_LATENCY, propagation=_PROPAGATION) as made:
        command, cwd = WAYS[way](made)
        started = measure(command, cwd, made.env(), folder / "log").started
        sent = [_moment(call["time"]) for call in made.calls() if call["operation"] == "EnableKey"]
        posted = [_moment(call["time"]) for call in control(made.desk, "calls") if call["method"] == "POST"]
    return max(sent) - started, max(posted) - started if posted else None


def _moment(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def alone(runs: int) -> str:
    """The table of one organization."""
    rows = []
    for way in (_PEER, "aws", "restore, api"):
        with tempfile.TemporaryDirectory(prefix="bench") as name:
            seen = [one(way, Path(name) / str(run)) for run in range(runs)]
        sent, told = middle(first for first, _last in seen), [last for _first, last in seen if last]
        after = middle(last - first for first, last in seen if last) if told else None
        rows.append(
            [way, f"{sent:.1f} s", f"{middle(told):.1f} s" if told else "never", f"{after:.1f} s" if after else ""]
        )
        print(" | ".join(rows[-1]), flush=True)
    head = ["way", "last `EnableKey` sent", "ticket commented", "from the one to the other"]
    return _table(head, rows)


def many(size: int, runs: int) -> str:
    """The table of a fleet, as ratios to the peer."""
    found: dict[str, list[Seen]] = {way: [] for way in WAYS if size <= SLOW.get(way, size)}
    for _run in range(runs):
        for way, seen in found.items():
            seen.append(once(way, size))
            print(report(way, seen[-1]), flush=True)
    peer = {name: middle(getattr(seen.cost, name) for seen in found[_PEER]) for name in ("wall", "cpu")}
    rows = []
    for way, seen in found.items():
        wall, cpu = (middle(getattr(one_.cost, name) for one_ in seen) for name in ("wall", "cpu"))
        memory, usual, child = (max(getattr(one_.cost, name) for one_ in seen) for name in ("memory", "usual", "child"))
        rows.append(
            [
                way,
                f"{wall:.0f} s",
                f"{wall / peer['wall']:.0%}",
                f"{cpu:.0f} s",
                f"{cpu / peer['cpu']:.0%}",
                f"{memory:.0f} MB",
                f"{usual:.0f} MB",
                f"{child:.0f} MB",
                str(seen[-1].calls),
                str(seen[-1].told),
            ]
        )
    head = ["way", "wall", "ratio", "CPU", "ratio", "memory", "of a fork", "at most", "calls to AWS", "notified"]
    return _table(head, rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_TEXT: t.Final = """\
# Benchmarks

Written by `make bench` on {when}: {machine}, {cpus} processors, Python {python}, ansible-core {core}, {forks} forks in
all plays. The emulators of AWS and of the desk run on the same processors. Their time is in the wall times, not in the
CPU figures. Medians of {runs}; times differ from machine to machine, ratios much less.

- `kms_key` is a loop of `amazon.aws.kms_key` over the same keys, with the same connection, interpreter, pipelining and
  forks. It notifies nobody, and does not wait until AWS reports the change.
- `restore, manual` restores, and prints the comment. `restore, api` posts it on the ticket.
- `aws` is a shell loop of `aws kms enable-key`, one key after the other. It notifies nobody, and checks nothing.
- `boto3` is the lower bound: a script of 40 lines, one process, `EnableKey` and nothing else.
- `noop` is Ansible's lower bound: one `debug` task for each organization.

## One organization, two regions

{latency:.0f} ms of latency for each call to AWS, and {propagation:.0f} s until a change has spread.

{one}

## Fleets

Four realms in turn, each organization with an account of its own; of twenty organizations, two are enabled already and
one cannot be restored. There is no latency and no propagation. The restore still waits for three equal reads, half a second apart.

{many}

## Where the time goes

- Each task of each organization is a process that Ansible forks, for 10 to 20 ms of CPU beside its work. So the role has few of them,
  its modules run inside that process instead of starting a Python of their own, and what is pure is computed in one
  place. `ansible.builtin.uri`, which posts the comment, is the one module that still starts a Python: a third of a second.
- The main process is larger than that of `kms_key`'s play, because it loads boto3 for all its forks. "Of a fork" is the memory
  that the largest fork has for itself, with the Python of its module: the median over the run, and the maximum.
- The main process keeps the facts and results of all organizations, and grows with their number. Its forks touch more
  of it then, so a restore costs a little more for each organization in a large run than in a small one.
- Here each organization has a profile of its own. Ansible's main process reads all profiles before it forks, for the first session
  of each fork. boto3 still reads the file of credentials itself: three times in a restore, for some 16 ms of CPU with
  500 profiles. One profile with `cmk_assume_role_arn` does without. Without the first reading, a restore of 300 cost 12 % more.
- In a fork, Python collects garbage after 100,000 new objects, not after 700. A collection visits all that the main process had
  made, and copies that memory for each task: with 100 organizations, a restore cost 11 % more.
- Several organizations each go at their own pace, so that none waits for another. This costs Ansible some 10 % more than
  going through each step together.
- A restore is idle while it waits for AWS. With more forks, more organizations wait at the same time.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="50,500", help="numbers of organizations")
    parser.add_argument("--runs", type=int, default=2, help="repetitions; the largest fleet runs once")
    given = parser.parse_args()
    for way in WAYS:
        once(way, 2)  # fills what is kept from run to run
    sizes = sorted(int(size) for size in given.sizes.split(","))
    first = alone(3)
    tables = []
    for size in sizes:
        runs = 1 if size == sizes[-1] and len(sizes) > 1 else given.runs
        tables.append(f"### {size} organizations ({runs} run{'s' if runs > 1 else ''})\n\n{many(size, runs)}")
    page = _TEXT.format(
        when=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=f"{platform.system()} {platform.machine()}",
        cpus=cpus(),
        python=platform.python_version(),
        core=ansible.__version__,
        forks=FORKS,
        runs=f"3 runs for one organization, and of {given.runs} for fleets",
        latency=_LATENCY * 1000,
        propagation=_PROPAGATION,
        one=first,
        many="\n\n".join(tables),
    )
    PAGE.write_text(page, encoding="utf-8")
    print(f"== {os.path.relpath(PAGE)}")


if __name__ == "__main__":
    main()
