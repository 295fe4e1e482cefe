# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of the evidence, which is JSON. docs/evidence.schema.json describes it field by field.

Times are ISO 8601 in UTC, to the second, or None if unknown; texts are empty if unknown.
"""

from __future__ import annotations

import typing as t


class Call(t.TypedDict):
    """One call to AWS."""

    operation: str
    at: str | None
    error: str
    request_id: str


class Event(t.TypedDict):
    """One event of CloudTrail."""

    time: str | None
    name: str
    user_arn: str
    source_ip: str
    event_id: str
    error_code: str
    region: str


class Lost(t.TypedDict):
    """How access to a key was lost."""

    revoked_at: str | None
    revoked_by: str
    revoked_how: str
    event_id: str
    automation: str


class Loss(Lost):
    """What CloudTrail tells of a key: the loss that nothing has undone, the last one, and what came with them."""

    restored_at: str | None
    last_revocation: Lost | None
    events: list[Event]
    suspects: list[Event]
    reason: str


class Access(t.TypedDict):
    """How policy and grants differ from the saved copy."""

    changed: bool
    diff: str
    note: str


class Part(t.TypedDict):
    """What became of a key or of the trust statement."""

    arn: str
    account_id: str
    state_at_revocation: str
    state_before: str
    state_after: str
    ok: bool
    changed: bool
    actions: list[str]
    waited: float | None
    error: str
    hint: str
    calls: list[Call]


class Region(Part):
    """One key."""

    region: str
    label: str
    reference: str
    key_id: str
    proven_at: str | None  # when AWS permitted EnableKey on the key while it was Enabled
    revocation: Loss | None
    access: Access | None


class Trust(Part):
    """BYOK's trust statement."""

    role: str
    diff: str


class Window(t.TypedDict):
    """Where the run was in Atlassian's window."""

    known: bool
    revoked_at: str | None
    days_elapsed: float | None
    reinstate_by: str | None
    at_risk_after: str | None
    hours_left: float | None
    phase: str
    deletion_date: str | None
    expiry_date: str | None
    deadline: str | None
    expected_completion: str | None
    says: str
    error: str


class Ticket(t.TypedDict):
    """What became of the ticket."""

    key: str
    mode: str
    told: bool
    already_told: bool
    comment_id: str
    url: str
    mailed_to: str
    mailed_at: str | None
    code: str
    error: str
    hint: str
    told_by: str
    told_at: str | None
    told_note: str
    comment: str


class Check(t.TypedDict):
    """What a rehearsal has proven or predicts."""

    subject: str
    label: str
    outcome: str
    says: str
    by: str


class FirstUse(t.TypedDict):
    """A use of a key by the account that is waited for."""

    time: str | None
    name: str
    account_id: str
    source_ip: str
    event_id: str


class Use(t.TypedDict):
    """Whether a key is used by that account."""

    region: str
    arn: str
    since: str | None
    looked_up: bool
    first_use: FirstUse | None
    is_first: bool
    reason: str


class Reply(t.TypedDict):
    """The answer on the ticket."""

    name: str
    at: str | None
    text: str
    url: str


class Verification(t.TypedDict):
    """Whether Atlassian is back."""

    verdict: str
    reason: str
    looks: int
    checks: list[dict[str, str]]
    use: list[Use]
    ticket_status: str
    reply: Reply | None
    sites: list[dict[str, t.Any]]


class Verdict(t.TypedDict):
    """What a person wants to know first."""

    code: str  # stable
    tone: str  # good, attention (a person must act), bad, plan (nothing was changed), waiting (for Atlassian alone)
    headline: str
    detail: str


class Moment(t.TypedDict):
    """A moment of the timeline."""

    at: str
    kind: str
    region: str
    label: str


class Earlier(t.TypedDict):
    """An earlier run of the same restoration."""

    run: str  # its folder's name
    entry_point: str
    at: str | None


class Facts(t.TypedDict):
    """The evidence but for what is judged by it."""

    schema: str
    version: int
    collection_version: str
    entry_point: str
    check_mode: bool
    predicted: bool
    org: str
    programme: str
    realm: str
    status: str
    error: str
    reference: str
    revocation: dict[str, str]
    started_at: str | None
    finished_at: str | None
    restored_at: str | None
    ran_by: dict[str, str]
    versions: dict[str, str]
    previous: dict[str, str] | None
    earlier_runs: list[Earlier]
    regions: list[Region]
    trust: Trust | None
    window: Window
    ticket: Ticket
    verification: Verification | None
    checks: list[Check]


class Judged(Facts):
    """The evidence but for the timeline."""

    verdict: Verdict
    warnings: list[str]


class Evidence(Judged):
    """The evidence of a run."""

    timeline: list[Moment]
