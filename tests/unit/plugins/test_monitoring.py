"""The metrics file: what a run changes in it, what it keeps, and that Prometheus can read it. The examples of monitoring."""

from __future__ import annotations

import configparser
import itertools
import re
import shlex
import shutil
import subprocess
import typing as t

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import ASSESS, COMMANDS, RESTORE, VERIFY
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.metrics import (
    METRICS,
    PREFIX,
    update_metrics,
)
from tests.tools.standins import ROOT

ENDED: t.Final = "2026-11-24T03:00:11Z"
DEADLINE: t.Final = "2026-12-04T17:39:00Z"
AT, UNTIL = 1795489211, 1796405940
# Everything that earlier runs may have left.
BEFORE: t.Final = {"deadline_timestamp_seconds": 7, "notified": 1, "keys_named": 7, "keys_usable": 7,
                   "last_rehearsal_timestamp_seconds": 7, "last_proof_timestamp_seconds": 7}  # fmt: skip


def result(status: str, *, keys: str = "ee", told: bool = False, **more: t.Any) -> dict[str, t.Any]:
    """Keys: e is enabled, d disabled, r enabled by this run, p to be enabled, x cannot be used, ? not read."""
    states = {"e": ("Enabled", "Enabled", ""), "d": ("Disabled", "Disabled", "no"), "r": ("Disabled", "Enabled", ""),
              "p": ("Disabled", "Enabled", ""), "x": ("Enabled", "Enabled", "no"), "?": (None, None, "no")}  # fmt: skip
    return {
        "org": more.get("org", "acme"),
        "status": status,
        "keys": [dict(zip(("state_before", "state_after", "error"), states[key], strict=True)) for key in keys],
        "ticket": {"told": told, "error": more.get("desk", "")},
        "window": {"deadline": DEADLINE if more.get("lost", True) else None},
        "finished_at": ENDED,
    }


def samples(text: str) -> dict[tuple[str, ...], float]:
    """What Prometheus reads: the name without its prefix and the labels' values, and the value."""
    families = list(text_string_to_metric_families(text))
    assert all(family.type == "gauge" and family.documentation for family in families)
    return {
        (sample.name.removeprefix(PREFIX), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def earlier(org: str = "acme") -> str:
    lines = [f'{PREFIX}{name}{{org="{org}"}} {value}\n' for name, value in BEFORE.items()]
    run = f'{{org="{org}",command="restore"'
    return "".join(
        [*lines, f'{PREFIX}last_run_status{run},status="failed"}} 1\n', f"{PREFIX}last_run_success{run}}} 0\n"]
    )


@pytest.mark.parametrize(
    ("command", "given", "changed"),
    [
        ("restore", result("restored", keys="rr", told=True), {"deadline": None, "keys": (2, 2)}),
        ("restore", result("handover_pending", keys="re"), {"deadline": UNTIL, "notified": 0, "keys": (2, 2)}),
        ("restore", result("partial", keys="rd"), {"deadline": UNTIL, "notified": 0, "keys": (2, 1)}),
        ("restore", result("partial", keys="r", desk="down"), {"deadline": UNTIL, "notified": 0, "keys": (1, 1)}),
        ("restore", result("nothing_to_restore", lost=False), {"deadline": None, "notified": None, "keys": (2, 2)}),
        # It ended before it read anything.
        ("restore", result("failed", keys="", lost=False), {}),
        ("assess", result("planned", keys="pp"), {"deadline": UNTIL, "notified": 0, "keys": (2, 0), "rehearsal": AT}),
        ("assess", result("planned", keys="pp", lost=False), {"notified": 0, "keys": (2, 0), "rehearsal": AT}),
        ("assess", result("already_restored", told=True), {"deadline": None, "keys": (2, 2), "rehearsal": AT}),
        (
            "assess",
            result("nothing_to_restore", lost=False),
            {"deadline": None, "notified": None, "keys": (2, 2), "rehearsal": AT},
        ),
        # A key that could not be read, and one of another account.
        ("assess", result("partial", keys="p?", lost=False), {"notified": 0, "keys": (2, 0)}),
        ("assess", result("failed", keys="x", lost=False), {"keys": (1, 0)}),
        ("verify", result("restored", told=True), {"deadline": None, "keys": (2, 2), "proof": AT}),
        # Atlassian is back although no notification is known.
        ("verify", result("restored"), {"deadline": None, "notified": 0, "keys": (2, 2), "proof": AT}),
        ("verify", result("waiting", told=True), {"deadline": None, "keys": (2, 2)}),
        ("verify", result("needs_attention", keys="ed"), {"deadline": UNTIL, "notified": 0, "keys": (2, 1)}),
        ("verify", result("needs_attention", desk="down", lost=False), {"keys": (2, 2)}),
        ("revoke", result("revoked", keys="d"), {"deadline": UNTIL, "notified": None, "keys": (1, 0)}),
        ("revoke", result("already_revoked", keys="d"), {"deadline": UNTIL, "notified": None, "keys": (1, 0)}),
    ],
)
def test_a_run_changes_what_it_has_learned_and_keeps_the_rest(
    command: str, given: dict[str, t.Any], changed: dict[str, t.Any]
) -> None:
    named = {"deadline": "deadline_timestamp_seconds", "rehearsal": "last_rehearsal_timestamp_seconds",
             "proof": "last_proof_timestamp_seconds", "notified": "notified"}  # fmt: skip
    expected: dict[str, int | None] = {**BEFORE, **{named[name]: changed[name] for name in named if name in changed}}
    if "keys" in changed:
        expected["keys_named"], expected["keys_usable"] = changed["keys"]
    found = samples(update_metrics(earlier(), given, COMMANDS[command]))
    assert {key[0]: value for key, value in found.items() if len(key) == 2} == {
        name: value for name, value in expected.items() if value is not None
    }


def test_how_the_last_run_of_each_command_ended() -> None:
    text = update_metrics(earlier(), result("planned", keys="pp"), ASSESS)
    text = update_metrics(text, result("restored", told=True), RESTORE)
    found = samples(text)
    assert {key: value for key, value in found.items() if len(key) > 2} == {
        ("last_run_timestamp_seconds", "acme", "assess"): AT,
        ("last_run_success", "acme", "assess"): 1,
        ("last_run_status", "acme", "assess", "planned"): 1,
        ("last_run_timestamp_seconds", "acme", "restore"): AT,
        ("last_run_success", "acme", "restore"): 1,
        ("last_run_status", "acme", "restore", "restored"): 1,
    }
    failed = samples(update_metrics(text, result("needs_attention"), VERIFY))
    assert failed["last_run_success", "acme", "verify"] == 0
    assert update_metrics(text, result("restored", told=True), RESTORE) == text


def test_other_organizations_keep_theirs_whatever_their_names() -> None:
    names = ["acme", "acme 2", 'a"}c', "back\\slash", "ünï", 'x",command="restore']
    text = ""
    for name in names:
        text = update_metrics(text, result("planned", keys="pp", org=name), ASSESS)
    text = update_metrics(text, result("restored", org="acme", told=True), RESTORE)
    usable = {key[1]: value for key, value in samples(text).items() if key[0] == "keys_usable"}
    assert usable == dict.fromkeys(names, 0) | {"acme": 2}
    assert {key[1] for key in samples(text) if key[0] == "last_run_success"} == set(names)


def test_each_metric_is_declared_once_before_its_samples() -> None:
    text = update_metrics(earlier("other"), result("planned", keys="pp"), ASSESS)
    lines = text.splitlines()
    for name in METRICS:
        places = [number for number, line in enumerate(lines) if re.match(rf"(# \w+ )?{PREFIX}{name}[ {{]", line)]
        assert places == list(range(places[0], places[0] + len(places)))
        assert [line.split()[1] for line in lines[places[0] : places[0] + 2]] == ["HELP", "TYPE"]
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "text",
    ["root:x:0:0::/root:/bin/bash\n", "up 1\n", "# A setting\n", "\n", f'{PREFIX}notified{{org="acme"}} 1 extra\n',
     f"{PREFIX}notified 1\n", f'{PREFIX}notified{{org="ac'],
)  # fmt: skip
def test_a_file_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="something else"):
        update_metrics(text, result("planned"), ASSESS)


def test_names_are_as_prometheus_has_them() -> None:
    """Base units, no type in a name, no total in a gauge."""
    for name, help_text in METRICS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert not name.endswith("_total")
        assert ("_timestamp" in name) is name.endswith("_timestamp_seconds")
        assert "\n" not in help_text
        assert help_text.endswith(".")


EXAMPLES: t.Final = ROOT / "examples/monitoring"
GUIDE: t.Final = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
RULES: t.Final = yaml.safe_load((EXAMPLES / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
REHEARSAL: t.Final = "ansible-playbook keyops.atlassian_cmk.assess_cmk -i inventory -e org=all"


def test_the_guide_has_each_metric_and_each_alert() -> None:
    assert re.findall(rf"(?m)^\| `{PREFIX}(\w+)` \|", GUIDE) == list(METRICS)
    assert re.findall(r"(?m)^\| `(Cmk\w+)` \|", GUIDE) == [rule["alert"] for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_is_a_rule_on_metrics_that_there_are(rule: dict[str, t.Any]) -> None:
    assert {"alert", "expr", "labels", "annotations"} <= set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    words = set(re.findall(r"[a-z_]{2,}", rule["expr"]))
    known = {f"{PREFIX}{name}" for name in METRICS}
    assert words & known
    assert words - known <= {"time", "and", "unless", "on", "org", "absent"}
    depths = list(itertools.accumulate((char == "(") - (char == ")") for char in rule["expr"]))
    assert (min(depths), depths[-1]) == (0, 0)
    assert re.fullmatch(r"[0-9]+[mh]", rule.get("for", "1m"))
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "next"} == set(rule["annotations"])
    # Prometheus's templates, of labels that the expression leaves.
    used = set(re.findall(r"\{\{ (.*?) \}\}", rule["annotations"]["summary"]))
    assert used <= {"$labels.org", "$labels.command", "$value", "$value | humanizeDuration"}


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    # systemd tells upper from lower case.
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(EXAMPLES / name, encoding="utf-8")
    return parser


def test_the_service_and_the_timer() -> None:
    service, timer = unit("cmk-rehearsal.service"), unit("cmk-rehearsal.timer")
    assert shlex.split(service["Service"]["ExecStart"]) == ["/usr/bin/env", *REHEARSAL.split()]
    assert service["Service"]["Type"] == "oneshot"
    assert service["Service"]["User"] != "root"
    assert re.fullmatch(r"Mon \*-\*-\* [0-2][0-9]:[0-5][0-9]:00 UTC", timer["Timer"]["OnCalendar"])
    assert timer["Install"]["WantedBy"] == "timers.target"
    if analyze := shutil.which("systemd-analyze"):
        files = [str(EXAMPLES / f"cmk-rehearsal.{kind}") for kind in ("service", "timer")]
        ran = subprocess.run([analyze, "verify", *files], capture_output=True, text=True, check=False, timeout=60)
        assert (ran.returncode, ran.stderr) == (0, "")


def test_the_cron_line() -> None:
    lines = (EXAMPLES / "cmk-rehearsal.cron").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if not re.match(r"#|\w+=", line)]
    number = r"(?:\*|[0-9]+)"
    fields = re.fullmatch(rf"{number} {number} {number} {number} [0-7] (\S+) cd /etc/cmk && (.+)", line)
    assert fields
    assert fields[1] != "root"
    # cron makes a newline of a percent sign.
    assert "%" not in line
    assert fields[2].split(" && ") == ["set -a", ". ./environment", REHEARSAL]
