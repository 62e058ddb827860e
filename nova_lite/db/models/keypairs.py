"""Public keys of users."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from nova_lite.db.models.base import Base, LongText, Pk, Stamped, Word, table_args


class KeyPair(Stamped, Base):
    __tablename__ = "keypairs"
    __table_args__ = table_args(Index(None, "user_id", "name", unique=True))

    id: Mapped[Pk]
    user_id: Mapped[str]
    name: Mapped[str]
    type: Mapped[Word]
    fingerprint: Mapped[str]
    public_key: Mapped[LongText]
