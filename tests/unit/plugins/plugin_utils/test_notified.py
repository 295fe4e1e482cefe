"""What a ticket tells: how Atlassian was notified, and what would stop an announcement."""

from __future__ import annotations

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import Announcement
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import Look, Mention
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import Journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._notified import Ticket, find_standing

REFERENCE = "cmk-restore/acme/0123456789ab"
MENTION = Mention(REFERENCE, "17")
OPEN = Look(status="Open")


def announcement(*, enables: bool = False) -> Announcement:
    return Announcement(Journal(reference=REFERENCE), enables=enables)


class TestStanding:
    """What a rehearsal reports of the ticket."""

    def look(self, *mentions: Mention, **more: object) -> Look:
        return Look(**{"status": "Open", "mentions": mentions, **more})  # type: ignore[arg-type]

    def test_an_announcement(self) -> None:
        found = find_standing(announcement(), self.look(MENTION), "CMK-1")
        assert (found.told, found.already_told, found.comment_id) == (True, True, "17")

    def test_an_announcement_of_keys_that_were_lost_again(self) -> None:
        assert find_standing(announcement(enables=True), self.look(MENTION), "CMK-1") == Ticket()

    @pytest.mark.parametrize("enables", [True, False])
    def test_nothing_to_report(self, enables: bool) -> None:
        assert find_standing(announcement(enables=enables), self.look(), "CMK-1") == Ticket()

    @pytest.mark.parametrize("enables", [True, False])
    @pytest.mark.parametrize("mentions", [(), (MENTION,)], ids=["not announced", "announced"])
    def test_a_ticket_that_takes_no_comment(self, mentions: tuple[Mention, ...], enables: bool) -> None:
        closed = self.look(*mentions, allowed=False, status="Closed")
        found = find_standing(announcement(enables=enables), closed, "CMK-1")
        assert (found.code, found.told) == ("ticket_closed", False)
        assert found.error == "The ticket CMK-1 takes no comment from this account (its status is Closed)."

    @pytest.mark.parametrize("mentions", [(), (MENTION,)], ids=["not announced", "announced"])
    def test_a_ticket_that_could_not_be_read(self, mentions: tuple[Mention, ...]) -> None:
        unread = self.look(*mentions, ok=False, code="desk_trouble", error="Seen.", hint="Do.")
        assert find_standing(announcement(), unread, "CMK-1") == Ticket(code="desk_trouble", error="Seen.", hint="Do.")
