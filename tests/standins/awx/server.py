"""The HTTP server of the AWX stand-in: sockets, threads and the token, and nothing of AWX's other rules."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from . import api
from .api import State

TOKEN = "standin-awx-token-91c04be7d35f"
READ_TOKEN = "standin-awx-read-token-5d20f8a1"


class _Server(ThreadingHTTPServer):
    awx: Awx


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    timeout = 60
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server names it
        pass

    def serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _mark, query = self.path.partition("?")
        awx = self.server.awx
        with awx.lock:
            status, answer = (
                self._refused() or awx.fault(path) or api.answer(awx.state, self.command, path, query, body)
            )
            awx.state.calls.append((self.command, path, json.loads(body) if body else None))
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in awx.headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refused(self) -> tuple[int, Any] | None:
        scheme, _space, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in (TOKEN, READ_TOKEN):
            return 401, {"detail": api.NO_LOGIN}
        if token == READ_TOKEN and self.command != "GET":
            return 403, {"detail": "You do not have permission to perform this action."}
        if self.command in ("POST", "PATCH") and self.headers.get("Content-Type") != "application/json":
            return 415, {"detail": "Unsupported media type in request."}
        return None

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = serve  # noqa: N815 - http.server's names


class Awx:
    """AWX in a thread of this process, at ``url``. ``state`` is what it remembers, and is there for tests to change.

    ``faults``: path to the status and JSON that it answers there, instead of what AWX would.
    """

    def __init__(self) -> None:
        self.state = State()
        self.lock = threading.Lock()
        self.faults: dict[str, tuple[int, Any]] = {}
        self.headers: dict[str, str] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.awx = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def fault(self, path: str) -> tuple[int, Any] | None:
        return self.faults.get(path)

    def changes(self) -> list[tuple[str, str, Any]]:
        """The requests that were not only looks, since the last call of this."""
        made = [call for call in self.state.calls if call[0] != "GET"]
        self.state.calls.clear()
        return made

    def __enter__(self) -> Awx:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
