# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines of a comment its author wrote, and which ones only quote an earlier text. Pure.

In doubt a line counts as quoted: a quoted reference that is taken for an announcement would keep Atlassian uninformed,
and a reference that is not recognized costs a second comment only.

Source: Jira's text formatting notation (https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all), and
the marks by which e-mail programs introduce what they quote.
"""

from __future__ import annotations

import re
import typing as t

# Three times what Jira allows in a comment: more would only cost time.
_MOST_CHARACTERS: t.Final = 100_000
# Their content is quoted up to the same marker; markers inside the verbatim ones are text.
_MARKER: t.Final = re.compile(r"(?i)\{(quote|panel|noformat|code)(:[^}]{0,100})?\}|^(```)")
_VERBATIM: t.Final = ("noformat", "code", "```")
# Quoted up to the next blank line, because e-mail programs wrap long lines and repeat no mark.
_QUOTED_PARAGRAPH: t.Final = (">", "bq.")
# Everything below one of these lines is the e-mail that is replied to. No pattern backtracks over a long line.
_WROTE: t.Final = re.compile(r"(?i)\bwrote ?:$|<[^<>\s@]+@[^<>\s@]+>")
_RULE: t.Final = re.compile(
    r"(?i)--.*\b(?:original|forwarded) message\b|begin forwarded message:|reply above this line\b"
)
_MAIL_FROM: t.Final = re.compile(r"(?i)\*?from:")
_MAIL_HEAD: t.Final = re.compile(r"(?i)\*?(?:sent|date|to|cc|subject):")


def unquoted_lines(text: str) -> list[str]:
    """Return the lines that the author wrote, without the white space around them."""
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text[:_MOST_CHARACTERS])]
    own: list[str] = []
    blocks: list[str] = []
    in_paragraph = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not blocks and _begins_mail(line, following):
            break
        in_paragraph = not blocks and bool(line) and (in_paragraph or line.startswith(_QUOTED_PARAGRAPH))
        if not blocks and not in_paragraph:
            own.append(line)
        blocks = _open_blocks(line, blocks)
    return own


def _begins_mail(line: str, following: str) -> bool:
    return bool(
        (line.endswith(":") and _WROTE.search(line))
        or _RULE.match(line)
        or (line.startswith("_" * 10) and not line.strip("_"))
        or (_MAIL_FROM.match(line) and _MAIL_HEAD.match(following))
    )


def _open_blocks(line: str, blocks: list[str]) -> list[str]:
    """Return the blocks that are open after a line, the innermost last."""
    blocks = list(blocks)
    for marker in _MARKER.finditer(line):
        kind = (marker[1] or marker[3]).lower()
        if blocks and blocks[-1] == kind and not marker[2]:
            blocks.pop()
        elif not blocks or blocks[-1] not in _VERBATIM:
            blocks.append(kind)
    return blocks
