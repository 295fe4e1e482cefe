"""Write docs/reliability.md from the fault matrix and the scores of ``make mutants``: ``python -m tests.tools.reliability``."""

from __future__ import annotations

import typing as t

from tests.playbooks.conftest import REGIONS
from tests.playbooks.faults import CASES, Case, Group
from tests.playbooks.test_interrupts import MOMENTS
from tests.tools.mutants import Score, read_scores
from tests.tools.mutants_rules import EQUIVALENTS, GOAL, GOALS
from tests.tools.standins import ROOT

PAGE: t.Final = ROOT / "docs/reliability.md"

_INTRODUCTION: t.Final = """\
# Reliability

You run this collection during an incident. These promises hold whatever breaks during a run:

- every key that can be restored is restored, also when another region fails;
- a run that fails ends with a result, a summary and a non-zero exit code, never with a traceback;
- each failure has one message: what was seen, why the run stops, what to do next;
- each run leaves its evidence, also a failed one;
- once the fault is gone, the same command again completes the restore, and the ticket then holds exactly **one**
  announcement.

Written by `python -m tests.tools.reliability` from `tests/playbooks/faults.py`; a test keeps it in step.
"""

_TITLES: t.Final[dict[Group, tuple[str, str]]] = {
    "aws": ("Faults at AWS", ""),
    "desk": ("Faults at the support desk", "All keys are Enabled after the first run of each of these."),
    "pairs": ("Faults in pairs", ""),
    "endings": (
        "Faults that do not end by themselves",
        "The first run of these is made with two attempts for each call to AWS (instead of 12) and one repetition at\n"
        "the desk (instead of 6), so that it gives up soon; the next run is made as shipped.",
    ),
    "slow": ("Faults that take minutes", "Left to `make faults`."),
}

_TESTED: t.Final = """\
## How it is tested

`tests/playbooks/test_faults.py` runs `restore_cmk.yml` on strict stand-ins of AWS and of the desk. Each row is an
organization of the realm United States with two keys and a ticket of its own; the organizations of a table are restored
in one run (`-e org=all`), each with its own fault. Then the faults are cleared, what the table names is
fixed, and the same command runs again. After both runs the test compares the real states of the keys, the result, the exit
code, the summary, the evidence and the ticket.

- `make test` runs the rows marked *, `make faults` runs all of them, which takes seven minutes.
- A burst of 30 throttled answers is longer than the 12 attempts that are made for a call, with up to 20 s between them
  (more than a minute in all): the run ends with that region's failure, and the next run completes it.
- Desks that fail without `Retry-After` are asked again after 2, 4, 8, 16, 32 and 64 s.

## What the desk's API cannot prevent

A comment has no idempotency key, and cannot be edited, deleted or marked by its author. So a run reads all comments,
and posts only if none holds this restoration's reference. After a lost answer it reads again before it posts again. Two
cases remain:

- Between the reading and the posting, **another controller** may post. On one controller a lock prevents that. The
  reference line (`Reference: cmk-restore/...`) is the same for the same revocation when CloudTrail names it, so such a
  pair can be recognized as one announcement.
- A desk that stores a comment, answers with an error and shows the comment only **later** gets it twice, if the
  comment is still not shown after the wait.

## When Atlassian may be notified twice

A second comment costs nothing, and a missing one costs the organization its ten days. So a run notifies again where it
cannot know better:

- **another ticket**: the restoration was announced on one ticket, and `cmk_ticket` names another one now.
- **two runs at the same moment**: another run comments, or access is lost, between what this run reads and what it posts.
- **a desk that shows a comment late**: the comment is stored, the desk answers with an error, and the comment is not shown
  when the run looks for it.
- **a person notified without the reference**: nobody gave `cmk_ticket_told` to the run.
- **another name for the loss**: a controller without its folder, or another one, names the loss differently. CloudTrail was
  late or could not be read in one of the runs, an event is older than 90 days, a key was lost again before the first run had
  enabled all, or a region has a new key.
- **a journal that does not tell**: the journal is damaged, or a run was killed before AWS answered its plan.

`tests/unit/model` lives through thousands of histories by chance (`make histories`: a million), and finds no other reason.
`tests/unit/model/test_twice.py` produces each of these.

## What no run can know

- A key was lost and enabled by hand, and neither this controller nor CloudTrail, which is up to 15 minutes late, tells of it.
  The run then says `NOTHING TO RESTORE, AND NOTHING ANNOUNCED`, or `ALREADY RESTORED` of the restoration before. Run it again
  after 15 minutes.
- A person gives the URL of a comment that speaks of something else. A URL that has ended an earlier restoration on this
  controller is refused.

## Interrupts and two operators

`tests/playbooks/test_interrupts.py` ends a run by SIGINT (Ctrl-C) and by SIGKILL (a lost container), each at
these moments:

{moments}

The same command, run again, then completes the restore; the ticket holds one announcement, with the states that the
keys had before the first run; and a third run changes nothing.

Two operators who start at the same moment on one controller: both enable the keys, and one of them comments. The
other one reports that, or finds nothing left to do. On two controllers, one after the other: the second finds the announcement on
the ticket. Two controllers at the same moment are the case above that the desk's API cannot prevent.

## Bad input, secrets, permissions

- `tests/playbooks/test_bad_input.py` gives the playbook each variable missing, empty, of a wrong type, as a text, as
  AWX hands it, or hostile. Each case ends with one clear sentence before anything is changed, or works.
- `tests/playbooks/test_secrets.py` runs restores, a rehearsal and failures at `-vvvv`, and searches for the credentials on
  the screen, in reports, logs, fact cache, temporary folders, and in the command lines of all processes meanwhile.
- `tests/playbooks/test_permissions.py` derives the policies in `docs/iam` from the calls that are made, runs with
  nothing but those actions, and shows that none of them is too much.
"""

_MUTATION: t.Final = """\
## Mutation

`make mutants` changes the rules, one condition, operator or constant at a time. After each change it runs the unit tests of that
file. A change that no test notices shows a rule that no test holds. The files marked * must reach {goal} %.

- Where fewer changes were tried than there are, they are a sample. What a sample has shown is tested, so another sample may
  have a lower score.
- Some changes cannot be noticed, because the code then does the same. They are not counted, and the second table lists them. The
  tool fails if a test notices one of them.
- `make mutants SAMPLE=0 WRITE=1` tries all changes, and updates these tables.

| file below `plugins` | changes | tried | noticed | score | equivalent |
|---|---|---|---|---|---|
{scores}

| file | line | changed to | why nothing can notice it |
|---|---|---|---|
{equivalents}
"""

_STATES: t.Final = ("Enabled", "Enabled")


def page() -> str:
    """The whole text of docs/reliability.md."""
    count = f"{len(CASES)} faults and pairs of faults; those marked * are a part of every `make test`.\n"
    tested = _TESTED.replace("{moments}", "\n".join(f"- {moment}" for moment in MOMENTS))
    return "\n".join([_INTRODUCTION, count, *[_table(group) for group in _TITLES], tested, _mutation()])


def _mutation() -> str:
    scores = [_score_row(file, score) for file, score in read_scores().items()]
    equivalents = [
        f"| `{one.file}` | `{_cell(one.line)}` | `{_cell(one.change)}` | {one.reason} |" for one in EQUIVALENTS
    ]
    return (
        _MUTATION.replace("{goal}", str(GOAL))
        .replace("{scores}", "\n".join(scores))
        .replace("{equivalents}", "\n".join(equivalents))
    )


def _score_row(file: str, score: Score) -> str:
    star = " *" if file in GOALS else ""
    return f"| `{file}`{star} | {score.row} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(group: Group) -> str:
    title, note = _TITLES[group]
    head = ["| fault | where | after the first run | message | after the next run |", "|---|---|---|---|---|"]
    rows = [_row(case) for case in CASES if case.group == group]
    return "\n".join([f"## {title}", "", *([note, ""] if note else []), *head, *rows, ""])


def _row(case: Case) -> str:
    keys = "both keys Enabled" if case.after == _STATES else _by_region(case.after)
    ticket = "told" if case.told else "not told"
    message = f"… {case.message} …" if case.message else ""
    then = f"{case.mended}: {case.then}" if case.mended else case.then
    star = " *" if case.usual else ""
    cells = [case.fault + star, case.where, f"**{case.status}**; {keys}; {ticket}", message, f"{then}; told once"]
    return f"| {' | '.join(cells)} |"


def _by_region(states: tuple[str, str]) -> str:
    return ", ".join(f"{region} {state}" for region, state in zip(REGIONS, states, strict=True))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
