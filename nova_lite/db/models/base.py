"""The base of every table: names of constraints, column types that mean the same on each backend.

Text is utf8mb4 and compared byte by byte on MySQL: names differ by case there as on SQLite and PostgreSQL.
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
from sqlalchemy import BigInteger, DateTime, Double, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from nova_lite.clock import utcnow

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

LONG_TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
MICROTIME = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
BIG = BigInteger().with_variant(Integer(), "sqlite")


def dumps(value: Any) -> str:
    """JSON text as the database keeps it: compact, keys in order, so that equal values are equal text."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


class JsonText(TypeDecorator[Any]):
    """JSON kept as text on every backend; None is NULL."""

    impl = LONG_TEXT
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


Pk = Annotated[int, mapped_column(BIG, primary_key=True, autoincrement=True)]
Uuid = Annotated[str, mapped_column(String(36))]
Word = Annotated[str, mapped_column(String(64))]
LongText = Annotated[str, mapped_column(LONG_TEXT)]
Time = Annotated[datetime.datetime, mapped_column(MICROTIME)]
Json = Annotated[Any, mapped_column(JsonText)]


def table_args(*constraints: Any) -> tuple[Any, ...]:
    """``__table_args__`` of a model: its constraints and indexes, then what the backends must know of every table."""
    options = {
        "sqlite_autoincrement": True,  # an id is never given twice, so that order by id is order of birth
        "mysql_engine": "InnoDB",
        "mysql_charset": "utf8mb4",
        "mysql_collate": "utf8mb4_bin",
    }
    return (*constraints, options)


class Base(DeclarativeBase):
    """Every model; ``Base.metadata`` is what the migrations must equal."""

    if TYPE_CHECKING:
        __table__: ClassVar[Table]

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: String(255), float: Double()}


class Stamped:
    """When the row was made and last changed (naive UTC); ``updated_at`` is NULL until the first change."""

    created_at: Mapped[Time] = mapped_column(default=utcnow, sort_order=90)
    updated_at: Mapped[Time | None] = mapped_column(onupdate=utcnow, sort_order=91)
