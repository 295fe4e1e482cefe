"""The EXAMPLES of the modules run as they stand, in one ansible-playbook process."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.standins.aws import AwsStandin
from tests.standins.desk import Desk
from tests.standins.desk.state import DEFAULT_TOKEN, DEFAULT_USER

from .conversation import ACCOUNT, ALIAS, OTHER_REGION, REGION, ROLE
from .module_utils.test_trust import DENY, policy

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
# In this order: each one finds the keys as the one before has left them.
AWS_MODULES = ["kms_key_state", "byok_trust_statement"]
KEYS = [
    {"region": REGION, "alias": ALIAS, "state": "Disabled"},
    {"region": OTHER_REGION, "alias": ALIAS, "state": "PendingDeletion"},
    *[{"region": "eu-central-1", "alias": f"alias/cryptor-{name}", "state": "Disabled"} for name in ("a", "b")],
]


def examples(kind: str, name: str) -> list[dict[str, Any]]:
    module = importlib.import_module(f"ansible_collections.keyops.atlassian_cmk.plugins.{kind}.{name}")
    tasks = yaml.safe_load(module.EXAMPLES)
    assert isinstance(tasks, list)
    assert tasks
    return tasks


def in_folder(value: Any, folder: Path) -> Any:
    """Move what an example writes from /tmp into the test's own folder."""
    if isinstance(value, dict):
        return {key: in_folder(inner, folder) for key, inner in value.items()}
    return value.replace("/tmp/", f"{folder}/") if isinstance(value, str) else value


@dataclass
class Ran:
    """What the examples did: the results by plugin, what was printed, and the keys as AWS has them at the end."""

    results: dict[str, list[dict[str, Any]]]
    printed: str
    folder: Path
    states: dict[str, str]

    def one(self, name: str) -> dict[str, Any]:
        (result,) = self.results[name]
        return result

    def fact(self, name: str, fact: str) -> Any:
        return self.one(name)["ansible_facts"][fact]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("examples")
    named = [("modules", name) for name in ("step", "report", *AWS_MODULES)]
    tasks, registered = [], []
    for kind, name in named:
        for number, task in enumerate(examples(kind, name)):
            variable = f"ran__{name}__{number}"
            registered.append(variable)
            # Each plugin is judged on its own, so one that fails must not stop the rest.
            tasks.append({**in_folder(task, folder), "register": variable, "ignore_errors": True})
    results = "{{ {" + ", ".join(f"'{variable}': {variable}" for variable in registered) + "} | to_json }}"
    tasks.append({"ansible.builtin.copy": {"content": results, "dest": str(folder / "results.json"), "mode": "0600"}})
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        # The group of meta/runtime.yml reaches both modules; real pauses would only cost time here.
        "module_defaults": {"group/keyops.atlassian_cmk.aws": {"wait_delay": 0.01, "wait_reads": 2}},
        "tasks": tasks,
    }
    (folder / "examples.yml").write_text(yaml.safe_dump([play], sort_keys=False), encoding="utf-8")
    with AwsStandin(state=KEYS) as aws, Desk() as desk:
        aws.control("POST", "iam_roles", {"name": ROLE, "policy": policy(DENY)})
        printed = run_playbook(folder, aws.url, desk.url)
        states = {str(key["Arn"]).split(":")[3]: str(key["KeyState"]) for key in aws.control("GET", "keys")}
    found: dict[str, list[dict[str, Any]]] = {}
    for variable, result in json.loads((folder / "results.json").read_text(encoding="utf-8")).items():
        found.setdefault(variable.split("__")[1], []).append(result)
    return Ran(found, printed, folder, states)


def run_playbook(folder: Path, aws_url: str, desk_url: str) -> str:
    (folder / "ansible.cfg").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "CMK_"))}
    env = kept | {
        "HOME": str(folder),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "AWS_URL": aws_url,
        "AWS_ACCESS_KEY_ID": "AKIASTANDINEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "unit-test-Secret-7f3a9c1e5b8d2064",
        "AWS_EC2_METADATA_DISABLED": "true",
        "CMK_SUPPORT_URL": desk_url,
        "CMK_SUPPORT_USER": DEFAULT_USER,
        "CMK_SUPPORT_TOKEN": DEFAULT_TOKEN,
        "NO_PROXY": "*",
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "examples.yml"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("name", ["step", "report", *AWS_MODULES])
def test_the_examples_of(ran: Ran, name: str) -> None:
    assert ran.results[name]
    for result in ran.results[name]:
        assert result.get("failed", False) is False, result


def test_step(ran: Ran) -> None:
    assert ran.one("step")["text"] == "Hello"
    assert re.search(r"^Hello$", ran.printed, re.MULTILINE)


def test_report(ran: Ran) -> None:
    assert ran.one("report")["result"]["error"] == "No key is given."


class TestAwsModules:
    def test_kms_key_state(self, ran: Ran) -> None:
        single = ran.results["kms_key_state"][:3]
        done = [(one["region"], one["actions"], one["key_state"]) for one in single]
        assert done == [
            (REGION, ["EnableKey"], "Enabled"),
            (OTHER_REGION, ["CancelKeyDeletion", "EnableKey"], "Enabled"),
            (REGION, ["DisableKey"], "Disabled"),
        ]
        assert {one["account_id"] for one in single} == {ACCOUNT}

    def test_kms_key_state_of_several(self, ran: Ran) -> None:
        keys = ran.results["kms_key_state"][3]["keys"]
        assert [(key["region"], key["actions"], key["key_state"]) for key in keys] == [
            (REGION, ["EnableKey"], "Enabled"),
            (OTHER_REGION, [], "Enabled"),
        ]
        found = ran.results["kms_key_state"][4]["keys"]
        assert [key["reference"] for key in found] == ["alias/cryptor-a", "alias/cryptor-b"]
        assert ran.states == dict.fromkeys((REGION, OTHER_REGION, "eu-central-1"), "Enabled")

    def test_byok_trust_statement(self, ran: Ran) -> None:
        assert (ran.one("byok_trust_statement")["effect"], ran.one("byok_trust_statement")["changed"]) == (
            "Allow",
            True,
        )

    def test_the_action_group_reaches_them(self, ran: Ran) -> None:
        # Two reads after each change, where the modules' own default is three.
        *single, several, _all = ran.results["kms_key_state"]
        calls = [one["calls"] for one in (*single, several["keys"][0])]
        assert [[call["operation"] for call in made][-3:] for made in calls] == [
            [change, "DescribeKey", "DescribeKey"] for change in ("EnableKey", "EnableKey", "DisableKey", "EnableKey")
        ]
