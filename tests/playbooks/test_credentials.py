"""A profile whose role asks for the code of an MFA device: how most people reach a privileged account."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
import time
import typing as t

import pytest

from tests.playbooks.conftest import World, run_to_end
from tests.playbooks.test_secrets import Processes

DEVICE: t.Final = "arn:aws:iam::111122223333:mfa/operator"
ROLE: t.Final = "arn:aws:iam::111122223333:role/cmk-operator"
CODE: t.Final = "473920"


@pytest.fixture
def by_mfa(world: World) -> dict[str, str]:
    """The environment of an operator with such a profile, and a device that shows one code."""
    world.keys("Disabled", "Disabled")
    world.aws.control("POST", "roles", {"arn": ROLE, "mfa_serial": DEVICE, "mfa_codes": [CODE]})
    config = world.folder / "aws-config"
    config.write_text(
        "[profile base]\naws_access_key_id = AKIASTANDINEXAMPLE00\naws_secret_access_key = standin-secret-key-8f3b2c1d9e7a6054\n"
        f"[profile operator]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = {DEVICE}\nregion = us-east-1\n",
        encoding="utf-8",
    )
    world.variables |= {"cmk_aws_profile": "operator"}
    home = world.folder / "home"
    home.mkdir()
    return {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ENDPOINT_URL_STS": world.aws.url,
        "HOME": str(home),
    }


def test_without_a_session_one_sentence_says_how_to_log_in(world: World, by_mfa: dict[str, str]) -> None:
    ran = world.run("-e", "org=acme", env=by_mfa)
    assert ran.code == 2
    error = ran.result["error"]
    assert f"The role of AWS profile operator asks for a code of the MFA device {DEVICE}" in error
    assert "aws sts get-caller-identity --profile operator" in error
    assert "closed file" not in ran.output
    assert "Traceback" not in ran.output
    assert world.calls("AssumeRole") == []


def test_one_code_serves_all_tasks_and_the_next_run(world: World, by_mfa: dict[str, str]) -> None:
    command = world.command("-e", "org=acme", "-vvvv", env={**by_mfa, "CMK_AWS_MFA_CODE": CODE})
    with Processes() as processes:
        ran = run_to_end(*command)
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]
    (saved,) = (world.folder / "home/.aws/cli/cache").glob("*.json")
    assert saved.stat().st_mode & 0o777 == 0o600
    # A rehearsal goes on without a code, and says for how long.
    again = world.run("-e", "org=acme", env=by_mfa, playbook="assess_cmk.yml")
    assert again.code == 0, again.output
    assert re.search(r"\n  AWS session ends at .* UTC \(in 59 min", again.output)
    assert len(world.calls("AssumeRole")) == 1
    (session,) = world.aws.control("GET", "sessions")
    texts = [ran.output, again.output, *processes.seen]
    texts += [path.read_text(errors="replace") for path in world.folder.rglob("*") if path.is_file() and path != saved]
    for secret in (CODE, session["secret_access_key"], session["session_token"]):
        assert not any(secret in text for text in texts)


def test_a_code_that_aws_refuses_stops_the_run_before_anything_else(world: World, by_mfa: dict[str, str]) -> None:
    ran = world.run("-e", "org=acme", env={**by_mfa, "CMK_AWS_MFA_CODE": "000000"})
    assert ran.code == 2
    assert f"AWS refused the code of the MFA device {DEVICE} for AWS profile operator" in ran.result["error"]
    assert "000000" not in ran.output
    assert set(world.calls()) == {"AssumeRole"}


def _type(keyboard: t.IO[bytes], process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        keyboard.write(f"{CODE}\r".encode())
        time.sleep(0.5)


def test_a_terminal_is_asked_for_the_code(world: World, by_mfa: dict[str, str]) -> None:
    command, cwd, env = world.command("-e", "org=acme", "-vvvv", env=by_mfa)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # A terminal of its own: one that another process group holds is not asked.
        ["setsid", "--ctty", "--wait", *command],
        cwd=cwd, env=env, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with process, open(ours, "wb", buffering=0) as keyboard:
        assert process.stdout is not None
        output = b""
        while not output.endswith(b"(output is hidden):"):
            byte = process.stdout.read(1)
            assert byte, output.decode()
            output += byte.rstrip(b"\r\n") or byte
        # Ansible drops what is typed before it begins to read, so the person types until the run goes on.
        person = threading.Thread(target=_type, args=(keyboard, process))
        person.start()
        output += process.stdout.read()
        person.join()
    os.close(theirs)
    assert process.returncode == 0, output.decode()
    assert DEVICE.encode() in output
    assert CODE.encode() not in output
    assert (world.states(), len(world.calls("AssumeRole"))) == (["Enabled", "Enabled"], 1)
