"""The server around the application, and the context manager for tests."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import socket
import struct
import threading
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from .app import DroppedError, StandinApp
from .kms import Settings


class _Handler(MotoRequestHandler):
    """Says nothing, and knows how to drop a connection."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def make_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().make_environ()
        # werkzeug leaves names with an underscore out, and IAM Identity Center's has one.
        environ["HTTP_X_AMZ_SSO_BEARER_TOKEN"] = self.headers.get("x-amz-sso_bearer_token")
        return environ

    def date_time_string(self, timestamp: float | None = None) -> str:
        app: Any = self.server.app
        now = time.time() + app.settings.clock_offset
        return super().date_time_string(now if timestamp is None else timestamp)

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        self.close_connection = True
        if not isinstance(error, DroppedError):
            return
        if error.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Closing the descriptor itself sends RST; socketserver's own shutdown() would send FIN first.
            os.close(self.connection.detach())
        else:
            self.connection.shutdown(socket.SHUT_RDWR)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_seed(path: str | Path) -> list[dict[str, Any]]:
    """Keys of a seed file: a JSON list in the shape of `POST /_standin/keys`."""
    seed = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(seed, list):
        raise ValueError(f"{path}: not a list")  # noqa: TRY004 - one kind of error for a wrong seed
    return seed


class AwsStandin:
    """The stand-in in this process: `with AwsStandin() as aws: boto3.client("kms", endpoint_url=aws.url, …)`.

    `account`: 12 digits. `propagation`, `latency`, `trail_delay`: seconds. `state`: list of keys, or path of a seed
    file. Raises ValueError for a host that is not loopback and for a wrong account or seed. One at a time per process: moto's state is global.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        account: str = "111122223333",
        state: list[dict[str, Any]] | str | Path | None = None,
        propagation: float = 0.0,
        latency: float = 0.0,
        trail_delay: float = 0.0,
    ) -> None:
        if not is_loopback(host):
            raise ValueError(f"{host} is not a loopback address")
        if not re.fullmatch(r"\d{12}", account):
            raise ValueError(f"{account} is not an account id of 12 digits")
        # It would put every call into one account, whatever the credentials say.
        os.environ.pop("MOTO_ACCOUNT_ID", None)
        seed = state if isinstance(state, list) else load_seed(state) if state else []
        settings = Settings(propagation=propagation, latency=latency, trail_delay=trail_delay)
        self.app = StandinApp(account, settings, seed)
        self.server: BaseWSGIServer = make_server(host, port, self.app, threaded=True, request_handler=_Handler)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.server.server_port}"
        self._thread: threading.Thread | None = None

    def serve_forever(self) -> None:
        self.server.serve_forever(poll_interval=0.05)

    def start(self) -> AwsStandin:
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.app.release()
        self.server.shutdown()
        self.server.server_close()
        if self._thread:
            self._thread.join()

    def __enter__(self) -> AwsStandin:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def control(self, method: str, path: str, data: Any = None) -> Any:
        """Call the control endpoint: `control("POST", "faults", {…})`. Raises HTTPError on a wrong request."""
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(f"{self.url}/_standin/{path}", data=body, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as response:
            return json.load(response)
