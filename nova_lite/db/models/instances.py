"""Servers, their tags and their faults."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.clock import utcnow
from nova_lite.db.models.base import Base, Json, LongText, Pk, Time, Uuid, Word, table_args


class Instance(Base):
    """One server, live or deleted (``deleted_at`` set: kept for retention).

    The JSON columns hold what :mod:`nova_lite.db.api.instance_rows` makes of the objects. Repeated for filters and
    sums: ``flavor_id``, ``memory_mb``, ``vcpus``, ``disk_gb`` from ``flavor``; ``addresses_v4``, ``addresses_v6`` (one
    address a line) from ``network_info``. ``tags`` and ``fault`` repeat the child tables (fault: the newest), so that a
    server is read by one statement.
    """

    __tablename__ = "instances"
    __table_args__ = table_args(
        Index(None, "uuid", unique=True),
        Index(None, "project_id", "created_at", "id"),
        Index(None, "project_id", "display_name", "id"),
        Index(None, "created_at", "id"),
        Index(None, "host", "deleted_at"),
        Index(None, "host", "created_at", "id"),
        Index(None, "updated_at"),
        Index(None, "task_state"),
        Index(None, "reservation_id"),
        Index(None, "server_group"),
        Index(None, "deleted_at", "id"),
    )

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    project_id: Mapped[str]
    user_id: Mapped[str]
    display_name: Mapped[str]
    display_description: Mapped[str | None]
    hostname: Mapped[str | None]
    vm_state: Mapped[Word]
    task_state: Mapped[Word | None]
    power_state: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=0)
    host: Mapped[str | None]
    node: Mapped[str | None]
    availability_zone: Mapped[str | None]
    pinned_availability_zone: Mapped[str | None]
    flavor: Mapped[Json]
    flavor_id: Mapped[str]
    memory_mb: Mapped[int]
    vcpus: Mapped[int]
    disk_gb: Mapped[int]
    image_ref: Mapped[str] = mapped_column(default="")
    image: Mapped[Json | None]
    kernel_id: Mapped[str] = mapped_column(default="")
    ramdisk_id: Mapped[str] = mapped_column(default="")
    key_name: Mapped[str | None]
    key_data: Mapped[LongText | None]
    user_data: Mapped[LongText | None]
    config_drive: Mapped[bool] = mapped_column(default=False)
    auto_disk_config: Mapped[bool] = mapped_column(default=False)
    access_ip_v4: Mapped[Word | None]
    access_ip_v6: Mapped[Word | None]
    root_device_name: Mapped[str | None]
    launch_index: Mapped[int] = mapped_column(default=0)
    reservation_id: Mapped[str | None]
    progress: Mapped[int] = mapped_column(default=0)
    locked: Mapped[bool] = mapped_column(default=False)
    locked_by: Mapped[Word | None]
    locked_reason: Mapped[str | None]
    meta: Mapped[Json] = mapped_column("metadata", default=dict)
    scheduler_hints: Mapped[Json] = mapped_column(default=dict)
    tags: Mapped[Json] = mapped_column(default=list)
    fault: Mapped[Json | None]
    security_groups: Mapped[Json] = mapped_column(default=list)
    network_info: Mapped[Json] = mapped_column(default=list)
    addresses_v4: Mapped[LongText | None]
    addresses_v6: Mapped[LongText | None]
    block_devices: Mapped[Json] = mapped_column(default=list)
    trusted_certs: Mapped[Json | None]
    server_group: Mapped[str | None] = mapped_column(String(36))
    system_metadata: Mapped[Json] = mapped_column(default=dict)
    launched_at: Mapped[Time | None]
    terminated_at: Mapped[Time | None]
    created_at: Mapped[Time] = mapped_column(default=utcnow)
    updated_at: Mapped[Time] = mapped_column(default=utcnow, onupdate=utcnow)
    deleted_at: Mapped[Time | None]


class Tag(Base):
    """One tag of one server, for filters."""

    __tablename__ = "instance_tags"
    __table_args__ = table_args(Index(None, "tag"))

    instance_uuid: Mapped[str] = mapped_column(
        String(36), ForeignKey("instances.uuid", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(80), primary_key=True)


class InstanceFault(Base):
    """Why a server went to error; the newest is shown with the server, all are kept as history."""

    __tablename__ = "instance_faults"
    __table_args__ = table_args(Index(None, "instance_uuid", "id"))

    id: Mapped[Pk]
    instance_uuid: Mapped[str] = mapped_column(String(36), ForeignKey("instances.uuid", ondelete="CASCADE"))
    code: Mapped[int]
    message: Mapped[LongText]
    details: Mapped[LongText]
    host: Mapped[str | None]
    created_at: Mapped[Time] = mapped_column(default=utcnow)
