# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How boto3's clients are made: with the common AWS options, and with a role to assume."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import functools
import math
import os
import typing as t
from dataclasses import dataclass, field

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info, get_aws_region

from ._argspec import Json, Patience
from ._aws_errors import TRANSIENT
from ._calls import call
from ._credentials import find_credentials, open_before, open_session
from ._deadline import Deadline, begin
from ._refusals import Refusal, RefusedError, refusal
from ._time import current_time, parse_time

# After that, the region next to one whose STS does not answer is asked for credentials as well.
_STS_PATIENCE: t.Final = 2
# The shortest session that AWS gives (STS API reference, AssumeRole, DurationSeconds).
_STILL_GOOD_FOR: t.Final = dt.timedelta(minutes=15)
_ROLE_OPTIONS: t.Final = {
    "assume_role_arn": "RoleArn",
    "assume_role_session_name": "RoleSessionName",
    "assume_role_external_id": "ExternalId",
}
# Credentials of a role serve again only where the role and all of these are the same.
_CALLER_OPTIONS: t.Final = [
    "access_key",
    "secret_key",
    "session_token",
    "profile",
    "endpoint_url",
    "aws_ca_bundle",
    "aws_config",
]


@dataclass(frozen=True)
class _AssumedRole:
    """Credentials of an assumed role, as boto3's clients take them."""

    options: dict[str, str] = field(repr=False)
    expires: dt.datetime


# A process that asks again and again (verify_cmk) assumes a role once for as long as its credentials hold.
_assumed: t.Final[dict[str, _AssumedRole]] = {}


class Clients(dict[str, dict[str, t.Any]]):
    """boto3's clients by service and region; ``session_ends_at`` is when a person must log in again, None if not known."""

    session_ends_at: dt.datetime | None = None


@dataclass(frozen=True)
class Connection:
    """The common AWS options of a module, in the form in which amazon.aws reads them. RefusedError if these are unusable."""

    params: Json

    @property
    def region(self) -> str | None:
        return t.cast("str | None", get_aws_region(self))

    def fail_json(self, msg: str, **_more: object) -> t.NoReturn:
        """Refuse: amazon.aws calls it for options that do not fit together."""
        raise RefusedError(refusal("aws_unusable", message=msg))

    def clients(
        self, services: t.Iterable[str], regions: t.Collection[str], patience: Patience, until: Deadline
    ) -> Clients:
        """Make a client for each service and region. A role to assume is assumed once; RefusedError if it cannot be.

        ``aws_config`` overrides the retries and timeouts. boto3 makes clients safely in one thread only; the clients
        themselves may be used in any.
        """
        role = {theirs: self.params[ours] for ours, theirs in _ROLE_OPTIONS.items() if self.params[ours]}
        asked_by = repr([role, *(self.params.get(option) for option in _CALLER_OPTIONS)])
        known = _assumed.get(asked_by)
        if known and known.expires <= current_time() + _STILL_GOOD_FOR:
            known = None
        make, ends_at = self._maker(next(iter(regions)), patience, None if known else until)
        if "RoleArn" in role and not known:
            known = _assumed[asked_by] = _assume_role(make, list(dict.fromkeys(regions)), role, until)
        # Credentials of an assumed role hold in every region.
        credentials = known.options if known else {}
        made = Clients({name: {region: make(name, region, **credentials) for region in regions} for name in services})
        made.session_ends_at = ends_at
        return made

    def _maker(
        self, region: str, patience: Patience, until: Deadline | None
    ) -> tuple[t.Callable[..., t.Any], dt.datetime | None]:
        """Return what makes a client of a service for a region, with one session for all, and when that session ends.

        :param until: when the session's own credentials must be there; None if they are not needed
        """
        # Without a region, one would be looked for in the profile.
        _region, endpoint_url, options = get_aws_connection_info(Connection({**self.params, "region": region}))
        config = Config(
            retries={"mode": "standard", "total_max_attempts": patience.attempts},
            connect_timeout=patience.connect,
            read_timeout=patience.read,
            # CloudTrail then tells what made a call.
            user_agent_extra="keyops.atlassian_cmk",
        )
        options["config"] = config.merge(options.pop("aws_config", None) or Config())
        inner = open_session(options.pop("profile_name", None), region)
        # So "aws configure export-credentials" names the end of what it exports.
        ends_at = parse_time(os.environ.get("AWS_CREDENTIAL_EXPIRATION"))
        if until and not options.get("aws_access_key_id"):
            ends_at = find_credentials(inner, region, until)
        session = _or_refuse(lambda: boto3.session.Session(botocore_session=inner))
        return lambda service, region, **credentials: _or_refuse(
            lambda: session.client(service, region_name=region, endpoint_url=endpoint_url, **{**options, **credentials})
        ), ends_at


T = t.TypeVar("T")


def _or_refuse(make: t.Callable[[], T]) -> T:
    try:
        return make()
    except (ValueError, BotoCoreError) as error:
        raise RefusedError(refusal("aws_unusable", message=str(error))) from error


def warm() -> None:
    """Read AWS's descriptions of the services and the user's profiles once, for all processes that are forked from this one."""
    session = open_session(None)
    for service in ("kms", "cloudtrail", "sts"):
        session.create_client(service, region_name="us-east-1", config=Config(signature_version=UNSIGNED))
    open_before()


def _assume_role(
    make: t.Callable[..., t.Any], regions: list[str], role: dict[str, str], until: Deadline
) -> _AssumedRole:
    """Ask one region's STS after another, as long as none answers; a refusal by AWS is an answer."""
    asked: set[concurrent.futures.Future[_AssumedRole | Refusal]] = set()
    last = refusal("not_reached", operation="AssumeRole", region=regions[0], message=until.missed())
    for number, region in enumerate(regions, 1):
        asked.add(begin(functools.partial(_ask_sts, make("sts", region), region, role)))
        patience = math.inf if number == len(regions) else _STS_PATIENCE
        while asked:
            done, asked = concurrent.futures.wait(
                asked, min(patience, until.left()), return_when=concurrent.futures.FIRST_COMPLETED
            )
            if not done:
                break
            for answer in [future.result() for future in done]:
                if isinstance(answer, _AssumedRole):
                    return answer
                last = answer
    raise RefusedError(last)


def _ask_sts(sts: t.Any, region: str, role: dict[str, str]) -> _AssumedRole | Refusal:
    """Return the credentials, or why there may be some in another region."""
    try:
        answer = call(sts, "AssumeRole", region, "sts", **role)["Credentials"]
    except RefusedError as refused:
        if refused.refusal.code in TRANSIENT:
            return refused.refusal
        raise
    options = {
        "aws_access_key_id": answer["AccessKeyId"],
        "aws_secret_access_key": answer["SecretAccessKey"],
        "aws_session_token": answer["SessionToken"],
    }
    return _AssumedRole(options, answer["Expiration"])
