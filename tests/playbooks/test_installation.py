"""The commands of README and docs/getting_started.md that install the collection, without asking Galaxy or a network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.tools.documents import blocks
from tests.tools.standins import ROOT

BIN: t.Final = Path(sys.executable).parent
PAGES: t.Final = ("README.md", "docs/getting_started.md")
VERSION: t.Final = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]


def installs(page: str) -> list[str]:
    """Return the commands of a page that install the collection."""
    lines = [line for block in blocks(page) if block.language == "shell" for line in block.commands]
    return [line for line in lines if line.startswith("ansible-galaxy collection install")]


def galaxy(folder: Path, *arguments: str) -> None:
    """Run ansible-galaxy in a folder that is its home as well; it may ask no server."""
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder), "ANSIBLE_COLLECTIONS_PATH": str(folder / "installed")}
    command = ["ansible-galaxy", "collection", *arguments]
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def install(folder: Path, command: str) -> str:
    """Run a page's command, without its dependencies and without a server; return the version that is installed."""
    arguments = command.split()[2:]
    galaxy(folder, *arguments, "--force", "--offline", "--no-deps", "--collections-path", str(folder / "installed"))
    manifest = folder / "installed/ansible_collections/keyops/atlassian_cmk/MANIFEST.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_the_three_sources(page: str) -> None:
    names = [re.sub(r"[/-]", " ", command.split()[3]) for command in installs(page)]
    assert [name.split()[0] for name in names] == ["keyops.atlassian_cmk", ".", "git+https:"]


@pytest.mark.parametrize("page", PAGES)
def test_from_the_tarball(page: str, tmp_path: Path) -> None:
    command = installs(page)[1]
    subprocess.run(
        [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    assert install(tmp_path, command) == VERSION


@pytest.mark.parametrize("page", PAGES)
def test_from_git(page: str, tmp_path: Path) -> None:
    cloned = subprocess.run(
        ["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(tmp_path / "repository")],
        capture_output=True,
        check=False,
    )
    if cloned.returncode:
        pytest.skip("this is no git checkout")
    home = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    command = installs(page)[2].replace(f"git+{home}.git", f"git+file://{tmp_path}/repository")
    assert home not in command
    assert install(tmp_path, command) == VERSION


@pytest.mark.parametrize("page", PAGES)
def test_the_requirements_file_names_this_collection(page: str) -> None:
    (text,) = [block.text for block in blocks(page) if block.path == "requirements.yml"]
    assert f"ansible-galaxy collection install -r {'requirements.yml'}" in (ROOT / page).read_text(encoding="utf-8")
    (entry,) = yaml.safe_load(text)["collections"]
    galaxy_yml = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert entry == {
        "name": f"{galaxy_yml['namespace']}.{galaxy_yml['name']}",
        "version": f">={galaxy_yml['version'].split('.')[0]}.0.0",
    }
