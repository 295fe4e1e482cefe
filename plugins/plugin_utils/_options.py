# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: each read by itself, strictly, and strings as AWX hands them; misspelt ones named. Pure."""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import json
import math
import re
import textwrap
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._text import plain

# What an empty answer of a survey means; as in the role's defaults.
DEFAULTS: t.Final[dict[str, float | str]] = {
    "wait_timeout": 300,
    "wait_reads": 3,
    "wait_delay": 0.5,
    "mail_port": 587,
    "site_status": 200,
    "expected_use": "30d",
    "verify_limit": "8h",
    "verify_interval": "5m",
}
# What the reports folder holds beside the organizations' folders, and what could be taken for a slug with a hash.
_OUR_NAME: t.Final = re.compile(r".*\.(?:html|json|md|txt|new)|index.*|fleet|runs?|[0-9]{8}t[0-9]{6}z.*|.*-[0-9a-f]{8}")
_TRUE: t.Final = ("true", "yes", "on", "1", "y", "t")
_FALSE: t.Final = ("false", "no", "off", "0", "n", "f")
_LONGEST_DURATION: t.Final = 64
_MOST_OF_REASON: t.Final = 300
_PREFIX: t.Final = "cmk_"
_SECONDS: t.Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Options:
    """The variables of an organization (their names without ``cmk_``), and what is wrong with them.

    Each method reads one, and returns a harmless value where it cannot be read.
    """

    def __init__(self, given: t.Mapping[str, t.Any]) -> None:
        self._given = {**given, **{name: value for name, value in DEFAULTS.items() if is_empty(given.get(name))}}
        self.problems: list[str] = []  # one sentence each

    def add(self, problem: str) -> None:
        """Add a problem."""
        self.problems.append(problem)

    def get(self, name: str) -> t.Any:
        """Return a value as it was given."""
        return self._given.get(name)

    def text(self, name: str, *, most: int = 2048) -> str:
        """Read a text; None and an empty text are the same."""
        return self._text(name, self.get(name), most)

    def _text(self, name: str, value: object, most: int = 2048) -> str:
        if value is None or value is False:
            return ""
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            self.add(f"cmk_{name} must be a text, but is {shown(value)}.")
            return ""
        text = str(value).strip()
        if len(text) > most or not text.isprintable():
            self.add(f"cmk_{name} must be one line of at most {most} characters, but is {shown(text)}.")
            return ""
        return text

    def matching(self, name: str, pattern: str, problem: str) -> str:
        """Read a text; unless it is empty, it must match the pattern as a whole. The problem shows it as ``{seen}``."""
        text = self.text(name)
        if text and not re.fullmatch(pattern, text):
            self.add(problem.format(seen=shown(text)))
            return ""
        return text

    def boolean(self, name: str, *, unset: bool = False) -> bool:
        """Read a boolean as Ansible and AWX write it; ``unset`` is what None and an empty text mean."""
        word = str(self.get(name)).strip().lower()
        if word not in (*_TRUE, *_FALSE, "none", ""):
            self.add(f"cmk_{name} must be true or false, but is {shown(self.get(name))}.")
        return word in _TRUE or (unset and word not in _FALSE)

    def number(self, name: str, *, least: float, most: float, whole: bool = False) -> float:
        """Read a number between two bounds."""
        return self._number(name, self.get(name), least, most, whole)

    def _number(self, name: str, value: object, least: float, most: float, whole: bool = False) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if isinstance(value, bool) or not least <= number <= most or (whole and number % 1):
            kind = "a whole number" if whole else "a number"
            self.add(f"cmk_{name} must be {kind} from {least:g} to {most:g}, but is {shown(value)}.")
            return least
        return number

    def duration(self, name: str, *, least: float, most: float) -> float:
        """Read a number of seconds, or a duration such as 30s, 5m, 8h, 2d or 1h30m, between two bounds; in seconds."""
        value = self.get(name)
        # No duration is longer, and the search takes the square of the length.
        text = str(value).strip().lower()
        text = text if len(text) <= _LONGEST_DURATION else ""
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])", text)
        if parts and re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?\s*[smhd]\s*)+", text):
            value = sum(float(count) * _SECONDS[unit] for count, unit in parts)
        elif isinstance(value, bool) or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text):
            self.add(
                f"cmk_{name} must be a number of seconds, or a duration such as 5m, 8h or 2d, but is {shown(value)}."
            )
            return least
        return self._number(name, value, least, most)

    def words(self, name: str) -> list[str]:
        """Read a list, or a text with commas (as a survey hands it); each word once, in the given order."""
        value = self.get(name)
        if isinstance(value, str):
            value = _json_or(value, [word for word in re.split(r"[,\n]", value) if word.strip()])
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self.add(f"cmk_{name} must be a list, or a text with commas, but is {shown(value)}.")
            return []
        return list(dict.fromkeys(word for word in (self._text(name, item) for item in value) if word))

    def account_ids(self, name: str) -> list[str]:
        """Read ids of AWS accounts, 12 digits each; an unquoted number in YAML has lost its leading zeros."""
        value = self.get(name)
        values = value if isinstance(value, (list, tuple)) else [value] if isinstance(value, int) else None
        if values is not None:
            texts = [f"{one:012d}" if isinstance(one, int) and not isinstance(one, bool) else one for one in values]
            self._given[name] = texts
        found = self.words(name)
        for account_id in found:
            if not re.fullmatch(r"[0-9]{12}", account_id):
                self.add(f"cmk_{name} must be 12 digits, or a list of such ids, but is {shown(account_id)}.")
        return found

    def mapping(self, name: str) -> dict[str, str]:
        """Read a map of text to text, or its JSON text (as a survey hands it)."""
        value = self.get(name)
        if isinstance(value, str):
            value = _json_or(value, value) if value.strip() else {}
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.add(f"cmk_{name} must be a map from region to key, but is {shown(value)}.")
            return {}
        return {self._text(name, key): self._text(name, inner) for key, inner in value.items()}


def shown(value: object) -> str:
    """Quote a value for a message, cut to a readable length; what may hold a password or token is not quoted."""
    text = repr(value)
    if "@" in text or ("?" in text and "=" in text):
        return "not shown here, since it may hold a secret"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def slug(org: str) -> str:
    """Make a name that is safe in paths and on one line, and that no other name gets.

    A short hash is added to a name that is changed for that, that differs from another one only in case (on some file
    systems they are the same), that could be a file or folder of ours, or that ends like a hash.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", org).strip(".-")[:64]
    if name and name == org and name == name.lower() and not _OUR_NAME.fullmatch(name):
        return name
    return f"{name or 'org'}-{hashlib.sha256(org.encode()).hexdigest()[:8]}"


def is_empty(value: object) -> bool:
    """Return whether a survey's answer was left empty."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json_or(text: str, otherwise: object) -> object:
    if text.lstrip()[:1] not in ("[", "{"):
        return otherwise
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise


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
            why = textwrap.shorten(plain(str(reason)), _MOST_OF_REASON, placeholder=" …").rstrip(".")
            problems.append(f"{name} cannot be read: {why}. Correct it where it is set, then run again.")
    return values, problems


def find_misspelt(variables: t.Iterable[str], documented: t.Collection[str], known: t.Collection[str]) -> list[str]:
    """Name the variables that look like one of the documented, and that nothing reads: they are not ``known`` either."""
    near = {name.removeprefix(_PREFIX): name for name in documented}
    warnings = []
    for name in sorted(variables):
        if name.startswith(_PREFIX) and name not in documented and name not in known:
            alike = difflib.get_close_matches(name.removeprefix(_PREFIX), near, n=1, cutoff=0.75)
            warnings += [f"{name} is no variable of this collection. Did you mean {near[one]}?" for one in alike]
    return warnings


def read_confirmation(extra: t.Mapping[str, t.Any]) -> object:
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
