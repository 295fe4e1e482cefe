"""What kms_key_revocation_info derives for all keys from its result for each."""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import AccessEvent
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation_info import summarize


def over_all(keys: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """Return ``revoked_at``, ``last_loss``, ``identity`` and ``complete``; of each key ``arn``, ``events`` and ``complete`` count."""
    histories = [(str(key["arn"]), [AccessEvent(**event) for event in key["events"]]) for key in keys]
    return summarize(histories, complete=all(key["complete"] for key in keys))
