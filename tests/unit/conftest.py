"""What unit tests of rooms above the database ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import conf as nova_conf
from tests.harness.database import fresh_database


@pytest.fixture
def database() -> Iterator[None]:
    """A database of the test's own, and every option with its default."""
    nova_conf.register_all()
    with fresh_database():
        yield
