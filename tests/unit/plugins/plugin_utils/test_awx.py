"""What AWX should have beside what it has: the rules by table, and the sentences of what goes wrong on the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _awx as awx
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx_api import Api, AwxError, address
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx_apply import Applier
from tests.standins.awx import TOKEN, Awx
from tests.standins.awx.server import READ_TOKEN

ORGANIZATION = {"name": "Key operations"}
PROJECT = {"name": "P", "organization": "Key operations", "scm_type": "git", "scm_url": "https://git.example.com/p.git"}
INVENTORY = {"name": "I", "organization": "Key operations"}
TEMPLATE = {
    "name": "T",
    "organization": "Key operations",
    "project": "P",
    "inventory": "I",
    "playbook": "restore_cmk.yml",
}
BASE: dict[str, Any] = {"organizations": [ORGANIZATION], "projects": [PROJECT], "inventories": [INVENTORY]}


class TestDiffering:
    @pytest.mark.parametrize(
        ("kind", "seen", "wanted", "names"),
        [
            ("job_templates", {"forks": 5}, {"forks": 5}, []),
            ("job_templates", {"forks": 5}, {"forks": 25}, ["forks"]),
            ("job_templates", {"forks": 5, "limit": "x"}, {"forks": 5}, []),
            # A text of YAML and one of JSON that say the same.
            ("job_templates", {"extra_vars": "---\na: 1\n"}, {"extra_vars": '{"a": 1}'}, []),
            ("job_templates", {"extra_vars": "---\na: 2\n"}, {"extra_vars": '{"a": 1}'}, ["extra_vars"]),
            ("inventories", {"variables": ""}, {"variables": "{}"}, []),
            ("inventories", {"variables": "a: [unclosed"}, {"variables": "{}"}, ["variables"]),
            ("credential_types", {"inputs": {"fields": []}}, {"inputs": {}}, ["inputs"]),
            # Inputs that the data does not name are a person's.
            ("credentials", {"inputs": {"user": "a", "more": "b"}}, {"inputs": {"user": "a"}}, []),
            ("credentials", {"inputs": {"user": "a"}}, {"inputs": {"user": "b"}}, ["inputs"]),
            ("credentials", {"inputs": {"token": "$encrypted$"}}, {"inputs": {"token": "new"}}, []),
            ("credentials", {"inputs": {}}, {"inputs": {"token": "new"}}, ["inputs"]),
        ],
    )
    def test_fields(self, kind: str, seen: dict[str, Any], wanted: dict[str, Any], names: list[str]) -> None:
        assert awx.differing(awx.KINDS[kind], seen, wanted) == names

    def test_secrets_count_as_changed_when_that_is_asked_for(self) -> None:
        seen, wanted = {"inputs": {"token": "$encrypted$"}}, {"inputs": {"token": "new"}}
        assert awx.differing(awx.KINDS["credentials"], seen, wanted, update_secrets=True) == ["inputs"]


class TestFields:
    def test_texts_are_trimmed_as_awx_does(self) -> None:
        assert awx.fields(awx.KINDS["organizations"], {"name": " a ", "max_hosts": 0}) == {"name": "a", "max_hosts": 0}

    def test_empty_inputs_are_left_to_a_person(self) -> None:
        item = {"name": "c", "inputs": {"user": "a", "token": "", "other": None}, "update_secrets": True}
        assert awx.fields(awx.KINDS["credentials"], item) == {"name": "c", "inputs": {"user": "a"}}

    def test_what_the_api_keeps_apart(self) -> None:
        item = {"name": "t", "survey_spec": {}, "credentials": [], "extra_vars": {"a": 1}, "organization": "o"}
        made = awx.fields(awx.KINDS["job_templates"], item)
        assert made == {"name": "t", "extra_vars": '{"a": 1}', "organization": "o"}

    def test_a_changed_secret_keeps_what_else_the_credential_has(self) -> None:
        seen, wanted = {"inputs": {"a": "1", "token": "$encrypted$"}}, {"inputs": {"token": "new"}}
        sent = awx.body(awx.KINDS["credentials"], seen, wanted, ["inputs"])
        assert sent == {"inputs": {"a": "1", "token": "new"}}

    def test_inputs_are_shown_by_name_only(self) -> None:
        shown = awx.shown(awx.KINDS["credentials"], {"name": "c", "inputs": {"user": "a", "token": "b"}})
        assert shown == {"name": "c", "inputs": {"user": awx.HIDDEN, "token": awx.HIDDEN}}


def question(**more: Any) -> dict[str, Any]:
    return {"question_name": "q", "variable": "v", "type": "multiplechoice", "required": True, **more}


class TestSurvey:
    @pytest.mark.parametrize("none", [None, {}, {"name": "", "description": "", "spec": []}])
    def test_none(self, none: Any) -> None:
        assert awx.survey(none) == {}

    def test_choices_in_either_form(self) -> None:
        lines = {"name": "s", "description": "d", "spec": [question(choices="no\n\nyes\n")]}
        listed = {"name": "s", "description": "d", "spec": [question(choices=["no", "yes"])]}
        assert awx.survey(lines) == awx.survey(listed) == listed


class TestComplaint:
    @pytest.mark.parametrize(
        ("answer", "line"),
        [
            ({"detail": "Not found."}, "Not found."),
            ({"playbook": ["Playbook not found for project."]}, "playbook: Playbook not found for project."),
            ({"__all__": ["It exists."]}, "It exists."),
            ({"a": ["x", "y"], "error": "z"}, "a: x; y z"),
            ({}, "no reason is given"),
            (None, "None"),
            ("<html>", "<html>"),
        ],
    )
    def test_in_one_line(self, answer: Any, line: str) -> None:
        assert awx.complaint(answer) == line

    def test_secrets_are_hidden(self) -> None:
        assert awx.scrub("a secret-x and secret", ["secret", "secret-x", ""]) == f"a {awx.HIDDEN} and {awx.HIDDEN}"


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "prefix", "base"),
        [
            ("https://awx.example.com", "/api/", "https://awx.example.com/api/v2"),
            ("https://awx.example.com/", "/api/", "https://awx.example.com/api/v2"),
            ("awx.example.com:8443", "/api/", "https://awx.example.com:8443/api/v2"),
            ("https://aap.example.com", "/api/controller/", "https://aap.example.com/api/controller/v2"),
            ("http://127.0.0.1:8052", "/api/", "http://127.0.0.1:8052/api/v2"),
            ("http://localhost", "/api/", "http://localhost/api/v2"),
        ],
    )
    def test_good(self, host: str, prefix: str, base: str) -> None:
        assert address(host, prefix) == base

    @pytest.mark.parametrize(
        ("host", "words"),
        [
            ("http://awx.example.com", "would carry the token in the clear"),
            ("ftp://awx.example.com", "is not an address of AWX"),
            ("https://", "is not an address of AWX"),
            ("https://user:pass@awx.example.com", "more than scheme, host, port and path"),
            ("https://awx.example.com/?x=1", "more than scheme, host, port and path"),
        ],
    )
    def test_bad(self, host: str, words: str) -> None:
        with pytest.raises(AwxError, match=words) as refused:
            address(host, "/api/")
        assert "pass" not in str(refused.value)


@pytest.fixture
def standin() -> Iterator[Awx]:
    with Awx() as awx_standin:
        yield awx_standin


def apply(standin: Awx, objects: dict[str, Any], *, check: bool = False, token: str = TOKEN) -> Applier:
    api = Api(address(standin.url, "/api/"), token, validate_certs=True)
    applier = Applier(api, check=check, fetch_timeout=0.5)
    applier.apply(objects)
    return applier


class TestRefusals:
    @pytest.mark.parametrize(
        ("objects", "words"),
        [
            ({"hosts": []}, "hosts is not known. Known are organizations,"),
            ({"organizations": [{"description": "x"}]}, "organization '': it has no name"),
            ({"organizations": [{**ORGANIZATION, "max_host": 1}]}, "AWX has no field max_host. Correct the name"),
            (
                {**BASE, "projects": [{**PROJECT, "organization": "No"}]},
                "project 'P': its organization is 'No', but AWX has no such organization",
            ),
            (
                {**BASE, "job_templates": [{**TEMPLATE, "inventory": "X"}]},
                "job template 'T': its inventory is 'X', but AWX has no such inventory",
            ),
            (
                {**BASE, "job_templates": [{**TEMPLATE, "credentials": ["C"]}]},
                "its credential is 'C', but AWX has no such credential",
            ),
            (
                {**BASE, "job_templates": [{**TEMPLATE, "playbook": "no.yml"}]},
                "job template 'T': AWX refuses POST /api/v2/job_templates/ .HTTP 400.: playbook: Playbook not found",
            ),
            ({"credential_types": [{"name": "N", "kind": "ssh"}]}, "Must be 'cloud' or 'net'"),
            (
                {"credential_types": [{"name": "Amazon Web Services", "kind": "cloud", "description": "x"}]},
                "may not PATCH /api/v2/credential_types/1/ .HTTP 403: Modifications not allowed",
            ),
            (
                {
                    **BASE,
                    "workflow_job_templates": [
                        {
                            "name": "W",
                            "organization": "Key operations",
                            "simplified_workflow_nodes": [
                                {"identifier": "a", "approval_node": {"name": "n"}, "success_nodes": ["b"]}
                            ],
                        }
                    ],
                },
                "workflow job template 'W': its node 'a' leads to 'b', which is not a node of it",
            ),
        ],
    )
    def test_one_sentence(self, standin: Awx, objects: dict[str, Any], words: str) -> None:
        with pytest.raises(AwxError, match=words):
            apply(standin, objects)

    def test_check_mode_predicts_what_names_nothing(self, standin: Awx) -> None:
        with pytest.raises(AwxError, match="its inventory is 'X', but AWX has no such inventory"):
            apply(standin, {**BASE, "job_templates": [{**TEMPLATE, "inventory": "X"}]}, check=True)
        assert standin.changes() == []

    def test_a_project_that_cannot_be_fetched(self, standin: Awx) -> None:
        standin.state.fetch = ("pending", "failed")
        with pytest.raises(AwxError, match="project 'P': AWX has not fetched it; its status is 'failed'"):
            apply(standin, BASE)

    def test_a_project_that_takes_too_long(self, standin: Awx) -> None:
        standin.state.fetch = ("pending",) * 100
        with pytest.raises(AwxError, match="its status is 'pending'"):
            apply(standin, BASE)

    def test_a_token_that_may_only_read(self, standin: Awx) -> None:
        with pytest.raises(AwxError, match="The token's user may not POST /api/v2/organizations/"):
            apply(standin, BASE, token=READ_TOKEN)

    def test_no_awx_there(self, standin: Awx) -> None:
        standin.faults["/api/v2/organizations/"] = (404, {"detail": "no"})
        with pytest.raises(
            AwxError, match="Behind the platform gateway, set CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX"
        ):
            apply(standin, BASE)

    def test_something_else_there(self, standin: Awx) -> None:
        standin.faults["/api/v2/organizations/"] = (200, {"hello": "world"})
        with pytest.raises(AwxError, match="answers no list of objects"):
            apply(standin, BASE)

    def test_redirects_are_not_followed(self, standin: Awx) -> None:
        standin.headers["Location"] = "http://127.0.0.1:9/"
        standin.faults["/api/v2/organizations/"] = (302, None)
        with pytest.raises(AwxError, match="HTTP 302"):
            apply(standin, BASE)

    def test_addresses_of_others_are_not_asked(self, standin: Awx) -> None:
        page = {"count": 2, "next": "//192.0.2.1/api/v2/organizations/", "results": []}
        standin.faults["/api/v2/organizations/"] = (200, page)
        with pytest.raises(AwxError, match="which is not its own"):
            apply(standin, BASE)

    def test_nobody_there(self) -> None:
        api = Api(address("http://127.0.0.1:9", "/api/"), TOKEN, validate_certs=True)
        with pytest.raises(AwxError, match="AWX does not answer at http://127"):
            api.find("organizations")

    def test_a_name_that_two_objects_have(self, standin: Awx) -> None:
        other = standin.state.add("organizations", {"name": "Other"})
        for organization in (other["id"], None):
            standin.state.add("projects", {"name": "P", "organization": organization})
        with pytest.raises(AwxError, match="AWX has 2 of this name"):
            apply(standin, {"projects": [{"name": "P", "scm_url": "x"}]})


class TestApplier:
    def test_objects_of_other_organizations_are_left_alone(self, standin: Awx) -> None:
        other = standin.state.add("organizations", {"name": "Other"})
        theirs = standin.state.add("inventories", {"name": "I", "organization": other["id"]})
        apply(standin, BASE)
        assert theirs["organization"] == other["id"]
        assert len(standin.state.objects["inventories"]) == 2

    def test_only_what_differs_is_sent(self, standin: Awx) -> None:
        apply(standin, {**BASE, "job_templates": [{**TEMPLATE, "forks": 5}]})
        standin.changes()
        applier = apply(standin, {**BASE, "job_templates": [{**TEMPLATE, "forks": 25, "verbosity": 0}]})
        assert [call[2] for call in standin.changes()] == [{"forks": 25}]
        (change,) = applier.changes
        assert (change.before, change.after) == ({"forks": 5}, {"forks": 25})

    def test_references_are_shown_by_name(self, standin: Awx) -> None:
        apply(standin, {**BASE, "job_templates": [TEMPLATE]})
        second = {"name": "J", "organization": "Key operations"}
        changed = {**BASE, "inventories": [INVENTORY, second], "job_templates": [{**TEMPLATE, "inventory": "J"}]}
        change = apply(standin, changed).changes[-1]
        assert (change.before, change.after) == ({"inventory": "I"}, {"inventory": "J"})

    def test_a_survey_that_is_no_longer_wanted(self, standin: Awx) -> None:
        spec = {"name": "s", "description": "", "spec": [question(type="text")]}
        apply(standin, {**BASE, "job_templates": [{**TEMPLATE, "survey_spec": spec}]})
        assert standin.state.surveys
        apply(standin, {**BASE, "job_templates": [{**TEMPLATE, "survey_spec": {}}]})
        assert standin.state.surveys == {}

    def test_a_node_becomes_an_approval_and_back(self, standin: Awx) -> None:
        def workflow(*nodes: dict[str, Any]) -> dict[str, Any]:
            one = {"name": "W", "organization": "Key operations", "simplified_workflow_nodes": list(nodes)}
            return {**BASE, "job_templates": [TEMPLATE], "workflow_job_templates": [one]}

        job = {"identifier": "a", "unified_job_template": "T", "success_nodes": ["b"]}
        approval = {"identifier": "a", "approval_node": {"name": "Sure?"}, "success_nodes": ["b"]}
        last = {"identifier": "b", "unified_job_template": "T"}
        for nodes in ((job, last), (approval, last), (job, last)):
            assert apply(standin, workflow(*nodes)).changes
            assert apply(standin, workflow(*nodes)).changes == []
        # The other way round: with the old link still there it would be a cycle.
        turned = ({**job, "success_nodes": []}, {**last, "success_nodes": ["a"]})
        assert apply(standin, workflow(*turned)).changes
        assert apply(standin, workflow(*turned)).changes == []
