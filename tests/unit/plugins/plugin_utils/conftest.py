"""What the client trusts is read once in a process, and a test is a process of its own to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _client


@pytest.fixture
def nothing_trusted_yet() -> Iterator[None]:
    _client._trust.cache_clear()
    yield
    _client._trust.cache_clear()
