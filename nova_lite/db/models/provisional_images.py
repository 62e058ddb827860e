"""Images that the cloud made, or no longer wants, and must remove unless something comes of them."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.clock import utcnow
from nova_lite.db.models.base import BIG, Base, Pk, Time, Uuid, table_args


class ProvisionalImage(Base):
    """Written before the image is made; forgotten in the transaction that ends its operation well.

    ``operation_id`` is the operation that fills it: when that ended otherwise, the image goes. Without one the image
    goes after ``due_at``.
    """

    __tablename__ = "provisional_images"
    __table_args__ = table_args(Index(None, "image_id", unique=True), Index(None, "instance_uuid"))

    id: Mapped[Pk]
    image_id: Mapped[Uuid]
    instance_uuid: Mapped[Uuid]
    operation_id: Mapped[int | None] = mapped_column(BIG)
    due_at: Mapped[Time]
    created_at: Mapped[Time] = mapped_column(default=utcnow)
