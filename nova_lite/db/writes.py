"""Writing statements: how many rows one changed, the id of a new one, and rows that may be there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import CursorResult, Insert, Table, UpdateBase
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session


def affected(session: Session, statement: UpdateBase) -> int:
    """Run an UPDATE or DELETE; how many rows its WHERE matched, on every backend."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount


def new_id(session: Session, statement: Insert) -> int:
    """Run an INSERT of one row; its id."""
    key = cast("CursorResult[Any]", session.execute(statement)).inserted_primary_key
    assert key is not None
    return int(key[0])


def insert_missing(session: Session, table: Table, values: Mapping[str, Any]) -> None:
    """Insert the row unless a unique key of it exists; the transaction stays whole either way."""
    dialect = session.get_bind().dialect.name
    if dialect in ("mysql", "mariadb"):
        # not INSERT IGNORE, which would let bad values pass as well
        key = next(iter(table.primary_key.columns))
        session.execute(mysql.insert(table).values(values).on_duplicate_key_update({key.name: key}))
    elif dialect == "postgresql":
        session.execute(postgresql.insert(table).values(values).on_conflict_do_nothing())
    else:
        session.execute(sqlite.insert(table).values(values).on_conflict_do_nothing())
