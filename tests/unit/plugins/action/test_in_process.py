"""Modules in Ansible's own process: the same result as in a process of their own, and only where that is the same."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.keyops.atlassian_cmk.plugins.action import (
    kms_key_revocation_info,
    kms_key_state,
    kms_realm_keys,
)
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state as key_state_module
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_realm_keys as realm_keys_module
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _in_process
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import run_here
from tests.unit.plugins.conversation import ALIAS, KEY_ID, REGION, Fault, Talk

ENABLES: list[tuple[Any, ...]] = [
    ("DescribeKey", ALIAS, "Disabled"),
    ("EnableKey", KEY_ID),
    *[("DescribeKey", KEY_ID, "Enabled")] * 3,
]


@pytest.mark.parametrize(
    ("module", "args", "calls"),
    [
        (key_state_module, {"key_id": ALIAS}, [("DescribeKey", ALIAS, "Enabled")]),
        (key_state_module, {"key_id": ALIAS}, ENABLES),
        (key_state_module, {"key_id": ALIAS, "check": True}, ENABLES[:1]),
        (key_state_module, {"key_id": ALIAS, "diff": True, "check": True}, ENABLES[:1]),
        (key_state_module, {"key_id": ALIAS}, [("DescribeKey", ALIAS, "PendingImport")]),
        (key_state_module, {"key_id": ALIAS}, [("DescribeKey", ALIAS, Fault("AccessDeniedException"))]),
        (key_state_module, {}, []),
        (key_state_module, {"key_id": ALIAS, "wait": "perhaps"}, []),
        (key_state_module, {"key_id": ALIAS, "nonsense": 1}, []),
        (realm_keys_module, {"keys": [{"key_id": ALIAS}]}, ENABLES),
        (realm_keys_module, {"keys": [{"key_id": ALIAS}]}, [("DescribeKey", ALIAS, "Unavailable")]),
        (realm_keys_module, {"keys": []}, []),
    ],
)
def test_the_result_is_that_of_a_process(
    talk: Talk, module: ModuleType, args: dict[str, Any], calls: list[tuple[Any, ...]]
) -> None:
    args = dict(args)
    talk.kms(*calls)
    own = talk.run(module, **args)
    talk.kms(*calls)
    modes = {"_ansible_check_mode": args.pop("check", False), "_ansible_diff": args.pop("diff", False)}
    here = run_here(module.main, {"region": REGION, **modes, **args})
    assert int(bool(here.get("failed"))) == own.code
    for result in (own.result, here):
        result.pop("invocation", None)
        result.pop("deprecations", None)  # which the talk leaves out
        for one in [result, *result.get("keys", [])]:
            for call in one.get("calls", []):
                call.pop("at")
    assert {**own.result, "changed": own.result.get("changed", False)} == here


def test_the_class_of_modules_is_put_back(talk: Talk) -> None:
    before = dict(AnsibleAWSModule.default_settings)
    talk.kms(("DescribeKey", ALIAS, "Enabled"))
    assert run_here(key_state_module.main, {"region": REGION, "key_id": ALIAS})["key_state"] == "Enabled"
    assert before == AnsibleAWSModule.default_settings


def test_secrets_are_masked_as_in_a_process() -> None:
    def main() -> None:
        module = AnsibleAWSModule(argument_spec={})
        module.fail_json(msg="AWS says Secret-7f3a9c1e5b8d is wrong", said=["Secret-7f3a9c1e5b8d"])

    result = run_here(main, {"access_key": "AKIA", "secret_key": "Secret-7f3a9c1e5b8d"})
    assert result["failed"] is True
    assert "Secret-7f3a9c1e5b8d" not in str(result)


def test_a_module_without_a_result_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="without a result"):
        run_here(lambda: None, {})


ACTIONS = [kms_key_state, kms_realm_keys, kms_key_revocation_info]


def action(*, transport: str = "local", interpreter: str | None = sys.executable, **more: Any) -> Any:
    task = SimpleNamespace(
        **{
            "args": {},
            "check_mode": False,
            "diff": False,
            "no_log": False,
            "async_val": 0,
            "delegate_to": None,
            "environment": [],
            "action": "keyops.atlassian_cmk.kms_key_state",
            **{name: value for name, value in more.items() if name != "become"},
        }
    )
    connection = SimpleNamespace(transport=transport, _shell=SimpleNamespace(tmpdir="/nowhere"))
    context = SimpleNamespace(become=more.get("become", False))
    templar = SimpleNamespace(
        template=lambda text: text.replace("{{ ansible_playbook_python }}", sys.executable) if text else text
    )
    return kms_key_state.ActionModule(task, connection, context, None, templar, None), {
        "ansible_python_interpreter": interpreter
    }


@pytest.mark.parametrize(
    ("setting", "here"),
    [
        ({}, True),
        ({"interpreter": "{{ ansible_playbook_python }}"}, True),
        ({"environment": [{}, None]}, True),
        ({"interpreter": "/usr/bin/another-python"}, False),
        ({"interpreter": "auto_silent"}, False),
        ({"interpreter": None}, False),
        ({"transport": "ssh"}, False),
        ({"become": True}, False),
        ({"async_val": 60}, False),
        ({"delegate_to": "localhost"}, False),
        ({"environment": [{"AWS_PROFILE": "other"}]}, False),
    ],
)
def test_here_only_where_it_is_the_same(monkeypatch: pytest.MonkeyPatch, setting: dict[str, Any], here: bool) -> None:
    monkeypatch.setattr(_in_process, "run_here", lambda _main, _args: {"where": "here"})
    monkeypatch.setattr(NormalAction, "run", lambda _self, _tmp, _vars: {"where": "process"})
    plugin, task_vars = action(**setting)
    assert plugin.run(None, task_vars)["where"] == ("here" if here else "process")


def test_without_boto3_the_module_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_in_process, "_HAS_BOTO3", False)
    monkeypatch.setattr(NormalAction, "run", lambda _self, _tmp, _vars: {"where": "process"})
    plugin, task_vars = action()
    assert plugin.run(None, task_vars)["where"] == "process"


@pytest.mark.parametrize("plugin", ACTIONS)
def test_each_runs_its_own_module(plugin: ModuleType) -> None:
    assert plugin.ActionModule.main.__module__.endswith("." + plugin.__name__.rpartition(".")[2])
