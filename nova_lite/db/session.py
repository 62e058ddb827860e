"""Transactions: reader() and writer(), joined when nested, run again after a deadlock, with two clear errors.

``DatabaseUnavailable``: there is nobody to talk to. ``DatabaseBusy``: the transaction lost against others once too
often. When the connection breaks while a commit is on its way nobody knows what happened: that is
``DatabaseUnavailable`` too and is never tried again here, so writers are made to stand a second call
(compare-and-swap, unique keys).
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from oslo_config import cfg
from sqlalchemy import URL, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nova_lite import clock, concurrency, exception, failpoints
from nova_lite.db.engine import Settings, check_folder, checked_url, make_engine, sqlite_file
from nova_lite.db.transaction import Transaction

LOG = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

# MySQL: record changed since last read, lock wait timeout, deadlock
# PostgreSQL: serialization failure, deadlock, lock not available
_CONFLICTS = (1020, 1205, 1213, "40001", "40P01", "55P03")
# Seconds after which a transaction that still loses is not tried again; SQLite's is [database] sqlite_busy_timeout_s.
PATIENCE_S = 30.0
_FULL = (1021, 1114, "53100")  # the server's disk or table space
_SQLITE_BROKEN = (
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "file is not a database",
    "database disk image is malformed",
)


class Database:
    """An engine and the two ways to use it. ``gate`` lets one writer of this process at a time into SQLite."""

    def __init__(self, url: URL, settings: Settings) -> None:
        self.url = url
        self.settings = settings
        self.engine: Engine = make_engine(url, settings)
        self.writing: Engine = self.engine.execution_options(nova_lite_writer=True)
        self.gate = concurrency.Semaphore(1) if self.engine.dialect.name == "sqlite" else None
        self.local = concurrency.local()


_database: Database | None = None
_lock = threading.Lock()


def configure(target: str | cfg.ConfigOpts) -> None:
    """Choose the database: a URL, or the configuration's [database] group. The same one twice changes nothing.

    :raises ConfigInvalid: the URL or its driver cannot work.
    """
    global _database
    url, settings = _wanted(target)
    with _lock:
        if _database is not None and (_database.url, _database.settings) == (url, settings):
            return
        former, _database = _database, Database(url, settings)
    if former is not None:
        former.engine.dispose()


def _wanted(target: str | cfg.ConfigOpts) -> tuple[URL, Settings]:
    if isinstance(target, str):
        return checked_url(target), Settings()
    group = target.database
    text = group.connection or f"sqlite:///{os.path.join(target.state_path, 'nova-lite.sqlite')}"
    names = Settings.__dataclass_fields__
    url = checked_url(text)
    check_folder(url, target.state_path)
    return url, Settings(**{name: getattr(group, name) for name in names})


def is_absent(target: str | cfg.ConfigOpts) -> bool:
    """Is the database an SQLite file that nobody has made yet?

    :raises ConfigInvalid: the URL or its driver cannot work.
    """
    file = sqlite_file(_wanted(target)[0])
    return file is not None and not file.exists()


def database() -> Database:
    """:raises RuntimeError: nobody called configure()."""
    if _database is None:
        raise RuntimeError("nova_lite.db.session.configure() was not called")
    return _database


def engine() -> Engine:
    return database().engine


def backend_name() -> str:
    """``sqlite``, ``mysql`` (MariaDB too) or ``postgresql``."""
    name = database().engine.dialect.name
    return "mysql" if name == "mariadb" else name


def dispose() -> None:
    """Close every connection and forget the database."""
    global _database
    with _lock:
        former, _database = _database, None
    if former is not None:
        former.engine.dispose()


def _after_fork() -> None:
    """A child must not talk on, nor close, its parent's connections."""
    if _database is not None:
        _database.engine.dispose(close=False)
        _database.local = concurrency.local()
        if _database.gate is not None:
            _database.gate = concurrency.Semaphore(1)


os.register_at_fork(after_in_child=_after_fork)


# -- transactions ---------------------------------------------------------------------------------


def in_transaction() -> bool:
    """Is the caller inside a reader() or writer() of its own thread?"""
    return getattr(database().local, "session", None) is not None


@contextlib.contextmanager
def reader() -> Iterator[Transaction]:
    """A transaction to read with; inside another reader or writer it is that one's."""
    db = database()
    current = getattr(db.local, "session", None)
    if current is not None:
        yield current
        return
    with _session(db, db.engine, writes=False) as session:
        yield session


@contextlib.contextmanager
def writer() -> Iterator[Transaction]:
    """A transaction to write with, committed at the end of the outermost writer; any exception undoes all of it.

    :raises RuntimeError: inside a reader(), whose snapshot may be older than what a writer must see.
    """
    db = database()
    current = getattr(db.local, "session", None)
    if current is not None:
        if not db.local.writes:
            raise RuntimeError("a writer() inside a reader(): open the writer first")
        yield current
        return
    if db.gate is not None and not db.gate.acquire(timeout=db.settings.sqlite_busy_timeout_s):
        raise exception.DatabaseBusy
    try:
        with _session(db, db.writing, writes=True) as session:
            yield session
    finally:
        if db.gate is not None:
            db.gate.release()
    failpoints.hit("db.after_commit")


@contextlib.contextmanager
def _session(db: Database, bind: Engine, writes: bool) -> Iterator[Transaction]:
    session = Transaction(bind)
    committing = False
    db.local.session, db.local.writes = session, writes
    try:
        if writes:
            session.connection()  # SQLite takes its write lock now, before anything is read
        yield session
        if writes:
            failpoints.hit("db.before_commit")
            committing = True
            session.commit()
    except Exception as error:
        with contextlib.suppress(DBAPIError):
            session.rollback()
        _translate(error, committing)
        raise
    except BaseException:
        # killed in the middle of a conversation with the server: nobody may use this connection again
        session.invalidate()
        raise
    finally:
        db.local.session = None
        session.close()


# -- errors ---------------------------------------------------------------------------------------


def is_conflict(error: BaseException) -> bool:
    """Did the transaction lose against another, so that running it again may win?"""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return "locked" in str(error.orig)
    return _code(error) in _CONFLICTS


def _code(error: BaseException) -> object:
    """PostgreSQL's SQLSTATE or MySQL's number; None where there is none."""
    original = error.orig if isinstance(error, DBAPIError) else None
    state = getattr(original, "pgcode", None) or getattr(original, "sqlstate", None)
    return state or next(iter(getattr(original, "args", ())), None)


def is_down(error: BaseException) -> bool:
    """Is there no database to talk to, or none that can write?"""
    if isinstance(error, PoolTimeout):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if _code(error) in _FULL or str(getattr(error, "orig", None)) in _SQLITE_BROKEN:
        return True
    return isinstance(error, (OperationalError, InterfaceError)) and error.statement is None and not is_conflict(error)


def _translate(error: Exception, committing: bool) -> None:
    """Raise the error that callers know, where there is one."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if is_conflict(error) or (lost and not committing):
        raise exception.DatabaseBusy from error
    if is_down(error):
        LOG.error("The database is not available: %s", getattr(error, "orig", None) or error)
        raise exception.DatabaseUnavailable from error


def retry_on_deadlock(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function again when its transaction lost against others; inside a transaction only the outermost does.

    Not for longer than a writer waits for its lock: whoever waits for an answer is told that the database is busy.

    The function opens its own writer(), and everything it does besides must stand being done twice.
    """

    @functools.wraps(function)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        db = database()
        if getattr(db.local, "session", None) is not None:
            return function(*args, **kwargs)
        patience = clock.Deadline(db.settings.sqlite_busy_timeout_s if db.gate is not None else PATIENCE_S)
        for attempt in range(db.settings.max_retries):
            try:
                return function(*args, **kwargs)
            except exception.DatabaseBusy:
                if patience.passed():
                    raise
                # half of the wait is chance, so that the same two do not meet again
                concurrency.sleep(min(0.005 * 2**attempt, 1.0) * (0.5 + random.random() / 2))
        return function(*args, **kwargs)

    return again
