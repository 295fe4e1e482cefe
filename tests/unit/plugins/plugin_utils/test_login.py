"""When a person is asked for the code of an MFA device, and what is taken for one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleError

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import login
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

NEEDED = refusal("mfa_code_needed", profile="operator", device="GAHT12345678")


class Unreadable(dict[str, Any]):
    def get(self, name: str, default: Any = None) -> Any:
        raise AnsibleError(f"{name} is undefined")


def find(variables: dict[str, Any]) -> dict[str, Any]:
    return login.find_code(Task({"hosts": ["acme"]}, {"hostvars": {"acme": variables}}, None, check_mode=False))


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profiles that were asked about; each needs a code."""
    profiles: list[str] = []

    def find_missing_code(profile: str) -> Refusal:
        profiles.append(profile)
        return NEEDED

    monkeypatch.setattr(login, "find_missing_code", find_missing_code)
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    return profiles


@pytest.mark.parametrize(("variables", "profile"), [({"cmk_aws_profile": " operator\n"}, "operator"), ({}, "")])
def test_the_prompt_names_profile_and_device(asked: list[str], variables: dict[str, Any], profile: str) -> None:
    found = find(variables)
    assert (found["profile"], asked) == (profile, [profile])
    assert "AWS profile operator" in found["prompt"]
    assert "GAHT12345678" in found["prompt"]


def test_a_job_has_a_terminal_at_which_nobody_sits(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner/artifacts/1")
    assert (find({"cmk_aws_profile": "operator"}), asked) == ({"prompt": ""}, [])


def test_what_cannot_be_read_is_for_the_run_to_explain(asked: list[str]) -> None:
    assert (find(Unreadable()), asked) == ({"prompt": ""}, [])


@pytest.mark.parametrize(
    ("code", "tried"),
    [("473920", "473920"), (" 047392\n", "047392"), (47392, "047392")],
    ids=["text", "line", "number"],
)
def test_codes(monkeypatch: pytest.MonkeyPatch, code: object, tried: str) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(login, "log_in", lambda *args: given.append(args))
    assert login.try_code("operator", "us-east-1", code) == ""
    assert given == [("operator", "us-east-1", tried)]


@pytest.mark.parametrize(
    "code", ["47392", "4739201", "47392a", "my password", "\u0664\u0667\u0663\u0669\u0662\u0660", 1234567]
)
def test_what_is_no_code_is_neither_sent_nor_shown(monkeypatch: pytest.MonkeyPatch, code: object) -> None:
    monkeypatch.setattr(login, "log_in", lambda *_args: pytest.fail("it was sent"))
    problem = login.try_code("operator", "us-east-1", code)
    assert "has 6 digits" in problem
    assert str(code) not in problem


def test_a_refusal_is_a_problem_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: str) -> None:
        raise RefusedError(NEEDED)

    monkeypatch.setattr(login, "log_in", refuse)
    assert login.try_code("operator", "us-east-1", "473920") == str(NEEDED)
