"""What Red Hat's partner checks require beyond the importer: ``python -m tests.tools.certification``."""

from __future__ import annotations

import re
import sys
import typing as t

import yaml

from tests.tools.standins import ROOT

SECTIONS: t.Final = ("Requirements", "Installation", "Release notes", "Support", "License")
# The oldest ansible-core that a supported Ansible Automation Platform carries; a newer floor is refused.
PLATFORM: t.Final = (2, 16)
_LINK: t.Final = re.compile(r"\]\(([^)\s]+)\)|(?m:^\[[^\]]+\]:\s*(\S+))|(?:href|src)=\"([^\"]+)\"")


def find_problems(readme: str, requires_ansible: str) -> list[str]:
    """Return what a certification would refuse."""
    text = re.sub(r"(?s)```.*?```", "", readme)
    headings = {heading.strip().lower() for heading in re.findall(r"(?m)^##? (.+)$", text)}
    problems = [f"README.md has no section {name}." for name in SECTIONS if name.lower() not in headings]
    links = ["".join(parts) for parts in _LINK.findall(text)]
    problems += [f"README.md has a link that is no full URL: {link}" for link in links if not _is_full(link)]
    floor = re.fullmatch(r">=(\d+)\.(\d+)\.\d+", requires_ansible)
    if floor is None or (int(floor[1]), int(floor[2])) > PLATFORM:
        wanted = ".".join(map(str, PLATFORM))
        problems.append(f"requires_ansible is {requires_ansible!r}, and must begin at {wanted} or before.")
    return problems


def _is_full(link: str) -> bool:
    return link.startswith(("https://", "http://", "#"))


def main() -> None:
    """Check this checkout."""
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    if problems := find_problems(readme, runtime["requires_ansible"]):
        sys.exit("\n".join(problems))
    print("README.md and requires_ansible are as a certification asks")


if __name__ == "__main__":
    main()
