"""Bad input to the playbook: it works, or the run ends with one clear line before it changes anything."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.playbooks.conftest import ALIAS, REGIONS, Run, World
from tests.standins.aws import AwsStandin
from tests.standins.desk import Desk
from tests.tools.standins import ACCOUNT

ORG: t.Final = ("-e", "org=acme")
GOOD: t.Final = "alias/works"
OTHER: t.Final = "444455556666"
KEY_ID: t.Final = "1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET: t.Final = "odd-Secret-in-a-url-7d1c"
ROLE: t.Final = f"arn:aws:iam::{ACCOUNT}:role/cmk"
WORKS: t.Final = "works"
MISSING: t.Final = object()
# What Jinja and Python say when the collection did not look in time.
RAW: t.Final = (
    "Traceback",
    "is undefined",
    "has no attribute",
    "Error while",
    "Finalization of task args",
    "Error rendering template",
    "unexpected",
)


class Unsafe(str):
    """A text that the inventory marks ``!unsafe``: whatever looks like Jinja in it is none."""

    __slots__ = ()


@dataclass(frozen=True)
class Case:
    """One host's variables, and a part of the message (or WORKS)."""

    name: str
    expected: str
    variables: dict[str, t.Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Organizations are told apart in the output by their names."""
        return re.sub(r"\W+", "-", self.name).strip("-")

    @property
    def org(self) -> str:
        """The name under which the result is published."""
        org = self.variables.get("cmk_org", self.host)
        return str(org).strip() if isinstance(org, (str, int)) and not isinstance(org, bool) else ""


def _arn(region: str, account: str = ACCOUNT, partition: str = "aws", resource: str = f"key/{KEY_ID}") -> str:
    return f"arn:{partition}:kms:{region}:{account}:{resource}"


def _case(name: str, expected: str, **variables: t.Any) -> Case:
    return Case(name, expected, {f"cmk_{key}": value for key, value in variables.items()})


NOT_A_KEY: t.Final = "is not a KMS key id, key ARN, alias name or alias ARN"
NOT_A_TICKET: t.Final = "cmk_ticket must be a ticket's key such as ABC-123, but is "
NOT_SHOWN: t.Final = "but is not shown here, since it may hold a secret"
ONE_LINE: t.Final = "must be one line of at most"

REFUSED: t.Final = (
    # The organization.
    _case("org list", "cmk_org must be a text, but is ['acme'].", org=["acme"]),
    # Realm and regions.
    _case("realm missing", "No realm is given. Known are United States, Europe,", realm=MISSING),
    _case("realm empty", "No realm is given.", realm=""),
    _case("realm unknown", "The realm 'Atlantis' is not known. Known are United States,", realm="Atlantis"),
    _case("realm list", "cmk_realm must be a text, but is ['Europe'].", realm=["Europe"]),
    _case("realm like Jinja", "The realm '{{ 7 * 7 }}' is not known.", realm=Unsafe("{{ 7 * 7 }}")),
    _case("realm with a newline", f"cmk_realm {ONE_LINE} 100 characters", realm="United\nStates"),
    _case("regions number", "cmk_regions must be a list, or a text with commas, but is 7.", regions=7),
    _case("regions zone", "cmk_regions names 'us-east-1a', which is not an AWS region.", regions="us-east-1a"),
    _case("regions host", "which is not an AWS region.", regions=["x.example.com/us-east-1"]),
    # Keys.
    _case("key missing", "No key is given for region us-east-1. Set cmk_key, or cmk_keys[us-east-1].", key=MISSING),
    _case("key empty", "No key is given for region us-west-2.", key=""),
    _case("key list", "cmk_key must be a text, but is ['alias/atlassian-cmk'].", key=[ALIAS]),
    _case("key number", f"'42' {NOT_A_KEY}", key=42),
    _case("key without alias", f"'atlassian-cmk' {NOT_A_KEY}", key="atlassian-cmk"),
    _case("key alias empty", f"'alias/' {NOT_A_KEY}", key="alias/"),
    _case("key of AWS", "alias/aws/ebs is an alias of an AWS managed key", key="alias/aws/ebs"),
    _case("key id too short", f"'1234abcd' {NOT_A_KEY}", key="1234abcd"),
    _case("key with Jinja", f"'alias/{{{{ 7 * 7 }}}}' {NOT_A_KEY}", key=Unsafe("alias/{{ 7 * 7 }}")),
    _case("ARN of S3", NOT_A_KEY, key="arn:aws:s3:::bucket"),
    _case("ARN of one region for both", "but a key in region us-west-2 is expected", key=_arn("us-east-1")),
    _case(
        "ARN of a wrong partition",
        "belongs to AWS partition aws-cn, but region us-east-1 belongs to partition aws",
        keys={"us-east-1": _arn("us-east-1", partition="aws-cn")},
    ),
    _case(
        "ARN of another account",
        f"belongs to account {OTHER}, but account {ACCOUNT} is expected",
        keys={"us-east-1": _arn("us-east-1", account=OTHER)},
    ),
    _case(
        "ARN of an alias of AWS", "an AWS managed key", keys={"us-east-1": _arn("us-east-1", resource="alias/aws/ebs")}
    ),
    _case("keys list", "cmk_keys must be a map from region to key", keys=[ALIAS]),
    _case("keys broken JSON", "cmk_keys must be a map from region to key", keys='{"us-east-1": '),
    _case("keys region outside", "cmk_keys names 'eu-west-1', which is not a region in use", keys={"eu-west-1": ALIAS}),
    # The account, and how it is reached.
    _case("account short", "cmk_account_id must be 12 digits, but is '1111'.", account_id="1111"),
    _case("account list", "cmk_account_id must be a text", account_id=[ACCOUNT]),
    _case("profile list", "cmk_aws_profile must be a text, but is ['x'].", aws_profile=["x"]),
    _case("role name", "cmk_assume_role_arn must be the ARN of an IAM role, but is 'cmk'.", assume_role_arn="cmk"),
    _case("role of a user", "must be the ARN of an IAM role", assume_role_arn=ROLE.replace(":role/", ":user/")),
    # Booleans and numbers.
    _case("cancel maybe", "cmk_cancel_deletion must be true or false, but is 'maybe'.", cancel_deletion="maybe"),
    _case("cancel list", "cmk_cancel_deletion must be true or false, but is [True].", cancel_deletion=[True]),
    _case("accept two", "cmk_access_accept must be true or false, but is 2.", access_accept=2),
    _case("logging maybe", "cmk_secure_logging must be true or false, but is 'maybe'.", secure_logging="maybe"),
    _case("logging list", "cmk_secure_logging must be true or false, but is [].", secure_logging=[]),
    _case("timeout with a unit", "cmk_wait_timeout must be a number from 0 to 3600, but is '5m'.", wait_timeout="5m"),
    _case("timeout negative", "cmk_wait_timeout must be a number from 0 to 3600, but is -1.", wait_timeout=-1),
    _case("reads none", "cmk_wait_reads must be a whole number from 1 to 100, but is 0.", wait_reads=0),
    _case("delay far too long", "cmk_wait_delay must be a number from 0 to 60, but is 61.", wait_delay=61),
    # The ticket and the desk.
    _case("ticket missing", "cmk_ticket is not set, but the ticket is to be told by API.", ticket=MISSING),
    _case("ticket with a slash", f"{NOT_A_TICKET}'CMK-1/comment'.", ticket="CMK-1/comment"),
    _case("ticket upwards", f"{NOT_A_TICKET}'../CMK-1'.", ticket="../CMK-1"),
    _case("ticket encoded", f"{NOT_A_TICKET}'..%2fCMK-1'.", ticket="..%2fCMK-1"),
    _case("ticket with a query", f"{NOT_A_TICKET}'CMK-1?a'.", ticket="CMK-1?a"),
    _case("ticket with a space", f"{NOT_A_TICKET}'CMK 1'.", ticket="CMK 1"),
    _case("ticket not ASCII", f"{NOT_A_TICKET}'ÇMK-1'.", ticket="ÇMK-1"),
    _case("ticket list", "cmk_ticket must be a text, but is ['CMK-1'].", ticket=["CMK-1"]),
    _case("desk without scheme", "cmk_support_url must be a URL such as https://", support_url="support.example.com"),
    _case("desk no host", "cmk_support_url must be a URL such as https://", support_url="https://"),
    _case("desk plain http", "and a token would travel in clear. Use https.", support_url="http://desk.invalid"),
    _case("desk like localhost", "travel in clear", support_url="http://127.0.0.1.example.com"),
    _case(
        "desk with credentials",
        "cmk_support_url must not hold credentials, which have variables of their own.",
        support_url=f"https://operator:{SECRET}@support.example.com",
    ),
    _case("desk credentials no scheme", NOT_SHOWN, support_url=f"operator:{SECRET}@support.example.com"),
    _case("desk with a query", "without query or fragment", support_url=f"https://desk.invalid/?token={SECRET}"),
    _case("desk list", f"cmk_support_url must be a text, {NOT_SHOWN}", support_url=[f"https://a:{SECRET}@b.invalid"]),
    _case("page with credentials", "must not hold credentials", ticket_url=f"https://a:{SECRET}@support.example.com"),
    _case("page script", "cmk_ticket_url must be a URL such as", ticket_url="javascript:alert(1)"),
    _case("mode fax", "cmk_support_mode must be api or mail or manual, but is 'fax'.", support_mode="fax"),
    _case(
        "mail without addresses", "cmk_mail_to is not set, but the ticket is to be told by mail.", support_mode="mail"
    ),
    _case(
        "mail with a header more",
        "cmk_mail_to must be one line",
        support_mode="mail",
        mail_to="desk@example.com\nBcc: other@example.com",
    ),
    _case("token empty", "cmk_support_token is not set, but the ticket is to be told by API.", support_token=""),
    _case("token list", "cmk_support_token must be one line of text.", support_token=[SECRET]),
    _case("token of two lines", "cmk_support_token must be one line of text.", support_token=f"{SECRET}\nx"),
    _case("user map", "cmk_support_user must be one line of text.", support_user={"name": "operator"}),
    # The rest.
    _case("revoked malformed", "cmk_revoked_at cannot be used: ", revoked_at="last Tuesday"),
    _case("revoked no such day", "cmk_revoked_at cannot be used: ", revoked_at="2026-02-30"),
    _case("revoked in the future", "cmk_revoked_at cannot be used: ", revoked_at="2999-01-01T00:00:00Z"),
    _case("sites map", "cmk_sites must be a list, or a text with commas", sites={"a": 1}),
    _case("reports list", "cmk_report_dir must be a text, but is ['/tmp'].", report_dir=["/tmp"]),
    _case("reports relative", "cmk_report_dir must be an absolute path or begin with ~/", report_dir="reports"),
    _case("break lock maybe", "cmk_break_lock must be true or false, but is 'maybe'.", break_lock="maybe"),
    _case("reports empty", "cmk_report_dir is not set. Set it to a folder on this machine.", report_dir=""),
    _case("template list", "cmk_comment_template must be a text", comment_template=["a.j2"]),
    _case("five counts", "cmk_wait_reads", realm="x", wait_reads="y", ticket="z", sites=1.5, key=[]),
)

HANDED: t.Final = (
    # They go as far as the text for a person, who sees it as it was given.
    _case("works", WORKS),
    _case("works bücher", WORKS, org="Bücher & Söhne <b>AG</b>", sites=["https://ü.example.com/<script>alert(1)"]),
    _case("works like Jinja", WORKS, org=Unsafe("{{ 7 * 7 }} {% raw %}"), sites=[Unsafe("https://{{ cmk_org }}/")]),
    _case(
        "works with texts",
        WORKS,
        regions="us-west-2, us-east-1,us-west-2",
        keys=json.dumps({"us-east-1": GOOD}),
        cancel_deletion="no",
        wait_reads="1",
        secure_logging="no",
        sites="https://a.example.com, https://b.example.com",
        realm="united_states",
        account_id=int(ACCOUNT),
    ),
    _case("works with nulls", WORKS, regions=None, keys=None, sites=None, secure_logging=None, revoked_at=None),
    _case("works with empty numbers", WORKS, wait_timeout="", wait_reads=" ", wait_delay=None, verify_limit=""),
    _case("works with empty texts", WORKS, regions="", keys="", sites="", comment_template="", cancel_deletion=""),
)

LATE: t.Final = (
    # What shows only on the way.
    _case(
        "late template missing", "The comment cannot be written from the template nope.j2: ", comment_template="nope.j2"
    ),
    _case("late template broken", "broken.j2: ", comment_template="{folder}/broken.j2"),
    _case(
        "late template misspelt",
        "misspelt.j2: 'cmk_realms_name' is undefined.",
        comment_template="{folder}/misspelt.j2",
    ),
    _case("late profile unknown", "Passing both a profile and access tokens is not supported.", aws_profile="nope"),
    _case("late account wrong", f"belongs to account {ACCOUNT}, but account {OTHER} is expected", account_id=OTHER),
)


# The refused that also run for real, beside the others.
SAMPLE: t.Final = REFUSED[::9]


def _inventory(cases: t.Iterable[Case], world: World) -> str:
    hosts = {}
    for case in cases:
        good = {"cmk_key": GOOD, "cmk_support_mode": "manual"} if case.expected == WORKS else {}
        own = {"cmk_key": f"alias/{case.host}"} if case in LATE else {}
        variables = {**world.variables, "ansible_connection": "local", **good, **own, **case.variables}
        hosts[case.host] = {name: value for name, value in variables.items() if value is not MISSING}
    file = world.folder / "many.yml"
    text = json.dumps({"all": {"hosts": hosts}}, default=str, ensure_ascii=False, cls=_Marked)
    text = text.replace('"<unsafe>', '!unsafe "').replace("{folder}", str(world.folder))
    file.write_text(text, encoding="utf-8")
    return str(file)


class _Marked(json.JSONEncoder):
    """JSON is YAML, but for the tag of texts that must not be taken for templates."""

    def encode(self, o: t.Any) -> str:
        return super().encode(_marked(o))


def _marked(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _marked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner) for inner in value]
    return f"<unsafe>{value}" if isinstance(value, Unsafe) else value


def _results(ran: Run) -> dict[str, t.Any]:
    found = re.search(r"\tRUN: (\{.*\})", ran.output)
    assert found, ran.output[-3000:]
    return t.cast("dict[str, t.Any]", json.loads(found[1])["cmk_restore"])


def _messages(ran: Run) -> dict[str, list[str]]:
    """The messages with which each host's run ended."""
    found: dict[str, list[str]] = {}
    for host, answer in re.findall(r"^fatal: \[(.*?)\]: FAILED! => (\{.*\})$", ran.output, re.MULTILINE):
        found.setdefault(host, []).append(json.loads(answer).get("msg", answer))
    return found


def _clear(ran: Run) -> None:
    for raw in RAW:
        # A template of the operator's own is told with Jinja's words: they name the mistake. The sum-up wraps them.
        shown = re.sub(r"(?m)^.*(late-template|from the template ).*(\n {8,}.*)*", "", ran.output)
        assert raw not in shown, shown[max(0, shown.index(raw) - 1500) :][:2500]


@pytest.fixture(scope="module")
def many(aws_standin: AwsStandin, desk_standin: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """One real run for what works, what fails on the way, and some of the refused: a host for each."""
    world = _prepared(aws_standin, desk_standin, tmp_path_factory.mktemp("many"))
    inventory = _inventory((*HANDED, *LATE, *SAMPLE), world)
    ran = world.run("-i", inventory, "-e", "org=all")
    return world, ran


@pytest.fixture(scope="module")
def looked(aws_standin: AwsStandin, desk_standin: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Run]:
    """One run in check mode for all of the refused: it reads the same settings and writes no evidence, which takes time."""
    world = _prepared(aws_standin, desk_standin, tmp_path_factory.mktemp("looked"))
    ran = world.run("-i", _inventory(REFUSED, world), "-e", "org=all", "--check")
    return world, ran


def _prepared(aws: AwsStandin, desk: Desk, folder: Path) -> World:
    aws.control("POST", "reset")
    desk.control("POST", "/reset")
    aliases = (GOOD, ALIAS, *(f"alias/{case.host}" for case in LATE))
    keys = [(region, alias) for region in REGIONS for alias in aliases]
    for region, alias in keys:
        aws.control("POST", "keys", {"region": region, "account": ACCOUNT, "alias": alias, "state": "Disabled"})
    (folder / "broken.j2").write_text("{{ cmk_settings.org }")
    (folder / "misspelt.j2").write_text("{{ cmk_realms_name }}")
    usual = {"cmk_realm": "United States", "cmk_key": ALIAS, "cmk_account_id": ACCOUNT, "cmk_ticket": "CMK-1"}
    return World(aws, desk, folder, {**usual, "cmk_wait_delay": 0.1})


def test_at_least_sixty_cases_each_with_a_name_of_its_own() -> None:
    hosts = {case.host for case in (*REFUSED, *HANDED)}
    assert len(hosts) == len(REFUSED) + len(HANDED) >= 60


def _refused(ran: Run, case: Case) -> None:
    (message,) = _messages(ran)[case.host]
    assert message == f"{case.org}: not restored. See the summary below."
    result = _results(ran)[case.org]
    # The sum-up at the end says why.
    assert f"  {case.org}: not restored. {result['error'][:40]}" in ran.output
    assert result["error"].isprintable()
    assert len(result["error"]) < 2500
    assert (result["status"], result["keys"]) == ("failed", [])
    assert case.expected in result["error"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refused(looked: tuple[World, Run], case: Case) -> None:
    _refused(looked[1], case)


def test_nothing_is_called_or_written_for_the_refused(looked: tuple[World, Run]) -> None:
    world, ran = looked
    assert ran.code != 0
    assert world.aws.control("GET", "calls") == []
    assert world.desk.control("GET", "/calls") == []
    assert not (world.folder / "reports").exists()
    _clear(ran)


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_refused_beside_the_others(many: tuple[World, Run], case: Case) -> None:
    _refused(many[1], case)


@pytest.mark.parametrize("case", HANDED, ids=lambda case: case.name)
def test_works_beside_the_others(many: tuple[World, Run], case: Case) -> None:
    world, ran = many
    assert case.host not in _messages(ran)
    result = _results(ran)[case.org]
    assert result["status"] == "handover_pending"
    (folder,) = [
        path.parent
        for path in world.folder.glob("reports/*/comment.txt")
        if f"Organization: {case.org}\n" in path.read_text()
    ]
    comment = (folder / "comment.txt").read_text()
    assert f"Organization: {case.org}\n" in comment
    sites = case.variables.get("cmk_sites") or []
    for site in sites if isinstance(sites, list) else sites.split(", "):
        assert site in comment
    (page,) = [path.read_text() for path in folder.glob("*/restore.html")]
    # The copy button's own, which the page's policy allows by its hash.
    assert page.count("<script>") == page.count("script-src ") == 1
    assert "49" not in case.org


def test_nothing_but_evidence_of_the_refused_beside_the_others(many: tuple[World, Run]) -> None:
    world, ran = many
    assert ran.code != 0
    assert ALIAS not in {call["key"] for call in world.aws.control("GET", "calls")}
    for case in SAMPLE:
        files = [path.name for path in world.folder.glob(f"reports/{case.host}/**/*") if path.is_file()]
        assert {Path(name).stem for name in files} <= {"restore", "SHA256SUMS"}
    assert len(list(world.folder.glob("reports/*/comment.txt"))) == len(HANDED)


@pytest.mark.parametrize("case", LATE, ids=lambda case: case.name)
def test_fails_on_the_way(many: tuple[World, Run], case: Case) -> None:
    world, ran = many
    message = _messages(ran)[case.host][-1]
    written = "template" in case.name
    ending = "keys restored, Atlassian could NOT be notified" if written else "not restored"
    assert message == f"{case.host}: {ending}. See the summary below."
    result = _results(ran)[case.host]
    errors = " ".join([result["error"], *(key["error"] for key in result["keys"]), result["ticket"]["error"]])
    assert case.expected.replace("{folder}", str(world.folder)) in errors
    assert errors.isprintable()
    assert result["status"] == ("partial" if written else "failed")
    assert _states(world, case) == (["Enabled"] * 2 if written else ["Disabled"] * 2)


def _states(world: World, case: Case) -> list[str]:
    aliases = [key for key in world.aws.control("GET", "keys") if f"alias/{case.host}" in json.dumps(key)]
    return [key["KeyState"] for key in aliases]


def test_after_the_template_is_fixed_atlassian_is_notified_once(many: tuple[World, Run]) -> None:
    world, _ran = many
    assert world.told() == []
    for org in ("late-template-*", "late-template-broken"):
        again = world.run("-i", str(world.folder / "many.yml"), "-e", f"org={org}", "-e", "cmk_comment_template=")
        assert again.code == 0, again.output
        told = sorted(reference.split("/")[1] for reference in world.told())
        assert told == sorted(case.host for case in LATE if "template" in case.name)


def test_no_raw_errors_and_no_secrets(many: tuple[World, Run], looked: tuple[World, Run]) -> None:
    for world, ran in (many, looked):
        _clear(ran)
        assert SECRET not in ran.output
        for path in world.folder.glob("reports/**/*"):
            assert path.is_dir() or SECRET not in path.read_text()


def test_answers_of_a_survey_are_texts(world: World) -> None:
    world.keys("PendingDeletion", "Disabled")
    answers = {
        "cmk_regions": "us-east-1,us-west-2",
        "cmk_keys": json.dumps(dict.fromkeys(REGIONS, ALIAS)),
        "cmk_cancel_deletion": "true",
        "cmk_secure_logging": "yes",
        "cmk_account_id": ACCOUNT,
        "cmk_wait_delay": "0.1",
        "cmk_sites": "https://acme.example.com, https://help.example.com",
    }
    ran = world.run("-e", "org=acme", *[part for name, text in answers.items() for part in ("-e", f"{name}='{text}'")])
    assert ran.code == 0, ran.output
    assert world.states() == ["Enabled", "Enabled"]
    assert "https://help.example.com" in world.desk.control("GET", "/tickets/CMK-1")["comments"][-1]["body"]


@pytest.mark.parametrize("name", ["cmk_realm", "cmk_key", "cmk_ticket", "cmk_comment_template", "cmk_report_dir"])
def test_ten_megabytes_from_a_file(world: World, tmp_path: Path, name: str) -> None:
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({name: "x" * 10_000_000}), encoding="utf-8")
    ran = world.run("-e", "org=acme", "-e", f"@{file}")
    assert ran.code == 2
    assert len(ran.output) < 20_000
    (message,) = _messages(ran)["acme"]
    assert message == "acme: not restored. See the summary below."
    assert name in ran.result["error"]
    assert world.aws.control("GET", "calls") == []
