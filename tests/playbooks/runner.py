"""Runs by ansible-runner in a private data directory, which is how AWX runs a job."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.playbooks.conftest import World

# What a job's own environment holds; the rest is the execution environment's.
_JOBS: t.Final = ("ANSIBLE_", "AWS_", "CMK_")
PLAYBOOK: t.Final = "keyops.atlassian_cmk.restore_cmk"


@dataclass(frozen=True)
class Job:
    """A job that is under way or over, and its private data directory."""

    folder: Path
    process: subprocess.Popen[str]

    def end(self) -> int:
        """Wait for the job, and return its exit code."""
        self.process.communicate(timeout=600)
        return self.process.returncode

    @property
    def _artifacts(self) -> Path:
        (found,) = (self.folder / "artifacts").iterdir()
        return found

    def events(self) -> list[dict[str, t.Any]]:
        """The job's events, in order."""
        found = [
            json.loads(path.read_text(encoding="utf-8")) for path in (self._artifacts / "job_events").glob("*.json")
        ]
        return sorted(found, key=lambda event: int(event["counter"]))

    def stats(self) -> dict[str, t.Any]:
        """What the job published with set_stats, as AWX reads it for a workflow's next node."""
        ends = [event for event in self.events() if event["event"] == "playbook_on_stats"]
        return t.cast("dict[str, t.Any]", ends[-1]["event_data"]["artifact_data"])

    def texts(self) -> dict[str, str]:
        """All that the job left, by file; what it was given is not a part of it."""
        files = [path for path in self._artifacts.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_text(errors="replace") for path in files}


def job(
    world: World, folder: Path, hosts: t.Mapping[str, t.Any], extra: t.Mapping[str, t.Any], *, verbosity: int = 0
) -> Job:
    """Lay a private data directory out as AWX does, and start the job.

    ``extra`` are the job's extra variables: survey answers. AWX's credentials come as environment variables.
    """
    _command, _cwd, env = world.command()
    own = {name: value for name, value in env.items() if name.startswith(_JOBS)}
    own |= {"CMK_REPORT_DIR": str(folder / "reports")}
    del own["ANSIBLE_INVENTORY"]
    for name, content in {
        "inventory/hosts.json": {"all": {"hosts": dict(hosts)}},
        "env/extravars": dict(extra),
        "env/envvars": own,
        "env/settings": {"suppress_env_files": False},
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    (folder / "project").mkdir()
    command = [str(Path(sys.executable).parent / "ansible-runner"), "run", str(folder), "--playbook", PLAYBOOK]
    process = subprocess.Popen(
        [*command, *([f"-{'v' * verbosity}"] if verbosity else [])],
        env={name: value for name, value in env.items() if name not in own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Job(folder, process)
