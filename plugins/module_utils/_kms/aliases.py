# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a region whose aliases begin alike. Read only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._aws_errors import AWS_ERRORS, explain
from .._calls import Calls
from .._refusals import RefusedError, refusal
from .change import Outcome
from .states import account_of

# 50 a page (AWS KMS API Reference, ListAliases): far more than anybody has, and an end for an answer that has none.
MOST_PAGES: t.Final = 200


@dataclass(frozen=True)
class Alias:
    """An alias, as ListAliases names it; ``key_id`` is None where it belongs to no key."""

    name: str
    account_id: str
    key_id: str | None


class AliasClient(t.Protocol):
    """The part of boto3's KMS client that is used."""

    def list_aliases(self, **params: str) -> dict[str, t.Any]: ...


def find_keys(client: AliasClient, calls: Calls, region: str, prefix: str, account_id: str | None) -> list[Outcome]:
    """Find the keys of a region that have an alias with ``prefix``, in the order of the aliases.

    :param calls: the first outcome has them
    :param account_id: for the message only; None if it is not known
    :return: an outcome each, which names a key by its first alias, or carries the refusal. If there are too many aliases to read,
        the last outcome says so
    """
    try:
        listed, is_all = _listed(client, region, calls)
    except RefusedError as refused:
        return [Outcome(f"{prefix}*", region, calls=calls, refusal=refused.refusal)]
    outcomes = _named(listed, region, prefix)
    if not is_all:
        why = refusal("too_many_aliases", prefix=prefix, region=region, most=MOST_PAGES * 50)
        outcomes.append(Outcome(f"{prefix}*", region, refusal=why))
    if not outcomes:
        owners = [account_id, *(alias.account_id for alias in listed), "of the credentials in use"]
        account = next(filter(None, owners))
        why = refusal("no_such_alias", prefix=prefix, region=region, account_id=account)
        outcomes.append(Outcome(f"{prefix}*", region, refusal=why))
    outcomes[0].calls = calls
    return outcomes


def _named(listed: list[Alias], region: str, prefix: str) -> list[Outcome]:
    outcomes: list[Outcome] = []
    known: set[str] = set()
    matching = (alias for alias in listed if alias.name.startswith(prefix))
    for alias in sorted(matching, key=lambda alias: alias.name):
        if not alias.key_id:
            why = refusal("alias_without_key", alias=alias.name, region=region)
            outcomes.append(Outcome(alias.name, region, refusal=why))
        elif alias.key_id not in known:
            known.add(alias.key_id)
            outcomes.append(Outcome(alias.name, region))
    return outcomes


def _listed(client: AliasClient, region: str, calls: Calls) -> tuple[list[Alias], bool]:
    """Return the aliases of a region, and whether these are all."""
    listed: list[Alias] = []
    params: dict[str, str] = {}
    for _page in range(MOST_PAGES):
        try:
            answer = calls.make("ListAliases", client.list_aliases, **params)
        except AWS_ERRORS as error:
            raise RefusedError(explain(error, "ListAliases", region)) from error
        listed += [
            Alias(alias["AliasName"], account_of(alias["AliasArn"]), alias.get("TargetKeyId"))
            for alias in answer["Aliases"]
        ]
        if not answer.get("Truncated"):
            return listed, True
        params = {"Marker": answer["NextMarker"]}
    return listed, False
