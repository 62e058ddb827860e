"""Points do nothing until a test arms them, and what the test raises, they raise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import failpoints
from nova_lite.db import session
from tests.harness.database import fresh_database


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def test_an_unarmed_point_does_nothing() -> None:
    failpoints.hit("anywhere")


def test_an_armed_point_tells_its_name_and_raises_what_it_is_told() -> None:
    heard: list[str] = []
    failpoints.arm(heard.append)
    failpoints.hit("here")
    failpoints.disarm()
    failpoints.hit("there")
    assert heard == ["here"]

    def fail(point: str) -> None:
        raise RuntimeError(point)

    failpoints.arm(fail)
    with pytest.raises(RuntimeError, match="here"):
        failpoints.hit("here")


def test_every_durable_write_has_a_point_before_and_after() -> None:
    heard: list[str] = []
    with fresh_database():
        failpoints.arm(heard.append)
        with session.writer(), session.writer():
            pass
        with session.reader():
            pass
    assert heard == ["db.before_commit", "db.after_commit"]
