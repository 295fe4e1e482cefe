"""The examples of the Markdown pages, run in their order against the emulators."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import World, run_to_end
from tests.tools.documents import Block, blocks, pages
from tests.tools.standins import ROOT

# A desk that takes no comments is the usual case, and that of the README.
SETTINGS: t.Final = {"CMK_SUPPORT_URL": "", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}


def script(page: str) -> list[Block]:
    """The blocks of a page that are run here."""
    found = [block for block in blocks(page) if not block.elsewhere and block.language in ("shell", "yaml")]
    runs = any("ansible-playbook" in block.text or (block.language == "yaml" and not block.path) for block in found)
    return found if runs else []


PAGES: t.Final = [page for page in pages() if script(page)]


def test_the_readme_is_among_them() -> None:
    assert {"README.md", "roles/cmk/README.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of(world: World, page: str) -> None:
    world.keys("Disabled", "Disabled")
    folder, lines = world.folder / "checkout", []
    shutil.copytree(ROOT / "playbooks", folder / "playbooks")
    _command, _cwd, env = world.command()
    for number, block in enumerate(script(page)):
        if block.language == "yaml":
            path = folder / (block.path or f"example-{number}.yml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            lines += [] if block.path else [f"ansible-playbook {path}"]
        else:
            lines += [command for command in block.commands if not command.startswith("make ")]
    ran = run_to_end(["bash", "-euxc", "\n".join(lines)], folder, {**env, **SETTINGS})
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]
    kept = [
        json.loads(path.read_text(encoding="utf-8")) for path in Path(world.folder).glob("reports/acme/*/restore.json")
    ]
    assert kept, "no restore was run"
    assert "Traceback" not in ran.output
