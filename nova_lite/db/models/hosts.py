"""Daemons, hypervisors, and what servers hold of them."""

from __future__ import annotations

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.db.models.base import BIG, Base, Json, Pk, Stamped, Time, Uuid, Word, table_args


class Service(Stamped, Base):
    """One daemon on one host."""

    __tablename__ = "services"
    __table_args__ = table_args(Index(None, "uuid", unique=True), Index(None, "host", "binary", unique=True))

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    host: Mapped[str]
    binary: Mapped[str]
    topic: Mapped[str]
    epoch: Mapped[Word | None]
    version: Mapped[int] = mapped_column(default=1)
    # The oldest version that this daemon can serve beside.
    works_with: Mapped[int] = mapped_column(default=1, server_default="1")
    disabled: Mapped[bool] = mapped_column(default=False)
    disabled_reason: Mapped[str | None]
    forced_down: Mapped[bool] = mapped_column(default=False)
    last_seen_at: Mapped[Time | None]
    # Goes on with each start and heartbeat and never back, whatever clocks do.
    beats: Mapped[int] = mapped_column(BIG, default=0, server_default="0")
    # Of a host that keeps guests: the uuid that lies beside them.
    identity: Mapped[Uuid | None]


class CloudIdentity(Base):
    """One row: which cloud this database is of, and how often a daemon started in it: an older copy is told by it."""

    __tablename__ = "cloud_identity"
    __table_args__ = table_args()

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    mark: Mapped[int] = mapped_column(BIG, default=0)


class ComputeNode(Stamped, Base):
    """A hypervisor's inventory (MiB, GiB) and the sum of its allocations.

    ``vcpus_used``, ``memory_mb_used`` and ``local_gb_used`` change only in the transaction that writes the allocation.
    """

    __tablename__ = "compute_nodes"
    __table_args__ = table_args(
        Index(None, "uuid", unique=True), Index(None, "host", "hypervisor_hostname", unique=True)
    )

    id: Mapped[Pk]
    uuid: Mapped[Uuid]
    host: Mapped[str]
    hypervisor_hostname: Mapped[str]
    hypervisor_type: Mapped[str]
    hypervisor_version: Mapped[int]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    local_gb: Mapped[int]
    vcpus_used: Mapped[int] = mapped_column(default=0)
    memory_mb_used: Mapped[int] = mapped_column(default=0)
    local_gb_used: Mapped[int] = mapped_column(default=0)
    running_vms: Mapped[int] = mapped_column(default=0)
    cpu_allocation_ratio: Mapped[float] = mapped_column(default=4.0)
    ram_allocation_ratio: Mapped[float] = mapped_column(default=1.0)
    disk_allocation_ratio: Mapped[float] = mapped_column(default=1.0)
    reserved_host_cpus: Mapped[int] = mapped_column(default=0)
    reserved_host_memory_mb: Mapped[int] = mapped_column(default=512)
    reserved_host_disk_mb: Mapped[int] = mapped_column(default=0)
    disk_available_least: Mapped[int | None]
    host_ip: Mapped[Word | None]
    cpu_info: Mapped[Json] = mapped_column(default=dict)
    supported_instances: Mapped[Json] = mapped_column(default=list)
    stats: Mapped[Json] = mapped_column(default=dict)
    build_failures: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=0)


class Allocation(Stamped, Base):
    """What one server holds of one node (vCPUs, MiB, GiB)."""

    __tablename__ = "allocations"
    __table_args__ = table_args(Index(None, "instance_uuid", "node_uuid", unique=True), Index(None, "node_uuid"))

    id: Mapped[Pk]
    instance_uuid: Mapped[Uuid]
    node_uuid: Mapped[Uuid]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    disk_gb: Mapped[int]
