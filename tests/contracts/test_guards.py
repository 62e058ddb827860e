"""The table of guards is of this tree: each row removes something that is there, and names tests that are there.

That the tests go red is shown by ``make guards``, whose results must be of the rows as they are now.
"""

from __future__ import annotations

import ast
import functools
import pathlib
import re

import pytest

from tests.harness.guards import results
from tests.harness.guards.table import ROOT, Guard, guards

GUARDS = guards()
KNOWN = results.read()
AGAIN = "run: python -m tests.harness.guards --guard {} --json tests/harness/guards/results.json && make docs"


@functools.cache
def _names(path: pathlib.Path) -> frozenset[str]:
    """The tests of a file."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_row_removes_what_is_there(guard: Guard) -> None:
    text = (ROOT / guard.file).read_text(encoding="utf-8")
    assert text.count(guard.old) == 1, f"{guard.file} has changed: correct {guard.room}.toml, then {AGAIN}"
    assert guard.old != guard.new
    compile(text.replace(guard.old, guard.new), guard.file, "exec")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_row_names_tests_that_are_there(guard: Guard) -> None:
    assert guard.tests
    for test in guard.tests:
        path, _, name = test.partition("::")
        assert name in _names(ROOT / path), f"{test}: no such test; correct {guard.room}.toml"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_row_says_what_it_protects(guard: Guard) -> None:
    assert guard.protects[0].isupper() and guard.protects.endswith(".")
    assert guard.invariants and all(re.fullmatch(r"I([1-9]|1[0-2])", each) for each in guard.invariants)
    assert all(re.fullmatch(r"R([1-9]|[12]\d|3[0-6])", each) for each in guard.scenarios)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_is_seen(guard: Guard) -> None:
    result = KNOWN.get(guard.name, {"fingerprint": "", "outcome": "never tried"})
    assert result["fingerprint"] == guard.fingerprint, AGAIN.format(guard.name)
    assert result["outcome"] == "killed"


def test_names_are_used_once_and_results_have_their_rows() -> None:
    names = [guard.name for guard in GUARDS]
    assert len(names) == len(set(names)) >= 40
    assert set(KNOWN) <= set(names)
