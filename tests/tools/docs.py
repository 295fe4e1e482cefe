"""Make the parts of the documentation that stand in the code: ``python -m tests.tools.docs [--check]``."""

from __future__ import annotations

import re
import sys
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._key_states import KEY_STATES, Wish, plan
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import REFUSALS, Refusal
from tests.tools.standins import ROOT

_ARN: t.Final = "the key"


def key_states() -> str:
    """Tell in a table what a restore does with a key in each state."""
    rows = ["| key state | a restore | with `cmk_cancel_deletion` |", "|---|---|---|"]
    for state in KEY_STATES:
        cells = [_cell(plan(_metadata(state), Wish(cancel_deletion=cancel))) for cancel in (False, True)]
        rows.append(f"| {state} | {cells[0]} | {'the same' if cells[0] == cells[1] else cells[1]} |")
    managed = plan({**_metadata("Disabled"), "KeyManager": "AWS"}, Wish())
    rows.append(f"| any, of a key managed by AWS | {_cell(managed)} | the same |")
    return "\n".join(rows) + "\n"


def _metadata(state: str) -> dict[str, t.Any]:
    return {"Arn": _ARN, "AWSAccountId": "111122223333", "KeyState": state, "DeletionDate": "its date"}


def _cell(decision: t.Any) -> str:
    if isinstance(decision, Refusal):
        return f"refused: {decision.error}"
    return ", then ".join(f"`{action}`" for action in decision.actions) or "nothing needs doing"


def messages() -> str:
    """List every message with its meaning and the next step."""
    rows = [
        "# Messages",
        "",
        "What the collection refuses or reports as failed, why, and what to do next. Made by `make docs` from",
        "`plugins/module_utils/_refusals.py`; words in braces are what was seen.",
        "",
        "| code | what was seen, and why it stops | what to do next |",
        "|---|---|---|",
    ]
    for code, (error, hint) in REFUSALS.items():
        rows.append(f"| `{code}` | {_plain(error)} | {_plain(hint)} |")
    return "\n".join(rows) + "\n"


def _plain(template: str) -> str:
    doubled = template.replace("{{", "\0").replace("}}", "\1")
    return re.sub(r"\{(\w+)\}", r"*{\1}*", doubled).replace("\0", "{").replace("\1", "}")


def pages() -> dict[str, str]:
    """Return each made file with the text that it should have."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.compile(r"(<!-- begin key states: .*? -->\n).*?(<!-- end key states -->)", re.DOTALL)
    return {
        "README.md": block.sub(lambda found: found[1] + key_states() + found[2], readme),
        "docs/messages.md": messages(),
    }


if __name__ == "__main__":
    stale = [name for name, text in pages().items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text]
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"Out of step with the code, run make docs: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (ROOT / name).write_text(pages()[name], encoding="utf-8")
        print(f"wrote {name}")
