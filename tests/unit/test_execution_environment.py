"""The execution environment: ansible-builder takes its definition, and its pins are those that the tests run with."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.tools.standins import ROOT

BUILDER: t.Final = str(Path(sys.executable).parent / "ansible-builder")


@pytest.fixture(scope="module")
def definition() -> dict[str, t.Any]:
    loaded: dict[str, t.Any] = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))
    return loaded


def test_it_becomes_a_build_context(tmp_path: Path, definition: dict[str, t.Any]) -> None:
    text = (ROOT / "execution-environment.yml").read_text(encoding="utf-8")
    (tmp_path / "execution-environment.yml").write_text(text, encoding="utf-8")
    (tmp_path / "dist").mkdir()
    (tarball,) = definition["additional_build_files"]
    (tmp_path / tarball["src"]).write_bytes(b"the collection")
    subprocess.run([BUILDER, "create", "--output-filename", "Containerfile"], cwd=tmp_path, check=True)
    made = (tmp_path / "context/Containerfile").read_text(encoding="utf-8")
    assert f'ARG EE_BASE_IMAGE="{definition["images"]["base_image"]["name"]}"' in made
    assert "ansible-core==" in made
    requirements = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text(encoding="utf-8"))
    (own,) = [one["name"] for one in requirements["collections"] if one.get("type") == "file"]
    assert (tmp_path / "context/_build" / own).read_bytes() == b"the collection"


def test_other_environments_learn_what_the_collection_needs(tmp_path: Path) -> None:
    there = tmp_path / "ansible_collections/keyops"
    there.mkdir(parents=True)
    (there / "atlassian_cmk").symlink_to(ROOT)
    ran = subprocess.run([BUILDER, "introspect", str(tmp_path)], check=True, capture_output=True, text=True)
    found = [line.split("  #")[0] for line in yaml.safe_load(ran.stdout)["python"]]
    assert found == ["boto3>=1.34.0", "botocore>=1.34.0"]


def test_its_pins_are_those_of_the_tests(definition: dict[str, t.Any]) -> None:
    needs = definition["dependencies"]
    pinned = [needs["ansible_core"]["package_pip"], needs["ansible_runner"]["package_pip"], *needs["python"]]
    locked = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    for pin in pinned:
        assert re.search(rf"(?m)^{re.escape(pin)} ", locked), pin


def test_it_holds_this_version_of_the_collection(definition: dict[str, t.Any]) -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    name = f"keyops-atlassian_cmk-{galaxy['version']}.tar.gz"
    assert definition["additional_build_files"] == [{"src": f"dist/{name}", "dest": "galaxy"}]
    assert {"name": f"galaxy/{name}", "type": "file"} in definition["dependencies"]["galaxy"]["collections"]
    minimum = re.findall(r"\d+", galaxy["dependencies"]["amazon.aws"])
    (aws,) = [one for one in definition["dependencies"]["galaxy"]["collections"] if one["name"] == "amazon.aws"]
    assert [int(part) for part in aws["version"].split(".")] >= [int(part) for part in minimum]


def test_the_floors_are_told_once_each_and_agree() -> None:
    fragment = (ROOT / "requirements/floor.in").read_text(encoding="utf-8")
    needs = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(line.replace(">=", "==") in fragment.splitlines() for line in needs)
