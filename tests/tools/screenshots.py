"""Take the pictures of the reports for the documentation: ``python -m tests.tools.screenshots [FOLDER]``.

It needs Chromium. With a folder, all kinds of pages are pictured there instead: wide and on a phone, light and dark, and as
a PDF, to be judged by eye.
"""

from __future__ import annotations

import sys
import tempfile
import typing as t
from pathlib import Path

from tests.tools.browser import NAMES, Browser, find_browser, start_browser
from tests.tools.reports import print_pages

IMAGES: t.Final = Path(__file__).resolve().parents[2] / "docs/images"
WIDE: t.Final = 1280
PHONE: t.Final = 390


class Picture(t.NamedTuple):
    """A picture of the documentation."""

    page: str
    height: int  # of the part that is shown; 0 for the whole page
    width: int = WIDE
    dark: bool = False


PICTURES: t.Final = {
    "report": Picture("restored", 1250),
    "report-paste": Picture("handover_pending", 1200),
    "report-assess": Picture("assess", 1100),
    "report-verify": Picture("verify_waiting", 1100, dark=True),
    "report-revoke": Picture("revoke", 1000),
    "report-phone": Picture("partial", 1400, PHONE),
    "fleet": Picture("fleet", 0),
    "runs": Picture("runs", 0, PHONE),
}


def main(folder: Path | None) -> None:
    if not find_browser():
        sys.exit(f"No picture was taken: none of {', '.join(NAMES)} is installed (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory() as pages, start_browser() as browser:
        paths = {}
        for name, text in print_pages().items():
            paths[name] = Path(pages) / f"{name}.html"
            paths[name].write_text(text, encoding="utf-8")
        if folder:
            folder.mkdir(exist_ok=True)
            _picture_all(browser, paths, folder)
            print(f"pictures of {len(paths)} pages are in {folder}")
            return
        for file, picture in PICTURES.items():
            with browser.open(width=picture.width, dark=picture.dark) as page:
                target = IMAGES / f"{file}.png"
                target.write_bytes(page.show(paths[picture.page]).picture(picture.height))
                print(f"{target}: {target.stat().st_size // 1000} kB")


def _picture_all(browser: Browser, paths: t.Mapping[str, Path], folder: Path) -> None:
    for width in (WIDE, PHONE):
        for dark in (False, True):
            with browser.open(width=width, dark=dark) as page:
                for name, path in paths.items():
                    target = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                    target.write_bytes(page.show(path).picture())
    with browser.open(width=WIDE) as page:
        for name, path in paths.items():
            (folder / f"{name}.pdf").write_bytes(page.show(path).print())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if sys.argv[1:] else None)
