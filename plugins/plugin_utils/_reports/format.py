# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence, which is JSON: its fields, each read by its type. docs/evidence.schema.json explains them.

Times are ISO 8601 in UTC, to the second, or None if unknown; texts are empty if unknown.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._checks import OUTCOMES
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._rehearsal import OUTCOMES as REHEARSED
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.fields import (
    Link,
    Name,
    Number,
    Time,
    one_of,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._restored import VERDICTS

PHASES: t.Final = ("reinstatable", "uncertain", "at_risk", "unknown")


class Call(t.TypedDict):  # to AWS
    operation: str
    at: Time
    error: str
    request_id: str


class Event(t.TypedDict):  # of CloudTrail
    time: Time
    name: str
    user_arn: str
    source_ip: str
    event_id: str
    error_code: str
    region: str


class Lost(t.TypedDict):
    """How access to a key was lost."""

    revoked_at: Time
    revoked_by: str
    revoked_how: str
    event_id: str
    automation: str


class Loss(Lost):
    """What CloudTrail shows of a key: the loss that nothing has undone, the last one, and what came with them."""

    restored_at: Time
    last_revocation: Lost | None
    events: list[Event]
    suspects: list[Event]
    reason: str


class Access(t.TypedDict):
    """How policy and grants differ from the saved copy."""

    changed: bool
    diff: str
    note: str


class Region(t.TypedDict):
    """What became of a key."""

    region: str
    label: str
    reference: str
    key_id: str
    proven_at: Time  # when AWS permitted EnableKey on the key while it was Enabled
    arn: str
    account_id: str
    state_at_revocation: str
    state_before: str
    state_after: str
    ok: bool
    changed: bool
    actions: list[str]
    waited: Number
    error: str
    hint: str
    calls: list[Call]
    revocation: Loss | None
    access: Access | None


class Trust(t.TypedDict):
    """What became of BYOK's trust statement."""

    role: str
    arn: str
    account_id: str
    state_at_revocation: str
    state_before: str
    state_after: str
    ok: bool
    changed: bool
    actions: list[str]
    waited: Number
    error: str
    hint: str
    calls: list[Call]
    diff: str


class Window(t.TypedDict):
    known: bool
    revoked_at: Time
    days_elapsed: Number
    reinstate_by: Time
    at_risk_after: Time
    hours_left: Number
    phase: t.Annotated[str, one_of(PHASES, "unknown")]
    deletion_date: Time
    expiry_date: Time
    deadline: Time
    expected_completion: Time
    says: str
    error: str


class Ticket(t.TypedDict):
    key: str
    mode: str
    told: bool
    already_told: bool
    comment_id: str
    url: Link
    mailed_to: str
    mailed_at: Time
    code: str
    error: str
    hint: str
    told_by: str
    told_at: Time
    told_note: str
    comment: str


class Check(t.TypedDict):  # of a rehearsal
    subject: str
    label: str
    outcome: t.Annotated[str, one_of(REHEARSED, "unknown")]
    says: str
    by: str


class FirstUse(t.TypedDict):
    """A use of a key by the account that is waited for."""

    time: Time
    name: str
    account_id: str
    source_ip: str
    event_id: str


class Use(t.TypedDict):
    """Whether that account uses a key."""

    region: str
    arn: str
    since: Time
    looked_up: bool
    first_use: FirstUse | None
    is_first: bool
    reason: str


class Reply(t.TypedDict):
    name: str
    at: Time
    text: str
    url: Link


class Finding(t.TypedDict):  # of a verification
    check: str
    outcome: t.Annotated[str, one_of(OUTCOMES, "unknown")]
    says: str


class Site(t.TypedDict):
    site: str
    up: bool
    status: Number
    says: str


class Verification(t.TypedDict):
    verdict: t.Annotated[str, one_of(VERDICTS, "needs_attention")]
    reason: str
    looks: int
    checks: list[Finding]
    use: list[Use]
    ticket_status: str
    reply: Reply | None
    sites: list[Site]


class Previous(t.TypedDict):
    """The run before, to which this one is chained."""

    run: Name
    sha256: str


class Earlier(t.TypedDict):
    """An earlier run of the same restoration."""

    run: Name  # its folder's name
    entry_point: Name
    at: Time


class Revocation(t.TypedDict):
    identity: str
    source: str
    reason: str


class Runner(t.TypedDict):  # who ran it, and where
    user: str
    host: str
    job: str
    workflow_job: str
    arn: str
    account_id: str


class Versions(t.TypedDict):
    ansible_core: str
    amazon_aws: str
    boto3: str
    botocore: str


class Facts(t.TypedDict):
    """The evidence but for what follows from it."""

    schema: str
    version: int
    collection_version: str
    entry_point: str
    check_mode: bool
    predicted: bool
    org: str
    programme: t.Annotated[str, one_of(["byok"], "cmk")]
    realm: str
    status: str
    error: str
    reference: str
    revocation: Revocation
    started_at: Time
    finished_at: Time
    restored_at: Time
    ran_by: Runner
    versions: Versions
    previous: Previous | None
    earlier_runs: list[Earlier]
    regions: list[Region]
    trust: Trust | None
    window: Window
    ticket: Ticket
    verification: Verification | None
    checks: list[Check]


class Verdict(t.TypedDict):
    """What a person wants to know first."""

    code: str  # stable
    tone: str  # good, attention (a person must act), bad, plan (nothing was changed), waiting (for Atlassian alone)
    headline: str
    detail: str


class Moment(t.TypedDict):
    at: str
    kind: str
    region: str
    label: str


class Evidence(Facts):
    verdict: Verdict
    warnings: list[str]
    timeline: list[Moment]
