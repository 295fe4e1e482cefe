"""What the pages say is there: every example is run by a test, every file, target and test that is named exists."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
import yaml

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import Note, parse_note
from tests.tools.docs import sentences
from tests.tools.documents import NOT_RUN_HERE, RUN_BY_HAND, SHOWN, Block, blocks, pages, targets
from tests.tools.standins import ROOT

BLOCKS = [block for page in pages() for block in blocks(page)]
# In a folder of stand-ins these do what they say, and nothing outside of it.
RUN = ("cd ", "ansible-playbook ", "export ")


def name(block: Block) -> str:
    return f"{block.page}: {block.text.splitlines()[0][:40]}"


def test_there_are_examples() -> None:
    assert {"shell", "yaml", "text", "console"} <= {block.language for block in BLOCKS}
    assert {"README.md", "docs/runbook.md", "roles/cmk/README.md"} <= {block.page for block in BLOCKS}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language not in SHOWN], ids=name)
def test_every_example_is_run(block: Block) -> None:
    hint = "no test runs this example. Let tests/playbooks/test_documents.py run it, or name the test in NOT_RUN_HERE"
    if block.elsewhere:
        return
    if block.language == "shell":
        made = [command for command in block.commands if command.startswith("make ")]
        for target in [word for command in made for word in command.split()[1:] if "=" not in word]:
            assert target in targets(), f"make {target} is no target"
        rest = [command for command in block.commands if command not in made]
        assert all(command.startswith(RUN) for command in rest), f"{rest}: {hint}"
    elif block.language == "yaml":
        # An inventory or settings for the commands of the same page, or a playbook that is run as it stands.
        assert block.path or isinstance(yaml.safe_load(block.text), list), hint
    elif block.language == "json":
        assert json.loads(block.text), hint
    else:
        pytest.fail(f"{block.language or 'a block without language'}: {hint}")


@pytest.mark.parametrize(("page", "line"), NOT_RUN_HERE)
def test_what_is_run_elsewhere_is_still_there(page: str, line: str) -> None:
    found = [block for block in BLOCKS if block.page == page]
    assert found
    assert line == "*" or any(line in block.text.splitlines() for block in found)
    why = NOT_RUN_HERE[page, line]
    assert " " in why or (ROOT / why).is_file(), why


def test_every_target_is_a_part_of_make_test_or_has_a_reason() -> None:
    known = targets()
    reached = {"tests", *known["tests"]}
    assert {"lint", "reference", "playbooks"} <= reached
    assert set(known) - reached == set(RUN_BY_HAND)


@pytest.mark.parametrize("page", pages())
def test_tests_that_are_named_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for path, function in re.findall(r"`((?:tests|extensions)/[\w./-]+)(?:::(\w+))?`", text):
        assert (ROOT / path).exists(), path
        if function:
            assert re.search(rf"(?m)^ *def {function}\b", (ROOT / path).read_text(encoding="utf-8")), function


@pytest.mark.parametrize("page", pages())
def test_links_inside_the_project_lead_somewhere(page: str) -> None:
    text = re.sub(r"(?s)```.*?```", "", (ROOT / page).read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_links_every_page_of_docs() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    docs = [page for page in pages() if page.startswith("docs/")]
    assert [page for page in docs if page not in text] == []


def test_what_code_says_to_people_is_found() -> None:
    source = '''"""Documentation that is no message, with a full stop."""
problems.append(f"cmk_a must be one of {', '.join(names)}, but is {shown(value)}. Set it.")
reason = (
    f"Another run is at work (since {found.get('since')}). "
    "Wait until it has ended."
)
other = "a word", "no full stop at all", f"{seen}."
'''
    assert sentences(source) == [
        "cmk_a must be one of *{names}*, but is *{value}*. Set it.",
        "Another run is at work (since *{since}*). Wait until it has ended.",
    ]


class TestReadme:
    TEXT: t.Final = (ROOT / "README.md").read_text(encoding="utf-8")

    def test_it_has_less_than_a_thousand_words(self) -> None:
        assert len(self.TEXT.split()) < 1000

    def test_its_sections_are_in_the_order_that_a_reader_needs(self) -> None:
        titles = re.findall(r"(?m)^## (.*)$", re.sub(r"(?s)```.*?```", "", self.TEXT))
        assert titles == [
            "Sites are down now?",
            "What it does",
            "Requirements",
            "Installation",
            "Quick start",
            "Included content",
            "Ways of notifying Atlassian",
            "Documentation",
            "Compatibility",
            "Support",
            "Release notes",
            "Security",
            "Contributing",
            "License",
        ]

    def test_its_badges_are_true(self) -> None:
        badges = re.findall(r"!\[(.*?)\]", self.TEXT)
        galaxy = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
        core = galaxy["requires_ansible"].removeprefix(">=").removesuffix(".0")
        assert badges == ["License: GPL-3.0-or-later", f"ansible-core: {core} or newer"]
        assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")

    def test_the_playbooks_of_its_table_are_those_for_operators(self) -> None:
        assert set(re.findall(r"(?m)^\| `(\w+_cmk)` \|", self.TEXT)) == {
            path.stem for path in (ROOT / "playbooks").glob("*_cmk.yml")
        }


@pytest.mark.parametrize("page", pages())
def test_every_example_of_a_notice_is_one_that_is_accepted(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for value in re.findall(r"cmk_ticket_told=[\"']?([^\s`\"'<$]+)", text):
        assert isinstance(parse_note(value, "2026-12-31T00:00:00Z"), Note), value
