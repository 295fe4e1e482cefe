"""The AWX stand-in is as strict as AWX's serializers and views."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.standins.awx.api import ENCRYPTED, State, answer


def ask(state: State, method: str, path: str, data: Any = None, query: str = "") -> tuple[int, Any]:
    return answer(state, method, f"/api/v2/{path}", query, b"" if data is None else json.dumps(data).encode())


@pytest.fixture
def state() -> State:
    made = State()
    ask(made, "POST", "organizations/", {"name": "O"})
    return made


def org(state: State) -> int:
    return int(state.named("organizations", "O")["id"])


QUESTION = {"question_name": "q", "variable": "v", "type": "text", "required": True}


@pytest.mark.parametrize(
    ("path", "data", "status", "words"),
    [
        ("organizations/", {}, 400, "This field is required."),
        ("organizations/", {"name": " "}, 400, "This field may not be blank."),
        ("organizations/", {"name": "O"}, 400, "Organization with this Name already exists."),
        ("organizations/", {"name": "P", "max_hosts": "3"}, 400, "A valid integer is required."),
        ("organizations", {"name": "P"}, 404, "could not be found"),
        ("hosts/", {"name": "P"}, 404, "could not be found"),
        ("organizations/99/", None, 404, "Not found."),
        ("inventories/", {"name": "I"}, 400, "This field is required."),
        ("inventories/", {"name": "I", "organization": "O"}, 400, "Expected pk value, received str."),
        ("inventories/", {"name": "I", "organization": 99}, 400, "object does not exist"),
        ("inventories/", {"name": "I", "organization": 2, "variables": {"a": 1}}, 400, "Not a valid string."),
        ("inventories/", {"name": "I", "organization": 2, "variables": "[1]"}, 400, "Cannot parse"),
        ("credential_types/", {"name": "T", "kind": "ssh"}, 400, "Must be 'cloud' or 'net'"),
        (
            "credential_types/",
            {"name": "T", "kind": "cloud", "inputs": {"fields": []}, "injectors": {"env": {"A": "{{ no }}"}}},
            400,
            "uses an undefined field",
        ),
        (
            "credential_types/",
            {"name": "T", "kind": "cloud", "injectors": {"env": {"ANSIBLE_X": "x"}}},
            400,
            "may affect Ansible configuration",
        ),
        ("credential_types/", {"name": "T", "kind": "cloud", "inputs": {"fields": [{"id": "a"}]}}, 400, "Schema"),
        ("credentials/", {"name": "C", "credential_type": 1}, 400, "Missing 'user', 'team', or 'organization'."),
        ("credentials/", {"name": "C", "credential_type": 1, "organization": 2, "inputs": {"x": "y"}}, 400, "'x' was"),
        (
            "credentials/",
            {"name": "C", "credential_type": 1, "organization": 2, "inputs": {"password": ENCRYPTED}},
            400,
            "reserved keyword",
        ),
        ("execution_environments/", {"name": "E"}, 400, "This field is required."),
        ("execution_environments/", {"name": "E", "image": "No Image"}, 400, "not a valid container image"),
        ("execution_environments/", {"name": "E", "image": "a/b", "pull": "now"}, 400, "not a valid choice"),
        ("job_templates/", {"name": "J"}, 400, "This field is required."),
        ("job_templates/", {"name": "J", "forks": -1}, 400, "greater than or equal to 0"),
        ("job_templates/", {"name": "J", "allow_simultaneous": "no"}, 400, "Must be a valid boolean."),
        ("inventory_sources/", {"name": "S", "inventory": 2, "source": "scm"}, 400, "object does not exist"),
    ],
)
def test_refused(state: State, path: str, data: Any, status: int, words: str) -> None:
    seen, told = ask(state, "GET" if data is None else "POST", path, data)
    assert (seen, words in json.dumps(told)) == (status, True), told


def test_an_unknown_field_is_ignored_as_awx_does_and_noted(state: State) -> None:
    status, made = ask(state, "POST", "organizations/", {"name": "P", "nonsense": 1})
    assert status == 201
    assert "nonsense" not in made
    assert state.ignored == ["organizations.nonsense"]


def test_lists_are_paged_and_filtered(state: State) -> None:
    for name in "PQR":
        ask(state, "POST", "organizations/", {"name": name})
    _status, page = ask(state, "GET", "organizations/", query="page_size=3")
    assert (page["count"], len(page["results"])) == (4, 3)
    path, _mark, query = page["next"].partition("?")
    assert path == "/api/v2/organizations/"
    _status, rest = ask(state, "GET", "organizations/", query=query)
    assert (len(rest["results"]), rest["next"]) == (1, None)
    assert ask(state, "GET", "organizations/", query="name=Q")[1]["count"] == 1
    assert ask(state, "GET", "organizations/", query="nonsense=Q")[0] == 400


def test_secrets_are_never_shown_and_kept_when_sent_back(state: State) -> None:
    data = {"name": "C", "credential_type": 1, "organization": org(state), "inputs": {"username": "a", "password": "b"}}
    _status, made = ask(state, "POST", "credentials/", data)
    assert made["inputs"] == {"username": "a", "password": ENCRYPTED}
    ask(state, "PATCH", f"credentials/{made['id']}/", {"inputs": {"username": "c", "password": ENCRYPTED}})
    assert state.named("credentials", "C")["inputs"] == {"username": "c", "password": "b"}


def test_a_job_template_needs_a_fetched_project(state: State) -> None:
    project = {"name": "P", "organization": org(state), "scm_type": "git", "scm_url": "https://git.example.com/p"}
    _status, made = ask(state, "POST", "projects/", project)
    _status, inventory = ask(state, "POST", "inventories/", {"name": "I", "organization": org(state)})
    template = {"name": "J", "project": made["id"], "inventory": inventory["id"], "playbook": "restore_cmk.yml"}
    assert ask(state, "POST", "job_templates/", template)[0] == 400
    statuses = [ask(state, "GET", f"projects/{made['id']}/")[1]["status"] for _look in range(3)]
    assert statuses == ["running", "successful", "successful"]
    _status, job = ask(state, "POST", "job_templates/", template)
    assert job["organization"] == org(state)
    survey = f"job_templates/{job['id']}/survey_spec/"
    assert ask(state, "POST", survey, {"name": "s", "description": "", "spec": [QUESTION]}) == (200, None)
    for wrong in (
        {"name": "s", "spec": [QUESTION]},
        {"name": "s", "description": "", "spec": []},
        {"name": "s", "description": "", "spec": [QUESTION, QUESTION]},
        {"name": "s", "description": "", "spec": [{**QUESTION, "required": "yes"}]},
        {"name": "s", "description": "", "spec": [{**QUESTION, "type": "nonsense"}]},
        {"name": "s", "description": "", "spec": [{**QUESTION, "type": "multiplechoice"}]},
        {
            "name": "s",
            "description": "",
            "spec": [{**QUESTION, "type": "multiplechoice", "choices": ["a"], "default": "b"}],
        },
    ):
        assert ask(state, "POST", survey, wrong)[0] == 400, wrong


def test_two_credentials_of_a_type_and_cycles_are_refused(state: State) -> None:
    made = [
        ask(state, "POST", "credentials/", {"name": name, "credential_type": 1, "organization": org(state)})[1]["id"]
        for name in "CD"
    ]
    project = state.add("projects", {"name": "P", "organization": org(state), "status": "successful"})
    job = state.add("job_templates", {"name": "J", "project": project["id"]})
    path = f"job_templates/{job['id']}/credentials/"
    assert ask(state, "POST", path, {"id": made[0]}) == (204, None)
    assert ask(state, "POST", path, {"id": made[1]})[1] == {
        "error": "Cannot assign multiple Amazon Web Services credentials."
    }
    flow = ask(state, "POST", "workflow_job_templates/", {"name": "W", "organization": org(state)})[1]
    one, two = (
        ask(state, "POST", f"workflow_job_templates/{flow['id']}/workflow_nodes/", {"identifier": n})[1] for n in "ab"
    )
    assert ask(state, "POST", f"workflow_job_template_nodes/{one['id']}/success_nodes/", {"id": two["id"]})[0] == 204
    assert ask(state, "POST", f"workflow_job_template_nodes/{two['id']}/success_nodes/", {"id": one["id"]})[1] == {
        "Error": "Cycle detected."
    }
    approval = f"workflow_job_template_nodes/{one['id']}/create_approval_template/"
    assert ask(state, "POST", approval, {"timeout": 0})[0] == 400
    assert ask(state, "POST", approval, {"name": "Sure?"})[0] == 201
