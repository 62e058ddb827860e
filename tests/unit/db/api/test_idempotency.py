"""Keys of creations: one use a day, in the transaction of what they stand for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_lite import exception
from nova_lite.db import session
from nova_lite.db.api import idempotency, instances
from nova_lite.db.api.idempotency import Kept
from tests.harness import clocks
from tests.harness.database import fresh_database, make_instance


@pytest.fixture(autouse=True)
def database() -> Iterator[None]:
    with fresh_database():
        yield


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


def test_a_day_later_it_is_new() -> None:
    idempotency.keep("p", "k", "b", {"n": 1})
    with clocks.later(hours=23.9):
        assert idempotency.find("p", "k") is not None
        assert idempotency.purge() == 0
    with clocks.later(hours=24.1):
        assert idempotency.find("p", "k") is None
        idempotency.keep("p", "k", "c", {"n": 2})
        assert idempotency.find("p", "k") == Kept("c", {"n": 2})
        assert idempotency.purge() == 0
    with clocks.later(hours=49):
        assert idempotency.purge(limit=1) == 1
        assert idempotency.purge() == 0


def test_an_api_whose_clock_is_ahead_forgets_no_key() -> None:
    idempotency.keep("p", "k", "b", {"n": 1})
    with clocks.ahead(hours=25):
        assert idempotency.find("p", "k") == Kept("b", {"n": 1})
        assert idempotency.purge() == 0
        with pytest.raises(exception.IdempotencyKeyInUse):
            idempotency.keep("p", "k", "b", {"n": 2})
