"""docs/runbook.md and docs/runbook_screens.md show what their commands print."""

from __future__ import annotations

import re

import pytest

from tests.playbooks.conftest import World
from tests.tools.runbook import (
    DESK,
    PAGE,
    SCREENS,
    SITUATIONS,
    Situation,
    anchor,
    kept_sections,
    masked,
    page,
    screens_page,
    section,
    usual,
)
from tests.tools.standins import ROOT

AGAIN = "The page is out of step: run make docs, and read what it changed."


@pytest.mark.parametrize(
    "situation",
    [pytest.param(one, id=one.title, marks=[] if one.usual else [pytest.mark.slow]) for one in SITUATIONS],
)
def test_the_page_shows_what_the_commands_print(world: World, situation: Situation) -> None:
    world.variables = usual()
    for made, path in zip(section(world, situation), (PAGE, SCREENS), strict=True):
        assert masked(made) == masked(kept_sections(path)[situation.title]), AGAIN


def test_the_page_has_every_situation_and_no_other() -> None:
    titles = [situation.title for situation in SITUATIONS]
    for path, put_together in ((PAGE, page), (SCREENS, screens_page)):
        kept = kept_sections(path)
        assert list(kept) == titles
        assert path.read_text(encoding="utf-8") == put_together(kept.values()), AGAIN


def test_the_ticket_of_the_page_is_that_of_the_tests(world: World) -> None:
    assert world.desk.control("GET", "/tickets/CMK-1")["key"] == DESK["tickets"][0]["key"]


def test_what_is_linked_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    anchors = {anchor(title) for title in re.findall(r"(?m)^## (.*)$", text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    for path in re.findall(r"\]\(([^#)]+)(?:#[^)]*)?\)", text):
        assert (ROOT / "docs" / path).exists(), path


def test_what_differs_is_hidden_and_nothing_else() -> None:
    one = "at 2026-11-25T03:00:01Z after 0.2 s\n  cmk-restore/acme/33f645bd1b83, comment 20001"
    other = "at 2026-11-26T04:10:59Z after 1.0 s cmk-restore/acme/0123456789ab,\n comment 7"
    assert masked(one) == masked(other)
    assert masked("59 s ago") == masked("1 min ago") == masked("1 min 1 s ago")
    assert masked("(9 days 23 h left)") == masked("(10 days 0 h left)")
    assert masked("acme/20261128T030000Z-restore/") == masked("acme/20261128T030000Z-restore-2/")
    assert masked("us-east-1: Disabled -> Enabled") != masked("us-east-1: Enabled, as it was")


def test_it_can_be_read_in_an_emergency() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(text.split()) <= 1500
    assert text.index("| symptom | cause | fix |") < 200


def test_each_fix_of_the_table_is_a_part_of_a_page() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= len(SITUATIONS) - 1
    assert [row for row in rows if not re.search(r"\]\((#|\w+\.md)", row)] == []
