# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""AWX's REST API: one request after the other, by Ansible's own client."""

from __future__ import annotations

import http.client
import ipaddress
import json
import typing as t
import urllib.error
from urllib.parse import urlencode, urlsplit

from ansible.module_utils.urls import open_url

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx import complaint

_TIMEOUT: t.Final = 30
_PAGE: t.Final = 200


class AwxError(Exception):
    """One sentence: what was seen, why it stops, what to do."""


def address(host: str, prefix: str) -> str:
    """Return the API's address; the token must not travel in the clear.

    :param host: AWX's address; without a scheme, https
    :param prefix: the API's path (``/api/``; ``/api/controller/`` behind the platform gateway)
    """
    url = (host if "://" in host else f"https://{host}").rstrip("/")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AwxError("The address of AWX holds more than scheme, host, port and path. Correct CONTROLLER_HOST.")
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise AwxError(
            f"'{host}' is not an address of AWX. Set CONTROLLER_HOST to its address, such as https://awx.example.com."
        )
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise AwxError(f"{url} would carry the token in the clear. Set CONTROLLER_HOST to its https address.")
    return f"{url}/{prefix.strip('/')}/v2"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Api:
    """AWX at an address of :func:`address`. Redirects are not followed, so the token goes there and nowhere else."""

    def __init__(self, base: str, token: str, *, validate_certs: bool) -> None:
        self._base = base
        parts = urlsplit(base)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._validate_certs = validate_certs

    def find(self, endpoint: str, **query: t.Any) -> list[dict[str, t.Any]]:
        """Return all objects of an endpoint that the query names, page by page."""
        return self._all(f"{self._base}/{endpoint}/", query)

    def all(self, path: str) -> list[dict[str, t.Any]]:
        """Return all objects of a list whose address AWX named."""
        return self._all(self._here(path), {})

    def _all(self, url: str, query: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
        found: list[dict[str, t.Any]] = []
        url = f"{url}?{urlencode({**query, 'page_size': _PAGE})}"
        while url:
            page = self._ask("GET", url)
            if not isinstance(page, dict) or not isinstance(page.get("results"), list):
                raise AwxError(f"{url} answers no list of objects. Is CONTROLLER_HOST the address of AWX?")
            found += page["results"]
            url = self._here(page["next"]) if page.get("next") else ""
        return found

    def get(self, path: str) -> t.Any:
        """Return what is at an address that AWX named."""
        return self._ask("GET", self._here(path))

    def send(self, method: str, path: str, data: t.Mapping[str, t.Any] | None = None) -> t.Any:
        """Send a change to an endpoint, or to an address that AWX named; return the answer's JSON, if any."""
        return self._ask(method, self._here(path) if path.startswith("/") else f"{self._base}/{path}/", data)

    def _here(self, path: str) -> str:
        if not path.startswith("/") or path.startswith("//"):
            raise AwxError(f"AWX names the address {path}, which is not its own. Nothing was sent there.")
        return self._origin + path

    def _ask(self, method: str, url: str, data: t.Mapping[str, t.Any] | None = None) -> t.Any:
        try:
            with open_url(
                url,
                method=method,
                data=None if data is None else json.dumps(data),
                headers=self._headers,
                follow_redirects="none",
                timeout=_TIMEOUT,
                use_netrc=False,
                validate_certs=self._validate_certs,
            ) as response:
                status, text = response.getcode(), response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        # What urllib, ssl, http.client and Ansible raise has no other class in common.
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise AwxError(f"AWX does not answer at {self._origin}: {error}. Look at CONTROLLER_HOST.") from error
        answer = _read(text)
        if not 200 <= status < 300:
            raise AwxError(self._refused(status, method, url.removeprefix(self._origin), answer))
        return answer

    def _refused(self, status: int, method: str, path: str, answer: t.Any) -> str:
        if status == 401:
            return (
                f"AWX at {self._origin} does not accept the token (HTTP 401). Make a new one with scope Write (your "
                "user, Tokens), and put it in CONTROLLER_OAUTH_TOKEN."
            )
        if status == 403:
            return (
                f"The token's user may not {method} {path} (HTTP 403: {complaint(answer)}). Use a token of a user who is "
                "an administrator of the organization, or of a system administrator for the first run."
            )
        if status == 404:
            return (
                f"There is nothing at {self._origin}{path} (HTTP 404). Is CONTROLLER_HOST the address of AWX? Behind "
                "the platform gateway, set CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX to /api/controller/."
            )
        return f"AWX refuses {method} {path} (HTTP {status}): {complaint(answer)}"


def _read(text: bytes) -> t.Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text.decode(errors="replace")
