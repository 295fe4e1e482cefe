"""A small AWX on loopback: what the modules of awx.awx ask when extensions/awx/configure.yml runs, and no more.

It keeps objects as they are sent, refuses what is not authorized, and logs every change. It knows nothing of AWX's own
rules; the tests validate the data by the argument specs of the modules.
"""

from __future__ import annotations

import json
import re
import threading
import typing as t
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

TOKEN: t.Final = "standin-awx-token-2f6c81d0"
ENCRYPTED: t.Final = "$encrypted$"
_SECRET: t.Final = ("password", "support_token")
# What a node or a template has apart from its own fields: lists of ids.
_LISTS: t.Final = ("success_nodes", "failure_nodes", "always_nodes", "credentials")
_PATH: t.Final = re.compile(r"/api/v2/(?P<kind>\w+)/(?:(?P<number>\d+)/(?:(?P<part>\w+)/)?)?")
_JOBS: t.Final = ("job_templates", "workflow_approval_templates")

Item = dict[str, t.Any]
Answer = tuple[int, t.Any]


@dataclass
class Awx:
    """AWX's objects, by kind and number. ``refuse``: a part of a path whose POST is answered with an error."""

    objects: dict[str, dict[int, Item]] = field(default_factory=dict)
    lists: dict[tuple[int, str], set[int]] = field(default_factory=dict)
    surveys: dict[int, Item] = field(default_factory=dict)
    changes: list[tuple[str, str, Item]] = field(default_factory=list)
    refuse: str = ""
    url: str = ""
    _last: int = 0

    def __enter__(self) -> Awx:
        self.add("credential_types", {"name": "Amazon Web Services", "kind": "cloud"})
        handler = type("Handler", (_Handler,), {"awx": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, kind: str, item: Item) -> Item:
        """Create an object as AWX would answer with it."""
        self._last += 1
        url = f"/api/v2/{kind}/{self._last}/"
        names = ("survey_spec", "update", *(("unified_job_template",) if "unified_job_template" in item else ()))
        related = {name: f"{url}{name}/" for name in names}
        made = {"id": self._last, "url": url, "scm_revision": "", "related": related, "summary_fields": {}, **item}
        self.objects.setdefault(kind, {})[self._last] = made
        return made

    def named(self, kind: str, name: str) -> Item:
        """Return the only object of this name."""
        (item,) = (item for item in self.objects[kind].values() if item["name"] == name)
        return item

    def answer(self, method: str, path: str, query: dict[str, str], body: Item) -> Answer:
        """Answer one request."""
        matched = _PATH.fullmatch(path)
        if not matched:
            return 404, {"detail": "Not found."}
        if method != "GET":
            self.changes.append((method, path, body))
        kind, number, part = matched["kind"], int(matched["number"] or 0), matched["part"] or ""
        if method == "POST" and self.refuse and self.refuse in path:
            return 400, {"detail": "refused by the test"}
        if part:
            return self._part(method, kind, number, part, body)
        if number:
            return self._item(method, kind, number, body)
        if method == "POST":
            return 201, self.add(kind, body)
        kinds = _JOBS if kind == "unified_job_templates" else (kind,)
        items = [item for name in kinds for item in self.objects.get(name, {}).values() if _matches(item, query)]
        return 200, {"count": len(items), "next": None, "results": [_shown(item) for item in items]}

    def _item(self, method: str, kind: str, number: int, body: Item) -> Answer:
        if number not in self.objects.get(kind, {}):
            return 404, {"detail": "Not found."}
        if method == "DELETE":
            del self.objects[kind][number]
            return 204, None
        self.objects[kind][number].update(body if method == "PATCH" else {})
        return 200, _shown(self.objects[kind][number])

    def _part(self, method: str, kind: str, number: int, part: str, body: Item) -> Answer:
        if part == "survey_spec":
            if method == "POST":
                self.surveys[number] = body
            return 200, self.surveys.get(number, {})
        if part == "create_approval_template":
            made = self.add("workflow_approval_templates", body)
            self.objects[kind][number]["unified_job_template"] = made["id"]
            return 201, made
        if part == "update":
            return 202, self.add("inventory_updates", {"status": "successful", "finished": "now", "failed": False})
        if part in _LISTS:
            ids = self.lists.setdefault((number, part), set())
            if method == "POST":
                (ids.discard if body.get("disassociate") else ids.add)(body["id"])
                return 204, None
            return 200, {"count": len(ids), "next": None, "results": [{"id": one} for one in sorted(ids)]}
        return 404, {"detail": "Not found."}


def _matches(item: Item, query: dict[str, str]) -> bool:
    return all(str(item.get(name)) == value for name, value in query.items())


def _shown(item: Item) -> Item:
    inputs = item.get("inputs")
    if not inputs or "injectors" in item:
        return item
    return {**item, "inputs": {name: ENCRYPTED if name in _SECRET else value for name, value in inputs.items()}}


class _Handler(BaseHTTPRequestHandler):
    awx: Awx

    def _do(self) -> None:
        url = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        code, answer = (401, {"detail": "no"}) if not allowed else self.awx.answer(
            self.command, url.path, dict(parse_qsl(url.query)), body
        )  # fmt: skip
        self.send_response(code)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.end_headers()
        self.wfile.write(b"" if answer is None else json.dumps(answer).encode())

    do_GET = do_POST = do_PATCH = do_DELETE = _do  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""
