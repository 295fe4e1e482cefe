"""When a person is asked for the code of an MFA device, and what is taken for one."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import settings

NEEDED = refusal("mfa_code_needed", profile="operator", device="GAHT12345678")


class Terminal:
    """The display, with somebody who types, or nobody."""

    def __init__(self, typed: bytes | None) -> None:
        self.typed = typed
        self.prompts: list[tuple[str, bool]] = []

    def prompt_until(self, prompt: str, *, private: bool) -> bytes:
        self.prompts.append((prompt, private))
        if self.typed is None:
            raise AnsibleError("stdin is not interactive")
        return self.typed


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal(b"473920\n")
    monkeypatch.setattr(settings, "Display", lambda: made)
    return made


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profiles that were asked about; each needs a code."""
    profiles: list[str] = []

    def find_missing_code(profile: str) -> Refusal:
        profiles.append(profile)
        return NEEDED

    monkeypatch.setattr(settings, "find_missing_code", find_missing_code)
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    return profiles


def test_the_prompt_names_profile_and_device_and_shows_no_code(asked: list[str], terminal: Terminal) -> None:
    assert (settings.ask_for_code("operator"), asked) == ("473920", ["operator"])
    ((prompt, private),) = terminal.prompts
    assert private
    assert "AWS profile operator" in prompt
    assert "GAHT12345678" in prompt


def test_nobody_is_asked_without_a_terminal(terminal: Terminal) -> None:
    terminal.typed = None
    assert settings.ask_for_code("operator") == ""


def test_nobody_is_asked_without_need(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "find_missing_code", lambda _profile: None)
    assert (settings.ask_for_code("operator"), terminal.prompts) == ("", [])


def test_what_cannot_be_read_is_for_the_plan_to_explain(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_profile: str) -> None:
        raise RefusedError(NEEDED)

    monkeypatch.setattr(settings, "find_missing_code", refuse)
    assert (settings.ask_for_code("operator"), terminal.prompts) == ("", [])


def test_a_job_has_a_terminal_at_which_nobody_sits(
    asked: list[str], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner/artifacts/1")
    assert (settings.ask_for_code("operator"), asked, terminal.prompts) == ("", [], [])


@pytest.mark.parametrize(
    ("code", "tried"),
    [("473920", "473920"), (" 047392\n", "047392"), (47392, "047392")],
    ids=["text", "line", "number"],
)
def test_codes(monkeypatch: pytest.MonkeyPatch, code: object, tried: str) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(settings, "log_in", lambda *args: given.append(args))
    assert settings.try_code("operator", "us-east-1", code) == ""
    assert given == [("operator", "us-east-1", tried)]


@pytest.mark.parametrize(
    "code", ["47392", "4739201", "47392a", "my password", "\u0664\u0667\u0663\u0669\u0662\u0660", 1234567]
)
def test_what_is_no_code_is_neither_sent_nor_shown(monkeypatch: pytest.MonkeyPatch, code: object) -> None:
    monkeypatch.setattr(settings, "log_in", lambda *_args: pytest.fail("it was sent"))
    problem = settings.try_code("operator", "us-east-1", code)
    assert "has 6 digits" in problem
    assert str(code) not in problem


def test_a_refusal_is_a_problem_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: str) -> None:
        raise RefusedError(NEEDED)

    monkeypatch.setattr(settings, "log_in", refuse)
    assert settings.try_code("operator", "us-east-1", "473920") == str(NEEDED)
