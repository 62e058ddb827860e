"""Groups of hosts; one with ``availability_zone`` in its metadata is a zone."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import BIG, Base, Json, Pk, Stamped, Uuid, table_args


class Aggregate(Stamped, Base):
    __tablename__ = "aggregates"
    __table_args__ = table_args(Index(None, "uuid", unique=True), Index(None, "name", unique=True))

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    name: Mapped[str]
    meta: Mapped[Json] = mapped_column("metadata", default=dict)


class AggregateHost(Base):
    __tablename__ = "aggregate_hosts"
    __table_args__ = table_args(Index(None, "host"))

    aggregate_id: Mapped[int] = mapped_column(
        BIG, ForeignKey("aggregates.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    host: Mapped[str] = mapped_column(primary_key=True)
