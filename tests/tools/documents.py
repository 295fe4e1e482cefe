"""The examples in the Markdown pages: the fenced blocks, and the tests that run them."""

from __future__ import annotations

import re
import textwrap
import typing as t
from dataclasses import dataclass
from pathlib import Path

from tests.tools.standins import ROOT

GALAXY: t.Final = "ansible-galaxy collection install keyops.atlassian_cmk"
# What is no example to be run, and why; or the test that runs it. By page and by a line of the block.
NOT_RUN_HERE: t.Final[dict[tuple[str, str], str]] = {
    ("docs/runbook.md", "*"): "tests/playbooks/test_runbook.py",
    ("docs/runbook_screens.md", "*"): "tests/playbooks/test_runbook.py",
    ("README.md", GALAXY): "tests/playbooks/test_installation.py",
    ("docs/getting_started.md", 'python3 -m pip install "boto3>=1.34.0" "botocore>=1.34.0"'): (
        "asks a package index; the virtual environment of the tests holds both"
    ),
    ("docs/getting_started.md", f"{GALAXY}                              # from Galaxy"): (
        "tests/playbooks/test_installation.py"
    ),
    ("docs/getting_started.md", "*"): "tests/playbooks/test_sandbox.py",
    ("docs/drills.md", "*"): "tests/playbooks/test_sandbox.py",
    ("docs/evidence.md", "cat */SHA256SUMS | sha256sum --check --quiet --strict"): (
        "tests/unit/plugins/plugin_utils/test_chain.py"
    ),
    ("docs/results.md", "*"): "tests/unit/test_results.py",
    ("docs/byok.md", "acme:"): "tests/playbooks/test_byok.py",
    ("docs/mail.md", "acme:"): "tests/playbooks/test_mail.py",
    ("docs/monitoring.md", "*"): "tests/playbooks/test_monitoring.py",
    ("docs/awx.md", "cd extensions/awx"): "tests/playbooks/test_awx.py",
    ("docs/eda.md", "- name: Notify the people on call"): "a task for a chat that is not here",
    ("docs/eda.md", "# watched.yml"): "tests/playbooks/test_eda.py",
    ("docs/eda.md", "export CMK_EDA_TOKEN"): "tests/playbooks/test_eda.py",
    ("docs/execution_environment.md", "ansible-builder build --tag cmk-restore:1.0.0"): (
        "needs a container engine; tests/unit/test_execution_environment.py makes the build context"
    ),
    ("docs/execution_environment.md", "*"): "tests/playbooks/test_embedded.py",
    ("docs/eda.md", "run_job_template:"): "a part of a rulebook, for a controller that is not here",
}
# Of make's targets, those that no `make test` reaches.
RUN_BY_HAND: t.Final = {
    "audit": "asks the network",
    "bench": "takes half an hour",
    "clean": "would remove the virtual environment that runs the tests",
    "demo": "tests/playbooks/test_demo.py",
    "demo-reset": "only removes a folder",
    "docs": "tests/tools/docs.py",
    "faults": "takes eight minutes",
    "histories": "a million histories take hours; make test lives through a thousand",
    "floor": "takes minutes, and its own virtual environment",
    "format": "changes the code",
    "help": "only prints the targets",
    "lock": "asks the network",
    "mutants": "takes ten minutes; tests/unit/test_mutants.py",
    "release": "tests/unit/test_release.py",
    "sandbox": "tests/playbooks/test_sandbox.py",
    "setup": "is what every other target begins with",
    "test": "runs tests, whose parts are the tests",
    "versions": "takes ten minutes or more, and other Pythons",
}
# Languages of what is only shown: output, pictures.
SHOWN: t.Final = ("text", "mermaid")
_FENCE: t.Final = re.compile(r"(?ms)^( *)```(\w*)\n(.*?)^\1```$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def path(self) -> str:
        """The file that the block is, if its first line is a comment that names one."""
        found = re.match(r"# ([\w./-]+\.(?:yml|yaml|ini|cfg|json))\n", self.text)
        return found[1] if found else ""

    @property
    def commands(self) -> list[str]:
        """The commands of a shell block, without comments."""
        joined = self.text.replace("\\\n", " ")
        lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in joined.splitlines()]
        return [line for line in lines if line]

    @property
    def elsewhere(self) -> str:
        """Why it is not run here, or which test runs it; empty if it is run here."""
        found = [
            why
            for (page, line), why in NOT_RUN_HERE.items()
            if page == self.page and (line == "*" or line in self.text.splitlines())
        ]
        return found[0] if found else ""


def pages() -> list[str]:
    """Every Markdown page that users or contributors read."""
    found = [*ROOT.glob("*.md"), *(path for name in ("docs", "roles", "examples", "extensions", "playbooks", ".github")
                                   for path in ROOT.glob(f"{name}/**/*.md"))]  # fmt: skip
    return sorted(str(path.relative_to(ROOT)) for path in found if path.name != "CHANGELOG.md")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    text = Path(ROOT / page).read_text(encoding="utf-8")
    return [Block(page, language, textwrap.dedent(inner)) for _indent, language, inner in _FENCE.findall(text)]


def targets() -> dict[str, list[str]]:
    """The targets of the Makefile, with those that each one runs before."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"(?m)^([a-z-]+): ?([^#=\n]*)(?:##.*)?$", text)
    return {name: [word for word in words.split() if re.fullmatch("[a-z-]+", word)] for name, words in found}
