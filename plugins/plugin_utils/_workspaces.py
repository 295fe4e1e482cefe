# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What Atlassian itself reports of the organization's apps. Asked with Ansible's own client, within bounds.

Source: Atlassian's organizations REST API, "Get list of workspaces" (POST /admin/v2/orgs/{orgId}/workspaces). Whether a
suspension because of CMK shows there is not documented, so no verdict rests on it.
"""

from __future__ import annotations

import http.client
import json
import re
import typing as t
import urllib.error
from dataclasses import dataclass

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import ask, read_body, within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted

_SECONDS: t.Final = 20
_MOST_BYTES: t.Final = 1 << 20  # of a page
_MOST_PAGES: t.Final = 20
_PAGE: t.Final = 20
_MOST_SHOWN: t.Final = 5
_WHY: t.Final = {
    401: "it does not accept the key",
    403: "the key may not read them",
    404: "it has no such organization",
    429: "it is under load",
}


@dataclass(frozen=True)
class App:
    """An instance of one of Atlassian's apps; its texts are short lines without control characters."""

    name: str
    status: str
    is_online: bool

    @classmethod
    def from_json(cls, known: t.Any) -> App:
        """Read an entry of ``data``. Raises AttributeError, KeyError or TypeError for anything else."""
        attributes = known["attributes"]
        status, details = attributes["status"], attributes.get("statusDetails") or []
        if not isinstance(status, str) or not isinstance(details, list):
            raise TypeError
        names = [str(attributes[name]) for name in ("typeKey", "hostUrl") if attributes.get(name)]
        words = f"{status} ({', '.join(map(str, details))})" if details else status
        return cls(quoted(" ".join(names) or "an app", 120), quoted(words, 80), status == "online")


def ask_atlassian(url: str, key: str) -> tuple[str, str]:
    """Ask for the status of every app; the key goes to this URL and nowhere else.

    :return: the outcome of the check, and a sentence: what Atlassian reports, or why it was not read
    """
    # An unfit header would be quoted in the client's error.
    if not re.fullmatch(r"[!-~]+", key):
        return _unread("the key is not set, or is not one word")
    try:
        return _describe(within(_SECONDS, lambda: _read_apps(url, key)))
    except urllib.error.HTTPError as error:
        with error:
            return _unread(f"{_WHY.get(error.code, 'it did not answer as documented')} (HTTP {error.code})")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _unread(quoted(str(getattr(error, "reason", error)), 160))


def _unread(message: str) -> tuple[str, str]:
    return "unknown", str(refusal("atlassian_unread", message=message))


def _read_apps(url: str, key: str) -> list[App]:
    apps: list[App] = []
    body: dict[str, t.Any] = {"limit": _PAGE}
    for _page in range(_MOST_PAGES):
        answer = _post(url, key, body)
        try:
            page = json.loads(answer)
            apps += map(App.from_json, page["data"])
            cursor = (page.get("links") or {}).get("next")
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise ValueError("its answer is not the documented JSON") from None
        if not cursor:
            return apps
        # Beside a cursor, the API takes nothing else.
        body = {"cursor": cursor}
    raise ValueError(f"it sent more than {_MOST_PAGES} pages")


def _post(url: str, key: str, body: dict[str, t.Any]) -> bytes:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept": "application/json"}
    with ask(url, method="POST", data=json.dumps(body).encode(), headers=headers, timeout=_SECONDS) as response:
        answer = read_body(response, _MOST_BYTES, _SECONDS)
    if answer is None:
        raise ValueError(f"its answer has more than {_MOST_BYTES >> 20} MiB")
    return answer


def _describe(apps: t.Sequence[App]) -> tuple[str, str]:
    others = [f"{app.name} is {app.status}" for app in apps if not app.is_online]
    more = [f"and {len(others) - _MOST_SHOWN} more"] if len(others) > _MOST_SHOWN else []
    says = f"Atlassian reports {len(apps) - len(others)} of {len(apps)} apps online"
    if others:
        return "open", f"{says}: {', '.join([*others[:_MOST_SHOWN], *more])}."
    return ("good" if apps else "open"), f"{says}."
