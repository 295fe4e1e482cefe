# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Many organizations in one run: how many ended how, and which need a person. Pure."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import OK_STATUSES

# The worst first: that is what a person must see.
_ORDER: t.Final = (
    "failed",
    "partial",
    "needs_attention",
    "handover_pending",
    "waiting",
    "planned",
    "restored",
    "already_restored",
    "nothing_to_restore",
    "revoked",
    "already_revoked",
)
# Where Atlassian is waited for, nobody has anything to do.
_FOR_A_PERSON: t.Final = ("failed", "partial", "needs_attention", "handover_pending")


def fleet(ended: t.Iterable[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Sum up the runs of many organizations.

    :param ended: of each organization ``result`` (``cmk_result``), ``failure`` (why it ended with an error; empty if all
        is well) and ``folder`` (of its reports; empty if there are none)
    :return: ``total``; ``counts`` (status to number, the worst first); ``organizations`` (``org``, ``realm``,
        ``status``, ``told``, ``mailed``, ``failure``, ``folder``, ``ok``), the worst first, then by name; and ``attention``, those
        of them that need a person
    """
    found = [
        {
            **{name: one["result"][name] for name in ("org", "realm", "status")},
            "told": bool(one["result"]["ticket"]["told"]),
            "mailed": bool(one["result"]["ticket"].get("mailed_at")),
            "failure": str(one["failure"]),
            "folder": str(one["folder"]),
            "ok": one["result"]["status"] in OK_STATUSES,
        }
        for one in ended
    ]
    found.sort(key=lambda one: (_ORDER.index(one["status"]), one["org"]))
    counts = collections.Counter(one["status"] for one in found)
    return {
        "total": len(found),
        "counts": {status: counts[status] for status in _ORDER if counts[status]},
        "organizations": found,
        "attention": [one for one in found if one["status"] in _FOR_A_PERSON],
    }
