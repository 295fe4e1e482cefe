# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the evidence takes its fields over: by name and by type. Pure.

Whatever else a module or a desk returns beside them stays outside, so that nothing secret can get in by accident.
"""

from __future__ import annotations

import functools
import math
import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import format_time, parse_time

T = t.TypeVar("T", bound=t.Mapping[str, object])


def take(kind: type[T], source: object) -> T:
    """Take the fields that a type declares, each read by its own type, and nothing else; a missing one is read from None."""
    given = as_map(source)
    return t.cast("T", {name: _read(hint, given.get(name)) for name, hint in _fields(kind).items()})


@functools.cache
def _fields(kind: type) -> dict[str, t.Any]:
    return t.get_type_hints(kind, include_extras=True)


def _read(hint: t.Any, value: object) -> t.Any:
    if hint in _READERS:
        return _READERS[hint](value)
    if t.is_typeddict(hint):
        return take(hint, value)
    origin, inner = t.get_origin(hint), t.get_args(hint)
    if origin is t.Annotated:
        return inner[1](value)
    if origin is list:
        items = value if isinstance(value, (list, tuple)) else []
        return [_read(inner[0], item) for item in items if isinstance(item, t.Mapping) or not t.is_typeddict(inner[0])]
    # An object or None.
    return take(inner[0], value) if as_map(value) else None


def as_map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def as_items(value: object) -> list[t.Mapping[str, t.Any]]:
    return [item for item in value if isinstance(item, t.Mapping)] if isinstance(value, (list, tuple)) else []


def text(value: object) -> str:
    """Read a text; anything that is neither a text nor a number is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    # What a terminal or an editor would act on, and what UTF-8 cannot hold.
    clean = re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", str(value).replace("\r\n", "\n").replace("\r", "\n"))
    return clean.encode("utf-8", "replace").decode("utf-8")


def moment(value: object) -> str | None:
    return format_time(parse_time(value))


def flag(value: object) -> bool:
    """Read a boolean, also as Ansible writes it into a text."""
    return str(value).lower() == "true"


def number(value: object) -> float | None:
    """Read a finite number, to two digits after the point."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return round(value, 2)


def count(value: object) -> int:
    return int(number(value) or 0)


def link(value: object) -> str:
    """Read a URL that is safe to follow: http or https, without credentials in it."""
    url = text(value).strip()
    return url if re.fullmatch(r"https?://[^\s@/]+(?:/[^\s]*)?", url) else ""


def name_in_link(value: object) -> str:
    name = text(value)
    return name if re.fullmatch(r"[0-9A-Za-z-]+", name) else ""


def one_of(words: t.Collection[str], otherwise: str) -> t.Callable[[object], str]:
    return lambda value: next((word for word in words if word == value), otherwise)


_READERS: t.Final[dict[t.Any, t.Callable[[object], t.Any]]] = {str: text, bool: flag, int: count}
Time: t.TypeAlias = t.Annotated[str | None, moment]
Number: t.TypeAlias = t.Annotated[float | None, number]
Link: t.TypeAlias = t.Annotated[str, link]
Name: t.TypeAlias = t.Annotated[str, name_in_link]
