"""The rulebooks, run by ansible-rulebook: an event notifies people and runs the rehearsal, and enables nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema
import pytest
import yaml

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._cloudtrail.revocation import _TAKES, SUSPECTS
from tests.playbooks.conftest import ALIAS, World
from tests.tools.standins import ACCOUNT, ROOT, SECRET_KEY

RULEBOOKS: t.Final = ROOT / "extensions/eda/rulebooks"
GUIDE: t.Final = ROOT / "docs/eda.md"
EDA_TOKEN: t.Final = "odd-eda-token-7c1d09e4b2"
LOST_AT: t.Final = "2026-11-24T03:01:08Z"
STRANGER: t.Final = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-1111-2222-3333-444444444444"


def rulebook(name: str = "cmk_access_lost") -> dict[str, t.Any]:
    (ruleset,) = yaml.safe_load((RULEBOOKS / f"{name}.yml").read_text(encoding="utf-8"))
    return t.cast("dict[str, t.Any]", ruleset)


def event(name: str, arn: str, **detail: t.Any) -> dict[str, t.Any]:
    """What EventBridge sends for a call of KMS that CloudTrail recorded."""
    region = arn.split(":")[3]
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.kms",
        "account": ACCOUNT,
        "time": LOST_AT,
        "region": region,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/admin", "accountId": ACCOUNT},
            "eventTime": LOST_AT,
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "203.0.113.7",
            "requestParameters": {"keyId": arn},
            "readOnly": False,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            **detail,
        },
    }


def post(port: int, body: bytes, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers), timeout=30
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def wait_for(what: t.Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 240
    while not what():
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < end, log.read_text(encoding="utf-8")
        time.sleep(0.1)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def java() -> int:
    """The version of Java that is there, such as 17; 0 if there is none."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?([0-9]+)', told)
    return int(found[1]) if found else 0


@pytest.fixture
def started(world: World) -> t.Iterator[tuple[World, int, Path, subprocess.Popen[bytes]]]:
    """The rulebook of the collection, waiting for events."""
    if java() < 17:
        pytest.skip("ansible-rulebook needs Java 17, and there is none on this machine")
    world.keys("Disabled", "Disabled")
    port, log = free_port(), world.folder / "log"
    keys = [key["Arn"] for key in world.aws.control("GET", "keys")]
    notify = world.folder / "notify.yml"
    note = {"content": "{{ org }} {{ cmk_lost.event_name }}\n", "dest": str(world.folder / "notified"), "mode": "0600"}
    tasks = [{"name": "Notify", "ansible.builtin.copy": note}]
    tasks += [{"name": "Page", "ansible.builtin.fail": {"msg": "No pager."}, "when": "org == 'nobody'"}]
    notify.write_text(json.dumps(tasks), encoding="utf-8")
    watched = {**dict.fromkeys(keys, "acme"), "cks-1234567890abcdef0": "nobody"}
    variables = {"cmk_eda_port": port, "cmk_watched": watched, "cmk_notify_tasks": str(notify)}
    (world.folder / "vars.yml").write_text(json.dumps(variables), encoding="utf-8")
    _command, _cwd, env = world.command(env={"CMK_EDA_TOKEN": EDA_TOKEN, "CMK_SUPPORT_URL": ""})
    command = ["ansible-rulebook", "-r", "keyops.atlassian_cmk.cmk_access_lost", "-vv", "-E", "CMK_EDA_TOKEN"]
    command += ["-i", env["ANSIBLE_INVENTORY"], "-e", str(world.folder / "vars.yml")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=world.folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(lambda: listens(port), process, log)
        yield world, port, log, process
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_an_event_runs_the_rehearsal_once_and_enables_nothing(
    started: tuple[World, int, Path, subprocess.Popen[bytes]],
) -> None:
    """One process for all of it: starting the Java engine costs more than what is looked at."""
    world, port, log, process = started
    one, two = [key["Arn"] for key in world.aws.control("GET", "keys")]
    inject = world.folder / "injected"
    pipe = "{{ lookup('ansible.builtin.pipe', 'touch " + str(inject) + "') }}"

    def sent(body: t.Any, token: str = EDA_TOKEN) -> int:
        return post(port, body if isinstance(body, bytes) else json.dumps(body).encode(), token)

    def plays() -> int:
        return log.read_text(encoding="utf-8").count("PLAY RECAP")

    # What must run nothing, and must not end the rulebook.
    assert sent(event("DisableKey", one), token="wrong") == 401
    assert sent(b"{not JSON") == 400
    for nothing in (
        event("EnableKey", one),
        event("Decrypt", one),
        event("DisableKey", STRANGER),
        event("DisableKey", one, errorCode="AccessDenied"),
        {**event("DisableKey", one), "source": "aws.s3"},
        [1, 2],
        "text",
        {},
        {"source": "aws.kms"},
        {"source": "aws.kms", "detail": {"eventName": "DisableKey", "resources": "none"}},
        {"source": "aws.kms", "detail": {"eventName": "DisableKey", "resources": [{"ARN": ["a", "list"]}]}},
    ):
        assert sent(nothing) == 200
    # A routine event, which must not silence the loss that follows it.
    assert sent(event("PutKeyPolicy", one)) == 200
    # The same event twice, as EventBridge may send it, and the one of the other region.
    identity = {"arn": f"arn:aws:iam::{ACCOUNT}:user/{pipe}"}
    assert [sent(event("DisableKey", arn, userIdentity=identity)) for arn in (one, one, two)] == [200] * 3
    wait_for(lambda: plays() == 2, process, log)
    # People cannot be told of this one, and the inventory lacks it: the run goes on, fails, and the rulebook goes on.
    store = event("DisconnectCustomKeyStore", one, requestParameters={"customKeyStoreId": "cks-1234567890abcdef0"})
    del store["detail"]["resources"]
    assert sent(store) == 200
    wait_for(lambda: "No organization matches 'nobody'" in log.read_text(encoding="utf-8"), process, log)
    assert process.poll() is None
    text = log.read_text(encoding="utf-8")

    assert "nobody: PEOPLE MAY NOT KNOW YET, since the task 'Page' of " in text
    assert text.count("PEOPLE MAY NOT KNOW YET") == 1
    assert text.count("acme: A RESTORE SHOULD SUCCEED") == 2
    assert text.count("acme: ATLASSIAN'S ACCESS MAY HAVE BEEN TAKEN AWAY: PutKeyPolicy of ") == 1
    assert text.count("acme: ATLASSIAN'S ACCESS WAS TAKEN AWAY: DisableKey of ") == 1
    assert f"in us-east-1 at {LOST_AT} by arn:aws:iam::{ACCOUNT}:user/(( lookup" in text
    assert "Nothing is restored by itself" in text
    assert "keyops.atlassian_cmk.restore_cmk -i INVENTORY -e org=acme -e cmk_ticket=TICKET" in text
    # The clock starts with the event.
    assert re.search(r"deadline   \d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d days \d+ h left\)", text)
    assert (world.folder / "notified").read_text(encoding="utf-8") == "nobody DisconnectCustomKeyStore\n"

    assert world.states() == ["Disabled", "Disabled"]
    assert sorted(world.calls("DescribeKey")) == ["us-east-1"] * 2 + ["us-west-2"] * 2
    assert "EnableKey" not in world.calls()
    assert not inject.exists()
    assert EDA_TOKEN not in text
    assert SECRET_KEY not in text


def test_the_events_are_those_that_take_access_away() -> None:
    named = [set(re.findall(r'"([A-Z][A-Za-z]+)"', rule["condition"])) for rule in rulebook()["rules"]]
    taken, suspects, store, _run = named
    assert taken | store == set(_TAKES)
    assert suspects == set(SUSPECTS)


def schema() -> dict[str, t.Any]:
    """What ansible-rulebook takes, without its engine, which needs Java."""
    found = importlib.util.find_spec("ansible_rulebook")
    assert found
    assert found.origin
    text = (Path(found.origin).parent / "schema/ruleset_schema.json").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", json.loads(text))


@pytest.mark.parametrize("name", ["cmk_access_lost", "cmk_access_lost_sqs"])
def test_a_rulebook_is_well_formed_and_runs_nothing_but_the_rehearsal(name: str) -> None:
    jsonschema.validate([rulebook(name)], schema())
    actions = [rule["action"] for rule in rulebook(name)["rules"]]
    assert {kind for action in actions for kind in action} == {"post_event", "run_playbook"}
    assert [action["run_playbook"]["name"] for action in actions if "run_playbook" in action] == [
        "keyops.atlassian_cmk.access_lost"
    ]
    playbook = yaml.safe_load((ROOT / "playbooks/access_lost.yml").read_text(encoding="utf-8"))
    imported = [play["ansible.builtin.import_playbook"] for play in playbook if "hosts" not in play]
    assert imported == ["keyops.atlassian_cmk.assess_cmk"]


def test_the_queue_and_the_webhook_have_the_same_rules() -> None:
    webhook, queue = (json.dumps(rulebook(name)["rules"]) for name in ("cmk_access_lost", "cmk_access_lost_sqs"))
    assert webhook.replace("event.payload", "event.body") == queue
    assert ALIAS not in webhook


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_guides_rule_asks_for_the_same_events() -> None:
    (rule,) = [json.loads(block) for block in blocks("json") if "detail-type" in block]
    assert set(rule["detail"]["eventName"]) == {*_TAKES, *SUSPECTS}
    assert rule["source"] == ["aws.kms"]
    # AWS's own deletions are no calls.
    assert rule["detail-type"] == ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"]


def test_the_guides_variables_are_those_of_the_rulebooks() -> None:
    used = set()
    for name in ("cmk_access_lost", "cmk_access_lost_sqs"):
        text = (RULEBOOKS / f"{name}.yml").read_text(encoding="utf-8")
        used |= set(re.findall(r"\bcmk_(?:eda_\w+|watched|notify_tasks)|CMK_EDA_TOKEN", text))
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in sorted(used) if f"`{name}`" not in guide] == []
    for block in blocks("yaml"):
        assert yaml.safe_load(block)


def test_the_guides_job_template_is_one_that_awx_has() -> None:
    (action,) = [yaml.safe_load(block) for block in blocks("yaml") if "run_job_template" in block]
    ruleset = rulebook()
    ruleset["rules"][-1]["action"] = action
    jsonschema.validate([ruleset], schema())
    data = (ROOT / "extensions/awx/controller.yml").read_text(encoding="utf-8")
    job = action["run_job_template"]
    assert f"\n  name: {job['name']}\n" in data
    assert f"cmk_awx_organization: {job['organization']}\n" in data
    # Its survey asks for the organization only.
    assert list(job["job_args"]["extra_vars"]) == ["org"]
