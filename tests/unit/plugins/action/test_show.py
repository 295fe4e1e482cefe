"""The step show: text for people as it is, and nothing at all where a machine reads the output."""

from __future__ import annotations

from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.step import ActionModule

from .conftest import RunAction

TEXT = 'acme: RESTORED\n  us-east-1: "Disabled" -> Enabled\t100 %\n  {{ not a template }} ä 鍵\n'


@pytest.mark.parametrize("callback", ["default", "yaml", "ansible.builtin.default", "awx_display", "minimal"])
def test_text_is_printed_as_it_is(
    run_action: RunAction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], callback: str
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    result = run_action(ActionModule, do="show", text=TEXT)
    assert result == {"changed": False, "text": TEXT.rstrip("\n")}
    assert capsys.readouterr().out == TEXT


def test_nothing_acts_on_the_terminal(
    run_action: RunAction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", "default")
    result = run_action(ActionModule, do="show", text="a\x1b[2J\u202eb\x9bc\td\n")
    assert result["text"] == "a [2J b c\td"
    assert capsys.readouterr().out == "a [2J b c\td\n"


@pytest.mark.parametrize("callback", ["json", "jsonl", "ansible.posix.json", "ansible.posix.jsonl"])
def test_nothing_is_printed_where_a_machine_reads(
    run_action: RunAction, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], callback: str
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    assert run_action(ActionModule, do="show", text=TEXT)["text"] == TEXT.rstrip("\n")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.parametrize(
    ("args", "color"),
    [
        ({}, None),
        ({"warn": False}, None),
        ({"warn": "yes"}, constants.COLOR_WARN),
        ({"warn": True}, constants.COLOR_WARN),
    ],
    ids=str,
)
def test_the_colour_of_warnings(
    run_action: RunAction, monkeypatch: pytest.MonkeyPatch, args: dict[str, Any], color: str | None
) -> None:
    shown: list[tuple[str, str | None]] = []

    def display(_self: Any, text: str, color: str | None, newline: bool) -> None:
        shown.append((text, color))

    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", "default")
    monkeypatch.setattr(Display, "display", display)
    run_action(ActionModule, do="show", text="hello\n", **args)
    assert shown == [("hello", color)]


def test_check_mode_shows_it_too(run_action: RunAction, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_action(ActionModule, check=True, do="show", text="hello")["changed"] is False
    assert capsys.readouterr().out == "hello\n"


def test_a_step_is_needed(run_action: RunAction) -> None:
    with pytest.raises(AnsibleActionFail, match="do"):
        run_action(ActionModule)
