"""The SMTP server of the mail stand-in: aiosmtpd on a loopback socket, in a thread of this process."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.standins.desk.tls import server_context

from .desk import DeskByMail


class MailServer:
    """``with MailServer(desk, "desk@example.com") as mail:`` listens at ``mail.host`` and ``mail.port``.

    :param desk: what becomes of the mails, which are found in ``inbox`` as :meth:`DeskByMail.read` reads them
    :param address: the only address that mail is taken for
    :param credentials: user and password; with them, nobody sends without having logged in, and nobody logs in in clear
    :param tls: ``starttls`` offers STARTTLS, and takes nothing without; ``always`` speaks TLS from the beginning; empty
        offers no encryption
    :param file: where each mail is written to as a line of JSON, too
    """

    host = "127.0.0.1"

    def __init__(
        self,
        desk: DeskByMail,
        address: str,
        *,
        credentials: tuple[str, str] | None = None,
        tls: str = "",
        file: Path | None = None,
    ) -> None:
        self.desk, self.address, self.credentials, self.tls, self.file = desk, address, credentials, tls, file
        self.inbox: list[dict[str, Any]] = []
        self.connections = 0
        self.logins: list[str] = []
        self.fault = ""
        """``reply`` (a line such as "451 ...") refuses the next mails; ``drop`` takes a mail and hangs up unanswered."""
        self._folder = Path(tempfile.mkdtemp(prefix="mail-standin-"))
        self._context = server_context(self.host, self._folder)[0] if tls else None
        self._socket = socket.create_server((self.host, 0))
        self.port = int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> MailServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        context = self._context if self.tls == "always" else None
        serving = self._loop.create_server(self._protocol, sock=self._socket, ssl=context)
        server = self._loop.run_until_complete(serving)
        self._loop.run_forever()
        server.close()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    def _protocol(self) -> SMTP:
        self.connections += 1
        starts = self.tls == "starttls"
        with warnings.catch_warnings():
            # With TLS from the beginning, aiosmtpd does not know that the connection is encrypted.
            warnings.simplefilter("ignore")
            return self._smtp(starts)

    def _smtp(self, starts: bool) -> SMTP:
        return SMTP(
            self,
            hostname="mail.example.com",
            ident="MailStandIn",
            tls_context=self._context if starts else None,
            require_starttls=starts,
            auth_required=self.credentials is not None,
            auth_require_tls=self.tls != "always",
            authenticator=self._login,
            loop=self._loop,
        )

    def _login(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login.decode())
        # Unless handled, aiosmtpd answers with 235 or 535.
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.credentials, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.lower() != self.address.lower():
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.fault and self.fault != "drop":
            return self.fault
        assert isinstance(envelope.content, bytes)
        mail = self.desk.read(envelope.content)
        if mail["from"] != str(envelope.mail_from).lower():
            return "550 5.7.1 The sender's address is not that of the envelope"
        self.inbox.append(mail)
        if self.file:
            with self.file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(mail) + "\n")
        if self.fault == "drop":
            assert server.transport is not None
            server.transport.close()
        return "250 2.0.0 Queued"
