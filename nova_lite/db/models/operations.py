"""Accepted requests (Nova's instance actions) and their steps."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.clock import utcnow
from nova_lite.db.models.base import BIG, Base, Json, LongText, Pk, Time, Uuid, Word, table_args


class Operation(Base):
    """One accepted request. It outlives its server, so there is no foreign key to it."""

    __tablename__ = "operations"
    __table_args__ = table_args(
        Index(None, "instance_uuid", "id"),
        Index(None, "instance_uuid", "request_id"),
        Index(None, "state", "topic", "host"),
        Index(None, "lease_until"),
        Index(None, "deadline"),
        Index(None, "finish_time"),
    )

    id: Mapped[Pk]
    request_id: Mapped[str]
    instance_uuid: Mapped[Uuid]
    action: Mapped[Word]
    project_id: Mapped[str]
    user_id: Mapped[str]
    state: Mapped[Word]
    topic: Mapped[Word]
    host: Mapped[str | None]
    owner: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(default=0)
    retries: Mapped[int] = mapped_column(default=0)
    rests: Mapped[int] = mapped_column(default=0, server_default="0")
    said: Mapped[int] = mapped_column(default=0, server_default="0")
    args: Mapped[Json] = mapped_column(default=dict)
    steps: Mapped[Json] = mapped_column(default=list)
    message: Mapped[LongText | None]
    verdict: Mapped[Json | None]
    start_time: Mapped[Time] = mapped_column(default=utcnow)
    finish_time: Mapped[Time | None]
    updated_at: Mapped[Time] = mapped_column(default=utcnow, onupdate=utcnow)
    lease_until: Mapped[Time | None]
    deadline: Mapped[Time | None]


class OperationEvent(Base):
    """One step of an operation."""

    __tablename__ = "operation_events"
    __table_args__ = table_args(Index(None, "operation_id", "id"))

    id: Mapped[Pk]
    operation_id: Mapped[int] = mapped_column(BIG, ForeignKey("operations.id", ondelete="CASCADE"))
    name: Mapped[str]
    start_time: Mapped[Time] = mapped_column(default=utcnow)
    finish_time: Mapped[Time | None]
    result: Mapped[Word | None]
    traceback: Mapped[LongText | None]
    host: Mapped[str | None]
    details: Mapped[LongText | None]
