"""``make demo SCENARIO=...`` works."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.demo import REGIONS, SCENARIOS, check, main
from tests.tools.standins import ROOT


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "manual"])
def test_a_scenario_ends_with_both_keys_restored_and_one_comment(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, comments, calls = main(tmp_path, scenario=SCENARIOS[name])
    output = capfd.readouterr().out
    assert code == 0, output
    assert "exit code 2, as expected" in output
    assert {call["region"] for call in calls if call["operation"] == "EnableKey"} == set(REGIONS)
    assert comments.count("cmk-restore/acme/") == 1
    report = output.rpartition("== the report of the last run: ")[2].split("\n")[0]
    assert Path(report).is_file()


def test_a_first_run_that_ends_differently_ends_the_demo(tmp_path: Path) -> None:
    # Nothing fails with these keys, so the first run does not end as the scenario promises.
    code, comments, _calls = main(tmp_path, scenario=SCENARIOS["manual"].__class__("Nothing is wrong.", 2))
    assert (code, comments) == (1, "")


@pytest.mark.parametrize(("codes", "comments"), [((0, 1), 1), ((0, 0), 2), ((0, 0), 0)])
def test_the_check_refuses_a_demo_that_breaks_its_promise(codes: tuple[int, int], comments: int) -> None:
    ends = iter(codes)
    calls = [[{"operation": "EnableKey", "region": region} for region in REGIONS], []]
    with pytest.raises(AssertionError):
        check(lambda _folder: (next(ends), "cmk-restore/acme/1 " * comments, calls.pop(0)))


def test_the_makefile_offers_them() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "tests.tools.demo $(SCENARIO)" in text
    line = next(line for line in text.splitlines() if line.startswith("demo:"))
    assert [name for name in SCENARIOS if name not in line] == []
