"""The runner of the guards tells a guard that is seen from one that is not, and both from a row that proves nothing."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from tests.harness.guards import witness
from tests.harness.guards.table import Guard
from tests.harness.guards.trial import attempt, run

MODULE = "def half(number):\n    if number < 0:\n        raise ValueError(number)\n    return number // 2\n"
TESTS = """import pytest
from nova_lite import halves

pytestmark = pytest.mark.processes

def test_half():
    assert halves.half(4) == 2

def test_negative():
    with pytest.raises(ValueError):
        halves.half(-1)

def test_red_anyway():
    assert halves.half(4) == 3
"""


@pytest.fixture
def tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A tree with a package of ours, a guard in it, and tests."""
    for name, text in (("nova_lite/__init__.py", ""), ("nova_lite/halves.py", MODULE), ("tests/test_halves.py", TESTS)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    folder = tmp_path / "tests/harness/guards"
    folder.mkdir(parents=True)
    shutil.copy(str(witness.__file__), folder)
    return tmp_path


def _guard(new: str, *tests: str) -> Guard:
    old = "    if number < 0:\n        raise ValueError(number)\n"
    return Guard("room", "negative", "", "nova_lite/halves.py", old, new, tests)


@pytest.mark.parametrize(("new", "tests", "outcome", "word"), [
    ("", ["test_negative"], "killed", "test_negative"),
    ("", ["test_half"], "SURVIVED", "test_half"),
    ("", ["test_negative", "test_half"], "SURVIVED", "test_half"),
    ("    unheard_of()\n", ["test_negative"], "UNSOUND", "NameError"),
    ("    if\n", ["test_negative"], "UNSOUND", "pytest ended with"),
    ("", ["test_gone"], "UNSOUND", "pytest ended with"),
])  # fmt: skip
def test_a_verdict(tree: pathlib.Path, new: str, tests: list[str], outcome: str, word: str) -> None:
    verdict = attempt(_guard(new, *(f"tests/test_halves.py::{test}" for test in tests)), tree)
    assert (verdict.outcome, word in verdict.why) == (outcome, True), verdict
    assert (tree / "nova_lite/halves.py").read_text() == MODULE, "it was put back"


def test_what_is_red_anyway_sees_nothing(tree: pathlib.Path) -> None:
    red = [each["test"] for each in run(tree, ["tests/test_halves.py"]).failed]
    assert red == ["tests/test_halves.py::test_red_anyway"]
    verdict = attempt(_guard("", *red), tree, red_anyway=red)
    assert verdict.outcome == "SURVIVED"


def test_another_package_is_not_taken_for_the_copys(tree: pathlib.Path) -> None:
    (tree / "nova_lite").rename(tree / "elsewhere")
    (tree / "tests/test_halves.py").write_text("import nova_lite\n\ndef test_it():\n    assert nova_lite\n")
    assert "the tests imported" in run(tree, ["tests/test_halves.py"]).trouble
