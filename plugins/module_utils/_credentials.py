# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where boto3 gets its credentials from, and why it gets none. Needs boto3 alone.

They are found before the first call, where a person can still be told which profile to log in with.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import functools
import os
import re
import shlex
import typing as t

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library
    import botocore.session
    from botocore import exceptions as boto
    from botocore.config import Config
    from botocore.credentials import AssumeRoleCredentialFetcher, Credentials, EnvProvider
    from botocore.utils import JSONFileCache, SSOTokenLoader

from ._aws_errors import AWS_ERRORS, explain, one_line
from ._deadline import Deadline, begin, wait_for
from ._refusals import Refusal, RefusedError, refusal
from ._time import parse_time

# Where the AWS CLI keeps the sessions of assumed roles. It fills this cache of botocore's in the same way.
_SESSIONS: t.Final = "~/.aws/cli/cache"
_SSO_LOGINS: t.Final = "~/.aws/sso/cache"
# A program that gives credentials may wait for a person.
_PATIENCE: t.Final = 60
# The AWS CLI asks for a new code 15 minutes before the end. A restore uses a session as long as it lasts.
_STILL_USABLE: t.Final = 60
# Shorter arguments of a program are no secrets.
_SECRET_FROM: t.Final = 6
_ROLE_OPTIONS: t.Final = {
    "external_id": "ExternalId",
    "mfa_serial": "SerialNumber",
    "role_session_name": "RoleSessionName",
    "duration_seconds": "DurationSeconds",
}
_LOGINS: t.Final = {
    "SSOTokenLoadError": "aws sso login",
    "TokenRetrievalError": "aws sso login",
    "UnauthorizedSSOTokenError": "aws sso login",
    "LoginRefreshRequired": "aws login",
    "LoginTokenLoadError": "aws login",
}
# Roles are the same in all regions.
_ANY_REGION: t.Final = "us-east-1"
# Beside boto3's own errors: files, programs and answers that cannot be read.
_ERRORS: t.Final[tuple[type[Exception], ...]] = (*AWS_ERRORS, OSError, ValueError, KeyError, RuntimeError)


# Opened in Ansible's main process, it is the first session of each process that is forked from that one.
_opened: t.Final[list[t.Any]] = []


@functools.cache
def _data_loader() -> t.Any:
    return botocore.session.Session().get_component("data_loader")


def open_session(profile: str | None, region: str | None = None) -> t.Any:
    """Return a session of botocore for a profile, or for what the environment says."""
    session = _opened.pop() if _opened else botocore.session.Session()
    # Each session reads AWS's descriptions anew otherwise, which takes longer than all else that a client needs.
    session.register_component("data_loader", _data_loader())
    if profile is not None:
        session.set_config_variable("profile", profile)
    if region:
        session.set_config_variable("region", region)
    return session


def open_before() -> None:
    """Open the session that :func:`open_session` gives first, and let it read all profiles."""
    session = botocore.session.Session()
    session.full_config  # noqa: B018 - botocore reads the files when it is asked
    _opened.append(session)


def find_credentials(session: t.Any, region: str, until: Deadline) -> dt.datetime | None:
    """Let a session find its credentials; return when they end and a person must log in, None if not known. RefusedError without any."""
    future = begin(lambda: _explained(session, region, lambda: _find(session)))
    patience = Deadline(max(_PATIENCE, until.left()))
    if not wait_for([future], patience):
        raise RefusedError(_not_reached(session, region, patience.missed()))
    return future.result()


def log_in(profile: str, region: str, code: str) -> None:
    """Save a session for a profile whose role asks for a code, unless there is one. RefusedError if AWS refuses the code."""
    session = open_session(profile or None, region)
    _explained(session, region, lambda: _find_mfa_session(session, code))


def find_missing_code(profile: str) -> Refusal | None:
    """Return why a profile cannot be used if that is the missing code of an MFA device, else None."""
    session = open_session(profile or None, _ANY_REGION)
    try:
        _explained(session, _ANY_REGION, lambda: _find_mfa_session(session, ""))
    except RefusedError as refused:
        return refused.refusal if refused.refusal.code == "mfa_code_needed" else None
    return None


T = t.TypeVar("T")
# Credentials of botocore, and when they end; None if that is not known.
_Session: t.TypeAlias = "tuple[t.Any, dt.datetime | None]"


def _explained(session: t.Any, region: str, work: t.Callable[[], T]) -> T:
    try:
        return work()
    except _ERRORS as error:
        raise RefusedError(_explain(error, session, region)) from error


def _find(session: t.Any) -> dt.datetime | None:
    with_mfa = _find_mfa_session(session, "")
    if with_mfa:
        credentials, ends_at = with_mfa
        session.set_credentials(*credentials.get_frozen_credentials()[:3])
        return ends_at
    credentials = session.get_credentials()
    if credentials is None:
        raise boto.NoCredentialsError
    credentials.get_frozen_credentials()
    return _sso_end(session) if credentials.method == "sso" else None


def _find_mfa_session(session: t.Any, code: str) -> _Session | None:
    """Return the saved session, or a new one by the code; None if the profile's role asks for no code.

    boto3 would ask for the code on a terminal that a task does not have.
    """
    profiles = _profiles(session)
    chain = [name for name in _chain(session) if "role_arn" in profiles[name]]
    if not any("mfa_serial" in profiles[name] for name in chain) or "web_identity_token_file" in profiles[chain[0]]:
        return None
    if session.instance_variables().get("profile") is None and EnvProvider().load():
        return None
    base = open_session(profiles[chain[-1]].get("source_profile"), session.get_config_variable("region"))
    # A profile may name itself as the source of its keys.
    base.get_component("credential_provider").remove("assume-role")
    found: _Session = base.get_credentials(), None
    if found[0] is None:
        raise boto.NoCredentialsError
    folder = os.path.expanduser(_SESSIONS)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with _alone(folder):
        for name in reversed(chain):
            found = _assume(session, name, found[0], code)
    return found


def _assume(session: t.Any, name: str, source: t.Any, code: str) -> _Session:
    profile = _profiles(session)[name]
    options: dict[str, t.Any] = {theirs: profile[ours] for ours, theirs in _ROLE_OPTIONS.items() if ours in profile}
    if "DurationSeconds" in options:
        options["DurationSeconds"] = int(options["DurationSeconds"])

    def give_code(_prompt: str) -> str:
        if not code:
            raise RefusedError(refusal("mfa_code_needed", profile=shlex.quote(name), device=profile["mfa_serial"]))
        return code

    cache: t.Any = JSONFileCache(os.path.expanduser(_SESSIONS))
    fetcher = AssumeRoleCredentialFetcher(
        functools.partial(session.create_client, config=Config(connect_timeout=5, read_timeout=20)),
        source,
        profile["role_arn"],
        options,
        mfa_prompter=give_code,
        cache=cache,
        expiry_window_seconds=_STILL_USABLE,
    )
    found = fetcher.fetch_credentials()
    credentials = Credentials(found["access_key"], found["secret_key"], found["token"])
    return credentials, _read_time(found["expiry_time"])


@contextlib.contextmanager
def _alone(folder: str) -> t.Iterator[None]:
    """Let one process at a time log in: a code serves once, and the next process finds the session that it gave."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every file system has locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _profiles(session: t.Any) -> dict[str, dict[str, str]]:
    try:
        return t.cast("dict[str, dict[str, str]]", session.full_config.get("profiles", {}))
    except boto.BotoCoreError:
        return {}  # boto3 itself says what is wrong with the configuration


def _chain(session: t.Any) -> list[str]:
    """Return the profile, and those that its credentials come from."""
    profiles, chain = _profiles(session), []
    name = _profile_name(session)
    while name in profiles and name not in chain:
        chain.append(name)
        name = profiles[name].get("source_profile", "")
    return chain


def _profile_name(session: t.Any) -> str:
    return session.get_config_variable("profile") or "default"


def _sso_end(session: t.Any) -> dt.datetime | None:
    """Return when the login ends; None if it is renewed."""
    for name in _chain(session):
        profile = _profiles(session)[name]
        login = profile.get("sso_session")
        url = {**session.full_config.get("sso_sessions", {}).get(login, {}), **profile}.get("sso_start_url")
        if url:
            token = SSOTokenLoader(JSONFileCache(os.path.expanduser(_SSO_LOGINS)))(url, session_name=login)
            return None if token.get("refreshToken") else _read_time(token["expiresAt"])
    return None


def _read_time(text: str) -> dt.datetime | None:
    # The AWS CLI writes UTC where ISO 8601 has Z.
    return parse_time(text.replace("UTC", "Z"))


def _not_reached(session: t.Any, region: str, message: str) -> Refusal:
    operation = f"the credentials of profile {_profile_name(session)}"
    return refusal("not_reached", operation=operation, region=region, message=message)


def _explain(error: Exception, session: t.Any, region: str) -> Refusal:
    """Say what a person does to get credentials."""
    profiles, chain = _profiles(session), _chain(session)

    def first(pattern: str) -> str:
        return next((name for name in chain if any(re.match(pattern, option) for option in profiles[name])), "")

    message = one_line(str(error))
    login = _LOGINS.get(type(error).__name__)
    if login:
        profile = shlex.quote(first("(sso|login)_") or _profile_name(session))
        return refusal("login_needed", profile=profile, command=login, message=message)
    if isinstance(error, boto.ClientError):
        by = first("mfa_serial$")
        return _explain_answer(error, profiles[by]["mfa_serial"] if by else "", _profile_name(session), region)
    if isinstance(error, (boto.HTTPClientError, boto.ConnectionError)):
        return _not_reached(session, region, message)
    by = first("credential_process$")
    if by and not isinstance(error, boto.ProfileNotFound):
        return _explain_process(by, profiles[by]["credential_process"], message)
    return refusal("credentials_missing", region=region, message=message)


def _explain_process(profile: str, command: str, message: str) -> Refusal:
    """Name the program and repeat what it says, without its arguments: they may hold a secret."""
    program = re.match(r'"[^"]*"|\S*', command)
    for word in command.split()[1:]:
        secret = word.strip("'\"")
        message = message.replace(secret, "********") if len(secret) >= _SECRET_FROM else message
    return refusal("process_failed", profile=profile, program=program[0] if program else "", message=message)


def _explain_answer(error: t.Any, device: str, profile: str, region: str) -> Refusal:
    if device and "MultiFactorAuthentication" in str(error):
        message = one_line(str(error.response["Error"].get("Message")))
        return refusal("mfa_code_refused", profile=shlex.quote(profile), device=device, message=message)
    service = "sso" if error.operation_name == "GetRoleCredentials" else "sts"
    return explain(error, error.operation_name, region, service)
