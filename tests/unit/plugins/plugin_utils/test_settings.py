"""What operators, inventories and AWX hand over: read strictly, and every mistake told in a sentence."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._channels.options import unfit_credentials
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._commands import COMMANDS
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import slug
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import Settings, read_settings
from tests.unit.plugins.conversation import ACCOUNT, OTHER_ACCOUNT, arn

REALMS = {
    "United States": ["us-east-1", "us-west-2"],
    "Germany": ["eu-central-1"],
    "Japan": ["ap-northeast-1"],
    "South Korea": ["ap-northeast-2"],
}
KEY = "alias/atlassian-cmk"
# As the role hands them over when the inventory sets what it must.
GIVEN: dict[str, Any] = {
    "now": "2026-11-25T04:36:08Z",
    "org": "acme",
    "realm": "United States",
    "regions": [],
    "key": KEY,
    "keys": {},
    "account_id": "",
    "cancel_deletion": False,
    "wait_timeout": 300,
    "wait_reads": 3,
    "wait_delay": 1,
    "aws_profile": "",
    "assume_role_arn": "",
    "assume_role_external_id": "",
    "ticket": "",
    "ticket_url": "",
    "ticket_told": "",
    "support_url": "",
    "support_mode": "",
    "has_token": False,
    "sites": [],
    "report_dir": "/var/lib/cmk",
    "comment_template": "",
    "secure_logging": True,
    "prove_permission": False,
    "expected_use": "1d",
}
API = {"support_url": "https://support.example.com", "has_token": True, "ticket": "CMK-1"}


def read(command: Any = "restore", **more: Any) -> dict[str, Any]:
    settings = read_settings({**GIVEN, **more}, REALMS, COMMANDS[command])
    return dict(json.loads(json.dumps(settings.as_json())))


def fine(**more: Any) -> dict[str, Any]:
    result = read(**more)
    assert result["problems"] == []
    return result


def both(reference: str = KEY) -> list[dict[str, str]]:
    return [{"region": region, "key_id": reference} for region in REALMS["United States"]]


def test_the_least_that_is_needed() -> None:
    assert fine() == {
        "org": "acme",
        "slug": "acme",
        "programme": "cmk",
        "realm": "United States",
        "account_id": "",
        "keys": both(),
        "cancel_deletion": False,
        "wait_timeout": 300.0,
        "context_tag": "",
        "atlassian_account_ids": [],
        "workspaces_url": "",
        "site_path": "/",
        "site_status": 200,
        "verify_follow": False,
        "verify_limit": 28800.0,
        "verify_interval": 300.0,
        "wait_reads": 3,
        "wait_delay": 1.0,
        "aws_profile": "",
        "assume_role_arn": "",
        "assume_role_external_id": "",
        "session_name": "cmk-acme-20261125T043608Z",
        "access_accept": False,
        "prove_permission": False,
        "expected_use": 86400,
        "revoked_at": "",
        "ticket": "",
        "ticket_url": "",
        "support_url": "",
        "request_url": "",
        "mode": "manual",
        "ticket_told": "",
        "mail": None,
        "comment_template": "",
        "sites": [],
        "report_dir": "/var/lib/cmk/acme",
        "metrics_file": "",
        "break_lock": False,
        "secure_logging": True,
        "drill": False,
        "confirm": None,
        "desk_until": 0,
        "problems": [],
    }


ROLE = "arn:aws:iam::111122223333:role/ops/cmk"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("org", " acme ", {"org": "acme", "slug": "acme"}, id="org with spaces around"),
        pytest.param(
            "org", 42, {"org": "42", "slug": "42", "session_name": "cmk-42-20261125T043608Z"}, id="org as a number"
        ),
        pytest.param(
            "org",
            "Bücher AG",
            {"org": "Bücher AG", "session_name": "cmk-B-cher-AG-20261125T043608Z"},
            id="org not ASCII",
        ),
        pytest.param(
            "org", "組織", {"org": "組織", "session_name": "cmk----20261125T043608Z"}, id="org in other letters"
        ),
        pytest.param("org", "x" * 255, {"session_name": "cmk-" + "x" * 43 + "-20261125T043608Z"}, id="longest org"),
        pytest.param("realm", "united states", {"realm": "United States"}, id="realm in small letters"),
        pytest.param("realm", "UNITED_STATES", {"realm": "United States"}, id="realm with an underscore"),
        pytest.param("realm", " United  States\n", {"realm": "United States"}, id="realm with more spaces"),
        pytest.param("realm", "south-korea", {"realm": "South Korea"}, id="realm with a hyphen"),
        pytest.param("regions", "eu-west-1", {"keys": [{"region": "eu-west-1", "key_id": KEY}]}, id="region as text"),
        pytest.param("regions", "us-west-2, us-east-1", {"keys": both()[::-1]}, id="regions with commas"),
        pytest.param("regions", "us-east-1\nus-west-2\n", {"keys": both()}, id="regions on lines"),
        pytest.param("regions", '["us-east-1", "us-west-2"]', {"keys": both()}, id="regions as JSON text"),
        pytest.param("regions", ("us-east-1", "us-west-2"), {"keys": both()}, id="regions as a tuple"),
        pytest.param("regions", ["us-east-1", "us-west-2", "us-east-1"], {"keys": both()}, id="regions twice"),
        pytest.param("regions", "us-east-1,us-west-2,,us-east-1,", {"keys": both()}, id="regions twice as text"),
        pytest.param("regions", "", {"realm": "United States", "keys": both()}, id="regions empty"),
        pytest.param("regions", " , ", {"keys": both()}, id="regions only a comma"),
        pytest.param("regions", None, {"keys": both()}, id="regions null"),
        pytest.param("regions", "[]", {"keys": both()}, id="regions empty JSON"),
        pytest.param("regions", "us-gov-west-1", {"keys": [{"region": "us-gov-west-1", "key_id": KEY}]}, id="GovCloud"),
        pytest.param("key", f" {KEY}\n", {"keys": both()}, id="key with a newline after it"),
        pytest.param(
            "keys", {"us-west-2": "alias/b"}, {"keys": [both()[0], both("alias/b")[1]]}, id="keys override key"
        ),
        pytest.param(
            "keys", '{"us-west-2": "alias/b"}', {"keys": [both()[0], both("alias/b")[1]]}, id="keys as JSON text"
        ),
        pytest.param("keys", {"us-west-2": ""}, {"keys": both()}, id="keys with an empty reference"),
        pytest.param("keys", {"us-west-2": None}, {"keys": both()}, id="keys with null"),
        pytest.param("keys", "", {"keys": both()}, id="keys empty text"),
        pytest.param("keys", "{}", {"keys": both()}, id="keys empty JSON"),
        pytest.param("keys", None, {"keys": both()}, id="keys null"),
        pytest.param("account_id", ACCOUNT, {"account_id": ACCOUNT}, id="account as text"),
        pytest.param("account_id", 111122223333, {"account_id": ACCOUNT}, id="account as a number"),
        pytest.param("account_id", 11122223333, {"account_id": "011122223333"}, id="account lost its zero"),
        pytest.param("account_id", None, {"account_id": ""}, id="account null"),
        pytest.param("account_id", False, {"account_id": ""}, id="account false"),
        *[
            pytest.param("cancel_deletion", value, {"cancel_deletion": expected}, id=f"boolean {value!r}")
            for expected, values in {
                True: (True, "true", "True", "yes", " on ", "1", 1, "y", "T"),
                False: (False, "false", "False", "no", "off", "0", 0, "n", "f", "", None),
            }.items()
            for value in values
        ],
        pytest.param("wait_timeout", "60", {"wait_timeout": 60.0}, id="number as text"),
        pytest.param("wait_timeout", 0, {"wait_timeout": 0.0}, id="least timeout"),
        pytest.param("wait_timeout", "3600", {"wait_timeout": 3600.0}, id="longest timeout"),
        pytest.param("wait_reads", "15", {"wait_reads": 15}, id="reads as text"),
        pytest.param("wait_reads", 4.0, {"wait_reads": 4}, id="reads with a point"),
        pytest.param("wait_delay", "0.5", {"wait_delay": 0.5}, id="delay with a point"),
        *[
            pytest.param("verify_limit", value, {"verify_limit": seconds}, id=f"duration {value!r}")
            for value, seconds in {
                "90": 90.0,
                90: 90.0,
                1.5: 1.5,
                "30s": 30.0,
                "5m": 300.0,
                "8h": 28800.0,
                " 2 D ": 172800.0,
                "1h30m": 5400.0,
                "1.5h": 5400.0,
                "0": 0.0,
            }.items()
        ],
        pytest.param("verify_follow", "true", {"verify_follow": True}, id="follow as text"),
        pytest.param("context_tag", "AcmeCMK", {"context_tag": "AcmeCMK"}, id="context tag"),
        *(
            pytest.param(
                "atlassian_account_id", value, {"atlassian_account_ids": ids}, id=f"Atlassian's account {value!r}"
            )
            for value, ids in (
                ("", []),
                (None, []),
                ([], []),
                ("444455556666", ["444455556666"]),
                (44455556666, ["044455556666"]),
                ([44455556666, "444455556666"], ["044455556666", "444455556666"]),
                ("444455556666, 555566667777", ["444455556666", "555566667777"]),
            )
        ),
        pytest.param("site_path", "/status?x=1", {"site_path": "/status?x=1"}, id="path with a query"),
        pytest.param("site_path", "", {"site_path": "/"}, id="no path"),
        pytest.param("site_status", "302", {"site_status": 302}, id="status as text"),
        pytest.param("aws_profile", "acme-prod", {"aws_profile": "acme-prod"}, id="profile"),
        pytest.param("assume_role_arn", ROLE, {"assume_role_arn": ROLE}, id="role with a path"),
        pytest.param(
            "assume_role_arn",
            ROLE.replace("aws:", "aws-us-gov:", 1),
            {"assume_role_arn": ROLE.replace("aws:", "aws-us-gov:", 1)},
            id="role in GovCloud",
        ),
        pytest.param("assume_role_external_id", "4711-ü", {"assume_role_external_id": "4711-ü"}, id="external id"),
        pytest.param("ticket", "abc-12", {"ticket": "ABC-12"}, id="ticket in small letters"),
        pytest.param("ticket", " CMK-1\n", {"ticket": "CMK-1"}, id="ticket pasted with a newline"),
        pytest.param("ticket", 10001, {"ticket": "10001"}, id="ticket's number"),
        pytest.param("ticket", "A_B2-7", {"ticket": "A_B2-7"}, id="ticket of an odd project"),
        pytest.param("ticket_url", "https://support.example.com/CMK-1?a=b#c", {"mode": "manual"}, id="ticket's page"),
        pytest.param("ticket_told", "2026-11-24 03:00", {"ticket_told": "2026-11-24 03:00"}, id="told"),
        pytest.param("support_mode", "Manual", {"mode": "manual"}, id="mode in capitals"),
        pytest.param("sites", "https://a.example.com,https://b.example.com", {}, id="sites with a comma"),
        pytest.param("sites", ["a", "b", "a"], {"sites": ["a", "b"]}, id="sites twice"),
        pytest.param("sites", '["a", "b"]', {"sites": ["a", "b"]}, id="sites as JSON text"),
        pytest.param("report_dir", "/tmp/reports/", {"report_dir": "/tmp/reports/acme"}, id="folder with a slash"),
        pytest.param("comment_template", "mine.j2", {"comment_template": "mine.j2"}, id="template"),
        pytest.param("comment_template", None, {"comment_template": ""}, id="template null"),
        *[
            pytest.param("secure_logging", value, {"secure_logging": expected}, id=f"logging {value!r}")
            for value, expected in ((None, True), ("", True), ("yes", True), ("no", False), (False, False))
        ],
    ],
)
def test_read(name: str, value: Any, expected: dict[str, Any]) -> None:
    assert fine(**{name: value}).items() >= expected.items()


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        ("~/cmk-reports", "/home/operator/cmk-reports/acme"),
        ("~", "/home/operator/acme"),
        ("~/", "/home/operator/acme"),
        ("/var/lib/../lib/cmk", "/var/lib/cmk/acme"),
    ],
)
def test_a_home_is_the_operators(monkeypatch: pytest.MonkeyPatch, value: str, folder: str) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    assert fine(report_dir=value)["report_dir"] == folder


@pytest.mark.parametrize(
    "value", ["reports", "./reports", "../reports", ".", "~root/reports", "~nobody-here", "$HOME/a", " a"]
)
def test_a_relative_folder_is_refused(value: str) -> None:
    # It would give one journal for each working directory.
    problem = f"cmk_report_dir must be an absolute path or begin with ~/, but is '{value.strip()}'."
    result = read(report_dir=value)
    assert (result["problems"], result["report_dir"]) == ([problem], "")


def test_a_home_that_is_relative_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "somewhere")
    assert "cmk_report_dir must be an absolute path" in read(report_dir="~/reports")["problems"][0]


def test_a_symbolic_link_of_the_operators_is_resolved_once(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert fine(report_dir=str(tmp_path / "link"))["report_dir"] == str(tmp_path / "real" / "acme")
    # Below it, none is: what follows finds it, and refuses it.
    (tmp_path / "real" / "acme").symlink_to(tmp_path)
    assert fine(report_dir=str(tmp_path / "link"))["report_dir"] == str(tmp_path / "real" / "acme")


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), ("true", True), ("no", False), ("", False), (None, False)]
)
def test_breaking_the_lock(value: Any, expected: bool) -> None:
    assert fine(break_lock=value)["break_lock"] is expected


CONTROL = "must be one line of at most"
BAD: list[tuple[str, str, Any, str]] = [
    # id, name, value, what the problem says
    ("missing", "org", None, "No organization is named"),
    ("empty", "org", "", "No organization is named"),
    ("blank", "org", " \t", "No organization is named"),
    ("list", "org", ["acme"], "cmk_org must be a text, but is ['acme']."),
    ("true", "org", True, "cmk_org must be a text, but is True."),
    ("too long", "org", "x" * 256, "cmk_org must be one line of at most 255 characters"),
    ("newline", "org", "ac\nme", "cmk_org " + CONTROL),
    ("nul", "org", "ac\0me", "cmk_org " + CONTROL),
    ("escape", "org", "\x1b[2Jacme", "cmk_org " + CONTROL),
    ("next line", "org", "ac\x85me", "cmk_org " + CONTROL),
    ("line separator", "org", "ac\u2028me", "cmk_org " + CONTROL),
    ("right to left", "org", "ac\u202eme", "cmk_org " + CONTROL),
    ("half a character", "org", "ac\ud800me", "cmk_org " + CONTROL),
    ("missing", "realm", None, "No realm is given. Known are United States, Germany, Japan, South Korea."),
    ("empty", "realm", "", "No realm is given."),
    ("false", "realm", False, "No realm is given."),
    ("unknown", "realm", "Atlantis", "The realm 'Atlantis' is not known. Known are United States, Germany,"),
    ("misspelt", "realm", "UnitedStates", "The realm 'UnitedStates' is not known."),
    ("map", "realm", {"a": 1}, "cmk_realm must be a text, but is {'a': 1}."),
    ("too long", "realm", "x" * 101, "cmk_realm must be one line of at most 100 characters"),
    ("number", "regions", 7, "cmk_regions must be a list, or a text with commas, but is 7."),
    ("map", "regions", {"us-east-1": KEY}, "cmk_regions must be a list, or a text with commas"),
    ("nested", "regions", [["us-east-1"]], "cmk_regions must be a text, but is ['us-east-1']."),
    ("true", "regions", True, "cmk_regions must be a list, or a text with commas, but is True."),
    ("zone", "regions", "us-east-1a", "cmk_regions names 'us-east-1a', which is not an AWS region."),
    ("semicolons", "regions", "us-east-1;us-west-2", "which is not an AWS region."),
    ("capitals", "regions", "US-EAST-1", "cmk_regions names 'US-EAST-1', which is not an AWS region."),
    ("path", "regions", "../us-east-1", "which is not an AWS region."),
    ("host", "regions", "evil.example.com/us-east-1", "which is not an AWS region."),
    ("broken JSON", "regions", '["us-east-1"', "which is not an AWS region."),
    ("deep JSON", "regions", "[" * 100_000, "cmk_regions " + CONTROL),
    ("missing", "key", None, "No key is given for region us-east-1. Set cmk_key, or cmk_keys[us-east-1]."),
    ("empty", "key", "", "No key is given for region us-west-2."),
    ("list", "key", [KEY], "cmk_key must be a text"),
    ("without alias/", "key", "atlassian-cmk", "'atlassian-cmk' is not a KMS key id"),
    ("of AWS", "key", "alias/aws/ebs", "alias of an AWS managed key"),
    ("of another region", "key", arn("us-east-1"), "is in region us-east-1, but a key in region us-west-2"),
    ("newline inside", "key", "alias/a\nb", "cmk_key " + CONTROL),
    ("list", "keys", [KEY], "cmk_keys must be a map from region to key, but is ['alias/atlassian-cmk']."),
    ("text", "keys", KEY, "cmk_keys must be a map from region to key"),
    ("broken JSON", "keys", '{"us-east-1": ', "cmk_keys must be a map from region to key"),
    ("JSON list", "keys", '["us-east-1"]', "cmk_keys must be a map from region to key"),
    ("deep JSON", "keys", '{"a":' * 100_000, "cmk_keys must be a map from region to key"),
    ("number", "keys", 7, "cmk_keys must be a map from region to key, but is 7."),
    (
        "region outside",
        "keys",
        {"eu-west-1": KEY},
        "cmk_keys names 'eu-west-1', which is not a region in use (us-east-1,",
    ),
    ("region misspelt", "keys", {"us_east_1": KEY}, "cmk_keys names 'us_east_1', which is not a region in use"),
    ("map inside", "keys", {"us-east-1": {"id": KEY}}, "cmk_keys must be a text, but is {'id':"),
    ("wrong inside", "keys", {"us-east-1": "nonsense"}, "'nonsense' is not a KMS key id"),
    ("null region", "keys", {None: KEY}, "cmk_keys names '', which is not a region in use"),
    ("short", "account_id", "1111", "cmk_account_id must be 12 digits, but is '1111'."),
    ("letters", "account_id", "11112222333x", "cmk_account_id must be 12 digits"),
    ("hyphens", "account_id", "1111-2222-3333", "cmk_account_id must be 12 digits"),
    ("other digits", "account_id", "١" * 12, "cmk_account_id must be 12 digits"),
    ("negative", "account_id", -1, "cmk_account_id must be 12 digits"),
    ("long number", "account_id", 1111222233334, "cmk_account_id must be 12 digits"),
    ("point", "account_id", 111122223333.0, "cmk_account_id must be a text"),
    ("true", "account_id", True, "cmk_account_id must be a text, but is True."),
    ("word", "cancel_deletion", "maybe", "cmk_cancel_deletion must be true or false, but is 'maybe'."),
    ("two", "cancel_deletion", 2, "cmk_cancel_deletion must be true or false, but is 2."),
    ("list", "cancel_deletion", [True], "cmk_cancel_deletion must be true or false"),
    ("unit", "wait_timeout", "5m", "cmk_wait_timeout must be a number"),
    ("no duration", "verify_limit", "soon", "cmk_verify_limit must be a number of seconds, or a duration such as 5m"),
    ("a boolean", "verify_limit", True, "cmk_verify_limit must be a number of seconds"),
    ("a duration too long", "verify_limit", "91d", "cmk_verify_limit must be a number from 0 to"),
    ("too often", "verify_interval", 0.5, "cmk_verify_interval must be a number from 1 to 86400"),
    ("a long tag", "context_tag", "AcmeCMK123456", "cmk_context_tag must be at most 12 letters and digits"),
    ("no tag", "context_tag", "Acme-CMK", "cmk_context_tag must be at most 12 letters and digits"),
    ("a short account", "atlassian_account_id", "4444", "cmk_atlassian_account_id must be 12 digits"),
    ("no account", "atlassian_account_id", ["444455556666", "Atlassian"], "cmk_atlassian_account_id must be 12 digits"),
    ("a boolean as account", "atlassian_account_id", True, "cmk_atlassian_account_id must be"),
    ("no path", "site_path", "status", "cmk_site_path must be a path that begins with a slash"),
    ("a host", "site_path", "/x y", "cmk_site_path must be a path that begins with a slash"),
    ("no status", "site_status", 42, "cmk_site_status must be a whole number from 200 to 599"),
    ("negative", "wait_timeout", -1, "cmk_wait_timeout must be a number"),
    ("too long", "wait_timeout", 3601, "cmk_wait_timeout must be a number"),
    ("nan", "wait_timeout", "nan", "cmk_wait_timeout must be a number"),
    ("infinite", "wait_timeout", float("inf"), "cmk_wait_timeout must be a number"),
    ("true", "wait_timeout", True, "cmk_wait_timeout must be a number"),
    ("list", "wait_timeout", [5], "cmk_wait_timeout must be a number"),
    ("none", "wait_reads", 0, "cmk_wait_reads must be a whole number from 1 to 100"),
    ("too many", "wait_reads", 101, "cmk_wait_reads must be a whole number"),
    ("one and a half", "wait_reads", "1.5", "cmk_wait_reads must be a whole number"),
    ("comma", "wait_delay", "0,5", "cmk_wait_delay must be a number"),
    ("list", "aws_profile", ["acme"], "cmk_aws_profile must be a text"),
    ("newline", "aws_profile", "a\nb", "cmk_aws_profile " + CONTROL),
    ("name", "assume_role_arn", "cmk-operator", "cmk_assume_role_arn must be the ARN of an IAM role"),
    ("user", "assume_role_arn", ROLE.replace("role", "user"), "cmk_assume_role_arn must be the ARN of an IAM role"),
    ("map", "assume_role_arn", {"arn": ROLE}, "cmk_assume_role_arn must be a text"),
    ("list", "assume_role_external_id", ["x"], "cmk_assume_role_external_id must be a text"),
    ("slash", "ticket", "CMK-1/comment", "cmk_ticket must be a ticket's key such as ABC-123, but is 'CMK-1/comment'."),
    ("upwards", "ticket", "../CMK-1", "cmk_ticket must be a ticket's key"),
    ("encoded", "ticket", "%2e%2e%2fCMK-1", "cmk_ticket must be a ticket's key"),
    ("query", "ticket", "CMK-1?expand=x", "cmk_ticket must be a ticket's key"),
    ("fragment", "ticket", "CMK-1#x", "cmk_ticket must be a ticket's key"),
    ("space", "ticket", "CMK 1", "cmk_ticket must be a ticket's key"),
    ("two", "ticket", "CMK-1 CMK-2", "cmk_ticket must be a ticket's key"),
    ("URL", "ticket", "https://support.example.com/CMK-1", "cmk_ticket must be a ticket's key"),
    ("newline inside", "ticket", "CMK-1\nX-2", "cmk_ticket " + CONTROL),
    ("without number", "ticket", "CMK-", "cmk_ticket must be a ticket's key"),
    ("without project", "ticket", "-1", "cmk_ticket must be a ticket's key"),
    ("not ASCII", "ticket", "ſUPPORT-1", "cmk_ticket must be a ticket's key"),
    ("other digits", "ticket", "CMK-١", "cmk_ticket must be a ticket's key"),
    ("list", "ticket", ["CMK-1"], "cmk_ticket must be a text"),
    ("true", "ticket", True, "cmk_ticket must be a text"),
    ("list", "ticket_told", ["now"], "cmk_ticket_told must be a text"),
    ("true", "ticket_told", True, "cmk_ticket_told must be a text"),
    ("script", "ticket_url", "javascript:alert(1)", "cmk_ticket_url must be a URL such as"),
    ("file", "ticket_url", "file:///etc/passwd", "cmk_ticket_url must be a URL such as"),
    ("space", "ticket_url", "https://support.example.com/a b", "cmk_ticket_url must be a URL such as"),
    ("other", "support_mode", "fax", "cmk_support_mode must be api or mail or manual, but is 'fax'."),
    ("list", "support_mode", ["api"], "cmk_support_mode must be a text"),
    ("map", "sites", {"a": 1}, "cmk_sites must be a list, or a text with commas"),
    ("map inside", "sites", [{"a": 1}], "cmk_sites must be a text, but is {'a': 1}."),
    ("number", "sites", 1.5, "cmk_sites must be a list, or a text with commas, but is 1.5."),
    ("missing", "report_dir", None, "cmk_report_dir is not set"),
    ("empty", "report_dir", "", "cmk_report_dir is not set"),
    ("list", "report_dir", ["/tmp"], "cmk_report_dir must be a text"),
    ("list", "comment_template", ["a.j2"], "cmk_comment_template must be a text"),
    ("word", "secure_logging", "maybe", "cmk_secure_logging must be true or false, but is 'maybe'."),
    ("list", "secure_logging", [], "cmk_secure_logging must be true or false, but is []."),
    ("word", "break_lock", "maybe", "cmk_break_lock must be true or false, but is 'maybe'."),
    ("user", "unfit_credentials", ["cmk_support_user"], "cmk_support_user must be one line of text."),
    ("nul", "report_dir", "/tmp/\0", "cmk_report_dir " + CONTROL),
]


@pytest.mark.parametrize(
    ("name", "value", "said"), [pytest.param(*row, id=f"{row[0]}: {ident}") for ident, *row in BAD]
)
def test_refused(name: str, value: Any, said: str) -> None:
    problems = read(**{name: value})["problems"]
    assert any(said in problem for problem in problems), problems
    readable(problems)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        ({"atlassian_org_id": "../x"}, "cmk_atlassian_org_id must be the id in the URL of Atlassian Administration"),
        (
            {"atlassian_api_url": "http://api.example.com"},
            "is 'http://api.example.com', and a token would travel in clear.",
        ),
        ({"atlassian_api_url": "https://api.example.com?"}, "must be the base URL, without query or fragment."),
        ({"atlassian_api_url": ""}, ""),
    ],
    ids=str,
)
def test_where_atlassian_is_asked(given: dict[str, Any], said: str) -> None:
    """What only a verification needs is read by verify alone, so that it keeps no key from being enabled."""
    usual = {"atlassian_org_id": "0f6c-1", "atlassian_api_url": "https://api.example.com/", **given}
    found = read("verify", **usual)
    assert said in " ".join(found["problems"])
    assert bool(found["problems"]) is bool(said)
    asked = not said and usual["atlassian_api_url"]
    assert found["workspaces_url"] == ("https://api.example.com/admin/v2/orgs/0f6c-1/workspaces" if asked else "")
    for command in ("restore", "assess", "revoke"):
        other = read(command, **usual)
        assert (other["problems"], other["workspaces_url"]) == ([], "")


@pytest.mark.parametrize("path", ["", "/var/lib/node/cmk-acme.prom", "~/link/cmk.prom"])
def test_the_metrics_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Its folder may be a symbolic link, and the file itself is left for the writing to refuse."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real/cmk.prom").symlink_to("/etc/passwd")
    expected = str(tmp_path / "real/cmk.prom") if path.startswith("~") else path
    assert fine(metrics_file=path)["metrics_file"] == expected


@pytest.mark.parametrize(
    ("name", "least", "most", "step"),
    [
        ("wait_timeout", 0, 3600, 0.5),
        ("wait_reads", 1, 100, 1),
        ("wait_delay", 0, 60, 0.5),
        ("site_status", 200, 599, 1),
        ("verify_limit", 0, 90 * 86400, 0.5),
        ("verify_interval", 1, 86400, 0.5),
        ("expected_use", 0, 3650 * 86400, 0.5),
    ],
)
def test_bounds(name: str, least: float, most: float, step: float) -> None:
    for value in (least, most):
        assert fine(**{name: value})[name] == value
    for value in (least - step, most + step):
        (problem,) = read(**{name: value})["problems"]
        assert problem.startswith(f"cmk_{name} must be a ")


def test_the_longest_realm() -> None:
    assert "is not known" in read(realm="x" * 100)["problems"][0]


@pytest.mark.parametrize("more", [{}, {**API, "sites": "a,b", "atlassian_account_id": "444455556666", "key": ""}])
def test_they_pass_from_task_to_task(more: dict[str, Any]) -> None:
    settings = read_settings({**GIVEN, **more}, REALMS)
    assert Settings.from_json({**settings.as_json(), "more": 1}) == settings
    by_mail = read_settings({**GIVEN, **MAIL}, REALMS)
    assert by_mail.mail
    assert Settings.from_json(json.loads(json.dumps(by_mail.as_json()))) == by_mail


def test_what_is_not_told_is_as_in_the_roles_defaults() -> None:
    unset, told = Settings.from_json({}), read_settings({}, REALMS)
    for name in ("cancel_deletion", "wait_timeout", "wait_reads", "wait_delay", "access_accept", "site_path"):
        assert getattr(unset, name) == getattr(told, name), name
    for name in (
        "site_status",
        "verify_follow",
        "verify_interval",
        "break_lock",
        "secure_logging",
        "programme",
        "prove_permission",
    ):
        assert getattr(unset, name) == getattr(told, name), name
    assert (unset, unset.verify_limit, unset.expected_use, unset.problems, unset.keys) == (Settings(), 0, 0, (), ())


def test_when_access_was_lost() -> None:
    assert fine(revoked_at="2026-11-20 09:15+01:00")["revoked_at"] == "2026-11-20T08:15:00Z"
    assert fine(revoked_at=" ")["revoked_at"] == ""
    (problem,) = read(revoked_at="yesterday")["problems"]
    assert problem.startswith("cmk_revoked_at cannot be used: revoked_at is 'yesterday', which is not a time")


def readable(problems: list[str]) -> None:
    for problem in problems:
        assert len(problem) < 800
        assert problem.isprintable()
        assert problem.endswith(".")


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        pytest.param("a?b", "'a?b'", id="question"),
        pytest.param("a=b", "'a=b'", id="equals"),
        pytest.param("?token=odd", "not shown here, since it may hold a secret", id="query"),
        pytest.param("a@b", "not shown here, since it may hold a secret", id="at"),
        pytest.param("x" * 78, f"'{'x' * 78}'", id="just short enough"),
        pytest.param("x" * 79, f"'{'x' * 59}… (81 characters)", id="just too long"),
    ],
)
def test_what_was_seen_is_shown(mode: str, said: str) -> None:
    assert read(support_mode=mode)["problems"] == [f"cmk_support_mode must be api or mail or manual, but is {said}."]


def test_the_longest_text() -> None:
    url = "https://support.example.com/"
    assert fine(ticket_told=f"{url:x<2048}")["ticket_told"] == f"{url:x<2048}"
    assert "one line of at most 2048 characters" in read(ticket_told=f"{url:x<2049}")["problems"][0]


@pytest.mark.parametrize("note", ["no", "not yet", "2099-01-01T00:00:00Z", "https://", "support.example.com/CMK-1"])
def test_a_note_is_a_time_or_a_url(note: str) -> None:
    (problem,) = read(ticket_told=note)["problems"]
    assert problem.startswith("cmk_ticket_told is ")
    assert "in ISO 8601" in problem
    assert "URL of the comment" in problem


@pytest.mark.parametrize("empty", [None, "", "  ", "\n"])
@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("wait_timeout", 300.0),
        ("wait_reads", 3),
        ("wait_delay", 0.5),
        ("site_status", 200),
        ("verify_limit", 28800.0),
        ("verify_interval", 300.0),
    ],
)
def test_an_empty_answer_means_the_default(name: str, default: float, empty: str | None) -> None:
    assert fine(**{name: empty})[name] == default


def test_every_variable_may_be_missing() -> None:
    problems = list(read_settings({}, REALMS).problems)
    assert [problem.split(" ")[0] for problem in problems if problem.startswith("cmk_")] == ["cmk_report_dir"]
    assert [problem for problem in problems if not problem.startswith("cmk_")] == [
        "No organization is named. Run the role on the organization's inventory host, or set cmk_org.",
        "No realm is given. Known are United States, Germany, Japan, South Korea. Set cmk_realm to one of them, "
        "or name cmk_regions.",
    ]


REVOKE: dict[str, Any] = {"command": "revoke", "confirm": "acme"}


@pytest.mark.parametrize(
    "desk",
    [
        {"support_url": "http://desk.invalid"},
        {"support_url": "https://operator:Secret@support.example.com"},
        {"support_mode": "mail"},
        {"ticket": ""},
        {"ticket": "no ticket's key"},
        {"ticket_url": "javascript:alert(1)"},
        {"unfit_credentials": ["cmk_support_token"]},
    ],
    ids=",".join,
)
def test_what_concerns_the_ticket_does_not_stop_a_revocation(desk: dict[str, Any]) -> None:
    assert read(**{**API, **desk})["problems"]
    found = read(**{**API, **desk, **REVOKE})
    assert found["problems"] == []
    assert {found[name] for name in ("ticket", "ticket_url", "support_url", "mode", "ticket_told")} == {""}


def test_what_concerns_the_ticket_stops_a_drill_before_it_revokes() -> None:
    for wrong in ({"ticket": ""}, {"support_url": "http://desk.invalid"}, {"unfit_credentials": ["cmk_support_token"]}):
        assert read("drill", **{**API, **wrong})["problems"] == read(**{**API, **wrong})["problems"] != []


@pytest.mark.parametrize(("value", "drill"), [(True, True), ("true", True), (False, False), ("", False), (None, False)])
def test_the_mark_of_a_drill(value: object, drill: bool) -> None:
    found = read(drill=value)
    assert (found["drill"], found["problems"]) == (drill, [])


@pytest.mark.parametrize("wrong", [{"realm": "Mars"}, {"key": ""}, {"account_id": "1"}, {"report_dir": ""}])
def test_what_concerns_the_keys_does(wrong: dict[str, Any]) -> None:
    assert read(**{**REVOKE, **wrong})["problems"]


def test_the_confirmation_stays_as_it_was_typed() -> None:
    assert read(**REVOKE, org=" acme ")["org"] == "acme"
    assert read("revoke", confirm=" acme ")["confirm"] == " acme "
    assert read("drill", confirm=" acme ")["confirm"] == " acme "
    assert read(confirm="acme")["confirm"] is None


@pytest.mark.parametrize("name", [name for name in GIVEN if name not in ("has_token", "now")])
@pytest.mark.parametrize("letter", ["x", "1", "["])
def test_ten_megabytes_are_told_in_one_line(name: str, letter: str) -> None:
    began = time.process_time()
    problems = read(**{name: letter * 10_000_000})["problems"]
    assert time.process_time() - began < 5
    assert problems
    readable(problems)


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2"])
def test_an_arn_of_another_account_is_refused_before_any_call(region: str) -> None:
    problems = read(account_id=ACCOUNT, keys={region: arn(region, account=OTHER_ACCOUNT)})["problems"]
    assert len(problems) == 1
    assert f"belongs to account {OTHER_ACCOUNT}, but account {ACCOUNT} is expected" in problems[0]


def test_all_mistakes_are_told_at_once() -> None:
    problems = read(realm="Atlantis", account_id="1", wait_reads=0, ticket="x", sites=7)["problems"]
    assert len(problems) == 5


def test_regions_go_before_the_realm() -> None:
    result = fine(realm="Japan", regions=["eu-central-1"])
    assert result["realm"] == "Japan"
    assert [key["region"] for key in result["keys"]] == ["eu-central-1"]


def test_a_realm_that_is_not_in_the_table_with_its_regions() -> None:
    result = fine(realm="Switzerland", regions="eu-central-2")
    assert result["realm"] == "Switzerland"
    assert result["keys"] == [{"region": "eu-central-2", "key_id": KEY}]


def test_the_table_of_realms_is_left_alone() -> None:
    before = json.dumps(REALMS)
    fine()["keys"].clear()
    assert json.dumps(REALMS) == before


class TestSupportDesk:
    @pytest.mark.parametrize(
        ("given_url", "url"),
        [
            ("https://support.example.com", "https://support.example.com"),
            (" https://support.example.com/ ", "https://support.example.com"),
            ("https://support.example.com/jira/", "https://support.example.com/jira"),
            ("https://support.example.com:8443", "https://support.example.com:8443"),
            ("HTTPS://support.example.com", "HTTPS://support.example.com"),
            ("http://127.0.0.1:5601", "http://127.0.0.1:5601"),
            ("http://localhost:5601", "http://localhost:5601"),
            ("http://[::1]:5601", "http://[::1]:5601"),
        ],
    )
    def test_good_urls(self, given_url: str, url: str) -> None:
        result = fine(**API | {"support_url": given_url})
        assert (result["support_url"], result["mode"]) == (url, "api")

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            pytest.param("support.example.com", "must be a URL such as https://support.example.com", id="no scheme"),
            pytest.param("//support.example.com", "must be a URL such as", id="no scheme but slashes"),
            pytest.param("ftp://support.example.com", "must be a URL such as", id="another scheme"),
            pytest.param("https://", "must be a URL such as", id="no host"),
            pytest.param("https:///jira", "must be a URL such as", id="no host but a path"),
            pytest.param("https://support.example.com/a b", "must be a URL such as", id="space"),
            pytest.param("https://support.example.com\\x", "must be a URL such as", id="backslash"),
            pytest.param('https://support.example.com/"', "must be a URL such as", id="quote"),
            pytest.param("https://[::1", "is not a URL", id="half an address"),
            pytest.param("https://support.example.com:99999", "is not a URL", id="no such port"),
            pytest.param("https://support.example.com:https", "is not a URL", id="port not a number"),
            pytest.param("https://support.example.com?a=b", "without query or fragment", id="query"),
            pytest.param("https://support.example.com/#a", "without query or fragment", id="fragment"),
            pytest.param("https://support.example.com/?", "without query or fragment", id="empty query"),
            pytest.param("https://support.example.com/#", "without query or fragment", id="empty fragment"),
            pytest.param("http://support.example.com", "a token would travel in clear. Use https.", id="plain http"),
            pytest.param("http://0.0.0.0:5601", "a token would travel in clear", id="any address"),
            pytest.param("http://10.0.0.1", "a token would travel in clear", id="private address"),
            pytest.param("http://localhost.example.com", "a token would travel in clear", id="like localhost"),
            pytest.param("http://127.0.0.1.example.com", "a token would travel in clear", id="like an address"),
            pytest.param(["https://support.example.com"], "cmk_support_url must be a text", id="list"),
            pytest.param("https://support.example.com\nx", CONTROL, id="newline"),
        ],
    )
    def test_bad_urls(self, url: Any, said: str) -> None:
        problems = read(**API | {"support_url": url})["problems"]
        assert any(problem.startswith("cmk_support_url") and said in problem for problem in problems), problems
        readable(problems)

    @pytest.mark.parametrize("name", ["support_url", "ticket_url"])
    @pytest.mark.parametrize(
        "url",
        [
            "https://operator:odd-Secret-9@support.example.com",
            "https://operator:odd-Secret-9@support.example.com:99999",
            "http://:odd-Secret-9@support.example.com",
            "https://odd-Secret-9@support.example.com",
            "//operator:odd-Secret-9@support.example.com",
            "operator:odd-Secret-9@support.example.com",
            "https:/operator:odd-Secret-9@support.example.com",
            "https:\\\\operator:odd-Secret-9@support.example.com",
            "ht tps://operator:odd-Secret-9@support.example.com",
            "https://operator:odd-Secret-9@support.example.com/a b",
            "https://operator:odd-Secret-9@support.example.com/\x07",
            "https://operator:odd-Secret-9@support.example.com/" + "x" * 3000,
            "https://operator:odd-Secret-9@[::1",
            ["https://operator:odd-Secret-9@support.example.com"],
            {"url": "https://operator:odd-Secret-9@support.example.com"},
        ],
        ids=lambda url: str(url)[:40].encode("unicode_escape").decode(),
    )
    def test_credentials_in_a_url_are_refused_and_never_shown(self, name: str, url: Any) -> None:
        result = read(**API | {name: url})
        assert any(problem.startswith(f"cmk_{name} ") for problem in result["problems"])
        assert "odd-Secret" not in str(result)

    def test_a_token_in_a_query_is_never_shown(self) -> None:
        for url in ("https://support.example.com/?token=odd-Secret-9", "support.example.com?token=odd-Secret-9"):
            result = read(**API | {"support_url": url})
            assert result["problems"]
            assert "odd-Secret" not in str(result)

    @pytest.mark.parametrize(
        ("missing", "name"),
        [
            ({"support_url": ""}, "cmk_support_url"),
            ({"has_token": False}, "cmk_support_token"),
            ({"ticket": ""}, "cmk_ticket"),
        ],
        ids=["url", "token", "ticket"],
    )
    def test_api_needs(self, missing: dict[str, Any], name: str) -> None:
        problems = read(**API | {"support_mode": "api"} | missing)["problems"]
        assert len(problems) == 1
        assert problems[0].startswith(f"{name} is not set, but the ticket is to be told by API.")
        assert "cmk_support_mode=manual" in problems[0]

    def test_where_the_ticket_is_asked_for(self) -> None:
        url = "https://support.example.com/rest/servicedeskapi/request/CMK-1"
        assert fine(**API, support_mode="api")["request_url"] == fine(**API | {"ticket": "cmk-1"})["request_url"] == url
        assert fine(**API, support_mode="manual")["request_url"] == ""

    @pytest.mark.parametrize(("digits", "fits"), [(251, True), (252, False)])
    def test_the_longest_key(self, digits: int, fits: bool) -> None:
        assert bool(read(ticket=f"CMK-{'1' * digits}")["problems"]) is not fits

    def test_manual_needs_nothing(self) -> None:
        assert fine(support_mode="manual")["mode"] == "manual"

    def test_manual_in_spite_of_a_url(self) -> None:
        assert fine(support_url="https://support.example.com", support_mode="manual")["mode"] == "manual"


class TestSlug:
    NAMES = (
        "acme",
        "Acme",
        "acme corp",
        "acme-corp",
        "acme_corp",
        "acme/corp",
        "acme.",
        ".acme",
        "-acme",
        "äcme",
        "acme-",
    )
    STRANGE = (
        "",
        ".",
        "..",
        "...",
        "/",
        "../..",
        "-rf",
        "a/../b",
        "con\0",
        "x" * 64,
        "x" * 65,
        "x" * 255,
        "組織",
        "組",
    )

    def test_a_plain_name_stays(self) -> None:
        for name in ("acme", "acme-2.eu_west", "x" * 64, "acme.com", "jsonify", "acme-12345678x"):
            assert slug(name) == name

    @pytest.mark.parametrize(
        ("name", "begins"), [("acme corp", "acme-corp-"), ("x" * 65, "x" * 64 + "-"), ("組織", "org-"), ("", "org-")]
    )
    def test_a_changed_name_gets_a_hash(self, name: str, begins: str) -> None:
        assert re.fullmatch(re.escape(begins) + "[0-9a-f]{8}", slug(name))

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "index.html",
                "lock.json",
                "restoration.json",
                "comment.txt",
                "report.md",
                "index",
                "index-2",
                "fleet",
                "run",
                "runs",
            ),
            *("20261124t030000z-restore", "acme-0123abcd"),
        ],
    )
    def test_a_name_of_ours_gets_a_hash(self, name: str) -> None:
        assert re.fullmatch(re.escape(name) + "-[0-9a-f]{8}", slug(name))

    def test_names_that_differ_in_case_alone_do_not_collide(self) -> None:
        names = ("acme", "Acme", "ACME", "aCME", "INDEX.HTML", "index.html", "Fleet", "fleet")
        assert len({slug(name).lower() for name in names}) == len(names)
        assert slug("acme") == "acme"
        assert re.fullmatch(r"Acme-[0-9a-f]{8}", slug("Acme"))

    @given(st.text(max_size=80))
    def test_no_name_is_another_ones_slug(self, name: str) -> None:
        assert slug(name) == name or slug(slug(name)) != slug(name)

    def test_none_collide(self) -> None:
        names = (*self.NAMES, *self.STRANGE)
        assert len({slug(name) for name in names}) == len(names)

    @given(st.one_of(st.text(), st.sampled_from(STRANGE), st.from_regex(r"[./ -]{1,9}", fullmatch=True)))
    def test_it_is_always_safe_in_a_path(self, org: str) -> None:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,72}", slug(org))
        assert os.path.normpath(f"/reports/{slug(org)}") == f"/reports/{slug(org)}"

    @given(st.lists(st.text(max_size=80), unique=True, max_size=30))
    def test_different_names_have_different_folders(self, names: list[str]) -> None:
        # On a file system that does not tell cases apart, too.
        assert len({slug(name).lower() for name in names}) == len(names)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4))


odd = [KEY, "us-east-1", "Japan", ACCOUNT, "CMK-1", "https://support.example.com", "api", "[1", '{"a": [1]}', "[]"]
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec=None)), st.sampled_from(odd)
)
json_like = st.recursive(leaves, nested, max_leaves=8)


def well_formed(result: Mapping[str, Any]) -> bool:
    regions = [key["region"] for key in result["keys"]]
    return (
        bool(regions)
        and len(set(regions)) == len(regions)
        and all(re.fullmatch(r"[a-z]+(-[a-z]+)+-[0-9]", region) for region in regions)
        and all(
            re.fullmatch(r"(arn:aws[a-z-]*:kms:.*:)?(key/|alias/)?[A-Za-z0-9/_-]+", key["key_id"])
            for key in result["keys"]
        )
        and bool(re.fullmatch(r"([0-9]{12})?", result["account_id"]))
        and bool(re.fullmatch(r"([A-Z][A-Z0-9_]*-[0-9]+|[0-9]+)?", result["ticket"]))
        and os.path.isabs(result["report_dir"])
        and bool(re.fullmatch(r"[\w=,.@-]{2,64}", result["session_name"], re.ASCII))
        and "@" not in result["support_url"]
    )


@given(st.dictionaries(st.sampled_from(sorted(set(GIVEN) - {"now"})), json_like, max_size=5))
@example({"org": "\ud800"})
@example({"regions": '"us-east-1"'})
@example({"keys": {"us-east-1": KEY, "us-west-2": KEY}, "key": None})
def test_nothing_breaks_the_reader(more: dict[str, Any]) -> None:
    result = read(**more)
    readable(result["problems"])
    assert result["problems"] or well_formed(result)


@given(
    realm=st.sampled_from([*REALMS, "united_states", ""]),
    regions=st.lists(st.sampled_from(["us-east-1", "us-west-2", "eu-central-1", "nowhere"]), max_size=3),
    keys=st.dictionaries(st.sampled_from(["us-east-1", "us-west-2"]), st.sampled_from([KEY, "alias/b", "b", ""])),
    key=st.sampled_from([KEY, "", arn("us-west-2")]),
)
def test_without_problems_every_region_has_its_key(
    realm: str, regions: list[str], keys: dict[str, str], key: str
) -> None:
    result = read(realm=realm, regions=regions, keys=keys, key=key)
    if result["problems"]:
        return
    wanted = list(dict.fromkeys(regions)) or REALMS[result["realm"]]
    assert [found["region"] for found in result["keys"]] == wanted
    assert all(found["key_id"] == (keys.get(found["region"]) or key) for found in result["keys"])
    assert well_formed(result)


def as_awx(value: Any) -> Any:
    """A value as a survey or ``-e name=value`` hands it: always a text."""
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return "" if value is None else str(value)


def test_texts_give_the_same_settings() -> None:
    typed: dict[str, Any] = API | {
        "regions": ["us-east-1", "us-west-2"],
        "keys": {"us-west-2": "alias/b"},
        "account_id": ACCOUNT,
        "cancel_deletion": True,
        "wait_timeout": 120,
        "wait_delay": 0.5,
        "sites": ["https://a.example.com"],
    }
    assert fine(**typed) == fine(
        **{name: value if name == "has_token" else as_awx(value) for name, value in typed.items()}
    )


@pytest.mark.parametrize(
    ("user", "token", "names"),
    [
        ("operator@example.com", "abc", []),
        ("operator@example.com", "abc\n", []),
        ("operator@example.com", "", []),
        ("operator@example.com", None, []),
        ("operator@example.com", 12345678, []),
        ("operator@example.com", "a\nb", ["cmk_support_token"]),
        ("operator@example.com", "a\x00b", ["cmk_support_token"]),
        ("operator@example.com", "a\x7fb", ["cmk_support_token"]),
        ("operator@example.com", True, ["cmk_support_token"]),
        ("operator@example.com", ["a"], ["cmk_support_token"]),
        ("operator@example.com", {"a": "b"}, ["cmk_support_token"]),
        ("a\r\nb", "abc", ["cmk_support_user"]),
        (["a"], "a\nb", ["cmk_support_user", "cmk_support_token"]),
        # With a user it is sent as Basic, in base64; alone it stands in the header as it is.
        ("operator@example.com", "ж", []),
        ("", "ж", ["cmk_support_token"]),
        (None, "ж", ["cmk_support_token"]),
        (" \n", "ж", ["cmk_support_token"]),
        ("", "a b", []),
        (None, None, []),
    ],
)
def test_unfit_credentials(user: object, token: object, names: list[str]) -> None:
    assert unfit_credentials(user, token) == names


class TestByok:
    def test_the_keys_are_found_by_their_alias(self) -> None:
        result = fine(programme="BYOK", key="")
        assert result["programme"] == "byok"
        assert result["keys"] == [
            {"region": region, "alias_prefix": "alias/cryptor"} for region in REALMS["United States"]
        ]

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"key": "alias/a"}, "cmk_key cannot be used with cmk_programme=byok"),
            ({"keys": {"us-east-1": "alias/a"}}, "cmk_keys cannot be used with cmk_programme=byok"),
            ({"realm": "Japan"}, "The regions of the BYOK location 'Japan' are not confirmed"),
            ({"command": "verify"}, "cmk_programme=byok works with restore and assess only: verify follows"),
            ({"command": "revoke"}, "cmk_programme=byok works with restore and assess only: revoke follows"),
            ({"programme": "hyok"}, "cmk_programme must be cmk or byok, but is 'hyok'."),
        ],
    )
    def test_problems(self, given: dict[str, Any], said: str) -> None:
        problems = read(**{"key": "", "programme": "byok"} | given)["problems"]
        assert problems[0].startswith(said)

    @pytest.mark.parametrize("realm", ["United States", "Europe"])
    def test_the_locations_whose_regions_atlassians_page_names(self, realm: str) -> None:
        given = {**GIVEN, "key": "", "programme": "byok", "realm": realm}
        found = read_settings(given, {realm: ["eu-west-1", "eu-central-1"]})
        assert (found.problems, [key["region"] for key in found.keys]) == ((), ["eu-west-1", "eu-central-1"])

    def test_a_location_whose_regions_are_named(self) -> None:
        result = fine(programme="byok", key="", realm="Japan", regions="ap-northeast-1")
        assert [key["region"] for key in result["keys"]] == ["ap-northeast-1"]


MAIL = {
    "support_mode": "mail",
    "ticket": "cmk-1",
    "can_mail": True,
    "mail_to": "desk@example.com",
    "mail_from": "operator@example.com",
    "mail_host": "mail.example.com",
    "mail_port": 587,
    "mail_secure": True,
}


def test_mail() -> None:
    assert fine(**MAIL)["mail"] == {
        "to": "desk@example.com",
        "sender": "operator@example.com",
        "host": "mail.example.com",
        "port": 587,
        "secure": True,
        "in_reply_to": "",
    }


@pytest.mark.parametrize("empty", [None, ""])
def test_mail_is_encrypted_unless_it_is_told_not_to_be(empty: str | None) -> None:
    assert fine(**MAIL | {"mail_secure": empty})["mail"]["secure"] is True


def test_mail_as_a_survey_hands_it() -> None:
    mail = fine(**MAIL | {"mail_port": "25", "mail_secure": "false", "mail_in_reply_to": "1.a+b=c@desk.example.com"})[
        "mail"
    ]
    assert (mail["port"], mail["secure"]) == (25, False)
    assert mail["in_reply_to"] == "<1.a+b=c@desk.example.com>"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"mail_to": ""}, "cmk_mail_to is not set, but the ticket is to be told by mail."),
        ({"mail_from": None}, "cmk_mail_from is not set"),
        ({"mail_host": ""}, "cmk_mail_host is not set"),
        ({"ticket": ""}, "cmk_ticket is not set, but the ticket is to be told by mail."),
        ({"ticket": "10001"}, "cmk_ticket is the number 10001, but a desk knows the ticket of a mail by its key"),
        ({"can_mail": False}, "needs the collection community.general, which is not installed here."),
        ({"mail_to": "desk@example.com, other@example.com"}, "cmk_mail_to must be one plain mail address"),
        ({"mail_to": "Desk <desk@example.com>"}, "cmk_mail_to must be one plain mail address"),
        ({"mail_to": "desk@example.com\r\nBcc: other@example.com"}, "cmk_mail_to must be one line"),
        ({"mail_to": ["desk@example.com"]}, "cmk_mail_to must be a text"),
        ({"mail_from": "operator"}, "cmk_mail_from must be one plain mail address"),
        ({"mail_from": "operator@example.com\nCc: a@example.com"}, "cmk_mail_from must be one line"),
        ({"mail_host": "mail.example.com:25"}, "cmk_mail_host must be a host's name or address"),
        ({"mail_host": "mail example"}, "cmk_mail_host must be a host's name or address"),
        ({"mail_port": 0}, "cmk_mail_port must be a whole number from 1 to 65534"),
        ({"mail_port": "smtp"}, "cmk_mail_port must be a whole number"),
        ({"mail_secure": "perhaps"}, "cmk_mail_secure must be true or false"),
        ({"mail_in_reply_to": "no id"}, "cmk_mail_in_reply_to must be the Message-ID"),
        ({"mail_in_reply_to": "<a@b|Bcc=c@example.com>"}, "cmk_mail_in_reply_to must be the Message-ID"),
        ({"mail_in_reply_to": "<a@b> <c@d>"}, "cmk_mail_in_reply_to must be the Message-ID"),
        ({"mail_in_reply_to": "<a@b>\nBcc: c@example.com"}, "cmk_mail_in_reply_to must be one line"),
        ({"has_mail_user": True}, "cmk_mail_password is not set"),
        ({"has_mail_password": True}, "cmk_mail_user is not set"),
        (
            {"mail_secure": False, "has_mail_user": True, "has_mail_password": True},
            "cmk_mail_secure is false, and a password would travel in clear.",
        ),
        ({"unfit_credentials": ["cmk_mail_password"]}, "cmk_mail_password must be one line of text."),
    ],
    ids=str,
)
def test_mail_that_cannot_be_sent(given: dict[str, Any], expected: str) -> None:
    problems = read(**MAIL | given)["problems"]
    assert expected in problems[0]
    # What is unfit counts as not given too; nothing else is wrong.
    assert all("is not set" in problem for problem in problems[1:])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_mail_in_clear_on_this_machine(host: str) -> None:
    given = {"mail_secure": False, "has_mail_user": True, "has_mail_password": True, "mail_host": host}
    assert fine(**MAIL | given)["mail"]["secure"] is False


def test_credentials_of_the_mail_server() -> None:
    assert unfit_credentials("a", "b", "user", "one\ntwo") == ["cmk_mail_password"]
    assert unfit_credentials("a", "b", "user\0", "password\n") == ["cmk_mail_user"]
    assert unfit_credentials("", "b", "ünser", "pässwort") == []
