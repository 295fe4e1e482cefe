"""Runs of every kind with fixed times, for the evidence and the reports."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import to_minute
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._access_loss import (
    AccessLoss,
    add_own_revocation,
    find_access_loss,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._keys import Keys
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._result import make_result
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import Run as Made
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._trail import Trail
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import find_window
from tests.tools.losses import over_all

Run: t.TypeAlias = dict[str, t.Any]

ACCOUNT: t.Final = "111122223333"
OPERATOR: t.Final = f"arn:aws:sts::{ACCOUNT}:assumed-role/cmk-restore/cmk-acme"
ADMIN: t.Final = f"arn:aws:iam::{ACCOUNT}:user/key-administrator"
KEY_IDS: t.Final = {
    "us-east-1": "1234abcd-12ab-34cd-56ef-1234567890ab",
    "us-west-2": "0987dcba-09fe-87dc-65ba-ab0987654321",
    "ap-northeast-1": "5678efab-56ef-78ab-90cd-567890abcdef",
}
REVOKED: t.Final = {
    "us-east-1": "2026-11-15T14:20:31Z",
    "us-west-2": "2026-11-15T14:20:44Z",
    "ap-northeast-1": "2026-11-15T14:20:52Z",
}
REGIONS: t.Final = ("us-east-1", "us-west-2")
STARTED: t.Final = "2026-11-24T03:00:00Z"
FINISHED: t.Final = "2026-11-24T03:00:11Z"
REFERENCE: t.Final = "cmk-restore/acme/3f9c2e7a41d0"
COMMENT: t.Final = f"""\
We have restored Atlassian's access to our encryption keys (CMK). Please start the restoration of our suspended sites.
Organization: acme
Sites: https://acme.example.com
Realm: United States, AWS account: {ACCOUNT}
Every key is enabled:
- us-east-1: arn:aws:kms:us-east-1:{ACCOUNT}:key/{KEY_IDS["us-east-1"]} (was Disabled, is Enabled)
- us-west-2: arn:aws:kms:us-west-2:{ACCOUNT}:key/{KEY_IDS["us-west-2"]} (was Disabled, is Enabled)
Restore started 2026-11-24T03:00:00Z, all keys usable 2026-11-24T03:00:09Z.
Reference: {REFERENCE}
"""
DIFF: t.Final = """\
--- kept copy
+++ now
@@ -14,7 +14,7 @@
       "Sid": "AllowUse",
-      "Effect": "Allow",
+      "Effect": "Deny",
       "Principal": {
"""
TOLD: t.Final = {
    "by": "api",
    "reference": REFERENCE,
    "comment_id": "10042",
    "url": "https://support.example.com/rest/servicedeskapi/request/CMK-1/comment/10042",
    "at": "2026-11-24T03:00:10+0000",
}
_TICKET: t.Final = {
    "told": True,
    "already_told": False,
    "comment_id": TOLD["comment_id"],
    "url": TOLD["url"],
}


def key(region: str, before: str = "Disabled", after: str = "Enabled", **other: t.Any) -> Run:
    """Make a key as kms_key_state returns it, with things in it that must stay outside."""
    acted = before != after
    calls = [("DescribeKey", "03:00:01")]
    if acted:
        calls += [("EnableKey", "03:00:02"), *(("DescribeKey", f"03:00:0{second}") for second in (3, 4, 5, 6, 7, 8))]
    return {
        "region": region,
        "reference": "alias/atlassian-cmk",
        "key_id": KEY_IDS[region],
        "arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/{KEY_IDS[region]}",
        "account_id": ACCOUNT,
        "key_state_before": before,
        "key_state": after,
        "actions": ["EnableKey"] if acted else [],
        "changed": acted,
        "calls": [
            {
                "operation": name,
                "at": f"2026-11-24T{at}Z",
                "error": "",
                "request_id": f"{KEY_IDS[region][:-8]}{number:08}",
            }
            for number, (name, at) in enumerate(calls)
        ],
        "waited": 6.1 if acted else 0.0,
        "code": "",
        "error": "",
        "hint": "",
        "description": "not for the evidence",
        "invocation": {"module_args": {"secret_key": "not-for-the-evidence"}},
        **other,
    }


def event(region: str, name: str = "DisableKey", at: str = "", **other: t.Any) -> Run:
    return {
        "time": at or REVOKED[region],
        "name": name,
        "user_arn": ADMIN,
        "source_ip": "192.0.2.10",
        "event_id": f"6e2f0000-{region}-{name}",
        "error_code": None,
        "region": region,
        **other,
    }


def loss(region: str, *, restored_at: str | None = None, more: t.Sequence[Run] = ()) -> Run:
    events = [event(region), *more]
    last = {
        "revoked_at": events[0]["time"],
        "revoked_by": events[0]["user_arn"],
        "revoked_how": events[0]["name"],
        "automation": "",
        "event_id": events[0]["event_id"],
    }
    return {
        "region": region,
        "arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/{KEY_IDS[region]}",
        "events": events,
        **(dict.fromkeys(last) if restored_at else last),
        "last_revocation": last,
        "restored_at": restored_at,
        "suspects": [one for one in more if one["name"] in ("PutKeyPolicy", "RevokeGrant", "RetireGrant")],
        "reason": f"Access was lost at {to_minute(last['revoked_at'])} (DisableKey) and came back at {to_minute(restored_at)}."
        if restored_at
        else None,
    }


def as_a_whole(revocation: Run) -> Run:
    """Add what kms_key_revocation_info works out over all keys."""
    keys = [
        {"looked_up": True, "complete": key.get("events") is not None, **key, "events": key.get("events") or []}
        for key in revocation.get("keys") or []
    ]
    found = over_all(keys)
    return {**revocation, "keys": keys, "last_loss": found["last_loss"], "identity": found["identity"]}


def run(
    keys: t.Sequence[Run],
    *,
    ticket: Run | None = None,
    told: bool = True,
    error: str = "",
    problems: t.Sequence[str] = (),
    given: str = "",
    deletion_date: str | None = None,
    mode: str = "api",
    started_at: str = STARTED,
    finished_at: str = FINISHED,
    check_mode: bool = False,
    programme: str = "cmk",
    nothing_lost: bool = False,
    **other: t.Any,
) -> Run:
    """Make a run; by default it restored both keys of acme."""
    settings = {"org": "acme", "realm": "United States", "problems": list(problems), "ticket": "CMK-1", "mode": mode}
    settings["programme"] = programme
    settings["ticket_url"] = "https://support.example.com/servicedesk/customer/portal/1/CMK-1"
    revocation = {
        "keys": [loss(region) for region in REGIONS],
        "revoked_at": REVOKED["us-east-1"],
        "identity": "us-east-1:6e2f0000-us-east-1-DisableKey,us-west-2:6e2f0000-us-west-2-DisableKey",
        "caller": {"arn": OPERATOR, "account_id": ACCOUNT},
    }
    revocation = other.pop("revocation", revocation)
    revocation = as_a_whole(revocation)
    lost = find_access_loss(Trail.from_json(revocation), given=given, is_lost_now=True, started_at=started_at)
    told_at = TOLD["at"] if told else None
    dates = [deletion_date] if deletion_date else []
    clock = find_window(lost.revoked_at, told_at or finished_at, told_at, dates, programme=programme)
    ticket = (_TICKET if told else {}) if ticket is None else ticket
    made = Made.from_json(
        {
            "entry_point": {"verify": "restore"}.get(name := other.get("entry_point", "restore"), name),
            "check_mode": check_mode,
            "settings": settings,
            "plan": {"keys": list(keys)},
            # What was planned has happened.
            "change": {} if check_mode else {"keys": list(keys)},
            "trust_plan": other.get("trust") or {},
            "ticket": {**ticket, **({"at": told_at} if told else {})},
            "decided": {
                "announcement": {"nothing_lost": nothing_lost},
                "loss": asdict(lost),
            },
            "error": error,
            "started_at": started_at,
            "now": finished_at,
        }
    )
    return {
        "entry_point": "restore",
        "result": make_result(made),
        "keys": list(keys),
        "revocation": revocation,
        "revoked": asdict(lost),
        "window": asdict(clock),
        "access": [],
        "announcement": {
            "reference": REFERENCE,
            "started_at": STARTED,
            "restored_at": "2026-11-24T03:00:09Z",
            "ticket": "CMK-1",
            "states_before": {one["arn"]: one["key_state_before"] for one in keys if one["key_state_before"]},
            "told": TOLD if told else None,
        },
        "comment": COMMENT,
        "collection_version": "1.0.0",
        "versions": {"ansible_core": "2.19.14", "amazon_aws": "10.1.2", "boto3": "1.44.8", "botocore": "1.44.8"},
        "controller": {"user": "operator", "host": "controller.example.com"},
        "check_mode": check_mode,
        "settings": settings,
        **other,
    }


def _not_restored(one: Run) -> Run:
    return {**one, "comment": "", "announcement": {**one["announcement"], "restored_at": None}}


def _by_person(one: Run) -> Run:
    told = {"by": "person", "note": "2026-11-24T02:20Z", "at": "2026-11-24T03:00:10Z"}
    return {**one, "announcement": {**one["announcement"], "told": told}}


def _planned(*keys: Run) -> list[Run]:
    """Keys of a run that only looked: in check mode, or to assess."""
    return [{**key, "calls": key["calls"][:1], "waited": 0.0} for key in keys]


_BOTH: t.Final = [key("us-east-1"), key("us-west-2")]
_FINE: t.Final = [key("us-east-1", "Enabled"), key("us-west-2", "Enabled")]
_EARLIER: t.Final[Run] = {
    "previous": {"run": "20261124T030000Z-restore", "sha256": f"{KEY_IDS['us-east-1'][:8]}{'0' * 56}"},
    "earlier_runs": [{"run": "20261124T030000Z-restore", "entry_point": "restore", "at": STARTED}],
}
_DENIED: t.Final = key(
    "us-west-2",
    after="Disabled",
    code="access_denied",
    error="AWS refused EnableKey in us-west-2: AccessDeniedException.",
    hint="Grant kms:EnableKey on this key to the identity that runs this, then run again.",
    calls=[
        {"operation": "DescribeKey", "at": "2026-11-24T03:00:01Z", "error": ""},
        {"operation": "EnableKey", "at": "2026-11-24T03:00:02Z", "error": "AccessDeniedException"},
    ],
)
_DELETED: t.Final = "2026-11-24T18:00:00Z"
_PENDING: t.Final = key(
    "us-west-2",
    "PendingDeletion",
    "PendingDeletion",
    code="pending_deletion",
    error=f"The key in us-west-2 is to be deleted at {to_minute(_DELETED)}.",
    hint="Set cmk_cancel_deletion to true if the deletion may be cancelled.",
)
_POLICY: t.Final = event("us-west-2", "PutKeyPolicy", "2026-11-15T14:31:02Z")
_WITH_POLICY: t.Final = {
    "keys": [loss("us-east-1"), loss("us-west-2", more=[_POLICY])],
    "revoked_at": REVOKED["us-east-1"],
    "identity": None,
    "caller": {"arn": OPERATOR, "account_id": ACCOUNT},
}
_DIFFERENT: t.Final = {
    "region": "us-west-2",
    "changed": True,
    "diff": DIFF,
    "note": "Policy or grants differ from the saved copy: the vendor may still be locked out although the key is enabled. "
    "Nothing was changed.",
}
_DISABLED: t.Final = [
    key(
        region,
        "Enabled",
        "Disabled",
        actions=["DisableKey"],
        calls=[{"operation": "DisableKey", "at": "2026-11-24T03:00:02Z", "error": ""}],
    )
    for region in REGIONS
]
# What CloudTrail tells before a revocation: the one before it, long over.
_BEFORE: t.Final = {
    "keys": [loss(region, restored_at="2026-11-16T03:00:02Z") for region in REGIONS],
    "revoked_at": None,
    "identity": "us-east-1:6e2f0000-us-east-1-DisableKey,us-west-2:6e2f0000-us-west-2-DisableKey",
    "caller": {"arn": OPERATOR, "account_id": ACCOUNT},
}
_LATER: t.Final = [{"operation": "DescribeKey", "at": "2026-11-28T09:59:51Z", "error": ""}]
_ENDED: t.Final = {
    "keys": [loss(region, restored_at="2026-11-24T03:00:02Z") for region in REGIONS],
    "revoked_at": None,
    "identity": "us-east-1:6e2f0000-us-east-1-DisableKey,us-west-2:6e2f0000-us-west-2-DisableKey",
    "caller": {"arn": OPERATOR, "account_id": ACCOUNT},
}
_NOT_REACHED: t.Final = {
    "error": "The support desk could not be reached at https://support.example.com.",
    "hint": "Run again when it answers.",
}

_NOT_DISABLED: t.Final = key(
    "us-west-2",
    "Enabled",
    "Enabled",
    code="access_denied",
    error="AWS refused DisableKey in us-west-2: AccessDeniedException.",
    hint="Allow kms:DisableKey for this identity, then run again.",
    calls=[{"operation": "DisableKey", "at": "2026-11-24T03:00:02Z", "error": "AccessDeniedException"}],
)


def revocation_run(keys: t.Sequence[Run], **other: t.Any) -> Run:
    """Make a run of revoke, whose clock begins with the first key that it disables."""
    lost = add_own_revocation(AccessLoss(), Keys.from_json({"keys": keys}).keys)
    clock = find_window(lost.revoked_at, FINISHED)
    made = run(keys, told=False, ticket={}, entry_point="revoke", revocation=_BEFORE, **other)
    made["result"]["ticket"] |= dict.fromkeys(("key", "mode", "url"), "")
    return {**made, "announcement": {}, "comment": "", "revoked": asdict(lost), "window": asdict(clock)}


def _verification(verdict: str, *used: str | None) -> Run:
    """Make what ``verify`` has found out; ``used`` is when the key of each region was used first."""
    return {
        "verdict": verdict,
        "reason": "Atlassian uses every key again, and every site answers."
        if all(used)
        else "Atlassian does not use every key yet.",
        "passing": False,
        "looks": 3,
        "checks": [
            {"check": "keys", "outcome": "good", "says": "2 of 2 enabled: us-east-1, us-west-2."},
            {
                "check": "use",
                "outcome": "good" if all(used) else "open",
                "says": "us-east-1: Decrypt by account 444455556666.",
            },
            {
                "check": "ticket",
                "outcome": "good",
                "says": 'Support answered at 2026-11-24 15:00 UTC: "We have <b>begun</b>."',
            },
            {
                "check": "sites",
                "outcome": "open",
                "says": "https://acme.example.com answers 503 where 200 is expected.",
            },
            {"check": "clock", "outcome": "open", "says": "Atlassian was notified 1 day 7 h ago."},
        ],
        "use": [
            {
                "region": region,
                "arn": f"arn:aws:kms:{region}:{ACCOUNT}:key/{KEY_IDS[region]}",
                "since": "2026-11-24T03:00:09Z",
                "looked_up": True,
                "first_use": at
                and {
                    "time": at,
                    "name": "Decrypt",
                    "account_id": "444455556666",
                    "source_ip": "192.0.2.44",
                    "event_id": f"77770000-{region}",
                },
                "is_first": bool(at),
                "reason": None if at else "no use by another account since 2026-11-24 03:00 UTC.",
            }
            for region, at in zip(REGIONS, used, strict=True)
        ],
        "ticket_status": "In progress",
        "reply": {
            "name": "Support",
            "at": "2026-11-24T15:00:00Z",
            "text": "We have <b>begun</b>.",
            "url": "https://support.example.com/rest/servicedeskapi/request/CMK-1/comment/10043",
        },
        "sites": [{"site": "https://acme.example.com", "up": False, "status": 503, "says": "answers 503"}],
    }


_ROLE: t.Final = "atlassian-key-management"
_TRUST: t.Final = {
    "role_name": _ROLE,
    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/{_ROLE}",
    "account_id": ACCOUNT,
    "effect_before": "Deny",
    "effect": "Allow",
    "policy_before": {"not": "for the evidence"},
    "policy": {"not": "for the evidence"},
    "actions": ["UpdateAssumeRolePolicy"],
    "changed": True,
    "waited": 2.0,
    "calls": [
        {"operation": "GetRole", "at": "2026-11-24T03:00:01Z", "error": ""},
        {"operation": "UpdateAssumeRolePolicy", "at": "2026-11-24T03:00:02Z", "error": ""},
    ],
    "code": "",
    "error": "",
    "hint": "",
}
_REFUSED: t.Final = {
    **_TRUST,
    "effect_before": None,
    "effect": None,
    "actions": [],
    "changed": False,
    "calls": [{"operation": "GetRole", "at": "2026-11-24T03:00:01Z", "error": ""}],
    "error": "The statement for Atlassian in the trust policy is not as Atlassian documents it: it has Condition.",
    "hint": "Set it right in the IAM console, run again.",
}
_OF_CRYPTOR: t.Final = {
    "keys": [{**loss("us-east-1"), "label": "us-east-1 alias/cryptor-1"}, loss("us-west-2")],
    "caller": {"arn": OPERATOR, "account_id": ACCOUNT},
}
_CRYPTOR: t.Final = [
    key("us-east-1", label="us-east-1 alias/cryptor-1", reference="alias/cryptor-1"),
    key("us-east-1", label="us-east-1 alias/cryptor-2", reference="alias/cryptor-2", arn=f"{ACCOUNT}/second"),
    key("us-west-2", label="us-west-2"),
]

RUNS: t.Final[dict[str, Run]] = {
    "restored": run(_BOTH),
    "already_restored": run(
        _FINE,
        started_at="2026-11-24T08:30:00Z",
        finished_at="2026-11-24T08:30:02Z",
        ticket={**_TICKET, "already_told": True},
        revocation=_ENDED,
        **_EARLIER,
    ),
    "on_a_persons_word": _by_person(
        run(_FINE, controller={"user": "operator", "host": "awx", "job": 71, "workflow_job": 69})
    ),
    "nothing_to_restore": run(_FINE, told=False, ticket={}, revocation={"keys": [], "caller": None}, nothing_lost=True),
    "byok": run(_CRYPTOR, programme="byok", revocation=_OF_CRYPTOR, trust=_TRUST, trust_diff=DIFF),
    "byok_late": run(
        _CRYPTOR,
        programme="byok",
        revocation=_OF_CRYPTOR,
        trust=_TRUST,
        told=False,
        mode="manual",
        given="2026-11-01T03:00:00Z",
    ),
    "byok_refused": _not_restored(run(_CRYPTOR, programme="byok", revocation=_OF_CRYPTOR, trust=_REFUSED, told=False)),
    "handover_pending": run(_BOTH, told=False, mode="manual"),
    "partial": _not_restored(
        run(
            [key("us-east-1"), _DENIED],
            told=False,
            given="2026-11-03T08:00:00Z",
            access=[{"region": "us-east-1", "changed": False, "diff": "", "note": ""}, _DIFFERENT],
            revocation=_WITH_POLICY,
        )
    ),
    "desk_down": run(
        _BOTH, told=False, ticket=_NOT_REACHED, finished_at="2026-11-28T10:00:00Z", revocation=_WITH_POLICY
    ),
    "failed": run(
        [],
        told=False,
        problems=["No realm is given. Known are Europe, United States. Set cmk_realm to one of them."],
        revocation={},
        announcement={},
        comment="",
        collection_version="",
        versions={},
        controller={},
    ),
    "assess": _not_restored(run(_planned(*_BOTH), told=False, entry_point="assess")),
    "assess_not_ready": _not_restored(
        run(_planned(key("us-east-1"), _PENDING), told=False, entry_point="assess", deletion_date=_DELETED)
    ),
    "check_mode": run(_planned(*_BOTH), told=False, check_mode=True),
    "clock_unknown": run(
        [key("ap-northeast-1")],
        revocation={
            "keys": [
                {
                    **loss("ap-northeast-1"),
                    **dict.fromkeys(("revoked_at", "revoked_by", "revoked_how", "event_id", "last_revocation")),
                    "events": None,
                    "reason": "CloudTrail did not answer in ap-northeast-1: AccessDeniedException.",
                }
            ],
            "revoked_at": None,
            "identity": None,
            "caller": None,
        },
    ),
    "revoke": revocation_run(_DISABLED),
    "revoke_partial": revocation_run([_DISABLED[0], _NOT_DISABLED]),
    "verify": run(
        _FINE,
        entry_point="verify",
        revocation=_ENDED,
        started_at="2026-11-26T09:29:55Z",
        finished_at="2026-11-26T09:30:00Z",
        verification=_verification("restored", "2026-11-25T02:11:09Z", "2026-11-25T02:14:40Z"),
    ),
    "verify_waiting": run(
        _FINE,
        entry_point="verify",
        revocation=_ENDED,
        started_at="2026-11-25T09:29:55Z",
        finished_at="2026-11-25T09:30:00Z",
        verification=_verification("waiting", "2026-11-25T02:11:09Z", None),
        **_EARLIER,
    ),
    "verify_needs_attention": run(
        [{**key("us-east-1", "Disabled", "Disabled"), "error": "The key is Disabled."}, _FINE[1]],
        entry_point="verify",
        revocation=_ENDED,
        started_at="2026-11-25T09:29:55Z",
        finished_at="2026-11-25T09:30:00Z",
        verification=_verification("needs_attention", None, None),
    ),
}
for _name in ("verify_waiting", "verify_needs_attention", "verify"):
    RUNS[_name]["result"]["status"] = RUNS[_name]["verification"]["verdict"]
