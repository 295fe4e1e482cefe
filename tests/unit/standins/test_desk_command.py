"""The support desk stand-in as a command: start, refusals, clean stop, TLS."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from tests.standins.desk import DEFAULT_TOKEN, DEFAULT_USER, Desk
from tests.standins.desk.client import NoAnswerError, basic, send
from tests.standins.desk.state import InvalidError

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "tests.standins.desk"]
LINE = re.compile(r"Support desk stand-in listening on (https?://127\.0\.0\.1:\d+)(?: \(certificate (.+)\))?\n")


def start(*arguments: str) -> tuple[subprocess.Popen[str], str, str | None]:
    """Starts the command; returns it with its URL and the path of its certificate."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    line = process.stdout.readline()
    match = LINE.fullmatch(line)
    if not match:
        process.kill()
        pytest.fail(f"{line!r} {process.communicate()}")
    return process, match[1], match[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_cleanly_with_a_connection_open(number: signal.Signals, tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"tickets": [{"key": "OPS-3", "generate_comments": 2}]}), encoding="utf-8")
    process, url, _line = start("--state", str(seed))
    try:
        assert send("GET", f"{url}/rest/servicedeskapi/info").status == 200
        assert len(send("GET", f"{url}/_standin/tickets/OPS-3").json["comments"]) == 2
        kept = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=120)
        kept.request("GET", "/rest/servicedeskapi/info")
        assert kept.getresponse().read()
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
        kept.close()
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "", "")


def test_tls_command() -> None:
    process, url, certificate = start("--tls")
    try:
        assert certificate
        assert url.startswith("https://")
        path = Path(certificate)
        assert send("GET", f"{url}/rest/servicedeskapi/info", certificate=path).status == 200
        with pytest.raises(NoAnswerError, match="CERTIFICATE_VERIFY_FAILED"):
            send("GET", f"{url}/rest/servicedeskapi/info")
        process.terminate()
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "", "")
    assert not path.parent.exists()


def test_tls_survives_silent_and_plain_clients() -> None:
    with Desk(tls=True) as desk:
        assert desk.certificate
        assert [item.name for item in desk.certificate.parent.iterdir()] == ["desk.pem"]
        address = urllib.parse.urlsplit(desk.url)
        with socket.create_connection((address.hostname, address.port)):
            with pytest.raises(NoAnswerError):
                send("GET", desk.url.replace("https", "http"))
            context = ssl.create_default_context(cafile=desk.certificate)
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            with socket.create_connection((address.hostname, address.port), timeout=120) as plain:
                context.wrap_socket(plain, server_hostname="localhost").close()
            url = f"{desk.url}/rest/servicedeskapi/request/CMK-1"
            login = basic(DEFAULT_USER, DEFAULT_TOKEN)
            shown = send("GET", url, authorization=login, certificate=desk.certificate).json
    assert shown["_links"]["self"].startswith("https://127.0.0.1:")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "desk.invalid", "::", ""])
def test_no_other_host_than_loopback(host: str) -> None:
    with pytest.raises(InvalidError, match="no loopback address"):
        Desk(host=host)


def test_command_refusals(tmp_path: Path) -> None:
    done = run("--host", "0.0.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "0.0.0.0 is no loopback address" in done.stderr
    seed = tmp_path / "seed.json"
    seed.write_text('{"tickets": [{"key": "CMK-1", "opne": true}]}', encoding="utf-8")
    done = run("--state", str(seed))
    assert (done.returncode, done.stdout) == (2, "")
    assert "tickets[0]: unknown field opne" in done.stderr
    with Desk() as desk:
        done = run("--port", str(urllib.parse.urlsplit(desk.url).port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Support desk stand-in cannot start:")


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        ({"users": [{"user": "a"}]}, r"users\[0\]: token is needed"),
        ({"users": [{"user": "a", "token": "t", "kind": "boss"}]}, "customer or agent"),
        ({"users": [{"user": "a", "token": "t", "tickets": "all"}]}, "a list of keys"),
        ({"bearer": [{"token": "t", "user": "a"}]}, "no such user"),
        ({"people": []}, "unknown field people"),
    ],
)
def test_seed_that_is_not_understood(seed: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidError, match=reason):
        Desk(seed)


def test_oversized_and_chunked_requests() -> None:
    with Desk() as desk:
        url = f"{desk.url}/rest/servicedeskapi/request/CMK-1/comment"
        assert send("POST", url, headers={"Content-Length": str(2 << 20)}).status == 413
        assert send("POST", url, headers={"Content-Length": "many"}).status == 400
        assert send("POST", url, headers={"Transfer-Encoding": "chunked"}).status == 411
