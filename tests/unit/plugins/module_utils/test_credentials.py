"""Every way in which operators have credentials, each on the stand-in: who AWS sees, and what a person reads where it fails."""

from __future__ import annotations

import concurrent.futures
import contextlib
import datetime as dt
import hashlib
import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.session
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from botocore.credentials import SSOProvider
from botocore.exceptions import BotoCoreError
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils import _credentials
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._argspec import ASSUME_ROLE_OPTIONS, Patience
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._connection import Clients, Connection, warm
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._credentials import find_missing_code, log_in
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._deadline import Deadline
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal, RefusedError
from tests.standins.aws import AwsStandin

ACCOUNT: Final = "111122223333"
REGION: Final = "us-east-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/cmk-operator"
DEVICE: Final = f"arn:aws:iam::{ACCOUNT}:mfa/operator"
CODES: Final = ["473920", "118356"]
KEYS: Final = "aws_access_key_id = AKIASTANDINEXAMPLE00\naws_secret_access_key = standin-secret-key-8f3b2c1d9e7a6054\n"
PORTAL: Final = "https://acme.example.com/start"
TOKEN: Final = "standin-web-token-2b7e90d1"
ENDED: Final = {"accessToken": "another"}


@dataclass
class Machine:
    """An operator's machine: a home, an AWS configuration, an environment, and AWS."""

    aws: AwsStandin
    home: Path
    patch: pytest.MonkeyPatch
    config: str = ""

    def configure(self, profile: str, text: str, section: str = "profile ") -> None:
        self.config += f"[{section}{profile}]\n{text}\n"
        (self.home / "config").write_text(self.config, encoding="utf-8")

    def role(self, **more: Any) -> None:
        self.aws.control("POST", "roles", {"arn": ROLE, **more})

    def sso_token(self, name: str, **more: Any) -> None:
        """Leave a login where ``aws sso login`` leaves it."""
        end = dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)
        token = {"startUrl": PORTAL, "region": REGION, "accessToken": TOKEN, "expiresAt": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        path = self.home / ".aws/sso/cache" / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({**token, **more}), encoding="utf-8")

    def connect(self, profile: str | None = None, **options: Any) -> Clients:
        spec = {**aws_argument_spec(), **ASSUME_ROLE_OPTIONS}
        given = {"profile": profile, "endpoint_url": self.aws.url, **options}
        checked = ArgumentSpecValidator(spec).validate({name: value for name, value in given.items() if value})
        # As in the process that Ansible forks for a task.
        with contextlib.suppress(BotoCoreError):
            _credentials.open_before()
        return Connection(checked.validated_parameters).clients(["sts"], [REGION], Patience(attempts=1), Deadline(20))

    def caller(self, profile: str | None = None, **options: Any) -> str:
        return str(self.connect(profile, **options)["sts"][REGION].get_caller_identity()["Arn"])

    def refused(self, profile: str | None = None) -> Refusal:
        with pytest.raises(RefusedError) as caught:
            self.caller(profile)
        return caught.value.refusal

    def assumed(self) -> int:
        return [call["operation"] for call in self.aws.control("GET", "calls")].count("AssumeRole")


@pytest.fixture
def machine(aws: AwsStandin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for service in ("STS", "SSO"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", aws.url)
    # botocore looks for the home when it is imported.
    for provider in (SSOProvider, SSOTokenProvider):
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache"))
    return Machine(aws, tmp_path, monkeypatch)


class TestSources:
    """Each row of the table in docs/credentials.md."""

    def test_environment(self, machine: Machine) -> None:
        machine.patch.setenv("AWS_ACCESS_KEY_ID", "AKIASTANDINEXAMPLE00")
        machine.patch.setenv("AWS_SECRET_ACCESS_KEY", "standin-secret-key-8f3b2c1d9e7a6054")
        assert machine.connect().session_ends_at is None
        assert machine.caller() == f"arn:aws:iam::{ACCOUNT}:user/standin"

    def test_environment_with_an_end(self, machine: Machine) -> None:
        self.test_environment(machine)
        machine.patch.setenv("AWS_CREDENTIAL_EXPIRATION", "2026-11-28T06:00:00+00:00")
        assert machine.connect().session_ends_at == dt.datetime(2026, 11, 28, 6, tzinfo=dt.UTC)

    @pytest.mark.parametrize("by", ["option", "environment", "default"])
    def test_profile(self, machine: Machine, by: str) -> None:
        machine.configure("operator", KEYS) if by != "default" else machine.configure("default", KEYS, "")
        if by == "environment":
            machine.patch.setenv("AWS_PROFILE", "operator")
        assert machine.caller("operator" if by == "option" else None).endswith(":user/standin")

    def test_each_session_is_of_its_own_profile(self, machine: Machine) -> None:
        for number, name in enumerate(["acme", "globex"]):
            machine.configure(name, KEYS.replace("EXAMPLE00", f"EXAMPLE1{number}"))
            machine.aws.control(
                "POST", "principals", {"access_key": f"AKIASTANDINEXAMPLE1{number}", "account": f"44445555666{number}"}
            )
        callers = [machine.caller(name) for name in ["acme", "globex", "acme"]]
        assert [caller.split(":")[4] for caller in callers] == ["444455556660", "444455556661", "444455556660"]

    def test_only_the_first_session_is_the_one_that_ansible_has_opened_before_it_forks(self, machine: Machine) -> None:
        machine.configure("acme", KEYS)
        warm()
        machine.configure("globex", KEYS)
        profiles = [_credentials.open_session("acme").available_profiles for _session in range(2)]
        assert profiles == [["acme"], ["acme", "globex"]], (
            "the first one has read the files before, the next reads anew"
        )

    def test_profile_with_a_role(self, machine: Machine) -> None:
        machine.role(external_id="id-of-acme")
        machine.configure("base", KEYS)
        machine.configure("operator", f"role_arn = {ROLE}\nsource_profile = base\nexternal_id = id-of-acme\n")
        assert ":assumed-role/cmk-operator/" in machine.caller("operator")
        # boto3 renews such a session by itself, and nothing is written.
        assert machine.connect("operator").session_ends_at is None
        assert not (machine.home / ".aws").exists()

    def test_credential_process(self, machine: Machine) -> None:
        keys = {"Version": 1, "AccessKeyId": "AKIASTANDINEXAMPLE00", "SecretAccessKey": "standin-secret-key-8f3b2c1d9e"}
        (machine.home / "keys.json").write_text(json.dumps(keys))
        machine.configure("operator", f"credential_process = cat {machine.home}/keys.json\n")
        assert machine.caller("operator").endswith(":user/standin")

    @pytest.mark.parametrize("by", ["environment", "profile"])
    def test_web_identity(self, machine: Machine, by: str) -> None:
        machine.role(web_identity=TOKEN)
        (machine.home / "token").write_text(TOKEN)
        if by == "environment":
            machine.patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(machine.home / "token"))
            machine.patch.setenv("AWS_ROLE_ARN", ROLE)
        else:
            # boto3 needs no code for this.
            text = f"role_arn = {ROLE}\nweb_identity_token_file = {machine.home}/token\nmfa_serial = {DEVICE}\n"
            machine.configure("operator", text)
        made = machine.connect("operator" if by == "profile" else None)
        assert ":assumed-role/cmk-operator/" in made["sts"][REGION].get_caller_identity()["Arn"]
        assert made.session_ends_at is None

    def test_instance_role(self, machine: Machine) -> None:
        machine.patch.delenv("AWS_EC2_METADATA_DISABLED")
        machine.patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.aws.url)
        arn = machine.aws.control("POST", "credentials", {"kind": "instance"})["arn"]
        assert machine.caller() == arn

    def test_container_role(self, machine: Machine) -> None:
        machine.patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{machine.aws.url}/v1/credentials")
        machine.patch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
        arn = machine.aws.control("POST", "credentials", {"kind": "container", "token": TOKEN})["arn"]
        assert machine.caller() == arn

    def test_sso_without_renewal(self, machine: Machine) -> None:
        _sso(machine)
        machine.sso_token(PORTAL)
        made = machine.connect("operator")
        assert made["sts"][REGION].get_caller_identity()["Arn"].endswith(":assumed-role/cmk-operator/sso")
        assert made.session_ends_at is not None
        assert dt.timedelta(hours=7) < made.session_ends_at - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=8)

    def test_sso_session_that_is_renewed(self, machine: Machine) -> None:
        _sso(machine, session="acme")
        machine.sso_token("acme", refreshToken="standin-refresh-4f1c", clientId="id", clientSecret="standin-client-9d")
        made = machine.connect("operator")
        assert made["sts"][REGION].get_caller_identity()["Arn"].endswith(":assumed-role/cmk-operator/sso")
        assert made.session_ends_at is None


def _sso(machine: Machine, session: str = "", name: str = "cmk-operator") -> None:
    machine.aws.control("POST", "credentials", {"kind": "sso", "token": TOKEN})
    role = f"sso_account_id = {ACCOUNT}\nsso_role_name = {name}\nregion = {REGION}\n"
    portal = f"sso_start_url = {PORTAL}\nsso_region = {REGION}\n"
    if session:
        machine.configure(session, portal, "sso-session ")
    machine.configure("operator", role + (f"sso_session = {session}\n" if session else portal))


class TestMfa:
    """A profile whose role asks for a code."""

    @pytest.fixture
    def operator(self, machine: Machine) -> Machine:
        machine.role(mfa_serial=DEVICE, mfa_codes=CODES)
        machine.configure("base", KEYS)
        machine.configure("operator", f"role_arn = {ROLE}\nsource_profile = base\nmfa_serial = {DEVICE}\n")
        return machine

    def test_without_a_code(self, operator: Machine) -> None:
        why = operator.refused("operator")
        assert why.code == "mfa_code_needed"
        assert "AWS profile operator" in why.error
        assert DEVICE in why.error
        assert "aws sts get-caller-identity --profile operator," in why.hint
        assert find_missing_code("operator") == why
        assert operator.assumed() == 0

    def test_one_code_serves_everybody(self, operator: Machine) -> None:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _turn: log_in("operator", REGION, CODES[0]), range(4)))
        made = operator.connect("operator")
        assert ":assumed-role/cmk-operator/" in made["sts"][REGION].get_caller_identity()["Arn"]
        assert made.session_ends_at is not None
        assert operator.assumed() == 1
        assert find_missing_code("operator") is None
        (saved,) = (operator.home / ".aws/cli/cache").iterdir()
        assert (saved.stat().st_mode & 0o777, saved.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    @pytest.mark.parametrize(
        "more", ["", "external_id = id-of-acme\nrole_session_name = alice\nduration_seconds = 900\n"]
    )
    def test_the_session_that_the_aws_cli_has_saved(self, operator: Machine, more: str) -> None:
        operator.role(mfa_serial=DEVICE, mfa_codes=CODES, external_id="id-of-acme" if more else "")
        operator.configure("cli", f"role_arn = {ROLE}\nsource_profile = base\nmfa_serial = {DEVICE}\n{more}")
        session = botocore.session.Session(profile="cli")
        session.set_config_variable("region", REGION)
        provider = session.get_component("credential_provider").get_provider("assume-role")
        # As the AWS CLI does it (awscli/customizations/assumerole.py).
        provider.cache = JSONFileCache(str(operator.home / ".aws/cli/cache"))
        provider._prompter = lambda _prompt: CODES[0]
        credentials: Any = session.get_credentials()
        theirs = credentials.get_frozen_credentials()
        ours = operator.connect("cli")["sts"][REGION]
        assert ours._request_signer._credentials.access_key == theirs.access_key
        assert operator.assumed() == 1

    @pytest.mark.parametrize(("left", "lasts"), [(300, True), (30, False)])
    def test_a_session_is_used_to_its_end(self, operator: Machine, left: int, lasts: bool) -> None:
        log_in("operator", REGION, CODES[0])
        (saved,) = (operator.home / ".aws/cli/cache").iterdir()
        kept = json.loads(saved.read_text())
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=left)
        kept["Credentials"]["Expiration"] = f"{end:%Y-%m-%dT%H:%M:%SUTC}"
        saved.write_text(json.dumps(kept))
        if lasts:
            assert operator.connect("operator").session_ends_at == end.replace(microsecond=0)
        else:
            assert operator.refused("operator").code == "mfa_code_needed"

    @pytest.mark.parametrize("source", ["operator", "keyless", "environment"])
    def test_other_sources_of_the_first_keys(self, operator: Machine, source: str) -> None:
        if source == "environment":
            text = "credential_source = Environment\n"
            operator.patch.setenv("AWS_ACCESS_KEY_ID", "AKIASTANDINEXAMPLE00")
            operator.patch.setenv("AWS_SECRET_ACCESS_KEY", "standin-secret-key-8f3b2c1d9e7a6054")
        else:
            text = "source_profile = own\n" + KEYS if source == "operator" else "source_profile = middle\n"
        operator.configure("middle", "source_profile = base\n" + f"role_arn = {ROLE[:-8]}middle\n")
        operator.aws.control("POST", "roles", {"arn": f"{ROLE[:-8]}middle"})
        operator.configure("own", f"role_arn = {ROLE}\nmfa_serial = {DEVICE}\n{text}")
        log_in("own", REGION, CODES[0])
        assert operator.assumed() == (2 if source == "keyless" else 1)
        assert find_missing_code("own") is None

    @pytest.mark.parametrize(
        ("code", "device", "said"),
        [
            ("000000", DEVICE, "with invalid MFA one time pass code"),
            (CODES[1], DEVICE, "with invalid MFA one time pass code"),
            (CODES[0], f"{DEVICE}-2", "verify your MFA serial number"),
        ],
        ids=["wrong", "used before", "another device"],
    )
    def test_a_code_that_aws_refuses(self, operator: Machine, code: str, device: str, said: str) -> None:
        operator.configure("second", f"role_arn = {ROLE}\nsource_profile = base\nmfa_serial = {device}\n")
        operator.configure(
            "third", f"role_arn = {ROLE}\nsource_profile = base\nmfa_serial = {DEVICE}\nduration_seconds = 900"
        )
        log_in("third", REGION, CODES[1])
        with pytest.raises(RefusedError, match=said) as caught:
            log_in("second", REGION, code)
        assert caught.value.refusal.code == "mfa_code_refused"
        assert device in str(caught.value)
        assert code not in str(caught.value)

    def test_a_role_that_does_not_trust_us(self, operator: Machine) -> None:
        operator.configure("other", f"role_arn = {ROLE}-2\nsource_profile = base\nmfa_serial = {DEVICE}\n")
        with pytest.raises(RefusedError, match="AWS refused AssumeRole in us-east-1"):
            log_in("other", REGION, CODES[0])

    def test_a_session_that_cannot_be_saved(self, operator: Machine) -> None:
        (operator.home / ".aws").write_text("not a folder")
        with pytest.raises(RefusedError, match="Not a directory"):
            log_in("operator", REGION, CODES[0])
        assert operator.assumed() == 0

    def test_keys_in_the_environment_come_before_the_usual_profile(self, operator: Machine) -> None:
        operator.configure("default", f"role_arn = {ROLE}\nsource_profile = base\nmfa_serial = {DEVICE}\n", "")
        assert find_missing_code("") is not None
        operator.patch.setenv("AWS_ACCESS_KEY_ID", "AKIASTANDINEXAMPLE00")
        operator.patch.setenv("AWS_SECRET_ACCESS_KEY", "standin-secret-key-8f3b2c1d9e7a6054")
        assert find_missing_code("") is None
        assert find_missing_code("operator") is not None
        assert operator.caller().endswith(":user/standin")

    def test_a_role_that_was_assumed_outlasts_the_session(self, operator: Machine) -> None:
        other = ROLE.replace(ACCOUNT, "444455556666")
        operator.aws.control("POST", "roles", {"arn": other})
        log_in("operator", REGION, CODES[0])
        assert ":444455556666:assumed-role/" in operator.caller("operator", assume_role_arn=other)
        (saved,) = (operator.home / ".aws/cli/cache").iterdir()
        saved.unlink()
        assert ":444455556666:assumed-role/" in operator.caller("operator", assume_role_arn=other)
        assert operator.refused("operator").code == "mfa_code_needed"

    def test_a_code_that_nobody_needs(self, machine: Machine) -> None:
        machine.configure("operator", KEYS)
        log_in("operator", REGION, CODES[0])
        assert find_missing_code("operator") is None
        assert machine.aws.control("GET", "calls") == []


class TestRefusals:
    def test_none_at_all(self, machine: Machine) -> None:
        why = machine.refused()
        assert (why.code, "Unable to locate credentials" in why.error) == ("credentials_missing", True)

    def test_a_profile_that_is_not_there(self, machine: Machine) -> None:
        assert "The config profile (nobody) could not be found" in machine.refused("nobody").error

    def test_a_configuration_that_cannot_be_read(self, machine: Machine) -> None:
        (machine.home / "config").write_text("[profile operator\nrole_arn = x\n")
        why = machine.refused("operator")
        assert (why.code, "Unable to parse config file" in why.error) == ("credentials_missing", True)
        assert find_missing_code("operator") is None

    def test_a_source_profile_that_is_not_there(self, machine: Machine) -> None:
        for mfa in ("", f"mfa_serial = {DEVICE}\n"):
            machine.configure("operator" + "m" * bool(mfa), f"role_arn = {ROLE}\nsource_profile = gone\n{mfa}")
        assert {machine.refused(name).code for name in ("operator", "operatorm")} == {"credentials_missing"}

    @pytest.mark.parametrize("session", ["", "acme"])
    @pytest.mark.parametrize("left", [None, {**ENDED, "expiresAt": "2026-01-01T00:00:00Z"}, ENDED])
    def test_sso_login(self, machine: Machine, session: str, left: dict[str, str] | None) -> None:
        _sso(machine, session)
        if left is not None:
            machine.sso_token(session or PORTAL, **left)
        why = machine.refused("operator")
        assert why.code == "login_needed"
        assert why.hint == "Log in with aws sso login --profile operator, then run again."

    def test_sso_login_of_the_profile_that_the_role_builds_on(self, machine: Machine) -> None:
        _sso(machine)
        machine.configure("privileged", f"role_arn = {ROLE}\nsource_profile = operator\n")
        assert "aws sso login --profile operator," in machine.refused("privileged").hint

    def test_sso_role_that_was_not_assigned(self, machine: Machine) -> None:
        _sso(machine, name="somebody-else")
        machine.sso_token(PORTAL)
        assert (
            "AWS refused GetRoleCredentials in us-east-1 with ForbiddenException" in machine.refused("operator").error
        )

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            ("sys.exit('vault is sealed')", "vault is sealed"),
            ("sys.exit(f'cannot use {sys.argv}')", "'********'"),
            ("print('{')", "Expecting property name"),
            ("print('{\"Version\": 1}')", "Missing required key in response"),
        ],
    )
    def test_credential_process_that_fails(self, machine: Machine, code: str, said: str) -> None:
        command = shlex.join([sys.executable, "-c", f"import sys; {code}", "--secret", TOKEN])
        machine.configure("operator", f"credential_process = {command}\n")
        why = machine.refused("operator")
        assert why.code == "process_failed"
        assert f"profile operator gave no credentials. {sys.executable} says: " in why.error
        assert said in why.error
        assert TOKEN not in str(why)

    def test_credential_process_that_is_not_there(self, machine: Machine) -> None:
        machine.configure("operator", 'credential_process = "/opt/no such/program" --secret ' + TOKEN)
        assert '"/opt/no such/program" says: [Errno 2]' in machine.refused("operator").error

    @pytest.mark.parametrize("token", ["another", None], ids=["wrong", "no file"])
    def test_web_identity(self, machine: Machine, token: str | None) -> None:
        machine.role(web_identity=TOKEN)
        if token:
            (machine.home / "token").write_text(token)
        machine.configure("operator", f"role_arn = {ROLE}\nweb_identity_token_file = {machine.home}/token\n")
        why = machine.refused("operator")
        if token:
            assert "AWS refused AssumeRoleWithWebIdentity in us-east-1 with InvalidIdentityToken" in why.error
        else:
            assert "No such file" in why.error

    def test_container_role_with_a_wrong_token(self, machine: Machine) -> None:
        machine.patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{machine.aws.url}/v1/credentials")
        machine.patch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another")
        machine.aws.control("POST", "credentials", {"kind": "container", "token": TOKEN})
        why = machine.refused()
        assert (why.code, "container-role" in why.error) == ("credentials_missing", True)

    def test_instance_without_a_role(self, machine: Machine) -> None:
        machine.patch.delenv("AWS_EC2_METADATA_DISABLED")
        machine.patch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", machine.aws.url)
        assert machine.refused().code == "credentials_missing"

    def test_sts_that_nobody_answers(self, machine: Machine) -> None:
        machine.patch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        machine.patch.setenv("AWS_MAX_ATTEMPTS", "1")
        machine.configure("base", KEYS)
        machine.configure("operator", f"role_arn = {ROLE}\nsource_profile = base\n")
        why = machine.refused("operator")
        assert why.error.startswith("AWS was not reached for the credentials of profile operator in us-east-1: ")

    def test_sts_that_hangs(self, machine: Machine) -> None:
        machine.role()
        machine.aws.control("POST", "faults", {"service": "sts", "hang": True, "count": None})
        machine.configure("base", KEYS)
        machine.configure("operator", f"role_arn = {ROLE}\nsource_profile = base\n")
        machine.patch.setattr(_credentials, "_PATIENCE", 0.2)
        with pytest.raises(RefusedError, match=r"profile operator in us-east-1: no answer within 0\.2 s\."):
            _credentials.find_credentials(_credentials.open_session("operator", REGION), REGION, Deadline(0))
        machine.aws.control("DELETE", "faults")
