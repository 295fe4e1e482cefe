"""The model notices each rule that is broken on purpose."""

from __future__ import annotations

import typing as t

import pytest

from .breaks import BREAKS, notice

# Breaks that few histories notice; the others are a part of every make test.
RARE: t.Final = (
    "a comment of any age counts",
    "a comment of anybody counts where nothing is known",
    "a damaged journal is none",
    "a quoted line counts",
    "our own revocation is forgotten",
)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in RARE else ()) for name in BREAKS]
)
def test_a_broken_rule_is_noticed(name: str) -> None:
    assert notice(name, 20_000 if name in RARE else 3000)
