"""What AWX answers under ``/api/v2/``. No sockets here.

Source: AWX's ``awx/api/serializers.py``, ``awx/api/views/__init__.py``, ``awx/api/generics.py``, ``awx/main/models`` and
``awx/main/fields.py`` (validation of credential types and inputs). AWX ignores fields that it does not know, and so does
this; what was ignored stands in ``State.ignored``, for tests to find it empty. Where a view is not played, the answer is
501, so that no test takes silence for an answer.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jinja2
import jinja2.sandbox
import yaml

from .resources import RESOURCES, Field

PREFIX = "/api/v2"
ENCRYPTED = "$encrypted$"
DEFAULT_PAGE = 25
NO_LOGIN = "Authentication credentials were not provided. To establish a login session, visit /api/login/."
SURVEY_TYPES: dict[str, Any] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": (float, int),
}
AWS_FIELDS = [
    {"id": "username", "label": "Access Key", "type": "string"},
    {"id": "password", "label": "Secret Key", "type": "string", "secret": True},
    {"id": "security_token", "label": "STS Token", "type": "string", "secret": True},
]


class RefusedError(Exception):
    """Ends a request with an error answer."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(str(answer))
        self.status = status
        self.answer = answer


@dataclass
class State:
    """What AWX remembers. ``fetch`` is the way of a project's update; ``page`` the most objects of a page."""

    objects: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    surveys: dict[tuple[str, int], Any] = field(default_factory=dict)
    attached: dict[int, list[int]] = field(default_factory=dict)
    updates: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    playbooks: tuple[str, ...] = ("assess_cmk.yml", "restore_cmk.yml", "revoke_cmk.yml", "verify_cmk.yml")
    fetch: tuple[str, ...] = ("pending", "running", "successful")
    page: int = 200
    last_id: int = 0

    def __post_init__(self) -> None:
        self.objects = {name: {} for name in RESOURCES}
        aws = {"name": "Amazon Web Services", "kind": "cloud", "namespace": "aws", "managed": True}
        self.add("credential_types", {**aws, "inputs": {"fields": AWS_FIELDS}, "injectors": {}})

    def add(self, resource: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Store a new object, with its defaults."""
        self.last_id += 1
        fields = RESOURCES[resource].fields
        made = {name: copy.deepcopy(field.default) for name, field in fields.items()} | dict(values)
        self.objects[resource][self.last_id] = {"id": self.last_id, **made}
        return self.objects[resource][self.last_id]

    def named(self, resource: str, name: str) -> dict[str, Any]:
        """The only object of a name, for tests to look at and to change by hand."""
        (found,) = [one for one in self.objects[resource].values() if name in (one.get("name"), one.get("identifier"))]
        return found


def answer(state: State, method: str, path: str, query: str, body: bytes) -> tuple[int, Any]:
    """The status and the JSON of the answer."""
    try:
        return _route(state, method, path, query, body)
    except RefusedError as refused:
        return refused.status, refused.answer


def _route(state: State, method: str, path: str, query: str, body: bytes) -> tuple[int, Any]:
    found = re.fullmatch(rf"{PREFIX}/([a-z_]+)/(?:([0-9]+)/(?:([a-z_]+)/)?)?", path)
    if not found or found[1] not in RESOURCES:
        raise RefusedError(404, {"detail": "The requested resource could not be found."})
    resource, number, sub = found.groups()
    data = _body(method, body)
    if number is None:
        return _list(state, resource, method, query, data)
    one = state.objects[resource].get(int(number))
    if one is None:
        raise RefusedError(404, {"detail": "Not found."})
    if sub is None:
        return _detail(state, resource, one, method, data)
    if sub not in RESOURCES[resource].related:
        raise RefusedError(501, {"detail": f"The stand-in does not play {sub}."})
    return _sub(state, resource, one, sub, method, query, data)


def _body(method: str, body: bytes) -> dict[str, Any]:
    if method in ("GET", "DELETE") or not body:
        return {}
    try:
        data = json.loads(body)
    except ValueError as error:
        raise RefusedError(400, {"detail": f"JSON parse error - {error}"}) from None
    if not isinstance(data, dict):
        raise RefusedError(400, {"non_field_errors": ["Invalid data. Expected a dictionary."]})
    return data


def _refuse_method(method: str) -> RefusedError:
    return RefusedError(405, {"detail": f'Method "{method}" not allowed.'})


# Lists


def _list(state: State, resource: str, method: str, query: str, data: dict[str, Any]) -> tuple[int, Any]:
    if method == "GET":
        return 200, _page(state, resource, list(state.objects[resource].values()), f"{PREFIX}/{resource}/", query)
    if method != "POST" or resource == "workflow_approval_templates":
        raise _refuse_method(method)
    return 201, shown(state, resource, _create(state, resource, data))


def _page(state: State, resource: str, objects: list[dict[str, Any]], path: str, query: str) -> dict[str, Any]:
    given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    number, size = int(given.pop("page", "1")), min(int(given.pop("page_size", str(DEFAULT_PAGE))), state.page)
    for name, value in given.items():
        if name != "id" and name not in RESOURCES[resource].fields:
            raise RefusedError(400, {"detail": f"{RESOURCES[resource].model} has no field named '{name}'"})
        objects = [one for one in objects if str(one[name]) == value]
    start = (number - 1) * size
    more = start + size < len(objects)
    following = urlencode({**given, "page_size": size, "page": number + 1})
    return {
        "count": len(objects),
        "next": f"{path}?{following}" if more else None,
        "previous": None,
        "results": [shown(state, resource, one) for one in objects[start : start + size]],
    }


# Objects


def _detail(state: State, resource: str, one: dict[str, Any], method: str, data: dict[str, Any]) -> tuple[int, Any]:
    if method == "GET":
        if resource == "projects":
            _go_on(state, one)
        return 200, shown(state, resource, one)
    if method == "PATCH":
        _change(state, resource, one, data)
        return 200, shown(state, resource, one)
    if method == "DELETE" and resource == "workflow_job_template_nodes":
        del state.objects[resource][one["id"]]
        for other in state.objects[resource].values():
            for link in ("success_nodes", "failure_nodes", "always_nodes"):
                other[link] = [number for number in other[link] if number != one["id"]]
        return 204, None
    raise _refuse_method(method)


def _create(state: State, resource: str, data: dict[str, Any]) -> dict[str, Any]:
    values = _checked(state, resource, data, None)
    made = {name: copy.deepcopy(field.default) for name, field in RESOURCES[resource].fields.items()} | values
    _validate(state, resource, made, values, None)
    _unique(state, resource, made, None)
    one = state.add(resource, made)
    if resource == "projects" and one["scm_type"]:
        one["status"] = state.fetch[0]
    return one


def _change(state: State, resource: str, one: dict[str, Any], data: dict[str, Any]) -> None:
    if one.get("managed"):
        raise RefusedError(403, {"detail": "Modifications not allowed for managed credential types"})
    values = _checked(state, resource, data, one)
    if resource == "credentials" and "inputs" in values:
        kept = {name: one["inputs"].get(name, "") for name, value in values["inputs"].items() if value == ENCRYPTED}
        values["inputs"] |= kept
    changed = one | values
    _validate(state, resource, changed, values, one)
    _unique(state, resource, changed, one)
    one |= changed


def _checked(state: State, resource: str, data: dict[str, Any], one: dict[str, Any] | None) -> dict[str, Any]:
    """The fields that a client may set, by the rules that hold for every serializer."""
    fields = RESOURCES[resource].fields
    state.ignored += [
        f"{resource}.{name}" for name in data if name not in fields or (fields[name].ro and data[name] is not None)
    ]
    values, errors = {}, {}
    for name, known in fields.items():
        if known.ro:
            continue
        if name not in data:
            if known.required and one is None:
                errors[name] = ["This field is required."]
            continue
        if message := _wrong(state, known, data[name]):
            errors[name] = [message]
        values[name] = data[name].strip() if isinstance(data[name], str) else data[name]
    if errors:
        raise RefusedError(400, errors)
    return values


def _wrong(state: State, known: Field, value: Any) -> str | None:  # noqa: C901 - one rule after the other reads best
    if value is None:
        return None if known.default is None and not known.required else "This field may not be null."
    if known.kind == "bool" and not isinstance(value, bool):
        return "Must be a valid boolean."
    if known.kind == "int" and (isinstance(value, bool) or not isinstance(value, int)):
        return "A valid integer is required."
    if known.kind == "dict" and not isinstance(value, dict):
        return "Expected a JSON object."
    if known.kind in ("str", "text") and not isinstance(value, str):
        return "Not a valid string."
    if known.kind == "str" and known.required and not value.strip():
        return "This field may not be blank."
    if known.kind == "text" and not _is_map(value):
        return "Cannot parse as JSON or YAML."
    if known.choices and value not in known.choices:
        return f'"{value}" is not a valid choice.'
    if known.least is not None and value < known.least:
        return f"Ensure this value is greater than or equal to {known.least}."
    if known.kind in RESOURCES or known.kind == "unified_job_templates":
        if isinstance(value, bool) or not isinstance(value, int):
            return f"Incorrect type. Expected pk value, received {type(value).__name__}."
        if _referred(state, known.kind, value) is None:
            return f'Invalid pk "{value}" - object does not exist.'
    return None


def _is_map(text: str) -> bool:
    try:
        return isinstance(yaml.safe_load(text) or {}, dict)
    except yaml.YAMLError:
        return False


def _referred(state: State, kind: str, number: int) -> dict[str, Any] | None:
    kinds = ("job_templates", "workflow_approval_templates", "projects") if kind == "unified_job_templates" else (kind,)
    return next((state.objects[name][number] for name in kinds if number in state.objects[name]), None)


def _unique(state: State, resource: str, made: dict[str, Any], one: dict[str, Any] | None) -> None:
    unique = RESOURCES[resource].unique
    taken = [
        other
        for other in state.objects[resource].values()
        if other is not one and unique and all(other[name] == made[name] for name in unique)
    ]
    if not taken:
        return
    model = RESOURCES[resource].model
    if unique == ("name",):
        raise RefusedError(400, {"name": [f"{model} with this Name already exists."]})
    words = " and ".join(name.replace("_", " ").capitalize() for name in unique)
    raise RefusedError(400, {"__all__": [f"{model} with this {words} already exists."]})


# The rules of each kind


def _validate(
    state: State, resource: str, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None
) -> None:
    rule = _RULES.get(resource)
    if rule:
        rule(state, made, values, one)


def _credential_type(state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None) -> None:
    if made["kind"] not in ("cloud", "net"):
        raise RefusedError(400, {"kind": [f"Must be 'cloud' or 'net', not {made['kind']}"]})
    used = one and any(other["credential_type"] == one["id"] for other in state.objects["credentials"].values())
    if one and used and "inputs" in values and values["inputs"] != one["inputs"]:
        raise RefusedError(
            403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"}
        )
    known = {"id", "label", "type", "format", "choices", "help_text", "multiline", "secret", "default"}
    for question in made["inputs"].get("fields", []):
        if not {"id", "label"} <= set(question) or set(question) - known:
            raise RefusedError(400, {"inputs": [f"Schema validation error for {question}"]})
        question.setdefault("type", "string")
    if set(made["inputs"]) - {"fields", "required"} or set(made["injectors"]) - {"env", "file", "extra_vars"}:
        raise RefusedError(400, {"inputs": ["Additional properties are not allowed"]})
    _injectors(made)


def _injectors(made: dict[str, Any]) -> None:
    names = {question["id"]: "EXAMPLE" for question in made["inputs"].get("fields", [])}
    sandbox = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for variable, template in made["injectors"].get("env", {}).items():
        if variable.startswith("ANSIBLE_"):
            told = f"Environment variable {variable} may affect Ansible configuration so its use is not allowed"
            raise RefusedError(400, {"injectors": [told]})
        try:
            sandbox.from_string(template).render(names)
        except jinja2.TemplateError as error:
            raise RefusedError(400, {"injectors": [f"{variable} uses an undefined field ({error})"]}) from None


def _credential(state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None) -> None:
    if one is None and made["organization"] is None:
        raise RefusedError(400, {"detail": "Missing 'user', 'team', or 'organization'."})
    fields = {known["id"]: known for known in _inputs(state, made["credential_type"])}
    extra = sorted(set(made["inputs"]) - set(fields))
    if extra:
        raise RefusedError(400, {"inputs": [f"Additional properties are not allowed ('{extra[0]}' was unexpected)"]})
    for name, value in made["inputs"].items():
        if not isinstance(value, str):
            raise RefusedError(400, {"inputs": {name: [f"{value!r} is not of type 'string'"]}})
        if one is None and value == ENCRYPTED and fields[name].get("secret"):
            told = f"$encrypted$ is a reserved keyword, and cannot be used for {name}."
            raise RefusedError(400, {"inputs": [told]})


def _inputs(state: State, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = state.objects["credential_types"][number]["inputs"].get("fields", [])
    return found


def _execution_environment(
    state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None
) -> None:
    if one and values.get("organization") not in (None, one["organization"]):
        raise RefusedError(400, {"organization": ["Cannot change the organization of an execution environment"]})
    if not re.fullmatch(r"[a-z0-9][a-z0-9.:-]*(/[a-z0-9._-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?", made["image"]):
        raise RefusedError(400, {"image": [f"{made['image']} is not a valid container image reference."]})


def _project(state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None) -> None:
    if made["scm_type"] and not made["scm_url"]:
        raise RefusedError(400, {"scm_url": ["SCM URL is required."]})


def _inventory_source(state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None) -> None:
    if made["source"] not in ("scm", "ec2", "file"):
        raise RefusedError(400, {"source": [f'"{made["source"]}" is not a valid choice.']})
    if made["source"] == "scm" and made["source_project"] is None:
        raise RefusedError(400, {"source_project": ["Project required for scm type sources."]})


def _job_template(state: State, made: dict[str, Any], values: dict[str, Any], one: dict[str, Any] | None) -> None:
    if made["project"] is None:
        raise RefusedError(400, {"project": ["This field is required."]})
    project = state.objects["projects"][made["project"]]
    known = state.playbooks if project["status"] == "successful" else ()
    if made["playbook"] and made["playbook"] not in known:
        raise RefusedError(400, {"playbook": ["Playbook not found for project."]})
    if not made["playbook"]:
        raise RefusedError(400, {"playbook": ["Must select playbook for project."]})
    if made["inventory"] is None and not made["ask_inventory_on_launch"]:
        told = "You must either set a default value or ask to prompt on launch."
        raise RefusedError(400, {"inventory": [told]})
    made["organization"] = project["organization"]


_RULES = {
    "credential_types": _credential_type,
    "credentials": _credential,
    "execution_environments": _execution_environment,
    "projects": _project,
    "inventory_sources": _inventory_source,
    "job_templates": _job_template,
}


def _go_on(state: State, project: dict[str, Any]) -> None:
    """Each look at a project takes its update one step further."""
    if project["status"] in state.fetch[:-1]:
        project["status"] = state.fetch[state.fetch.index(project["status"]) + 1]


# What hangs on an object


def _sub(
    state: State, resource: str, one: dict[str, Any], sub: str, method: str, query: str, data: dict[str, Any]
) -> tuple[int, Any]:
    if sub == "survey_spec":
        return _survey(state, resource, one, method, data)
    if sub == "workflow_nodes":
        nodes = state.objects["workflow_job_template_nodes"]
        if method == "GET":
            own = [node for node in nodes.values() if node["workflow_job_template"] == one["id"]]
            path = f"{PREFIX}/{resource}/{one['id']}/{sub}/"
            return 200, _page(state, "workflow_job_template_nodes", own, path, query)
        made = _create(state, "workflow_job_template_nodes", {**data, "workflow_job_template": one["id"]})
        return 201, shown(state, "workflow_job_template_nodes", made)
    if method != "POST":
        raise _refuse_method(method)
    if sub == "credentials":
        return _attach_credential(state, one, data)
    if sub == "create_approval_template":
        template = _create(state, "workflow_approval_templates", data)
        one["unified_job_template"] = template["id"]
        return 201, shown(state, "workflow_approval_templates", template)
    if sub == "update":
        state.updates.append(f"{resource}/{one['id']}")
        return 202, {"id": state.last_id, "status": "pending"}
    return _link(state, one, sub, data)


def _number(data: dict[str, Any]) -> int:
    if not isinstance(data.get("id"), int):
        raise RefusedError(400, {"msg": '"id" field must be an integer.'})
    return int(data["id"])


def _attach_credential(state: State, one: dict[str, Any], data: dict[str, Any]) -> tuple[int, Any]:
    attached = state.attached.setdefault(one["id"], [])
    number, credentials = _number(data), state.objects["credentials"]
    if number not in credentials:
        raise RefusedError(400, {"detail": "Credential with this id does not exist."})
    if "disassociate" in data:
        state.attached[one["id"]] = [other for other in attached if other != number]
        return 204, None
    kind = credentials[number]["credential_type"]
    if kind in [credentials[other]["credential_type"] for other in attached]:
        name = state.objects["credential_types"][kind]["name"]
        raise RefusedError(400, {"error": f"Cannot assign multiple {name} credentials."})
    attached.append(number)
    return 204, None


def _link(state: State, one: dict[str, Any], sub: str, data: dict[str, Any]) -> tuple[int, Any]:
    nodes, number = state.objects["workflow_job_template_nodes"], _number(data)
    if number not in nodes or nodes[number]["workflow_job_template"] != one["workflow_job_template"]:
        raise RefusedError(400, {"detail": "The node is not of this workflow."})
    if "disassociate" in data:
        one[sub] = [other for other in one[sub] if other != number]
        return 204, None
    others = {"success_nodes", "failure_nodes", "always_nodes"} - {sub}
    if any(number in one[link] for link in others):
        raise RefusedError(400, {"Error": "Relationship not allowed."})
    if number == one["id"] or one["id"] in _reached(nodes, number):
        raise RefusedError(400, {"Error": "Cycle detected."})
    if number not in one[sub]:
        one[sub].append(number)
    return 204, None


def _reached(nodes: dict[int, dict[str, Any]], number: int) -> set[int]:
    seen: set[int] = set()
    todo = [number]
    while todo:
        node = nodes[todo.pop()]
        following = {*node["success_nodes"], *node["failure_nodes"], *node["always_nodes"]} - seen
        seen |= following
        todo += following
    return seen


def _survey(state: State, resource: str, one: dict[str, Any], method: str, data: dict[str, Any]) -> tuple[int, Any]:
    if method == "GET":
        return 200, state.surveys.get((resource, one["id"]), {})
    if method == "DELETE":
        state.surveys.pop((resource, one["id"]), None)
        return 200, None
    if method != "POST":
        raise _refuse_method(method)
    if message := _wrong_survey(data):
        raise RefusedError(400, {"error": message})
    state.surveys[resource, one["id"]] = data
    # AWX's answer has no body.
    return 200, None


def _wrong_survey(data: dict[str, Any]) -> str | None:
    for name, kind, label in (("name", str, "string"), ("description", str, "string"), ("spec", list, "list of items")):
        if name not in data:
            return f"Field '{name}' is missing from survey spec."
        if not isinstance(data[name], kind):
            return f"Expected {label} for field '{name}', received {type(data[name]).__name__} type."
    if not data["spec"]:
        return "'spec' doesn't contain any items."
    seen: set[str] = set()
    for number, question in enumerate(data["spec"]):
        if message := _wrong_question(question, number):
            return message
        if question["variable"] in seen:
            return f"'variable' '{question['variable']}' duplicated in survey question {number}."
        seen.add(question["variable"])
    return None


def _wrong_question(question: dict[str, Any], number: int) -> str | None:  # noqa: C901 - AWX's checks in AWX's order
    for name, kind, label in (
        ("type", str, "string"),
        ("question_name", str, "string"),
        ("variable", str, "string"),
        ("required", bool, "boolean"),
    ):
        if name not in question:
            return f"'{name}' missing from survey question {number}"
        if not isinstance(question[name], kind):
            return f"'{name}' in survey question {number} expected to be {label}."
    if question["type"] not in SURVEY_TYPES:
        return f"'{question['type']}' in survey question {number} is not one of the allowed question types."
    default = question.get("default", "")
    if default != "" and not isinstance(default, SURVEY_TYPES[question["type"]]):
        return f"Default value {default} in survey question {number} expected to be string."
    for name in ("min", "max"):
        if not isinstance(question.get(name), (int, type(None))):
            return f"The {name} limit in survey question {number} expected to be integer."
    if question["type"] in ("multiselect", "multiplechoice"):
        if "choices" not in question:
            return f"Survey question {number} of type {question['type']} must specify choices."
        defaults = default.splitlines() if isinstance(default, str) else default
        if question["type"] == "multiplechoice" and len(defaults) > 1:
            return "Multiple Choice (Single Select) can only have one default value."
        if any(one not in question["choices"] for one in defaults):
            return "Default choice must be answered from the choices listed."
    return None


def wrong_answers(spec: dict[str, Any], given: dict[str, Any]) -> list[str]:
    """What AWX says to the answers of a launch (``SurveyJobTemplateMixin``); variables outside of the survey are refused."""
    told = [f"Variables {name} are not allowed on launch." for name in given if name not in _variables(spec)]
    for question in spec["spec"]:
        name, value = question["variable"], given.get(question["variable"])
        if name not in given:
            told += [f"'{name}' value missing"] if question["required"] else []
        elif question["type"] in ("text", "textarea", "password"):
            if not isinstance(value, str):
                told.append(f"Value {value} for '{name}' expected to be a string.")
            elif len(value) < (question.get("min") or 0):
                told.append(f"'{name}' value {value} is too small")
            elif question.get("max") is not None and len(value) > question["max"]:
                told.append(f"'{name}' value {value} is too large")
        elif question["type"] == "multiplechoice" and value not in question["choices"]:
            told.append(f"Value {value} for '{name}' expected to be one of {question['choices']}.")
    return told


def _variables(spec: dict[str, Any]) -> set[str]:
    return {question["variable"] for question in spec["spec"]}


# What AWX shows


def shown(state: State, resource: str, one: dict[str, Any]) -> dict[str, Any]:
    """An object as the API shows it."""
    kind = RESOURCES[resource]
    base = f"{PREFIX}/{resource}/{one['id']}/"
    related = {name: f"{base}{name}/" for name in kind.related}
    summary: dict[str, Any] = {}
    for name, known in kind.fields.items():
        if one.get(name) is None or known.kind not in (*RESOURCES, "unified_job_templates"):
            continue
        target = _referred(state, known.kind, one[name])
        if target is not None:
            where = _where(state, known.kind, one[name])
            summary[name] = {"id": target["id"], "name": target.get("name", ""), "description": ""}
            related[name] = f"{PREFIX}/{where}/{target['id']}/"
            if known.kind == "unified_job_templates":
                approval = where == "workflow_approval_templates"
                summary[name]["unified_job_type"] = "workflow_approval" if approval else "job"
    if resource == "job_templates":
        attached = [state.objects["credentials"][number] for number in state.attached.get(one["id"], [])]
        summary["credentials"] = [{"id": credential["id"], "name": credential["name"]} for credential in attached]
    values = copy.deepcopy(one)
    if resource == "credentials":
        secret = {known["id"] for known in _inputs(state, one["credential_type"]) if known.get("secret")}
        values["inputs"] = {
            name: ENCRYPTED if name in secret and value else value for name, value in one["inputs"].items()
        }
    return {"type": kind.kind, "url": base, "related": related, "summary_fields": summary, **values}


def _where(state: State, kind: str, number: int) -> str:
    if kind != "unified_job_templates":
        return kind
    return next(name for name in RESOURCES if number in state.objects[name])
