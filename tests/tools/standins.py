"""Start the stand-ins as commands of their own, and give a run the environment that points at them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import typing as t
import urllib.request
from pathlib import Path

ROOT: t.Final = Path(__file__).resolve().parents[2]
# Long and odd, since Ansible masks secret values wherever they appear.
ACCESS_KEY: t.Final = "AKIASTANDINEXAMPLE00"
SECRET_KEY: t.Final = "standin-secret-key-8f3b2c1d9e7a6054"
USER: t.Final = "operator@example.com"
TOKEN: t.Final = "standin-desk-token-4b1f7c9e2d60"
ACCOUNT: t.Final = "111122223333"


@contextlib.contextmanager
def standin(name: str, state: Path) -> t.Iterator[str]:
    """Run the stand-in ``name`` (aws, desk) with its seed file; yield its URL, and stop it at the end."""
    command = [sys.executable, "-m", f"tests.standins.{name}", "--state", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found is None:
                raise SystemExit(f"The stand-in {name} did not start: {line or 'it said nothing.'}")
            yield found[0]
        finally:
            process.terminate()
            process.wait(timeout=20)


def control(url: str, path: str, method: str = "GET", body: object = None) -> t.Any:
    """Call a stand-in's control endpoint."""
    request = urllib.request.Request(f"{url}/_standin/{path}", method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def environment(aws: str, desk: str, folder: Path) -> dict[str, str]:
    """Make the environment of a run: nothing of the caller's AWS or Ansible settings gets in, nothing gets out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "CMK_"))}
    return {
        # Hundreds of runs would otherwise compile all that they import, where an image forbids byte code.
        "PYTHONPYCACHEPREFIX": str(ROOT / ".cache/pycache"),
        **kept,
        "PYTHONDONTWRITEBYTECODE": "",
        "PATH": f"{Path(sys.executable).parent}:{kept.get('PATH', '')}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_INVENTORY": str(ROOT / "examples/inventory"),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_URL": aws,
        "CMK_REPORT_DIR": str(folder / "reports"),
        "CMK_SUPPORT_URL": desk,
        "CMK_SUPPORT_USER": USER,
        "CMK_SUPPORT_TOKEN": TOKEN,
    }
