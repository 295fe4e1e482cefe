"""CloudTrail's event history: `LookupEvents` answered from the calls that were really received.

Shapes: AWS CloudTrail API Reference ("LookupEvents", "Event") and User Guide ("CloudTrail record contents",
"CloudTrail userIdentity element"); what KMS writes: AWS KMS Developer Guide ("Logging AWS KMS API calls with AWS
CloudTrail", with its examples). Times are UTC with a resolution of one second, as CloudTrail's are.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import AwsError
from .kms import CRYPTOGRAPHIC

HISTORY_DAYS = 90
LOOKUPS_PER_SECOND = 2
ATTRIBUTE_KEYS = {
    "AccessKeyId",
    "EventId",
    "EventName",
    "EventSource",
    "ReadOnly",
    "ResourceName",
    "ResourceType",
    "Username",
}
# "For security reasons, some fields are omitted from AWS KMS log entries."
_OMITTED = {"CiphertextBlob", "GrantToken", "GrantTokens", "Message", "Plaintext", "Policy"}
_STS_READS = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage"}


@dataclass
class TrailEvent:
    """One entry of the history: where it belongs, and CloudTrail's own record of it.

    `since` is the exact moment (Unix seconds) from which the delay counts.
    """

    seq: int
    region: str
    account: str
    moment: datetime
    since: float
    record: dict[str, Any]
    username: str | None

    def attribute(self, key: str) -> set[str]:
        """The values by which a lookup attribute finds this event."""
        record = self.record
        resources = record.get("resources", [])
        return {
            "AccessKeyId": {str(record["userIdentity"].get("accessKeyId"))},
            "EventId": {record["eventID"]},
            "EventName": {record["eventName"]},
            "EventSource": {record["eventSource"]},
            "ReadOnly": {json.dumps(record["readOnly"])},
            "ResourceName": {resource["ARN"] for resource in resources},
            "ResourceType": {resource["type"] for resource in resources},
            "Username": {self.username or ""},
        }[key]

    def answer(self) -> dict[str, Any]:
        """The event as LookupEvents answers it; fields without a value are left out."""
        record = self.record
        event = {
            "EventId": record["eventID"],
            "EventName": record["eventName"],
            "ReadOnly": json.dumps(record["readOnly"]),
            "AccessKeyId": record["userIdentity"].get("accessKeyId"),
            "EventTime": self.moment.timestamp(),
            "EventSource": record["eventSource"],
            "Username": self.username,
            "Resources": [
                {"ResourceType": resource["type"], "ResourceName": resource["ARN"]}
                for resource in record.get("resources", [])
            ],
            "CloudTrailEvent": json.dumps(record),
        }
        return {name: value for name, value in event.items() if value is not None}


@dataclass
class Happening:
    """What happened, before it becomes an event. `account` owns the history; `params` are as sent to the API."""

    region: str
    account: str
    name: str
    moment: datetime
    principal: str
    service: str = "kms"
    access_key: str | None = None
    source_ip: str = "127.0.0.1"
    user_agent: str = "stand-in"
    params: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    key_arn: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    shared_id: str | None = None


@dataclass
class Trail:
    """The event history of every account and region."""

    now: Callable[[], float] = time.time
    events: list[TrailEvent] = field(default_factory=list)
    lookups: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def add(self, what: Happening) -> TrailEvent:
        moment = what.moment.replace(microsecond=0)
        record: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": user_identity(what, moment),
            "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": f"{what.service}.amazonaws.com",
            "eventName": what.name,
            "awsRegion": what.region,
            "sourceIPAddress": what.source_ip,
            "userAgent": what.user_agent,
        }
        if what.error_code:
            # KMS writes AccessDenied here, though the caller gets AccessDeniedException.
            denied = what.error_code == "AccessDeniedException"
            record["errorCode"] = "AccessDenied" if denied else what.error_code
            record["errorMessage"] = what.error_message or ""
        record |= {
            "requestParameters": lower_first(what.params) or None,
            "responseElements": None if what.error_code else lower_first(what.response),
            "requestID": what.request_id,
            "eventID": str(uuid.uuid4()),
            "readOnly": is_read_only(what.service, what.name),
        }
        if what.key_arn:
            owner = what.key_arn.split(":")[4]
            record["resources"] = [{"accountId": owner, "type": "AWS::KMS::Key", "ARN": what.key_arn}]
        record |= {
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": what.account,
            "eventCategory": "Management",
        }
        if what.shared_id:
            record["sharedEventID"] = what.shared_id
        since = what.moment.timestamp()
        event = TrailEvent(len(self.events), what.region, what.account, moment, since, record, username(what))
        self.events.append(event)
        return event

    def lookup(self, params: dict[str, Any], account: str, region: str, delay: float) -> dict[str, Any]:
        """LookupEvents: newest first; events younger than `delay` seconds are not there yet.

        Raises AwsError: ThrottlingException beyond two requests per second, account and region; the documented
        Invalid…Exceptions for parameters.
        """
        self._throttle(account, region)
        limit, start, end = _limits(params)
        attribute = _attribute(params)
        category = params.get("EventCategory")
        if category not in (None, "insight"):
            raise AwsError("InvalidEventCategoryException", f"Invalid event category: {category}")
        same = hashlib.sha256(json.dumps([attribute, start, end, category], sort_keys=True).encode()).hexdigest()[:16]
        before = _read_token(params.get("NextToken"), same)
        now = self.now()
        found = [
            event
            for event in self.events
            if (event.account, event.region) == (account, region)
            and now - HISTORY_DAYS * 86400 <= event.since <= now - delay
            and (start is None or event.moment.timestamp() >= start)
            and (end is None or event.moment.timestamp() <= end)
            and (attribute is None or attribute[1] in event.attribute(attribute[0]))
            and category is None
        ]
        found.sort(key=_order, reverse=True)
        rest = [event for event in found if before is None or _order(event) < before]
        answer: dict[str, Any] = {"Events": [event.answer() for event in rest[:limit]]}
        if len(rest) > limit:
            answer["NextToken"] = _write_token(_order(rest[limit - 1]), same)
        return answer

    def _throttle(self, account: str, region: str) -> None:
        recent = self.lookups.setdefault((account, region), deque())
        now = self.now()
        # A clock that was set back leaves nothing behind.
        while recent and not now - 1 < recent[0] <= now:
            recent.popleft()
        if len(recent) >= LOOKUPS_PER_SECOND:
            raise AwsError("ThrottlingException")
        recent.append(now)


def _order(event: TrailEvent) -> tuple[float, int]:
    return event.moment.timestamp(), event.seq


def _limits(params: dict[str, Any]) -> tuple[int, float | None, float | None]:
    """MaxResults (1 to 50, default 50), StartTime and EndTime (Unix seconds)."""
    limit = params.get("MaxResults", 50)
    if not isinstance(limit, int) or not 1 <= limit <= 50:
        raise AwsError("InvalidMaxResultsException", "Max results must be between 1 and 50.")
    start, end = params.get("StartTime"), params.get("EndTime")
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time must not be after the end time.")
    return limit, start, end


def _attribute(params: dict[str, Any]) -> tuple[str, str] | None:
    attributes = params.get("LookupAttributes") or []
    if not attributes:
        return None
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
    key, value = attributes[0].get("AttributeKey"), attributes[0].get("AttributeValue")
    if key not in ATTRIBUTE_KEYS or not isinstance(value, str) or not value:
        raise AwsError("InvalidLookupAttributesException", f"Invalid lookup attribute: {key}")
    return key, value


def _write_token(position: tuple[float, int], same: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([*position, same]).encode()).decode()


def _read_token(token: Any, same: str) -> tuple[float, int] | None:
    """The position after which to go on. "The token must be passed in with the same parameters"."""
    if token is None:
        return None
    try:
        moment, seq, made_for = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        made_for = None
    if made_for != same:
        raise AwsError("InvalidNextTokenException", "Invalid next token.")
    return moment, seq


def is_read_only(service: str, name: str) -> bool:
    """CloudTrail's readOnly: KMS counts cryptographic operations as reads."""
    reads = name.startswith(("Describe", "Get", "List", "Lookup"))
    return reads or (service == "kms" and name in CRYPTOGRAPHIC | {"GenerateRandom"}) or name in _STS_READS


def lower_first(data: Any) -> Any:
    """Member names as CloudTrail writes them (keyId); encryption contexts keep theirs; secrets are left out."""
    if isinstance(data, list):
        return [lower_first(item) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name[:1].lower() + name[1:]: value if name.lower() == "encryptioncontext" else lower_first(value)
        for name, value in data.items()
        if name not in _OMITTED
    }


def _unique(prefix: str, text: str) -> str:
    return prefix + base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:17]


def username(what: Happening) -> str | None:
    """CloudTrail's Username: user name, session name of a role, `root`; none for callers of other accounts."""
    parts = what.principal.split(":")
    if parts[4] != what.account:
        return None
    return parts[5].rpartition("/")[2]


def user_identity(what: Happening, moment: datetime) -> dict[str, Any]:
    """CloudTrail's userIdentity for a principal ARN; a caller of another account shows as AWSAccount, without ARN."""
    parts = what.principal.split(":")
    account, resource = parts[4], parts[5]
    name = resource.rpartition("/")[2]
    is_role = resource.startswith("assumed-role/")
    role = resource.split("/")[1] if is_role else ""
    role_arn = f"arn:{parts[1]}:iam::{account}:role/{role}"
    role_id = _unique("AROA", role_arn)
    principal_id = f"{role_id}:{name}" if is_role else _unique("AIDA", what.principal)
    if account != what.account:
        return {"type": "AWSAccount", "principalId": principal_id, "accountId": account}
    identity: dict[str, Any] = {
        "type": "AssumedRole" if is_role else "Root" if resource == "root" else "IAMUser",
        "principalId": account if resource == "root" else principal_id,
        "arn": what.principal,
        "accountId": account,
        "accessKeyId": what.access_key or _unique("ASIA" if is_role else "AKIA", what.principal)[:20],
    }
    if is_role:
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role_id,
                "arn": role_arn,
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "mfaAuthenticated": "false"},
        }
    elif resource != "root":
        identity["userName"] = name
    return identity


def response_elements(service: str, name: str, key_arn: str | None, body: bytes) -> dict[str, Any] | None:
    """What KMS puts into responseElements: nothing for reads; the key ARN for all changes since December 2022."""
    if service != "kms" or is_read_only(service, name):
        return None
    try:
        data = json.loads(body) if body else {}
    except ValueError:
        data = {}
    data = data if isinstance(data, dict) else {}
    if key_arn and name != "CreateKey":
        data["KeyId"] = key_arn
    if "DeletionDate" in data:
        data["DeletionDate"] = datetime.fromtimestamp(data["DeletionDate"], UTC).strftime("%b %d, %Y %I:%M:%S %p")
    return data
