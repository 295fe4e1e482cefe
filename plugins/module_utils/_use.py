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


def use(event: t.Mapping[str, t.Any], key_arn: str, context_tag: str = "") -> Use | None:
    """Read an event of LookupEvents (boto3) that proves that another account has used the key.

    :param context_tag: a word that must stand in a name or value of the encryption context; empty for any context
    :return: ``time`` (ISO 8601, UTC), ``name``, ``account_id``, ``source_ip``, ``event_id``; None if it proves nothing
    """
    found = foreign_use(event, key_arn)
    return found if found and _has_tag(_record(event), context_tag) else None


def foreign_use(event: t.Mapping[str, t.Any], key_arn: str) -> Use | None:
    """Do the same whatever the encryption context holds."""
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


def why_unused(others: t.Sequence[Use], since: str, context_tag: str, *, is_all: bool) -> str:
    """Say in one sentence why no use is proven.

    :param others: the uses by other accounts whose encryption context lacks the tag, the oldest first
    :param is_all: whether every event since then was read
    """
    if others:
        first = others[0]
        return (
            f"account {first['account_id']} has used the key ({first['name']} at {first['time']}), but without "
            f"{context_tag} in the encryption context."
        )
    if not is_all:
        return f"no use by another account is among the events since {since} that could be read; there are too many."
    return f"no use by another account since {since}."


def _has_tag(record: t.Mapping[str, t.Any], tag: str) -> bool:
    if not tag:
        return True
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
