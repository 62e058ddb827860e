"""What reader() and writer() give: one connection for as long as a transaction lasts.

Every statement here is SQLAlchemy Core, and an ORM session around each costs more than a small statement does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Dialect, Engine, Executable, ScalarResult
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

LOG = logging.getLogger(__name__)

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Transaction:
    """Begins with its first statement; what is not committed when it is closed is undone."""

    __slots__ = ("_connection", "_engine")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    def connection(self) -> Connection:
        """The connection, with its transaction begun."""
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.begin()
        return self._connection

    def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[*tuple[Any, ...]]:
        connection = self._connection or self.connection()
        return connection.execute(statement, parameters)

    def scalars(self, statement: Executable, parameters: Parameters | None = None) -> ScalarResult[Any]:
        """The first column of each row."""
        return self.execute(statement, parameters).scalars()

    def commit(self) -> None:
        if self._connection is not None:
            self._connection.commit()

    def rollback(self) -> None:
        if self._connection is not None:
            self._connection.rollback()

    def invalidate(self) -> None:
        """Close the connection for good: nobody knows what the server still says on it."""
        if self._connection is not None:
            self._connection.invalidate()

    def close(self) -> None:
        """Give the connection back; what was not committed is undone.

        A connection that breaks in this costs nobody anything: what was read is read, and what was to be undone is
        gone with it.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except DBAPIError as error:
            LOG.info("A connection to the database broke as it was given back: %s", error.orig)
            if not connection.closed:
                connection.invalidate()
                connection.close()
