"""Change the pure rules, one mutant at a time, and count the mutants that the unit tests notice.

``python -m tests.tools.mutants [--sample N] [--write] [NAME ...]``, for example ``--sample 0 window desk``: every mutant of
plugins/plugin_utils/_window.py and _desk.py, each with the tests that tests/tools/mutants_rules.py names for it. No rule in
the checkout is changed: each mutant lives in a process that is forked for it, after the large libraries are loaded.
``--write`` keeps the score in tests/tools/mutants.json, and writes docs/reliability.md, which shows it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import pytest

from tests.tools.mutants_rules import EQUIVALENTS, RULES, Equivalent
from tests.tools.standins import ROOT

PACKAGE: t.Final = "ansible_collections.keyops.atlassian_cmk"
SCORES: t.Final = ROOT / "tests/tools/mutants.json"
# The libraries that all tests load; a forked process has them.
_HEAVY: t.Final = (
    "ansible.plugins.action.normal",
    "ansible.plugins.loader",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "boto3",
    "hypothesis",
    "jinja2",
    "moto.kms.models",
    "moto.moto_server.werkzeug_app",
    # These stand in for others, and import nothing of the collection's.
    "tests.standins.aws",
    "tests.standins.aws.clients",
    "tests.standins.desk",
)
_COMPARISONS: t.Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: t.Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.BitOr: ast.BitAnd,
}
_FUNCTIONS: t.Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_TIMED_OUT: t.Final = 124
_KEPT: t.Final = ("possible", "mutants", "noticed", "equivalent")
# pytest's exit codes: tests passed; no test ran, or pytest was called wrongly.
_PASSED, _UNUSABLE = 0, (4, 5)


@dataclass(frozen=True)
class Mutation:
    """A change of a tree, made in place."""

    line: int
    change: str  # the smallest expression that is changed, as it is then
    apply: Callable[[], None]


def find_mutations(tree: ast.Module) -> list[Mutation]:
    """List the mutations of a module, in the order of its source. Type annotations and docstrings stay."""
    return [mutation for node in _walk(tree) for mutation in _mutate(node)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "t.Literal":
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        children = value if isinstance(value, list) else [value]
        is_cast = isinstance(node, ast.Call) and name == "args" and ast.unparse(node.func) == "t.cast"
        for child in children[1:] if is_cast else children:
            if isinstance(child, ast.AST):
                yield from _walk(child)


def _mutate(node: ast.AST) -> Iterator[Mutation]:
    if isinstance(node, ast.Compare):
        yield from _mutate_comparison(node)
    elif isinstance(node, ast.BoolOp):
        yield _set(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and not _is_text(node):
        yield _set(node, "op", _OPERATORS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _set(node, "operand", ast.UnaryOp(ast.Not(), node.operand))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        yield _set(node.func, "id", _FUNCTIONS[node.func.id])
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield from _negate(node)
    else:
        yield from _mutate_constants(node)


def _mutate_comparison(node: ast.Compare) -> Iterator[Mutation]:
    for place, operator in enumerate(node.ops):
        ops = [*node.ops[:place], _COMPARISONS[type(operator)](), *node.ops[place + 1 :]]
        yield _set(node, "ops", ops)
    for value in (node.left, *node.comparators):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield _set(value, "value", f"{value.value}?")


def _negate(node: ast.If | ast.IfExp | ast.While) -> Iterator[Mutation]:
    # Comparisons and the like have mutations of their own that say the same.
    if isinstance(node.test, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.NamedExpr)):
        yield _set(node, "test", ast.UnaryOp(ast.Not(), node.test), shows="test")


def _mutate_constants(node: ast.AST) -> Iterator[Mutation]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _set(node, "value", not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield _set(node, "value", node.value + 1)
    elif isinstance(node, (ast.Set, ast.List, ast.Tuple)):
        for item in node.elts:
            if isinstance(item, ast.Constant) and isinstance(item.value, str) and " " not in item.value:
                yield _set(item, "value", f"{item.value}?")


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in sides)


def _set(node: t.Any, name: str, value: t.Any, shows: str = "") -> Mutation:
    before = getattr(node, name)
    setattr(node, name, value)
    change = ast.unparse(getattr(node, shows) if shows else node)
    setattr(node, name, before)
    return Mutation(node.lineno, change, lambda: setattr(node, name, value))


@dataclass(frozen=True)
class Subject:
    """A file of rules, and the tests that are to notice a change of it."""

    path: Path
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """The file below plugins."""
        return self.path.relative_to(ROOT / "plugins").as_posix()

    @property
    def module(self) -> str:
        """The name by which the tests import it."""
        return f"{PACKAGE}.{'.'.join(self.path.relative_to(ROOT).with_suffix('').parts)}"

    @property
    def source(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    def find_mutations(self) -> list[Mutation]:
        """List the file's mutations."""
        return find_mutations(ast.parse(self.source))

    def line(self, mutation: Mutation) -> str:
        """Return the line of a mutation."""
        return self.source.splitlines()[mutation.line - 1].strip()

    def find_equivalent(self, mutation: Mutation) -> Equivalent | None:
        """Find the mutation among those that change nothing that can be observed."""
        place = (self.name, self.line(mutation), mutation.change)
        return next((one for one in EQUIVALENTS if (one.file, one.line, one.change) == place), None)

    def compile(self, number: int | None) -> CodeType:
        """Compile the file, with the mutation of that number if there is one."""
        tree = ast.parse(self.source)
        if number is not None:
            find_mutations(tree)[number].apply()
        return compile(ast.fix_missing_locations(tree), str(self.path), "exec", dont_inherit=True)


def find_subjects(names: Sequence[str] = ()) -> list[Subject]:
    """Find the files of rules by their names, such as ``window`` or ``channels/mail``; without names all of them.

    :raises LookupError: if a name is no file of rules, or if one of its tests is missing
    """
    files = {file: re.sub(r"^\w+_utils/|\.py$|\b_", "", file) for file in RULES}
    chosen = set()
    for name in names or files.values():
        exact = [file for file, short in files.items() if short == name]
        found = exact or [file for file, short in files.items() if short.endswith(f"/{name}")]
        if not found:
            raise LookupError(f"{name} is none of the rules: {' '.join(sorted(files.values()))}")
        chosen.update(found)
    return [Subject(_existing(f"plugins/{file}"), _find_tests(RULES[file])) for file in files if file in chosen]


def _find_tests(names: str) -> tuple[str, ...]:
    tests = []
    for name in names.split():
        found = sorted(str(path) for path in ROOT.glob(f"tests/unit/plugins/**/test_{name}.py"))
        if not found:
            raise LookupError(f"there is no test_{name}.py below tests/unit/plugins")
        tests += found
    return tuple(tests)


def _existing(path: str) -> Path:
    if not (ROOT / path).is_file():
        raise LookupError(f"{path} does not exist. Name the file that holds these rules now")
    return ROOT / path


class _UnusableError(Exception):
    """The tests of a subject say nothing of its mutants."""


class _Mutant(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives the tests a subject with a mutation."""

    def __init__(self, subject: Subject, number: int | None) -> None:
        self._subject, self._number = subject, number

    def find_spec(self, fullname: str, path: t.Any, target: t.Any = None) -> t.Any:
        if fullname != self._subject.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self._subject.path, loader=self)

    def get_source(self, fullname: str) -> str:
        return self._subject.source

    def get_filename(self, fullname: str) -> str:
        return str(self._subject.path)

    def get_code(self, fullname: str) -> CodeType:
        return self._subject.compile(self._number)


def run_tests(subject: Subject, number: int | None, limit: float) -> int:
    """Run a subject's tests in a process of their own; return pytest's exit code."""
    return run_apart(lambda: _test(subject, number), limit)


def run_apart(work: Callable[[], int], limit: float) -> int:
    """Return what the work returns in a process of its own; anything but 0 to 127 if it ends in another way."""
    child = os.fork()
    if child:
        return _wait(child, limit)
    code = 1
    try:
        os.setsid()
        # Under nohup it is ignored.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        # A mutant may send a signal to its parent, which is this process and not the tool.
        worker = os.fork()
        if worker:
            _pid, status = os.waitpid(worker, 0)
            os._exit(os.waitstatus_to_exitcode(status) % 256)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = int(work())
    except BaseException:  # a module that cannot be imported is noticed by every test
        code = 1
    finally:
        os._exit(code)


def _test(subject: Subject, number: int | None) -> int:
    for name in [name for name in sys.modules if name.startswith(("ansible_collections.keyops", "tests.unit"))]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Mutant(subject, number))
    importlib.import_module(subject.module)
    os.environ["CMK_MUTANT"] = str(number)
    return pytest.main(["-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *subject.tests])


def _wait(child: int, limit: float) -> int:
    end, code = time.monotonic() + limit, _TIMED_OUT
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.01)
    # What is left of its processes.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if code == _TIMED_OUT:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
    return code


@dataclass(frozen=True)
class Score:
    """What the tests of a subject noticed. Equivalent mutants are counted apart."""

    possible: int  # without the equivalent ones
    mutants: int  # that were tried
    noticed: int
    equivalent: int  # among all that are possible
    survivors: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()  # what is said to be equivalent, and was noticed

    @property
    def percent(self) -> int:
        """The share of the mutants that was noticed, rounded down."""
        return 100 * self.noticed // self.mutants if self.mutants else 100

    @property
    def row(self) -> str:
        """The cells of a table."""
        return " | ".join(map(str, (self.possible, self.mutants, self.noticed, f"{self.percent} %", self.equivalent)))


def measure(subject: Subject, sample: int, seed: int, workers: int) -> Score:
    """Run a sample of a subject's mutants; all of them if the sample is 0."""
    mutations = subject.find_mutations()
    numbers = list(range(len(mutations)))
    if sample and sample < len(numbers):
        numbers = sorted(random.Random(f"{seed} {subject.name}").sample(numbers, sample))
    begun = time.monotonic()
    if (code := run_tests(subject, None, 600)) != _PASSED:
        raise _UnusableError(f"its tests fail without a mutation (exit code {code})")
    limit = 20 + 10 * (time.monotonic() - begun)
    with ThreadPoolExecutor(workers) as pool:
        codes = list(pool.map(lambda number: run_tests(subject, number, limit), numbers))
    assert not any(code in _UNUSABLE for code in codes), codes
    outcomes = [(mutations[number], code != _PASSED) for number, code in zip(numbers, codes, strict=True)]
    return _score(subject, mutations, outcomes)


def _score(subject: Subject, mutations: Sequence[Mutation], outcomes: Sequence[tuple[Mutation, bool]]) -> Score:
    equivalents = [mutation for mutation in mutations if subject.find_equivalent(mutation)]
    equivalent = [(mutation, is_seen) for mutation, is_seen in outcomes if mutation in equivalents]
    rest = [(mutation, is_seen) for mutation, is_seen in outcomes if mutation not in equivalents]
    return Score(
        possible=len(mutations) - len(equivalents),
        mutants=len(rest),
        noticed=sum(is_seen for _mutation, is_seen in rest),
        equivalent=len(equivalents),
        survivors=tuple(_show(subject, mutation) for mutation, is_seen in rest if not is_seen),
        wrong=tuple(_show(subject, mutation) for mutation, is_seen in equivalent if is_seen),
    )


def _show(subject: Subject, mutation: Mutation) -> str:
    return f"plugins/{subject.name}:{mutation.line}: {mutation.change}\n    {subject.line(mutation)}"


def read_scores() -> dict[str, Score]:
    """Read the scores that were kept, by file."""
    known = json.loads(SCORES.read_text(encoding="utf-8")) if SCORES.exists() else {}
    return {file: Score(**known[file]) for file in RULES if file in known}


def write_scores(scores: Mapping[str, Score]) -> None:
    """Keep the scores of these files, and those of the others as they are."""
    merged = {**read_scores(), **scores}
    counts = [
        f'"{file}": {json.dumps({name: getattr(merged[file], name) for name in _KEPT})}'
        for file in RULES
        if file in merged
    ]
    SCORES.write_text("{\n" + ",\n".join(counts) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Print the table, and the mutants that no test notices."""
    parser = argparse.ArgumentParser(description="Count the changes of the rules that the unit tests notice.")
    parser.add_argument("names", nargs="*", help="names of files without underscore: window desk")
    parser.add_argument("--sample", type=int, default=25, help="mutants of each file; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="another seed takes other mutants")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--write", action="store_true", help="keep the scores, and show them in docs/reliability.md")
    options = parser.parse_args()
    try:
        subjects = find_subjects(options.names)
    except LookupError as error:
        parser.error(str(error))
    for name in _HEAVY:
        importlib.import_module(name)
    print("| file | mutants | tried | noticed | score | equivalent |\n|---|---|---|---|---|---|", flush=True)
    scores, failures = {}, 0
    for subject in subjects:
        try:
            score = scores[subject.name] = measure(subject, options.sample, options.seed, options.workers)
        except _UnusableError as error:
            print(f"| {subject.name} | - | - | - | {error} | - |", flush=True)
            failures += 1
            continue
        print(f"| {subject.name} | {score.row} |", flush=True)
    for title, lines in (
        ("Not noticed:", [line for score in scores.values() for line in score.survivors]),
        ("Noticed, though named as equivalent:", [line for score in scores.values() for line in score.wrong]),
    ):
        print("\n".join(["", title, *lines]) if lines else "")
    if options.write:
        write_scores(scores)
        subprocess.run([sys.executable, "-m", "tests.tools.reliability"], cwd=ROOT, check=True)
    if failures or any(score.wrong for score in scores.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
