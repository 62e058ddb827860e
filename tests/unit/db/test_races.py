"""SQLite under many threads (the other backends: tests/integration/test_databases.py)."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from tests.harness.database import fresh_database
from tests.harness.races import green_races
from tests.harness.request_races import RACES


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race(race: Callable[[], None], tmp_path: pathlib.Path) -> None:
    with fresh_database(f"sqlite:///{tmp_path}/x.sqlite"):
        race()


def test_on_green_threads_the_hub_never_stands_still(tmp_path: pathlib.Path) -> None:
    """Half a second of waiting for another process's lock costs the other green threads far less than that."""
    done = green_races(f"sqlite:///{tmp_path}/x.sqlite")
    assert done["won"] == [race.__name__ for race in RACES]
    assert done["gap_ms"] < 250
