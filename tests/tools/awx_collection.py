"""Fetch the collection awx.awx for the tests: the folder of it in the package that requirements/awx.txt pins."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import typing as t
import zipfile
from pathlib import Path

from tests.tools.standins import ROOT

PINS: t.Final = ROOT / "requirements/awx.txt"
_CACHE: t.Final = ROOT / ".cache/awx"


def collections_path() -> Path:
    """Return a folder for ANSIBLE_COLLECTIONS_PATH that holds awx.awx; only the first call downloads it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    there = _CACHE / hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    # The workers of pytest share the folder.
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not there.is_dir():
            _fetch(there)
    return there


def _fetch(there: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE) as name:
        folder = Path(name)
        # The package's own minimum of Python does not apply, since nothing of it is installed.
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--python-version", "3.12", "--require-hashes", "-r", str(PINS)]
        subprocess.run([*command, "--dest", str(folder)], check=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            members = [member for member in package.namelist() if member.startswith("ansible_collections/awx/")]
            package.extractall(folder / "out", members)
        shutil.move(folder / "out", there)


if __name__ == "__main__":
    print(collections_path())
