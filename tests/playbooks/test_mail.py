"""The comment as a mail, over an SMTP server: sent once, never in clear, and never counted as a comment."""

from __future__ import annotations

import json
import socket
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import MailSettings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings
from tests.playbooks.conftest import REGIONS, World, run_to_end
from tests.standins.mail import DeskByMail, MailServer
from tests.tools.documents import blocks
from tests.tools.standins import ACCOUNT

ORG: t.Final = ("-e", "org=acme")
DESK: t.Final = "desk@example.com"
SENDER: t.Final = "operator@example.com"
USER: t.Final = "relay-user"
PASSWORD: t.Final = "standin-mail-password-93ae70"
ENV: t.Final = {"CMK_MAIL_USER": USER, "CMK_MAIL_PASSWORD": PASSWORD}
ASKED: t.Final = "<1@desk.example.com>"
TOLD: t.Final = "https://support.example.com/browse/CMK-1?focusedCommentId=7"
AT: t.Final = "2026-11-24T03:00:00Z"


@pytest.fixture
def mail() -> t.Iterator[MailServer]:
    desk = DeskByMail({"CMK-1": [SENDER]}, {ASKED: "CMK-1"})
    with MailServer(desk, DESK, credentials=(USER, PASSWORD), tls="starttls") as server:
        yield server


def by_mail(world: World, mail: MailServer, **more: t.Any) -> dict[str, t.Any]:
    world.keys("Disabled", "Disabled")
    world.variables |= {
        "cmk_support_mode": "mail",
        "cmk_mail_to": DESK,
        "cmk_mail_from": SENDER,
        "cmk_mail_host": mail.host,
        "cmk_mail_port": mail.port,
        **more,
    }
    return world.variables


def test_mailed_once_and_notified_when_a_person_confirms_it(world: World, mail: MailServer) -> None:
    (documented,) = [yaml.safe_load(block.text) for block in blocks("docs/mail.md")]
    here = {"cmk_ticket": "CMK-1", "cmk_mail_host": mail.host, "cmk_mail_port": mail.port}
    by_mail(world, mail, **documented["acme"] | here)

    first = world.run(*ORG, env=ENV)

    assert first.code == 0, first.output
    assert (first.result["status"], first.result["ticket"]["told"]) == ("handover_pending", False)
    (sent,) = mail.inbox
    assert (sent["becomes"], sent["ticket"], sent["from"], sent["to"]) == ("comment", "CMK-1", SENDER, [DESK])
    assert sent["subject"] == "Re: CMK-1 Access to the encryption keys is restored (acme)"
    assert sent["in_reply_to"] == ASKED
    assert "Reference: cmk-restore/acme/" in sent["text"]
    assert (first.result["ticket"]["mailed_to"], mail.logins) == (DESK, [USER])
    assert f"mailed to {DESK}" in first.output
    assert "does not prove a comment" in first.output
    assert world.told() == []

    second = world.run(*ORG, env=ENV)

    assert (second.code, second.changed, second.result["status"]) == (0, 0, "handover_pending")
    assert second.result["ticket"]["mailed_at"] == first.result["ticket"]["mailed_at"]
    assert len(mail.inbox) == 1

    third = world.run(*ORG, env=ENV, variables={"cmk_ticket_told": TOLD})
    fourth = world.run(*ORG, env=ENV)

    assert [run.result["status"] for run in (third, fourth)] == ["restored", "already_restored"]
    assert (fourth.changed, len(mail.inbox)) == (0, 1)


def test_it_is_remembered_at_once(world: World, mail: MailServer, tmp_path: Path) -> None:
    """Without the end of the run, which remembers it as well."""
    where = MailSettings(DESK, SENDER, mail.host, mail.port, secure=True, in_reply_to="")
    settings = Settings(org="acme", slug="acme", ticket="CMK-1", mode="mail", mail=where, report_dir=str(tmp_path))
    known = {"reference": "cmk-restore/acme/0123456789ab", "started_at": AT, "restored_at": AT}
    registered = {
        "__cmk_command": "restore",
        "__cmk_settings": {**settings.as_json(), "started_at": AT, "aws": {}},
        "__cmk_decided": {
            "announcement": {**known, "ticket": "CMK-1", "states_before": {}, "told": None},
            "notify": "mail",
        },
    }
    variables = {**registered, "__cmk_aws": {}, "__cmk_fleet_from": 50, "ansible_python_interpreter": sys.executable}
    task = {"do": "notify", "reads": ["__cmk_decided"], "user": USER, "token": PASSWORD}
    play = {"hosts": "acme", "gather_facts": False, "vars": variables, "tasks": [{"keyops.atlassian_cmk.step": task}]}
    (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    ran = run_to_end(*world.command(playbook="play.yml", cwd=tmp_path))
    assert (ran.code, ran.changed, len(mail.inbox)) == (0, 1, 1), ran.output
    journal = json.loads((tmp_path / "restoration.json").read_text(encoding="utf-8"))
    assert journal["mailed"] == {"to": DESK, "ticket": "CMK-1", "at": journal["mailed"]["at"]}


def test_the_next_revocation_is_mailed_again(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    world.run(*ORG, env=ENV)
    assert world.run(*ORG, "-e", "confirm=acme", playbook="revoke_cmk.yml").code == 0
    again = world.run(*ORG, env=ENV)

    assert again.result["status"] == "handover_pending", again.output
    assert len({line for one in mail.inbox for line in one["text"].splitlines() if "Reference" in line}) == 2


def test_another_address_gets_it_too(world: World, mail: MailServer) -> None:
    by_mail(world, mail, cmk_mail_to="desk@elsewhere.example.com")
    refused = world.run(*ORG, env=ENV)
    assert (refused.code, refused.result["ticket"]["code"]) == (2, "mail_refused"), refused.output
    assert "No such mailbox here" in refused.result["ticket"]["error"]

    mended = world.run(*ORG, env=ENV, variables={"cmk_mail_to": DESK})
    assert (mended.code, len(mail.inbox)) == (0, 1), mended.output


def test_check_mode_shows_it_and_sends_nothing(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    ran = world.run(*ORG, "--check", env=ENV)
    assert (ran.code, ran.changed, ran.result["status"]) == (0, 2, "planned"), ran.output
    assert f"this would be mailed to {DESK} about the ticket CMK-1" in ran.output
    assert mail.connections == 0


@pytest.mark.parametrize("secure", [True, False])
def test_a_server_without_encryption(world: World, secure: bool) -> None:
    desk = DeskByMail({"CMK-1": [SENDER]})
    with MailServer(desk, DESK) as mail:
        by_mail(world, mail, cmk_mail_secure=secure)
        ran = world.run(*ORG)
    assert (ran.result["ticket"]["code"], len(mail.inbox)) == (("mail_not_encrypted", 0) if secure else ("", 1)), (
        ran.output
    )
    assert ran.code == (2 if secure else 0)


def test_encrypted_from_the_beginning(world: World) -> None:
    desk = DeskByMail({"CMK-1": [SENDER]})
    with MailServer(desk, DESK, credentials=(USER, PASSWORD), tls="always") as mail:
        by_mail(world, mail)
        ran = world.run(*ORG, env=ENV)
    assert (ran.code, len(mail.inbox), mail.logins) == (0, 1, [USER]), ran.output


def test_a_wrong_password(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    ran = world.run(*ORG, env={**ENV, "CMK_MAIL_PASSWORD": "another"})
    assert (ran.code, ran.result["ticket"]["code"], mail.inbox) == (2, "mail_unauthorized", []), ran.output
    assert world.states() == ["Enabled", "Enabled"]


def test_a_server_that_is_not_there(world: World, mail: MailServer) -> None:
    with socket.create_server((mail.host, 0)) as unused:
        port = unused.getsockname()[1]
    by_mail(world, mail, cmk_mail_port=port)
    ran = world.run(*ORG, env=ENV)
    assert (ran.code, ran.result["ticket"]["code"]) == (2, "mail_not_reached"), ran.output
    assert ran.result["ticket"]["error"] == (
        f"The mail server {mail.host}:{port} was not reached: [Errno 111] Connection refused."
    )
    assert "Traceback" not in ran.output


def test_a_server_that_is_busy_is_tried_in_the_next_run(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    mail.fault = "451 4.3.0 Try later"
    first = world.run(*ORG, env=ENV)
    assert (first.code, first.result["ticket"]["code"]) == (2, "mail_refused"), first.output
    mail.fault = ""
    assert (world.run(*ORG, env=ENV).code, len(mail.inbox)) == (0, 1)


def test_a_lost_answer_is_reported_as_unknown(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    mail.fault = "drop"
    ran = world.run(*ORG, env=ENV)
    assert (ran.code, ran.result["ticket"]["code"], len(mail.inbox)) == (2, "mail_unconfirmed", 1), ran.output
    assert "ATLASSIAN HAS PERHAPS BEEN NOTIFIED" in ran.output


def test_without_the_collection_nothing_is_changed(world: World, mail: MailServer, tmp_path: Path) -> None:
    here = Path(__file__).resolve().parents[2]
    amazon = next(Path(path) for path in _collections() if (Path(path) / "amazon/aws").is_dir())
    for name, target in {"amazon": amazon / "amazon", "keyops/atlassian_cmk": here}.items():
        link = tmp_path / "alone/ansible_collections" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
    by_mail(world, mail)
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "alone"), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    ran = world.run(*ORG, env={**ENV, **alone})
    assert (ran.code, world.states()) == (2, ["Disabled", "Disabled"]), ran.output
    assert "cmk_support_mode=mail needs the collection community.general" in ran.result["error"]


def test_many_organizations_are_mailed_apart(world: World, mail: MailServer) -> None:
    by_mail(world, mail)
    command, cwd, env = world.command("-e", "org=all", env=ENV)
    inventory = Path(env["ANSIBLE_INVENTORY"])
    hosts = json.loads(inventory.read_text(encoding="utf-8"))["all"]["hosts"]
    # With keys of its own: of two that enable the same keys, the slower one may find nothing to do.
    for region in REGIONS:
        key = {"region": region, "account": ACCOUNT, "alias": "alias/globex", "state": "Disabled"}
        world.aws.control("POST", "keys", key)
    hosts["globex"] = {**hosts["acme"], "cmk_key": "alias/globex", "cmk_mail_to": "nobody@example.com"}
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    ran = run_to_end(command, cwd, env)
    assert "2 organizations: 1 partial, 1 handover pending" in ran.output, ran.output
    assert "acme: open the ticket. When it shows the comment, run: ansible-playbook" in ran.output
    assert [one["text"].count("acme/") for one in mail.inbox] == [1]


def _collections() -> list[str]:
    import ansible_collections  # noqa: PLC0415

    return list(ansible_collections.__path__)
