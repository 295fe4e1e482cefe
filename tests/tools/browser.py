"""Chromium without a window, driven by its DevTools protocol through two pipes: no port, no further package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

Json: t.TypeAlias = dict[str, t.Any]

NAMES: t.Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_QUIET: t.Final = (
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # which containers have little of
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PHONE: t.Final = 600
_PATIENCE: t.Final = 60.0


def find_browser() -> str:
    """Return the path of Chromium; empty if none is installed."""
    return next((path for path in map(shutil.which, NAMES) if path), "")


@contextlib.contextmanager
def start_browser() -> t.Iterator[Browser]:
    """Run Chromium with an empty profile for as long as it is needed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (reads, writes), (answers, answered) = os.pipe(), os.pipe()
        # Chromium reads from descriptor 3 and writes to 4. Theirs must be others.
        inner = [fcntl.fcntl(handle, fcntl.F_DUPFD, 100) for handle in (reads, answered)]
        # Chromium refuses to sandbox itself as root.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        command = [find_browser(), *_QUIET, *sandbox, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{inner[0]} 4>&{inner[1]}', "bash", *command],
            pass_fds=inner,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for handle in (reads, answered, *inner):
            os.close(handle)
        try:
            yield Browser(writes, answers)
        finally:
            os.close(writes)  # which ends it
            os.close(answers)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Browser:
    """The protocol: a command has an id, by which its answer is found; whatever else comes is an event."""

    def __init__(self, writes: int, answers: int) -> None:
        self._writes, self._answers = writes, answers
        self._buffer, self._last = b"", 0
        self.events: list[Json] = []

    def send(self, method: str, session: str = "", **params: t.Any) -> Json:
        """Send a command and return its result."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def wait_for(self, method: str, session: str) -> None:
        """Wait for an event."""
        while not any(event.get("method") == method and event.get("sessionId") == session for event in self.events):
            self.events.append(self._read())

    def _read(self) -> Json:
        ends = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _write, _other = select.select([self._answers], [], [], max(0.0, ends - time.monotonic()))
            data = os.read(self._answers, 1 << 20) if ready else b""
            if not data:
                raise RuntimeError("Chromium has ended or does not answer.")
            self._buffer += data
        message, _end, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    @contextlib.contextmanager
    def open(self, *, width: int, dark: bool = False) -> t.Iterator[Page]:
        """Open a tab."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Network", "Runtime"):
            page.send(f"{domain}.enable")
        page.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width < _PHONE,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.send("Emulation.setEmulatedMedia", features=[scheme])
        try:
            yield page
        finally:
            self.send("Target.closeTarget", targetId=target)


class Page:
    """A tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def send(self, method: str, **params: t.Any) -> Json:
        return self._browser.send(method, self._session, **params)

    def show(self, path: Path) -> Page:
        """Show a file."""
        self._browser.events.clear()
        self.send("Page.navigate", url=path.as_uri())
        self._browser.wait_for("Page.loadEventFired", self._session)
        return self

    def run(self, script: str) -> t.Any:
        """Evaluate JavaScript, as if a person had just clicked, and return its value."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def requests(self) -> list[str]:
        """List the addresses that the tab has asked for, from the file on."""
        return [
            str(event["params"]["request"]["url"])
            for event in self._browser.events
            if event.get("method") == "Network.requestWillBeSent" and event.get("sessionId") == self._session
        ]

    def picture(self, height: int = 0) -> bytes:
        """Return a picture (PNG) of the page, or of its top."""
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        shot = self.send("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def print(self) -> bytes:
        """Return the page as a printer gets it (PDF)."""
        return base64.b64decode(self.send("Page.printToPDF", preferCSSPageSize=True)["data"])
