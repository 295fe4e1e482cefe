"""Open a shell in which the collection uses emulators of AWS and of a support desk: ``python -m tests.tools.sandbox``.

The stand-ins run on loopback and stop when the shell ends. ``SANDBOX_COMMAND`` is run in place of an interactive shell.
``SANDBOX_FOLDER`` (default: .demo/sandbox) holds the seeds and the reports; it is emptied at the start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from tests.tools.demo import TICKET, begin, seed
from tests.tools.standins import ROOT, environment, standin

# Of the environment of a test run, what an operator would not have.
_NOT_AN_OPERATORS: t.Final = ("ANSIBLE_CONFIG", "ANSIBLE_INVENTORY", "CMK_SUPPORT_URL", "PYTHONDONTWRITEBYTECODE")
_INTRODUCTION: t.Final = """\
== a sandbox: emulators of AWS and of a support desk on loopback. Both keys are disabled. The ticket is {ticket}.
{exports}
== these variables are set in this shell. You post the comment, as with Atlassian's portal (manual mode).
   To let the run post it on the emulated desk: export CMK_SUPPORT_URL=$SANDBOX_DESK
   Next: docs/getting_started.md, "First rehearsal". The sandbox stops when you type: exit
"""


def exports(aws: str, desk: str, folder: Path) -> dict[str, str]:
    """Return the variables that point a shell at the stand-ins."""
    variables = environment(aws, desk, folder)
    ours = {name: value for name, value in variables.items() if name.startswith(("AWS_", "ANSIBLE_", "CMK_"))}
    return {
        **{name: value for name, value in ours.items() if name not in _NOT_AN_OPERATORS},
        "SANDBOX_DESK": desk,
    }


def main(folder: Path, command: str) -> int:
    """Start both stand-ins, run the command or an interactive shell, and stop everything; return the exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    seed(folder)
    with standin("aws", folder / "aws.json") as aws, standin("desk", folder / "desk.json") as desk:
        begin(aws, folder)
        variables = exports(aws, desk, folder)
        lines = "\n".join(f"export {name}={value}" for name, value in variables.items())
        print(_INTRODUCTION.format(ticket=TICKET, exports=lines), flush=True)
        # None of the user's own settings may reach the shell, or the other way round.
        env = {name: value for name, value in environment(aws, desk, folder).items() if name not in _NOT_AN_OPERATORS}
        shell = ["bash", "-euc", command] if command else ["bash", "--norc", "--noprofile"]
        return subprocess.run(shell, env={**env, **variables, "PS1": "sandbox$ "}, check=False).returncode


if __name__ == "__main__":
    sys.exit(
        main(Path(os.environ.get("SANDBOX_FOLDER") or ROOT / ".demo/sandbox"), os.environ.get("SANDBOX_COMMAND", ""))
    )
