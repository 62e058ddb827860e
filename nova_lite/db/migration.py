"""The schema's versions: alembic driven from here, no ini file, one straight line of revisions.

``sync`` may be called by several daemons that start at once: one migrates, the others wait and find it done. Alembic is
imported only where something is to be done: every daemon asks at its start, and it costs 12 MB and a tenth of a second.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from nova_lite import exception
from nova_lite.db import session
from nova_lite.db.models import Base

if TYPE_CHECKING:
    from alembic.config import Config

_SCRIPTS = os.path.join(os.path.dirname(__file__), "alembic")
_LOCK = "nova_lite_migration"
_LOCK_NUMBER = 0x6E6F7661  # PostgreSQL names its advisory locks by number
_LOCK_WAIT_S = 120


def head() -> str:
    """The newest revision this code knows."""
    return revisions()[-1]


def revisions() -> list[str]:
    """All revisions, oldest first: the numbers in the names of their files."""
    names = sorted(os.listdir(os.path.join(_SCRIPTS, "versions")))
    return [name[1:].split("_", 1)[0] for name in names if name.startswith("v") and name.endswith(".py")]


def version() -> str | None:
    """The database's revision; None when it is empty."""
    with _connected() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)


def sync(revision: str = "head") -> str:
    """Bring the database up to a revision, by default the newest; its revision then.

    :raises ConfigInvalid: the database belongs to a newer nova-lite.
    :raises DatabaseUnavailable: there is no database to talk to.
    """
    with _locked() as connection:
        current = _revision(connection)
        known = revisions()
        if current is not None and current not in known:
            raise _newer(current)
        if current != (known[-1] if revision == "head" else revision):
            from alembic import command

            command.upgrade(_config(connection), revision)
        return str(_revision(connection))


def check() -> None:
    """Is the database ready for this code? :raises ConfigInvalid: it is not, and what to do."""
    current = version()
    if current is not None and is_newer(current):
        raise _newer(current)
    if current != head():
        raise too_old(current)


def is_newer(current: str | None) -> bool:
    """Was the database made by a nova-lite that knows more revisions than this one?"""
    return current is not None and current not in revisions()


def too_old(current: str | None) -> exception.ConfigInvalid:
    """What is said of a database without a schema (None), or with an older one."""
    return exception.ConfigInvalid(
        detail=f"The database is at revision {current or 'none'}, this nova-lite needs {head()}. "
        "Run: nova-lite-manage db sync"
    )


def _newer(current: str) -> exception.ConfigInvalid:
    return exception.ConfigInvalid(
        detail=f"The database is at revision {current}, which this nova-lite does not know: it was made by a "
        "newer one. Upgrade nova-lite, or point [database] connection elsewhere."
    )


def differences() -> list[Any]:
    """What the models have and the database has not, or the other way round, as alembic's operations."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with _connected() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


# -- how ------------------------------------------------------------------------------------------


def _config(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _SCRIPTS.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextlib.contextmanager
def _connected() -> Iterator[Connection]:
    try:
        with session.engine().connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        if session.is_down(error):
            raise exception.DatabaseUnavailable from error
        raise


@contextlib.contextmanager
def _locked() -> Iterator[Connection]:
    """A connection that alone may migrate; on SQLite and PostgreSQL all revisions are one transaction."""
    backend = session.backend_name()
    if backend == "sqlite":
        with session.writer() as writing:
            yield writing.connection()
        return
    with _connected() as connection:
        if backend == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_NUMBER})"))
        elif not connection.execute(text(f"SELECT GET_LOCK('{_LOCK}', {_LOCK_WAIT_S})")).scalar():
            raise exception.DatabaseBusy(f"Another process has been migrating the database for {_LOCK_WAIT_S} s.")
        try:
            yield connection
            connection.commit()
        finally:
            if backend == "mysql":
                connection.execute(text(f"SELECT RELEASE_LOCK('{_LOCK}')"))
