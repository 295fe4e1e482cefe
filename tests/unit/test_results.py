"""docs/results.md and its schema describe ``cmk_result`` as runs publish it."""

from __future__ import annotations

import copy
import json
import re
import typing as t
from dataclasses import asdict

import jsonschema
import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import VERDICTS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import find_window
from tests.playbooks.conftest import Run
from tests.tools import results_doc
from tests.tools.evidence_doc import DOCS
from tests.tools.evidence_runs import RUNS

CHECK: t.Final = jsonschema.Draft202012Validator(results_doc.SCHEMA)
PAGE: t.Final = (DOCS / "results.md").read_text(encoding="utf-8")
FAILS: t.Final = ("partial", "failed", "needs_attention")


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(results_doc.SCHEMA)


def test_the_page_is_in_step_with_schema_and_example() -> None:
    assert results_doc.page() == PAGE, "run python -m tests.tools.results_doc"


def test_the_example_is_a_result() -> None:
    CHECK.validate(results_doc.example())


@pytest.mark.parametrize("name", RUNS)
def test_every_kind_of_run_keeps_to_it(name: str) -> None:
    CHECK.validate(RUNS[name]["result"])


@pytest.mark.parametrize(
    "change",
    [
        lambda result: result.pop("status"),
        lambda result: result.update(status="well"),
        lambda result: result.update(more=""),
        lambda result: result["ticket"].update(told="yes"),
        lambda result: result["keys"][0].pop("arn"),
        lambda result: result["window"].update(more=""),
        lambda result: result.update(revoked_at="3 days ago"),
    ],
)
def test_the_schema_refuses_what_is_no_result(change: t.Callable[[dict[str, t.Any]], object]) -> None:
    result = copy.deepcopy(results_doc.example())
    change(result)
    assert not CHECK.is_valid(result)


def test_the_schema_names_every_field_of_the_window() -> None:
    assert list(results_doc.SCHEMA["properties"]["window"]["properties"]) == list(
        asdict(find_window(None, "2026-11-24T03:00:00Z"))
    )


def _table(playbook: str) -> dict[str, str]:
    """The statuses of a playbook's table, each with its cell on the exit code."""
    section = PAGE.partition(f"### {playbook}\n")[2].partition("\n#")[0]
    rows = re.findall(r"(?m)^\| (`[^|]*`) \| ([^|]*) \|", section)
    return {status.strip("`, "): ends for names, ends in rows for status in re.split(", ", names)}


@pytest.mark.parametrize("playbook", ["restore_cmk", "assess_cmk", "verify_cmk", "revoke_cmk", "drill_cmk"])
def test_each_status_ends_as_the_page_says(playbook: str) -> None:
    table = _table(playbook)
    assert table
    assert {status: ends.startswith("0") for status, ends in table.items()} == {
        status: status in OK_STATUSES for status in table
    }


def test_the_page_has_every_status() -> None:
    known = set(results_doc.SCHEMA["properties"]["status"]["enum"])
    assert set().union(*map(_table, ("restore_cmk", "assess_cmk", "verify_cmk", "revoke_cmk", "drill_cmk"))) == known
    assert known == {*OK_STATUSES, *FAILS}
    assert set(_table("verify_cmk")) == set(VERDICTS)


def test_every_result_that_a_playbook_test_reads_is_validated() -> None:
    def published(result: dict[str, t.Any]) -> Run:
        return Run(0, "CUSTOM STATS:\n\tRUN: " + json.dumps({"cmk_restore": {"acme": result}}))

    assert published(results_doc.example()).result["status"] == "restored"
    with pytest.raises(jsonschema.ValidationError):
        _refused = published({**results_doc.example(), "status": "well"}).result
