"""boto3 clients of the stand-in, for tests."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from .server import AwsStandin

ACCESS_KEY = "AKIASTANDINEXAMPLE00"
ONCE = Config(retries={"total_max_attempts": 1}, proxies={}, connect_timeout=5, read_timeout=5)


@functools.lru_cache
def _client(url: str, service: str, region: str, config: Config, access_key: str, session_token: str | None) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=url,
        config=config,
        aws_access_key_id=access_key,
        aws_secret_access_key="standin-Secret-0123456789-abcdefghijklmno",
        aws_session_token=session_token,
    )


def client(
    aws: AwsStandin | str,
    service: str = "kms",
    region: str = "us-east-1",
    config: Config = ONCE,
    access_key: str = ACCESS_KEY,
    session_token: str | None = None,
) -> Any:
    """A boto3 client of a stand-in (or of its URL) that tries once, unless `config` says otherwise.

    Clients are kept: making one takes longer than a call.
    """
    return _client(aws if isinstance(aws, str) else aws.url, service, region, config, access_key, session_token)
