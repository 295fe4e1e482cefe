"""Where credentials come from on a machine of AWS: instance metadata (IMDSv2), a container's endpoint, IAM Identity Center.

Sources: Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata" and "Retrieve security
credentials from instance metadata"; AWS SDKs and Tools Reference Guide, "Container credential provider"; IAM Identity
Center Portal API Reference, GetRoleCredentials.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from .answers import Answer, json_answer

KINDS = ("instance", "container", "sso")
_TOKEN_PATH = "/latest/api/token"
_ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
_CONTAINER_PATH = "/v1/credentials"
_SSO_PATH = "/federation/credentials"


@dataclass(frozen=True)
class Role:
    """A role whose credentials one of the endpoints hands out.

    `token`: what a container or the portal wants to see. `lasts`: seconds that the credentials are good for.
    """

    kind: str
    name: str
    account: str
    token: str
    lasts: int
    access_key: str = field(default_factory=lambda: f"ASIA{secrets.token_hex(8).upper()}")
    secret_key: str = field(default_factory=lambda: f"endpoint-secret-{secrets.token_hex(12)}")
    session_token: str = field(default_factory=lambda: f"endpoint-token-{secrets.token_hex(12)}")

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.kind}"

    @property
    def ends(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.lasts)


class Endpoints:
    """The endpoints, and the roles that were planted for them."""

    def __init__(self) -> None:
        self.roles: list[Role] = []
        self._sessions: set[str] = set()

    def plant(self, spec: dict[str, Any], account: str) -> Role:
        unknown = set(spec) - {"kind", "name", "account", "token", "lasts"}
        if unknown or spec["kind"] not in KINDS:
            raise ValueError(f"unknown: {', '.join(sorted(unknown)) or spec['kind']}")
        role = Role(
            spec["kind"],
            str(spec.get("name") or "cmk-operator"),
            str(spec.get("account") or account),
            str(spec.get("token") or ""),
            int(spec.get("lasts") or 3600),
        )
        self.roles.append(role)
        return role

    def answer(self, environ: dict[str, Any]) -> Answer | None:
        """The answer of an endpoint; None for a request that is none of theirs."""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/latest/"):
            return self._instance(environ, path)
        if path == _CONTAINER_PATH:
            return self._container(environ)
        return self._portal(environ) if path == _SSO_PATH else None

    def _planted(self, kind: str) -> Role | None:
        return next((role for role in reversed(self.roles) if role.kind == kind), None)

    def _instance(self, environ: dict[str, Any], path: str) -> Answer:
        """ "PUT requests with an X-Forwarded-For header are rejected"; a token's life is 1 second to six hours."""
        role = self._planted("instance")
        if path == _TOKEN_PATH:
            life = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS", "")
            if "HTTP_X_FORWARDED_FOR" in environ:
                return _text("", 403)
            if environ["REQUEST_METHOD"] != "PUT":
                return _text("", 405)
            if not life.isdigit() or not 1 <= int(life) <= 21600:
                return _text("", 400)
            token = secrets.token_urlsafe(40)
            self._sessions.add(token)
            return _text(token)
        # IMDSv1 is off: "requests without a valid token get 401 - Unauthorized".
        if environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN") not in self._sessions:
            return _text("", 401)
        if role and path == _ROLES_PATH:
            return _text(role.name)
        if role and path == _ROLES_PATH + role.name:
            now = _written(datetime.now(UTC))
            return json_answer({"Code": "Success", "LastUpdated": now, "Type": "AWS-HMAC", **_keys(role)})
        # "404 - Not Found" also when no role is attached to the instance.
        return _text("", 404)

    def _container(self, environ: dict[str, Any]) -> Answer:
        role = self._planted("container")
        if role is None or environ["REQUEST_METHOD"] != "GET":
            return json_answer({"code": "ResourceNotFoundException", "message": "not found"}, 404)
        if role.token and environ.get("HTTP_AUTHORIZATION") != role.token:
            return json_answer({"code": "AccessDeniedException", "message": "The token is not valid"}, 401)
        return json_answer({**_keys(role), "AccountId": role.account})

    def _portal(self, environ: dict[str, Any]) -> Answer:
        query = {name: values[0] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        role = self._planted("sso")
        if role is None or environ.get("HTTP_X_AMZ_SSO_BEARER_TOKEN") != role.token:
            return _portal_error("UnauthorizedException", "Session token not found or invalid", 401)
        if (query.get("role_name"), query.get("account_id")) != (role.name, role.account):
            return _portal_error("ForbiddenException", "No access", 403)
        credentials = {
            "accessKeyId": role.access_key,
            "secretAccessKey": role.secret_key,
            "sessionToken": role.session_token,
            "expiration": int(role.ends.timestamp() * 1000),
        }
        return json_answer({"roleCredentials": credentials})


def _keys(role: Role) -> dict[str, str]:
    return {
        "AccessKeyId": role.access_key,
        "SecretAccessKey": role.secret_key,
        "Token": role.session_token,
        "Expiration": _written(role.ends),
    }


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(text: str, status: int = 200) -> Answer:
    return Answer(status, "text/plain", text.encode())


def _portal_error(code: str, message: str, status: int) -> Answer:
    answer = json_answer({"message": message, "__type": f"com.amazonaws.switchboard.portal#{code}"}, status)
    answer.headers = (("x-amzn-errortype", f"{code}:http://internal.amazon.com/coral/"),)
    return answer
