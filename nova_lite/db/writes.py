"""Writing statements: how many rows one changed, the id of a new one, and rows that may be there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Insert, Table, UpdateBase
from sqlalchemy.dialects import mysql, postgresql, sqlite

from nova_lite.db.transaction import Transaction


def affected(session: Transaction, statement: UpdateBase) -> int:
    """Run an UPDATE or DELETE; how many rows its WHERE matched, on every backend."""
    return session.execute(statement).rowcount


def new_id(session: Transaction, statement: Insert) -> int:
    """Run an INSERT of one row; its id."""
    key = session.execute(statement).inserted_primary_key
    assert key is not None
    return int(key[0])


def insert_missing(session: Transaction, table: Table, values: Mapping[str, Any]) -> None:
    """Insert the row unless a unique key of it exists; the transaction stays whole either way."""
    dialect = session.dialect.name
    if dialect in ("mysql", "mariadb"):
        # not INSERT IGNORE, which would let bad values pass as well
        key = next(iter(table.primary_key.columns))
        session.execute(mysql.insert(table).values(values).on_duplicate_key_update({key.name: key}))
    elif dialect == "postgresql":
        session.execute(postgresql.insert(table).values(values).on_conflict_do_nothing())
    else:
        session.execute(sqlite.insert(table).values(values).on_conflict_do_nothing())
