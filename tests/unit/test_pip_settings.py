"""uv installs with pip's settings: what each setting becomes, and an index behind a certificate of a company's own."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import http.server
import ipaddress
import os
import ssl
import subprocess
import sys
import threading
import typing as t
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.tools.pip_settings import read_settings, translate, write_file
from tests.tools.standins import ROOT


class TestReading:
    def test_the_environment_comes_before_the_section_of_install_and_that_before_global(self) -> None:
        listing = "global.cert='/a'\nglobal.proxy='http://p:1'\ninstall.cert='/b'\n:env:.cert='/c'\ninstall.proxy='http://q:2'"
        assert read_settings(listing) == {"cert": "/c", "proxy": "http://q:2"}

    def test_lists_keep_their_entries(self) -> None:
        listing = "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'"
        assert read_settings(listing)["extra-index-url"].split() == [
            "https://a.example/simple",
            "https://b.example/simple",
        ]

    @pytest.mark.parametrize("line", ["", "freeze.cert='/a'", "no setting", "download.index-url='https://a.example'"])
    def test_what_does_not_hold_for_an_installation_is_left_out(self, line: str) -> None:
        assert read_settings(line) == {}


class TestTranslation:
    @pytest.mark.parametrize(
        ("settings", "variables"),
        [
            ({}, {}),
            ({"cert": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
            ({"client-cert": "/me.pem"}, {"SSL_CLIENT_CERT": "/me.pem"}),
            ({"index-url": "https://a.example/simple"}, {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
            (
                {"extra-index-url": "https://a.example/s\nhttps://b.example/s"},
                {"UV_INDEX": "https://a.example/s https://b.example/s", "UV_INDEX_STRATEGY": "unsafe-best-match"},
            ),
            ({"find-links": "/ https://a.example/f"}, {"UV_FIND_LINKS": "/,https://a.example/f"}),
            ({"find-links": "/nowhere/at/all"}, {}),
            ({"trusted-host": "a.example b.example:8"}, {"UV_INSECURE_HOST": "a.example b.example:8"}),
            ({"proxy": "http://p:1"}, {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:1"}),
            ({"timeout": "60"}, {"UV_HTTP_TIMEOUT": "60"}),
            ({"disable-pip-version-check": "1"}, {}),
        ],
    )
    def test_a_setting_becomes_that_of_uv(self, settings: dict[str, str], variables: dict[str, str]) -> None:
        assert translate(settings, {}, has_system_store=False) == variables

    @pytest.mark.parametrize(
        ("settings", "own"),
        [
            ({"index-url": "https://a.example"}, {"UV_DEFAULT_INDEX": "https://mine.example"}),
            ({"index-url": "https://a.example"}, {"UV_INDEX_URL": "https://mine.example"}),
            ({"trusted-host": "a.example"}, {"UV_INSECURE_HOST": "mine.example"}),
        ],
    )
    def test_a_setting_that_was_made_for_uv_stays(self, settings: dict[str, str], own: dict[str, str]) -> None:
        assert translate(settings, own, has_system_store=False) == {}

    @pytest.mark.parametrize("own", [{"UV_SYSTEM_CERTS": "false"}, {"UV_NATIVE_TLS": "false"}])
    def test_so_does_its_choice_of_certificates(self, own: dict[str, str]) -> None:
        assert translate({}, own, has_system_store=True) == {}

    def test_the_system_s_certificates_are_trusted_where_there_are_any(self) -> None:
        assert translate({}, {}, has_system_store=True) == {"UV_SYSTEM_CERTS": "true"}

    def test_pip_s_certificate_comes_before_that_of_every_program(self) -> None:
        environ = {"SSL_CERT_FILE": "/all.pem", "REQUESTS_CA_BUNDLE": "/requests.pem"}
        assert translate({"cert": "/pip.pem"}, environ, has_system_store=False) == {"SSL_CERT_FILE": "/pip.pem"}
        assert translate({}, environ, has_system_store=False) == {}

    def test_a_bundle_that_pip_reads_counts_if_pip_has_no_setting(self) -> None:
        environ = {"CURL_CA_BUNDLE": "/curl.pem"}
        assert translate({}, environ, has_system_store=False) == {"SSL_CERT_FILE": "/curl.pem"}


class TestFile:
    def test_it_is_one_section(self) -> None:
        settings = {"index-url": "https://a.example", "extra-index-url": "https://b.example\nhttps://c.example"}
        assert write_file(settings, {}).splitlines() == [
            "[global]",
            "extra-index-url = https://b.example https://c.example",
            "index-url = https://a.example",
        ]

    def test_certificates_of_the_environment_go_along_unless_pip_has_its_own(self) -> None:
        environ = {"REQUESTS_CA_BUNDLE": "/requests.pem"}
        assert write_file({}, environ).splitlines() == ["[global]", "cert = /requests.pem"]
        assert write_file({"cert": "/pip.pem"}, environ).splitlines() == ["[global]", "cert = /pip.pem"]


def certify(folder: Path) -> tuple[Path, Path]:
    """Make a certificate authority for 127.0.0.1; return its certificate, and the server's certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    keys = {"authority": key, "server": ec.generate_private_key(ec.SECP256R1())}
    now = dt.datetime.now(dt.UTC)
    for name, own in keys.items():
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name == "authority", path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
        )
        text = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        if name == "server":
            form = serialization.PrivateFormat.PKCS8
            text += own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        (folder / f"{name}.pem").write_bytes(text)
    return folder / "authority.pem", folder / "server.pem"


def make_index(folder: Path) -> str:
    """Make an index of packages with a single package; return its line of requirements."""
    wheel = folder / "simple/cmk-probe/cmk_probe-1.0-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    info = "cmk_probe-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("cmk_probe.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: cmk-probe\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"cmk_probe.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (wheel.parent / "index.html").write_text(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>', "utf-8")
    return f"cmk-probe==1.0 --hash=sha256:{digest}\n"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words: t.Any) -> None:
        pass


@pytest.fixture
def company(tmp_path: Path) -> t.Iterator[tuple[str, Path]]:
    """An index of packages whose certificate only the company's own authority vouches for; its URL and authority."""
    authority, server_s = certify(tmp_path)
    (tmp_path / "requirements.txt").write_text(make_index(tmp_path / "index"), encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(tmp_path / "index"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server_s)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}/simple", authority
        server.shutdown()
        thread.join()


def install(folder: Path, settings: str) -> subprocess.CompletedProcess[str]:
    """Install as setup.sh does, with a pip.conf and nothing else that says where packages are."""
    (folder / "pip.conf").write_text(f"[global]\n{settings}\n", encoding="utf-8")
    names = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "HTTP", "http", "ALL_", "all_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(names)}
    env |= {"PIP_CONFIG_FILE": str(folder / "pip.conf"), "UV_CACHE_DIR": str(folder / "cache"), "HOME": str(folder)}
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--no-deps", "--require-hashes"]
    into = ["--target", str(folder / "installed"), "-r", str(folder / "requirements.txt")]
    command = [sys.executable, str(ROOT / "tests/tools/pip_settings.py"), *uv, *into]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


class TestCompany:
    def test_its_index_and_certificate_are_those_of_pip_s_settings(
        self, tmp_path: Path, company: tuple[str, Path]
    ) -> None:
        url, authority = company
        ended = install(tmp_path, f"index-url = {url}\ncert = {authority}")
        assert ended.returncode == 0, ended.stderr
        assert (tmp_path / "installed/cmk_probe.py").is_file()

    def test_a_certificate_that_nobody_vouches_for_is_refused(self, tmp_path: Path, company: tuple[str, Path]) -> None:
        ended = install(tmp_path, f"index-url = {company[0]}")
        assert ended.returncode != 0
        assert "certificate" in ended.stderr.lower()
        assert not (tmp_path / "installed/cmk_probe.py").exists()
