"""``python -m tests.standins.mail``: runs the mail stand-in until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from .desk import DeskByMail
from .server import MailServer


def main() -> None:
    """Runs the command; the seed is a JSON object of ticket keys and who takes part in each."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.mail", description="Mail stand-in")
    parser.add_argument("--tickets", type=json.loads, default={}, metavar="JSON", help="ticket's key to addresses")
    parser.add_argument("--address", default="desk@example.com", help="the address that takes mail")
    parser.add_argument(
        "--inbox", type=Path, required=True, metavar="FILE", help="where each mail becomes a line of JSON"
    )
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with MailServer(DeskByMail(options.tickets), options.address, tls="starttls", file=options.inbox) as mail:
        print(f"Mail stand-in listening on smtp://{mail.host}:{mail.port}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
