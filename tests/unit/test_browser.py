"""The reports in a browser: nothing overflows on a phone, the button copies, no request leaves the page."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.tools.browser import NAMES, Browser, find_browser, start_browser
from tests.tools.evidence_runs import COMMENT
from tests.tools.reports import print_pages
from tests.tools.screenshots import PHONE, WIDE

pytestmark = pytest.mark.skipif(
    not find_browser(), reason=f"no browser: none of {', '.join(NAMES)} is installed (Debian: apt-get install chromium)"
)
PAGES: t.Final = print_pages()
# Elements whose right edge is beyond the page, and elements whose content is wider than they are. What is read aloud only
# has no place on the screen.
OVERFLOW: t.Final = """
[...document.querySelectorAll("body *")].filter(one => !one.closest(".stack thead") && (
  one.getBoundingClientRect().right > innerWidth + 0.5 || one instanceof HTMLElement && one.scrollWidth > one.clientWidth + 1
  && getComputedStyle(one).display !== "inline")).map(one => one.outerHTML.slice(0, 120))
"""
# What a policy forbids, the browser reports to the page.
FORBIDDEN: t.Final = """
new Promise(resolve => {
  document.addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective));
  %s
  setTimeout(() => resolve("allowed"), 5000);
})
"""
ATTEMPTS: t.Final = {
    "connect-src": 'fetch("http://127.0.0.1:9/").catch(() => 0);',
    "img-src": 'new Image().src = "http://127.0.0.1:9/";',
    "script-src-elem": 'document.body.append(Object.assign(document.createElement("script"), {text: "1"}));',
    "form-action": 'let form = document.createElement("form"); form.action = "http://127.0.0.1:9/"; '
    "document.body.append(form); form.submit();",
}


@pytest.fixture(scope="module")
def browser() -> t.Iterator[Browser]:
    with start_browser() as started:
        try:
            started.send("Browser.getVersion")
        except (RuntimeError, OSError) as error:
            pytest.skip(f"{find_browser()} does not start here: {error}")
        yield started


@pytest.fixture
def path(tmp_path: Path, name: str) -> Path:
    page = tmp_path / f"{name}.html"
    page.write_text(PAGES[name], encoding="utf-8")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_asks_for_nothing(browser: Browser, path: Path, name: str) -> None:
    with browser.open(path, width=PHONE) as page:
        assert page.run("document.documentElement.scrollWidth") == PHONE
        assert page.run(OVERFLOW) == []
        assert page.requests() == [path.as_uri()]


@pytest.mark.parametrize("name", ["handover_pending", "fleet"])
def test_the_policy_forbids_all_network_and_all_other_scripts(browser: Browser, path: Path, name: str) -> None:
    for directive, attempt in ATTEMPTS.items():
        with browser.open(path, width=WIDE) as page:
            assert page.run(FORBIDDEN % attempt) == directive


@pytest.mark.parametrize("name", ["handover_pending"])
@pytest.mark.parametrize(
    "clipboard",
    [
        "navigator.clipboard",
        "undefined",
        "{writeText: () => Promise.reject(new Error('denied'))}",
    ],
    ids=["the Clipboard API", "without it", "refused by it"],
)
def test_the_button_copies_exactly_the_text(browser: Browser, path: Path, clipboard: str) -> None:
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    with browser.open(path, width=WIDE) as page:
        page.send("Page.bringToFront")
        page.run("window.read = navigator.clipboard; read.writeText('before')")
        page.run(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}}})")
        page.run("document.getElementById('copy').click()")
        page.run("new Promise(resolve => setTimeout(resolve))")
        assert page.run("document.getElementById('copied').textContent") == "Copied."
        assert page.run("read.readText()") == COMMENT


@pytest.mark.parametrize("name", ["handover_pending"])
def test_a_browser_that_copies_nothing_leaves_the_text_selected(browser: Browser, path: Path) -> None:
    with browser.open(path, width=WIDE) as page:
        page.run(
            "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
        )
        page.run("document.getElementById('copy').click()")
        assert page.run("getSelection().toString()").split() == COMMENT.split()
        assert page.run("document.getElementById('copied').textContent") == "The text is selected. Copy it with Ctrl+C."
