# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text that others wrote (AWS, the desk, the inventory), made safe for a terminal. Pure."""

from __future__ import annotations

import unicodedata

# Separators of lines and paragraphs, which some terminals and editors take for line ends.
_LINE_ENDS = ("Zl", "Zp")


def plain(text: str) -> str:
    """Put a text on one line, with a blank for each control character and each mark that hides or reverses text.

    These are Unicode's categories C* (controls, formats such as bidi overrides, surrogates, private use, unassigned).
    """
    return _without_controls(text, keep="")


def plain_lines(text: str) -> str:
    """Do the same to a text of several lines: its line ends and tabs stay."""
    return _without_controls(text.replace("\r\n", "\n"), keep="\n\t")


def _without_controls(text: str, keep: str) -> str:
    if text.isprintable():
        return text
    return "".join(" " if sign not in keep and _acts(sign) else sign for sign in text)


def _acts(sign: str) -> bool:
    category = unicodedata.category(sign)
    return category[0] == "C" or category in _LINE_ENDS
