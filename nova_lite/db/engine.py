"""One engine per URL, set up so that SQLite, MySQL and PostgreSQL behave alike: READ COMMITTED or better, utf8, UTC."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import QueuePool

from nova_lite import concurrency
from nova_lite.db import patterns
from nova_lite.exception import ConfigInvalid

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
}
_ALLOWED = ("sqlite+pysqlite", "mysql+pymysql", "mariadb+pymysql", "postgresql+psycopg2")
_BLOCKING = ("mysql+mysqldb", "mariadb+mysqldb", "postgresql+psycopg")
_REMEDY = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "postgresql": "postgresql+psycopg2"}

# Under eventlet every wait inside the SQLite library stops all green threads: it waits no longer than this (ms).
_GREEN_BUSY_MS = 20
_RETRY_BEGIN_S = (0.001, 0.002, 0.005, 0.01, 0.02)


@dataclass(frozen=True)
class Settings:
    """The [database] options an engine needs; seconds where they are times."""

    max_pool_size: int = 10
    max_overflow: int = 50
    pool_timeout: float = 10
    connection_recycle_time: int = 3600
    max_retries: int = 10
    sqlite_busy_timeout_s: float = 30.0


def checked_url(text: str) -> URL:
    """The URL with its driver spelled out.

    :raises ConfigInvalid: no such URL, or a driver that does not fit; the text never repeats the password.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigInvalid(detail="[database] connection is not a database URL; example: sqlite:///file") from None
    name = _DRIVERS.get(url.drivername, url.drivername)
    if name in _BLOCKING and concurrency.is_green():
        remedy = _REMEDY[name.split("+")[0]]
        raise ConfigInvalid(
            detail=f"[database] connection: the driver of {name} waits inside C code, which stops every green thread "
            f"under [DEFAULT] concurrency_backend = eventlet. Use {remedy}://... or concurrency_backend = threading."
        )
    if name not in _ALLOWED + _BLOCKING:
        raise ConfigInvalid(detail=f"[database] connection: {name} is not supported; use one of {', '.join(_ALLOWED)}.")
    return url.set(drivername=name)


def make_engine(url: URL, settings: Settings) -> Engine:
    """A lazy engine: nothing is opened before the first use.

    :raises ConfigInvalid: the driver is not installed, or the directory of an SQLite file cannot be made.
    """
    backend = url.get_backend_name()
    try:
        if backend == "sqlite":
            return _sqlite(url, settings)
        return create_engine(
            url,
            poolclass=QueuePool,
            pool_size=settings.max_pool_size,
            max_overflow=settings.max_overflow,
            pool_timeout=settings.pool_timeout,
            pool_recycle=settings.connection_recycle_time,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args=_connect_args(url),
        )
    except ImportError as error:
        raise ConfigInvalid(
            detail=f"[database] connection: the driver of {url.drivername} is missing: {error}"
        ) from None


def _connect_args(url: URL) -> dict[str, Any]:
    if url.drivername.endswith("+pymysql"):
        return {
            "charset": "utf8mb4",
            "connect_timeout": 10,
            # strict: a value that does not fit is an error, not cut off in silence
            "init_command": "SET SESSION sql_mode = 'TRADITIONAL', SESSION innodb_lock_wait_timeout = 10",
        }
    if url.drivername.startswith("postgresql"):
        return {"connect_timeout": 10, "application_name": "nova-lite"}
    return {}


# -- SQLite ---------------------------------------------------------------------------------------


def sqlite_file(url: URL) -> Path | None:
    """The file of an SQLite database; None of one in memory, and of a server's."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def check_folder(url: URL, state_path: str) -> None:
    """Only the state directory is made where it is missing; any other missing folder is more likely a slip of the pen.

    :raises ConfigInvalid: it is such a folder.
    """
    file = sqlite_file(url)
    if file is not None and not file.parent.is_dir() and file.parent != Path(state_path):
        raise ConfigInvalid(
            detail=f"[database] connection: the folder {file.parent} of the database file does not exist. "
            "Make it, or mend the path."
        )


def _sqlite(url: URL, settings: Settings) -> Engine:
    file = sqlite_file(url)
    in_memory = file is None
    if file is not None:
        _make_private(file)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        # an in-memory database lives in one connection, so everybody shares that one in turn
        pool_size=1 if in_memory else settings.max_pool_size,
        max_overflow=0 if in_memory else settings.max_overflow,
        pool_timeout=settings.pool_timeout,
        connect_args={"check_same_thread": False, "timeout": 0, "isolation_level": None, "cached_statements": 512},
    )
    busy_ms = _GREEN_BUSY_MS if concurrency.is_green() else int(settings.sqlite_busy_timeout_s * 1000)
    event.listen(engine, "connect", _on_connect(busy_ms, settings.sqlite_busy_timeout_s))
    event.listen(engine, "begin", _on_begin(settings.sqlite_busy_timeout_s))
    return engine


def _make_private(path: Path) -> None:
    """The file is made before SQLite does, readable by its owner only; so are the -wal and -shm beside it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise ConfigInvalid(
            detail=f"The database file {path} cannot be opened: {error.strerror}. Check [database] connection, "
            "[DEFAULT] state_path and the permissions of the directory."
        ) from None


def _on_connect(busy_ms: int, patience_s: float) -> Callable[[sqlite3.Connection, Any], None]:
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.create_function("regexp", 2, patterns.sqlite_regexp, deterministic=True)
        _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").close(), patience_s)
        for pragma in (
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"busy_timeout = {busy_ms}",
            "journal_size_limit = 67108864",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return set_up


def _on_begin(patience_s: float) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        sqlite = connection.connection.dbapi_connection
        assert sqlite is not None
        # Said to the driver itself: SQLAlchemy's way costs more than a small SELECT, and every reader begins.
        if connection.get_execution_options().get("nova_lite_writer"):
            # taking the write lock first means a writer never fails half-way: it waits here or not at all
            _patiently(lambda: _say(sqlite, "BEGIN IMMEDIATE"), patience_s)
        else:
            _say(sqlite, "BEGIN")

    return begin


def _say(connection: Any, statement: str) -> None:
    """:raises OperationalError: as SQLAlchemy would."""
    try:
        connection.execute(statement)
    except sqlite3.OperationalError as error:
        raise OperationalError(statement, None, error) from error


def _patiently(step: Callable[[], Any], patience_s: float) -> None:
    """Try until the other processes let go; the waiting happens where other green threads may run."""
    deadline = time.monotonic() + patience_s
    attempt = 0
    while True:
        try:
            step()
            return
        except (sqlite3.OperationalError, OperationalError) as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
        concurrency.sleep(_RETRY_BEGIN_S[min(attempt, len(_RETRY_BEGIN_S) - 1)])
        attempt += 1
