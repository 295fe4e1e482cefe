"""What the documentation of the AWS modules says is what they take and give back."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule, aws_argument_spec

from ansible_collections.keyops.atlassian_cmk.plugins.doc_fragments import aws
from ansible_collections.keyops.atlassian_cmk.plugins.modules import byok_trust_statement, kms_key_state
from tests.unit.plugins.conversation import (
    ALIAS,
    KEY_ID,
    OTHER_REGION,
    REGION,
    Fault,
    Talk,
    arn,
    metadata,
    stubbed_client,
)
from tests.unit.plugins.module_utils.test_trust import DENY, policy

ONE_OR_SEVERAL = pytest.mark.parametrize(
    "key", [{"key_id": ALIAS}, {"keys": [{"key_id": ALIAS}]}], ids=["one", "several"]
)
# What is returned of several keys as a whole.
OF_SEVERAL = {"keys", "found", "clock_offset", "session_ends_at"}
EVERY_MODULE = pytest.mark.parametrize(
    "module",
    [byok_trust_statement, kms_key_state],
    ids=["byok_trust_statement", "kms_key_state"],
)
# What ansible-core itself adds to a result.
FRAMEWORK = {"changed", "failed", "msg", "diff", "invocation"}
PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "bool": bool,
    "float": (int, float),
    "list": list,
    "dict": dict,
}


def fragment(name: str) -> dict[str, Any]:
    """The options of a documentation fragment, named as ``extends_documentation_fragment`` names it."""
    namespace, collection, file, *part = name.split(".")
    module = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.doc_fragments.{file}")
    # Like ansible-doc: a fragment may have requirements only.
    text = getattr(module.ModuleDocFragment(), part[0].upper() if part else "DOCUMENTATION", "{}")
    return dict(yaml.safe_load(text).get("options") or {})


def documented(module: Any) -> dict[str, Any]:
    doc = yaml.safe_load(module.DOCUMENTATION)
    options = dict(doc["options"])
    for name in doc["extends_documentation_fragment"]:
        options |= fragment(name)
    return options


def taken(module: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The argument spec that a module hands to AnsibleAWSModule."""
    seen: dict[str, Any] = {}

    def capture(_self: Any, **more: Any) -> None:
        seen.update(more)
        raise SystemExit

    monkeypatch.setattr(AnsibleAWSModule, "__init__", capture)
    with pytest.raises(SystemExit):
        module.main()
    assert seen["supports_check_mode"] is True
    return dict(seen["argument_spec"])


def facts(option: dict[str, Any]) -> dict[str, Any]:
    inner = option.get("suboptions") or option.get("options") or {}
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": option.get("required", False),
        "default": option.get("default"),
        "choices": option.get("choices"),
        "inner": {name: facts(more) for name, more in inner.items()},
    }


@EVERY_MODULE
def test_options(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, doc = taken(module, monkeypatch), documented(module)
    assert {name: facts(doc[name]) for name in spec} == {name: facts(option) for name, option in spec.items()}
    assert set(doc) == set(spec) | set(aws_argument_spec())


@EVERY_MODULE
def test_every_option_and_result_is_described(module: Any) -> None:
    def check(entries: dict[str, Any], inner: str) -> None:
        for name, entry in entries.items():
            assert entry.get("description"), name
            check(entry.get(inner) or {}, inner)

    check(documented(module), "suboptions")
    check(yaml.safe_load(module.RETURN), "contains")


def additional() -> set[str]:
    """The names that KeyMetadata may bring: documented as a whole, since AWS adds to them."""
    members = stubbed_client("kms", REGION).meta.service_model.shape_for("KeyMetadata").members
    return set(camel_dict_to_snake_dict(dict.fromkeys(members)))


def is_due(returned: str, key: dict[str, Any], failed: bool) -> bool:
    """Whether a result has to be there, by the words that the documentation uses."""
    due = {
        "always": True,
        "on failure": failed,
        "when the key was found": key["arn"] is not None,
        "when imported key material expires": "valid_to" in key,
        "with O(prove_permission), if the key is Enabled": "proof" in key,
        "when the key is scheduled for deletion": key["key_state"] == "PendingDeletion",
    }
    return bool(due[returned])


def agrees(contract: dict[str, Any], result: dict[str, Any], failed: bool) -> None:
    """Everything that is documented is there when it should be, with its type, and nothing else is."""
    for name, entry in contract.items():
        present = result.get(name) is not None
        assert present is is_due(entry["returned"], result, failed), (name, entry["returned"])
        if present:
            assert isinstance(result[name], PYTHON_TYPES[entry["type"]]), name
        if present and entry["type"] == "dict":
            assert set(result[name]) == set(entry["contains"])
        if present and entry.get("elements") == "dict":
            assert all(set(element) == set(entry["contains"]) for element in result[name])
    assert set(result) <= set(contract) | FRAMEWORK | additional()


LIVES: list[Any] = [
    pytest.param([("DescribeKey", ALIAS, "Enabled")], {}, id="enabled"),
    pytest.param(
        [("DescribeKey", ALIAS, "Disabled"), ("EnableKey", KEY_ID), *[("DescribeKey", KEY_ID, "Enabled")] * 3],
        {},
        id="disabled",
    ),
    pytest.param([("DescribeKey", ALIAS, "PendingDeletion")], {}, id="pending deletion"),
    pytest.param([("DescribeKey", ALIAS, "PendingReplicaDeletion")], {}, id="pending replica deletion"),
    pytest.param([("DescribeKey", ALIAS, Fault("NotFoundException"))], {}, id="not found"),
    pytest.param([("DescribeKey", ALIAS, Fault("AccessDeniedException"))], {}, id="denied"),
    pytest.param(
        [
            ("DescribeKey", ALIAS, "Disabled"),
            ("EnableKey", KEY_ID),
            ("DescribeKey", KEY_ID, Fault("AccessDeniedException")),
        ],
        {},
        id="denied while waiting",
    ),
    pytest.param([], {"key_id": arn(OTHER_REGION)}, id="refused before any call"),
    pytest.param(
        [("DescribeKey", ALIAS, metadata("Enabled", XksKeyConfiguration={"Id": "x"}, CustomKeyStoreId="cks-1"))],
        {},
        id="external key store",
    ),
]


PROOF = pytest.param(
    [("DescribeKey", ALIAS, "Enabled"), ("EnableKey", KEY_ID)], {"prove_permission": True}, id="permission proven"
)


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(("calls", "options"), [*LIVES, PROOF])
def test_results_of_one_key(talk: Talk, calls: list[Any], options: dict[str, Any], check: bool) -> None:
    if check and len(calls) > 1:
        calls = calls[:1]
    talk.kms(*calls)
    result = talk.run(kms_key_state, check=check, diff=True, **{"key_id": ALIAS} | options).result
    contract = yaml.safe_load(kms_key_state.RETURN)
    agrees({name: contract[name] for name in contract if name not in OF_SEVERAL}, result, "failed" in result)


@pytest.mark.parametrize(("calls", "options"), LIVES)
def test_results_of_several_keys(talk: Talk, calls: list[Any], options: dict[str, Any]) -> None:
    talk.kms(*calls)
    result = talk.run(kms_key_state, diff=True, keys=[{"key_id": ALIAS} | options]).result
    contract = yaml.safe_load(kms_key_state.RETURN)
    assert set(result) - FRAMEWORK == OF_SEVERAL
    assert {contract[name]["returned"] for name in OF_SEVERAL} == {"with O(keys), unless nothing was looked at"}
    # "With all that is returned for one key", but for the refusal, whose parts stand here.
    inner = {name: contract[name] for name in contract if name not in OF_SEVERAL} | contract["keys"]["contains"]
    del inner["refusal"]
    agrees(inner, result["keys"][0], "failed" in result)
    (key,) = result["keys"]
    known = {
        "region": key["region"],
        "key_arn": key["arn"],
        "key_state": key["key_state_before"],
        "origin": key.get("origin"),
    }
    store = {"custom_key_store_id": key["custom_key_store_id"]} if "custom_key_store_id" in key else {}
    assert result["found"] == ([known | store] if key["arn"] else [])
    assert set(known) | {"custom_key_store_id"} == set(contract["found"]["contains"])


@pytest.mark.parametrize(
    "answer", [policy(DENY), policy(), Fault("NoSuchEntity", status=404)], ids=["set", "not set", "no role"]
)
def test_results_of_byok_trust_statement(talk: Talk, answer: Any) -> None:
    talk.iam(("GetRole", answer))
    result = talk.run(byok_trust_statement, check=True, diff=True).result
    contract = yaml.safe_load(byok_trust_statement.RETURN)
    del contract["refusal"]
    due = {
        "unless no role could be assumed": True,
        "when the role was found": result["role_arn"] is not None,
        "when the policy is as documented": result["effect"] is not None,
    }
    assert set(result) - FRAMEWORK == set(contract)
    for name, entry in contract.items():
        assert (result[name] is not None) is due[entry["returned"]], name
        if result[name] is not None:
            assert isinstance(result[name], PYTHON_TYPES[entry["type"]]), name


@ONE_OR_SEVERAL
def test_a_role_that_cannot_be_assumed_is_documented(talk: Talk, key: dict[str, Any]) -> None:
    role = "arn:aws:iam::111122223333:role/cmk"
    params = {"RoleArn": role, "RoleSessionName": "keyops.atlassian_cmk"}
    talk.conversation("sts", REGION).expect("AssumeRole", params, Fault("AccessDenied", status=403))
    result = talk.run(kms_key_state, assume_role_arn=role, **key).failed
    refusal = yaml.safe_load(kms_key_state.RETURN)["refusal"]
    assert set(result) - FRAMEWORK == {"refusal"}
    assert set(result["refusal"]) == set(refusal["contains"])


def test_samples_are_of_their_type() -> None:
    for name, entry in yaml.safe_load(kms_key_state.RETURN).items():
        if "sample" in entry:
            assert isinstance(entry["sample"], PYTHON_TYPES[entry["type"]]), name


def test_the_promised_retries_are_those_that_are_tested() -> None:
    # test_connection.py holds the clients to these numbers.
    promised = "mode V(standard), 12 attempts in all, 5 seconds to connect, 20 seconds to answer"
    assert promised in " ".join(aws.ModuleDocFragment.CHANGE.split())
