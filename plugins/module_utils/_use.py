# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Does another account use a key again? Pure.

Calls on a key by another account are logged in both accounts, except those that are denied: these only in the caller's
(AWS KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail"). In the owner's history such a caller shows by
``userIdentity.accountId`` and ``sharedEventID``, without an ARN (AWS CloudTrail User Guide, "CloudTrail userIdentity
element"). DescribeKey works in every key state, so only cryptographic operations prove anything.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import typing as t

USES: t.Final = (
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncrypt",
)
# ReEncrypt has two of them ("ReEncrypt", AWS KMS Developer Guide, log entries).
_CONTEXTS: t.Final = ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")

Use = dict[str, t.Any]


def use(
    event: t.Mapping[str, t.Any], key_arn: str, context_tag: str = "", account_ids: t.Collection[str] = ()
) -> Use | None:
    """Read an event of LookupEvents (boto3) that proves a use by the account that is waited for.

    Any other account may use a key as well, so a use proves something only by one of two marks.

    :param context_tag: a word in a name or value of the encryption context; empty if it is not known
    :param account_ids: the accounts that the operator knows to be the one that is waited for
    :return: ``time`` (ISO 8601, UTC), ``name``, ``account_id``, ``source_ip``, ``event_id``; None if it proves nothing
    """
    foreign = foreign_use(event, key_arn)
    if foreign is None:
        return None
    is_tagged = bool(context_tag) and _has_tag(_record(event), context_tag)
    return foreign if is_tagged or foreign["account_id"] in account_ids else None


def foreign_use(event: t.Mapping[str, t.Any], key_arn: str) -> Use | None:
    """Read an event that shows a successful use by any account but the key's own; None for any other event."""
    record = _record(event)
    account_id = str(_map(record.get("userIdentity")).get("accountId") or "")
    is_other = re.fullmatch(r"[0-9]{12}", account_id) and account_id != key_arn.split(":")[4]
    is_use = event.get("EventName") in USES and record.get("eventSource") == "kms.amazonaws.com"
    if not (is_use and is_other) or record.get("errorCode") or record.get("errorMessage"):
        return None
    return {
        "time": event["EventTime"].astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "name": event["EventName"],
        "account_id": account_id,
        "source_ip": str(record.get("sourceIPAddress") or ""),
        "event_id": event["EventId"],
    }


def why_unused(
    others: t.Sequence[Use], since: str, context_tag: str, account_ids: t.Sequence[str] = (), *, is_all: bool
) -> str:
    """Say in one sentence why no use is proven.

    :param others: the uses by accounts that nothing identifies, the oldest first
    :param since: ISO 8601, UTC
    :param is_all: whether every event since then was read
    """
    if others:
        last = others[-1]
        accounts = sorted({other["account_id"] for other in others})
        by = f"account{'s' if len(accounts) > 1 else ''} {', '.join(accounts[:3])}"
        return (
            f"used by {by} ({last['name']}, last at {to_minute(last['time'])}), {_unidentified(context_tag, account_ids)}, "
            "so this is not proof."
        )
    if not is_all:
        return f"no use by another account is among the events since {to_minute(since)} that were read; there are more events."
    return f"no use by another account since {to_minute(since)}."


def _unidentified(context_tag: str, account_ids: t.Sequence[str]) -> str:
    if context_tag:
        named = " and not by a named account" if account_ids else ""
        return f"without {context_tag} in the encryption context{named}"
    return "which is not a named account" if account_ids else "and no context tag is configured"


def to_minute(moment: str) -> str:
    """Write a time (ISO 8601, UTC) as people read it."""
    return f"{moment[:16].replace('T', ' ')} UTC"


def _has_tag(record: t.Mapping[str, t.Any], tag: str) -> bool:
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(tag)}(?![A-Za-z0-9])")
    contexts = [_map(_map(record.get("requestParameters")).get(name)) for name in _CONTEXTS]
    return any(word.search(str(text)) for context in contexts for pair in context.items() for text in pair)


def _map(value: object) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _record(event: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    try:
        return _map(json.loads(event.get("CloudTrailEvent") or "{}"))
    except ValueError:
        return {}
