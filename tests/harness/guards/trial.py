"""One guard removed in a copy of the tree, and the tests that must see it run there."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.harness.guards.table import ROOT, Guard

# No run of a row's tests takes longer, in seconds; one that does counts as hung.
PATIENCE_S = 240.0
# A removal that does not compile or names what is not there proves nothing of the guard.
_NOT_A_PROGRAM = {"SyntaxError", "IndentationError", "NameError", "UnboundLocalError", "ImportError"}
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".lab", ".nova-lite", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis"
)


@dataclass(frozen=True)
class Run:
    """What pytest did: tests that failed with their reasons, or why it could not run."""

    failed: tuple[dict[str, Any], ...] = ()
    trouble: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """``outcome``: killed, SURVIVED (``blind`` are the tests that stayed green), or UNSOUND: the row proves nothing."""

    guard: Guard
    outcome: str
    why: str
    seconds: float
    blind: tuple[str, ...] = ()
    failed: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    def result(self) -> dict[str, Any]:
        """What is kept of it."""
        seen = next(iter(self.failed), {"test": "", "kind": "", "words": ""})
        said = f"{seen['kind']}: {seen['words']}" if seen["words"] else seen["kind"]
        return {
            "fingerprint": self.guard.fingerprint, "outcome": self.outcome, "test": seen["test"],
            "said": said, "seconds": self.seconds,
        }  # fmt: skip


@contextmanager
def copies(number: int) -> Iterator[list[pathlib.Path]]:
    """So many copies of the tree, compiled, which end with the block."""
    with tempfile.TemporaryDirectory(prefix="nova-lite-guards-") as folder:
        first = pathlib.Path(folder) / "0"
        shutil.copytree(ROOT, first, ignore=_LEFT_OUT, symlinks=True)
        # By the text, not by the time: a removal of the same length in the same second is seen.
        compiled = ("-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "nova_lite", "tests/harness")
        subprocess.run([sys.executable, *compiled], cwd=first, check=True)
        trees = [first]
        for index in range(1, number):
            trees.append(pathlib.Path(folder) / str(index))
            shutil.copytree(first, trees[-1], symlinks=True)
        yield trees


def run(tree: pathlib.Path, tests: Sequence[str]) -> Run:
    """The tests in that tree; its own ``nova_lite`` is what they import, or it is said."""
    out = tree / "witness.json"
    out.unlink(missing_ok=True)
    environment = {
        **os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "WITNESS": str(out),
        # Of the plugins that happen to be installed the tests need one; the others cost more than most tests.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }  # fmt: skip
    command = [
        sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
        "pytest_timeout", "-p", "tests.harness.guards.witness", *tests,
    ]  # fmt: skip
    began = time.monotonic()
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Run(trouble=f"hung for {PATIENCE_S:.0f} s", seconds=PATIENCE_S)
    seconds = round(time.monotonic() - began, 1)
    if done.returncode not in (0, 1) or not out.exists():
        words = (done.stdout + done.stderr).strip().splitlines()
        return Run(trouble=f"pytest ended with {done.returncode}: {' / '.join(words[-3:])[:300]}", seconds=seconds)
    found = json.loads(out.read_text(encoding="utf-8"))
    if pathlib.Path(found["package"]) != tree / "nova_lite":
        return Run(trouble=f"the tests imported {found['package'] or 'no nova_lite at all'}", seconds=seconds)
    return Run(tuple(found["failed"]), seconds=seconds)


def attempt(
    guard: Guard, tree: pathlib.Path, tests: Sequence[str] = (), red_anyway: Collection[str] = ()
) -> Verdict:  # fmt: skip
    """Remove the guard, run its tests (or these), and put it back; what is red anyway has seen nothing."""
    try:
        former = guard.remove(tree)
    except ValueError as error:
        return Verdict(guard, "UNSOUND", str(error), 0.0)
    try:
        done = run(tree, tests or guard.tests)
    finally:
        (tree / guard.file).write_text(former, encoding="utf-8")
    if done.trouble:
        return Verdict(guard, "UNSOUND", done.trouble, done.seconds)
    failed = tuple(each for each in done.failed if each["test"] not in red_anyway)
    nonsense = [each for each in failed if each["kind"] in _NOT_A_PROGRAM]
    if nonsense:
        return Verdict(guard, "UNSOUND", f"{nonsense[0]['kind']}: {nonsense[0]['words']}", done.seconds)
    seen = {each["test"] for each in failed}
    blind = tuple(test for test in tests or guard.tests if not _has_failed(test, seen))
    # Tests that are only tried need not all see it.
    survived = bool(blind) and not (tests and seen)
    words = ("green", blind) if survived else ("red", sorted(seen))
    outcome = "SURVIVED" if survived else "killed"
    return Verdict(guard, outcome, f"{words[0]}: {', '.join(words[1])}", done.seconds, blind, failed)


def _has_failed(test: str, seen: Collection[str]) -> bool:
    """A test of a row stands for a file, a test, or one of its cases."""
    return any(each == test or each.startswith((f"{test}::", f"{test}[", f"{test}/")) for each in seen)
