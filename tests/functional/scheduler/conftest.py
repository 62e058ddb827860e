"""A database of its own for each test, in a file, as threads need it."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from nova_lite.db import session
from nova_lite.db.models import Base


@pytest.fixture
def database(tmp_path: pathlib.Path) -> Iterator[None]:
    session.configure(f"sqlite:///{tmp_path / 'scheduler.sqlite'}")
    Base.metadata.create_all(session.engine())
    yield
    session.dispose()
