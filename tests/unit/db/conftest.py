"""Every test of the database room has a database of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.database import fresh_database


@pytest.fixture
def database() -> Iterator[None]:
    with fresh_database():
        yield
