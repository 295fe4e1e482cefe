"""Which lines of a comment its author wrote, and which ones only quote an earlier text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._quoting import unquoted_lines

LINE = "Reference: cmk-restore/acme/0123456789ab"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LINE, id="alone"),
        pytest.param(f"We are back.\n{LINE}\n", id="last line"),
        pytest.param(f"We are back.\r\n{LINE}\r\nThanks", id="CRLF"),
        pytest.param(f"We are back.\r{LINE}", id="CR"),
        pytest.param(f"  \t{LINE} \u00a0", id="white space around it"),
        pytest.param(f"> Please tell us.\n\n{LINE}", id="after a quotation and a blank line"),
        pytest.param(f"bq. Please tell us.\n\n{LINE}", id="after bq. and a blank line"),
        pytest.param(f"{{quote}}\nPlease tell us.\n{{quote}}\n{LINE}", id="after a closed quote"),
        pytest.param(f"{{quote}}Please tell us.{{quote}}\n{LINE}", id="after a quote on one line"),
        pytest.param(f"{{quote}}\nOn Monday Support wrote:\nHello\n{{quote}}\n{LINE}", id="after a quoted mail header"),
        pytest.param(f"{{code:java}}\n{{quote}}\n{{code}}\n{LINE}", id="a quote marker inside code is text"),
        pytest.param(f"{{noformat}}\n{{code}}\n{{noformat}}\n{LINE}", id="a code marker inside noformat is text"),
        pytest.param(f"```\nls\n```\n{LINE}", id="after a closed fence"),
        pytest.param(f"```\n{{quote}}\n```\n{LINE}", id="a quote marker inside a fence is text"),
        pytest.param(f"{'_' * 9}\n{LINE}", id="a line that is too short for Outlook's rule"),
        pytest.param(f"{'_' * 10}x\n{LINE}", id="a line that is more than Outlook's rule"),
        pytest.param(f"{LINE}\n> {LINE}", id="above a quotation"),
        pytest.param(f"{LINE}\n\nOn Monday Support wrote:\nHello", id="above a quoted mail"),
        pytest.param(f"He wrote: nothing.\n{LINE}", id="wrote in a sentence"),
        pytest.param(f"From: acme\n{LINE}", id="From without the rest of a mail's head"),
        pytest.param(f"Keys in {{us-east-1}}\n{LINE}", id="braces that are no macro"),
    ],
)
def test_a_line_of_the_author(text: str) -> None:
    assert LINE in unquoted_lines(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"> {LINE}", id="quoted"),
        pytest.param(f"  >{LINE}", id="quoted, indented"),
        pytest.param(f">> {LINE}", id="quoted twice"),
        pytest.param(f"> We have restored Atlassian's access to the\n{LINE}", id="a quoted line that was wrapped"),
        pytest.param(f"bq. {LINE}", id="bq."),
        pytest.param(f"bq. We are back.\n{LINE}", id="the paragraph of a bq."),
        pytest.param(f"{{quote}}\n{LINE}\n{{quote}}", id="quote"),
        pytest.param(f"Your words: {{quote}}\n{LINE}\n{{quote}} Sorry.", id="quote that begins inside a line"),
        pytest.param(f"{{quote}}\n{LINE}", id="quote without an end"),
        pytest.param(f"{{quote}}{LINE}{{quote}}", id="quote on one line"),
        pytest.param(f"{{quote}}\n{{code}}\n{{quote}}\n{{code}}\n{LINE}\n{{quote}}", id="code in a quote"),
        pytest.param(f"{{quote}}\n{{panel:title=Yours}}\n{LINE}\n{{panel}}\n{{quote}}", id="panel in a quote"),
        pytest.param(f"{{noformat}}\n{LINE}\n{{noformat}}", id="noformat"),
        pytest.param(f"{{noformat:title=Your comment}}\n{LINE}\n{{noformat}}", id="noformat with a title"),
        pytest.param(f"{{code:title=x|borderStyle=solid}}\n{LINE}\n{{code}}", id="code"),
        pytest.param(f"{{code}}\n{{code:java}}\n{LINE}\n{{code}}", id="only a bare marker ends code"),
        pytest.param(f"{{panel}}\n{LINE}\n{{panel}}", id="panel"),
        pytest.param(f"{{QUOTE}}\n{LINE}\n{{QUOTE}}", id="capitals"),
        pytest.param(f"```\n{LINE}\n```", id="fence"),
        pytest.param(f"On Tue, 24 Nov 2026 at 03:00, Operator wrote:\n{LINE}", id="mail header"),
        pytest.param(
            f"On Tue, 24 Nov 2026, Operator <op@example.com>\nwrote:\n\n{LINE}", id="mail header on two lines"
        ),
        pytest.param(f"Am 24.11.2026 um 03:00 schrieb Operator <op@example.com>:\n{LINE}", id="German mail header"),
        pytest.param(f"-----Original Message-----\n{LINE}", id="Outlook"),
        pytest.param(f"---------- Forwarded message ---------\n{LINE}", id="forwarded"),
        pytest.param(f"Begin forwarded message:\n\n{LINE}", id="forwarded by Apple Mail"),
        pytest.param(f"From: Operator\nSent: Monday\nTo: Support\n\n{LINE}", id="the head of a mail"),
        pytest.param(f"*From:* Operator\n*Date:* Monday\n\n{LINE}", id="the head of a mail in bold"),
        pytest.param(f"________________________________\n{LINE}", id="Outlook's rule"),
        pytest.param(f"{'_' * 10}\n{LINE}", id="Outlook's shortest rule"),
        pytest.param(f"Reply above this line.\n\n{LINE}", id="the desk's own mark"),
        pytest.param(f"Thanks. {LINE}", id="in a sentence"),
        pytest.param(f"* {LINE}", id="list item"),
        pytest.param(f"{LINE}.", id="with a full stop"),
    ],
)
def test_not_a_line_of_the_author(text: str) -> None:
    assert LINE not in unquoted_lines(text)


def test_of_a_long_text_only_the_beginning_is_read() -> None:
    assert unquoted_lines("a" * 99_998 + "\nbc") == ["a" * 99_998, "b"]


@pytest.mark.parametrize("piece", ["<a@", "<a@b>", "-", "_", "{code:", "wrote", " ", "{quote}", "\r", "> ", "x: "])
def test_no_text_takes_long(piece: str) -> None:
    begin = time.process_time()
    unquoted_lines(piece * (2_000_000 // len(piece)))
    assert time.process_time() - begin < 5


_PIECES = st.lists(st.sampled_from(["{quote}", "{code}", "{code:x}", "> ", "bq. ", "\n", "a", "```", " ", LINE])).map(
    "".join
)


@given(_PIECES)
def test_a_verbatim_block_hides_what_it_holds_and_nothing_else(inside: str) -> None:
    block = f"{{noformat}}\n{inside}\n{LINE}\n{{noformat}}"
    assert LINE not in unquoted_lines(block)
    assert LINE in unquoted_lines(f"{block}\n{LINE}")
    assert LINE in unquoted_lines(f"{LINE}\n{block}")
