"""Keys of creations: one use a day, in the transaction of what they stand for."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from nova_lite import exception
from nova_lite.clock import utcnow
from nova_lite.db import session
from nova_lite.db.api import idempotency, instances
from nova_lite.db.api.idempotency import Kept
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    start = utcnow()

    def move(**how: float) -> None:
        monkeypatch.setattr(idempotency, "utcnow", lambda: start + datetime.timedelta(**how))

    yield move


def test_a_key_is_found_again_by_its_project() -> None:
    idempotency.keep("p", "k", "b", {"uuid": "1"})
    idempotency.keep("q", "k", "c", {"uuid": "2"})
    assert idempotency.find("p", "k") == Kept("b", {"uuid": "1"})
    assert idempotency.find("q", "k") == Kept("c", {"uuid": "2"})
    assert idempotency.find("p", "other") is None


def test_a_second_use_undoes_all_of_its_transaction() -> None:
    idempotency.keep("p", "k", "b", {})
    with pytest.raises(exception.IdempotencyKeyInUse), session.writer():
        instances.insert(make_instance("second"))
        idempotency.keep("p", "k", "b", {})
    assert instances.count() == 0


def test_what_fails_after_it_gives_the_key_back() -> None:
    with pytest.raises(exception.Forbidden), session.writer():
        idempotency.keep("p", "k", "b", {})
        raise exception.Forbidden
    assert idempotency.find("p", "k") is None
    idempotency.keep("p", "k", "b", {})


def test_a_day_later_it_is_new(later: object) -> None:
    idempotency.keep("p", "k", "b", {"n": 1})
    later(hours=23.9)  # type: ignore[operator]
    assert idempotency.find("p", "k") is not None
    assert idempotency.purge() == 0
    later(hours=24.1)  # type: ignore[operator]
    assert idempotency.find("p", "k") is None
    idempotency.keep("p", "k", "c", {"n": 2})
    assert idempotency.find("p", "k") == Kept("c", {"n": 2})
    assert idempotency.purge() == 0
    later(hours=49)  # type: ignore[operator]
    assert idempotency.purge(limit=1) == 1
    assert idempotency.purge() == 0
