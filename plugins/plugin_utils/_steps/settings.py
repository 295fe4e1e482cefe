# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the role's variables of one organization, each by itself, so that one that cannot be read stops no other."""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import yaml
from ansible import constants as C  # noqa: N812 - the name that ansible-core itself uses
from ansible.errors import AnsibleError
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._credentials import find_missing_code, log_in
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import RefusedError, refusal
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._time import clock
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import unfit_credentials
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS, Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._deciding import check_drill
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._journal import read_journal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import parse_note, why_too_early
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import (
    find_misspelt,
    read_confirmation,
    read_each,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings, read_settings
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import read_file
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.files import JOURNAL
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._steps.task import Task

_ROLE: t.Final = Path(__file__).resolve().parents[3] / "roles/cmk"
_DEFAULTS: t.Final[dict[str, t.Any]] = yaml.safe_load((_ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
_REALMS: t.Final = yaml.safe_load((_ROLE / "vars/realms.yml").read_text(encoding="utf-8"))["cmk_realms"]
# Facts and results are shown at high verbosity, so the values of these go no further than this action.
_CREDENTIALS: t.Final = ("cmk_support_user", "cmk_support_token", "cmk_mail_user", "cmk_mail_password")
_SECRETS: t.Final = (*_CREDENTIALS, "cmk_atlassian_api_key", "cmk_aws_mfa_code")

# docs/security.md explains it.
_KEPT_FILES: t.Final = (
    "ANSIBLE_KEEP_REMOTE_FILES is set, so Ansible leaves the support desk's token in files below its temporary folder "
    "(~/.ansible/tmp). Unset it, delete those files and revoke the token."
)


def _names_in_use() -> frozenset[str]:
    """Return every name that the role and the playbooks themselves mention."""
    files = [path for folder in (_ROLE, _ROLE.parents[1] / "playbooks") for path in folder.rglob("*.yml")]
    return frozenset(name for file in files for name in re.findall(r"\bcmk_\w+", file.read_text(encoding="utf-8")))


_NAMES: t.Final = _names_in_use()


def find_missing() -> list[str]:
    """Name what every run needs and cannot be imported here."""
    problems = []
    # Either comes with the other, so the first that is missing is enough to say.
    if library := next((name for name in ("botocore", "boto3") if not _is_importable(name)), None):
        problems.append(str(refusal("library_missing", library=library, python=sys.executable)))
    if not _is_importable("ansible_collections.amazon.aws"):
        problems.append(str(refusal("collection_missing", collection="amazon.aws")))
    return problems


def _is_importable(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _early_note(settings: Settings, command: Command, now: str) -> list[str]:
    """Say, before anything is called, that the operator's note is older than the restoration that the journal knows."""
    note = parse_note(settings.ticket_told, now) if command.notifies and settings.ticket_told else ""
    if isinstance(note, str):
        return []
    try:
        journal = read_journal(read_file(settings.file(JOURNAL)) or "", settings.slug)
    except (OSError, UnicodeError):
        return []
    problem = why_too_early(note, journal.restored_at) if journal and not journal.told else ""
    return [f"cmk_ticket_told {problem}"] if problem else []


def read(task: Task) -> dict[str, t.Any]:
    """Read the settings; what is wrong with them is a part of them."""
    command, now = COMMANDS[task.args["command"]], clock()
    values, unreadable = read_each(_DEFAULTS, task.variables, task.template, AnsibleError)
    given = {name.removeprefix("cmk_"): value for name, value in values.items() if name not in _SECRETS}
    extra = task.extra_vars()
    given |= {"now": now, **_credentials(values), "confirm": read_confirmation(extra)}
    if "cmk_drill" in extra:
        # What guards an organization must not be typed away.
        given["drill"] = False
    if given["org"] is None:
        given["org"] = task.host
    settings = read_settings(given, _REALMS, command)
    hosts = len(task.variables.get("ansible_play_hosts_all", []))
    unwanted = check_drill(settings, hosts) if command.drills else None
    # What follows from a variable that could not be read would only hide the cause.
    problems = [str(unwanted)] if unwanted else [*find_missing(), *unreadable] or settings.problems
    problems = problems or _early_note(settings, command, now) or _log_in(settings, values["cmk_aws_mfa_code"], hosts)
    if not task.check_mode:
        warn_of_kept_files(has_token=given["has_token"])
    # A desk that hangs must not hold the run up for longer than the keys may.
    settings = replace(settings, problems=tuple(problems), desk_until=time.time() + max(30, settings.wait_timeout))
    warnings = find_misspelt(task.variables, _DEFAULTS, _NAMES)
    return {
        **settings.as_json(),
        "aws": {option: value for option, value in _aws_options(settings).items() if value},
        "started_at": now,
        **({"warnings": warnings} if warnings else {}),
    }


def _aws_options(settings: Settings) -> dict[str, str]:
    """Return how the organization's account is reached, as the AWS modules take it."""
    return {
        "profile": settings.aws_profile,
        "assume_role_arn": settings.assume_role_arn,
        "assume_role_external_id": settings.assume_role_external_id,
        "assume_role_session_name": settings.session_name,
    }


def _log_in(settings: Settings, code: object, hosts: int) -> list[str]:
    # Among several organizations, nobody could tell which one a prompt is for.
    code = code or (ask_for_code(settings.aws_profile) if hosts == 1 else "")
    problem = try_code(settings.aws_profile, settings.keys[0]["region"], code) if code else ""
    return [problem] if problem else []


def ask_for_code(profile: str) -> str:
    """Ask for the code of the MFA device that the profile needs now; empty if it needs none, or nobody can type one."""
    # ansible-runner, and AWX by it, give a job a terminal at which nobody sits.
    if "AWX_ISOLATED_DATA_DIR" in os.environ:
        return ""
    try:
        why = find_missing_code(profile)
        prompt = f"{why.error} Code (output is hidden):" if why else ""
        return Display().prompt_until(prompt, private=True).decode("utf-8", "replace").strip() if prompt else ""
    except (RefusedError, AnsibleError):  # the plan explains what is refused
        return ""


def try_code(profile: str, region: str, code: object) -> str:
    """Log in; return why not, empty if all is well. The code serves one login, however many steps and organizations use it."""
    # A number has lost its leading zeros.
    digits = f"{code:06d}" if isinstance(code, int) else str(code).strip()
    if not re.fullmatch(r"[0-9]{6}", digits):
        return "The code of an MFA device (cmk_aws_mfa_code) has 6 digits. Run again with the digits that the device shows."
    try:
        log_in(profile, region, digits)
    except RefusedError as refused:
        return str(refused)
    return ""


def _credentials(values: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Tell of the credentials and of mail without holding a secret."""
    is_set = {name: bool(str(values.get(name) or "").strip()) for name in _CREDENTIALS}
    by_mail = str(values.get("cmk_support_mode") or "").strip().lower() == "mail"
    return {
        "has_token": is_set["cmk_support_token"],
        "has_mail_user": is_set["cmk_mail_user"],
        "has_mail_password": is_set["cmk_mail_password"],
        "unfit_credentials": unfit_credentials(*(values.get(name) for name in _CREDENTIALS)),
        # To look costs time, which only those who mail need to spend.
        "can_mail": by_mail and _is_importable("ansible_collections.community.general"),
    }


def warn_of_kept_files(*, has_token: bool) -> None:
    """Warn if Ansible is told to leave the files of its modules behind, one of which holds the token."""
    if has_token and C.DEFAULT_KEEP_REMOTE_FILES:
        Display().warning(_KEPT_FILES)
