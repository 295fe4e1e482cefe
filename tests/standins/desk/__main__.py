"""``python -m tests.standins.desk``: runs the support desk stand-in until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from .server import Desk
from .state import InvalidError


def main() -> int:
    """Runs the command. Exit codes: 0 stopped by a signal, 1 the port is not to be had, 2 wrong arguments or seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins.desk", description="Support desk stand-in")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port (default: %(default)s)")
    parser.add_argument("--state", type=Path, metavar="FILE.json", help="users, tokens and tickets to start with")
    parser.add_argument("--tls", action="store_true", help="https, with a certificate that is made now")
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        seed = json.loads(options.state.read_text(encoding="utf-8")) if options.state else None
        desk = Desk(seed, host=options.host, port=options.port, tls=options.tls)
    except (InvalidError, json.JSONDecodeError, UnicodeDecodeError) as error:
        parser.error(f"{options.state}: {error}" if options.state else str(error))
    except OSError as error:
        print(f"Support desk stand-in cannot start: {error}", file=sys.stderr)
        return 1
    with desk:
        certificate = f" (certificate {desk.certificate})" if desk.certificate else ""
        print(f"Support desk stand-in listening on {desk.url}{certificate}", flush=True)
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
