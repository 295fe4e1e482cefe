# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables as Ansible has them: each read by itself, misspelt ones named, what was typed known as such. Pure."""

from __future__ import annotations

import difflib
import json
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain

_PREFIX: t.Final = "cmk_"
_MOST_OF_REASON: t.Final = 300


def read_each(
    names: t.Iterable[str],
    variables: t.Mapping[str, t.Any],
    template: t.Callable[[t.Any], t.Any],
    error: type[Exception],
) -> tuple[dict[str, t.Any], list[str]]:
    """Template each variable by itself; ``template`` raises ``error``.

    :return: the values, None where one cannot be read; and a sentence for each of those
    """
    values: dict[str, t.Any] = {}
    problems: list[str] = []
    for name in names:
        try:
            values[name] = template(variables.get(name))
        except (error, RecursionError) as reason:
            values[name] = None
            problems.append(
                f"{name} cannot be read: {_on_one_line(reason)}. Correct it where it is set, then run again."
            )
    return values, problems


def _on_one_line(reason: Exception) -> str:
    text = " ".join(plain(str(reason)).split()).rstrip(".")
    return text if len(text) <= _MOST_OF_REASON else f"{text[: _MOST_OF_REASON - 3]}..."


def misspelt(variables: t.Iterable[str], documented: t.Collection[str], known: t.Collection[str]) -> list[str]:
    """Name the variables that look like one of the documented, and that nothing reads: they are not ``known`` either."""
    near = {name.removeprefix(_PREFIX): name for name in documented}
    warnings = []
    for name in sorted(variables):
        if name.startswith(_PREFIX) and name not in documented and name not in known:
            alike = difflib.get_close_matches(name.removeprefix(_PREFIX), near, n=1, cutoff=0.75)
            warnings += [f"{name} is no variable of this collection. Did you mean {near[one]}?" for one in alike]
    return warnings


def typed(extra: t.Mapping[str, t.Any]) -> object:
    """Return the confirmation among the extra variables, as it was typed: no template is filled in."""
    # A plain value: Ansible would fill in a template that comes from the command line as soon as it is read again.
    return json.loads(json.dumps(extra.get("cmk_confirm", extra.get("confirm", "")), default=str))


def host_pattern(name: str, hosts: t.Collection[str]) -> str:
    """Return a pattern for what was asked for: the host of exactly this name, else the pattern that it is.

    Ansible splits a pattern at blanks, colons and commas, and some characters mean something in it. In a regular expression
    that writes them by their numbers, none does.
    """
    if name not in hosts or re.fullmatch(r"[\w.-]+", name):
        return name
    literal = "".join(letter if letter.isalnum() else f"\\U{ord(letter):08x}" for letter in name)
    return f"~^{literal}\\Z"
