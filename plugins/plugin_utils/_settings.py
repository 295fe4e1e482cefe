# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What the operator gave, read strictly: strings as AWX hands them included. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import math
import os
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import check_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._mail import headers
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._note import parse_note
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._window import PROGRAMMES, window

_REGION: t.Final = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-[0-9]")
# A project key starts with a letter (Atlassian, "Editing a project's key"); the API also takes the numeric id.
_TICKET: t.Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+|[0-9]+")
_MODES: t.Final = ("api", "mail", "manual")
# A plain address, of which no header can be made two: what RFC 5322 allows beyond it, no support desk has.
_ADDRESS: t.Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_HOST: t.Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+")
# community.general.mail takes a stroke inside a header for the end of it.
_MESSAGE_ID: t.Final = re.compile(r"<?([!#-'*+./0-9=?@A-Z^_`a-z{}~\[\]-]{3,900})>?")
# The older programme of Atlassian, where a region has several keys: all whose alias begins like this (Atlassian,
# "Restore access to your BYOK encryption keys").
_BYOK_ALIASES: t.Final = "alias/cryptor"
# What the reports folder holds beside the organizations' folders, and what could be taken for a slug with a hash.
_OUR_NAME: t.Final = re.compile(r".*\.(?:html|json|md|txt|new)|index.*|fleet|runs?|[0-9]{8}t[0-9]{6}z.*|.*-[0-9a-f]{8}")
# Those of Atlassian's BYOK locations whose regions its page names.
_BYOK_REALMS: t.Final = ("United States", "Europe")


# What an empty answer of a survey means; as in the role's defaults.
_DEFAULTS: t.Final[dict[str, float | str]] = {
    "wait_timeout": 300,
    "wait_reads": 3,
    "wait_delay": 0.5,
    "mail_port": 587,
    "site_status": 200,
    "verify_limit": "8h",
    "verify_interval": "5m",
}


class Problems(list[str]):
    """Collects what is wrong with the settings, one sentence each."""

    def text(self, name: str, value: object, *, most: int = 2048) -> str:
        """Read a text; None and an empty text are the same."""
        if value is None or value is False:
            return ""
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            self.append(f"{name} must be a text, but is {shown(value)}.")
            return ""
        text = str(value).strip()
        if len(text) > most or not text.isprintable():
            self.append(f"{name} must be one line of at most {most} characters, but is {shown(text)}.")
            return ""
        return text

    def boolean(self, name: str, value: object, *, unset: bool = False) -> bool:
        """Read a boolean as Ansible and AWX write it; ``unset`` is what None and an empty text mean."""
        word = str(value).strip().lower()
        if word in ("true", "yes", "on", "1", "y", "t"):
            return True
        if word in ("false", "no", "off", "0", "n", "f"):
            return False
        if word not in ("none", ""):
            self.append(f"{name} must be true or false, but is {shown(value)}.")
        return unset

    def number(self, name: str, value: object, *, least: float, most: float, whole: bool = False) -> float:
        """Read a number between two bounds."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if isinstance(value, bool) or not least <= number <= most or (whole and number % 1):
            kind = "a whole number" if whole else "a number"
            self.append(f"{name} must be {kind} from {least:g} to {most:g}, but is {shown(value)}.")
            return least
        return number

    def duration(self, name: str, value: object, *, least: float, most: float) -> float:
        """Read a number of seconds, or a duration such as 30s, 5m, 8h, 2d or 1h30m, between two bounds; in seconds."""
        text = str(value).strip().lower()
        parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])", text)
        if parts and re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?\s*[smhd]\s*)+", text):
            value = sum(float(count) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] for count, unit in parts)
        elif isinstance(value, bool) or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", text):
            self.append(
                f"{name} must be a number of seconds, or a duration such as 5m, 8h or 2d, but is {shown(value)}."
            )
            return least
        return self.number(name, value, least=least, most=most)

    def words(self, name: str, value: object) -> list[str]:
        """Read a list, or a text with commas (as a survey hands it); each word once, in the given order."""
        if isinstance(value, str):
            value = _json_or(value, [word for word in re.split(r"[,\n]", value) if word.strip()])
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self.append(f"{name} must be a list, or a text with commas, but is {shown(value)}.")
            return []
        return list(dict.fromkeys(word for word in (self.text(name, item) for item in value) if word))

    def mapping(self, name: str, value: object) -> dict[str, str]:
        """Read a map of text to text, or its JSON text (as a survey hands it)."""
        if isinstance(value, str):
            value = _json_or(value, value) if value.strip() else {}
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.append(f"{name} must be a map from region to key, but is {shown(value)}.")
            return {}
        return {self.text(name, key): self.text(name, inner) for key, inner in value.items()}


def shown(value: object) -> str:
    """Quote a value for a message, cut to a readable length; what may hold a password or token is not quoted."""
    text = repr(value)
    if "@" in text or ("?" in text and "=" in text):
        return "not shown here, since it may hold a secret"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text)} characters)"


def slug(org: str) -> str:
    """Make a name that is safe in paths and on one line, and that no other name gets.

    A short hash is added to a name that is changed for that, that differs from another one only in case (on some file
    systems they are the same), that could be a file or folder of ours, or that ends like a hash.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", org).strip(".-")[:64]
    if name and name == org and name == name.lower() and not _OUR_NAME.fullmatch(name):
        return name
    return f"{name or 'org'}-{hashlib.sha256(org.encode()).hexdigest()[:8]}"


def _session_name(org: str, now: str) -> str:
    """Name the organization and the run's beginning in the 64 characters that AWS takes.

    Source: STS API reference, AssumeRole, RoleSessionName.
    """
    run = re.sub(r"[-:]", "", now)
    return f"cmk-{re.sub(r'[^A-Za-z0-9=,.@_-]', '-', org)}"[: 63 - len(run)] + f"-{run}"


def settings(given: t.Mapping[str, t.Any], realms: t.Mapping[str, list[str]]) -> dict[str, t.Any]:
    """Normalise the role's variables (their names without ``cmk_``).

    :param given: the variables, ``entry_point``, and ``now`` (the time in UTC, ISO 8601); ``has_token`` and
        ``unfit_credentials`` (their names) tell of the credentials without holding them
    :param realms: realm name as Atlassian writes it, to its regions
    :return: the settings, with ``problems``: sentences that say what must be mended before anything can be done
    """
    problems = Problems()
    given = {**given, **{name: default for name, default in _DEFAULTS.items() if _is_empty(given.get(name))}}
    org = problems.text("cmk_org", given.get("org"), most=255)
    if not org:
        problems.append("No organization is named. Run the role on the organization's inventory host, or set cmk_org.")
    result = {
        "org": org,
        "slug": slug(org),
        **_keys(given, realms, problems),
        "cancel_deletion": problems.boolean("cmk_cancel_deletion", given.get("cancel_deletion")),
        "wait_timeout": problems.number("cmk_wait_timeout", given.get("wait_timeout"), least=0, most=3600),
        "wait_reads": int(problems.number("cmk_wait_reads", given.get("wait_reads"), least=1, most=100, whole=True)),
        "wait_delay": problems.number("cmk_wait_delay", given.get("wait_delay"), least=0, most=60),
        "aws_profile": problems.text("cmk_aws_profile", given.get("aws_profile")),
        "assume_role_arn": problems.text("cmk_assume_role_arn", given.get("assume_role_arn")),
        "assume_role_external_id": problems.text("cmk_assume_role_external_id", given.get("assume_role_external_id")),
        "session_name": _session_name(org, str(given.get("now", ""))),
        "access_accept": problems.boolean("cmk_access_accept", given.get("access_accept")),
        "revoked_at": _revoked_at(given, problems),
        **(_revoke(given) if given.get("entry_point") == "revoke" else _ticket(given, problems)),
        "comment_template": problems.text("cmk_comment_template", given.get("comment_template")),
        "sites": problems.words("cmk_sites", given.get("sites")),
        **_verification(given, problems),
        "report_dir": _report_dir(given, slug(org), problems),
        "break_lock": problems.boolean("cmk_break_lock", given.get("break_lock")),
        "secure_logging": problems.boolean("cmk_secure_logging", given.get("secure_logging"), unset=True),
    }
    role = result["assume_role_arn"]
    if role and not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,576}", role):
        problems.append(f"cmk_assume_role_arn must be the ARN of an IAM role, but is {shown(role)}.")
    return {**result, "problems": list(problems)}


def _verification(given: t.Mapping[str, t.Any], problems: Problems) -> dict[str, t.Any]:
    tag = problems.text("cmk_context_tag", given.get("context_tag"))
    # Atlassian, "Enroll in CMK encryption policy": at most 12 alphanumeric characters.
    if tag and not re.fullmatch(r"[A-Za-z0-9]{1,12}", tag):
        problems.append(f"cmk_context_tag must be at most 12 letters and digits, but is {shown(tag)}.")
    path = problems.text("cmk_site_path", given.get("site_path")) or "/"
    if not re.fullmatch(r"/[^\s\\<>\"#]*", path):
        problems.append(f"cmk_site_path must be a path that begins with a slash, but is {shown(path)}.")
    return {
        "context_tag": tag,
        "atlassian_account_ids": _atlassian_accounts(given, problems),
        "site_path": path,
        "site_status": int(problems.number("cmk_site_status", given["site_status"], least=200, most=599, whole=True)),
        "verify_follow": problems.boolean("cmk_verify_follow", given.get("verify_follow")),
        "verify_limit": problems.duration("cmk_verify_limit", given["verify_limit"], least=0, most=90 * 86400),
        "verify_interval": problems.duration("cmk_verify_interval", given["verify_interval"], least=1, most=86400),
    }


def _atlassian_accounts(given: t.Mapping[str, t.Any], problems: Problems) -> list[str]:
    name, value = "cmk_atlassian_account_id", given.get("atlassian_account_id")
    values = [value] if isinstance(value, int) else value
    if isinstance(values, (list, tuple)):
        # An unquoted number in YAML has lost its leading zeros.
        values = [f"{item:012d}" if isinstance(item, int) and not isinstance(item, bool) else item for item in values]
    account_ids = problems.words(name, values)
    for account_id in account_ids:
        if not re.fullmatch(r"[0-9]{12}", account_id):
            problems.append(f"{name} must be 12 digits, or a list of such ids, but is {shown(account_id)}.")
    return account_ids


def _report_dir(given: t.Mapping[str, t.Any], folder: str, problems: Problems) -> str:
    reports = problems.text("cmk_report_dir", given.get("report_dir"))
    if not reports:
        problems.append("cmk_report_dir is not set. Set it to a folder on this machine.")
        return ""
    path = os.path.expanduser(reports)
    # A relative path would give a journal for each working directory, and each would announce a restoration of its own.
    if not os.path.isabs(path) or not re.match(r"/|~(?:/|$)", reports):
        problems.append(f"cmk_report_dir must be an absolute path or begin with ~/, but is {shown(reports)}.")
        return ""
    # The operator may have put a symbolic link here; below this folder none is followed.
    return os.path.join(os.path.realpath(path), folder)


def _keys(given: t.Mapping[str, t.Any], realms: t.Mapping[str, list[str]], problems: Problems) -> dict[str, t.Any]:
    account_id = problems.text("cmk_account_id", given.get("account_id"))
    if account_id and isinstance(given.get("account_id"), int):
        account_id = account_id.zfill(12)  # an unquoted number in YAML has lost its leading zeros
    if account_id and not re.fullmatch(r"[0-9]{12}", account_id):
        problems.append(f"cmk_account_id must be 12 digits, but is {shown(account_id)}.")
    programme = problems.text("cmk_programme", given.get("programme")).lower() or "cmk"
    if programme not in PROGRAMMES:
        problems.append(f"cmk_programme must be {' or '.join(PROGRAMMES)}, but is {shown(programme)}.")
    realm, regions = _regions(given, realms, problems)
    found = {"programme": programme, "realm": realm, "account_id": account_id}
    if programme == "byok":
        return {**found, "keys": _byok_keys(given, realm, regions, problems)}
    return {**found, "keys": _cmk_keys(given, regions, account_id, problems)}


def _cmk_keys(
    given: t.Mapping[str, t.Any], regions: list[str], account_id: str, problems: Problems
) -> list[dict[str, t.Any]]:
    key = problems.text("cmk_key", given.get("key"))
    keys = problems.mapping("cmk_keys", given.get("keys"))
    for region in [region for region in keys if regions and region not in regions]:
        problems.append(f"cmk_keys names {shown(region)}, which is not a region in use ({', '.join(regions)}).")
    found = []
    for region in regions:
        reference = keys.get(region) or key
        if not reference:
            problems.append(f"No key is given for region {region}. Set cmk_key, or cmk_keys[{region}].")
            continue
        unfit = check_reference(reference, region, account_id or None)
        if unfit:
            problems.append(str(unfit))
        found.append({"region": region, "key_id": reference})
    return found


def _byok_keys(
    given: t.Mapping[str, t.Any], realm: str, regions: list[str], problems: Problems
) -> list[dict[str, t.Any]]:
    for name in ("key", "keys"):
        if given.get(name):
            problems.append(
                f"cmk_{name} has no place with cmk_programme=byok, whose keys are all those with an alias that begins with "
                f"{_BYOK_ALIASES}. Remove it, or set cmk_programme=cmk if the organization has been migrated."
            )
    if given.get("entry_point") in ("verify", "revoke"):
        problems.append(
            f"cmk_programme=byok can be restored and assessed, and not be used with {given['entry_point']}, which follows what "
            "Atlassian documents for CMK. Do it by hand, as Atlassian's pages on BYOK tell."
        )
    if regions and not problems.words("cmk_regions", given.get("regions")) and realm not in _BYOK_REALMS:
        problems.append(
            f"The regions of the BYOK location {shown(realm)} are not confirmed ({' and '.join(_BYOK_REALMS)} are). Name "
            "them all with cmk_regions."
        )
    return [{"region": region, "alias_prefix": _BYOK_ALIASES} for region in regions]


def _regions(
    given: t.Mapping[str, t.Any], realms: t.Mapping[str, list[str]], problems: Problems
) -> tuple[str, list[str]]:
    wanted = problems.text("cmk_realm", given.get("realm"), most=100)
    regions = problems.words("cmk_regions", given.get("regions"))
    realm = next((name for name in realms if _folded(name) == _folded(wanted)), None)
    for region in regions:
        if not _REGION.fullmatch(region):
            problems.append(f"cmk_regions names {shown(region)}, which is not an AWS region.")
    if regions:
        return realm or wanted, regions
    if realm:
        return realm, list(realms[realm])
    seen = f"The realm {shown(wanted)} is not known." if wanted else "No realm is given."
    problems.append(f"{seen} Known are {', '.join(realms)}. Set cmk_realm to one of them, or name cmk_regions.")
    return wanted, []


def _revoked_at(given: t.Mapping[str, t.Any], problems: Problems) -> str:
    """Return the time in ISO 8601 UTC; empty if none was given."""
    text = problems.text("cmk_revoked_at", given.get("revoked_at"))
    if not text:
        return ""
    read = window(text, given.get("now"))
    if read["error"]:
        problems.append(f"cmk_revoked_at cannot be used: {read['error']}")
    return str(read["revoked_at"] or "")


def _ticket(given: t.Mapping[str, t.Any], problems: Problems) -> dict[str, t.Any]:
    ticket = problems.text("cmk_ticket", given.get("ticket"), most=255)
    if ticket and not _TICKET.fullmatch(ticket):
        problems.append(f"cmk_ticket must be a ticket's key such as ABC-123, but is {shown(given.get('ticket'))}.")
    support_url = problems.text("cmk_support_url", given.get("support_url")).rstrip("/")
    ticket_url = problems.text("cmk_ticket_url", given.get("ticket_url"))
    mode = problems.text("cmk_support_mode", given.get("support_mode")).lower() or ("api" if support_url else "manual")
    if mode not in _MODES:
        problems.append(f"cmk_support_mode must be {' or '.join(_MODES)}, but is {shown(mode)}.")
    if mode == "api":
        for name, value in {
            "cmk_support_url": support_url,
            "cmk_support_token": given.get("has_token"),
            "cmk_ticket": ticket,
        }.items():
            if not value:
                problems.append(
                    f"{name} is not set, but the ticket is to be told by API. Set it, or hand the text over "
                    "yourself with cmk_support_mode=manual."
                )
    problems += [f"{name} must be one line of text." for name in given.get("unfit_credentials", [])]
    told = problems.text("cmk_ticket_told", given.get("ticket_told"))
    note = parse_note(told, str(given.get("now"))) if told else ""
    if isinstance(note, str) and note:
        problems.append(f"cmk_ticket_told {note}")
    return {
        "ticket": ticket.upper(),
        # The settings are shown at high verbosity, and the ticket's page in the result: an unfit URL may hold a password.
        "ticket_url": _fit_url("cmk_ticket_url", ticket_url, problems, carries_token=False),
        "support_url": _fit_url("cmk_support_url", support_url, problems, carries_token=True),
        "mode": mode,
        "ticket_told": told,
        "mail": _mail(given, ticket, problems) if mode == "mail" else {},
    }


def _mail(given: t.Mapping[str, t.Any], ticket: str, problems: Problems) -> dict[str, t.Any]:
    if not given.get("can_mail"):
        problems.append(
            "cmk_support_mode=mail needs the collection community.general, which is not installed here. Install it with "
            "ansible-galaxy collection install community.general, or hand the text over yourself with "
            "cmk_support_mode=manual."
        )
    read = {name: problems.text(f"cmk_mail_{name}", given.get(f"mail_{name}")) for name in ("to", "from", "host")}
    needed = {"cmk_ticket": ticket, **{f"cmk_mail_{name}": value for name, value in read.items()}}
    problems += [
        f"{name} is not set, but the ticket is to be told by mail. Set it, or hand the text over yourself with "
        "cmk_support_mode=manual."
        for name, value in needed.items()
        if not value
    ]
    problems += _unfit_for_mail(ticket, read)
    return {
        **read,
        "port": int(problems.number("cmk_mail_port", given.get("mail_port"), least=1, most=65534, whole=True)),
        "secure": _is_secure(given, read["host"], problems),
        "headers": headers(_in_reply_to(given, problems)),
    }


def _unfit_for_mail(ticket: str, read: t.Mapping[str, str]) -> t.Iterator[str]:
    if ticket.isdecimal():
        yield f"cmk_ticket is the number {ticket}, but a desk knows the ticket of a mail by its key, such as ABC-123."
    for name in ("to", "from"):
        if read[name] and not _ADDRESS.fullmatch(read[name]):
            yield f"cmk_mail_{name} must be one plain mail address such as desk@example.com, and is not."
    if read["host"] and not _HOST.fullmatch(read["host"]):
        yield f"cmk_mail_host must be a host's name or address, but is {shown(read['host'])}."


def _is_secure(given: t.Mapping[str, t.Any], host: str, problems: Problems) -> bool:
    secure = problems.boolean("cmk_mail_secure", given.get("mail_secure"), unset=True)
    has_user, has_password = bool(given.get("has_mail_user")), bool(given.get("has_mail_password"))
    if has_user != has_password:
        name = "cmk_mail_password" if has_user else "cmk_mail_user"
        problems.append(
            f"{name} is not set, and the other of cmk_mail_user and cmk_mail_password is. Set both or none."
        )
    if not secure and has_password and not _is_loopback(host):
        problems.append("cmk_mail_secure is false, and a password would travel in clear. Set it to true.")
    return secure


def _in_reply_to(given: t.Mapping[str, t.Any], problems: Problems) -> str:
    reply = problems.text("cmk_mail_in_reply_to", given.get("mail_in_reply_to"))
    found = _MESSAGE_ID.fullmatch(reply)
    if reply and not (found and found[1].count("@") == 1):
        problems.append("cmk_mail_in_reply_to must be the Message-ID of the ticket's mail (<...@...>), and is not.")
    return f"<{found[1]}>" if found else ""


def _revoke(given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The ticket is opened because of the revocation: whatever is set is an older one, and must not stop this."""
    no_ticket = dict.fromkeys(("ticket", "ticket_url", "support_url", "mode", "ticket_told"), "")
    return {**no_ticket, "mail": {}, "confirm": given.get("confirm")}


def _fit_url(name: str, url: str, problems: Problems, *, carries_token: bool) -> str:
    problem = _url_problem(url, carries_token=carries_token) if url else ""
    if problem:
        problems.append(f"{name} {problem}")
    return "" if problem else url


def _url_problem(url: str, *, carries_token: bool) -> str:
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "is not a URL."
    if parts.username is not None or parts.password is not None:
        return "must not hold credentials. Set cmk_support_user and cmk_support_token instead."
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\\<>\"]", url):
        return f"must be a URL such as https://support.example.com, but is {shown(url)}."
    # Even an empty query or fragment would swallow the path that is appended.
    if carries_token and re.search("[?#]", url):
        return "must be the desk's base URL, without query or fragment."
    if carries_token and parts.scheme == "http" and not _is_loopback(host):
        return f"is {shown(url)}, and a token would travel in clear. Use https."
    return ""


def unfit_credentials(user: object, token: object, mail_user: object = None, mail_password: object = None) -> list[str]:
    """Name the credentials that are not one line of text; the values themselves go no further.

    :param user: ``cmk_support_user``, where an empty one means that the token stands in the header as it is (Bearer)
    :param token: ``cmk_support_token``
    :param mail_user: ``cmk_mail_user``
    :param mail_password: ``cmk_mail_password``
    """
    given = {
        "cmk_support_user": user,
        "cmk_support_token": token,
        "cmk_mail_user": mail_user,
        "cmk_mail_password": mail_password,
    }
    fit = {name: (value, r"[^\x00-\x1f\x7f]*") for name, value in given.items()}
    if not str(user or "").strip():
        fit["cmk_support_token"] = (token, r"[ -~]*")
    return [name for name, (value, pattern) in fit.items() if value and not _is_line(value, pattern)]


def _is_line(value: object, pattern: str) -> bool:
    # Files and vaults end their texts with a newline, which the role leaves out.
    is_word = isinstance(value, (str, int)) and not isinstance(value, bool)
    return is_word and re.fullmatch(pattern, str(value).strip()) is not None


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _folded(realm: str) -> str:
    return re.sub(r"[\s_-]+", " ", realm).strip().casefold()


def _json_or(text: str, otherwise: object) -> object:
    if text.lstrip()[:1] not in ("[", "{"):
        return otherwise
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return otherwise
