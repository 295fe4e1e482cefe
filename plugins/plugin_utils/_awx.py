# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""What AWX should have, beside what it has. Pure.

The objects are written as the collections awx.awx and infra.aap_configuration read them: references are names. AWX's
API wants ids, and keeps three things apart from an object's own fields: its survey, its credentials and the nodes of a
workflow. Sources: AWX's ``awx/api/serializers.py`` and ``awx/main/models``; the READMEs of infra.aap_configuration.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

import yaml

ENCRYPTED: t.Final = "$encrypted$"
HIDDEN: t.Final = "********"
LINKS: t.Final = ("success_nodes", "failure_nodes", "always_nodes")
# What the data may say of any object, but AWX has no field for.
_SAID: t.Final = ("update_secrets",)

Item = t.Mapping[str, t.Any]
Fields = dict[str, t.Any]


@dataclass(frozen=True)
class Kind:
    """A kind of object. ``name`` is its endpoint.

    ``key``: what makes an object unique, beside its name. ``references``: field to the kind that it names. ``texts``:
    fields that AWX keeps as a text of JSON or YAML. ``apart``: what the API has at addresses of its own. ``lookup``:
    what the data may say only to find the object, since AWX derives it.
    """

    name: str
    one: str
    key: tuple[str, ...] = ()
    references: t.Mapping[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    lookup: tuple[str, ...] = ()


_ORGANIZATION: t.Final = {"organization": "organizations"}
_WITH_SURVEY: t.Final = ("survey_spec",)
# In this order: each kind names only what comes before it.
KINDS: t.Final = {
    kind.name: kind
    for kind in (
        Kind("organizations", "organization"),
        Kind("credential_types", "credential type", ("kind",)),
        Kind(
            "credentials",
            "credential",
            ("organization", "credential_type"),
            {**_ORGANIZATION, "credential_type": "credential_types"},
        ),
        Kind("execution_environments", "execution environment", (), {**_ORGANIZATION, "credential": "credentials"}),
        Kind("projects", "project", ("organization",), {**_ORGANIZATION, "credential": "credentials"}),
        Kind("inventories", "inventory", ("organization",), _ORGANIZATION, ("variables",)),
        Kind(
            "inventory_sources",
            "inventory source",
            ("inventory",),
            {
                "inventory": "inventories",
                "source_project": "projects",
                "execution_environment": "execution_environments",
            },
            ("source_vars",),
            lookup=("organization",),
        ),
        Kind(
            "job_templates",
            "job template",
            ("organization",),
            {
                **_ORGANIZATION,
                "inventory": "inventories",
                "project": "projects",
                "execution_environment": "execution_environments",
            },
            ("extra_vars",),
            (*_WITH_SURVEY, "credentials"),
            # AWX takes it from the project.
            ("organization",),
        ),
        Kind(
            "workflow_job_templates",
            "workflow job template",
            ("organization",),
            {**_ORGANIZATION, "inventory": "inventories"},
            ("extra_vars",),
            (*_WITH_SURVEY, "simplified_workflow_nodes"),
        ),
    )
}
# Whose names are unique within an organization only.
IN_ORGANIZATION: t.Final = ("credentials", "projects", "inventories", "job_templates", "workflow_job_templates")


def fields(kind: Kind, item: Item) -> Fields:
    """Return the object's own fields as the API takes them, with references still by name.

    Texts are trimmed, as AWX trims them; inputs that are empty are left for a person to fill in.
    """
    own: Fields = {}
    for name, value in item.items():
        if name in (*kind.apart, *_SAID) or (name in kind.lookup and name not in kind.key):
            continue
        if name in kind.texts and not isinstance(value, str):
            own[name] = json.dumps(value)
        elif kind.name == "credentials" and name == "inputs":
            own[name] = {key: text for key, text in value.items() if text not in ("", None)}
        else:
            own[name] = value.strip() if isinstance(value, str) else value
    return own


def differing(kind: Kind, seen: Item, wanted: Item, *, update_secrets: bool = False) -> list[str]:
    """Return the names of the fields that have to be changed.

    :param seen: the object as the API shows it
    :param wanted: its own fields, with references by id
    :param update_secrets: whether secrets, which the API never shows, count as changed
    """
    return [name for name in wanted if not _same(kind, name, seen.get(name), wanted[name], update_secrets)]


def _same(kind: Kind, name: str, seen: t.Any, wanted: t.Any, update_secrets: bool) -> bool:
    if name in kind.texts:
        return bool(_parsed(seen) == _parsed(wanted))
    if kind.name == "credentials" and name == "inputs":
        return all(
            not update_secrets if (seen or {}).get(key) == ENCRYPTED else (seen or {}).get(key) == text
            for key, text in wanted.items()
        )
    return bool(seen == wanted)


def _parsed(text: t.Any) -> t.Any:
    """Read JSON or YAML; what is neither is a text, which differs from any that is."""
    try:
        return (yaml.safe_load(text) if isinstance(text, str) else text) or {}
    except yaml.YAMLError:
        return text


def body(kind: Kind, seen: Item, wanted: Item, names: t.Iterable[str]) -> Fields:
    """Return what to send for the fields ``names``; what it does not name of a credential's inputs stays as it is."""
    sent = {name: wanted[name] for name in names}
    if kind.name == "credentials" and "inputs" in sent:
        sent["inputs"] = {**(seen.get("inputs") or {}), **sent["inputs"]}
    return sent


def shown(kind: Kind, values: Item) -> Fields:
    """Return fields as they may be shown: a credential's inputs by name only."""
    hide = kind.name == "credentials"
    return {
        name: dict.fromkeys(value, HIDDEN) if hide and name == "inputs" and value else _parsed_if(kind, name, value)
        for name, value in values.items()
    }


def _parsed_if(kind: Kind, name: str, value: t.Any) -> t.Any:
    return _parsed(value) if name in kind.texts else value


def survey(spec: t.Any) -> Fields:
    """Return a survey in one form, however its choices are written; an empty one for none."""
    if not spec or not spec.get("spec"):
        return {}
    questions = [{**question, **_choices(question)} for question in spec["spec"]]
    return {"name": spec.get("name", ""), "description": spec.get("description", ""), "spec": questions}


def _choices(question: Item) -> Fields:
    choices = question.get("choices")
    if isinstance(choices, str):
        choices = [line for line in choices.splitlines() if line.strip()]
    return {"choices": choices} if choices else {}


def node(wanted: Item) -> Fields:
    """Return a node of a workflow in the form that :func:`seen_node` has too."""
    approval = wanted.get("approval_node")
    return {
        "identifier": str(wanted["identifier"]),
        "unified_job_template": None if approval else wanted["unified_job_template"],
        "approval_node": _approval(approval) if approval else None,
        "all_parents_must_converge": bool(wanted.get("all_parents_must_converge", False)),
        **{link: sorted(str(name) for name in wanted.get(link) or []) for link in LINKS},
    }


def _approval(given: Item) -> Fields:
    return {
        "name": given["name"],
        "description": given.get("description", ""),
        "timeout": int(given.get("timeout") or 0),
    }


def seen_node(seen: Item, approval: Item | None, identifiers: t.Mapping[int, str]) -> Fields:
    """Return a node as the API shows it in the form of :func:`node`.

    :param approval: its approval template, if it is an approval
    :param identifiers: the id of each node of the workflow, to its identifier
    """
    template = (seen.get("summary_fields") or {}).get("unified_job_template") or {}
    return {
        "identifier": seen["identifier"],
        "unified_job_template": None if approval else template.get("name"),
        "approval_node": _approval(approval) if approval else None,
        "all_parents_must_converge": seen["all_parents_must_converge"],
        # What is not a node of this workflow shows as what it is: a number.
        **{link: sorted(identifiers.get(number, str(number)) for number in seen[link]) for link in LINKS},
    }


def links(of: t.Mapping[str, Fields], without: t.Mapping[str, Fields]) -> list[tuple[str, str, str]]:
    """Return the links (node, kind of link, node) that ``of`` has and ``without`` has not."""
    return [
        (identifier, link, name)
        for identifier, node in of.items()
        for link in LINKS
        for name in node[link]
        if identifier not in without or name not in without[identifier][link]
    ]


def complaint(answer: t.Any) -> str:
    """Put AWX's answer to a request that it refuses in one line (``{"detail": ...}``, or messages by field)."""
    if not isinstance(answer, dict):
        return str(answer)[:300] or "no reason is given"
    told = []
    for name, messages in answer.items():
        text = "; ".join(str(message) for message in messages) if isinstance(messages, list) else str(messages)
        told.append(text if name in ("detail", "error", "msg", "__all__") else f"{name}: {text}")
    return " ".join(told) or "no reason is given"


def scrub(text: str, secrets: t.Iterable[str]) -> str:
    """Hide secrets in a text that AWX wrote."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if secret else text
    return text
