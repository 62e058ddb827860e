"""Transactions: joined when nested, whole or not at all, again after a conflict, clear when the database is gone."""

from __future__ import annotations

import pathlib
import sqlite3
import threading
from typing import Any

import pytest
from oslo_config import cfg
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nova_lite import exception
from nova_lite.conf import database as options
from nova_lite.db import session
from nova_lite.db.engine import Settings
from nova_lite.db.models import Base, Quota
from tests.harness.database import fresh_database

_T = Quota.__table__


def _add(resource: str) -> None:
    with session.writer() as writing:
        writing.execute(_T.insert().values(project_id="p", resource=resource, hard_limit=1))


def _all() -> list[str]:
    with session.reader() as reading:
        return list(reading.scalars(select(_T.c.resource).order_by(_T.c.id)))


def _mysql(code: int) -> OperationalError:
    return OperationalError("UPDATE", {}, _Original(code, "text"))


def _sqlstate(code: str) -> OperationalError:
    original = _Original("text")
    original.pgcode = code
    return OperationalError("UPDATE", {}, original)


class _Original(Exception):
    pgcode: str | None = None


# -- joining --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("database")
def test_nested_joins_the_outer() -> None:
    with session.writer() as outer:
        with session.writer() as inner, session.reader() as reading:
            assert outer is inner is reading
        _add("a")
        assert _all() == ["a"]
        assert session.in_transaction()
    assert not session.in_transaction()
    assert _all() == ["a"]


@pytest.mark.usefixtures("database")
def test_an_error_undoes_all() -> None:
    with pytest.raises(KeyError), session.writer():
        _add("a")
        raise KeyError
    assert _all() == []
    _add("b")
    assert _all() == ["b"]


@pytest.mark.usefixtures("database")
def test_being_killed_undoes_all_and_drops_the_connection() -> None:
    class Killed(BaseException):
        pass

    with pytest.raises(Killed), session.writer() as writing:
        connection = writing.connection()
        raise Killed
    assert connection.invalidated or connection.closed
    assert not session.in_transaction()


def test_being_killed_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """Looked at from another connection, which one in memory would not have."""
    session.configure(_conf(tmp_path))
    try:
        Base.metadata.create_all(session.engine())
        with pytest.raises(KeyboardInterrupt), session.writer():
            _add("a")
            raise KeyboardInterrupt
        assert _all() == []
    finally:
        session.dispose()


def test_a_writer_has_the_write_lock_before_it_reads(tmp_path: pathlib.Path) -> None:
    """What it judges by cannot change under it, by another process neither."""
    session.configure(_conf(tmp_path))
    other = sqlite3.connect(tmp_path / "nova-lite.sqlite", isolation_level=None, timeout=0)
    try:
        Base.metadata.create_all(session.engine())
        with session.writer():
            assert _all() == []
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        session.dispose()
        other.close()


@pytest.mark.usefixtures("database")
def test_a_writer_inside_a_reader_is_a_mistake() -> None:
    with session.reader(), pytest.raises(RuntimeError, match="open the writer first"):
        _add("a")


def test_threads_do_not_share_a_transaction(tmp_path: pathlib.Path) -> None:
    with fresh_database(f"sqlite:///{tmp_path}/x"), session.writer():
        _add("a")
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append((session.in_transaction(), _all())))
        thread.start()
        thread.join()
        assert seen == [(False, [])]


# -- conflicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "conflict"),
    [
        (_mysql(1213), True),
        (_mysql(1205), True),
        (_mysql(1020), True),
        (_mysql(1054), False),
        (_sqlstate("40P01"), True),
        (_sqlstate("40001"), True),
        (_sqlstate("42601"), False),
        (OperationalError("X", {}, sqlite3.OperationalError("database is locked")), True),
        (OperationalError("X", {}, sqlite3.OperationalError("no such table: x")), False),
        (IntegrityError("X", {}, _Original("duplicate")), False),
        (ValueError("locked"), False),
    ],
)
def test_what_is_a_conflict(error: BaseException, conflict: bool) -> None:
    assert session.is_conflict(error) is conflict


@pytest.mark.parametrize(
    ("error", "down"),
    [
        (OperationalError(None, None, _Original("connection refused")), True),
        (OperationalError("SELECT", {}, _Original("no such column")), False),
        (DBAPIError("SELECT", {}, _Original("gone away"), connection_invalidated=True), True),
        (PoolTimeout(), True),
        (OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")), True),
        (DBAPIError("PRAGMA", {}, sqlite3.DatabaseError("file is not a database")), True),
        (OperationalError("INSERT", {}, sqlite3.OperationalError("attempt to write a readonly database")), True),
        (_mysql(1114), True),
        (_sqlstate("53100"), True),
        (ValueError(), False),
    ],
)
def test_what_is_down(error: BaseException, down: bool) -> None:
    assert session.is_down(error) is down


@pytest.mark.usefixtures("database")
def test_only_the_outermost_is_run_again() -> None:
    calls = {"outer": 0, "inner": 0}

    @session.retry_on_deadlock
    def inner() -> None:
        calls["inner"] += 1
        _add(f"try {calls['inner']}")
        if calls["inner"] < 3:
            raise _mysql(1213)

    @session.retry_on_deadlock
    def outer() -> str:
        calls["outer"] += 1
        with session.writer():
            inner()
        return "done"

    assert outer() == "done"
    assert calls == {"outer": 3, "inner": 3}
    assert _all() == ["try 3"]


@pytest.mark.usefixtures("database")
def test_what_gives_up_inside_is_not_run_again_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner function says itself that it lost: what the outer one read may be wrong as well."""
    monkeypatch.setattr(session.concurrency, "sleep", lambda seconds: None)
    calls: list[str] = []

    @session.retry_on_deadlock
    def inner() -> None:
        calls.append("inner")
        if calls.count("inner") < 3:
            raise exception.DatabaseBusy

    @session.retry_on_deadlock
    def outer() -> None:
        calls.append("outer")
        with session.writer():
            inner()

    outer()
    assert calls == ["outer", "inner"] * 3


@pytest.mark.usefixtures("database")
def test_at_last_it_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.concurrency, "sleep", lambda seconds: None)
    calls = []

    @session.retry_on_deadlock
    def never() -> None:
        calls.append(1)
        with session.writer():
            raise _sqlstate("40P01")

    with pytest.raises(exception.DatabaseBusy) as caught:
        never()
    assert len(calls) == 1 + Settings().max_retries
    assert caught.value.status == 503


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("phase", "runs"), [("work", 2), ("commit", 1)])
def test_a_lost_connection_is_tried_again_unless_the_commit_was_on_its_way(
    phase: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = DBAPIError("X", {}, _Original("server has gone away"), connection_invalidated=True)
    calls = []

    def fail(_self: object) -> None:
        raise lost

    @session.retry_on_deadlock
    def work() -> None:
        calls.append(1)
        with session.writer():
            if phase == "work" and len(calls) == 1:
                raise lost

    if phase == "commit":
        monkeypatch.setattr(session.Transaction, "commit", fail)
        with pytest.raises(exception.DatabaseUnavailable):
            work()
    else:
        work()
    assert len(calls) == runs


def test_another_process_that_keeps_the_lock_is_waited_for_then_busy(tmp_path: pathlib.Path) -> None:
    conf = _conf(tmp_path, sqlite_busy_timeout_s=0.2, max_retries=0)
    session.configure(conf)
    Base.metadata.create_all(session.engine())
    other = sqlite3.connect(tmp_path / "nova-lite.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert _all() == []
        with pytest.raises(exception.DatabaseBusy):
            _add("a")
        threading.Timer(0.05, other.execute, ("COMMIT",)).start()
        _add("b")
        assert _all() == ["b"]
    finally:
        session.dispose()
        other.close()


# -- configuring ----------------------------------------------------------------------------------


def _conf(state_path: pathlib.Path, **values: Any) -> cfg.ConfigOpts:
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf.register_opts([cfg.StrOpt("state_path")])
    conf([])
    conf.set_override("state_path", str(state_path))
    for name, value in values.items():
        conf.set_override(name, value, group="database")
    return conf


def test_every_option_but_the_url_is_a_setting() -> None:
    names = {option.name for option in options.OPTIONS}
    assert names == {"connection", *Settings.__dataclass_fields__}
    for option in options.OPTIONS[1:]:
        assert option.default == getattr(Settings(), option.name)


def test_the_default_is_a_file_under_state_path(tmp_path: pathlib.Path) -> None:
    conf = _conf(tmp_path, max_pool_size=3)
    session.configure(conf)
    try:
        engine = session.engine()
        assert engine.url.database == str(tmp_path / "nova-lite.sqlite")
        assert (session.backend_name(), session.database().settings.max_pool_size) == ("sqlite", 3)
        session.configure(conf)
        assert session.engine() is engine
        session.configure("sqlite://")
        assert session.engine() is not engine
    finally:
        session.dispose()


def test_nobody_configured() -> None:
    session.dispose()
    with pytest.raises(RuntimeError, match="configure"):
        session.engine()


def test_a_database_that_is_gone_is_503(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "x"
    session.configure(f"sqlite:///{file}")
    file.unlink()
    file.mkdir()
    try:
        with pytest.raises(exception.DatabaseUnavailable) as caught:
            _all()
        assert (caught.value.status, str(caught.value)) == (503, "The database is not available.")
    finally:
        session.dispose()
