"""Build the collection's reference as HTML in .cache/reference: ``python -m tests.tools.reference``.

Every warning is an error. Nothing is asked of the network: what the pages refer to outside the collection stands in an
inventory of our own, which names it only if it is there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import typing as t
import zlib
from pathlib import Path

import ansible
import ansible_collections

from tests.tools.standins import ROOT

SITE: t.Final = ROOT / ".cache/reference"
COLLECTION: t.Final = "keyops.atlassian_cmk"
_ANSIBLE: t.Final = "https://docs.ansible.com/projects/ansible/latest/"
# Labels of Ansible's own documentation that antsibull-docs refers to, and their pages.
_PAGES: t.Final = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_REFERENCE: t.Final = re.compile(r"<(ansible_collections\.(\w+)\.(\w+)\.(\w+)_module)>")


def main() -> None:
    """Write the pages' sources with antsibull-docs, then the pages with Sphinx."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    SITE.chmod(0o755)
    _run("antsibull-docs", "sphinx-init", "--use-current", "--fail-on-error", "--sphinx-theme", "alabaster",
         "--dest-dir", str(SITE), COLLECTION)  # fmt: skip
    (SITE / "rst").chmod(0o755)
    _run("antsibull-docs", "--config-file", "antsibull-docs.cfg", "collection", "--use-current", "--fail-on-error",
         "--cleanup", "everything", "--dest-dir", "rst", COLLECTION)  # fmt: skip
    outside = {
        found.group(1, 2, 3, 4) for page in SITE.glob("rst/**/*.rst") for found in _REFERENCE.finditer(page.read_text())
    }
    modules = {label: _page(*names) for label, *names in sorted(outside) if _is_there(*names)}
    (SITE / "outside.inv").write_bytes(inventory({**_PAGES, **modules}))
    with (SITE / "conf.py").open("a", encoding="utf-8") as conf:
        conf.write(f"\nintersphinx_mapping = {{'ansible': ({_ANSIBLE!r}, '../outside.inv')}}\n")
    _run("sphinx-build", "-M", "html", "rst", "build", "-c", ".", "-q", "-W", "--keep-going", "-j", "2")
    print(f"{len(list(SITE.glob('build/html/**/*.html')))} pages without a warning: {SITE}/build/html/index.html")


def inventory(pages: t.Mapping[str, str]) -> bytes:
    """Write an inventory of labels (to their pages) as Sphinx reads it, version 2."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: latest\n"
    head += "# The remainder of this file is compressed using zlib.\n"
    lines = [f"{label} std:label -1 {page}#{re.sub(r'[._]', '-', label)} -\n" for label, page in pages.items()]
    return head.encode() + zlib.compress("".join(lines).encode())


def _page(namespace: str, name: str, module: str) -> str:
    return f"collections/{namespace}/{name}/{module}_module.html"


def _is_there(namespace: str, name: str, module: str) -> bool:
    if f"{namespace}.{name}" == "ansible.builtin":
        return (Path(ansible.__path__[0]) / f"modules/{module}.py").is_file()
    folders = [Path(path) / namespace / name for path in ansible_collections.__path__]
    return f"{namespace}.{name}" != COLLECTION and any(
        (one / f"plugins/modules/{module}.py").is_file() for one in folders
    )


def _run(*command: str) -> None:
    # Of the user's own settings none may change the pages.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "CMK_"))}
    bin_ = Path(sys.executable).parent
    env |= {"HOME": str(SITE), "ANSIBLE_HOME": str(SITE / "ansible"), "PATH": f"{bin_}:{os.environ['PATH']}"}
    ran = subprocess.run(
        [str(bin_ / command[0]), *command[1:]],
        cwd=SITE,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode or re.search(r"WARNING|ERROR", ran.stdout):
        sys.exit(f"{ran.stdout}\n{' '.join(command)} ended with {ran.returncode}.")


if __name__ == "__main__":
    print("== reference", flush=True)
    main()
