# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who runs the collection, where, and with which versions."""

from __future__ import annotations

import getpass
import importlib
import importlib.metadata
import json
import os
import platform
import typing as t
from pathlib import Path

import yaml
from ansible.release import __version__ as ansible_core

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run


def find_surroundings(run: Run) -> dict[str, t.Any]:
    """Return ``collection_version``, ``versions`` and ``controller``, as the evidence takes them."""
    return {
        "collection_version": collection_version(),
        "versions": {
            "ansible_core": ansible_core,
            "amazon_aws": collection_version("amazon.aws"),
            "boto3": _package_version("boto3"),
            "botocore": _package_version("botocore"),
        },
        "controller": {"user": run.user or _user(), "host": platform.node(), **run.awx},
    }


def _user() -> str:
    """Return the user's name, by the environment or else the password database; in a container, an id may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user id {os.getuid()}"


def collection_version(name: str = "keyops.atlassian_cmk") -> str:
    """Return the version of a collection, installed or in a checkout; empty if it does not tell."""
    try:
        root = Path(importlib.import_module(f"ansible_collections.{name}").__path__[0])
        if (root / "MANIFEST.json").exists():
            found = json.loads((root / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
        else:
            found = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))
        return str(found["version"])
    except (ImportError, OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def _package_version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
