# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of an organization. Pure."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import asdict, dataclass, fields

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import check_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import (
    MailSettings,
    TicketSettings,
    fit_url,
    read_ticket,
)
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import RESTORE, Command
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import Options, shown, slug
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import PROGRAMMES, read_loss

_REGION: t.Final = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]")
_ROLE_ARN: t.Final = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}"
# Atlassian, "Enroll in CMK encryption policy": at most 12 alphanumeric characters.
_CONTEXT_TAG: t.Final = r"[A-Za-z0-9]{1,12}"
_SITE_PATH: t.Final = r"/[^\s\\<>\"#]*"
# The older programme of Atlassian, where a region has several keys: all whose alias begins like this (Atlassian,
# "Restore access to your BYOK encryption keys").
_BYOK_ALIASES: t.Final = "alias/cryptor"
# Those of Atlassian's BYOK locations whose regions its page names.
_BYOK_REALMS: t.Final = ("United States", "Europe")

Keys: t.TypeAlias = tuple[t.Mapping[str, str], ...]


@dataclass(frozen=True)
class Settings(TicketSettings):
    """What the operator wants of one organization."""

    problems: tuple[str, ...] = ()  # what to fix before anything can be done, one sentence each
    org: str = ""
    slug: str = ""  # the organization's name, safe in paths and on one line
    programme: str = "cmk"  # cmk, or byok for Atlassian's older programme
    realm: str = ""
    account_id: str = ""
    keys: Keys = ()  # region and key_id of each, or with BYOK region and alias_prefix
    cancel_deletion: bool = False
    wait_timeout: float = 300  # seconds
    wait_reads: int = 3
    wait_delay: float = 0.5  # seconds
    aws_profile: str = ""
    assume_role_arn: str = ""
    assume_role_external_id: str = ""
    session_name: str = ""  # names the organization and this run in CloudTrail
    access_accept: bool = False
    revoked_at: str = ""  # when access was lost, ISO 8601 in UTC; empty if it was not given
    comment_template: str = ""
    sites: tuple[str, ...] = ()
    prove_permission: bool = False
    expected_use: float = 0  # seconds; 0 for none
    context_tag: str = ""
    atlassian_account_ids: tuple[str, ...] = ()
    workspaces_url: str = ""  # where Atlassian reports its apps; empty if it is not asked
    site_path: str = "/"
    site_status: int = 200
    verify_follow: bool = False
    verify_limit: float = 0  # seconds
    verify_interval: float = 300  # seconds
    report_dir: str = ""  # the organization's own folder
    metrics_file: str = ""  # for Prometheus; empty for none
    break_lock: bool = False
    secure_logging: bool = True
    drill: bool = False  # the inventory marks the organization as one that exists for drills
    confirm: object = None  # of revoke and drill: what was typed, as it was typed
    desk_until: float = 0  # when the desk's time is over, seconds since 1970

    def as_json(self) -> dict[str, t.Any]:
        """Return it as it passes from task to task."""
        return asdict(self)

    @classmethod
    def from_json(cls, known: t.Mapping[str, t.Any]) -> Settings:
        """Read what :meth:`as_json` returned."""
        read = {field.name: known[field.name] for field in fields(cls) if field.name in known}
        for name in ("problems", "keys", "sites", "atlassian_account_ids"):
            read[name] = tuple(read.get(name) or ())
        mail = read.pop("mail", None)
        return cls(**read, mail=MailSettings(**mail) if mail else None)

    def file(self, name: str) -> str:
        """Return the path of a file in the organization's folder."""
        return f"{self.report_dir}/{name}"


def read_settings(
    given: t.Mapping[str, t.Any], realms: t.Mapping[str, list[str]], command: Command = RESTORE
) -> Settings:
    """Read the role's variables.

    :param given: the variables (their names without ``cmk_``), ``now`` (ISO 8601), and what :func:`read_ticket` needs
    :param realms: realm name as Atlassian writes it, to its regions
    """
    options = Options(given)
    org = options.text("org", most=255)
    if not org:
        options.add("No organization is named. Run the role on the organization's inventory host, or set cmk_org.")
    programme, account_id = _programme(options), _account_id(options)
    realm, regions = _regions(options, realms)
    is_byok = programme == "byok"
    return Settings(
        org=org,
        slug=slug(org),
        programme=programme,
        realm=realm,
        account_id=account_id,
        keys=_byok_keys(options, realm, regions, command) if is_byok else _cmk_keys(options, regions, account_id),
        cancel_deletion=options.boolean("cancel_deletion"),
        wait_timeout=options.number("wait_timeout", least=0, most=3600),
        wait_reads=int(options.number("wait_reads", least=1, most=100, whole=True)),
        wait_delay=options.number("wait_delay", least=0, most=60),
        aws_profile=options.text("aws_profile"),
        assume_role_arn=options.matching(
            "assume_role_arn", _ROLE_ARN, "cmk_assume_role_arn must be the ARN of an IAM role, but is {seen}."
        ),
        assume_role_external_id=options.text("assume_role_external_id"),
        session_name=_session_name(org, str(options.get("now") or "")),
        access_accept=options.boolean("access_accept"),
        revoked_at=_revoked_at(options),
        comment_template=options.text("comment_template"),
        prove_permission=options.boolean("prove_permission"),
        expected_use=options.duration("expected_use", least=0, most=3650 * 86400),
        **_read_verification(options, command),
        # The ticket is opened because of a revocation: whatever is set is an older one, and must not stop it.
        **vars(TicketSettings() if command.revokes else read_ticket(options)),
        report_dir=_report_dir(options, slug(org)),
        metrics_file=_metrics_file(options),
        break_lock=options.boolean("break_lock"),
        secure_logging=options.boolean("secure_logging", unset=True),
        drill=options.boolean("drill"),
        confirm=options.get("confirm") if command.revokes or command.drills else None,
        problems=tuple(options.problems),
    )


def _read_verification(options: Options, command: Command) -> dict[str, t.Any]:
    return {
        "sites": tuple(options.words("sites")),
        "context_tag": options.matching(
            "context_tag", _CONTEXT_TAG, "cmk_context_tag must be at most 12 letters and digits, but is {seen}."
        ),
        "atlassian_account_ids": tuple(options.account_ids("atlassian_account_id")),
        # A key is never kept from being enabled by what only a verification needs.
        "workspaces_url": _workspaces_url(options) if command.verifies else "",
        "site_path": options.matching(
            "site_path", _SITE_PATH, "cmk_site_path must be a path that begins with a slash, but is {seen}."
        )
        or "/",
        "site_status": int(options.number("site_status", least=200, most=599, whole=True)),
        "verify_follow": options.boolean("verify_follow"),
        "verify_limit": options.duration("verify_limit", least=0, most=90 * 86400),
        "verify_interval": options.duration("verify_interval", least=1, most=86400),
    }


def _programme(options: Options) -> str:
    programme = options.text("programme").lower() or "cmk"
    if programme not in PROGRAMMES:
        options.add(f"cmk_programme must be {' or '.join(PROGRAMMES)}, but is {shown(programme)}.")
    return programme


def _account_id(options: Options) -> str:
    account_id = options.text("account_id")
    if account_id and isinstance(options.get("account_id"), int):
        account_id = account_id.zfill(12)  # an unquoted number in YAML has lost its leading zeros
    if account_id and not re.fullmatch(r"[0-9]{12}", account_id):
        options.add(f"cmk_account_id must be 12 digits, but is {shown(account_id)}.")
    return account_id


def _session_name(org: str, now: str) -> str:
    """Name the organization and the run's beginning in the 64 characters that AWS takes.

    Source: STS API reference, AssumeRole, RoleSessionName.
    """
    run = re.sub(r"[-:]", "", now)
    return f"cmk-{re.sub(r'[^A-Za-z0-9=,.@_-]', '-', org)}"[: 63 - len(run)] + f"-{run}"


def _workspaces_url(options: Options) -> str:
    org_id = options.matching(
        "atlassian_org_id",
        r"[A-Za-z0-9-]{1,64}",
        "cmk_atlassian_org_id must be the id in the URL of Atlassian Administration, but is {seen}.",
    )
    base = fit_url(options, "atlassian_api_url", options.text("atlassian_api_url").rstrip("/"), carries_token=True)
    return f"{base}/admin/v2/orgs/{org_id}/workspaces" if org_id and base else ""


def _report_dir(options: Options, folder: str) -> str:
    reports = options.text("report_dir")
    if not reports:
        options.add("cmk_report_dir is not set. Set it to a folder on this machine.")
        return ""
    path = os.path.expanduser(reports)
    # A relative path would give a journal for each working directory, and each would announce a restoration of its own.
    if not os.path.isabs(path) or not re.match(r"/|~(?:/|$)", reports):
        options.add(f"cmk_report_dir must be an absolute path or begin with ~/, but is {shown(reports)}.")
        return ""
    # The operator may have put a symbolic link here; below this folder none is followed.
    return os.path.join(os.path.realpath(path), folder)


def _metrics_file(options: Options) -> str:
    path = options.text("metrics_file")
    folder, name = os.path.split(os.path.expanduser(path))
    # As with the reports, the operator's folder may be a symbolic link, and the file must be none.
    return os.path.join(os.path.realpath(folder), name) if path else ""


def _cmk_keys(options: Options, regions: list[str], account_id: str) -> Keys:
    key, keys = options.text("key"), options.mapping("keys")
    for region in [region for region in keys if regions and region not in regions]:
        options.add(f"cmk_keys names {shown(region)}, which is not a region in use ({', '.join(regions)}).")
    found = []
    for region in regions:
        reference = keys.get(region) or key
        if not reference:
            options.add(f"No key is given for region {region}. Set cmk_key, or cmk_keys[{region}].")
            continue
        unfit = check_reference(reference, region, account_id or None)
        if unfit:
            options.add(str(unfit))
        found.append({"region": region, "key_id": reference})
    return tuple(found)


def _byok_keys(options: Options, realm: str, regions: list[str], command: Command) -> Keys:
    for name in ("key", "keys"):
        if options.get(name):
            options.add(
                f"cmk_{name} cannot be used with cmk_programme=byok, which takes every key whose alias begins with "
                f"{_BYOK_ALIASES}. Remove it, or set cmk_programme=cmk if the organization has been migrated."
            )
    if not command.takes_byok:
        options.add(
            f"cmk_programme=byok works with restore and assess only: {command.name} follows what Atlassian documents for CMK. "
            "Do it by hand, as Atlassian's pages on BYOK describe."
        )
    if regions and not options.words("regions") and realm not in _BYOK_REALMS:
        options.add(
            f"The regions of the BYOK location {shown(realm)} are not confirmed ({' and '.join(_BYOK_REALMS)} are). Name "
            "them all with cmk_regions."
        )
    return tuple({"region": region, "alias_prefix": _BYOK_ALIASES} for region in regions)


def _regions(options: Options, realms: t.Mapping[str, list[str]]) -> tuple[str, list[str]]:
    wanted, regions = options.text("realm", most=100), options.words("regions")
    realm = next((name for name in realms if _folded(name) == _folded(wanted)), None)
    for region in regions:
        if not _REGION.fullmatch(region):
            options.add(f"cmk_regions names {shown(region)}, which is not an AWS region.")
    if regions:
        return realm or wanted, regions
    if realm:
        return realm, list(realms[realm])
    seen = f"The realm {shown(wanted)} is not known." if wanted else "No realm is given."
    options.add(f"{seen} Known are {', '.join(realms)}. Set cmk_realm to one of them, or name cmk_regions.")
    return wanted, []


def _revoked_at(options: Options) -> str:
    """Return the time in ISO 8601 UTC; empty if none was given."""
    text = options.text("revoked_at")
    revoked_at, problem = read_loss(text, str(options.get("now"))) if text else (None, None)
    if problem:
        options.add(f"cmk_revoked_at cannot be used: {problem}")
    return revoked_at or ""


def _folded(realm: str) -> str:
    return re.sub(r"[\s_-]+", " ", realm).strip().casefold()
