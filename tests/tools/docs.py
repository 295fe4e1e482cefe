"""Write the parts of the documentation that come from the code: ``python -m tests.tools.docs [--check]``."""

from __future__ import annotations

import ast
import re
import sys
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import (
    KEY_STATES,
    KeyMetadata,
    Wish,
    plan,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import REFUSALS, Refusal
from tests.tools.standins import ROOT

_ARN: t.Final = "the key"


def key_states() -> str:
    """Describe in a table what a restore does with a key in each state."""
    rows = ["| key state | a restore | with `cmk_cancel_deletion` |", "|---|---|---|"]
    for state in KEY_STATES:
        cells = [_cell(plan(KeyMetadata(_metadata(state)), Wish(cancel_deletion=cancel))) for cancel in (False, True)]
        rows.append(f"| {state} | {cells[0]} | {'the same' if cells[0] == cells[1] else cells[1]} |")
    managed = plan(KeyMetadata({**_metadata("Disabled"), "KeyManager": "AWS"}), Wish())
    rows.append(f"| any, of a key managed by AWS | {_cell(managed)} | the same |")
    return "\n".join(rows) + "\n"


def _metadata(state: str) -> dict[str, t.Any]:
    return {"Arn": _ARN, "AWSAccountId": "111122223333", "KeyState": state, "DeletionDate": "its date"}


def _cell(decision: t.Any) -> str:
    if isinstance(decision, Refusal):
        return f"refused: {decision.error}"
    return ", then ".join(f"`{action}`" for action in decision.actions) or "none"


# Further messages: problems of the variables, and of the files on the controller.
_SENTENCES: t.Final = {
    "Variables that cannot be used": (
        "A run checks all variables before any call, and reports all problems at once. It also refuses `cmk_revoked_at` if it is "
        "not a time in ISO 8601, or in the future.",
        (
            "plugin_utils/_settings.py",
            "plugin_utils/_channels/options.py",
            "plugin_utils/_options.py",
        ),
    ),
    "The controller": (
        "Problems of the controller and of the folder `cmk_report_dir`.",
        (
            "plugin_utils/_steps/decide.py",
            "plugin_utils/_steps/drill.py",
            "plugin_utils/_steps/files.py",
            "plugin_utils/_steps/report.py",
            "plugin_utils/_channels/comment.py",
            "plugin_utils/_steps/settings.py",
        ),
    ),
}


def messages() -> str:
    """List every message with its meaning and the next step."""
    rows = [
        "# Messages",
        "",
        "Every refusal and failure: what happened, why, and the next step. `make docs` writes this page from the code. Words in",
        "braces stand for values.",
        "",
        "## Keys, AWS and the support desk",
        "",
        "The code is in the results of modules, and in `cmk_result`. The source is `plugins/module_utils/_refusals.py`.",
        "",
        "| code | what happened, and why | next step |",
        "|---|---|---|",
    ]
    for code, (error, hint) in REFUSALS.items():
        rows.append(f"| `{code}` | {_plain(error)} | {_plain(hint)} |")
    for title, (note, files) in _SENTENCES.items():
        found = dict.fromkeys(text for name in files for text in sentences((ROOT / "plugins" / name).read_text()))
        rows += ["", f"## {title}", "", note, "", *(f"- {text}" for text in found)]
    return "\n".join(rows) + "\n"


def sentences(source: str) -> list[str]:
    """Find the sentences that Python code says to people: its texts with a full stop, but for documentation."""
    tree = ast.parse(source)
    documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found: list[tuple[int, str]] = []
    inner: set[ast.AST] = set(documentation)
    for node in ast.walk(tree):
        if node not in inner and isinstance(node, (ast.JoinedStr, ast.Constant)):
            inner |= set(ast.iter_child_nodes(node))
            text = _spoken(node)
            if re.search(r"[\w}] .*\w.*\.$", text):
                found.append((node.lineno, text if text[0] in "*" or text[0].isupper() else _named(text)))
    return [text for _line, text in sorted(found)]


def _named(text: str) -> str:
    # What begins in the middle of a sentence goes on behind the name of a variable.
    return text if text.startswith("cmk_") else f"*{{name}}* {text}"


def _spoken(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and "\n" not in node.value else ""
    parts = [part.value if isinstance(part, ast.Constant) else f"*{{{_word(part)}}}*" for part in node.values]
    return "".join(map(str, parts))


def _word(part: ast.expr) -> str:
    """What stands in braces, in one word: the last name of the expression."""
    names = re.findall(r"[a-z_]\w*", re.sub(r"'[^']* [^']*'|\(now\)|:.*", "", ast.unparse(part)))
    return names[-1] if names else "…"


def _plain(template: str) -> str:
    doubled = template.replace("{{", "\0").replace("}}", "\1")
    return re.sub(r"\{(\w+)\}", r"*{\1}*", doubled).replace("\0", "{").replace("\1", "}")


def pages() -> dict[str, str]:
    """Return each made file with the text that it should have."""
    states = (ROOT / "docs/key_states.md").read_text(encoding="utf-8")
    block = re.compile(r"(<!-- begin key states: .*? -->\n).*?(<!-- end key states -->)", re.DOTALL)
    return {
        "docs/key_states.md": block.sub(lambda found: found[1] + key_states() + found[2], states),
        "docs/messages.md": messages(),
    }


if __name__ == "__main__":
    stale = [name for name, text in pages().items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text]
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"Out of step with the code, run make docs: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (ROOT / name).write_text(pages()[name], encoding="utf-8")
        print(f"wrote {name}")
