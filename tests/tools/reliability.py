"""Write docs/reliability.md from the fault matrix and the scores of ``make mutants``: ``python -m tests.tools.reliability``."""

from __future__ import annotations

import typing as t

from tests.playbooks.conftest import REGIONS
from tests.playbooks.faults import CASES, Case, Group
from tests.playbooks.test_interrupts import MOMENTS
from tests.tools.mutants import Score, read_scores
from tests.tools.mutants_rules import GOAL, GOALS
from tests.tools.standins import ROOT

PAGE: t.Final = ROOT / "docs/reliability.md"

_INTRODUCTION: t.Final = """\
# Reliability

What happens when something breaks during a restore. The tests cause each fault below, and check after each run that:

- every key that can be restored is restored, also when another region fails;
- a run that fails ends with a result, a summary and a non-zero exit code, never with a traceback;
- each failure has one message: what happened, why, the next step;
- each run leaves its evidence, also a failed one;
- once the fault is gone, the same command again completes the restore, and the ticket then holds exactly **one** comment of
  ours.

The tables come from `tests/playbooks/faults.py`. They list {count} faults and pairs of faults. `make test` covers those
marked *, and `make faults` all of them. In the tables "the change spreads" means that AWS reports the new state only later.
"""

_TITLES: t.Final[dict[Group, tuple[str, str]]] = {
    "aws": ("Faults at AWS", ""),
    "desk": ("Faults at the support desk", "The keys are enabled whatever the desk does."),
    "pairs": ("Two faults at once", ""),
    "endings": (
        "Faults that last",
        "The tests shorten the first run: two attempts for each call to AWS instead of 12, and one retry at the desk instead of 6.",
    ),
    "slow": (
        "Faults that take minutes",
        "`make faults` covers them. AWS gets 12 attempts for each call, over more than a minute.",
    ),
}

_OVERCOME: t.Final = "The run completes the restore, and notifies Atlassian once:"
_ENDS: t.Final = "The run fails, and the same command again completes the restore:"

_TESTED: t.Final = """\
## How it is tested

`tests/playbooks/test_faults.py` runs `restore_cmk.yml` against emulators of AWS and of the support desk (`tests/standins`).
Each row is an organization of the realm United States, with two keys and a ticket of its own. The test clears the faults, fixes
what the last column names, and runs the same command again. After both runs it compares the key states, the result, the exit
code, the summary, the evidence and the ticket.

`tests/playbooks/test_interrupts.py` ends a run by SIGINT (Ctrl-C) and by SIGKILL (a lost container) at these moments:

{moments}

The next run completes the restore, the ticket then holds one comment of ours, and a third run changes nothing. The same file
starts two runs at the same moment on one controller. Both enable the keys, and one of them comments.

Other faults have tests of their own:

- `tests/playbooks/test_bad_input.py`: each variable missing, empty, of a wrong type, or hostile.
- `tests/playbooks/test_secrets.py`: no credentials at `-vvvv` on the screen, in files or in the list of processes.
- `tests/playbooks/test_permissions.py`: the policies in [iam](iam) suffice, and none of their actions is superfluous.

## When Atlassian may be notified twice

The desk's API has no idempotency key, and a comment cannot be edited or deleted. So a run reads all comments first, and posts
only if none contains this restoration's reference. A second comment costs nothing, and a missing one costs the organization
its ten days. So in doubt a run notifies again:

- **another ticket**: `cmk_ticket` names another ticket than the one on which Atlassian was notified.
- **two runs at the same moment**: two controllers comment at once, or access is lost while a run reads the ticket. On one
  controller a lock prevents the first.
- **a desk that shows a comment late**: the desk stores the comment, answers with an error, and does not list the comment yet when
  the run reads the ticket again.
- **a person notified without the reference**: a person wrote their own comment, and no run was given `cmk_ticket_told`.
- **another name for the loss**: two controllers, or one that lost its folder, derive different references. CloudTrail was late
  or could not be read, its event is older than 90 days, a key was lost again before all were enabled, or a region has a new key.
- **an incomplete journal**: the journal is damaged, or a run was killed before AWS answered its plan.

`tests/unit/model/test_twice.py` produces each of these. `make histories` runs random histories of losses, runs and faults, and
fails if it finds another reason.

## What no run can know

- A key was lost and enabled by hand, and CloudTrail, which is up to 15 minutes late, does not show it yet. The run then reports
  `NOTHING TO RESTORE, AND NOTHING ANNOUNCED`, or that access was already restored. Run it again after 15 minutes.
- A person gives the URL of a comment about something else. A run refuses only a URL that confirmed an earlier restoration on
  this controller.
"""

_MUTATION: t.Final = """\
## Mutation

`make mutants` changes one condition, operator or constant of a rule at a time, and runs the unit tests of its file. A change that no
test notices is a rule without a test. The files marked * must reach {goal} %. `tests/tools/mutants_rules.py` names the changes that
are not counted because the code behaves the same, with the reason. Where fewer changes were tried than there are, they are a random
sample. `make mutants SAMPLE=0 WRITE=1` tries all, and updates this table.

| file below `plugins` | tried | score |
|---|---|---|
{scores}
"""

_SAME: t.Final = {("Enabled", "Enabled"): "both keys Enabled", ("Disabled", "Disabled"): "both keys Disabled"}


def page() -> str:
    """The whole text of docs/reliability.md."""
    introduction = _INTRODUCTION.replace("{count}", str(len(CASES)))
    tested = _TESTED.replace("{moments}", "\n".join(f"- {moment}" for moment in MOMENTS))
    return "\n".join([introduction, *[_section(group) for group in _TITLES], tested, _mutation()])


def _mutation() -> str:
    scores = [_score_row(file, score) for file, score in read_scores().items()]
    return _MUTATION.replace("{goal}", str(GOAL)).replace("{scores}", "\n".join(scores))


def _score_row(file: str, score: Score) -> str:
    star = " *" if file in GOALS else ""
    return f"| `{file}`{star} | {score.mutants} of {score.possible} | {score.percent} % |"


def _section(group: Group) -> str:
    title, note = _TITLES[group]
    cases = [case for case in CASES if case.group == group]
    overcome = [_fault(case) for case in cases if case.status == "restored"]
    failed = [[*_fault(case), *_end(case)] for case in cases if case.status != "restored"]
    parts = [f"## {title}", *([note] if note else [])]
    if overcome:
        parts += [_OVERCOME, _table(["fault", "where"], overcome)]
    if failed:
        parts += [_ENDS, _table(["fault", "where", "after the failed run", "message", "fix"], failed)]
    return "\n\n".join(parts) + "\n"


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _fault(case: Case) -> list[str]:
    return [case.fault + (" *" if case.usual else ""), case.where]


def _end(case: Case) -> list[str]:
    keys = _SAME.get(case.after) or _by_region(case.after)
    comment = "; comment stored" if case.told else ""
    return [f"**{case.status}**; {keys}{comment}", f"… {case.message} …", case.mended or "none"]


def _by_region(states: tuple[str, str]) -> str:
    return ", ".join(f"{region} {state}" for region, state in zip(REGIONS, states, strict=True))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
