"""Tokens that let a browser at a console for a while; kept by their hash only."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from nova_lite.db.models.base import Base, Pk, Stamped, Time, Uuid, Word, table_args


class ConsoleToken(Stamped, Base):
    """Where the console of a token is: the host and port a proxy connects to."""

    __tablename__ = "console_tokens"
    __table_args__ = table_args(
        Index(None, "token_hash", unique=True), Index(None, "instance_uuid"), Index(None, "expires_at")
    )

    id: Mapped[Pk]
    token_hash: Mapped[Word]
    instance_uuid: Mapped[Uuid]
    console_type: Mapped[Word]
    host: Mapped[str]
    port: Mapped[int]
    tls_port: Mapped[int | None]
    internal_access_path: Mapped[str | None]
    access_url_base: Mapped[str]
    expires_at: Mapped[Time]
