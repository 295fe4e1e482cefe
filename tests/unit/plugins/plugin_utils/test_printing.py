"""The role's templates are compiled once, before Ansible forks a process for each task of each organization."""

from __future__ import annotations

import jinja2
import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _printing


def test_nothing_is_left_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    _printing.warm()

    def compiles(*_args: object, **_more: object) -> None:
        pytest.fail("a template was compiled after all")

    monkeypatch.setattr(jinja2.Environment, "compile", compiles)
    for template in sorted(_printing.TEMPLATES.iterdir()):
        _printing._environment().get_template(template.name)
