"""Service and ComputeNode: who serves, and what a hypervisor has."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from nova_lite.objects.base import TravellingObject


def epoch_of(number: int, name: str) -> str:
    """What a daemon's present life is called: which one it is of that host's, and a name that no other has."""
    return f"{number}.{name}"


def number_of(epoch: str | None) -> int | None:
    """Which life it is of its host's; None where the daemon, or the conductor that knew it, did not count them yet."""
    number, dot, _ = (epoch or "").partition(".")
    return int(number) if dot and number.isdigit() else None


def is_former(epoch: str | None, present: str | None) -> bool:
    """Whether a life is over, now that ``present`` began: of two that say the same number the first stays."""
    mine, other = number_of(epoch), number_of(present)
    return epoch != present and mine is not None and other is not None and mine <= other


@dataclass(frozen=True)
class Service(TravellingObject):
    """One daemon. ``epoch`` changes with every start, see :func:`epoch_of`; ``last_seen_at`` is the last heartbeat
    (naive UTC).

    ``beats`` goes on with every start and heartbeat. ``identity`` is what lies beside the guests of a compute host.
    ``version`` is that of its code, ``works_with`` the oldest it can serve beside (``nova_lite.versions``).
    """

    VERSION = "1.2"

    uuid: str
    host: str
    binary: str
    topic: str
    epoch: str | None = None
    version: int = 1
    works_with: int = 1
    disabled: bool = False
    disabled_reason: str | None = None
    forced_down: bool = False
    last_seen_at: datetime.datetime | None = None
    beats: int = 0
    identity: str | None = None
    id: int | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclass(frozen=True)
class HostIdentity(TravellingObject):
    """Which host of which cloud something is, and how far both have come: what lies beside a host's guests.

    ``beats`` is the host's own count of heartbeats, ``mark`` the cloud's of daemons that started; neither goes back
    unless the database is an older copy.
    """

    uuid: str
    host: str
    cloud: str
    beats: int = 0
    mark: int = 0


@dataclass(frozen=True)
class ComputeNode(TravellingObject):
    """A hypervisor's inventory and what is claimed of it. Memory in MiB, disk in GiB.

    ``generation`` rises with every change of claims or inventory; the ``*_used`` fields are the sum of the allocations,
    written only in the transaction that writes the allocation.
    """

    uuid: str
    host: str
    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    local_gb: int
    vcpus_used: int = 0
    memory_mb_used: int = 0
    local_gb_used: int = 0
    running_vms: int = 0
    cpu_allocation_ratio: float = 4.0
    ram_allocation_ratio: float = 1.0
    disk_allocation_ratio: float = 1.0
    reserved_host_cpus: int = 0
    reserved_host_memory_mb: int = 512
    reserved_host_disk_mb: int = 0
    disk_available_least: int | None = None
    host_ip: str | None = None
    cpu_info: dict[str, Any] = field(default_factory=dict)
    supported_instances: tuple[tuple[str, str, str], ...] = ()
    stats: dict[str, Any] = field(default_factory=dict)
    build_failures: int = 0
    generation: int = 0
    id: int | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None


@dataclass(frozen=True)
class Allocation(TravellingObject):
    """What one server holds of one node (vCPUs, MiB, GiB)."""

    instance_uuid: str
    node_uuid: str
    vcpus: int
    memory_mb: int
    disk_gb: int
