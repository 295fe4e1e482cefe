"""Take a picture of the report for the documentation: ``python -m tests.tools.screenshots [FOLDER]``.

It needs Chromium. With a folder, the reports of all kinds of runs are pictured there instead: light, dark, on a phone,
and as a PDF, to be judged by eye.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._reports.evidence import evidence
from tests.tools.evidence_runs import RUNS
from tests.tools.reports import render

PICTURE: t.Final = Path(__file__).resolve().parents[2] / "docs/images/report.png"
_BROWSERS: t.Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Chromium's own names: mojom::PreferredColorScheme.
_DARK, _LIGHT = 0, 1
_WAYS: t.Final = {"light": (1200, 2600, _LIGHT), "dark": (1200, 2600, _DARK), "narrow": (360, 4600, _LIGHT)}
_QUIET: t.Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def browser() -> str:
    """Find Chromium, or end the program and say that it is missing."""
    found = next((path for path in map(shutil.which, _BROWSERS) if path), None)
    if not found:
        sys.exit(
            f"No picture was taken: none of {', '.join(_BROWSERS)} is installed (Debian: apt-get install chromium)."
        )
    return found


def take(name: str, target: Path, output: str, *arguments: str) -> None:
    """Let Chromium show the report of one kind of run and write it to ``target``.

    :param output: Chromium's option that names the file to write
    """
    with tempfile.TemporaryDirectory() as folder:
        page, taken = Path(folder) / "report.html", Path(folder) / f"taken{target.suffix}"  # by which Chromium goes
        page.write_text(render("report.html.j2", evidence(RUNS[name])), encoding="utf-8")
        # Chromium refuses to sandbox itself as root.
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        options = [*_QUIET, *sandbox, f"--user-data-dir={folder}/profile", *arguments, f"{output}={taken}"]
        ran = subprocess.run(
            [browser(), *options, page.as_uri()], capture_output=True, text=True, timeout=120, check=False
        )
        if not taken.exists():
            sys.exit(f"No picture was taken: Chromium ended with {ran.returncode}.\n{ran.stderr[-500:]}")
        shutil.copyfile(taken, target)


def picture(name: str, target: Path, width: int, height: int, scheme: int) -> None:
    window, wish = f"--window-size={width},{height}", f"--blink-settings=preferredColorScheme={scheme}"
    take(name, target, "--screenshot", window, wish)


def main(folder: Path | None) -> None:
    if folder is None:
        PICTURE.parent.mkdir(exist_ok=True)
        picture("restored", PICTURE, 1200, 1200, _LIGHT)
        print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")
        return
    folder.mkdir(exist_ok=True)
    for name in RUNS:
        for way, (width, height, scheme) in _WAYS.items():
            picture(name, folder / f"{name}-{way}.png", width, height, scheme)
        take(name, folder / f"{name}.pdf", "--print-to-pdf", "--no-pdf-header-footer")
    print(f"pictures of {len(RUNS)} reports are in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else None)
