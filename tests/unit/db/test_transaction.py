"""A transaction opens nothing before its first statement and undoes what was not committed."""

from __future__ import annotations

import pathlib
import sqlite3

import pytest
from sqlalchemy import select

from nova_lite.db import session
from nova_lite.db.models import Quota
from nova_lite.db.transaction import Transaction
from tests.harness.database import fresh_database

_T = Quota.__table__
_ROWS = [{"project_id": "p", "resource": name, "hard_limit": 1} for name in ("a", "b")]


def _names() -> list[str]:
    with session.reader() as reading:
        return list(reading.scalars(select(_T.c.resource).order_by(_T.c.id)))


@pytest.mark.usefixtures("database")
def test_nothing_is_opened_for_nothing() -> None:
    before = session.engine().pool.checkedout()  # type: ignore[attr-defined]
    with session.reader() as reading:
        assert session.engine().pool.checkedout() == before  # type: ignore[attr-defined]
        reading.execute(select(_T))
        assert session.engine().pool.checkedout() == before + 1  # type: ignore[attr-defined]
    assert session.engine().pool.checkedout() == before  # type: ignore[attr-defined]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("ending", ["close", "rollback", "commit"])
def test_only_a_commit_keeps(ending: str) -> None:
    transaction = Transaction(session.database().writing)
    transaction.execute(_T.insert(), _ROWS)
    getattr(transaction, ending)()
    transaction.close()
    assert _names() == (["a", "b"] if ending == "commit" else [])


@pytest.mark.usefixtures("database")
def test_an_unused_one_ends_in_every_way() -> None:
    transaction = Transaction(session.engine())
    for ending in (transaction.commit, transaction.rollback, transaction.invalidate, transaction.close):
        ending()
    assert transaction.dialect.name == session.engine().dialect.name


def test_invalidating_undoes_and_drops_the_connection(tmp_path: pathlib.Path) -> None:
    with fresh_database(f"sqlite:///{tmp_path}/x"):
        transaction = Transaction(session.database().writing)
        transaction.execute(_T.insert(), _ROWS)
        connection = transaction.connection()
        transaction.invalidate()
        assert connection.invalidated
        transaction.close()
        assert _names() == []


def test_a_connection_that_breaks_as_it_is_given_back_costs_nobody_anything(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read is read; the pool has room for another."""
    with fresh_database(f"sqlite:///{tmp_path}/x"):
        pool = session.engine().pool
        before = pool.checkedout()  # type: ignore[attr-defined]

        def broken(_: object) -> None:
            raise sqlite3.OperationalError("lost connection")

        with session.reader() as reading, monkeypatch.context() as patch:
            connection = reading.connection()
            assert reading.execute(select(_T)).all() == []
            patch.setattr(session.engine().dialect, "do_rollback", broken)
            reading.close()
        assert connection.closed and pool.checkedout() == before  # type: ignore[attr-defined]
        assert _names() == []
