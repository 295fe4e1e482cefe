"""What the runs of a session share: the code of templates, collections and modules, which each would compile anew."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import sys
import typing as t
import zipfile
from pathlib import Path

from jinja2 import Environment

# What the code of a compiled template depends on, beside its text and its names.
_OPTIONS: t.Final = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
    *("optimized", "autoescape", "is_async"),
)
# A hash instead of a time, which is not checked: the code is made of the source beside it.
_UNCHECKED: t.Final = b"\1\0\0\0"


def share(folder: Path) -> None:
    """Keep in ``folder`` what one run has compiled, for the next ones."""
    _share_templates(folder)
    finder = sys.modules["ansible.utils.collection_loader._collection_finder"]
    _share_collections(finder, folder)
    _share_routing(finder, folder)
    _compile_modules(sys.modules["ansible.executor.module_common"])


def _share_templates(folder: Path) -> None:
    """Compile each template once, as Jinja does with a ``bytecode_cache``."""
    compile_ = Environment.compile

    def compile_once(
        self: Environment, source: t.Any, name: t.Any = None, filename: t.Any = None, *more: t.Any
    ) -> t.Any:
        if not isinstance(source, str) or any(more):
            return compile_(self, source, name, filename, *more)
        options = [getattr(self, option) for option in _OPTIONS]
        named = (type(self).__qualname__, str(source), name, filename)
        key = repr((*named, options, bool(self.finalize), sorted(self.extensions)))
        # What does not compile is not kept, and fails each time.
        return _once(folder, key, lambda: compile_(self, source, name, filename))

    Environment.compile = compile_once  # type: ignore[assignment]


def _share_collections(finder: t.Any, folder: Path) -> None:
    """Compile each file of a collection once: Ansible's importer keeps no byte code."""

    def compile_once(source: str | bytes, filename: str, **more: t.Any) -> t.Any:
        return _once(folder, repr((source, filename, more)), lambda: compile(source, filename, **more))

    vars(finder)["compile"] = compile_once


def _share_routing(finder: t.Any, folder: Path) -> None:
    """Parse each collection's meta/runtime.yml once. Its scalars are texts, so that marshal holds all of it."""
    read = finder._meta_yml_to_dict

    def read_once(text: str | bytes, content_id: object) -> t.Any:
        return _once(folder, repr((text, content_id)), lambda: read(text, content_id))

    vars(finder)["_meta_yml_to_dict"] = read_once


def _compile_modules(module_common: t.Any) -> None:
    """Put byte code beside the sources that Ansible packs for a module. Another Python takes the sources."""
    name = "_add_module_to_zip"
    add = getattr(module_common, name, None)
    if add is None:
        # Not every version of Ansible has it.
        return

    def add_compiled(packed: zipfile.ZipFile, *more: t.Any, **named: t.Any) -> None:
        add(packed, *more, **named)
        for path in packed.namelist():
            if path.endswith(".py"):
                source = packed.read(path)
                code = compile(source, path, "exec", dont_inherit=True)
                head = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
                packed.writestr(f"{path}c", head + marshal.dumps(code))

    vars(module_common)[name] = add_compiled


def _once(folder: Path, key: str, make: t.Callable[[], t.Any]) -> t.Any:
    """Return what another run of this session has kept for this key, or make it and keep it."""
    path = folder / hashlib.sha256(key.encode()).hexdigest()
    with contextlib.suppress(FileNotFoundError):
        return marshal.loads(path.read_bytes())
    made = make()
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(marshal.dumps(made))
    unfinished.rename(path)
    return made
