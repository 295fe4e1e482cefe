"""EXAMPLES are run as users run them: as tasks of a play."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]


def run_examples(examples: str, folder: Path, **environment: str) -> list[dict[str, Any]]:
    """Run tasks (YAML) on localhost; return the result of each, and fail unless all succeed."""
    play = {"hosts": "localhost", "gather_facts": False, "tasks": yaml.safe_load(examples)}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    book = folder / "examples.yml"
    book.write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    run = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "--inventory", "localhost,", "--connection", "local", book],
        env=kept
        | {"ANSIBLE_HOME": str(folder / "ansible"), "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
        | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return [task["hosts"]["localhost"] for task in json.loads(run.stdout)["plays"][0]["tasks"]]
