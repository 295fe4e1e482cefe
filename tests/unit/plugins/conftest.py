"""What the tests of the plugins share: an environment without AWS settings, a fake clock, scripted conversations."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import hypothesis
import pytest
from ansible.module_utils import basic

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _connection, _credentials


@contextlib.contextmanager
def _patch_module_args(args: dict[str, Any]) -> Iterator[None]:
    with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()):
        yield


# ansible-core before 2.19 has no means of its own to give a module its arguments.
if importlib.util.find_spec("ansible.module_utils.testing") is None:
    _testing = ModuleType("ansible.module_utils.testing")
    _testing.patch_module_args = _patch_module_args  # type: ignore[attr-defined]
    sys.modules[_testing.__name__] = _testing

from .conversation import Clock, Talk  # noqa: E402 - it needs what is above

# Every run tries the same examples: a failure is always seen where it was caused.
# Of a mutant (make mutants), a failure is enough: the smallest example of it is not looked for.
_PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.generate) if "CMK_MUTANT" in os.environ else hypothesis.Phase
hypothesis.settings.register_profile(
    "plugins", deadline=None, database=None, derandomize=True, max_examples=150, phases=tuple(_PHASES)
)
hypothesis.settings.load_profile("plugins")


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide whatever AWS settings this machine has, and make sure that no call can leave it."""
    for name in ("AWS_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    # Not in a folder of each test's own: few need one, and to make thousands takes seconds.
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNITTESTEXAMPLE0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "unit-test-Secret-7f3a9c1e5b8d2064")
    monkeypatch.setenv("NO_PROXY", "*")
    # Nor may one test's assumed role serve another.
    monkeypatch.setattr(_connection, "_assumed", {})
    # The session that was opened when these plugins were imported has read this machine's profiles.
    monkeypatch.setattr(_credentials, "_opened", [])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], clock: Clock) -> Iterator[Talk]:
    with Talk(monkeypatch, capsys, clock) as talking:
        yield talking
