"""No secret leaves a run: not on the screen at the highest verbosity, not in a file, not in the list of processes."""

from __future__ import annotations

import base64
import os
import shutil
import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.playbooks.conftest import World, run_to_end
from tests.standins.desk import DEFAULT_BEARER
from tests.standins.desk.workspaces import API_KEY, ORG_ID
from tests.standins.mail import DeskByMail, MailServer
from tests.tools.standins import SECRET_KEY, TOKEN, USER

SESSION_TOKEN: t.Final = "standin-session-token-5e1d7a90c3f2"
MAIL_PASSWORD: t.Final = "standin-mail-password-c81f09"
EXTERNAL_ID: t.Final = "standin-external-id-71c0"
SECRETS: t.Final = {
    "the AWS secret key": SECRET_KEY,
    "the AWS session token": SESSION_TOKEN,
    "the desk's token": TOKEN,
    # As it stands in the header, and as a part of it that ends on the border of three bytes.
    "the basic authentication": base64.b64encode(f"{USER}:{TOKEN}".encode()).decode().rstrip("="),
    "the bearer's token": DEFAULT_BEARER,
    "the mail server's password": MAIL_PASSWORD,
    # As AUTH PLAIN sends it.
    "the mail server's login": base64.b64encode(f"\0{USER}\0{MAIL_PASSWORD}".encode()).decode().rstrip("="),
    "the organization's API key": API_KEY,
    "the token in base64": base64.b64encode(TOKEN.encode()).decode()[:30],
}
ROLE: t.Final = "arn:aws:iam::111122223333:role/cmk-operator"


@dataclass(frozen=True)
class Scene:
    """What goes wrong in a run. ``told``: how many announcements stand on the ticket at its end."""

    name: str
    aws: dict[str, t.Any] = field(default_factory=dict)
    desk: dict[str, t.Any] = field(default_factory=dict)
    variables: dict[str, t.Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    playbook: str = "restore_cmk.yml"
    states: tuple[str, str] = ("Disabled", "Disabled")
    arguments: tuple[str, ...] = ()
    code: int = 2
    told: int = 0
    # The password that the mail server takes; empty without one.
    mail: str = ""


SCENES: t.Final = [
    Scene("restored", code=0, told=1),
    Scene("restored as a bearer", code=0, told=1, env={"CMK_SUPPORT_USER": "", "CMK_SUPPORT_TOKEN": DEFAULT_BEARER}),
    Scene("assessed", playbook="assess_cmk.yml", code=0),
    Scene("verified", playbook="verify_cmk.yml", variables={"cmk_sites": "http://127.0.0.1:9"}),
    Scene(
        "followed as a bearer by a role",
        playbook="verify_cmk.yml",
        states=("Enabled", "Enabled"),
        env={"CMK_SUPPORT_USER": "", "CMK_SUPPORT_TOKEN": DEFAULT_BEARER},
        variables={
            "follow": True,
            "cmk_verify_interval": 1,
            "cmk_verify_limit": 2,
            "cmk_ticket_told": "https://support.example.com/CMK-1?comment=1",
            "cmk_assume_role_arn": ROLE,
            "cmk_assume_role_external_id": EXTERNAL_ID,
        },
    ),
    Scene(
        "revoked", playbook="revoke_cmk.yml", arguments=("-e", "confirm=acme"), states=("Enabled", "Enabled"), code=0
    ),
    Scene(
        "by a role", variables={"cmk_assume_role_arn": ROLE, "cmk_assume_role_external_id": EXTERNAL_ID}, code=0, told=1
    ),
    Scene("no role", variables={"cmk_assume_role_arn": ROLE}),
    Scene("no key may be enabled", aws={"operation": "EnableKey", "error": "AccessDeniedException"}),
    Scene("expired", aws={"operation": "DescribeKey", "error": "ExpiredTokenException", "count": 99}),
    Scene("a wrong signature", aws={"operation": "DescribeKey", "error": "InvalidSignatureException", "count": 99}),
    Scene("not logged in", desk={"status": 401}),
    Scene("a login page", desk={"redirect": "http://127.0.0.1:9/login"}),
    Scene("HTML", desk={"method": "GET", "status": 404, "html": True}),
    Scene("the answer is lost", desk={"method": "POST", "drop": "after", "count": 1}, code=0, told=1),
    Scene(
        "nobody there",
        env={"CMK_SUPPORT_URL": "http://127.0.0.1:9"},
    ),
    Scene("a token of two lines", env={"CMK_SUPPORT_TOKEN": f"{TOKEN}\n{TOKEN}"}),
    Scene("mailed", mail=MAIL_PASSWORD, code=0),
    Scene("mailed with a wrong password", mail="another"),
    Scene("a template that fails", variables={"cmk_comment_template": "nope.j2"}),
    Scene("a password in an address", env={"CMK_SUPPORT_URL": f"https://operator:{TOKEN}@support.example.com"}),
]


class Processes:
    """Reads the command lines of all processes that are new, again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._before = set(os.listdir("/proc"))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Processes:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for number in filter(str.isdecimal, set(os.listdir("/proc")) - self._before):
                try:
                    line = Path(f"/proc/{number}/cmdline").read_bytes()
                    self.seen.add(line.replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue


@pytest.fixture
def mail() -> t.Iterator[MailServer]:
    with MailServer(DeskByMail({"CMK-1": [USER]}), "desk@example.com", tls="starttls") as server:
        yield server


def _by_mail(mail: MailServer, password: str) -> dict[str, t.Any]:
    mail.credentials = (USER, password)
    where = {"cmk_mail_to": mail.address, "cmk_mail_from": USER, "cmk_mail_host": mail.host, "cmk_mail_port": mail.port}
    return {"cmk_support_mode": "mail", **where} if password else {}


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home, log and temporary files of all runs: their settings are the same, so that they can be forks."""
    return tmp_path_factory.mktemp("left")


@pytest.fixture
def left(one_folder: Path) -> Path:
    """That folder, emptied."""
    for path in one_folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name == "log":
            # It may be open in the process that is forked.
            os.truncate(path, 0)
        else:
            path.unlink()
    return one_folder


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_no_secret_leaves_a_run(world: World, mail: MailServer, left: Path, scene: Scene) -> None:
    world.keys(*scene.states)
    world.aws.control("POST", "roles", {"arn": ROLE, "external_id": EXTERNAL_ID})
    if scene.aws:
        world.aws.control("POST", "faults", scene.aws)
    if scene.desk:
        world.desk.control("POST", "/faults", scene.desk)
    world.variables |= {"cmk_wait_delay": 0.1, **_by_mail(mail, scene.mail)}
    world.variables |= {"cmk_atlassian_org_id": ORG_ID, "cmk_atlassian_api_url": world.desk.url}
    command, cwd, env = world.command(
        *("-e", "org=acme", *scene.arguments, "-vvvv", "-e", "__cmk_desk_retries=1"),
        playbook=scene.playbook,
        variables=scene.variables,
        env=scene.env,
    )
    env |= {
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "CMK_ATLASSIAN_API_KEY": API_KEY,
        "CMK_MAIL_USER": USER,
        "CMK_MAIL_PASSWORD": MAIL_PASSWORD,
        "HOME": str(left / "home"),
        "TMPDIR": str(left),
        "ANSIBLE_LOCAL_TEMP": str(left / "local"),
        "ANSIBLE_REMOTE_TEMP": str(left / "remote"),
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(left / "facts"),
        "ANSIBLE_LOG_PATH": str(left / "log"),
    }
    with Processes() as processes:
        ran = run_to_end(command, cwd, env)
    assert ran.code == scene.code, ran.output
    assert len(world.told()) == scene.told
    answers = {call["status"] for call in world.desk.control("GET", "/calls") if call["path"].startswith("/admin/")}
    assert answers == ({200} if scene.playbook == "verify_cmk.yml" else set())
    assert set(mail.logins) == ({USER} if scene.mail else set())
    assert any("ansible-playbook" in line for line in processes.seen)
    files = [path for place in (left, world.folder) for path in place.rglob("*") if path.is_file()]
    assert "TASK [" in (left / "log").read_text(encoding="utf-8")
    # The inventory holds what the test itself wrote.
    texts = {str(path): path.read_text(errors="replace") for path in files if path.name != "inventory.yml"}
    texts |= {"the screen": ran.output, "the list of processes": "\n".join(processes.seen)}
    found = [
        f"{what} in {place}" for place, text in texts.items() for what, secret in SECRETS.items() if secret in text
    ]
    assert found == []


def test_the_search_finds_what_is_there(world: World) -> None:
    """What stands in a setting that is no secret does show."""
    world.keys("Disabled", "Disabled")
    ran = world.run("-e", "org=acme", "-vvvv", variables={"cmk_sites": [f"https://example.com/{DEFAULT_BEARER}"]})
    assert ran.code == 0, ran.output
    assert SECRETS["the bearer's token"] in ran.output
