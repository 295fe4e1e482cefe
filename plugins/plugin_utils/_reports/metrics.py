# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results of organizations as Prometheus reads them (text format 0.0.4). Pure."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import parse_time
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import Result, succeeds

PREFIX: t.Final = "atlassian_cmk_"
# Each is a gauge with the label org; those of the last run also have the label command.
METRICS: t.Final = {
    "deadline_timestamp_seconds": "The deadline since access was lost; absent once Atlassian was notified or if nothing was lost.",
    "notified": "Whether a notification of Atlassian is known, 1 or 0; absent if there is nothing to notify it of.",
    "keys_named": "How many keys the organization has.",
    "keys_usable": "How many of its keys the last run found enabled, without those that it could not read.",
    "last_rehearsal_timestamp_seconds": "When assess last found that a restore would succeed.",
    "last_proof_timestamp_seconds": "When verify last found that Atlassian had restored the sites.",
    "last_run_timestamp_seconds": "When the last run of the command ended.",
    "last_run_success": "Whether the last run of the command ended well, 1 or 0.",
    "last_run_status": "Always 1; the label status is how the last run of the command ended.",
}
_TEXT: t.Final = r'"(?:[^"\\]|\\.)*"'
_SAMPLE: t.Final = re.compile(rf"({PREFIX}\w+\{{org={_TEXT}(?:,\w+={_TEXT})*\}}) ([0-9]+)")
_NOTHING_TO_NOTIFY: t.Final = ("nothing_to_restore", "revoked", "already_revoked")
# Of each series (name and labels) the value; None removes it.
Series: t.TypeAlias = dict[str, int | None]


def update_metrics(text: str, result: Result, command: Command) -> str:
    """Put the result of a run into the text of a metrics file, which may hold other organizations too.

    What this run did not learn stays as it was. Raises ValueError if the text is not that of a metrics file.
    """
    name = str(result["org"]).replace("\\", "\\\\").replace('"', '\\"')
    org, run = f'org="{name}"', f'org="{name}",command="{command.name}"'
    earlier_status = f"{PREFIX}last_run_status{{{run},"
    series = {key: value for key, value in _read(text).items() if not key.startswith(earlier_status)}
    series |= {f"{PREFIX}{metric}{{{org}}}": value for metric, value in _learn(result, command).items()}
    series[f"{PREFIX}last_run_timestamp_seconds{{{run}}}"] = _count_seconds(result["finished_at"])
    series[f"{PREFIX}last_run_success{{{run}}}"] = int(succeeds(result))
    series[f'{earlier_status}status="{result["status"]}"}}'] = 1
    return "".join(_print(series))


def _learn(result: Result, command: Command) -> Series:
    """Return what a run has learned of the organization."""
    learned, ended = _learn_of_loss(result, command), _count_seconds(result["finished_at"])
    if keys := result["keys"]:
        # What a rehearsal predicts has not happened.
        state = "state_before" if command.only_reads else "state_after"
        learned["keys_named"] = len(keys)
        learned["keys_usable"] = sum(key[state] == "Enabled" and not key["error"] for key in keys)
    if command.predicts and succeeds(result):
        learned["last_rehearsal_timestamp_seconds"] = ended
    if command.verifies and result["status"] == "restored":
        learned["last_proof_timestamp_seconds"] = ended
    return learned


def _learn_of_loss(result: Result, command: Command) -> Series:
    status, ticket, deadline = result["status"], result["ticket"], result["window"].get("deadline")
    learned: Series = {}
    if ticket["told"] or status in ("nothing_to_restore", "restored"):
        learned["deadline_timestamp_seconds"] = None
    elif deadline:
        learned["deadline_timestamp_seconds"] = _count_seconds(deadline)
    # A run that failed, or that could not read the ticket, does not know that Atlassian was not notified.
    is_unknown = status == "failed" or (command.verifies and ticket["error"])
    if status in _NOTHING_TO_NOTIFY:
        learned["notified"] = None
    elif ticket["told"] or not is_unknown:
        learned["notified"] = int(ticket["told"])
    return learned


def _count_seconds(time: object) -> int | None:
    moment = parse_time(time)
    return int(moment.timestamp()) if moment else None


def _read(text: str) -> Series:
    series: Series = {}
    for line in text.splitlines():
        sample = _SAMPLE.fullmatch(line)
        if sample:
            series[sample[1]] = int(sample[2])
        elif not re.match(rf"# (?:HELP|TYPE) {PREFIX}", line):
            raise ValueError("the file holds something else than the metrics of this collection")
    return series


def _print(series: Series) -> t.Iterator[str]:
    for name, help_text in METRICS.items():
        begin = f"{PREFIX}{name}{{"
        samples = [f"{key} {value}\n" for key, value in series.items() if key.startswith(begin) and value is not None]
        if samples:
            yield f"# HELP {PREFIX}{name} {help_text}\n# TYPE {PREFIX}{name} gauge\n"
            yield from sorted(samples)
