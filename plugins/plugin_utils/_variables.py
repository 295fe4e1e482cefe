# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The role's variables as Ansible has them: each read by itself, misspelt ones named, what was typed known as such. Pure."""

from __future__ import annotations

import difflib
import json
import re
import typing as t

_PREFIX: t.Final = "cmk_"
# How alike two names must be, without their prefix, to be taken for one another.
_ALIKE: t.Final = 0.75


def read_each(
    names: t.Iterable[str],
    variables: t.Mapping[str, t.Any],
    template: t.Callable[[t.Any], t.Any],
    error: type[Exception],
) -> tuple[dict[str, t.Any], list[str]]:
    """Template each variable by itself.

    :param names: the variables to read
    :param variables: all variables of the host, not templated
    :param template: templates a value
    :param error: what ``template`` raises
    :return: the values, None where one cannot be read; and a sentence for each of those
    """
    values: dict[str, t.Any] = {}
    problems: list[str] = []
    for name in names:
        try:
            values[name] = template(variables.get(name))
        except (error, RecursionError) as reason:
            values[name] = None
            problems.append(f"{name} cannot be read: {_one_line(reason)}. Correct it where it is set, then run again.")
    return values, problems


def misspelt(variables: t.Iterable[str], documented: t.Collection[str], known: t.Collection[str]) -> list[str]:
    """Name the variables that nothing reads and that look like one of the documented.

    :param variables: the names of all variables of the host
    :param documented: the names that users may set
    :param known: all other names in use
    """
    near = {name.removeprefix(_PREFIX): name for name in documented}
    warnings = []
    for name in sorted(variables):
        if not name.startswith(_PREFIX) or name in documented or name in known:
            continue
        nearest = difflib.get_close_matches(name.removeprefix(_PREFIX), near, n=1, cutoff=_ALIKE)
        if nearest:
            warnings.append(f"{name} is no variable of this collection. Did you mean {near[nearest[0]]}?")
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


def _one_line(reason: Exception) -> str:
    text = " ".join(re.sub(r"[^\S ]|[^ -\uffff]", " ", str(reason)).split()).rstrip(".")
    return text if len(text) <= 300 else f"{text[:297]}..."
