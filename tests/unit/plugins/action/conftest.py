"""Runs action plugins in this process, as a task would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

RunAction = Callable[..., dict[str, Any]]


@pytest.fixture
def run_action(monkeypatch: pytest.MonkeyPatch) -> RunAction:
    def run(plugin: type, *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        if "run" in args:
            # As the tasks before have registered it.
            known = {"run": args.pop("run"), "keys": args.pop("keys", []), "aws": args.pop("aws", {})}
            monkeypatch.setattr(sys.modules[plugin.__module__], "gather", lambda _task: known)
            args["reads"] = []
        task = SimpleNamespace(args=args, check_mode=check, diff=diff, async_val=0, action=plugin.__module__)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
        action = plugin(task, connection, None, None, None, None)
        # As Ansible's loader sets it; ansible-core 2.16 names the plugin by it in errors.
        action._load_name = plugin.__module__
        result: dict[str, Any] = action.run(task_vars={})
        return result

    return run
