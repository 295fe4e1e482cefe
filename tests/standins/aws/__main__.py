"""Command line of the stand-in: `python -m tests.standins.aws --help`."""

from __future__ import annotations

import argparse
import signal
import sys
from types import FrameType


def main(argv: list[str] | None = None) -> int:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    # Before the slow imports, so that a stop during the start is clean too.
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    parser = argparse.ArgumentParser(prog="python -m tests.standins.aws", description="A strict stand-in for AWS.")
    parser.add_argument("--host", default="127.0.0.1", help="loopback only")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--account", default="111122223333", help="account id of the callers")
    parser.add_argument("--propagation", type=float, default=0.0, help="seconds until a state change is seen")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--trail-delay", type=float, default=0.0, help="seconds until CloudTrail shows an event")
    parser.add_argument("--state", help="JSON file with the keys that exist at the start")
    args = parser.parse_args(argv)

    from .server import AwsStandin  # noqa: PLC0415 - moto takes a second to import

    try:
        standin = AwsStandin(
            args.host, args.port, args.account, args.state, args.propagation, args.latency, args.trail_delay
        )
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f"AWS stand-in listening on {standin.url}", flush=True)
    standin.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
