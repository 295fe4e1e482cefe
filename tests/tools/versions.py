"""Test with each supported Python and ansible-core that is installed: ``python -m tests.tools.versions [--floor] [CORE ...]``.

Each row of the table gets a virtual environment of its own in .cache/versions, and runs the unit tests and the tests of
the restore there. Pythons that are not here are named at the end. Names of ansible-cores (2.16) choose their rows. With
``--floor``, the oldest boto3 and botocore instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.tools.standins import ROOT

_FOLDER: t.Final = ROOT / ".cache/versions"


@dataclass(frozen=True)
class Row:
    """A Python, the ansible-core that it runs, and the files of requirements that bring it, in their order."""

    python: str
    core: str
    requirements: tuple[str, ...] = ("dev",)
    tests: tuple[str, ...] = ("tests/unit", "tests/playbooks/test_restore.py")

    @property
    def name(self) -> str:
        """How the row is told apart from the others."""
        return f"{self.python}-{self.requirements[-1] if self.requirements != ('dev',) else self.core}"


# What the tests of a row without the tools of development can hold: ansible-lint and others need a newer ansible-core.
_PLUGINS: t.Final = ("tests/unit/plugins", "tests/playbooks/test_restore.py")
# Before 2.19, Ansible trusts templates more: what looks like Jinja and what is secret is tried there as well.
_OLDER: t.Final = (*_PLUGINS, "tests/playbooks/test_bad_input.py", "tests/playbooks/test_secrets.py")
# Of the Python versions, those that ansible-core supports on a controller; the newest ansible-core is that of dev.txt,
# and beyond it a release candidate.
ROWS: t.Final = (
    Row("3.12", "2.16", ("core-2.16",), _OLDER),
    Row("3.11", "2.18", ("core-2.18",), _OLDER),
    Row("3.11", "2.19"),
    Row("3.12", "2.20", ("dev", "core-2.20")),
    Row("3.12", "2.21"),
    Row("3.13", "2.21"),
    Row("3.14", "2.21"),
    Row("3.13", "2.22", ("dev", "core-2.22")),
)
FLOOR: t.Final = Row("3.11", "2.19", ("floor",), _PLUGINS)


def interpreter(version: str) -> str:
    """Find a Python (such as 3.12) on the path or among pyenv's; empty if there is none that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [*sorted(pyenv.glob(f"{version}.*/bin/python"), reverse=True), shutil.which(f"python{version}") or ""]
    # What pyenv puts on the path for a Python that is not chosen is there, and does not run.
    return next((str(path) for path in found if str(path) and _says(str(path)) == version), "")


def _says(python: str) -> str:
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def run(row: Row, python: str) -> str:
    """Set up a row and run its tests; return what went wrong, or an empty text."""
    venv = _FOLDER / row.name
    requirements = " ".join(f"requirements/{name}.txt" for name in row.requirements)
    env = {
        **os.environ,
        "PATH": f"{venv}/bin:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(_FOLDER / f"{row.name}.pycache"),
    }
    setup = {**env, "PYTHON": python, "VENV": str(venv), "REQUIREMENTS": requirements}
    if subprocess.run([ROOT / "tests/tools/setup.sh"], env=setup, check=False).returncode:
        return "could not be set up"
    command = [str(venv / "bin/ansible"), "--version"]
    core = subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout
    if f"[core {row.core}." not in core:
        return f"has not ansible-core {row.core}: {core.splitlines()[:1]}"
    tests = [str(venv / "bin/python"), "-m", "pytest", "-n", "logical", *row.tests]
    return "tests failed" if subprocess.run(tests, cwd=ROOT, env=env, check=False).returncode else ""


def main(rows: t.Sequence[Row]) -> None:
    """Run the rows whose Python is here, and sum up."""
    found = {row: interpreter(row.python) for row in rows}
    ended = {}
    for row, python in found.items():
        if python:
            print(f"== Python {row.python}, ansible-core {row.core}: {', '.join(row.requirements)}", flush=True)
            ended[row] = run(row, python)
    print("== summary")
    for row, python in found.items():
        outcome = (ended[row] or "passed") if python else f"NOT TESTED: no Python {row.python} is here"
        print(f"   Python {row.python}, ansible-core {row.core} ({', '.join(row.requirements)}): {outcome}")
    if not ended or any(ended.values()):
        sys.exit(1)


if __name__ == "__main__":
    cores = sys.argv[1:]
    main((FLOOR,) if cores == ["--floor"] else [row for row in ROWS if not cores or row.core in cores])
