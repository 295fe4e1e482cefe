"""Who runs the collection, and with which versions."""

from __future__ import annotations

import getpass
import importlib
import importlib.metadata
import json
import os
import pwd
import sys
import types
from pathlib import Path

import pytest
import yaml
from ansible.release import __version__ as ansible_core

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps import surroundings

ROOT = Path(__file__).resolve().parents[4]
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with cron, systemd and in many containers."""
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)


def user(run: Run) -> str:
    return str(surroundings.find_surroundings(run)["controller"]["user"])


def test_awx_names_who_launched_the_job_and_which_job_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "awx")
    run = Run(user="operator", awx={"job": "71", "workflow_job": "69"})
    controller = surroundings.find_surroundings(run)["controller"]
    assert controller["user"] == "operator"
    assert (controller["job"], controller["workflow_job"]) == ("71", "69")


@pytest.mark.usefixtures("no_names")
def test_the_environment_names_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    assert user(Run()) == "somebody"


@pytest.mark.usefixtures("no_names")
def test_else_the_password_database_does() -> None:
    assert user(Run()) == pwd.getpwuid(os.getuid()).pw_name


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("No username set in the environment")])
def test_a_user_without_a_name_has_an_id(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Before Python 3.13 getpass raises KeyError, since then OSError."""

    def fail() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", fail)
    assert user(Run()) == f"user id {os.getuid()}"


def test_the_versions_are_those_that_run() -> None:
    versions = surroundings.find_surroundings(Run())["versions"]
    assert versions["ansible_core"] == ansible_core
    assert versions["boto3"] == importlib.metadata.version("boto3")
    assert versions["botocore"] == importlib.metadata.version("botocore")
    installed = importlib.import_module("ansible_collections.amazon.aws").__path__[0]
    manifest = json.loads((Path(installed) / "MANIFEST.json").read_text(encoding="utf-8"))
    assert versions["amazon_aws"] == manifest["collection_info"]["version"]


def test_this_collection_names_its_version() -> None:
    version = surroundings.find_surroundings(Run())["collection_version"]
    assert version == yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]


@pytest.mark.parametrize("text", ["", "{", "[]", "version"])
@pytest.mark.parametrize("name", ["MANIFEST.json", "galaxy.yml"])
def test_a_version_that_cannot_be_read_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    damaged = types.ModuleType("damaged")
    damaged.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "ansible_collections.damaged", damaged)
    assert surroundings.collection_version("damaged") == ""


def test_what_is_not_installed_has_no_version() -> None:
    assert surroundings.collection_version("no.such_collection") == ""
    assert surroundings._package_version("no-such-package-of-cmk") == ""
