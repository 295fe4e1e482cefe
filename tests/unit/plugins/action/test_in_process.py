"""Modules in Ansible's own process: the same result as in a process of their own, and only where that is the same."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.keyops.atlassian_cmk.plugins.action import (
    byok_trust_statement,
    kms_key_revocation_info,
    kms_key_state,
    kms_key_use_info,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state as key_state_module
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _in_process
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import NotHereError, run_here
from tests.unit.plugins.conversation import ALIAS, KEY_ID, REGION, Fault, Talk

NAME = "keyops.atlassian_cmk.kms_key_state"


def run_key_state(*, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
    return run_here(kms_key_state.ActionModule.module, NAME, {"region": REGION, **args}, check_mode=check, diff=diff)


ENABLES: list[tuple[Any, ...]] = [
    ("DescribeKey", ALIAS, "Disabled"),
    ("EnableKey", KEY_ID),
    *[("DescribeKey", KEY_ID, "Enabled")] * 3,
]


@pytest.mark.parametrize(
    ("args", "calls"),
    [
        ({"key_id": ALIAS}, [("DescribeKey", ALIAS, "Enabled")]),
        ({"key_id": ALIAS}, ENABLES),
        ({"key_id": ALIAS, "check": True}, ENABLES[:1]),
        ({"key_id": ALIAS, "diff": True, "check": True}, ENABLES[:1]),
        ({"key_id": ALIAS}, [("DescribeKey", ALIAS, "PendingImport")]),
        ({"key_id": ALIAS}, [("DescribeKey", ALIAS, Fault("AccessDeniedException"))]),
        ({}, []),
        ({"key_id": ALIAS, "wait": "perhaps"}, []),
        ({"key_id": ALIAS, "nonsense": 1}, []),
        ({"keys": [{"key_id": ALIAS}]}, ENABLES),
        ({"keys": [{"key_id": ALIAS}]}, [("DescribeKey", ALIAS, "Unavailable")]),
        ({"keys": []}, []),
    ],
)
def test_the_result_is_that_of_a_process(talk: Talk, args: dict[str, Any], calls: list[tuple[Any, ...]]) -> None:
    talk.kms(*calls)
    own = talk.run(key_state_module, _ansible_module_name=NAME, **args)
    talk.kms(*calls)
    here = run_key_state(**args)
    assert int(bool(here.get("failed"))) == own.code
    for result in (own.result, here):
        result.pop("invocation", None)
        result.pop("deprecations", None)  # which the talk leaves out
        for one in [result, *result.get("keys", [])]:
            for call in one.get("calls", []):
                call.pop("at")
    assert {**own.result, "changed": own.result.get("changed", False)} == here


def test_secrets_are_masked_as_in_a_process() -> None:
    secret = "Secret-7f3a9c1e5b8d"

    class Leaks:
        SPEC = ArgumentSpec({})

        def run(self, params: dict[str, Any], check_mode: bool, diff: bool) -> dict[str, Any]:
            return {"failed": True, "msg": f"AWS says {params['secret_key']} is wrong", "said": [params["secret_key"]]}

    result = run_here(Leaks(), NAME, {"access_key": "AKIA", "aws_secret_key": secret}, check_mode=False, diff=False)
    assert result["failed"] is True
    assert secret not in str(result)


def test_secrets_are_masked_in_what_is_wrong_with_the_options() -> None:
    secret = "Secret-7f3a9c1e5b8d"
    result = run_key_state(key_id=ALIAS, secret_key=secret, state=secret)
    assert result["failed"] is True
    assert secret not in str(result)


def test_what_is_logged_of_botocore_needs_a_process_of_its_own() -> None:
    with pytest.raises(NotHereError):
        run_key_state(key_id=ALIAS, debug_botocore_endpoint_logs=True)


ACTIONS = [byok_trust_statement, kms_key_state, kms_key_revocation_info, kms_key_use_info]


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
    monkeypatch.setattr(_in_process, "run_here", lambda *_args, **_more: {"where": "here"})
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
    module = importlib.import_module(plugin.__name__.replace(".action.", ".modules."))
    assert plugin.ActionModule.module.run is module.run
