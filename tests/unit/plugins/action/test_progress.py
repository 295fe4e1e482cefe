"""What an operator sees while AWS takes its time."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.action import kms_key_state as action
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _progress
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._progress import Progress, report
from ansible_collections.keyops.atlassian_cmk.plugins.modules import kms_key_state
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._in_process import InProcessAction
from tests.unit.plugins.conversation import ALIAS, KEY_ID, OTHER_REGION, REGION, Talk, metadata

ENABLES: list[tuple[Any, ...]] = [
    ("DescribeKey", ALIAS, "Disabled"),
    ("EnableKey", KEY_ID),
    *[("DescribeKey", KEY_ID, "Enabled")] * 3,
]


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[Progress]:
    listed: list[Progress] = []
    monkeypatch.setattr(_progress, "_reports", [listed.append])
    return listed


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(REGION, "Enabled", sent="EnableKey"), "EnableKey sent, waiting until AWS reports Enabled"),
        (Progress(REGION, "Disabled", sent="DisableKey"), "DisableKey sent, waiting until AWS reports Disabled"),
        (
            Progress(REGION, "Enabled", states=("Disabled",), waited=8.4),
            "Disabled after 8 s, waiting until AWS reports Enabled",
        ),
        (Progress(REGION, "Enabled", waited=8.4), "AWS has not answered for 8 s, retrying"),
    ],
)
def test_lines(progress: Progress, text: str) -> None:
    assert str(progress) == f"{REGION}: {text}"


def test_each_change_is_reported(talk: Talk, reports: list[Progress]) -> None:
    talk.kms(*ENABLES)
    talk.kms(("DescribeKey", ALIAS, "Enabled"), region=OTHER_REGION)
    keys = [{"region": region, "key_id": ALIAS} for region in (REGION, OTHER_REGION)]
    assert talk.run(kms_key_state, keys=keys).ok["changed"] is True
    assert reports == [Progress(REGION, "Enabled", sent="EnableKey")]


def test_check_mode_reports_nothing(talk: Talk, reports: list[Progress]) -> None:
    talk.kms(("DescribeKey", ALIAS, "Disabled"))
    assert talk.run(kms_key_state, check=True, keys=[{"key_id": ALIAS}]).ok["changed"] is True
    assert reports == []


def test_a_region_that_is_waited_for_is_reported_again_and_again(
    talk: Talk, reports: list[Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        """Answers the state before for as long as the wait is reported less than twice."""

        def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
            if KeyId == KEY_ID:
                time.sleep(0.02)
            waits = [one for one in reports if one.states]
            return {"KeyMetadata": metadata("Enabled" if len(waits) >= 2 else "Disabled")}

        def enable_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
            return {}

    monkeypatch.setattr(key_state, "_REPORT_EVERY", 0.1)
    talk.fake(REGION, Slow())
    assert talk.run(kms_key_state, keys=[{"key_id": ALIAS}], wait_delay=0.001, wait_timeout=3600).ok["changed"] is True
    assert reports[0].sent == "EnableKey"
    assert {(one.region, one.states, one.wanted) for one in reports[1:]} == {(REGION, ("Disabled",), "Enabled")}


@pytest.mark.parametrize(("hosts", "lines"), [(["acme"], 2), (["acme", "bolt"], 0), ([], 0)])
def test_lines_are_displayed_for_one_organization_only(
    monkeypatch: pytest.MonkeyPatch, hosts: list[str], lines: int
) -> None:
    displayed: list[str] = []
    sent, waits = Progress(REGION, "Enabled", sent="EnableKey"), Progress(REGION, "Enabled", waited=8)

    def run(_self: Any, _tmp: Any, _task_vars: Any) -> dict[str, Any]:
        for progress in (sent, sent, waits):  # Of two keys of one region, the first one tells.
            report(progress)
        return {}

    monkeypatch.setattr(InProcessAction, "run", run)
    monkeypatch.setattr(action, "show", displayed.append)
    plugin = action.ActionModule.__new__(action.ActionModule)
    plugin.run(None, {"ansible_play_hosts_all": hosts, "inventory_hostname": "acme"})
    assert displayed == [f"acme {sent}", f"acme {waits}"][:lines]
    report(sent)
    assert len(displayed) == lines
