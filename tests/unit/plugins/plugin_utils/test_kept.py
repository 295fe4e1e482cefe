"""Memory that the processes of a run share."""

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _kept
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._kept import Kept


def test_what_a_child_keeps_its_sibling_finds() -> None:
    kept = Kept()
    for name in ("acme", "bolt"):
        child = os.fork()
        if not child:
            kept.put(name, f"of {name}\nschlüssel")
            os._exit(0)
        os.waitpid(child, 0)
    assert (kept.get("acme"), kept.get("bolt"), kept.get("core")) == ("of acme\nschlüssel", "of bolt\nschlüssel", None)


def test_the_newest_counts() -> None:
    kept = Kept()
    kept.put("acme", "old")
    kept.put("acme", "new")
    assert kept.get("acme") == "new"


def test_what_has_no_room_is_not_kept() -> None:
    kept = Kept(64)
    kept.put("acme", "x" * 20)
    kept.put("bolt", "x" * 20)
    assert (kept.get("acme"), kept.get("bolt")) == ("x" * 20, None)


def test_a_killed_process_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_kept, "_PATIENCE", 0.05)
    kept = Kept()
    kept.put("acme", "known")
    child = os.fork()
    if not child:
        with kept._in_turn():
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    kept.put("bolt", "lost")
    assert kept.get("acme") is None
