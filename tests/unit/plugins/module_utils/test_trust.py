"""The one statement that may be changed, and all the policies that are not changed. Shapes: IAM User Guide, "Grammar"."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._iam.trust import (
    TrustPlan,
    is_same,
    plan,
    quote,
    written,
)
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import Refusal

# As Atlassian's page writes it, here independently of the code.
ATLASSIAN = "arn:aws:iam::279766244153:role/Cryptor-OSB-Provider"
DENY: dict[str, Any] = {"Effect": "Deny", "Principal": {"AWS": ATLASSIAN}, "Action": "sts:AssumeRole"}
ALLOW: dict[str, Any] = {**DENY, "Effect": "Allow"}
OURS: dict[str, Any] = {
    "Sid": "Ours",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/operations"},
    "Action": ["sts:AssumeRole", "sts:TagSession"],
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
}
OTHER_DENY: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": {"AWS": "arn:aws:iam::111122223333:user/guest"},
    "Action": "*",
}


def policy(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", **more, "Statement": list(statements)}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(policy(DENY), id="alone"),
        pytest.param(policy(OURS, DENY), id="after another"),
        pytest.param(policy(DENY, OURS), id="before another"),
        pytest.param({"Version": "2012-10-17", "Statement": DENY}, id="one statement without a list"),
        pytest.param(policy({"Sid": "", **DENY}), id="empty Sid"),
        pytest.param(policy({"Sid": "Statement1", **DENY}), id="the console's Sid"),
        pytest.param(policy({**DENY, "Principal": {"AWS": [ATLASSIAN]}}), id="a list of one principal"),
        pytest.param(policy({**DENY, "Action": ["sts:AssumeRole"]}), id="a list of one action"),
        pytest.param(policy(DENY, Id="key-management"), id="an Id"),
        pytest.param({"Statement": [DENY]}, id="no Version"),
        pytest.param(policy(DENY, OTHER_DENY), id="a Deny for our own account"),
        pytest.param(
            policy(DENY, {"Effect": "Deny", "Principal": "*", "Action": "sts:SetSourceIdentity"}),
            id="another action denied",
        ),
        pytest.param(
            policy(DENY, {"Effect": "Deny", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
            id="a service denied",
        ),
        pytest.param(
            policy(DENY, {"Effect": "Allow", "Principal": {"AWS": "279766244153"}, "Action": "sts:TagSession"}),
            id="Atlassian's account may do something else",
        ),
    ],
)
def test_one_effect_is_changed_and_nothing_else(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    decision = plan(document)
    assert isinstance(decision, TrustPlan), decision
    assert (decision.before, decision.changes) == ("Deny", True)
    assert document == before
    # Written down independently: the text with the effect of that one statement replaced.
    listed = before["Statement"] if isinstance(before["Statement"], list) else [before["Statement"]]
    (mine,) = [one for one in listed if ATLASSIAN in str(one.get("Principal")) and "role/Cryptor" in str(one)]
    mine["Effect"] = "Allow"
    assert decision.after == before
    assert list(decision.after) == list(document)
    again = plan(decision.after)
    assert isinstance(again, TrustPlan)
    assert (again.changes, again.after) == (False, decision.after)


@pytest.mark.parametrize("document", [policy(ALLOW), policy(OURS, ALLOW, OTHER_DENY), {"Statement": ALLOW}])
def test_what_allows_already_is_left_as_it_is(document: dict[str, Any]) -> None:
    decision = plan(document)
    assert isinstance(decision, TrustPlan)
    assert (decision.before, decision.changes, decision.after) == ("Allow", False, document)


def deny(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", **more}


@pytest.mark.parametrize("effect", ["Deny", "Allow"])
@pytest.mark.parametrize(
    ("code", "statements"),
    [
        pytest.param("trust_not_found", [OURS], id="nobody named"),
        pytest.param("trust_not_found", [{**DENY, "Principal": {"AWS": "279766244153"}}], id="the whole account"),
        pytest.param("trust_not_found", [{**DENY, "Principal": {"AWS": f"{ATLASSIAN}-2"}}], id="a longer name"),
        pytest.param("trust_not_found", [{**DENY, "Principal": {"AWS": ATLASSIAN.lower()}}], id="another case"),
        pytest.param(
            "trust_not_found", [{**DENY, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE000"}}], id="a role that is gone"
        ),
        pytest.param(
            "trust_not_found", [{**DENY, "Principal": {"AWS": ATLASSIAN.replace("aws:", "aws-cn:")}}], id="partition"
        ),
        pytest.param("trust_not_found", [{**DENY, "Principal": {"Federated": ATLASSIAN}}], id="not under AWS"),
        pytest.param("trust_not_found", [{**DENY, "Principal": "*"}], id="everybody"),
        pytest.param("trust_ambiguous", [DENY, DENY], id="twice"),
        pytest.param("trust_ambiguous", [ALLOW, DENY], id="allowed and denied"),
        pytest.param(
            "trust_ambiguous",
            [DENY, {**OURS, "Principal": {"AWS": ["444455556666", ATLASSIAN]}}],
            id="among others as well",
        ),
        pytest.param(
            "trust_undocumented", [{**DENY, "Principal": {"AWS": [ATLASSIAN, "444455556666"]}}], id="among others"
        ),
        pytest.param(
            "trust_undocumented",
            [{**DENY, "Principal": {"AWS": ATLASSIAN, "Service": "kms.amazonaws.com"}}],
            id="with a service",
        ),
        pytest.param(
            "trust_undocumented",
            [{**DENY, "Condition": {"StringEquals": {"sts:ExternalId": "acme"}}}],
            id="a condition",
        ),
        pytest.param("trust_undocumented", [{**DENY, "Condition": {}}], id="an empty condition"),
        pytest.param("trust_undocumented", [{**DENY, "Action": "sts:*"}], id="more actions"),
        pytest.param(
            "trust_undocumented", [{**DENY, "Action": ["sts:AssumeRole", "sts:TagSession"]}], id="two actions"
        ),
        pytest.param("trust_undocumented", [{**DENY, "Action": "sts:assumerole"}], id="the action in another case"),
        pytest.param(
            "trust_undocumented",
            [{"Effect": "Deny", "Principal": {"AWS": ATLASSIAN}, "NotAction": "sts:TagSession"}],
            id="NotAction",
        ),
        pytest.param(
            "trust_undocumented",
            [{"Effect": "Deny", "NotPrincipal": {"AWS": ATLASSIAN}, "Action": "sts:AssumeRole"}],
            id="NotPrincipal",
        ),
        pytest.param("trust_undocumented", [{**DENY, "Resource": "*"}], id="a resource"),
    ],
)
def test_what_is_not_documented_is_left_alone(code: str, statements: list[dict[str, Any]], effect: str) -> None:
    if code != "trust_ambiguous":
        statements = [{**one, "Effect": effect} for one in statements]
    document = policy(*statements)
    before = copy.deepcopy(document)
    decision = plan(document)
    assert isinstance(decision, Refusal)
    assert decision.code == code
    assert "Seen: " in decision.error
    assert document == before


@pytest.mark.parametrize("own", [DENY, ALLOW], ids=["denied", "allowed"])
@pytest.mark.parametrize(
    "other",
    [
        pytest.param(deny(), id="everybody"),
        pytest.param(deny(Principal={"AWS": "*"}), id="everybody, as AWS principal"),
        pytest.param(deny(Principal={"AWS": "279766244153"}), id="the account"),
        pytest.param(deny(Principal={"AWS": "arn:aws:iam::279766244153:root"}), id="the account's root"),
        pytest.param(
            deny(Principal={"AWS": "arn:aws:sts::279766244153:assumed-role/Cryptor-OSB-Provider/x"}), id="a session"
        ),
        pytest.param(deny(Principal={"AWS": ["111122223333", "*"]}), id="everybody among others"),
        pytest.param(deny(Principal={"AWS": "AROAEXAMPLEEXAMPLE000"}), id="an id that tells no account"),
        pytest.param(deny(Action="*"), id="all actions"),
        pytest.param(deny(Action=["sts:TagSession", "STS:Assume*"]), id="a pattern"),
        pytest.param(deny(Condition={"Bool": {"aws:SecureTransport": "false"}}), id="with a condition"),
        pytest.param({"Effect": "Deny", "Principal": "*", "NotAction": "sts:TagSession"}, id="NotAction"),
        pytest.param(
            {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}, id="NotPrincipal"
        ),
        pytest.param({"Effect": "Deny", "Principal": "*", "Action": [7]}, id="an action that is no text"),
    ],
)
def test_another_deny_that_may_reach_it(own: dict[str, Any], other: dict[str, Any]) -> None:
    for document in (policy(own, other), policy(other, own)):
        decision = plan(document)
        assert isinstance(decision, Refusal)
        assert decision.code == "trust_denied_elsewhere"
        assert quote([other]) in decision.error


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        "%7Bnot json",
        [],
        {},
        {"Statement": []},
        {"Statement": None},
        {"Statement": "x"},
        {"Statement": [DENY, "x"]},
        policy({**DENY, "Effect": "deny"}),
        policy({**DENY, "Effect": None}),
        policy(DENY, {"Principal": "*", "Action": "*"}),
    ],
    ids=repr,
)
def test_what_is_no_policy(document: Any) -> None:
    decision = plan(document)
    assert isinstance(decision, Refusal)
    assert decision.code == "trust_malformed"


def test_what_is_shown_is_cut() -> None:
    decision = plan(policy(*[{**OURS, "Sid": f"Ours{number}"} for number in range(50)]))
    assert isinstance(decision, Refusal)
    assert len(decision.error) < 800


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (policy(OURS, DENY), policy(DENY, OURS), True),
        (policy(DENY), {"Version": "2012-10-17", "Statement": DENY}, True),
        (policy({**DENY, "Principal": {"AWS": [ATLASSIAN]}}), policy(DENY), True),
        (policy(DENY), policy(ALLOW), False),
        (policy(DENY), policy(DENY, OURS), False),
        (policy(DENY), policy({"Sid": "x", **DENY}), False),
        (None, policy(DENY), False),
    ],
)
def test_the_same(one: Any, other: Any, expected: bool) -> None:
    pair = (one, other)
    assert is_same(*pair) is is_same(*reversed(pair)) is expected


def test_the_order_of_names_means_nothing() -> None:
    turned = [dict(reversed(statement.items())) for statement in (OURS, DENY)]
    for other in (policy(turned[0], DENY), policy(OURS, turned[1]), policy(*turned), policy(*reversed(turned))):
        assert is_same(policy(OURS, DENY), other)


def test_a_policy_is_written_as_people_read_it() -> None:
    assert written({"Sid": "schlüssel", "Action": ["a"]}) == '{\n  "Sid": "schlüssel",\n  "Action": [\n    "a"\n  ]\n}'
