# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""The keys of a region whose aliases begin alike. Read only."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._aws_errors import AWS_ERRORS, aws_code, explain
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms import Outcome
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError, refusal

Alias = dict[str, t.Any]


class AliasClient(t.Protocol):
    """The part of boto3's KMS client that is used."""

    def list_aliases(self, **params: str) -> dict[str, t.Any]: ...


def find(client: AliasClient, region: str, prefix: str, account_id: str | None) -> list[Outcome]:
    """Find the keys of a region that have an alias with ``prefix``, in the order of the aliases.

    :param account_id: for the message only; None if it is not known
    :return: an outcome each, which names a key by its first alias, or carries the refusal; the first one has the calls
    """
    calls: list[dict[str, str]] = []
    try:
        listed = _listed(client, region, calls)
    except RefusedError as refused:
        return [Outcome(f"{prefix}*", region, calls=calls, refusal=refused.refusal)]
    owners = [account_id, *(alias["AliasArn"].split(":")[4] for alias in listed), "of the credentials in use"]
    outcomes: list[Outcome] = []
    seen: set[str] = set()
    for alias in sorted(
        (one for one in listed if one["AliasName"].startswith(prefix)), key=lambda one: str(one["AliasName"])
    ):
        name, key_id = alias["AliasName"], alias.get("TargetKeyId")
        if not key_id:
            outcomes.append(Outcome(name, region, refusal=refusal("alias_without_key", alias=name, region=region)))
        elif key_id not in seen:
            seen.add(key_id)
            outcomes.append(Outcome(name, region))
    if not outcomes:
        account = next(filter(None, owners))
        why = refusal("no_such_alias", prefix=prefix, region=region, account_id=account)
        outcomes.append(Outcome(f"{prefix}*", region, refusal=why))
    outcomes[0].calls = calls
    return outcomes


def _listed(client: AliasClient, region: str, calls: list[dict[str, str]]) -> list[Alias]:
    found: list[Alias] = []
    params: dict[str, str] = {}
    while True:
        call = {"operation": "ListAliases", "at": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
        calls.append({**call, "error": ""})
        try:
            answer = client.list_aliases(**params)
        except AWS_ERRORS as error:
            calls[-1]["error"] = aws_code(error) or type(error).__name__
            raise RefusedError(explain(error, "ListAliases", region)) from error
        found += answer["Aliases"]
        if not answer.get("Truncated"):
            return found
        params = {"Marker": answer["NextMarker"]}
