"""The HTTP server of the support desk stand-in: sockets and threads, and nothing of the desk's rules."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
from collections.abc import Mapping
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from . import api, control, workspaces
from .api import Answer
from .state import Call, InvalidError, State, now

MAX_CONTENT = 1 << 20
"""Most bytes of a request's body; more is answered with 413."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    state: State
    base: str
    stopping: threading.Event

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for a name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away, or refuses the certificate, is no fault of the stand-in.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one piece; else each answer waits for the client's delayed acknowledgement.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    timeout = 60
    server: Server

    def version_string(self) -> str:
        return "SupportDeskStandIn"

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())
        if self.server.state.settings.send_date:
            self.send_header("Date", format_datetime(self.server.state.now(), usegmt=True))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        pass

    def serve(self) -> None:
        path, _mark, query = self.path.partition("?")
        body = self._body()
        if isinstance(body, Answer):
            self.close_connection = True
            self._send(body)
        elif path == control.PREFIX or path.startswith(f"{control.PREFIX}/"):
            self._send(control.answer(self.server.state, self.command, path, body))
        else:
            self._play(path, query, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815 - http.server's names

    def _body(self) -> bytes | Answer:
        if "Transfer-Encoding" in self.headers:
            return api.RefusedError(411, "Content-Length is needed.", "length-required").answer
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            return api.RefusedError(400, "Content-Length is no number.", "length").answer
        if int(length) > MAX_CONTENT:
            return api.RefusedError(413, "The request is too large.", "size").answer
        return self.rfile.read(int(length))

    def _play(self, path: str, query: str, body: bytes) -> None:
        state = self.server.state
        headers = {name.lower(): value for name, value in self.headers.items()}
        who = api.login(state, headers.get("authorization"))
        call = state.record(
            lambda n: Call(
                n=n,
                time=now().isoformat(timespec="milliseconds"),
                method=self.command,
                path=path,
                query=query,
                auth=who.scheme,
                user=who.user.user if who.user else None,
                content_type=headers.get("content-type"),
                body=_readable(body),
            )
        )
        request = api.Request(self.command, path, query, headers, body, state.base_url or self.server.base)
        fault = state.take_fault(self.command, path)
        answer = None
        if fault is None or fault.after:
            answer = self._answer(request, who)
        if fault and fault.latency and self.server.stopping.wait(fault.latency):
            self._hang_up()
            return
        if fault and fault.drop:
            self._hang_up()
            return
        if fault and fault.replaces:
            answer = control.faulty(fault)
        answer = answer or self._answer(request, who)
        call.status = answer.status
        self._send(answer, fault.drip if fault else 0)

    def _answer(self, request: api.Request, who: api.Login) -> Answer:
        if request.path.startswith(f"{control.SITE}/") and request.method in ("GET", "HEAD"):
            return control.site(self.server.state, request.path)
        if request.path.startswith(workspaces.PREFIX):
            return workspaces.answer(self.server.state, request)
        return api.answer(self.server.state, request, who)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, answer: Answer, drip: float = 0) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and answer.status not in (204, 304):
            for number in range(len(answer.body) if drip else 0):
                self.wfile.flush()
                if self.server.stopping.wait(drip):
                    break
                self.wfile.write(answer.body[number : number + 1])
            self.wfile.write(b"" if drip else answer.body)


def _readable(body: bytes) -> Any:
    """A request's body for the list of calls: the JSON, else the text, else None when there is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Desk:
    """The support desk stand-in in a thread of this process.

    ``with Desk() as desk:`` listens at ``desk.url`` (no trailing slash); ``desk.certificate`` is the path to trust
    with ``tls``, else None; ``desk.state`` is what it remembers. ``state`` is the seed, by default one customer.

    :raises InvalidError: the host is no loopback address, or the seed is not understood.
    :raises OSError: the port is not to be had.
    """

    def __init__(
        self, state: Mapping[str, Any] | None = None, *, host: str = "127.0.0.1", port: int = 0, tls: bool = False
    ) -> None:
        if not _loopback(host):
            raise InvalidError(f"{host} is no loopback address")
        if state is not None and not isinstance(state, Mapping):
            raise InvalidError("seed: a JSON object is needed")
        if not 0 <= port <= 65535:
            raise InvalidError(f"{port} is no port")
        self.state = State(state)
        kind = Server if ":" not in host else type("Server6", (Server,), {"address_family": socket.AF_INET6})
        self._server: Server = kind((host, port), Handler)
        self.certificate: Path | None = None
        self._folder: Path | None = None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{shown}:{self._server.server_port}"
        self._server.state, self._server.base, self._server.stopping = self.state, self.url, threading.Event()
        if tls:
            from .tls import server_context  # noqa: PLC0415 - here, because the import alone takes longer than a start without TLS

            self._folder = Path(tempfile.mkdtemp(prefix="desk-standin-"))
            context, self.certificate = server_context(host, self._folder)
            # The handshake belongs to the connection's thread: a silent client must not keep others from connecting.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Desk:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control request without HTTP: ``desk.control("POST", "/faults", {"status": 503})`` returns the JSON.

        :raises InvalidError: the answer is not 200.
        """
        content = b"" if body is None else json.dumps(body).encode()
        answer = control.answer(self.state, method, control.PREFIX + path, content)
        value = json.loads(answer.body)
        if answer.status != 200:
            raise InvalidError(f"{answer.status}: {value['error']}")
        return value
