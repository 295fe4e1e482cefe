"""A strict stand-in for AWS: moto's server with AWS's own rules for KMS.

Start it with `python -m tests.standins.aws [--host 127.0.0.1] [--port 0] [--account 111122223333] [--state FILE.json]
[--propagation SECONDS] [--latency SECONDS] [--trail-delay SECONDS]` from the repository's root; it prints
`AWS stand-in listening on http://127.0.0.1:PORT` when it accepts connections and stops at SIGTERM or SIGINT.
In tests: `with AwsStandin() as aws: boto3.client("kms", endpoint_url=aws.url, …)`.

Credentials can be anything (signatures are not checked); callers belong to `--account` unless their access key came
from sts:AssumeRole, from moto's IAM, or from `POST /_standin/principals`.

Control endpoint (JSON; errors are `{"error": text}` with 400 or 404):

GET, DELETE /_standin/calls
    Every AWS API call in the order received: `n, time, service, operation, region, account, principal, key` (the KeyId
    as sent), `params, status, error` (AWS's error code), `dropped` ("before", "after" or null). `status` is null for
    dropped calls and for calls still under way. Credentials and plaintexts are never kept.
GET, POST, DELETE /_standin/faults
    One fault or a list: `{service: "kms", operation: "*", region: "*", key_id, count: 1, skip: 0, error, message,
    status, html: false, latency: 0, drop: "before" | "after", reset: false, hang: false}`. A fault
    lets `skip` matching calls pass, then hits `count` (null: for ever). `key_id` may be the id, ARN or alias. Status and
    message follow from `error` where AWS's are known. `html`: an HTML page as a proxy sends it (502). `latency` (seconds) alone only delays.
    `drop`: the connection is closed without an answer, before or after the call was acted on; `reset`: by a TCP reset.
    `hang`: the call is received and never answered, until the faults are deleted or the stand-in is reset.
    The first fault that replaces the answer wins.
GET, POST /_standin/keys; PATCH /_standin/keys/REGION/KEY_ID_OR_ALIAS[?account=ID]
    POST creates a key (or a list of keys) in any state: `{region, account, alias, key_id, state, deletion_date,
    pending_window_in_days, key_manager: "AWS", origin, multi_region, primary_region, custom_key_store, tags, policy,
    description, creation_date, valid_to, materials, propagation, flip, not_found}`; only `region` is needed. It answers the
    DescribeKey metadata. `valid_to` and `materials` (a list of `{state, import}` in ListKeyRotations' words) are of
    imported material (`origin: EXTERNAL`). GetKeyLastUsage counts what happened since `creation_date`.
    PATCH forces `state` (seen at once; PendingImport to Enabled is the import of key material), `deletion_date`,
    `policy`, `store_connected: true` (ends Unavailable), and sets `propagation, flip, not_found` for this key.
    GET lists all keys with their real state, whatever DescribeKey shows.
GET, POST /_standin/config
    `{propagation, flip, not_found, latency, trail_delay, quotas, clock_offset, last_use_delay}` at run time. `propagation`: seconds
    until DescribeKey and state-dependent operations see a change that was made through the API. `flip`: within that time reads alternate
    between the new and the old state. `not_found`: that many DescribeKey calls after a change answer NotFoundException.
    `last_use_delay`: seconds by which GetKeyLastUsage is late. `quotas`: calls over AWS's request quotas are throttled.
    `clock_offset`: seconds that AWS's clock is ahead of this
    machine's, in the `Date` header of every answer and in CloudTrail's times (planted events keep theirs).
POST /_standin/principals
    `{access_key, account, arn}`: which account and principal an access key belongs to.
POST /_standin/roles
    `{arn, external_id, mfa_serial, mfa_codes, web_identity}`: a role that callers may assume, if they give the external id
    where there is one, and one of the codes of the MFA device (a list of texts; each serves once). `web_identity`: the token with
    which alone it can be assumed, by AssumeRoleWithWebIdentity. No other role can be assumed.
POST /_standin/credentials
    `{kind: "instance" | "container" | "sso", name, account, token, lasts: 3600}`: a role whose credentials an endpoint hands
    out for `lasts` seconds: IMDSv2 (AWS_EC2_METADATA_SERVICE_ENDPOINT is this server), a container's endpoint
    (AWS_CONTAINER_CREDENTIALS_FULL_URI is /v1/credentials here, `token` what it wants as Authorization), and IAM Identity
    Center's portal (AWS_ENDPOINT_URL_SSO, `token` the access token). It answers the secrets, for tests that search for them.
GET, POST /_standin/iam_roles
    `{account, name, policy}`: an IAM role of an account, and its trust policy (JSON, or any text), seen at once. GetRole
    and UpdateAssumeRolePolicy work on these; `propagation` counts for them too. GET answers the policies as written.
GET /_standin/sessions
    The credentials that were given out for assumed roles, for tests that search for them: `{arn, secret_access_key,
    session_token}`.
GET, POST, DELETE /_standin/policy
    `{actions: ["kms:DescribeKey", "kms:Enable*"], principal}`: the only actions allowed to a principal (access key id,
    ARN, or ARN of the role whose sessions are meant) or, without `principal`, to everybody who has no policy of their
    own. All else answers AccessDeniedException; sts:GetCallerIdentity is always allowed. Key policies count too:
    an explicit Deny, and a policy that allows the caller nothing.
GET, POST /_standin/events
    CloudTrail: calls appear there by themselves, `trail_delay` seconds later. POST plants one event or a list:
    `{region, account, time (ISO 8601), name, key (id, alias or ARN), user_arn, source_ip, user_agent, error_code,
    error_message, request_parameters, encryption_context, service: "kms"}`; region, time and name are needed. A
    `user_arn` of another account shows as that account's, with a sharedEventID; denied, it is refused here, since AWS
    logs that in the caller's account only. `encryption_context` (a map) makes the parameters of a cryptographic
    operation in place of `request_parameters`. GET answers all records, visible already or not.
POST /_standin/reset
    Back to the state as started, moto's included.

A seed file (`--state`) holds a list in the shape of `POST /_standin/keys`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import AwsStandin

__all__ = ["AwsStandin"]


def __getattr__(name: str) -> Any:
    # Late, because moto takes a second to import and the command must be able to stop while it does.
    if name == "AwsStandin":
        from .server import AwsStandin  # noqa: PLC0415 - see above

        return AwsStandin
    raise AttributeError(name)
