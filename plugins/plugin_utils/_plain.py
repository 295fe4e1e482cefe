# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values as a module process gets and returns them: plain JSON, without secrets."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from collections.abc import Iterable, Mapping, Sequence

# What Ansible writes for a secret value as a whole, and inside a longer text.
_WHOLE: t.Final = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
_PART: t.Final = "********"


def to_plain(value: t.Any) -> t.Any:
    """Return a value as JSON holds it, without the marks that Ansible puts on texts (unsafe, origin, vault)."""
    return json.loads(json.dumps(value, default=_write))


def _write(value: t.Any) -> t.Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    # A value that an older Ansible decrypts when it is read is also a sequence.
    if isinstance(value, Iterable) and not hasattr(value, "encode") and not hasattr(value, "data"):
        return list(value)
    return str(value)


def mask(value: t.Any, secrets: Iterable[str]) -> t.Any:
    """Return a result in which no text holds a secret. Names and numbers stay."""
    # A secret may be a part of a longer one.
    return _mask(value, sorted({str(secret) for secret in secrets} - {""}, key=len, reverse=True))


def _mask(value: t.Any, secrets: Sequence[str]) -> t.Any:
    if isinstance(value, Mapping):
        return {name: _mask(item, secrets) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mask(item, secrets) for item in value]
    if not isinstance(value, str):
        return value
    if value in secrets:
        return _WHOLE
    for secret in secrets:
        value = value.replace(secret, _PART)
    return value
