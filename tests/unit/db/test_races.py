"""SQLite under many threads (the other backends: tests/integration/test_databases.py)."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from tests.harness.database import fresh_database
from tests.harness.races import RACES


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_race(race: Callable[[], None], tmp_path: pathlib.Path) -> None:
    with fresh_database(f"sqlite:///{tmp_path}/x.sqlite"):
        race()
