"""The simulator: no seed violates an invariant, a seed is always the same world, and a broken guard is seen."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from nova_lite.compute import actions
from tests.harness.simulator.faults import EVENTS
from tests.harness.simulator.workload import REQUESTS

# All seeds together: two minutes of two idle processors.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = 200
# Nobody proves that an operation is still his own: who was overtaken writes all the same.
BROKEN = """
from sqlalchemy import update
from nova_lite.db.api import operations
from nova_lite.db.session import writer
from tests.harness.simulator.runner import Runner

def change(number, attempt, values):
    with writer() as session:
        session.execute(update(operations._T).where(operations._T.c.id == number).values(**values))
    return True

if __name__ == "__main__":
    operations._change = change
    with Runner() as runner:
        print(sum(bool(result.violations) for result in runner.run(range(1, 3))))
"""


def _python(*arguments: str) -> str:
    """Its time is virtual: it gives way to clouds beside it whose heartbeats are real."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    command = ["nice", "-n", "10", sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=800, cwd=ROOT, env=environment)
    assert done.stdout, done.stderr[-5000:]
    return done.stdout if not done.returncode else f"{done.stdout}\n{done.stderr[-20000:]}"


def _simulate(*arguments: str) -> dict[str, Any]:
    text = _python("-m", "tests.harness.simulator", "--json", *arguments)
    found, end = json.JSONDecoder().raw_decode(text)
    assert not found["violating"], text[end:]
    return dict(found)


@pytest.fixture(scope="module")
def storm() -> dict[str, Any]:
    return _simulate("--regressions", "--seeds", str(SEEDS), "--jobs", str(os.cpu_count() or 1))


def test_no_seed_violates_an_invariant(storm: dict[str, Any]) -> None:
    assert storm["seeds"] > SEEDS and storm["accepted"] > SEEDS


def test_everything_is_asked_for(storm: dict[str, Any]) -> None:
    assert set(storm["asked"]) == REQUESTS
    untried = {row.key for row in actions.ACTIONS if row.key and row.place is not actions.Place.API} - REQUESTS
    # A delete is taken back only where deletes are soft, which these clouds' are not.
    assert untried == {"restore"}


def test_everything_goes_wrong(storm: dict[str, Any]) -> None:
    at_points = {"kill", "hang", "slow", "db fails", "call fails", "driver fails", "network fails", "volume fails"}
    to_messages = {"message lost", "message late", "message repeated", "answer lost", "message cut off"}
    assert not {*EVENTS, *at_points, *to_messages} - set(storm["faults"])


def test_a_seed_is_always_the_same_world() -> None:
    assert _simulate("--seeds", "2")["trace"] == _simulate("--seeds", "2", "--jobs", "2")["trace"]


def test_a_guard_that_is_broken_is_seen() -> None:
    assert int(_python("-c", BROKEN).split()[-1]) > 0
