"""What a request is about to ask of the volume service, and must not outlive the request if it is never accepted."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.clock import utcnow
from nova_lite.db.models.base import Base, Pk, Time, Uuid, table_args


class ProvisionalVolume(Base):
    """Written before the volume service is asked; forgotten in the transaction that accepts the request.

    ``volume_id`` is the volume that is reserved for the server, or marked as on its way out of it; None: whatever a
    server that is not accepted yet needs. After ``due_at`` the row may be ``doomed``: from then on the request cannot
    be accepted any more, and what it asked for is taken back.
    """

    __tablename__ = "provisional_volumes"
    __table_args__ = table_args(Index(None, "instance_uuid"), Index(None, "due_at"))

    id: Mapped[Pk]
    instance_uuid: Mapped[Uuid]
    volume_id: Mapped[Uuid | None]
    doomed: Mapped[bool] = mapped_column(default=False)
    due_at: Mapped[Time]
    created_at: Mapped[Time] = mapped_column(default=utcnow)
