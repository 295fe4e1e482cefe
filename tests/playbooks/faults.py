"""The fault matrix: each fault, and the expected state after that run and after the next one. Pure data.

tests/playbooks/test_faults.py runs every case through the real playbook; tests/tools/reliability.py prints the table.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tests.playbooks.conftest import REGIONS
from tests.tools.standins import ACCOUNT

EAST, WEST = REGIONS
Spec = dict[str, t.Any]
Group = t.Literal["aws", "desk", "pairs", "endings", "slow"]

# Where nothing answers as it should; the test puts the addresses in.
REFUSED: t.Final = "{refused}"
UNRESOLVED: t.Final = "https://desk.invalid"
SELF_SIGNED: t.Final = "{self_signed}"
DESK: t.Final = "{desk}"
OTHER_ACCESS_KEY: t.Final = "AKIAOTHERACCOUNT0000"
STRANGER: t.Final = "stranger@example.com"

ALL_BACK: t.Final = ("Enabled", "Enabled")
NONE_BACK: t.Final = ("Disabled", "Disabled")
WEST_BACK: t.Final = ("Disabled", "Enabled")
EAST_BACK: t.Final = ("Enabled", "Disabled")

# A page of comments as one sees it who may not see the ticket.
NO_COMMENTS: t.Final = '{"size": 0, "start": 0, "limit": 100, "isLastPage": true, "values": []}'


@dataclass(frozen=True, eq=False)
class Case:
    """One organization with two keys, a ticket of its own, and what breaks for it.

    ``aws`` and ``desk`` are faults as the stand-ins take them, without ``key_id`` and ``path`` (``path`` is put behind
    the ticket's). ``variables`` hold in the first run only, ``lasting`` in both. ``key`` and ``ticket`` describe how
    they are made; ``endpoint`` is where AWS is looked for.

    Then what must be after the first run: the result's ``status``, the keys' real states, a part of the message, the
    announcements on the ticket, and whether the run ends ``early``, before a key is looked at. And what the next run
    must end with, once the faults are gone and what ``mended`` says (``mend``, for the ticket) is done.

    ``usual``: also in every usual run of the tests, not only in the slow one of all cases.
    """

    group: Group
    name: str
    fault: str
    where: str
    aws: tuple[Spec, ...] = ()
    desk: tuple[Spec, ...] = ()
    before: tuple[str, str] = NONE_BACK
    key: Spec = field(default_factory=dict)
    ticket: Spec = field(default_factory=dict)
    variables: Spec = field(default_factory=dict)
    lasting: Spec = field(default_factory=dict)
    endpoint: str = ""
    status: str = "restored"
    after: tuple[str, str] = ALL_BACK
    message: str = ""
    told: int = 1
    mended: str = ""
    mend: Spec = field(default_factory=dict)
    again: str = ""
    early: bool = False
    usual: bool = False

    @property
    def then(self) -> str:
        """The status of the next run."""
        return self.again or ("already_restored" if self.told else "restored")


def kms(operation: str, region: str = EAST, **fault: t.Any) -> Spec:
    """A fault of one KMS operation in one region ("*": in both)."""
    return {"operation": operation, "region": region, **fault}


def lasting(operation: str, error: str, region: str = EAST, skip: int = 0) -> Spec:
    """An error that AWS answers until the fault is cleared."""
    return kms(operation, region, error=error, count=None, skip=skip)


# The calls of a run for one disabled key: DescribeKey (plan), DescribeKey, EnableKey, then DescribeKey until it holds.
_PLANNED, _CHANGED = 1, 2

_AWS: t.Final = (
    Case(
        "aws",
        "throttled-once",
        "`ThrottlingException`, once",
        f"`EnableKey`, {EAST}",
        aws=(kms("EnableKey", error="ThrottlingException"),),
        usual=True,
    ),
    Case(
        "aws",
        "throttled-5",
        "`ThrottlingException`, a burst of 5",
        "`EnableKey`, both regions",
        aws=(
            kms("EnableKey", EAST, error="ThrottlingException", count=5),
            kms("EnableKey", WEST, error="ThrottlingException", count=5),
        ),
    ),
    Case(
        "aws",
        "throttled-reading",
        "`ThrottlingException`, once",
        f"`DescribeKey`, {WEST}",
        aws=(kms("DescribeKey", WEST, error="ThrottlingException"),),
    ),
    Case(
        "aws",
        "internal",
        "`KMSInternalException`, twice",
        f"`EnableKey`, {EAST}",
        aws=(kms("EnableKey", error="KMSInternalException", count=2),),
    ),
    Case(
        "aws",
        "dependency",
        "`DependencyTimeoutException`, twice",
        f"`DescribeKey`, {EAST}",
        aws=(kms("DescribeKey", error="DependencyTimeoutException", count=2),),
    ),
    Case(
        "aws",
        "html-500",
        "HTTP 500 with HTML, once",
        f"`DescribeKey`, {EAST}",
        aws=(kms("DescribeKey", html=True, status=500),),
    ),
    Case(
        "aws",
        "html-503",
        "HTTP 503 with HTML, once",
        "`EnableKey`, both regions",
        aws=(kms("EnableKey", EAST, html=True, status=503), kms("EnableKey", WEST, html=True, status=503)),
        usual=True,
    ),
    Case("aws", "reset", "connection reset, once", f"`EnableKey`, {EAST}", aws=(kms("EnableKey", reset=True),)),
    Case(
        "aws",
        "dropped-before",
        "connection dropped before AWS acted",
        f"`EnableKey`, {EAST}",
        aws=(kms("EnableKey", drop="before"),),
    ),
    Case(
        "aws",
        "dropped-after",
        "connection dropped after AWS acted",
        "`EnableKey`, both regions",
        aws=(kms("EnableKey", EAST, drop="after"), kms("EnableKey", WEST, drop="after")),
        usual=True,
    ),
    Case(
        "aws",
        "cancel-dropped",
        "connection dropped after AWS acted",
        f"`CancelKeyDeletion`, {EAST}",
        aws=(kms("CancelKeyDeletion", drop="after"),),
        before=("PendingDeletion", "Disabled"),
        lasting={"cmk_cancel_deletion": True},
        usual=True,
    ),
    Case(
        "aws",
        "slow-2s",
        "2 s of latency",
        f"every call, {EAST}",
        aws=(kms("*", latency=2, count=None),),
    ),
    Case("aws", "spread-0", "none: the change is visible at once", "both regions"),
    Case(
        "aws",
        "spread-2s",
        "the change takes 2 s to spread, and reads flip back to the old state",
        "both regions",
        key={"propagation": 2, "flip": True},
        usual=True,
    ),
    Case(
        "aws",
        "not-found",
        "`NotFoundException` for the first 3 reads after our own change",
        "both regions",
        key={"not_found": 3},
        usual=True,
    ),
    Case(
        "aws",
        "cancel-spread",
        "the cancelled deletion takes 2 s to spread",
        f"`EnableKey`, {EAST}",
        before=("PendingDeletion", "Disabled"),
        key={"propagation": 2},
        lasting={"cmk_cancel_deletion": True},
    ),
    Case(
        "aws",
        "expired-changing",
        "`ExpiredTokenException` after the plan",
        "`EnableKey`, both regions",
        aws=(lasting("EnableKey", "ExpiredTokenException", "*"),),
        status="failed",
        after=NONE_BACK,
        message=f"The AWS credentials have expired (EnableKey in {EAST}).",
        told=0,
        mended="fresh credentials",
    ),
    Case(
        "aws",
        "expired-reading",
        "`ExpiredTokenException` right after the change",
        "`DescribeKey`, both regions",
        aws=(
            lasting("DescribeKey", "ExpiredTokenException", EAST, _CHANGED),
            lasting("DescribeKey", "ExpiredTokenException", WEST, _CHANGED),
        ),
        status="partial",
        message=f"The AWS credentials have expired (DescribeKey in {EAST}).",
        told=0,
        mended="fresh credentials",
        usual=True,
    ),
    Case(
        "aws",
        "expired",
        "`ExpiredTokenException` from the start",
        "every call, both regions",
        aws=(lasting("*", "ExpiredTokenException", "*"),),
        status="failed",
        after=NONE_BACK,
        message=f"The AWS credentials have expired (DescribeKey in {EAST}).",
        told=0,
        mended="fresh credentials",
    ),
    Case(
        "aws",
        "clock-skew",
        "`InvalidSignatureException`: this machine's clock is wrong",
        "every call, both regions",
        aws=(
            kms(
                "*",
                "*",
                error="InvalidSignatureException",
                message="Signature expired: 20261124T030000Z is now earlier than 20261124T040000Z",
                count=None,
            ),
        ),
        status="failed",
        after=NONE_BACK,
        message="Check the access key, the profile and this machine's clock",
        told=0,
        mended="the clock is set",
        usual=True,
    ),
    Case(
        "aws",
        "denied-describe",
        "`AccessDeniedException`",
        f"`DescribeKey`, {EAST}",
        aws=(lasting("DescribeKey", "AccessDeniedException"),),
        status="partial",
        after=WEST_BACK,
        message="Allow kms:DescribeKey for this identity",
        told=0,
        mended="the action is allowed",
        usual=True,
    ),
    Case(
        "aws",
        "denied-enable",
        "`AccessDeniedException`",
        f"`EnableKey`, {WEST}",
        aws=(lasting("EnableKey", "AccessDeniedException", WEST),),
        status="partial",
        after=EAST_BACK,
        message="Allow kms:EnableKey for this identity",
        told=0,
        mended="the action is allowed",
    ),
    Case(
        "aws",
        "denied-enable-both",
        "`AccessDeniedException`",
        "`EnableKey`, both regions",
        aws=(lasting("EnableKey", "AccessDeniedException", "*"),),
        status="failed",
        after=NONE_BACK,
        message="Allow kms:EnableKey for this identity",
        told=0,
        mended="the action is allowed",
    ),
    Case(
        "aws",
        "denied-cancel",
        "`AccessDeniedException`",
        f"`CancelKeyDeletion`, {EAST}",
        aws=(lasting("CancelKeyDeletion", "AccessDeniedException"),),
        before=("PendingDeletion", "Disabled"),
        lasting={"cmk_cancel_deletion": True},
        status="partial",
        after=("PendingDeletion", "Enabled"),
        message="Allow kms:CancelKeyDeletion for this identity",
        told=0,
        mended="the action is allowed",
    ),
    Case(
        "aws",
        "denied-after-cancel",
        "`AccessDeniedException` after the deletion was cancelled",
        f"`EnableKey`, {EAST}",
        aws=(lasting("EnableKey", "AccessDeniedException"),),
        before=("PendingDeletion", "Disabled"),
        lasting={"cmk_cancel_deletion": True},
        status="partial",
        after=WEST_BACK,
        message="Allow kms:EnableKey for this identity",
        told=0,
        mended="the action is allowed",
        usual=True,
    ),
    Case(
        "aws",
        "denied-extras",
        "`AccessDeniedException` for optional calls",
        "`GetKeyPolicy`, `ListGrants`, both regions",
        aws=(
            lasting("GetKeyPolicy", "AccessDeniedException", "*"),
            lasting("ListGrants", "AccessDeniedException", "*"),
        ),
    ),
    Case(
        "aws",
        "wrong-account",
        "the key belongs to another account than `cmk_account_id`",
        "both regions",
        variables={"cmk_account_id": "444455556666"},
        status="failed",
        after=NONE_BACK,
        message="belongs to account 111122223333, but account 444455556666 is expected",
        told=0,
        mended="the account id is corrected",
        usual=True,
    ),
    Case(
        "aws",
        "denied-role",
        "`AccessDenied`: the role cannot be assumed",
        "`sts:AssumeRole`",
        aws=({"service": "sts", "operation": "AssumeRole", "key_id": None, "error": "AccessDenied", "count": None},),
        lasting={"cmk_assume_role_arn": f"arn:aws:iam::{ACCOUNT}:role/cmk-operator"},
        status="failed",
        after=NONE_BACK,
        message="Allow sts:AssumeRole for this identity",
        early=True,
        told=0,
        mended="the role may be assumed",
        usual=True,
    ),
    Case(
        "aws",
        "gone",
        "`NotFoundException`: the alias is missing",
        f"`DescribeKey`, {EAST}",
        aws=(lasting("DescribeKey", "NotFoundException"),),
        status="partial",
        after=WEST_BACK,
        message="There is no key",
        told=0,
        mended="the alias is back",
    ),
)

_DESK: t.Final = (
    Case(
        "desk",
        "desk-401",
        "HTTP 401",
        "every request",
        desk=({"status": 401, "count": None},),
        status="partial",
        message="did not accept the credentials (HTTP 401)",
        told=0,
        mended="a valid token",
        usual=True,
    ),
    Case(
        "desk",
        "desk-403",
        "HTTP 403",
        "reading the ticket",
        desk=({"method": "GET", "status": 403, "count": None},),
        status="partial",
        message="denies this account that request (HTTP 403)",
        told=0,
        mended="the account gets access",
    ),
    Case(
        "desk",
        "desk-403-post",
        "HTTP 403",
        "posting the comment",
        desk=({"method": "POST", "status": 403, "count": None},),
        status="partial",
        message="denies this account that request (HTTP 403)",
        told=0,
        mended="the account gets access",
    ),
    Case(
        "desk",
        "desk-404",
        "HTTP 404",
        "every request",
        desk=({"status": 404, "count": None},),
        status="partial",
        message="has no such ticket, or hides it from this account (HTTP 404)",
        told=0,
        mended="the account gets access",
    ),
    Case(
        "desk",
        "desk-409",
        "HTTP 409",
        "posting the comment",
        desk=({"method": "POST", "status": 409},),
        status="partial",
        message="reports a conflict (HTTP 409)",
        told=0,
        usual=True,
    ),
    Case(
        "desk",
        "desk-429",
        "HTTP 429 with `Retry-After`, 3 times",
        "reading the ticket",
        desk=({"method": "GET", "retry_after": 1, "count": 3},),
    ),
    Case(
        "desk",
        "desk-429-post",
        "HTTP 429 with `Retry-After`, once",
        "posting the comment",
        desk=({"method": "POST", "retry_after": 1},),
        usual=True,
    ),
    Case(
        "desk",
        "desk-429-bare",
        "HTTP 429 without `Retry-After`, once",
        "posting the comment",
        desk=({"method": "POST", "status": 429},),
    ),
    Case(
        "desk",
        "desk-500",
        "HTTP 500, once",
        "reading the comments",
        desk=({"method": "GET", "path": "/comment", "status": 500},),
    ),
    Case(
        "desk",
        "desk-500-post",
        "HTTP 500, nothing stored, once",
        "posting the comment",
        desk=({"method": "POST", "status": 500},),
    ),
    Case(
        "desk",
        "desk-500-stored",
        "HTTP 500, after the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "status": 500, "after": True},),
        usual=True,
    ),
    Case(
        "desk",
        "desk-502",
        "HTTP 502 with HTML, once",
        "posting the comment",
        desk=({"method": "POST", "status": 502, "html": True},),
    ),
    Case(
        "desk",
        "desk-502-stored",
        "HTTP 502 with HTML, after the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "status": 502, "html": True, "after": True},),
    ),
    Case(
        "desk",
        "desk-redirect",
        "redirect to a login page (not followed)",
        "every request",
        desk=({"redirect": "https://login.invalid/", "count": None},),
        status="partial",
        message="answered with a web page or a redirect (HTTP 302)",
        told=0,
        mended="the site is back",
        usual=True,
    ),
    Case(
        "desk",
        "desk-redirect-post",
        "redirect to a login page (not followed)",
        "posting the comment",
        desk=({"method": "POST", "redirect": "https://login.invalid/", "count": None},),
        status="partial",
        message="answered with a web page or a redirect (HTTP 302)",
        told=0,
        mended="the site is back",
    ),
    Case(
        "desk",
        "desk-login",
        "login page with HTTP 200",
        "every request",
        desk=({"login_page": True, "count": None},),
        status="partial",
        message="answered with a web page or a redirect (HTTP 200)",
        told=0,
        mended="the site is back",
    ),
    Case(
        "desk",
        "desk-login-post",
        "login page with HTTP 200",
        "posting the comment",
        desk=({"method": "POST", "login_page": True, "count": None},),
        status="partial",
        message="answered with a web page or a redirect (HTTP 200)",
        told=0,
        mended="the site is back",
        usual=True,
    ),
    Case(
        "desk",
        "desk-json",
        "JSON that is cut off",
        "reading the comments",
        desk=({"method": "GET", "path": "/comment", "invalid_json": True, "count": None},),
        status="partial",
        message="answer (HTTP 200) is not the documented JSON",
        told=0,
        mended="the desk works again",
    ),
    Case(
        "desk",
        "desk-json-shape",
        "JSON of another shape (`{}`)",
        "reading the comments",
        desk=({"method": "GET", "path": "/comment", "body": "{}", "count": None},),
        status="partial",
        message="answer (HTTP 200) is not the documented JSON",
        told=0,
        mended="the desk works again",
        usual=True,
    ),
    Case(
        "desk",
        "desk-json-stored",
        "JSON that is cut off, after the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "status": 201, "invalid_json": True, "after": True},),
    ),
    Case(
        "desk",
        "desk-empty-stored",
        "HTTP 201 with `{}`, after the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "status": 201, "body": "{}", "after": True},),
    ),
    Case(
        "desk",
        "desk-empty",
        "HTTP 200 with `{}`, nothing stored",
        "posting the comment",
        desk=({"method": "POST", "status": 200, "body": "{}"},),
        status="partial",
        message="answer (HTTP 200) is not the documented JSON",
        told=0,
        mended="the desk works again",
        usual=True,
    ),
    Case(
        "desk",
        "desk-500-comments",
        "none: the ticket has 500 comments",
        "reading",
        ticket={"generate_comments": 500},
        usual=True,
    ),
    Case(
        "desk",
        "desk-lost",
        "answer lost after the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "drop": "after"},),
        usual=True,
    ),
    Case(
        "desk",
        "desk-dropped",
        "connection dropped before the comment was stored",
        "posting the comment",
        desk=({"method": "POST", "drop": "before"},),
    ),
    Case(
        "desk",
        "desk-dropped-read",
        "connection dropped, once",
        "reading the ticket",
        desk=({"method": "GET", "drop": "before"},),
    ),
    Case(
        "desk",
        "desk-closed",
        "the ticket is closed",
        "the ticket",
        ticket={"open": False},
        status="partial",
        message="takes no comment from this account (its status is Closed)",
        told=0,
        mended="the ticket is reopened",
        mend={"open": True, "status": "Waiting for support"},
        usual=True,
    ),
    Case(
        "desk",
        "desk-stranger",
        "the account has no access, so the list of comments is empty",
        "the ticket",
        variables={"cmk_support_user": STRANGER},
        status="partial",
        message="denies this account that request (HTTP 403)",
        told=0,
        mended="an account with access",
        usual=True,
    ),
)

_PAIRS: t.Final = (
    Case(
        "pairs",
        "pair-throttled-denied",
        "throttled in one region, denied in the other",
        "`EnableKey`",
        aws=(
            kms("EnableKey", EAST, error="ThrottlingException"),
            lasting("EnableKey", "AccessDeniedException", WEST),
        ),
        status="partial",
        after=EAST_BACK,
        message="Allow kms:EnableKey for this identity",
        told=0,
        mended="the action is allowed",
        usual=True,
    ),
    Case(
        "pairs",
        "pair-spread-dropped",
        "the answer is lost, the change takes 2 s to spread, and reads flip back",
        "`EnableKey`, both regions",
        aws=(kms("EnableKey", EAST, drop="after"), kms("EnableKey", WEST, drop="after")),
        key={"propagation": 2, "flip": True},
    ),
    Case(
        "pairs",
        "pair-cancel",
        "the answer to `CancelKeyDeletion` is lost in one region, `EnableKey` is denied in the other",
        "`CancelKeyDeletion`, `EnableKey`",
        aws=(
            kms("CancelKeyDeletion", EAST, drop="after"),
            lasting("EnableKey", "AccessDeniedException", WEST),
        ),
        before=("PendingDeletion", "PendingDeletion"),
        lasting={"cmk_cancel_deletion": True},
        status="partial",
        after=EAST_BACK,
        message="Allow kms:EnableKey for this identity",
        told=0,
        mended="the action is allowed",
        usual=True,
    ),
    Case(
        "pairs",
        "pair-cancel-spread",
        "the answer is lost, and the change takes 2 s to spread",
        f"`CancelKeyDeletion`, {EAST}",
        aws=(kms("CancelKeyDeletion", EAST, drop="after"),),
        before=("PendingDeletion", "Disabled"),
        key={"propagation": 2},
        lasting={"cmk_cancel_deletion": True},
    ),
    Case(
        "pairs",
        "pair-denied-reset",
        "reset in one region, the key is unreadable in the other",
        "`EnableKey`, `DescribeKey`",
        aws=(
            kms("EnableKey", EAST, reset=True),
            lasting("DescribeKey", "AccessDeniedException", WEST),
        ),
        status="partial",
        after=EAST_BACK,
        message="Allow kms:DescribeKey for this identity",
        told=0,
        mended="the action is allowed",
    ),
    Case(
        "pairs",
        "pair-not-found-502",
        "`NotFoundException` after our own change, then HTTP 502 with HTML",
        "both regions, posting the comment",
        key={"not_found": 2},
        desk=({"method": "POST", "status": 502, "html": True},),
    ),
    Case(
        "pairs",
        "pair-expired-closed",
        "credentials expire in one region, and the ticket is closed",
        f"`EnableKey`, {EAST}; the ticket",
        aws=(lasting("EnableKey", "ExpiredTokenException"),),
        ticket={"open": False},
        status="partial",
        after=WEST_BACK,
        message=f"The AWS credentials have expired (EnableKey in {EAST}).",
        told=0,
        mended="fresh credentials, and the ticket is reopened",
        mend={"open": True},
    ),
    Case(
        "pairs",
        "pair-lost-500",
        "answer lost after the comment was stored, then HTTP 500",
        "posting, then reading the comments",
        desk=(
            {"method": "POST", "drop": "after"},
            {"method": "GET", "path": "/comment", "skip": 1, "status": 500},
        ),
        usual=True,
    ),
    Case(
        "pairs",
        "pair-lost-login",
        "answer lost after the comment was stored, then the session is suspended",
        "posting, then reading the comments",
        desk=(
            {"method": "POST", "drop": "after"},
            {"method": "GET", "path": "/comment", "skip": 1, "login_page": True, "count": None},
        ),
        status="partial",
        message="It is not known whether the comment was stored.",
        again="already_restored",
        mended="the site is back",
    ),
    Case(
        "pairs",
        "pair-lost-withdrawn",
        "answer lost after the comment was stored, then access is withdrawn",
        "posting, then reading the comments",
        desk=(
            {"method": "POST", "drop": "after"},
            {"method": "GET", "path": "/comment", "skip": 1, "body": NO_COMMENTS, "count": None},
            {"method": "POST", "skip": 0, "status": 403, "count": None},
        ),
        status="partial",
        message="denies this account that request (HTTP 403)",
        again="already_restored",
        mended="the account gets access",
        usual=True,
    ),
    Case(
        "pairs",
        "pair-500-comments-lost",
        "500 comments, and the answer lost after ours was stored",
        "posting the comment",
        desk=({"method": "POST", "drop": "after"},),
        ticket={"generate_comments": 500},
    ),
    Case(
        "pairs",
        "pair-429-lost",
        "HTTP 429 while reading, then the answer lost after the comment was stored",
        "reading, then posting",
        desk=(
            {"method": "GET", "retry_after": 1, "count": 2},
            {"method": "POST", "drop": "after"},
        ),
    ),
    Case(
        "pairs",
        "pair-500-twice",
        "HTTP 500 with nothing stored, then HTTP 500 after it was stored",
        "posting the comment",
        desk=(
            {"method": "POST", "status": 500},
            {"method": "POST", "status": 500, "after": True},
        ),
    ),
)

# What does not end by itself. The retries are cut to two attempts at AWS and one repetition at the desk: the number is
# held by unit tests and by the slow cases.
_ENDINGS: t.Final = (
    Case(
        "endings",
        "throttled-for-ever",
        "`ThrottlingException`, every time",
        f"`EnableKey`, {EAST}",
        aws=(lasting("EnableKey", "ThrottlingException"),),
        status="partial",
        after=WEST_BACK,
        message=f"AWS kept throttling EnableKey in {EAST}",
        told=0,
        usual=True,
    ),
    Case(
        "endings",
        "internal-for-ever",
        "`KMSInternalException`, every time",
        "`EnableKey`, both regions",
        aws=(lasting("EnableKey", "KMSInternalException", "*"),),
        status="failed",
        after=NONE_BACK,
        message=f"AWS could not carry out EnableKey in {EAST}",
        told=0,
    ),
    Case(
        "endings",
        "html-503-for-ever",
        "HTTP 503 with HTML, every time",
        f"`DescribeKey`, {WEST}",
        aws=(kms("DescribeKey", WEST, html=True, status=503, count=None),),
        status="partial",
        after=EAST_BACK,
        message=f"AWS could not carry out DescribeKey in {WEST}",
        told=0,
    ),
    Case(
        "endings",
        "html-503-reading",
        "HTTP 503 with HTML, every time after the change",
        f"`DescribeKey`, {EAST}",
        aws=(kms("DescribeKey", html=True, status=503, count=None, skip=_CHANGED),),
        status="partial",
        message=f"AWS could not carry out DescribeKey in {EAST}",
        told=0,
    ),
    Case(
        "endings",
        "reset-for-ever",
        "connection reset, every time",
        f"`EnableKey`, {EAST}",
        aws=(kms("EnableKey", reset=True, count=None),),
        status="partial",
        after=WEST_BACK,
        message=f"AWS was not reached for EnableKey in {EAST}",
        told=0,
    ),
    Case(
        "endings",
        "lost-for-ever",
        "every answer lost after AWS acted",
        f"`EnableKey`, {EAST}",
        aws=(kms("EnableKey", drop="after", count=None),),
        status="partial",
        message=f"AWS was not reached for EnableKey in {EAST}",
        told=0,
    ),
    Case(
        "endings",
        "aws-refused",
        "connection refused",
        "AWS, both regions",
        endpoint=REFUSED,
        status="failed",
        after=NONE_BACK,
        message=f"AWS was not reached for DescribeKey in {EAST}",
        told=0,
        mended="the network is back",
        usual=True,
    ),
    Case(
        "endings",
        "aws-dns",
        "the host name does not resolve",
        "AWS, both regions",
        endpoint="https://kms.invalid",
        status="failed",
        after=NONE_BACK,
        message=f"AWS was not reached for DescribeKey in {EAST}",
        told=0,
        mended="the network is back",
    ),
    Case(
        "endings",
        "aws-tls",
        "TLS certificate that does not verify",
        "AWS, both regions",
        endpoint=SELF_SIGNED,
        status="failed",
        after=NONE_BACK,
        message=f"AWS was not reached for DescribeKey in {EAST}",
        told=0,
        mended="the endpoint is corrected",
    ),
    Case(
        "endings",
        "aws-wrong",
        "the endpoint is not AWS",
        "AWS, both regions",
        endpoint=DESK,
        status="failed",
        after=NONE_BACK,
        message=f"AWS refused DescribeKey in {EAST}",
        told=0,
        mended="the endpoint is corrected",
    ),
    Case(
        "endings",
        "aws-other-account",
        "the credentials belong to another account",
        "AWS, both regions",
        variables={"case_access_key": OTHER_ACCESS_KEY},
        status="failed",
        after=NONE_BACK,
        message="The credentials in use belong to account 444455556666, but account 111122223333 is expected",
        told=0,
        mended="the right credentials",
    ),
    Case(
        "endings",
        "desk-429-for-ever",
        "HTTP 429 with `Retry-After`, every time",
        "every request",
        desk=({"retry_after": 1, "count": None},),
        status="partial",
        message="is under load and refuses requests (HTTP 429)",
        told=0,
    ),
    Case(
        "endings",
        "desk-500-for-ever",
        "HTTP 500, every time",
        "posting the comment",
        desk=({"method": "POST", "status": 500, "retry_after": 1, "count": None},),
        status="partial",
        message="The support desk failed (HTTP 500)",
        told=0,
        usual=True,
    ),
    Case(
        "endings",
        "desk-502-for-ever",
        "HTTP 502 with HTML, every time",
        "reading the comments",
        desk=({"method": "GET", "path": "/comment", "status": 502, "html": True, "count": None},),
        status="partial",
        message="The support desk failed (HTTP 502)",
        told=0,
    ),
    Case(
        "endings",
        "desk-lost-500-for-ever",
        "answer lost after the comment was stored, then HTTP 500 every time",
        "posting, then reading the comments",
        desk=(
            {"method": "POST", "drop": "after"},
            {"method": "GET", "path": "/comment", "skip": 1, "status": 500, "retry_after": 1, "count": None},
        ),
        status="partial",
        message="It is not known whether the comment was stored.",
        again="already_restored",
        usual=True,
    ),
    Case(
        "endings",
        "desk-refused",
        "connection refused",
        "the desk",
        variables={"cmk_support_url": REFUSED},
        status="partial",
        message="The support desk was not reached",
        told=0,
        mended="the network is back",
    ),
    Case(
        "endings",
        "desk-dns",
        "the host name does not resolve",
        "the desk",
        variables={"cmk_support_url": UNRESOLVED},
        status="partial",
        message="The support desk was not reached",
        told=0,
        mended="the network is back",
    ),
    Case(
        "endings",
        "desk-tls",
        "TLS certificate that does not verify",
        "the desk",
        variables={"cmk_support_url": SELF_SIGNED},
        status="partial",
        message="The support desk's TLS certificate could not be verified",
        told=0,
        mended="the URL is corrected",
        usual=True,
    ),
)

_SLOW: t.Final = (
    Case(
        "slow",
        "throttled-30",
        "`ThrottlingException`, a burst of 30",
        "`EnableKey`, both regions",
        aws=(
            kms("EnableKey", EAST, error="ThrottlingException", count=30),
            kms("EnableKey", WEST, error="ThrottlingException", count=30),
        ),
        status="failed",
        after=NONE_BACK,
        message=f"AWS kept throttling EnableKey in {EAST}",
        told=0,
    ),
    Case(
        "slow",
        "slow-10s",
        "10 s of latency",
        "every call, both regions",
        aws=(kms("*", "*", latency=10, count=None),),
    ),
    Case(
        "slow",
        "spread-60s",
        "the change takes 60 s to spread, and reads flip back to the old state",
        "both regions",
        key={"propagation": 60, "flip": True},
        lasting={"cmk_wait_delay": 1},
    ),
    Case(
        "slow",
        "desk-slow",
        "answer after 40 s, the comment stored at once",
        "posting the comment",
        desk=({"method": "POST", "latency": 40, "after": True},),
    ),
    Case(
        "slow",
        "desk-500-patience",
        "HTTP 500 every time, without `Retry-After`",
        "reading the ticket",
        desk=({"method": "GET", "status": 500, "count": None},),
        status="partial",
        message="The support desk failed (HTTP 500)",
        told=0,
    ),
)

CASES: t.Final = (*_AWS, *_DESK, *_PAIRS, *_ENDINGS, *_SLOW)
