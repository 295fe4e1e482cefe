"""What ``make mutants`` changes, the tests that are to notice it, and the changes that nothing can notice."""

from __future__ import annotations

import typing as t

# The files whose functions only decide, and those whose mistakes cost most; below plugins. With each, the names of its tests
# without test_.
RULES: t.Final[dict[str, str]] = {
    "module_utils/_aws_errors.py": "aws_errors",
    "module_utils/_cloudtrail/automation.py": "automation",
    "module_utils/_cloudtrail/revocation.py": "revocation",
    "module_utils/_cloudtrail/use.py": "use",
    "module_utils/_iam/trust.py": "trust",
    "module_utils/_kms/states.py": "key_states",
    "module_utils/_text.py": "text",
    "module_utils/_time.py": "time",
    "module_utils/_waiter.py": "waiter",
    "plugin_utils/_access.py": "access",
    "plugin_utils/_access_loss.py": "access_loss",
    "plugin_utils/_announcement.py": "announcement",
    "plugin_utils/_channels/mail.py": "mail",
    "plugin_utils/_channels/options.py": "settings mail",
    "plugin_utils/_checks.py": "checks verification",
    "plugin_utils/_decided.py": "parts deciding",
    "plugin_utils/_deciding.py": "deciding revoking",
    "plugin_utils/_desk.py": "desk",
    "plugin_utils/_desk_read.py": "desk_read",
    "plugin_utils/_journal.py": "journal announcement",
    "plugin_utils/_drills.py": "drills",
    "plugin_utils/_keys.py": "run revoking",
    "plugin_utils/_lock.py": "lock",
    "plugin_utils/_note.py": "note",
    "plugin_utils/_notified.py": "notified verification",
    "plugin_utils/_options.py": "options variables settings",
    "plugin_utils/_quoting.py": "quoting",
    "plugin_utils/_rehearsal.py": "rehearsal",
    "plugin_utils/_reports/events.py": "events",
    "plugin_utils/_reports/evidence.py": "evidence_parts",
    "plugin_utils/_reports/metrics.py": "monitoring",
    "plugin_utils/_reports/fields.py": "evidence",
    "plugin_utils/_steps/fleet.py": "fleet",
    "plugin_utils/_reports/headlines.py": "headlines",
    "plugin_utils/_restored.py": "verification",
    "plugin_utils/_result.py": "result run revoking",
    "plugin_utils/_run.py": "run revoking",
    "plugin_utils/_seen.py": "parts verification",
    "plugin_utils/_settings.py": "settings",
    "plugin_utils/_sites.py": "sites workspaces",
    "plugin_utils/_state_dir.py": "state_dir",
    "plugin_utils/_steps/decide.py": "decide lock",
    "plugin_utils/_steps/report.py": "report",
    "plugin_utils/_steps/verify.py": "verify",
    "plugin_utils/_trail.py": "parts access_loss",
    "plugin_utils/_verification.py": "verification",
    "plugin_utils/_window.py": "window",
}


# The files of which tests must notice at least so many per cent of the changes.
GOAL: t.Final = 95
GOALS: t.Final = (
    "module_utils/_kms/states.py",
    "module_utils/_waiter.py",
    "plugin_utils/_access_loss.py",
    "plugin_utils/_announcement.py",
    "plugin_utils/_checks.py",
    "plugin_utils/_desk.py",
    "plugin_utils/_desk_read.py",
    "plugin_utils/_drills.py",
    "plugin_utils/_options.py",
    "plugin_utils/_reports/events.py",
    "plugin_utils/_reports/evidence.py",
    "plugin_utils/_reports/headlines.py",
    "plugin_utils/_settings.py",
    "plugin_utils/_sites.py",
    "plugin_utils/_state_dir.py",
    "plugin_utils/_steps/fleet.py",
    "plugin_utils/_verification.py",
    "plugin_utils/_window.py",
)


class Equivalent(t.NamedTuple):
    """A mutation that changes nothing that can be observed, by file, line and the expression as it is then."""

    file: str
    line: str
    change: str
    reason: str


EQUIVALENTS: t.Final[tuple[Equivalent, ...]] = (
    Equivalent(
        "module_utils/_waiter.py",
        "row, bad_row, last, gone = 0, 0, None, 0.0",
        "1.0",
        "the loop runs at least once, and sets it",
    ),
    Equivalent(
        "plugin_utils/_channels/options.py",
        'fit = {name: (value, r"[^\\x00-\\x1f\\x7f]*") for name, value in given.items()}',
        r"'[^\\x00-\\x1f\\x7f]*?'",
        "the whole text must match, by few characters or by many",
    ),
    Equivalent("plugin_utils/_desk.py", "if status < 0:", "status <= 0", "a status of 0 is read as -1"),
    Equivalent("plugin_utils/_desk.py", "if status < 0:", "1", "a status of 0 is read as -1"),
    Equivalent(
        "plugin_utils/_checks.py",
        "if reply is None or at is None:",
        "reply is None and at is None",
        "a comment without a time is later than nothing, so a reply has one",
    ),
    Equivalent(
        "plugin_utils/_checks.py",
        "if lost is None or limit is None or risk is None:",
        "lost is None and limit is None and (risk is None)",
        "a window knows all of them or none",
    ),
    Equivalent(
        "plugin_utils/_quoting.py",
        'for line, following in zip(lines, [*lines[1:], ""], strict=True):',
        "'?'",
        "what follows the last line is no mail's head in either case",
    ),
    Equivalent("plugin_utils/_sites.py", "_NO_ANSWER: t.Final = -1  # instead of a status", "2", "any negative number"),
    Equivalent("plugin_utils/_sites.py", "if status < 0:", "status <= 0", "no answer has a status of 0"),
    Equivalent("plugin_utils/_sites.py", "if status < 0:", "1", "no answer has a status of 0"),
    Equivalent(
        "plugin_utils/_sites.py",
        "return [judged(site, url, answer, expected) for site, url, answer in zip(sites, urls, answers, strict=True)]",
        "False",
        "there is one answer for each site",
    ),
    Equivalent(
        "plugin_utils/_state_dir.py",
        "data = file.read(MAX_BYTES + 1)",
        "2",
        "one byte too many is enough to refuse the file",
    ),
    Equivalent(
        "plugin_utils/_state_dir.py",
        'temporary = f".{secrets.token_hex(8)}.new"',
        "9",
        "the name is random, and gone afterwards",
    ),
    Equivalent(
        "plugin_utils/_steps/decide.py",
        "decides = decide_revocation(run, records) if run.command.revokes else settle_run(run, records, secrets.token_hex(8))",
        "9",
        "the text is random",
    ),
    Equivalent(
        "plugin_utils/_window.py",
        "if reinstate_by is None or at_risk_after is None:",
        "reinstate_by is None and at_risk_after is None",
        "both are known, or neither is",
    ),
)
