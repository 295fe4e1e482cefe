"""Do the sites answer? What counts as an answer, and Ansible's own client on the stand-in."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _sites
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._sites import (
    SERVER_INFO,
    asked_at,
    get,
    judged,
    look_at_sites,
)
from tests.standins.desk import DEFAULT_TOKEN, DEFAULT_USER, Desk


@pytest.mark.parametrize(
    ("site", "url"),
    [
        ("https://acme.example.com", "https://acme.example.com/status"),
        ("https://acme.example.com/", "https://acme.example.com/status"),
        ("acme.example.com", "https://acme.example.com/status"),
        ("https://acme.example.com/wiki", "https://acme.example.com/wiki"),
        ("https://acme.example.com/?a=b#c", "https://acme.example.com/?a=b"),
        ("http://[::1]:8080", "http://[::1]:8080/status"),
        ("https://user:secret@acme.example.com", ""),
        ("ftp://acme.example.com", ""),
        ("https://", ""),
        ("https://acme.example.com:port", ""),
        ("https://[::1", ""),
        ("https://acme.example.com/a b", ""),
        ("https://acme.example.com/\x07", ""),
        ("", ""),
    ],
)
def test_where_a_site_is_asked(site: str, url: str) -> None:
    assert asked_at(site, "/status") == url


URL = "https://acme.example.com/status"


@pytest.mark.parametrize(
    ("answer", "expected", "up", "says"),
    [
        ({"status": 200}, 200, True, "answers 200"),
        ({"status": 204}, 200, False, "answers 204 where 200 is expected"),
        ({"status": 204}, 204, True, "answers 204"),
        ({"status": 503}, 200, False, "answers 503 where 200 is expected"),
        (
            {"status": 302, "location": "https://suspended.example.com/"},
            200,
            False,
            "answers 302, a redirect to suspended.example.com where 200 is expected",
        ),
        ({"status": 302, "location": "/login"}, 200, False, "answers 302 where 200 is expected"),
        ({"status": 302, "location": "/login"}, 302, True, "answers 302"),
        (
            {"status": 302, "location": "//suspended.example.com"},
            302,
            False,
            "answers 302, a redirect to suspended.example.com where 302 is expected",
        ),
        ({"status": -1, "msg": "timed\nout"}, 200, False, "does not answer: timed out"),
    ],
)
def test_what_counts_as_up(answer: dict[str, Any], expected: int, up: bool, says: str) -> None:
    found = judged("https://acme.example.com", URL, answer, expected)
    assert (found.up, found.says) == (up, says)
    assert found.status == (answer["status"] if answer["status"] > 0 else None)


INFO = {"baseUrl": "https://acme.example.com", "version": "1001.0.0-SNAPSHOT", "deploymentType": "Cloud"}
PAGE = b"<!DOCTYPE html><html><body>This site is suspended.</body></html>"


@pytest.mark.parametrize(
    ("path", "body", "up"),
    [
        (SERVER_INFO, json.dumps(INFO).encode(), True),
        (SERVER_INFO, PAGE, False),
        (SERVER_INFO, b"", False),
        (SERVER_INFO, None, False),
        (SERVER_INFO, b"[]", False),
        (SERVER_INFO, b'{"message": "suspended"}', False),
        (SERVER_INFO, b"[1]", False),
        (SERVER_INFO, b'"baseUrl version"', False),
        (SERVER_INFO, b'{"baseUrl": "https://acme.example.com"}', False),
        (SERVER_INFO, b'{"baseUrl": null, "version": "1"}', False),
        (SERVER_INFO, json.dumps(INFO).encode()[:-1], False),
        (SERVER_INFO, b"[" * 60_000, False),
        (SERVER_INFO, b"\xff\xfe", False),
        # Of any other page it is not known what it answers.
        ("/wiki/rest/api/3/serverInfo", PAGE, True),
        ("/status", PAGE, True),
    ],
)
def test_jiras_api_answers_with_its_json(path: str, body: bytes | None, up: bool) -> None:
    site = judged("https://acme.example.com", f"https://acme.example.com{path}", {"status": 200, "body": body}, 200)
    assert site.up is up
    assert ("server information" in site.says) is not up


@pytest.mark.parametrize(
    ("answer", "longest"),
    [
        ({"status": 200}, len("answers 200")),
        ({"status": -1, "msg": "x" * 999}, len("does not answer: ") + 160),
        (
            {"status": 302, "location": f"//{'x' * 999}.example.com"},
            len("answers 302, a redirect to  where 200 is expected") + 100,
        ),
    ],
)
def test_long_texts_of_others_are_cut(answer: dict[str, Any], longest: int) -> None:
    found = judged(f"https://acme.example.com/{'x' * 999}", URL, answer, 200)
    assert (len(found.site), len(found.says)) == (200, longest)


def test_who_has_not_answered_in_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sites, "run_each_within", lambda _seconds, works: [None for _work in works])
    (found,) = look_at_sites(["acme.example.com"], "/", 200)
    assert (found.status, found.says) == (None, "does not answer: no answer within 10 seconds")


def test_the_right_json_with_another_status_is_not_up() -> None:
    answer = {"status": 503, "body": json.dumps(INFO).encode()}
    assert not judged("acme.example.com", f"https://acme.example.com{SERVER_INFO}", answer, 200).up


def test_an_unfit_address_is_not_asked_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(url: str) -> dict[str, Any]:
        raise AssertionError(url)

    monkeypatch.setattr(_sites, "get", never)
    (found,) = look_at_sites(["https://user:odd-Secret-9@acme.example.com"], "/", 200)
    assert not found.up
    assert "odd-Secret-9" not in str(found)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as running:
        yield running


def look(desk: Desk, *names: str) -> list[_sites.Site]:
    return look_at_sites([f"{desk.url}/_site/{name}/" for name in names], "/", 200)


def test_all_sites_at_the_same_time_and_in_order(desk: Desk) -> None:
    sites: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "status": 503},
        {"name": "c", "redirect": f"{desk.url}/_site/a/"},
    ]
    desk.control("POST", "/sites", sites)
    assert [(site.up, site.status) for site in look(desk, "a", "b", "c", "nowhere")] == [
        (True, 200),
        (False, 503),
        # The page behind it answers 200, but it is not asked.
        (False, 302),
        (False, 404),
    ]
    assert sum(call["path"] == "/_site/a/" for call in desk.control("GET", "/calls")) == 1


def test_a_site_given_without_a_path(desk: Desk) -> None:
    desk.control("POST", "/sites", {"name": "a"})
    (found,) = look_at_sites([desk.url], "/_site/a/", 200)
    assert found.up


def test_nothing_secret_is_sent(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {DEFAULT_USER} password {DEFAULT_TOKEN}\n", encoding="ascii")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    look(desk, "a")
    assert [call["auth"] for call in desk.control("GET", "/calls")] == ["none"]


def test_a_site_that_is_slow_holds_nobody_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # The other site answers by then, also on a busy machine.
    monkeypatch.setattr(_sites, "_TIMEOUT", 3)
    desk.control("POST", "/sites", [{"name": "a"}, {"name": "slow"}])
    desk.control("POST", "/faults", {"path": "/_site/slow", "latency": 60})
    assert [site.up for site in look(desk, "slow", "a")] == [False, True]


def _drip(server: socket.socket, head: bytes, drop: bytes) -> None:
    with contextlib.suppress(OSError):
        connection, _address = server.accept()
        with connection:
            connection.sendall(head)
            while True:
                connection.sendall(drop)
                time.sleep(0.05)


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n{", b" "),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 5000),
    ],
    ids=["body", "header", "chunks", "without end"],
)
def test_a_site_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch, head: bytes, drop: bytes) -> None:
    monkeypatch.setattr(_sites, "_TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server, head, drop), daemon=True).start()
        begun = time.monotonic()
        (site,) = look_at_sites([f"http://127.0.0.1:{server.getsockname()[1]}"], SERVER_INFO, 200)
    assert not site.up
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (64 * 1024, b" " * 64 * 1024),
        (64 * 1024 + 1, None),
        # No more of it is read than shows that it is too long.
        (1 << 30, None),
    ],
)
def test_no_more_is_read_than_a_fitting_answer_has(
    monkeypatch: pytest.MonkeyPatch, length: int, body: bytes | None
) -> None:
    class Long:
        asked = 0

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_error: object) -> None:
            """Nothing is closed."""

        def getcode(self) -> int:
            return 200

        def read1(self, size: int) -> bytes:
            part = min(size, length - self.asked)
            self.asked += part
            return b" " * part

    answer = Long()
    monkeypatch.setattr(_sites, "ask", lambda *_args, **_options: answer)
    assert get("https://acme.example.com") == {"status": 200, "body": body}
    assert answer.asked <= 128 * 1024


def test_a_connection_that_is_dropped(desk: Desk) -> None:
    desk.control("POST", "/faults", {"path": "/_site/a", "drop": "before"})
    (found,) = look(desk, "a")
    assert found.says.startswith("does not answer: ")


def test_a_certificate_of_nobody_is_no_answer() -> None:
    with Desk(tls=True) as secure:
        secure.control("POST", "/sites", {"name": "a"})
        (found,) = look(secure, "a")
        assert not found.up
        assert "CERTIFICATE_VERIFY_FAILED" in found.says
        assert secure.control("GET", "/calls") == []


def test_a_certificate_that_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Desk(tls=True) as secure:
        monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
        secure.control("POST", "/sites", {"name": "a"})
        (found,) = look(secure, "a")
        assert found.up, found


def test_nobody_there() -> None:
    (found,) = look_at_sites(["http://127.0.0.1:9/"], "/", 200)
    assert (found.up, found.status) == (False, None)
