"""Change the pure rules, a mutant at a time, and count the changes that the unit tests notice.

``python -m tests.tools.mutants [--sample N] [NAME ...]``, for example ``--sample 0 window desk``: every mutant of
plugins/*_utils/_window.py and _desk.py, each with the tests of its subject only. Nothing in the checkout is changed: each
mutant lives in a process that is forked for it, after the large libraries are loaded.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
import time
import typing as t
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import pytest

from tests.tools.standins import ROOT

PACKAGE: t.Final = "ansible_collections.keyops.atlassian_cmk"
# The files whose functions only decide. A name without a file is left out.
RULES: t.Final = (
    "key_states", "propagation", "revocation", "use", "trust", "aws_errors", "turns", "announcement", "settings", "window",
    "access_loss", "access", "lock", "state_dir", "journal", "desk", "desk_read", "verification", "verdict", "result",
    "revoking", "run", "sites", "fleet", "note", "time",
)  # fmt: skip
# Tests of a subject beside those that bear its name.
MORE_TESTS: t.Final = {
    "settings": ("test_properties.py",),
    "lock": ("test_controller_lock.py",),
    "access": ("test_key_access.py", "test_evidence.py"),
    "state_dir": ("test_controller_file.py",),
    "verdict": ("test_verification.py", "test_evidence.py"),
    "note": ("test_announcement.py", "test_settings.py"),
}
# The libraries that all tests load; a forked process has them.
_HEAVY: t.Final = (
    "ansible.plugins.action.normal",
    "ansible.plugins.loader",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "boto3",
    "jinja2",
    "moto.kms.models",
    "moto.moto_server.werkzeug_app",
)
_COMPARISONS: t.Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: t.Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
}
_FUNCTIONS: t.Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_TIMED_OUT: t.Final = 124
# pytest's exit codes: tests passed; no test ran, or pytest was called wrongly.
_PASSED, _UNUSABLE = 0, (4, 5)


@dataclass(frozen=True)
class Mutation:
    """A change of a tree, made in place."""

    line: int
    change: str
    apply: Callable[[], None]


def find_mutations(tree: ast.Module) -> list[Mutation]:
    """List the mutations of a module, in the order of its source. Type annotations and docstrings stay."""
    return [mutation for node in _walk(tree) for mutation in _mutate(node)]


def _walk(node: ast.AST) -> Iterator[ast.AST]:
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
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _set(node, "op", other, "and/or")
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and not _is_text(node):
        yield _set(node, "op", _OPERATORS[type(node.op)](), "operator")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _set(node, "operand", ast.UnaryOp(ast.Not(), node.operand), "without not")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        yield _set(node.func, "id", _FUNCTIONS[node.func.id], f"{node.func.id} to {_FUNCTIONS[node.func.id]}")
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        yield from _negate(node)
    else:
        yield from _mutate_constants(node)


def _mutate_comparison(node: ast.Compare) -> Iterator[Mutation]:
    for place, operator in enumerate(node.ops):
        ops = [*node.ops[:place], _COMPARISONS[type(operator)](), *node.ops[place + 1 :]]
        yield _set(node, "ops", ops, f"{type(operator).__name__} to {type(ops[place]).__name__}")
    for value in (node.left, *node.comparators):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield _set(value, "value", f"{value.value}?", "text")


def _negate(node: ast.If | ast.IfExp | ast.While) -> Iterator[Mutation]:
    # Comparisons and the like have mutations of their own that say the same.
    if isinstance(node.test, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.NamedExpr)):
        yield _set(node, "test", ast.UnaryOp(ast.Not(), node.test), "negated")


def _mutate_constants(node: ast.AST) -> Iterator[Mutation]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield _set(node, "value", not node.value, f"{node.value} to {not node.value}")
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield _set(node, "value", node.value + 1, f"{node.value} to {node.value + 1}")
    elif isinstance(node, (ast.Set, ast.List, ast.Tuple)):
        for item in node.elts:
            if isinstance(item, ast.Constant) and isinstance(item.value, str) and " " not in item.value:
                yield _set(item, "value", f"{item.value}?", "text")


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in sides)


def _set(node: t.Any, name: str, value: t.Any, change: str) -> Mutation:
    return Mutation(node.lineno, change, lambda: setattr(node, name, value))


@dataclass(frozen=True)
class Subject:
    """A file of rules, and the tests that are to notice a change of it."""

    path: Path
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """The name by which the tests import it."""
        return f"{PACKAGE}.{'.'.join(self.path.relative_to(ROOT).with_suffix('').parts)}"

    def compile(self, number: int | None) -> CodeType:
        """Compile the file, with the mutation of that number if there is one."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        if number is not None:
            find_mutations(tree)[number].apply()
        return compile(ast.fix_missing_locations(tree), str(self.path), "exec", dont_inherit=True)


def find_subjects(names: Sequence[str]) -> list[Subject]:
    """Find the files of the names, and their tests."""
    subjects = []
    for name in names:
        for path in sorted(ROOT.glob(f"plugins/*_utils/_{name}.py")):
            wanted = (f"test_{name}.py", f"test_{name}_*.py", *MORE_TESTS.get(name, ()))
            tests = {str(found) for pattern in wanted for found in ROOT.glob(f"tests/unit/plugins/**/{pattern}")}
            # test_desk_*.py holds the tests of _desk_read too: what has a file of its own is its own subject.
            others = {f"test_{other}.py" for other in RULES if other.startswith(f"{name}_")}
            subjects.append(Subject(path, tuple(sorted(test for test in tests if Path(test).name not in others))))
    return subjects


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
        return self._subject.path.read_text(encoding="utf-8")

    def get_filename(self, fullname: str) -> str:
        return str(self._subject.path)

    def get_code(self, fullname: str) -> CodeType:
        return self._subject.compile(self._number)


def run_tests(subject: Subject, number: int | None, limit: float) -> int:
    """Run a subject's tests in a process of their own; return pytest's exit code."""
    child = os.fork()
    if child:
        return _wait(child, limit)
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = int(_test(subject, number))
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
    end = time.monotonic() + limit
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _TIMED_OUT


@dataclass(frozen=True)
class Score:
    """What the tests of a subject noticed."""

    subject: Subject
    mutants: int
    survivors: tuple[Mutation, ...]

    @property
    def percent(self) -> int:
        """The share of the mutants that was noticed, rounded down."""
        return 100 * (self.mutants - len(self.survivors)) // self.mutants if self.mutants else 100


def measure(subject: Subject, sample: int, seed: int, workers: int) -> Score:
    """Run a sample of a subject's mutants; all of them if the sample is 0."""
    mutations = find_mutations(ast.parse(subject.path.read_text(encoding="utf-8")))
    numbers = list(range(len(mutations)))
    if sample and sample < len(numbers):
        numbers = sorted(random.Random(f"{seed} {subject.path.name}").sample(numbers, sample))
    if not subject.tests:
        return Score(subject, len(numbers), tuple(mutations[number] for number in numbers))
    begun = time.monotonic()
    if (code := run_tests(subject, None, 600)) != _PASSED:
        raise _UnusableError(f"its tests fail without a mutation (exit code {code})")
    limit = 20 + 10 * (time.monotonic() - begun)
    with ThreadPoolExecutor(workers) as pool:
        codes = list(pool.map(lambda number: run_tests(subject, number, limit), numbers))
    assert not any(code in _UNUSABLE for code in codes), codes
    survivors = [mutations[number] for number, code in zip(numbers, codes, strict=True) if code == _PASSED]
    return Score(subject, len(numbers), tuple(survivors))


def main() -> None:
    """Print the table, and the mutants that no test notices."""
    parser = argparse.ArgumentParser(description="Count the changes of the rules that the unit tests notice.")
    parser.add_argument("names", nargs="*", help="names of files without underscore: window desk")
    parser.add_argument("--sample", type=int, default=25, help="mutants of each file; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="another seed takes other mutants")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    for name in _HEAVY:
        importlib.import_module(name)
    print("| file | mutants | noticed | score |\n|---|---|---|---|", flush=True)
    scores, is_complete = [], True
    for subject in find_subjects(options.names or RULES):
        try:
            score = measure(subject, options.sample, options.seed, options.workers)
        except _UnusableError as error:
            print(f"| {subject.path.name} | - | - | {error} |", flush=True)
            is_complete = False
            continue
        noticed = score.mutants - len(score.survivors)
        print(f"| {subject.path.name} | {score.mutants} | {noticed} | {score.percent} % |", flush=True)
        scores.append(score)
    print("\nNot noticed:")
    for score in scores:
        for survivor in score.survivors:
            line = score.subject.path.read_text(encoding="utf-8").splitlines()[survivor.line - 1].strip()
            print(f"{score.subject.path.relative_to(ROOT)}:{survivor.line}: {survivor.change}: {line[:100]}")
    if not is_complete:
        sys.exit(1)


if __name__ == "__main__":
    main()
