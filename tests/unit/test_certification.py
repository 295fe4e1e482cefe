"""What a certification refuses is found before it is asked for."""

from __future__ import annotations

import pytest
import yaml

from tests.tools.certification import SECTIONS, find_problems
from tests.tools.standins import ROOT

README = "".join(f"## {name}\n" for name in SECTIONS) + "[docs](https://example.com/docs) [here](#support)\n"


def test_what_is_complete_passes() -> None:
    assert find_problems(README, ">=2.16.0") == []


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_needed(section: str) -> None:
    assert find_problems(README.replace(f"## {section}\n", ""), ">=2.16.0") == [f"README.md has no section {section}."]


@pytest.mark.parametrize(
    "link", ["[a](docs/a.md)", "![a](docs/a.png)", "[a](../a)", "[a]: docs/a.md", '<img src="docs/a.png">']
)
def test_a_relative_link_is_refused(link: str) -> None:
    (problem,) = find_problems(f"{README}\n{link}\n", ">=2.16.0")
    assert "no full URL" in problem


def test_code_is_no_link() -> None:
    assert find_problems(f"{README}\n```text\n[a](docs/a.md)\n```\n", ">=2.16.0") == []


@pytest.mark.parametrize("floor", [">=2.17.0", ">=2.19.0", ">=3.0.0", "2.16", ""])
def test_a_floor_that_no_platform_carries_is_refused(floor: str) -> None:
    (problem,) = find_problems(README, floor)
    assert "requires_ansible" in problem


def test_links_into_the_repository_lead_somewhere() -> None:
    home = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["homepage"] + "/"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [part.split(")")[0].split("#")[0] for part in text.split(f"]({home}")[1:]]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
