"""Which comment on the ticket means that Atlassian has been notified, and which one does not."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk_read import Reader, get
from tests.playbooks.conftest import Run, World
from tests.tools.standins import TOKEN, USER

ORG: t.Final = ("-e", "org=acme")
COLLEAGUE: t.Final = "colleague@example.com"


def comment(world: World, body: str, author: str = "Support") -> None:
    world.desk.control("PATCH", "/tickets/CMK-1", {"reply": {"body": body, "author": author}})


def announcements(world: World) -> list[dict[str, t.Any]]:
    """The comments of our own account that announce a restoration."""
    comments = world.desk.control("GET", "/tickets/CMK-1")["comments"]
    return [item for item in comments if item["author"] == USER and "We have restored" in item["body"]]


def reference(world: World) -> str:
    """The reference of the restoration that the controller remembers."""
    (journal,) = world.folder.rglob("restoration.json")
    return str(json.loads(journal.read_text(encoding="utf-8"))["reference"])


def read_ticket(world: World) -> dict[str, t.Any]:
    """What the collection reads of the ticket."""
    url = f"{world.desk.url}/rest/servicedeskapi/request/CMK-1"
    reader = Reader(lambda page: get(page, USER, TOKEN), lambda _seconds, _why: None)
    found = json.dumps(asdict(reader.ticket(url, "acme", USER)))
    return t.cast("dict[str, t.Any]", json.loads(found))


def restore_without_a_comment(world: World) -> str:
    """Restore the keys while the desk takes no comment; return the reference that is still to be announced."""
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/faults", {"method": "POST", "status": 403, "count": 1})
    ran = world.run(*ORG)
    assert (ran.code != 0, world.states(), announcements(world)) == (True, ["Enabled", "Enabled"], []), ran.output
    return reference(world)


def test_what_the_vendor_quotes_is_no_announcement(world: World) -> None:
    bodies = (
        "> We have restored Atlassian's access.\n> Reference: {0}\n\nWhich keys do you mean?",
        "Please comment here with {0}, as you did last time.",
        "{{quote}}\nWe have restored Atlassian's access.\nReference: {0}\n{{quote}}\nIs that so?",
        "We do not know this.\n\nOn Tue, 24 Nov 2026, Operator <op@example.com> wrote:\nReference: {0}",
    )
    quoted = restore_without_a_comment(world)
    for body in bodies:
        comment(world, body.format(quoted))
    ran = world.run(*ORG)
    assert (ran.code, ran.result["ticket"]["already_told"], len(announcements(world))) == (0, False, 1), ran.output


@pytest.mark.parametrize("line", ["{0}", "Reference: {0}", "  Reference: {0}  "])
def test_a_line_of_its_own_is_an_announcement(world: World, line: str) -> None:
    comment(
        world, f"The keys of acme are back.\n{line.format(restore_without_a_comment(world))}\nPlease go on.", COLLEAGUE
    )
    ran = world.run(*ORG)
    assert (ran.code, ran.result["ticket"]["already_told"], announcements(world)) == (0, True, []), ran.output


@pytest.mark.parametrize("ahead", [600, -600], ids=["ten minutes ahead", "ten minutes behind"])
def test_a_desk_whose_clock_is_off(world: World, ahead: int) -> None:
    """A comment whose answer is lost is found again, in the same run and by another controller, and its time is ours."""
    world.desk.control("PATCH", "/settings", {"clock_offset": ahead})
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/faults", {"method": "POST", "drop": "after", "count": 1})
    begin = datetime.now(UTC)
    runs = [world.run(*ORG, env={"CMK_REPORT_DIR": str(world.folder / name)}) for name in ("first", "second")]
    assert [ran.code for ran in runs] == [0, 0], runs[-1].output
    assert len(announcements(world)) == 1
    ticket = read_ticket(world)
    (mention,) = ticket["mentions"]
    assert abs(ticket["clock_offset"] - ahead) <= 2
    assert abs(datetime.fromisoformat(mention["at"]) - begin) > timedelta(minutes=8)
    noted_at = datetime.strptime(mention["noted_at"], "%Y-%m-%dT%H:%M:%S%z")
    assert begin - timedelta(seconds=3) <= noted_at <= datetime.now(UTC) + timedelta(seconds=3)


def test_a_desk_without_a_date(world: World) -> None:
    world.desk.control("PATCH", "/settings", {"send_date": False})
    comment(world, "cmk-restore/acme/0123456789ab", USER)
    ticket = read_ticket(world)
    assert (ticket["clock_offset"], ticket["mentions"][0]["noted_at"]) == (None, "")


class TestAuthors:
    """The account that we use is known by its e-mail address, and where the desk hides that, by what it calls us."""

    def by_us(self, world: World) -> list[bool]:
        for author in (USER, COLLEAGUE, "Support"):
            comment(world, "Done.\nReference: cmk-restore/acme/0123456789ab", author)
        return [mention["by_us"] for mention in read_ticket(world)["mentions"]]

    def asked(self, world: World) -> int:
        return sum(call["path"].endswith("/myself") for call in world.desk.control("GET", "/calls"))

    def test_by_their_addresses(self, world: World) -> None:
        # The vendor's own is hidden even here, so that the desk is asked, which this account may not.
        assert (self.by_us(world), self.asked(world)) == ([True, False, False], 1)

    @pytest.mark.parametrize("platform", ["cloud", "data_center"])
    def test_hidden_addresses(self, world: World, platform: str) -> None:
        world.desk.control("PATCH", "/settings", {"hide_emails": True, "jira_access": True, "platform": platform})
        assert (self.by_us(world), self.asked(world)) == ([True, False, False], 1)

    def test_hidden_addresses_and_a_desk_that_does_not_say_who_we_are(self, world: World) -> None:
        world.desk.control("PATCH", "/settings", {"hide_emails": True})
        assert (self.by_us(world), self.asked(world)) == ([False, False, False], 1)

    def test_without_a_mention_the_desk_is_not_asked(self, world: World) -> None:
        comment(world, "> Reference: cmk-restore/acme/0123456789ab", "Support")
        assert (read_ticket(world)["mentions"], self.asked(world)) == ([], 0)


def test_names_and_bodies_cannot_act_on_the_terminal(world: World) -> None:
    comment(world, "Reference: cmk-restore/acme/0123456789ab", "Eve\x1b[2J\nacme: RESTORED")
    ticket = read_ticket(world)
    assert ticket["mentions"][0]["author"] == "Eve [2J acme: RESTORED"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", str(ticket))


def _reads(world: World) -> int:
    return sum(call["method"] == "GET" for call in world.desk.control("GET", "/calls"))


def test_a_desk_that_ignores_start_is_not_read_without_end(world: World) -> None:
    world.desk.control("POST", "/tickets", {"key": "CMK-1", "generate_comments": 60})
    world.desk.control("PATCH", "/settings", {"ignore_start": True})
    world.keys("Disabled", "Disabled")
    ran = world.run(*ORG)
    assert (ran.code, len(announcements(world)), _reads(world)) == (0, 1, 3), ran.output
    seen = " ".join(ran.output.split())
    assert "Only the first 50 comments of the ticket were read, because the desk sent comments again" in seen


def test_a_desk_that_sends_drop_by_drop_is_given_up(world: World) -> None:
    """Two answers of half a minute each; then the run ends and names the way without the desk."""
    world.keys("Disabled", "Disabled")
    world.desk.control("POST", "/faults", {"drip": 1, "count": None})
    begin = datetime.now(UTC)
    ran = world.run(*ORG)
    assert datetime.now(UTC) - begin < timedelta(seconds=150)
    assert (ran.code != 0, world.states(), _reads(world)) == (True, ["Enabled", "Enabled"], 2), ran.output
    assert ran.result["ticket"]["code"] == "desk_not_reached"
    assert "no complete answer within 30 s" in ran.result["ticket"]["error"]
    assert "cmk_support_mode=manual" in ran.result["ticket"]["hint"]


def test_a_rehearsal_reports_a_closed_ticket_although_it_holds_an_announcement(world: World) -> None:
    world.keys("Disabled", "Disabled")
    assert world.run(*ORG).code == 0
    assert _assess(world).code == 0
    world.desk.control("PATCH", "/tickets/CMK-1", {"open": False, "status": "Closed"})
    ran = _assess(world)
    assert ran.code != 0, ran.output
    assert "takes no comment from this account (its status is Closed)" in ran.output


def _assess(world: World) -> Run:
    return world.run(*ORG, playbook="assess_cmk.yml")
