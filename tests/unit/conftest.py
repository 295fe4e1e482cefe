"""The AWS stand-in for all unit tests: moto's state is global, so one runs at a time and is put back before each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.standins.aws import AwsStandin
from tests.standins.aws.clients import client


@pytest.fixture(scope="module")
def running() -> Iterator[AwsStandin]:
    with AwsStandin() as standin:
        yield standin


@pytest.fixture
def aws(running: AwsStandin) -> AwsStandin:
    running.control("POST", "reset")
    return running


@pytest.fixture
def kms(aws: AwsStandin) -> Any:
    return client(aws)
