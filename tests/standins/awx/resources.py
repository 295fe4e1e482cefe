"""The fields of AWX's resources, as its serializers and models have them (``awx/api/serializers.py``, ``awx/main``).

Only what is played; each field with its type, whether a new object needs it, and its default. What a client may not set
is ``ro``. Every resource has ``id``, ``type``, ``url``, ``related``, ``summary_fields``, ``created``, ``modified``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Field:
    """``kind`` is str, int, bool, dict, text (JSON or YAML of a map), or the resource of a reference."""

    kind: str
    default: Any = ""
    required: bool = False
    ro: bool = False
    choices: tuple[Any, ...] = ()
    least: int | None = None


@dataclass(frozen=True)
class Resource:
    """``unique``: the fields whose values together are one object's. ``related``: addresses of its own."""

    model: str
    kind: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name",)
    related: tuple[str, ...] = ()


def _flag() -> Field:
    return Field("bool", False)


NAME = {"name": Field("str", required=True), "description": Field("str")}
RESOURCES = {
    "organizations": Resource(
        "Organization",
        "organization",
        {**NAME, "max_hosts": Field("int", 0), "default_environment": Field("execution_environments", None)},
    ),
    "credential_types": Resource(
        "Credential type",
        "credential_type",
        {
            **NAME,
            "kind": Field("str", required=True),
            "namespace": Field("str", None, ro=True),
            "managed": Field("bool", False, ro=True),
            "inputs": Field("dict", {}),
            "injectors": Field("dict", {}),
        },
        ("name", "kind"),
    ),
    "credentials": Resource(
        "Credential",
        "credential",
        {
            **NAME,
            "organization": Field("organizations", None),
            "credential_type": Field("credential_types", None, required=True),
            "inputs": Field("dict", {}),
            "managed": Field("bool", False, ro=True),
        },
        ("organization", "name", "credential_type"),
    ),
    "execution_environments": Resource(
        "Execution environment",
        "execution_environment",
        {
            **NAME,
            "organization": Field("organizations", None),
            "image": Field("str", required=True),
            "managed": Field("bool", False, ro=True),
            "credential": Field("credentials", None),
            "pull": Field("str", "", choices=("", "always", "missing", "never")),
        },
    ),
    "projects": Resource(
        "Project",
        "project",
        {
            **NAME,
            "organization": Field("organizations", None),
            "scm_type": Field("str", "", choices=("", "git", "svn", "insights", "archive")),
            "scm_url": Field("str"),
            "scm_branch": Field("str"),
            "scm_refspec": Field("str"),
            "scm_clean": _flag(),
            "scm_track_submodules": _flag(),
            "scm_delete_on_update": _flag(),
            "scm_update_on_launch": _flag(),
            "scm_update_cache_timeout": Field("int", 0, least=0),
            "allow_override": _flag(),
            "credential": Field("credentials", None),
            "timeout": Field("int", 0),
            "status": Field("str", "never updated", ro=True),
            "scm_revision": Field("str", ro=True),
        },
        ("organization", "name"),
        ("update", "playbooks"),
    ),
    "inventories": Resource(
        "Inventory",
        "inventory",
        {
            **NAME,
            "organization": Field("organizations", None, required=True),
            "kind": Field("str"),
            "host_filter": Field("str", None),
            "variables": Field("text"),
            "total_hosts": Field("int", 0, ro=True),
        },
        ("name", "organization"),
    ),
    "inventory_sources": Resource(
        "Inventory source",
        "inventory_source",
        {
            **NAME,
            "inventory": Field("inventories", None, required=True),
            "source": Field("str", "", required=True),
            "source_path": Field("str"),
            "source_vars": Field("text"),
            "source_project": Field("projects", None),
            "execution_environment": Field("execution_environments", None),
            "overwrite": _flag(),
            "overwrite_vars": _flag(),
            "update_on_launch": _flag(),
            "update_cache_timeout": Field("int", 0, least=0),
            "verbosity": Field("int", 1),
            "status": Field("str", "never updated", ro=True),
        },
        ("name", "inventory"),
        ("update",),
    ),
    "job_templates": Resource(
        "Job template",
        "job_template",
        {
            **NAME,
            "job_type": Field("str", "run", choices=("run", "check")),
            "inventory": Field("inventories", None),
            "project": Field("projects", None),
            "playbook": Field("str"),
            "organization": Field("organizations", None, ro=True),
            "execution_environment": Field("execution_environments", None),
            "forks": Field("int", 0, least=0),
            "limit": Field("str"),
            "verbosity": Field("int", 0, choices=(0, 1, 2, 3, 4, 5)),
            "extra_vars": Field("text"),
            "timeout": Field("int", 0),
            "diff_mode": _flag(),
            "become_enabled": _flag(),
            "allow_simultaneous": _flag(),
            "survey_enabled": _flag(),
            "job_slice_count": Field("int", 1, least=0),
            "ask_variables_on_launch": _flag(),
            "ask_limit_on_launch": _flag(),
            "ask_inventory_on_launch": _flag(),
            "ask_job_slice_count_on_launch": _flag(),
        },
        ("organization", "name"),
        ("survey_spec", "credentials"),
    ),
    "workflow_job_templates": Resource(
        "Workflow job template",
        "workflow_job_template",
        {
            **NAME,
            "organization": Field("organizations", None),
            "inventory": Field("inventories", None),
            "extra_vars": Field("text"),
            "allow_simultaneous": _flag(),
            "survey_enabled": _flag(),
            "ask_variables_on_launch": _flag(),
            "ask_inventory_on_launch": _flag(),
            "ask_limit_on_launch": _flag(),
        },
        ("organization", "name"),
        ("survey_spec", "workflow_nodes"),
    ),
    "workflow_job_template_nodes": Resource(
        "Workflow job template node",
        "workflow_job_template_node",
        {
            "identifier": Field("str", required=True),
            "workflow_job_template": Field("workflow_job_templates", None, required=True),
            "unified_job_template": Field("unified_job_templates", None),
            "all_parents_must_converge": _flag(),
            "extra_data": Field("dict", {}),
            "success_nodes": Field("list", [], ro=True),
            "failure_nodes": Field("list", [], ro=True),
            "always_nodes": Field("list", [], ro=True),
        },
        ("identifier", "workflow_job_template"),
        ("success_nodes", "failure_nodes", "always_nodes", "create_approval_template"),
    ),
    "workflow_approval_templates": Resource(
        "Workflow approval template",
        "workflow_approval_template",
        {**NAME, "timeout": Field("int", 0)},
        (),
    ),
}
