"""INSERT of a row that may be there already, in each backend's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session


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
