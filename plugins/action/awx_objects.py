# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

import yaml
from ansible.parsing.ajson import AnsibleJSONEncoder
from ansible.plugins.action import ActionBase

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx import scrub
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx_api import Api, AwxError, address
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx_apply import Applier, Change

_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "objects": {"type": "dict", "required": True},
    "controller_host": {"type": "str"},
    "controller_oauthtoken": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool"},
    "project_timeout": {"type": "float", "default": 300},
}


class ActionModule(ActionBase):
    """Bring objects of AWX to what the data says, without a module process."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        token = args["controller_oauthtoken"] or os.environ.get("CONTROLLER_OAUTH_TOKEN", "").strip()
        # Plain values, as a module process would get them.
        objects = json.loads(json.dumps(args["objects"], cls=AnsibleJSONEncoder))
        secrets = {token, *_inputs(objects)}
        try:
            applier = self._applier(args, token)
        except AwxError as error:
            return {**result, "failed": True, "msg": scrub(str(error), secrets)}
        try:
            applier.apply(objects)
        except AwxError as error:
            result |= {"failed": True, "msg": scrub(str(error), secrets)}
        # What was changed before it failed is told too.
        changes = applier.changes
        result |= {"changed": bool(changes), "objects": [_told(change) for change in changes]}
        if self._task.diff:
            result["diff"] = [_diff(change) for change in changes]
        return result

    def _applier(self, args: t.Mapping[str, t.Any], token: str) -> Applier:
        host = args["controller_host"] or os.environ.get("CONTROLLER_HOST", "").strip()
        for name, value in {"CONTROLLER_HOST": host, "CONTROLLER_OAUTH_TOKEN": token}.items():
            if not value:
                raise AwxError(f"{name} is not set. Set it in the environment, and run again.")
        if not token.isascii() or not token.isprintable():
            raise AwxError("CONTROLLER_OAUTH_TOKEN is not one line of ASCII. Copy the token again.")
        validate = args["validate_certs"]
        if validate is None:
            validate = os.environ.get("CONTROLLER_VERIFY_SSL", "true").lower() not in ("false", "no", "0", "off")
        prefix = os.environ.get("CONTROLLER_OPTIONAL_API_URLPATTERN_PREFIX", "") or "/api/"
        api = Api(address(host, prefix), token, validate_certs=validate)
        return Applier(api, check=self._task.check_mode, fetch_timeout=args["project_timeout"])


def _inputs(objects: t.Mapping[str, t.Any]) -> set[str]:
    """Return what the credentials hold; texts that are too short to be secrets would only garble messages."""
    found = (value for item in objects.get("credentials") or [] for value in (item.get("inputs") or {}).values())
    return {value for value in found if isinstance(value, str) and len(value) > 5}


def _told(change: Change) -> dict[str, t.Any]:
    return {"kind": change.kind, "name": change.name, "is_new": change.is_new, "fields": list(change.after)}


def _diff(change: Change) -> dict[str, t.Any]:
    header = f"{change.kind}: {change.name}"
    return {
        "before_header": header,
        "after_header": header,
        "before": _yaml(change.before),
        "after": _yaml(change.after),
    }


def _yaml(values: dict[str, t.Any]) -> str:
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120) if values else ""
