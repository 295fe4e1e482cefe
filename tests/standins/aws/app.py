"""The WSGI application: parses, records, delays, breaks and answers calls; what is not strict goes to moto."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from moto.iam.models import iam_backends
from moto.kms.models import Key
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition
from werkzeug.test import run_wsgi_app

from . import faults as faulting
from .answers import Answer, aws_answer, json_answer
from .control import control
from .errors import AwsError, no_identity_policy, render
from .faults import Fault
from .health import key_last_usage, key_rotations
from .iam import OPERATIONS as IAM_OPERATIONS
from .iam import REGION as IAM_REGION
from .iam import StrictIam
from .kms import STRICT, Caller, Settings, StrictKms, check_key_id
from .metadata import Endpoints
from .policies import action_matches, check_policy, role_of
from .sts import TrustedRole, check_assume_role, check_web_identity
from .trail import Happening, Trail, response_elements

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_UNSIGNED = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}
_SECRET_PARAMS = {"Plaintext", "TokenCode", "SAMLAssertion", "WebIdentityToken", "Password", "SecretString"}
# KMS operations without a KeyId of one existing key, or with an optional one.
_KEYLESS = {
    "CreateAlias",
    "CreateKey",
    "Decrypt",
    "DeleteAlias",
    "GenerateRandom",
    "ListAliases",
    "ListKeys",
    "ListRetirableGrants",
    "ReEncrypt",
    "RetireGrant",
    "UpdateAlias",
}


# A second, for each account and region ("Request quotas", AWS KMS Developer Guide; LookupEvents, AWS CloudTrail API
# Reference).
_QUOTAS = {"EnableKey": 5, "DisableKey": 5, "CancelKeyDeletion": 5, "LookupEvents": 2}


# Refused before AWS knows whose history they belong to.
_NOT_LOGGED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}


class DroppedError(ConnectionError):
    """The connection is to be closed without an answer; with `reset`, by a TCP reset."""

    def __init__(self, reset: bool) -> None:
        super().__init__("dropped by a scripted fault")
        self.reset = reset


@dataclass
class Call:
    """One AWS API call. `time` is UTC, ISO 8601; `key` is the KeyId parameter as sent."""

    n: int
    time: str
    service: str
    operation: str
    region: str
    account: str
    principal: str
    key: str | None
    params: dict[str, Any]
    status: int | None = None
    error: str | None = None
    dropped: str | None = None


@dataclass
class Request:
    """A call on its way: what CloudTrail wants to know beside the call itself."""

    call: Call
    access_key: str
    request_id: str
    source_ip: str
    user_agent: str
    environ: dict[str, Any]
    body: bytes
    params: dict[str, Any]
    key_arn: str | None = None
    error_message: str | None = None

    @property
    def caller(self) -> Caller:
        return Caller(self.call.account, self.call.principal, self.call.region)


class StandinApp:
    """moto made strict. One per process, because moto's backends are global.

    `account`: 12-digit id of callers that are not known otherwise. `seed`: keys in the shape of `POST /_standin/keys`.
    """

    def __init__(self, account: str, settings: Settings, seed: list[dict[str, Any]]) -> None:
        self.account = account
        self.started = settings
        self.seed = seed
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.RLock()
        self.settings = replace(settings)
        self.kms = StrictKms(self.settings)
        self.iam = StrictIam(self.settings)
        self.trail = Trail()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.principals: dict[str, tuple[str, str]] = {}
        self.policies: dict[str, list[str]] = {}
        self.roles: dict[str, TrustedRole] = {}
        self.endpoints = Endpoints()
        self.taken: dict[tuple[str, str, str], list[float]] = {}
        self.released = threading.Event()
        self.reset()

    def reset(self) -> None:
        """Back to the state as started."""
        with self.lock:
            self.release()
            moto_api_backend.reset()
            self.settings = replace(self.started)
            self.kms = StrictKms(self.settings)
            self.iam = StrictIam(self.settings)
            self.trail = Trail(now=lambda: time.time() + self.settings.clock_offset)
            self.calls, self.faults, self.principals, self.policies, self.roles = [], [], {}, {}, {}
            self.endpoints = Endpoints()
            for spec in self.seed:
                self.kms.plant(spec, self.account)

    def release(self) -> None:
        """Close the connections of calls that hang."""
        self.released.set()
        self.released = threading.Event()

    # --- WSGI

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/_standin/"):
            answer = control(self, environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), body)
        elif path.startswith("/moto-api"):
            answer = json_answer({"error": "use /_standin/"}, 404)
        else:
            with self.lock:
                handed_out = self.endpoints.answer(environ)
            answer = handed_out or self.aws(environ, body)
        headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body))), *answer.headers]
        start_response(f"{answer.status} {'OK' if answer.status < 400 else 'Error'}", headers)
        return [answer.body]

    # --- AWS API calls

    def aws(self, environ: dict[str, Any], body: bytes) -> Answer:
        with self.lock:
            request = self.receive(environ, body)
            call = request.call
            if self.is_over_quota(call):
                return self.refuse(request, AwsError("ThrottlingException", "Rate exceeded", 400))
            delay, fault = faulting.take(self.faults, call.service, call.operation, call.region, self.names_of(request))
            released = self.released
        delay += self.settings.latency
        if delay > 0:
            time.sleep(delay)
        if fault and fault.hang:
            call.dropped = "before"
            released.wait()
            raise DroppedError(reset=True)
        if fault and fault.drop == "before":
            call.dropped = "before"
            raise DroppedError(fault.reset)
        answer = self.fail(request, fault) if fault and not fault.drop else self.act(request)
        with self.lock:
            self.finish(request, answer)
        if fault and fault.drop == "after":
            call.status, call.dropped = None, "after"
            raise DroppedError(fault.reset)
        call.status = answer.status
        return replace(answer, headers=(*answer.headers, ("x-amzn-RequestId", request.request_id)))

    def is_over_quota(self, call: Call) -> bool:
        """Whether as many calls as AWS takes in a second have been made in the last one; throttled calls do not count."""
        quota = _QUOTAS.get(call.operation)
        if quota is None or not self.settings.quotas:
            return False
        now = time.monotonic()
        taken = self.taken.setdefault((call.account, call.region, call.operation), [])
        taken[:] = [moment for moment in taken if moment > now - 1]
        if len(taken) >= quota:
            return True
        taken.append(now)
        return False

    def receive(self, environ: dict[str, Any], body: bytes) -> Request:
        """Parse a call and write it down, before anything is done with it."""
        match = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        params: dict[str, Any] = {}
        if target:
            operation = target.rpartition(".")[2]
            try:
                loaded = json.loads(body or b"{}")
                params = loaded if isinstance(loaded, dict) else {}
            except ValueError:
                pass
        else:
            params = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
            operation = params.pop("Action", None) or f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '/')}"
            params.pop("Version", None)
        access_key, region, service = match.groups() if match else ("", "us-east-1", "sts" if not target else "kms")
        if service == "iam":
            # One service for all regions: "the region for IAM is us-east-1" in signatures and in CloudTrail.
            region = IAM_REGION
        account, principal = self.identify(access_key, region)
        key = params.get("KeyId")
        shown = {name: "(not recorded)" if name in _SECRET_PARAMS else value for name, value in params.items()}
        call = Call(
            n=len(self.calls) + 1,
            time=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            service=service,
            operation=operation,
            region=region,
            account=account,
            principal=principal,
            key=key if isinstance(key, str) else None,
            params=shown,
        )
        self.calls.append(call)
        return Request(
            call,
            access_key,
            str(uuid.uuid4()),
            environ.get("REMOTE_ADDR", ""),
            environ.get("HTTP_USER_AGENT", ""),
            environ,
            body,
            params,
        )

    def identify(self, access_key: str, region: str) -> tuple[str, str]:
        """Account id and principal ARN of an access key: planted, assumed role, moto's IAM user, or the default."""
        if access_key in self.principals:
            return self.principals[access_key]
        partition = get_partition(region)
        for account, iam in list(iam_backends.items()):
            if access_key in iam[partition].access_keys:
                role = sts_backends[account][partition].get_assumed_role_from_access_key(access_key)
                user = None if role else iam[partition].get_user_from_access_key_id(access_key)
                if role or user:
                    return account, (role or user).arn  # type: ignore[union-attr]
        return self.account, f"arn:{partition}:iam::{self.account}:user/standin"

    def names_of(self, request: Request) -> set[str]:
        """Every name by which the call's key may be meant, for faults that name a key."""
        sent = request.call.key
        if sent is None or not any(fault.key_id for fault in self.faults):
            return set()
        names = {sent}
        for key in self.kms.every_key():
            if key.region == request.call.region and sent in (key.id, key.arn, *key.aliases):
                names |= {key.id, key.arn, *key.aliases}
        return names

    def fail(self, request: Request, fault: Fault) -> Answer:
        """The answer of a scripted fault."""
        call = request.call
        if fault.html:
            status = fault.status or 502
            call.error = f"HTML {status}"
            page = f"<html><head><title>{status}</title></head><body><h1>{status} Bad Gateway</h1></body></html>\n"
            return Answer(status, "text/html", page.encode())
        if not fault.error:
            call.error = f"HTTP {fault.status}"
            return Answer(fault.status or 500, "application/x-amz-json-1.1", b"")
        if fault.error == "AccessDeniedException" and fault.message is None:
            denial = self.denial(request, self.arn_of(request))
            denial.status = fault.status or denial.status
            return self.refuse(request, denial)
        return self.refuse(request, AwsError(fault.error, fault.message, fault.status))

    def arn_of(self, request: Request) -> str | None:
        """The key ARN of a call that is not acted on, as far as it can be told."""
        call = request.call
        for key in self.kms.every_key():
            if call.region == key.region and call.key in (key.id, key.arn, *key.aliases):
                return str(key.arn)
        return call.key if (call.key or "").startswith("arn:") else None

    def denial(self, request: Request, key_arn: str | None) -> AwsError:
        """AccessDeniedException because the caller's own policies do not allow the action."""
        call = request.call
        # CloudTrail's LookupEvents names no resource, KMS's listings name "*".
        if call.service == "iam":
            # IAM writes "resource: role NAME", with the word before the name.
            role = request.params.get("RoleName")
            return no_identity_policy(call.principal, f"iam:{call.operation}", f"role {role}" if role else None)
        resource = key_arn or request.params.get("RoleArn") or ("*" if call.service == "kms" else None)
        return no_identity_policy(call.principal, f"{call.service}:{call.operation}", resource)

    def authorize(self, request: Request, key_arn: str | None = None) -> None:
        """Apply the identity policy that was set for the caller, or for everybody; without one all is allowed.

        "No permissions are required" for GetCallerIdentity, not even an explicit deny stops it (STS API Reference).
        """
        call = request.call
        action = f"{call.service}:{call.operation}"
        names = (request.access_key, call.principal, role_of(call.principal), "*")
        allowed = next((self.policies[name] for name in names if name in self.policies), None)
        if allowed is None or action == "sts:GetCallerIdentity" or action_matches(allowed, action):
            return
        raise self.denial(request, key_arn)

    def refuse(self, request: Request, error: AwsError) -> Answer:
        status, content_type, body = render(error, request.call.service, request.request_id)
        request.call.error = error.code
        request.error_message = error.message
        return Answer(status, content_type, body)

    def act(self, request: Request) -> Answer:
        """Do what the call asks for; one call at a time, because moto is not made for more."""
        call = request.call
        if not request.access_key and call.operation not in _UNSIGNED:
            return self.refuse(request, AwsError("MissingAuthenticationTokenException", "Missing Authentication Token"))
        try:
            with self.lock:
                if call.service == "kms":
                    return self.act_kms(request)
                self.authorize(request)
                if (call.service, call.operation) == ("sts", "AssumeRole"):
                    check_assume_role(self.roles, request.params, call.principal)
                if (call.service, call.operation) == ("sts", "AssumeRoleWithWebIdentity"):
                    check_web_identity(self.roles, request.params)
                if call.service == "iam" and call.operation in IAM_OPERATIONS:
                    return self.iam.act(call.operation, request.params, call.account, request.request_id)
                if (call.service, call.operation) == ("cloudtrail", "LookupEvents"):
                    delay = self.settings.trail_delay
                    return aws_answer(self.trail.lookup(request.params, call.account, call.region, delay))
                return self.act_moto(request)
        except AwsError as error:
            return self.refuse(request, error)

    def act_kms(self, request: Request) -> Answer:
        operation, params = request.call.operation, dict(request.params)
        try:
            json.loads(request.body or b"{}")
        except ValueError:
            raise AwsError("SerializationException", "Unable to parse the request.") from None
        key = self.locate(operation, params, request.caller)
        self.authorize(request, key.arn if key else None)
        if key is not None:
            request.key_arn = key.arn
            self.kms.check_state(operation, key)
        if operation in ("CreateKey", "PutKeyPolicy") and params.get("Policy") is not None:
            check_policy(params["Policy"])
        if key is not None and operation in STRICT:
            return aws_answer(self.kms.operate(operation, key, params))
        read = self.read_kms(operation, key, params, request.caller)
        if read is not None:
            return aws_answer(read)
        if operation in ("GetKeyPolicy", "PutKeyPolicy"):
            # "If no policy name is specified, the default value is default"; moto wants it.
            params.setdefault("PolicyName", "default")
        answer = self.act_moto(request, json.dumps(params).encode(), key.account_id if key else None)
        if operation != "CreateKey" or answer.status != 200:
            return answer
        created = json.loads(answer.body)["KeyMetadata"]["Arn"]
        new = next(key for key in self.kms.every_key() if key.arn == created)
        adopted = self.kms.adopt(new)
        request.key_arn = new.arn
        return aws_answer(adopted)

    def read_kms(
        self, operation: str, key: Key | None, params: dict[str, Any], caller: Caller
    ) -> dict[str, Any] | None:
        """The answer of a read that is strict itself; None for all that is moto's."""
        if key is None:
            return self.kms.list_aliases(params, caller) if operation == "ListAliases" else None
        if operation == "GetKeyLastUsage":
            return key_last_usage(key, self.trail, self.settings.last_use_delay)
        if operation == "ListKeyRotations" and key.origin == "EXTERNAL":
            return key_rotations(self.kms, key, params)
        return None

    def locate(self, operation: str, params: dict[str, Any], caller: Caller) -> Key | None:
        """The key of a call, if it has one. The parameters then hold its ARN: moto knows no `mrk-` ids of AWS's form."""
        if operation == "ReEncrypt":
            source = self.kms.find_by_ciphertext(str(params.get("CiphertextBlob")), caller)
            if source:
                self.kms.check_state(operation, source)
            key = self.kms.find(check_key_id(params, "DestinationKeyId"), caller, operation)
            params["DestinationKeyId"] = key.arn
            return key
        if params.get("KeyId") is None and operation == "Decrypt":
            return self.kms.find_by_ciphertext(str(params.get("CiphertextBlob")), caller)
        if operation in _KEYLESS and "KeyId" not in params:
            return None
        key = self.kms.find(check_key_id(params), caller, operation)
        params["KeyId"] = key.arn
        return key

    def act_moto(self, request: Request, body: bytes | None = None, account: str | None = None) -> Answer:
        """Let moto answer, in the account of the caller (or of the key)."""
        call = request.call
        body = request.body if body is None else body
        environ = {
            **request.environ,
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_MOTO_ACCOUNT_ID": account or call.account,
        }
        chunks, status, headers = run_wsgi_app(self.moto, environ)
        content = b"".join(chunks)
        code = int(status.split(" ", 1)[0])
        if code >= 400:
            call.error, request.error_message = _error_in(content)
        elif call.service == "sts" and call.operation == "GetCallerIdentity":
            # moto's own unknown caller is no valid principal ARN.
            content = re.sub(rb"<Arn>[^<]*:user/moto</Arn>", f"<Arn>{call.principal}</Arn>".encode(), content)
        kept = ("content-length", "content-type", "date", "server", "connection", "x-amzn-requestid")
        others = tuple((name, value) for name, value in headers if name.lower() not in kept)
        return Answer(code, headers.get("Content-Type", "application/x-amz-json-1.1"), content, others)

    def finish(self, request: Request, answer: Answer) -> None:
        """Tell CloudTrail of a call that reached AWS.

        A call on a key of another account is logged in both accounts; a denied one only in the caller's
        (AWS KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail").
        """
        call = request.call
        if call.error in _NOT_LOGGED or (call.error or "").startswith(("HTML ", "HTTP ")):
            return
        happening = Happening(
            region=call.region,
            account=call.account,
            name=call.operation,
            moment=datetime.fromisoformat(call.time) + timedelta(seconds=self.settings.clock_offset),
            principal=call.principal,
            service=call.service,
            access_key=request.access_key,
            source_ip=request.source_ip,
            user_agent=request.user_agent,
            params={name: value for name, value in request.params.items() if name not in _SECRET_PARAMS},
            response=response_elements(call.service, call.operation, request.key_arn, answer.body),
            key_arn=request.key_arn,
            error_code=call.error,
            error_message=request.error_message,
            request_id=request.request_id,
        )
        owner = request.key_arn.split(":")[4] if request.key_arn else call.account
        if owner == call.account:
            self.trail.add(happening)
            return
        happening.shared_id = str(uuid.uuid4())
        self.trail.add(happening)
        self.trail.add(replace(happening, account=owner))


def _error_in(body: bytes) -> tuple[str, str]:
    """Error code and message of an error answer of moto, JSON or XML."""
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
        return str(data.get("__type", "Unknown")).rpartition("#")[2], str(data.get("message", data.get("Message", "")))
    except (ValueError, AttributeError):
        code = re.search(r"<Code>([^<]*)</Code>", text)
        message = re.search(r"<Message>([^<]*)</Message>", text)
        return code.group(1) if code else "Unknown", message.group(1) if message else ""
