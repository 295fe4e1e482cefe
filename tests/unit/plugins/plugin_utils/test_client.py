"""What Ansible's client trusts is read once, and a failure to read it is told like any other."""

from __future__ import annotations

import ssl

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _client
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import get
from tests.standins.desk import DEFAULT_TOKEN, DEFAULT_USER, Desk

pytestmark = pytest.mark.usefixtures("nothing_trusted_yet")


def test_the_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(ssl.create_default_context())
        return made[-1]

    monkeypatch.setattr(_client, "make_context", make)
    # What Ansible's client does if it is given none.
    monkeypatch.setattr("ansible.module_utils.urls.make_context", lambda **_given: make())
    with Desk() as desk:
        url = f"{desk.url}/rest/servicedeskapi/request/CMK-1"
        assert [get(url, DEFAULT_USER, DEFAULT_TOKEN)["status"] for _time in range(3)] == [200, 200, 200]
    assert len(made) == 1


def test_they_are_verified() -> None:
    assert _client._trust().verify_mode == ssl.CERT_REQUIRED
    assert _client._trust().check_hostname


def test_certificates_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> ssl.SSLContext:
        raise PermissionError(13, "Permission denied", "/etc/ansible/ca.pem")

    monkeypatch.setattr(_client, "make_context", unreadable)
    found = get("https://127.0.0.1:9/x", DEFAULT_USER, DEFAULT_TOKEN)
    assert (found["status"], found["msg"]) == (
        -1,
        "Request failed: [Errno 13] Permission denied: '/etc/ansible/ca.pem'",
    )
