"""Turns for calls with a small quota, shared by processes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _turns
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._turns import reserve, wait_for_turn

NOW = 1_764_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "turns")


def test_one_after_the_other(path: str) -> None:
    assert [round(reserve(path, 0.2, NOW), 3) for _turn in range(4)] == [0, 0.2, 0.4, 0.6]


def test_time_that_passed_counts(path: str) -> None:
    reserve(path, 0.2, NOW)
    assert reserve(path, 0.2, NOW + 0.15) == pytest.approx(0.05)
    assert reserve(path, 0.2, NOW + 10) == 0


@pytest.mark.parametrize("text", ["", "nonsense", "nan", "inf", "-1", str(NOW + 301), str(NOW - 5)])
def test_what_cannot_be_a_queue_is_none(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="ascii")
    assert reserve(path, 0.2, NOW) == 0
    assert reserve(path, 0.2, NOW) == pytest.approx(0.2)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(_turns, "time", SimpleNamespace(time=lambda: NOW, sleep=waits.append))
    return waits


def test_each_account_region_and_operation_has_its_own(slept: list[float]) -> None:
    for operation, account, region in (
        ("EnableKey", "111122223333", "us-east-1"),
        ("EnableKey", "111122223333", "us-west-2"),
        ("EnableKey", "444455556666", "us-east-1"),
        ("CancelKeyDeletion", "111122223333", "us-east-1"),
        ("DisableKey", "111122223333", "us-east-1"),
        ("EnableKey", "111122223333", "us-east-1"),
        ("DisableKey", "111122223333", "us-east-1"),
    ):
        wait_for_turn(operation, account, region)
    assert slept == [0, 0, 0, 0, 0, pytest.approx(0.25), pytest.approx(0.25)]


def test_calls_without_a_small_quota_do_not_wait(slept: list[float]) -> None:
    wait_for_turn("DescribeKey", "111122223333", "us-east-1")
    assert slept == []


def test_turns_that_cannot_be_shared_are_no_obstacle(
    slept: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    wait_for_turn("EnableKey", "111122223333", "us-east-1")
    assert slept == []
