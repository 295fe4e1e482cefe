# Copyright: The keyops.atlassian_cmk contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: it may change in any release.

"""Bring AWX to what the data says: look each object up, compare, and send only what differs."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils import _awx as awx
from ansible_collections.keyops.atlassian_cmk.plugins.plugin_utils._awx_api import Api, AwxError

_UNDER_WAY: t.Final = ("new", "pending", "waiting", "running")


@dataclass
class Change:
    """What was changed (or would be), field by field, as it may be shown."""

    kind: str
    name: str
    is_new: bool
    before: dict[str, t.Any] = field(default_factory=dict)
    after: dict[str, t.Any] = field(default_factory=dict)

    def add(self, name: str, before: t.Any, after: t.Any) -> None:
        """Note one field. What does not exist yet has nothing before."""
        if not self.is_new:
            self.before[name] = before
        self.after[name] = after


class Applier:
    """Applies objects to one AWX.

    :param check: whether only to look
    :param fetch_timeout: how long a project may take to be fetched, in seconds
    """

    def __init__(self, api: Api, *, check: bool, fetch_timeout: float) -> None:
        self._api = api
        self._check = check
        self._fetch_timeout = fetch_timeout
        self._planned: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str, int | None], dict[str, t.Any] | None] = {}
        self.changes: list[Change] = []

    def apply(self, objects: t.Mapping[str, t.Sequence[awx.Item]]) -> None:
        """Apply all objects, in the order in which they need each other."""
        unknown = sorted(set(objects) - set(awx.KINDS))
        if unknown:
            raise AwxError(f"{', '.join(unknown)} is not known. Known are {', '.join(awx.KINDS)}.")
        for kind in awx.KINDS.values():
            for item in objects.get(kind.name) or []:
                try:
                    self._one(kind, item)
                except AwxError as error:
                    raise AwxError(f"{kind.one} '{item.get('name', '')}': {error}") from error

    def _one(self, kind: awx.Kind, item: awx.Item) -> None:
        if not item.get("name"):
            raise AwxError("it has no name. Give it one.")
        named = awx.fields(kind, item)
        wanted = self._resolved(kind, item, named)
        seen = self._existing(kind, wanted)
        change = Change(kind.name, item["name"], seen is None)
        for name in kind.lookup:
            wanted.pop(name, None)
            named.pop(name, None)
        if seen is None:
            change.after.update(awx.shown(kind, named))
            seen = {} if self._check else self._create(kind, wanted)
        else:
            self._update(kind, item, seen, named, wanted, change)
        self._planned.add((kind.name, item["name"]))
        self._after(kind, item, seen, change)
        if change.after:
            self.changes.append(change)

    def _after(self, kind: awx.Kind, item: awx.Item, seen: dict[str, t.Any], change: Change) -> None:
        if "survey_spec" in item:
            self._survey(item, seen, change)
        if "credentials" in kind.apart and "credentials" in item:
            self._credentials(item, seen, change)
        if "simplified_workflow_nodes" in item:
            self._nodes(item, seen, change)
        if kind.name == "projects" and not self._check:
            self._wait(seen)
        # Its hosts are there only once it has run.
        if kind.name == "inventory_sources" and change.after and not self._check:
            self._api.send("POST", f"inventory_sources/{seen['id']}/update", {})

    # Looking up

    def _named(self, kind: str, name: str, organization: int | None) -> dict[str, t.Any] | None:
        bound = organization if kind in awx.IN_ORGANIZATION else None
        if (kind, name, bound) not in self._known:
            query = {"name": name, **({"organization": bound} if bound is not None else {})}
            found = self._api.find(kind, **query)
            if len(found) > 1:
                raise AwxError(f"AWX has {len(found)} {kind} named '{name}'. Say which with organization.")
            self._known[kind, name, bound] = found[0] if found else None
        return self._known[kind, name, bound]

    def _reference(self, kind: str, name: str, organization: int | None, what: str) -> int | None:
        found = self._named(kind, name, organization)
        if found is None and not (self._check and (kind, name) in self._planned):
            raise AwxError(
                f"its {what} is '{name}', but AWX has no such {awx.KINDS[kind].one}. Correct the name, or add the "
                f"{awx.KINDS[kind].one} to the data."
            )
        return int(found["id"]) if found else None

    def _organization(self, item: awx.Item) -> int | None:
        name = item.get("organization")
        return self._reference("organizations", name, None, "organization") if name else None

    def _resolved(self, kind: awx.Kind, item: awx.Item, named: awx.Fields) -> awx.Fields:
        organization = self._organization(item)
        return {
            name: self._reference(kind.references[name], value, organization, name)
            if name in kind.references and value
            else value
            for name, value in named.items()
        }

    def _existing(self, kind: awx.Kind, wanted: awx.Fields) -> dict[str, t.Any] | None:
        query = {name: wanted[name] for name in kind.key if name in wanted}
        # What it belongs to is only planned, so it cannot exist.
        if None in query.values():
            return None
        found = self._api.find(kind.name, name=wanted["name"], **query)
        if len(found) > 1:
            raise AwxError(f"AWX has {len(found)} of this name. Say more of it: {', '.join(kind.key)}.")
        return found[0] if found else None

    # An object's own fields

    def _create(self, kind: awx.Kind, wanted: awx.Fields) -> dict[str, t.Any]:
        made = self._api.send("POST", kind.name, wanted)
        self._forget(kind, wanted["name"])
        self._know_all(made, wanted)
        return t.cast("dict[str, t.Any]", made)

    def _forget(self, kind: awx.Kind, name: str) -> None:
        for key in [key for key in self._known if key[:2] == (kind.name, name)]:
            del self._known[key]

    @staticmethod
    def _know_all(seen: awx.Item, wanted: awx.Fields) -> None:
        # AWX ignores what it does not know without a word.
        unknown = sorted(set(wanted) - set(seen))
        if unknown:
            raise AwxError(f"AWX has no field {', '.join(unknown)}. Correct the name in the data.")

    def _update(
        self,
        kind: awx.Kind,
        item: awx.Item,
        seen: dict[str, t.Any],
        named: awx.Fields,
        wanted: awx.Fields,
        change: Change,
    ) -> None:
        self._know_all(seen, wanted)
        names = awx.differing(kind, seen, wanted, update_secrets=item.get("update_secrets") is True)
        if not names:
            return
        summaries = seen.get("summary_fields") or {}
        before = {
            name: (summaries.get(name) or {}).get("name") if name in kind.references else seen[name] for name in names
        }
        shown, after = awx.shown(kind, before), awx.shown(kind, {name: named[name] for name in names})
        for name in names:
            change.add(name, shown[name], after[name])
        if not self._check:
            seen |= self._api.send("PATCH", seen["url"], awx.body(kind, seen, wanted, names))

    # What the API keeps apart

    def _survey(self, item: awx.Item, seen: awx.Item, change: Change) -> None:
        wanted = awx.survey(item["survey_spec"])
        path = (seen.get("related") or {}).get("survey_spec")
        # Before its first survey an object has none, so a new one is not asked.
        before = awx.survey(self._api.get(path)) if path and not change.is_new else {}
        if before == wanted:
            return
        change.add("survey_spec", before, wanted)
        if path and not self._check:
            if wanted:
                self._api.send("POST", path, wanted)
            else:
                self._api.send("DELETE", path)

    def _credentials(self, item: awx.Item, seen: awx.Item, change: Change) -> None:
        organization = self._organization(item)
        wanted = {
            name: self._reference("credentials", name, organization, "credential") for name in item["credentials"]
        }
        has = {one["name"]: one["id"] for one in (seen.get("summary_fields") or {}).get("credentials", [])}
        if has.keys() == wanted.keys() and has == wanted:
            return
        change.add("credentials", sorted(has), sorted(wanted))
        if self._check:
            return
        path = seen["related"]["credentials"]
        # First what goes: AWX takes one credential of each type only.
        for number in sorted(set(has.values()) - set(wanted.values())):
            self._api.send("POST", path, {"id": number, "disassociate": True})
        for name, number in wanted.items():
            if has.get(name) != number:
                self._api.send("POST", path, {"id": number})

    def _wait(self, project: dict[str, t.Any]) -> None:
        """Wait until a project is fetched: AWX takes no job template whose playbook it has not seen."""
        until = time.monotonic() + self._fetch_timeout
        while project["status"] in _UNDER_WAY and time.monotonic() < until:
            time.sleep(min(1.0, self._fetch_timeout / 20))
            project |= self._api.get(project["url"])
        if project["status"] not in ("successful", "ok"):
            raise AwxError(
                f"AWX has not fetched it; its status is '{project['status']}'. Look at its last job in AWX (address, "
                "branch, credential), sync it there, and run again."
            )

    def _nodes(self, item: awx.Item, seen: awx.Item, change: Change) -> None:
        wanted = {one["identifier"]: one for one in map(awx.node, item["simplified_workflow_nodes"])}
        organization = self._organization(item)
        for one in wanted.values():
            if one["unified_job_template"]:
                self._reference("job_templates", one["unified_job_template"], organization, "job template")
            missing = [name for link in awx.LINKS for name in one[link] if name not in wanted]
            if missing:
                raise AwxError(f"its node '{one['identifier']}' leads to '{missing[0]}', which is not a node of it.")
        path = (seen.get("related") or {}).get("workflow_nodes")
        graph = _Graph(self._api, path, organization) if path else None
        before = graph.read() if graph else {}
        if before == wanted:
            return
        change.add("workflow_nodes", list(before.values()), list(wanted.values()))
        if graph and not self._check:
            graph.change(before, wanted, self._named)


class _Graph:
    """The nodes of one workflow."""

    def __init__(self, api: Api, path: str, organization: int | None) -> None:
        self._api = api
        self._path = path
        self._organization = organization
        self._nodes: dict[str, dict[str, t.Any]] = {}

    def read(self) -> dict[str, awx.Fields]:
        """Return the nodes by identifier, in the form of the data."""
        nodes = self._api.all(self._path)
        self._nodes = {node["identifier"]: node for node in nodes}
        identifiers = {node["id"]: node["identifier"] for node in nodes}
        return {node["identifier"]: awx.seen_node(node, self._approval(node), identifiers) for node in nodes}

    def _approval(self, node: awx.Item) -> awx.Item | None:
        template = (node.get("summary_fields") or {}).get("unified_job_template") or {}
        if template.get("unified_job_type") != "workflow_approval":
            return None
        return t.cast("awx.Item", self._api.get(node["related"]["unified_job_template"]))

    def change(
        self,
        before: t.Mapping[str, awx.Fields],
        wanted: t.Mapping[str, awx.Fields],
        find: t.Callable[[str, str, int | None], dict[str, t.Any] | None],
    ) -> None:
        """Remove nodes that are not wanted, make and mend the others, then their links."""
        for identifier in before.keys() - wanted.keys():
            self._api.send("DELETE", self._nodes.pop(identifier)["url"])
        for identifier, one in wanted.items():
            name = one["unified_job_template"]
            template = find("job_templates", name, self._organization) if name else None
            self._node(before.get(identifier), one, template["id"] if template else None)
        # First what goes: with an old link still there, a new one may look like a cycle.
        for identifier, link, name in awx.links(before, wanted):
            if {identifier, name} <= self._nodes.keys():
                self._link(identifier, link, name, disassociate=True)
        for identifier, link, name in awx.links(wanted, before):
            self._link(identifier, link, name)

    def _link(self, identifier: str, link: str, name: str, **more: bool) -> None:
        path = self._nodes[identifier]["related"][link]
        self._api.send("POST", path, {"id": self._nodes[name]["id"], **more})

    def _node(self, before: awx.Fields | None, wanted: awx.Fields, template: int | None) -> None:
        identifier, converge = wanted["identifier"], wanted["all_parents_must_converge"]
        if before is None:
            data = {"identifier": identifier, "all_parents_must_converge": converge}
            data |= {"unified_job_template": template} if template else {}
            self._nodes[identifier] = self._api.send("POST", self._path, data)
        elif (before["unified_job_template"], before["all_parents_must_converge"]) != (
            wanted["unified_job_template"],
            converge,
        ):
            data = {"all_parents_must_converge": converge}
            data |= {"unified_job_template": template} if template else {}
            self._api.send("PATCH", self._nodes[identifier]["url"], data)
        approval = wanted["approval_node"]
        if not approval or (before and before["approval_node"] == approval):
            return
        node = self._nodes[identifier]
        if before and before["approval_node"]:
            self._api.send("PATCH", node["related"]["unified_job_template"], approval)
        else:
            self._api.send("POST", node["related"]["create_approval_template"], approval)
