"""The reports in a browser: nothing overflows on a phone, the button copies, no request leaves the page."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.tools.browser import NAMES, Browser, Page, find_browser, start_browser
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
  setTimeout(() => resolve("allowed"), 20000);
})
"""
# The browser copies when it has time.
SAID: t.Final = """
new Promise(resolve => {
  const look = () => document.getElementById("copied").textContent ? resolve() : setTimeout(look, 5);
  look();
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


@pytest.fixture(scope="module")
def phone(browser: Browser) -> t.Iterator[Page]:
    with browser.open(width=PHONE) as page:
        yield page


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind of page."""
    folder = tmp_path_factory.mktemp("pages")
    for name, text in PAGES.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture
def to_paste(browser: Browser, paths: dict[str, Path]) -> t.Iterator[Page]:
    """The page that has a text to paste, in front."""
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    with browser.open(width=WIDE) as page:
        page.send("Page.bringToFront")
        yield page.show(paths["handover_pending"])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_asks_for_nothing(phone: Page, paths: dict[str, Path], name: str) -> None:
    phone.show(paths[name])
    assert phone.run("document.documentElement.scrollWidth") == PHONE
    assert phone.run(OVERFLOW) == []
    assert phone.requests() == [paths[name].as_uri()]


@pytest.mark.parametrize("name", ["handover_pending", "fleet"])
def test_the_policy_forbids_all_network_and_all_other_scripts(phone: Page, paths: dict[str, Path], name: str) -> None:
    phone.show(paths[name])
    for directive, attempt in ATTEMPTS.items():
        assert phone.run(FORBIDDEN % attempt) == directive


@pytest.mark.parametrize(
    "clipboard",
    ["navigator.clipboard", "undefined", "{writeText: () => Promise.reject(new Error('denied'))}"],
    ids=["by the Clipboard API", "without it", "refused by it"],
)
def test_the_button_copies_exactly_the_text(to_paste: Page, clipboard: str) -> None:
    to_paste.run("window.read = navigator.clipboard; read.writeText('before')")
    to_paste.run(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}}})")
    to_paste.run("document.getElementById('copy').click()")
    to_paste.run(SAID)
    assert to_paste.run("document.getElementById('copied').textContent") == "Copied."
    assert to_paste.run("read.readText()") == COMMENT


def test_a_browser_that_copies_nothing_leaves_the_text_selected(to_paste: Page) -> None:
    to_paste.run(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.execCommand = () => false"
    )
    to_paste.run("document.getElementById('copy').click()")
    assert to_paste.run("getSelection().toString()").split() == COMMENT.split()
    assert to_paste.run("document.getElementById('copied').textContent") == "The text is selected. Copy it with Ctrl+C."
