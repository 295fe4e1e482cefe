"""A profile whose role asks for the code of an MFA device: how most people reach a privileged account."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.playbooks.conftest import World

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
    print(ran.output)
    error = ran.result["error"]
    assert "operator" in error and DEVICE in error
    assert "aws sts get-caller-identity --profile operator" in error


def test_one_code_logs_in_once_for_all_tasks_and_organizations(world: World, by_mfa: dict[str, str]) -> None:
    ran = world.run("-e", "org=acme", "-vvvv", env={**by_mfa, "CMK_AWS_MFA_CODE": CODE})
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]
    assert len(world.calls("AssumeRole")) == 1
    (saved,) = (world.folder / "home/.aws/cli/cache").glob("*.json")
    assert saved.stat().st_mode & 0o777 == 0o600
    # The session serves the next run, without a code.
    again = world.run("-e", "org=acme", env=by_mfa)
    assert again.code == 0, again.output
    assert len(world.calls("AssumeRole")) == 1
    (session,) = world.aws.control("GET", "sessions")
    texts = [ran.output, again.output]
    texts += [path.read_text(errors="replace") for path in world.folder.rglob("*") if path.is_file() and path != saved]
    for secret in (CODE, session["secret_access_key"], session["session_token"]):
        assert not any(secret in text for text in texts)
