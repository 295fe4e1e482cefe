# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does another account use a key again? Pure.

Calls on a key by another account are logged in both accounts, except those that are denied: these only in the caller's
(AWS KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail"). In the owner's history such a caller shows by
``userIdentity.accountId`` and ``sharedEventID``, without an ARN (AWS CloudTrail User Guide, "CloudTrail userIdentity
element"). DescribeKey works in every key state, so only cryptographic operations prove anything.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._time import to_minute
from .events import TrailEvent

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


@dataclass(frozen=True)
class Marks:
    """What identifies the account that is waited for; any other account may use a key as well."""

    context_tag: str = ""  # a word in a name or value of the encryption context
    account_ids: tuple[str, ...] = ()  # the accounts that the operator knows to be the one

    def __bool__(self) -> bool:
        return bool(self.context_tag or self.account_ids)

    def __str__(self) -> str:
        """Say what a use that is no proof lacks."""
        if self.context_tag:
            named = " and not by a named account" if self.account_ids else ""
            return f"without {self.context_tag} in the encryption context{named}"
        return "which is not a named account" if self.account_ids else "and no context tag is configured"


@dataclass(frozen=True)
class Use:
    """A use of a key by another account, as the module returns it; ``time`` is ISO 8601 in UTC."""

    time: str
    name: str
    account_id: str
    source_ip: str
    event_id: str


def proven_use(event: TrailEvent, key_arn: str, marks: Marks) -> Use | None:
    """Read an event that proves a use by the account that is waited for; None if it proves nothing."""
    return _by_vendor(event, foreign_use(event, key_arn), marks)


def refused_use(event: TrailEvent, key_arn: str, marks: Marks) -> Use | None:
    """Read an event that shows a call by the account that is waited for on a key that is Disabled; None for any other.

    AWS logs calls of others that the key policy denies in their own account only, so such an event is a sign that the
    policy admits them. That there is none means nothing.
    """
    is_refused = event.record.get("errorCode") == "DisabledException"
    return _by_vendor(event, _foreign_call(event, key_arn), marks) if is_refused else None


def _by_vendor(event: TrailEvent, use: Use | None, marks: Marks) -> Use | None:
    is_tagged = bool(marks.context_tag) and _has_tag(event, marks.context_tag)
    return use if use and (is_tagged or use.account_id in marks.account_ids) else None


def foreign_use(event: TrailEvent, key_arn: str) -> Use | None:
    """Read an event that shows a successful use by any account but the key's own; None for any other event."""
    failed = event.record.get("errorCode") or event.record.get("errorMessage")
    return None if failed else _foreign_call(event, key_arn)


def _foreign_call(event: TrailEvent, key_arn: str) -> Use | None:
    account_id = str(event.part("userIdentity").get("accountId") or "")
    is_other = re.fullmatch(r"[0-9]{12}", account_id) and account_id != key_arn.split(":")[4]
    is_use = event.name in USES and event.record.get("eventSource") == "kms.amazonaws.com"
    if not (is_use and is_other):
        return None
    source_ip = str(event.record.get("sourceIPAddress") or "")
    return Use(event.time, event.name, account_id, source_ip, event.event_id)


def why_unused(others: t.Sequence[Use], since: str, marks: Marks, *, is_all: bool) -> str:
    """Say in one sentence why no use is proven; ``others`` are those that nothing identifies, the oldest first."""
    if others:
        last = others[-1]
        accounts = sorted({other.account_id for other in others})
        by = f"account{'s' if len(accounts) > 1 else ''} {', '.join(accounts[:3])}"
        return f"used by {by} ({last.name}, last at {to_minute(last.time)}), {marks}, so this is not proof."
    if not is_all:
        return f"no use by another account is among the events since {to_minute(since)} that were read; there are more events."
    return f"no use by another account since {to_minute(since)}."


def _has_tag(event: TrailEvent, tag: str) -> bool:
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(tag)}(?![A-Za-z0-9])")
    contexts = [event.part("requestParameters").get(name) for name in _CONTEXTS]
    pairs = [pair for context in contexts if isinstance(context, dict) for pair in context.items()]
    return any(word.search(str(text)) for pair in pairs for text in pair)
