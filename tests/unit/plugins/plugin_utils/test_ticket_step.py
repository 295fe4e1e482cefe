"""What is done with the ticket: nothing is posted unless it could be read, tells of nothing, and takes the comment."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import ticket_step

FIT = {"error": ""}
UNFIT = {"error": "The ticket is closed."}


@pytest.mark.parametrize(
    ("ok", "announced", "comment", "check_mode", "step"),
    [
        (True, [], FIT, False, "comment"),
        (True, [], FIT, True, "would_post"),
        (True, [], UNFIT, False, "unfit"),
        (True, [], UNFIT, True, "unfit"),
        # Neither is the comment written then.
        (True, [{"told": True}], {}, False, "announced"),
        (True, [{"told": True}], {}, True, "announced"),
        (False, [], {}, False, "unread"),
        (False, [], {}, True, "unread"),
    ],
)
def test_of_each_situation(
    ok: bool, announced: list[Any], comment: dict[str, str], check_mode: bool, step: str
) -> None:
    assert ticket_step({"ok": ok}, announced, comment, check_mode) == step
