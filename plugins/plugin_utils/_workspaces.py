# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Atlassian itself reports of the organization's apps.

Source: Atlassian's organizations REST API, "Get list of workspaces" (POST /admin/v2/orgs/{orgId}/workspaces). Whether a
suspension because of CMK shows there is not documented, so no verdict rests on it.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._client import run_within
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import quoted
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import get

Check = tuple[str, str]

_SECONDS: t.Final = 20
_MOST_PAGES: t.Final = 20
_MOST_SHOWN: t.Final = 5
_WHY: t.Final = {
    401: "it does not accept the key",
    403: "the key may not read them",
    404: "it has no such organization",
    429: "it is under load",
}


def ask_atlassian(url: str, key: str) -> Check:
    """Ask for the status of every app; return the outcome, and what Atlassian reports or why it was not read."""
    # An unfit header would be quoted in the client's error.
    if not re.fullmatch(r"[!-~]+", key):
        return _unread("the key is not set, or is not one word")
    return run_within(_SECONDS, lambda: _read_apps(url, key)) or _unread(f"no answer within {_SECONDS:g} seconds")


def _unread(message: str) -> Check:
    return "unknown", str(refusal("atlassian_unread", message=message))


def _read_apps(url: str, key: str) -> Check:
    apps: list[tuple[str, str]] = []
    body: dict[str, t.Any] = {"limit": 20}
    for _page in range(_MOST_PAGES):
        answer = get(url, "", key, body)
        if answer["status"] != 200:
            message = quoted(answer["msg"] or f"HTTP status {answer['status']}", 160)
            return _unread(f"{_WHY[answer['status']]} ({message})" if answer["status"] in _WHY else message)
        try:
            page = answer["json"]
            apps += [_app(app["attributes"]) for app in page["data"]]
            cursor = (page.get("links") or {}).get("next")
        except (AttributeError, KeyError, TypeError):
            return _unread("its answer is not the documented JSON")
        if not cursor:
            return _describe(apps)
        # Beside a cursor, the API takes nothing else.
        body = {"cursor": cursor}
    return _unread(f"it sent more than {_MOST_PAGES} pages")


def _app(attributes: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """Return an app's status, and a sentence about it. Raises KeyError or TypeError for anything that is none."""
    status, details = attributes["status"], attributes.get("statusDetails") or []
    if not isinstance(status, str) or not isinstance(details, list):
        raise TypeError
    name = " ".join(str(attributes[name]) for name in ("typeKey", "hostUrl") if attributes.get(name))
    why = f" ({', '.join(map(str, details))})" if details else ""
    return status, quoted(f"{name or 'an app'} is {status}{why}", 200)


def _describe(apps: t.Sequence[tuple[str, str]]) -> Check:
    others = [says for status, says in apps if status != "online"]
    more = [f"and {len(others) - _MOST_SHOWN} more"] if len(others) > _MOST_SHOWN else []
    says = f"Atlassian reports {len(apps) - len(others)} of {len(apps)} apps online"
    if others:
        return "open", f"{says}: {', '.join([*others[:_MOST_SHOWN], *more])}."
    return ("good" if apps else "open"), f"{says}."
