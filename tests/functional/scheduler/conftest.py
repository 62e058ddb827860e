"""A database of its own for each test: a file of SQLite, or the one that NOVA_LITE_TEST_DB_URL names."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from tests.harness.database import URL_VARIABLE, fresh_database


@pytest.fixture
def database(tmp_path: pathlib.Path) -> Iterator[None]:
    """In a file, not in memory: the tests race with threads."""
    with fresh_database(os.environ.get(URL_VARIABLE) or f"sqlite:///{tmp_path / 'scheduler.sqlite'}"):
        yield
