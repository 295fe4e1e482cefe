"""The scheduled rehearsal of the examples, and the metrics that it writes."""

from __future__ import annotations

import json
import stat
import typing as t

from prometheus_client.parser import text_string_to_metric_families

from tests.playbooks.conftest import World, run_to_end
from tests.tools.standins import ROOT

EXAMPLES: t.Final = ROOT / "examples/monitoring"


def test_the_rehearsal_of_the_cron_line_writes_metrics(world: World) -> None:
    """Two organizations share a file. A third has one that cannot be written, which costs a line and nothing else."""
    world.keys("Disabled", "Enabled")
    world.lose()
    _command, _cwd, env = world.command()
    folder, metrics = world.folder / "etc", world.folder / "textfile/cmk.prom"
    for name in ("etc/inventory", "textfile"):
        (world.folder / name).mkdir(parents=True)
    usual = {**world.variables, "ansible_connection": "local", "cmk_metrics_file": str(metrics)}
    missing = {**usual, "cmk_metrics_file": str(world.folder / "missing/cmk-{{ inventory_hostname }}.prom")}
    hosts = {"acme": usual, "beta": {**usual, "cmk_key": "alias/nothing"}, "gamma": missing}
    (folder / "inventory/organizations.yml").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    secrets = ("AWS_SECRET_ACCESS_KEY", "CMK_SUPPORT_TOKEN")
    (folder / "environment").write_text("".join(f"{name}={env.pop(name)}\n" for name in secrets), encoding="utf-8")
    line = (EXAMPLES / "cmk-rehearsal.cron").read_text(encoding="utf-8").splitlines()[-1]
    command = line.split(" cmk ", 1)[1].replace("/etc/cmk", str(folder))
    del env["ANSIBLE_INVENTORY"]

    ran = run_to_end(["bash", "-c", command], world.folder, env)

    assert ran.code == 2, ran.output
    assert stat.S_IMODE(metrics.stat().st_mode) == 0o644
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(metrics.read_text(encoding="utf-8")):
        found |= {(sample.name, *sample.labels.values()): sample.value for sample in family.samples}
    named = {name.removeprefix("atlassian_cmk_"): value for (name, org, *more), value in found.items()
             if org == "acme" and not more}  # fmt: skip
    assert 6 < (named.pop("deadline_timestamp_seconds") - named.pop("last_rehearsal_timestamp_seconds")) / 86400 < 7
    assert named == {"keys_named": 2, "keys_usable": 1, "notified": 0}
    assert found["atlassian_cmk_last_run_status", "acme", "assess", "planned"] == 1
    assert found["atlassian_cmk_last_run_success", "acme", "assess"] == 1
    assert found["atlassian_cmk_last_run_success", "beta", "assess"] == 0
    assert ran.output.count("gamma: cmk_metrics_file (") == 1
    assert "was not written: [Errno 2] No such file or directory" in " ".join(ran.output.split())
    gamma = json.loads(next(world.folder.glob("reports/gamma/*-assess/assess.json")).read_text(encoding="utf-8"))
    assert gamma["status"] == "planned"
