"""Keys by which a client may say a creation again without making it twice."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.clock import utcnow
from nova_lite.db.models.base import Base, Json, Pk, Time, Word, table_args


class IdempotencyKey(Base):
    """Written in the transaction that accepts the servers; ``answer`` is what it takes to answer the same again."""

    __tablename__ = "idempotency_keys"
    __table_args__ = table_args(Index(None, "project_id", "key_hash", unique=True), Index(None, "created_at"))

    id: Mapped[Pk]
    project_id: Mapped[str]
    key_hash: Mapped[Word]
    body_hash: Mapped[Word]
    answer: Mapped[Json] = mapped_column(default=dict)
    created_at: Mapped[Time] = mapped_column(default=utcnow)
