"""What must hold for every key, wish, address and name: across the parts, and on the strict stand-in."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from hypothesis import HealthCheck, assume, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.change import Outcome, set_key_state
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._kms.states import KEY_STATES, Wish
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._waiter import Waiting
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import make_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import mentions
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._options import slug
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._settings import read_settings
from tests.standins.aws import AwsStandin

REGION = "eu-central-1"
ACCOUNT, OTHER = "111122223333", "444455556666"
REQUEST = "/rest/servicedeskapi/request"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandin]:
    with AwsStandin(account=ACCOUNT) as standin:
        yield standin


@pytest.fixture(scope="module")
def kms(aws: AwsStandin) -> t.Any:
    return boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=aws.url,
        aws_access_key_id="AKIASTANDINEXAMPLE00",
        aws_secret_access_key="standin-secret-key-8f3b2c1d9e7a6054",
    )


@dataclasses.dataclass(frozen=True)
class Situation:
    """A key, how it is referred to, and what is wanted of it."""

    key: dict[str, t.Any]
    reference: str
    wish: Wish
    waiting: Waiting | None


situations = st.builds(
    Situation,
    key=st.fixed_dictionaries(
        {"state": st.sampled_from(KEY_STATES)},
        optional={"multi_region": st.booleans(), "key_manager": st.just("AWS"), "custom_key_store": st.just(True)},
    ),
    reference=st.sampled_from(["KeyId", "Arn", "alias", "alias ARN"]),
    wish=st.builds(
        Wish,
        state=st.sampled_from(["enabled", "disabled"]),
        cancel_deletion=st.booleans(),
        account_id=st.sampled_from([None, ACCOUNT, OTHER]),
    ),
    waiting=st.sampled_from([None, Waiting(reads=1, delay=0, timeout=5), Waiting(reads=3, delay=0, timeout=5)]),
)


def _real_state(aws: AwsStandin, key_id: str) -> str:
    return str(next(key["KeyState"] for key in aws.control("GET", "keys") if key["KeyId"] == key_id))


def _planted(aws: AwsStandin, situation: Situation) -> tuple[str, str]:
    """Make the key; return its id and the reference to it."""
    aws.control("POST", "reset")
    alias = "alias/aws/standin" if situation.key.get("key_manager") else "alias/atlassian-cmk"
    made = aws.control("POST", "keys", {"region": REGION, "account": ACCOUNT, "alias": alias, **situation.key})
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias}"
    return made["KeyId"], {**made, "alias": alias, "alias ARN": arn}[situation.reference]


@hypothesis_settings(max_examples=60, derandomize=True, deadline=None)
@given(situations)
@example(Situation({"state": "PendingDeletion"}, "alias", Wish(cancel_deletion=True), None))
@example(
    Situation({"state": "PendingReplicaDeletion"}, "Arn", Wish("disabled", cancel_deletion=True), Waiting(delay=0))
)
def test_what_check_mode_predicts_is_what_becomes(aws: AwsStandin, kms: t.Any, situation: Situation) -> None:
    key_id, reference = _planted(aws, situation)
    before = _real_state(aws, key_id)

    def go(*, check_mode: bool) -> Outcome:
        outcome = Outcome(reference, REGION)
        set_key_state(kms, outcome, situation.wish, check_mode=check_mode, waiting=situation.waiting)
        return outcome

    predicted = go(check_mode=True)
    assert _real_state(aws, key_id) == before
    became = go(check_mode=False)
    assert became.refusal == predicted.refusal
    assert (became.actions, became.before, became.after) == (predicted.actions, predicted.before, predicted.after)
    assert _real_state(aws, key_id) == (before if predicted.refusal else predicted.after)
    if predicted.refusal is None:
        assert predicted.after == situation.wish.key_state
        again = go(check_mode=False)
        assert (again.actions, again.refusal) == ([], None)


class TestRequestUrl:
    """The address of the ticket."""

    REALMS: t.ClassVar = {"Germany": [REGION]}

    def url(self, ticket: str, support_url: str) -> tuple[str, str]:
        """The settled base address and the ticket's; refused input is no example."""
        given_ = {"org": "acme", "realm": "Germany", "key": "alias/a", "report_dir": "/tmp/r"}
        waits = {"wait_timeout": 1, "wait_reads": 1, "wait_delay": 1}
        desk = {"ticket": ticket, "support_url": support_url, "has_token": True}
        read = read_settings({**given_, **waits, **desk}, self.REALMS)
        assume(not read.problems)
        return read.support_url, read.request_url

    tickets = st.one_of(
        st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,9}-[0-9]{1,6}", fullmatch=True),
        st.from_regex(r"[0-9]{1,9}", fullmatch=True),
        st.text(st.sampled_from("aB1-_./%?#&;@:\\ \n"), max_size=12),
    )
    paths = st.text(st.sampled_from("aB1-_./%?#&;@:~"), max_size=12).map(lambda text: f"/{text}" if text else "")
    hosts = st.one_of(
        st.from_regex(r"[a-z][a-z0-9]{0,9}\.example\.com(:[1-9][0-9]{0,3})?", fullmatch=True),
        st.text(st.sampled_from("aB1-_.%@:[]\\ü"), min_size=1, max_size=12),
    )
    bases = st.builds("{}{}{}".format, st.sampled_from(["https://", "HTTPS://", "http://", "//"]), hosts, paths)

    @hypothesis_settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
    @given(tickets, bases)
    @example("CMK-1", "https://support.example.com")
    @example("CMK-1", "https://support.example.com/?")
    @example("CMK-1", "https://support.example.com/jira#")
    @example("10001", "https://support.example.com:8443/jira/")
    def test_it_stays_where_it_was_configured(self, ticket: str, support_url: str) -> None:
        base, made = self.url(ticket, support_url)
        wanted, parts = urlsplit(support_url), urlsplit(made)
        assert (parts.scheme, parts.netloc) == (wanted.scheme, wanted.netloc)
        assert "@" not in parts.netloc
        assert not parts.query
        assert not parts.fragment
        assert made.startswith(f"{base}{REQUEST}/")
        # Whatever a server makes of it, the last step is the ticket, inside the folder of requests.
        folder, _slash, last = parts.path.rpartition("/")
        assert folder == wanted.path.rstrip("/") + REQUEST
        assert re.fullmatch(r"[A-Z0-9_-]+", last)
        assert posixpath.normpath(unquote(last)) == last == ticket.strip().upper()

    def test_every_address_begins_with_it(self) -> None:
        text = (Path(__file__).parents[3] / "plugins/plugin_utils/_channels/jsm.py").read_text()
        assert re.findall(r"\"url\": (.*),\n", text) == ['f"{run.settings.request_url}/comment"']


regions = st.lists(
    st.sampled_from(["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"]), min_size=1, max_size=4, unique=True
)


@given(
    st.text(min_size=1, max_size=80),
    st.text(min_size=1, max_size=80),
    regions.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))),
    st.none() | st.text(min_size=1, max_size=40),
    st.text(max_size=40),
)
@example("acme", "acme-2", (["us-east-1"], ["us-east-1"]), None, "")
@example("組織", "組", (["us-east-1"], ["us-east-1"]), None, "cmk-restore/")
def test_a_restoration_has_one_name_that_the_desk_gives_back(
    org: str, other: str, orders: tuple[list[str], list[str]], identity: str | None, around: str
) -> None:
    def name(order: list[str]) -> str:
        return make_reference(slug(org), identity or "2026-11-24T03:00:00Z", order)

    reference = name(orders[0])
    assert name(orders[1]) == reference
    comment = {"id": "17", "body": f"Reference: {reference}\n{around}"}
    assert reference in [found.reference for found in mentions([comment], slug(org))]
    if other != org:
        assert reference not in [found.reference for found in mentions([comment], slug(other))]
