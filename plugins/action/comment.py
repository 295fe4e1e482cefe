# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display

from ansible_collections.keyops.atlassian_cmk.plugins.action.show import show
from ansible_collections.keyops.atlassian_cmk.plugins.module_utils._refusals import refusal
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._announcement import template_fault, with_reference
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._desk import unfit_comment
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._printing import render
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._run import about, shown
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._state_dir import remember

OWN_TEMPLATE: t.Final = "restore_comment.txt.j2"
_SPEC: t.Final[dict[str, dict[str, t.Any]]] = {
    "run": {"type": "dict", "required": True},
    "template": {"type": "str", "default": OWN_TEMPLATE},
    "look": {"type": "dict", "default": {}},
    "hand_over": {"type": "path"},
}


class ActionModule(ActionBase):
    """Write the comment that tells Atlassian."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec=_SPEC)
        run = about(args["run"])
        result |= {"changed": False, "text": "", "code": "", "error": "", "hint": ""}
        try:
            text = self._print(args["template"], run, task_vars or {})
        # A template of the user's can fail in any way, and what is told of the run must not break on it.
        except Exception as error:
            said = template_fault(error.message if isinstance(error, AnsibleError) else str(error))
            return result | vars(refusal("comment_template", template=args["template"], message=said))
        if not (run["check_mode"] or run["entry_point"] == "assess"):
            text = with_reference(text, run["announcement"]["reference"])
        result |= {"text": text, **unfit_comment(text, run["settings"]["ticket"], args["look"])}
        if not args["hand_over"] or result["error"]:
            return result
        file = "" if run["check_mode"] else self._hand_over(args["hand_over"], text, run["settings"]["org"])
        show(render("paste.txt.j2", cmk_settings=run["settings"], cmk_comment=text, cmk_comment_file=file))
        return result

    def _hand_over(self, path: str, text: str, org: str) -> str:
        """Write the text into a file; return its path, or an empty text if it cannot be written: the screen shows it anyway."""
        try:
            remember(path, text, writes=True)
        except (OSError, UnicodeError) as error:
            Display().warning(f"{org}: the text for the ticket cannot be written to {path}: {error}.")
            return ""
        return path

    def _print(self, template: str, run: dict[str, t.Any], task_vars: dict[str, t.Any]) -> str:
        if template in ("", OWN_TEMPLATE):
            return render(OWN_TEMPLATE, **shown(run))
        lookup = lookup_loader.get("ansible.builtin.template", loader=self._loader, templar=self._templar)
        return str(lookup.run([template], variables=task_vars)[0])
