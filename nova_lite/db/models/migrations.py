"""Moves of servers between hosts or flavors, from their acceptance to their end."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import BIG, Base, Json, Pk, Stamped, Uuid, Word, table_args


class Migration(Stamped, Base):
    """One move. Its ``uuid`` holds the claim on the side that the server does not use meanwhile.

    ``held_*`` is what its server counts for in the quota while it is open: of both flavors the larger (vCPUs, MiB).
    ``progress`` is what a live migration reports (bytes, as the API shows them), ``wish`` what a user asks of
    it meanwhile. The row outlives its server.
    """

    __tablename__ = "migrations"
    __table_args__ = table_args(
        Index(None, "uuid", unique=True),
        Index(None, "instance_uuid", "id"),
        Index(None, "status", "id"),
        Index(None, "updated_at"),
    )

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    instance_uuid: Mapped[Uuid]
    operation_id: Mapped[int | None] = mapped_column(BIG)
    migration_type: Mapped[Word]
    status: Mapped[Word]
    user_id: Mapped[str | None]
    project_id: Mapped[str | None]
    source_compute: Mapped[str | None]
    source_node: Mapped[str | None]
    dest_compute: Mapped[str | None]
    dest_node: Mapped[str | None]
    dest_host: Mapped[str | None]
    old_flavor: Mapped[Json | None]
    new_flavor: Mapped[Json | None]
    held_vcpus: Mapped[int] = mapped_column(BIG, default=0)
    held_memory_mb: Mapped[int] = mapped_column(BIG, default=0)
    old_vm_state: Mapped[Word | None]
    progress: Mapped[Json] = mapped_column(default=dict)
    wish: Mapped[Word | None]
