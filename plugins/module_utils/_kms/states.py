# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that knows AWS's table of key states. Pure: no AWS, no Ansible.

Source: AWS KMS Developer Guide, "Key states of AWS KMS keys"
(https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html).
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t
from dataclasses import dataclass

from .._refusals import Refusal, RefusedError, refusal
from .._time import to_minute, write_time

State = t.Literal["enabled", "disabled"]

KEY_STATES: t.Final = (
    "Creating",
    "Disabled",
    "Enabled",
    "PendingDeletion",
    "PendingImport",
    "PendingReplicaDeletion",
    "Unavailable",
    "Updating",
)

_KEY_ID = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS = r"alias/[a-zA-Z0-9/_-]{1,250}"
_REFERENCE: t.Final = re.compile(
    rf"(?:arn:(?P<partition>aws[a-z-]*):kms:(?P<region>[a-z0-9-]+):(?P<account_id>[0-9]{{12}}):(?P<in_arn>key/{_KEY_ID}|{_ALIAS})"
    rf"|(?P<bare>{_KEY_ID}|{_ALIAS}))"
)
_PARTITIONS: t.Final = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
)


@dataclass(frozen=True)
class KeyMetadata:
    """What DescribeKey says of a key (``KeyMetadata``), as boto3 answers it."""

    answer: t.Mapping[str, t.Any]

    @property
    def key_id(self) -> str:
        return str(self.answer["KeyId"])

    @property
    def arn(self) -> str:
        return str(self.answer["Arn"])

    @property
    def key_state(self) -> str:
        return str(self.answer["KeyState"])

    @property
    def account_id(self) -> str:
        return account_of(self.arn)

    @property
    def is_of_aws(self) -> bool:
        return bool(self.answer.get("KeyManager") == "AWS")

    @property
    def deletion_date(self) -> str:
        date = self.answer.get("DeletionDate")
        return to_minute(write_time(date)) if isinstance(date, dt.datetime) else str(date or "an unknown date")


@dataclass(frozen=True)
class Wish:
    """What the caller wants of one key."""

    state: State = "enabled"
    cancel_deletion: bool = False
    account_id: str | None = None  # None where any owner is fine
    proves: bool = False  # kms:EnableKey is to be proven on a key that is Enabled

    @property
    def key_state(self) -> str:
        return self.state.capitalize()


@dataclass(frozen=True)
class Plan:
    """The operations that lead from ``before`` to ``after``, in order; empty when nothing is to be done."""

    actions: tuple[str, ...]
    before: str
    after: str


def partition_of(region: str) -> str:
    """Name the AWS partition that ``region`` belongs to (``aws`` for all that is not known to be elsewhere)."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


def account_of(arn: str) -> str:
    """Name the account in an ARN. (DescribeKey's own AWSAccountId is optional: AWS KMS API reference, KeyMetadata.)"""
    return arn.split(":")[4]


def is_key_arn(text: str) -> bool:
    """Tell whether a text is the ARN of a key, not of an alias."""
    match = _REFERENCE.fullmatch(text)
    return bool(match and match["in_arn"] and match["in_arn"].startswith("key/"))


def read_region(key_arn: str, region: str | None) -> str:
    """Return the region of a key; RefusedError unless this is the ARN of a key, in ``region`` if one is given."""
    if not is_key_arn(key_arn):
        raise RefusedError(refusal("invalid_key_arn", seen=repr(key_arn)))
    expected = region or key_arn.split(":")[3]
    unfit = check_reference(key_arn, expected, None)
    if unfit:
        raise RefusedError(unfit)
    return expected


def check_reference(reference: str, region: str, account_id: str | None) -> Refusal | None:
    """Tell why ``reference`` cannot be the key of ``region`` (and of ``account_id``), without a call; None when it can.

    Formats: AWS KMS API reference, DescribeKey, ``KeyId``.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return refusal("invalid_reference", reference=repr(reference[:300]), region=region)
    if (match["bare"] or match["in_arn"]).startswith("alias/aws/"):
        return refusal("aws_managed_alias", reference=reference)
    if match["region"] is None:
        return None
    if match["region"] != region:
        return refusal("wrong_region", reference=reference, seen=match["region"], region=region)
    if match["partition"] != partition_of(region):
        return refusal(
            "wrong_partition",
            reference=reference,
            seen=match["partition"],
            region=region,
            partition=partition_of(region),
        )
    if account_id and match["account_id"] != account_id:
        return refusal(
            "reference_of_other_account", reference=reference, seen=match["account_id"], account_id=account_id
        )
    return None


def plan(metadata: KeyMetadata, wish: Wish) -> Plan | Refusal:
    """Decide what ``wish`` needs of a key: EnableKey, DisableKey, CancelKeyDeletion, and never anything else."""
    arn, key_state = metadata.arn, metadata.key_state
    if wish.account_id and metadata.account_id != wish.account_id:
        return refusal("owner_differs", arn=arn, seen=metadata.account_id, account_id=wish.account_id)
    if metadata.is_of_aws:
        return refusal("aws_managed_key", arn=arn)
    if key_state in ("Enabled", "Disabled"):
        change = {"Enabled": "EnableKey", "Disabled": "DisableKey"}[wish.key_state]
        return Plan(() if key_state == wish.key_state else (change,), key_state, wish.key_state)
    if key_state in ("PendingDeletion", "PendingReplicaDeletion") and wish.cancel_deletion:
        # CancelKeyDeletion leaves the key Disabled, never Enabled.
        enable = ("EnableKey",) if wish.state == "enabled" else ()
        return Plan(("CancelKeyDeletion", *enable), key_state, wish.key_state)
    return _refused_state(metadata)


def _refused_state(metadata: KeyMetadata) -> Refusal:
    arn, key_state = metadata.arn, metadata.key_state
    if key_state == "PendingDeletion":
        return refusal("pending_deletion", arn=arn, deletion_date=metadata.deletion_date)
    if key_state == "PendingReplicaDeletion":
        days = metadata.answer.get("PendingDeletionWindowInDays")
        return refusal("pending_replica_deletion", arn=arn, window=f"{days} days" if days else "the waiting period")
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", key_state).lower()
    if code in ("unavailable", "pending_import", "creating", "updating"):
        return refusal(code, arn=arn)
    return refusal("unknown_state", arn=arn, key_state=key_state)
