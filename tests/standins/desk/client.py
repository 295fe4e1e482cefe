"""A minimal HTTP client for tests of the stand-in: follows no redirect, uses no proxy, raises on no status."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class NoAnswerError(OSError):
    """The request was dropped, timed out or not trusted; the text says which."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def basic(user: str, token: str) -> str:
    """The ``Authorization`` header of a user and an API token."""
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def send(
    method: str,
    url: str,
    body: object = None,
    *,
    authorization: str | None = None,
    headers: Mapping[str, str] | None = None,
    certificate: Path | None = None,
    timeout: float = 10,
) -> Response:
    """Sends one request; ``body`` is sent as JSON unless it is bytes. ``timeout`` is in seconds.

    :raises NoAnswerError: there was no answer.
    """
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json"} if data is not None else {}
    if authorization:
        given["Authorization"] = authorization
    request = urllib.request.Request(url, data, {**given, **(headers or {})}, method=method)
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), _NoRedirect(), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(request, timeout=timeout) as answer:
            return Response(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read())
    except OSError as error:
        raise NoAnswerError(str(error)) from error
