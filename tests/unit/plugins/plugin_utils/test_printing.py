"""The role's templates are compiled once, before Ansible forks a process for each task of each organization."""

from __future__ import annotations

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _printing

EVIL = "a\x1b[2J\nacme: RESTORED\u202e"


class TestTextOfOthers:
    """Templates of the role that are replaced for the test, printed as the role prints its own."""

    @staticmethod
    def fill(name: str, source: str) -> str:
        environment = _printing._environment(is_text=_printing._is_text(name))
        return environment.from_string(source).render(evil=EVIL, number=3, nothing=None)

    @pytest.mark.parametrize("source", ["{{ evil }}", "{{ evil ~ '' }}", "{{ [evil] | join(', ') }}"])
    def test_in_a_text_it_stays_on_its_line(self, source: str) -> None:
        assert self.fill("plan.txt.j2", f"x\n  {source}\n") == "x\n  a [2J acme: RESTORED "

    def test_a_text_of_lines_is_marked(self) -> None:
        assert self.fill("plan.txt.j2", "{{ evil | lines }}.") == "a [2J\nacme: RESTORED ."

    def test_pages_keep_lines_and_lose_controls(self) -> None:
        assert self.fill("report.md.j2", "{{ evil }}.") == "a [2J\nacme: RESTORED ."

    @pytest.mark.parametrize("name", ["plan.txt.j2", "report.md.j2"])
    def test_what_is_no_text(self, name: str) -> None:
        assert self.fill(name, "{{ number }} {{ nothing }}") == "3 None"
